/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor's view of the boot: which memory firmware handed over.
 *
 * boot_params never changes, so it also shows, at any time, which entries of the firmware
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
#include "tdxo/base/parse.h"
#include "tdxo/firmware/e820.h"

#define SETUP_E820_EXT 1 /* Documentation/arch/x86/zero-page.rst */
#define FIRST_MIB      0x100000
#define NEW_ENTRIES    16 /* more than come, or come and go, between a look and a decision */

/* Where a list of ranges is gathered. */
struct gathering {
	struct sensor *sensor;
	struct range_list list;
};

static void gathering_done(struct gathering *gathering)
{
	range_list_done(&gathering->list);
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
		complain(reading->complaints,
			"%s: its %zu bytes are too few for its number of entries", path, size);
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
		complain(&sensor->complaints, SYS_BOOT_PARAMS ": it lists no RAM");
		return -ENODATA;
	}
	return r;
}

/* Returns whether an entry is RAM. */
static bool read_memmap_range(
	struct complaints *complaints, const char *name, struct range *ret_range)
{
	char type[SYSFS_TEXT];
	struct path path;
	uint64_t start, end;
	int r;

	r = sysfs_read(path_of(&path, SYS_FIRMWARE_MEMMAP "/%s/type", name), type, sizeof(type));
	if (r == 0 && strcmp(type, "System RAM") != 0)
		return false;
	if (r == 0)
		r = sysfs_read_number(
			path_of(&path, SYS_FIRMWARE_MEMMAP "/%s/start", name), 0, &start);
	if (r == 0)
		r = sysfs_read_number(path_of(&path, SYS_FIRMWARE_MEMMAP "/%s/end", name), 0, &end);
	if (r == 0 && (end < start || end == UINT64_MAX))
		r = -EBADMSG;
	if (r == -EBADMSG)
		complain(complaints, "%s: not an address", path.text);
	else if (r < 0 && r != -ENOENT) /* it may vanish, with its DIMM */
		complain(complaints, "%s: %s", path.text, strerror(-r));
	if (r < 0)
		return false;
	*ret_range = (struct range){start, end + 1};
	return true;
}

static int read_memmap_entry(const char *name, void *userdata)
{
	struct gathering *memmap = userdata;
	struct range range;

	return read_memmap_range(&memmap->sensor->complaints, name, &range)
		       ? range_list_add(&memmap->list, range)
		       : 0;
}

/* The first MiB is no TDX memory, and never part of a DIMM. */
static int make_set(struct range_list *list, struct range_set *ret_set)
{
	int r = range_set_of(list, ret_set);

	return r < 0 ? r : range_set_subtract(ret_set, (struct range){0, FIRST_MIB});
}

int sensor_read_boot_ram(struct sensor *sensor)
{
	CLEANUP(gathering_done) struct gathering memmap = {.sensor = sensor};
	int r;

	r = read_boot_params(sensor);
	if (r == 0)
		sensor->boot_ram_source = BOOT_SOURCE_BOOT_PARAMS;
	if (r == 0 || r == -ENOMEM)
		return r;
	r = sysfs_list(SYS_FIRMWARE_MEMMAP, read_memmap_entry, &memmap);
	if (r < 0)
		complain(&sensor->complaints, SYS_FIRMWARE_MEMMAP ": %s", strerror(-r));
	if (memmap.list.n)
		sensor->boot_ram_source = BOOT_SOURCE_FIRMWARE_MEMMAP;
	return r == -ENOMEM ? r : make_set(&memmap.list, &sensor->boot_ram);
}

/* "   0: 0x0000000000001000..0x000000000009efff    0 NONE"; before 6.1 without the last two. */
static int read_memblock_line(struct range_list *regions, const char *line)
{
	char flags[64] = "";
	uint64_t first, last;

	if (sscanf(line, " %*d: %" SCNx64 "..%" SCNx64 " %*s %63s", &first, &last, flags) < 2 ||
		last < first || last == UINT64_MAX ||
		(regions->n && first < regions->ranges[regions->n - 1].end))
		return -EBADMSG;
	/* What a driver added came after boot. */
	return strstr(flags, "DRV_MNG") ? 0
					: range_list_add(regions, (struct range){first, last + 1});
}

/* 0, also if it cannot be read: then the list is empty. Or -ENOMEM. */
static int read_memblock(struct gathering *memblock)
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
		r = read_memblock_line(&memblock->list, line);
	if (r == -EBADMSG) {
		complain(&memblock->sensor->complaints, SYS_MEMBLOCK ": not a list of regions");
		memblock->list.n = 0;
	}
	return r == -EBADMSG ? 0 : r;
}

/* The present blocks, and what dax devices span, as sets. */
static int gather(const struct snapshot *snapshot, struct range_set *blocks, struct range_set *dax)
{
	CLEANUP(range_list_done) struct range_list list = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < snapshot->blocks.n; i++)
		r = range_set_add(
			blocks, block_range(snapshot->blocks.ids[i], snapshot->block_size));
	for (size_t i = 0; r == 0 && i < snapshot->dax.n; i++)
		for (size_t j = 0; r == 0 && j < snapshot->dax.items[i].n_ranges; j++)
			r = range_list_add(&list, snapshot->dax.items[i].ranges[j]);
	return r < 0 ? r : range_set_of(&list, dax);
}

int sensor_build_boot_map(struct sensor *sensor)
{
	CLEANUP(range_set_done) struct range_set blocks = {0}, dax = {0};
	CLEANUP(gathering_done) struct gathering memblock = {.sensor = sensor};
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
	evidence.memblock = memblock.list.n ? memblock.list.ranges : NULL;
	evidence.n_memblock = memblock.list.n;
	return boot_map_build(&evidence, &sensor->snapshot.boot_map);
}

/* --- DIMMs --- */

struct dimm_entry {
	struct range range;
	char name[SYSFS_NAME]; /* of its entry */
};

/* A list of the entries of the memmap. */
struct dimm_list {
	struct sensor *sensor;
	struct dimm_entry *entries;
	size_t n;
	uint64_t last; /* the highest number of an entry, of RAM or not */
};

static void free_dimms(struct dimm_list *list)
{
	free(list->entries);
}

static int list_dimm(const char *name, void *userdata)
{
	struct dimm_list *list = userdata;
	const struct sensor *sensor = list->sensor;
	struct dimm_entry entry;
	uint64_t number;

	if (parse_number_after(name, "", &number) && number > list->last)
		list->last = number;
	if (!read_memmap_range(&list->sensor->complaints, name, &entry.range) ||
		range_set_overlaps(&sensor->boot_ram, entry.range) || entry.range.end <= FIRST_MIB)
		return 0;
	snprintf(entry.name, sizeof(entry.name), "%s", name);
	return array_append(list->entries, list->n, entry);
}

static int compare_dimms(const void *a, const void *b)
{
	const struct dimm_entry *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

int sensor_list_dimms(struct sensor *sensor)
{
	/* The kernel's numbers never fall (map_entries_nr, drivers/firmware/memmap.c, 6.12). */
	CLEANUP(free_dimms)
	struct dimm_list list = {.sensor = sensor, .last = sensor->last_entry};
	CLEANUP(range_list_done) struct range_list dimms = {0};
	int r;

	r = sysfs_list(SYS_FIRMWARE_MEMMAP, list_dimm, &list);
	if (r == -ENOMEM)
		return r;
	if (list.n)
		qsort(list.entries, list.n, sizeof(*list.entries), compare_dimms);
	for (size_t i = 0; i < list.n; i++)
		if (range_list_add(&dimms, list.entries[i].range) < 0)
			return -ENOMEM;
	free(sensor->dimms);
	sensor->dimms = list.entries;
	sensor->last_entry = list.last;
	list.entries = NULL;
	free(sensor->snapshot.dimms);
	sensor->snapshot.dimms = dimms.ranges;
	sensor->snapshot.n_dimms = dimms.n;
	dimms.ranges = NULL;
	return 0;
}

static bool starts_below(const void *item, const void *address)
{
	return ((const struct dimm_entry *)item)->range.start < *(const uint64_t *)address;
}

bool sensor_has_dimm(struct sensor *sensor, const struct device *device)
{
	size_t n = sensor->snapshot.n_dimms;
	size_t i = array_search(
		sensor->dimms, n, sizeof(*sensor->dimms), &device->ranges[0].start, starts_below);
	struct range now;

	return i < n && read_memmap_range(&sensor->complaints, sensor->dimms[i].name, &now) &&
	       device_lies_at(device, &now, 1);
}

bool sensor_has_new_dimm(struct sensor *sensor, const struct device *device)
{
	struct range range;
	char name[SYSFS_NAME];

	for (uint64_t i = 1; i <= NEW_ENTRIES; i++) {
		snprintf(name, sizeof(name), "%" PRIu64, sensor->last_entry + i);
		if (read_memmap_range(&sensor->complaints, name, &range) &&
			device_overlaps(device, range))
			return true;
	}
	return false;
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
