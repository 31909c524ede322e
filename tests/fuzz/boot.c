/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Boot memory as the sensor reads it: boot_params, the firmware memmap, memblock. Each file is a
 * byte for its name, a byte for its length, and its text.
 */
#include "daemon/host/paths.h"
#include "daemon/host/sensor.h"
#include "tdxo/base/cursor.h"
#include "tests/fuzz/files.h"

#define ENTRY(n)                                                                                   \
	SYS_FIRMWARE_MEMMAP "/" #n "/start", SYS_FIRMWARE_MEMMAP "/" #n "/end",                    \
		SYS_FIRMWARE_MEMMAP "/" #n "/type"

static const char *const names[] = {SYS_MEMBLOCK, SYS_SETUP_DATA "/0/type",
	SYS_SETUP_DATA "/0/data", ENTRY(0), ENTRY(1), ENTRY(2), ENTRY(3)};

/* The bytes after the files are boot_params. */
static void read_files(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(data, size);

	n_files = 0;
	while (cursor_left(&c) && n_files < FILES_MOST - 1) {
		size_t name = cursor_u8(&c), length = cursor_u8(&c);
		struct cursor text = cursor_take(&c, length);

		if (name >= ARRAY_SIZE(names) || text.failed)
			break;
		if (!find_file(names[name]))
			files[n_files++] = (struct file){names[name], text.data, text.size};
	}
	if (cursor_left(&c))
		files[n_files++] =
			(struct file){SYS_BOOT_PARAMS, data + c.position, cursor_left(&c)};
}

static void check_boot_map(const struct sensor *sensor)
{
	const struct boot_map *map = &sensor->snapshot.boot_map;

	for (size_t i = 0; i < map->n; i++) {
		require(!range_is_empty(map->regions[i].range));
		require(map->known);
		/* memblock only narrows the RAM that firmware listed. */
		require(range_set_contains(&sensor->boot_ram, map->regions[i].range));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sensor sensor = {.snapshot.block_size = UINT64_C(128) << 20};
	struct snapshot *snapshot = &sensor.snapshot;

	for (uint64_t id = 0; id < 48; id++)
		require(block_ids_append(&snapshot->blocks, id) == 0);
	read_files(data, size);
	require(sensor_read_boot_ram(&sensor) == 0);
	require(sensor_build_boot_map(&sensor) == 0);
	check_boot_map(&sensor);
	require(sensor_list_dimms(&sensor) == 0);
	for (size_t i = 0; i < snapshot->n_dimms; i++)
		require(!range_is_empty(snapshot->dimms[i]) &&
			!range_set_overlaps(&sensor.boot_ram, snapshot->dimms[i]));
	free(sensor.dimms);
	snapshot_done(snapshot);
	range_set_done(&sensor.boot_ram);
	complaints_done(&sensor.complaints);
	return 0;
}
