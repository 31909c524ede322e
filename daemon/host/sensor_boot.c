/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor's view of the boot: which memory firmware handed over.
 *
 * boot_params never changes, so it also tells, at any time, which entries of the firmware
 * memmap are of DIMMs that came later: those that share no byte with it.
 */
#include "daemon/host/sensor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/array.h"
#include "tdxo/firmware/e820.h"

#define SETUP_E820_EXT 1 /* Documentation/arch/x86/zero-page.rst */
#define FIRST_MIB      0x100000

/* Where a list of ranges is gathered. */
struct ranges {
	struct sensor *sensor;
	struct range *ranges;
	size_t n;
};

static void free_ranges(struct ranges *ranges)
{
	free(ranges->ranges);
}

static int append(struct ranges *ranges, struct range range)
{
	return array_append(ranges->ranges, ranges->n, range);
}

struct e820_reading {
	struct e820_table table;
	struct complaints *complaints;
};

static void e820_reading_done(struct e820_reading *reading)
{
	e820_table_done(&reading->table);
}

/* Read one file of entries. 0, or a negative errno after a complaint. */
static int read_entries(struct e820_reading *reading, const char *path,
	int (*add)(struct e820_table *table, const void *data, size_t size))
{
	CLEANUP(free_text) char *bytes = NULL;
	size_t size;
	int r;

	r = sysfs_read_text(path, &bytes, &size);
	if (r == 0)
		r = add(&reading->table, bytes, size);
	if (r > 0)
		complain(reading->complaints, "%s: %d entries are empty or wrap around", path, r);
	else if (r == -EBADMSG)
		complain(reading->complaints, "%s: %zu bytes do not hold the entries claimed", path,
			size);
	else if (r < 0)
		complain(reading->complaints, "%s: %s", path, strerror(-r));
	return r < 0 ? r : 0;
}

static int read_setup_data(const char *name, void *userdata)
{
	struct e820_reading *reading = userdata;
	struct path path;
	uint64_t type;
	int r;

	r = sysfs_read_number(path_of(&path, SYS_SETUP_DATA "/%s/type", name), 0, &type);
	if (r < 0)
		complain(reading->complaints, "%s: %s", path.text, strerror(-r));
	if (r < 0 || type != SETUP_E820_EXT)
		return r;
	return read_entries(
		reading, path_of(&path, SYS_SETUP_DATA "/%s/data", name), e820_add_extension);
}

/* 0, or a negative errno after a complaint. */
static int read_boot_params(struct sensor *sensor)
{
	CLEANUP(e820_reading_done)
	struct e820_reading reading = {.complaints = &sensor->complaints};
	int r;

	r = read_entries(&reading, SYS_BOOT_PARAMS, e820_add_boot_params);
	if (r == 0) {
		r = sysfs_list(SYS_SETUP_DATA, read_setup_data, &reading);
		if (r == -ENOENT)
			r = 0;
	}
	if (r == 0)
		r = e820_ram(&reading.table, &sensor->boot_ram);
	if (r == 0 && !sensor->boot_ram.n) {
		complain(&sensor->complaints, SYS_BOOT_PARAMS ": no RAM in it");
		return -ENODATA;
	}
	return r;
}

static int read_memmap_entry(const char *name, void *userdata)
{
	struct ranges *ranges = userdata;
	struct complaints *complaints = &ranges->sensor->complaints;
	char type[SYSFS_TEXT];
	struct path path;
	uint64_t start, end;
	int r;

	r = sysfs_read(path_of(&path, SYS_FIRMWARE_MEMMAP "/%s/type", name), type, sizeof(type));
	if (r == 0 && strcmp(type, "System RAM") != 0)
		return 0;
	if (r == 0)
		r = sysfs_read_number(
			path_of(&path, SYS_FIRMWARE_MEMMAP "/%s/start", name), 0, &start);
	if (r == 0)
		r = sysfs_read_number(path_of(&path, SYS_FIRMWARE_MEMMAP "/%s/end", name), 0, &end);
	if (r == 0 && (end < start || end == UINT64_MAX))
		r = -EBADMSG;
	if (r == -EBADMSG)
		complain(complaints, "%s: no address", path.text);
	else if (r < 0 && r != -ENOENT) /* it may vanish, with its DIMM */
		complain(complaints, "%s: %s", path.text, strerror(-r));
	return r < 0 ? 0 : append(ranges, (struct range){start, end + 1});
}

/* The first MiB is no TDX memory, and never part of a DIMM. */
static int add_all(struct range_set *set, const struct ranges *ranges)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ranges->n; i++)
		r = range_set_add(set, ranges->ranges[i]);
	if (r == 0)
		r = range_set_subtract(set, (struct range){0, FIRST_MIB});
	return r;
}

int sensor_read_boot_ram(struct sensor *sensor)
{
	CLEANUP(free_ranges) struct ranges memmap = {.sensor = sensor};
	int r;

	r = read_boot_params(sensor);
	if (r == 0)
		sensor->boot_ram_source = BOOT_SOURCE_BOOT_PARAMS;
	if (r == 0 || r == -ENOMEM)
		return r;
	r = sysfs_list(SYS_FIRMWARE_MEMMAP, read_memmap_entry, &memmap);
	if (r < 0)
		complain(&sensor->complaints, SYS_FIRMWARE_MEMMAP ": %s", strerror(-r));
	if (memmap.n)
		sensor->boot_ram_source = BOOT_SOURCE_FIRMWARE_MEMMAP;
	return r == -ENOMEM ? r : add_all(&sensor->boot_ram, &memmap);
}

/* "   0: 0x0000000000001000..0x000000000009efff    0 NONE"; before 6.1 without the last two. */
static int read_memblock_line(struct ranges *ranges, const char *line)
{
	char flags[64] = "";
	uint64_t first, last;

	if (sscanf(line, " %*d: %" SCNx64 "..%" SCNx64 " %*s %63s", &first, &last, flags) < 2 ||
		last < first || last == UINT64_MAX)
		return -EBADMSG;
	/* What a driver added came after boot. */
	return strstr(flags, "DRV_MNG") ? 0 : append(ranges, (struct range){first, last + 1});
}

/* 0, also if it cannot be read: then there is nothing in `ranges`. Or -ENOMEM. */
static int read_memblock(struct ranges *ranges)
{
	CLEANUP(free_text) char *text = NULL;
	char *line, *rest;
	size_t size;
	int r;

	/* Not there on most kernels and not readable for most users: no reason to complain. */
	if (sysfs_read_text(SYS_MEMBLOCK, &text, &size) < 0)
		return 0;
	r = strlen(text) == size ? 0 : -EBADMSG;
	for (line = strtok_r(text, "\n", &rest); line && r == 0; line = strtok_r(NULL, "\n", &rest))
		r = read_memblock_line(ranges, line);
	if (r == -EBADMSG) {
		complain(&ranges->sensor->complaints, SYS_MEMBLOCK ": not a list of regions");
		ranges->n = 0;
	}
	return r == -EBADMSG ? 0 : r;
}

/* The present blocks, and what dax devices span, as sets. */
static int gather(const struct snapshot *snapshot, struct range_set *blocks, struct range_set *dax)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < snapshot->blocks.n; i++)
		r = range_set_add(
			blocks, block_range(snapshot->blocks.ids[i], snapshot->block_size));
	for (size_t i = 0; r == 0 && i < snapshot->dax.n; i++)
		for (size_t j = 0; r == 0 && j < snapshot->dax.items[i].n_ranges; j++)
			r = range_set_add(dax, snapshot->dax.items[i].ranges[j]);
	return r;
}

int sensor_build_boot_map(struct sensor *sensor)
{
	CLEANUP(range_set_done) struct range_set blocks = {0}, dax = {0};
	CLEANUP(free_ranges) struct ranges memblock = {.sensor = sensor};
	struct boot_evidence evidence = {.blocks = &blocks, .dax = &dax};
	int r;

	r = gather(&sensor->snapshot, &blocks, &dax);
	if (r == 0)
		r = read_memblock(&memblock);
	if (r < 0)
		return r;
	if (sensor->boot_ram_source == BOOT_SOURCE_BOOT_PARAMS)
		evidence.boot_params = &sensor->boot_ram;
	else if (sensor->boot_ram_source == BOOT_SOURCE_FIRMWARE_MEMMAP)
		evidence.memmap = &sensor->boot_ram;
	evidence.memblock = memblock.n ? memblock.ranges : NULL;
	evidence.n_memblock = memblock.n;
	return boot_map_build(&evidence, &sensor->snapshot.boot_map);
}

int sensor_list_dimms(struct sensor *sensor)
{
	CLEANUP(free_ranges) struct ranges memmap = {.sensor = sensor};
	CLEANUP(free_ranges) struct ranges dimms = {.sensor = sensor};
	int r;

	r = sysfs_list(SYS_FIRMWARE_MEMMAP, read_memmap_entry, &memmap);
	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; i < memmap.n; i++) {
		if (range_set_overlaps(&sensor->boot_ram, memmap.ranges[i]) ||
			memmap.ranges[i].end <= FIRST_MIB)
			continue;
		r = append(&dimms, memmap.ranges[i]);
		if (r < 0)
			return r;
	}
	free(sensor->snapshot.dimms);
	sensor->snapshot.dimms = dimms.ranges;
	sensor->snapshot.n_dimms = dimms.n;
	dimms.ranges = NULL;
	return 0;
}

int sensor_find_offline_boot(
	struct sensor *sensor, struct range within, struct range_set *ret_offline)
{
	CLEANUP(range_set_done) struct range_set offline = {0};
	const struct snapshot *snapshot = &sensor->snapshot;
	int r = 0;

	for (size_t i = 0; r == 0 && i < snapshot->blocks.n; i++) {
		uint64_t id = snapshot->blocks.ids[i];
		struct range block = block_range(id, snapshot->block_size);
		enum block_state state;

		if (!range_overlaps(block, within) || !boot_map_had(&snapshot->boot_map, block))
			continue;
		/* A block that has gone, or cannot be read, is not one that is offline. */
		if (sensor_block_state(id, &state) == 0 && state == BLOCK_OFFLINE)
			r = range_set_add(&offline, block);
	}
	if (r < 0)
		return r;
	*ret_offline = offline;
	offline = (struct range_set){0};
	return 0;
}
