/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices.
 *
 * Three explanations are tried for each block that was not there at boot: a dax device spans
 * it, a DIMM spans it, or it belongs to a run. Dax devices and DIMMs are found without their
 * blocks, so a device whose memory was never added is found like any other.
 *
 * A run ends where a CXL region does, because a region has memory devices of its own. A dax device
 * keeps the type of the driver that registered it, in a region or not.
 */
#include "tdxo/memory/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"
#include "tdxo/memory/snapshot.h"

static const char *const types[] = {
	[TYPE_UNKNOWN] = "unknown",
	[TYPE_CXL] = "cxl",
	[TYPE_HMEM] = "hmem",
	[TYPE_PMEM] = "pmem",
	[TYPE_DIMM] = "dimm",
	[TYPE_VIRTIO_MEM] = "virtio-mem",
};
DEFINE_STRING_TABLE(device_type, enum device_type, types, TYPE_MAX)

static const char *const drivers[] = {
	[DAX_DRIVER_NONE] = NULL,
	[DAX_DRIVER_KMEM] = "kmem",
	[DAX_DRIVER_DEVICE_DAX] = "device_dax",
	[DAX_DRIVER_FSDEV] = "fsdev_dax",
	[DAX_DRIVER_OTHER] = "other",
};
DEFINE_STRING_TABLE(dax_driver, enum dax_driver, drivers, DAX_DRIVER_MAX)

/* daxctl's words for the modes of a device; memory without one has none of them. */
static const char *const modes[] = {
	[DAX_DRIVER_NONE] = "none",
	[DAX_DRIVER_KMEM] = "system-ram",
	[DAX_DRIVER_DEVICE_DAX] = "devdax",
	[DAX_DRIVER_FSDEV] = "famfs",
	[DAX_DRIVER_OTHER] = "other",
};
DEFINE_STRING_TABLE(dax_mode, enum dax_driver, modes, DAX_DRIVER_MAX)

void device_done(struct device *device)
{
	free(device->ranges);
	*device = (struct device){0};
}

void devices_done(struct devices *devices)
{
	for (size_t i = 0; i < devices->n; i++)
		device_done(&devices->items[i]);
	free(devices->items);
	*devices = (struct devices){0};
}

int device_copy(const struct device *device, struct device *ret_copy)
{
	CLEANUP(device_done) struct device copy = *device;
	int r = 0;

	copy.ranges = NULL;
	copy.n_ranges = 0;
	for (size_t i = 0; r == 0 && i < device->n_ranges; i++)
		r = array_append(copy.ranges, copy.n_ranges, device->ranges[i]);
	if (r < 0)
		return r;
	*ret_copy = copy;
	copy.ranges = NULL;
	return 0;
}

int devices_add(struct devices *devices, struct device *device)
{
	int r = array_append(devices->items, devices->n, *device);

	if (r == 0)
		*device = (struct device){0};
	return r;
}

int devices_add_copy(struct devices *devices, const struct device *device)
{
	CLEANUP(device_done) struct device copy = {0};
	int r;

	r = device_copy(device, &copy);
	return r < 0 ? r : devices_add(devices, &copy);
}

const char *device_format(const struct device *device, char buf[RANGE_TEXT])
{
	if (device_is_dax(device) || !device->n_ranges)
		return device->name;
	return range_format(device->ranges[0], buf);
}

bool device_lies_at(const struct device *device, const struct range *ranges, size_t n)
{
	if (device->n_ranges != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!range_equal(device->ranges[i], ranges[i]))
			return false;
	return true;
}

uint64_t device_room(const struct device *device, uint64_t block_size)
{
	uint64_t room = 0;

	for (size_t i = 0; i < device->n_ranges; i++)
		room += block_room(device->ranges[i], block_size);
	return room;
}

static bool ends_before(const void *item, const void *address)
{
	return ((const struct range *)item)->end <= *(const uint64_t *)address;
}

bool device_overlaps(const struct device *device, struct range range)
{
	size_t i = array_search(device->ranges, device->n_ranges, sizeof(*device->ranges),
		&range.start, ends_before);

	return i < device->n_ranges && range_overlaps(device->ranges[i], range);
}

/* --- finding --- */

static int add_dax(struct devices *found, const struct snapshot *now, struct range_list *explained)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < now->dax.n; i++) {
		const struct device *device = &now->dax.items[i];

		if (!device->size)
			continue;
		r = devices_add_copy(found, device);
		for (size_t j = 0; r == 0 && j < device->n_ranges; j++)
			r = range_list_add(explained, device->ranges[j]);
	}
	return r;
}

static int add_range(struct devices *found, struct range range, enum device_type type)
{
	const struct device device = {
		.type = type,
		.node = NODE_UNKNOWN,
		.size = range_size(range),
		.ranges = &range,
		.n_ranges = 1,
	};

	return devices_add_copy(found, &device);
}

static int add_dimms(
	struct devices *found, const struct snapshot *now, struct range_list *explained)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < now->n_dimms; i++) {
		r = add_range(found, now->dimms[i], TYPE_DIMM);
		if (r == 0)
			r = range_list_add(explained, now->dimms[i]);
	}
	return r;
}

static bool was_there_at_boot(
	const struct snapshot *now, const struct block_ids *before, uint64_t id)
{
	/* Without a boot map nothing can be said of a block that nothing else explains. */
	if (!now->boot_map.known)
		return true;
	return boot_map_had(&now->boot_map, block_range(id, now->block_size)) &&
	       (!before || block_ids_have(before, id));
}

/* The parts of the runs in a region become devices; `whole` is the region in whole blocks. */
static int add_runs_of_region(
	struct devices *found, const struct range_set *runs, struct range whole)
{
	CLEANUP(range_set_done) struct range_set within = {0};
	const struct range_set region = {&whole, !range_is_empty(whole)};
	int r = range_set_intersect(runs, &region, &within);

	for (size_t i = 0; r == 0 && i < within.n; i++)
		r = add_range(found, within.ranges[i], TYPE_CXL);
	return r;
}

/* The blocks that nothing explains, region by region, and then those outside of all regions. */
static int divide_runs(struct devices *found, const struct snapshot *now, struct range_set *runs)
{
	CLEANUP(range_set_done) struct range_set regions = {0};
	enum device_type type = now->virtio_mem ? TYPE_VIRTIO_MEM : TYPE_UNKNOWN;
	int r = 0;

	for (size_t i = 0; r == 0 && i < now->regions.n; i++) {
		struct range whole = range_trim(now->regions.items[i].range, now->block_size);

		/* If two regions overlapped, a block would still be in one device only. */
		if (regions.n && whole.start < regions.ranges[regions.n - 1].end)
			whole.start = regions.ranges[regions.n - 1].end;
		r = add_runs_of_region(found, runs, whole);
		if (r == 0)
			r = range_set_add(&regions, whole);
	}
	if (r == 0)
		r = range_set_subtract_set(runs, &regions);
	for (size_t i = 0; r == 0 && i < runs->n; i++)
		r = add_range(found, runs->ranges[i], type);
	return r;
}

static int add_runs(struct devices *found, const struct snapshot *now,
	const struct block_ids *before, const struct range_set *explained)
{
	CLEANUP(range_set_done) struct range_set runs = {0};
	int r = 0;

	if (!snapshot_explains_blocks(now))
		return 0;
	for (size_t i = 0; r == 0 && i < now->blocks.n; i++) {
		uint64_t id = now->blocks.ids[i];
		struct range range = block_range(id, now->block_size);

		if (!range_set_overlaps(explained, range) && !was_there_at_boot(now, before, id))
			r = range_set_add(&runs, range);
	}
	return r < 0 ? r : divide_runs(found, now, &runs);
}

/* The region of each device that has none by its parent. */
static void find_regions(struct devices *found, const struct regions *regions)
{
	for (size_t i = 0; i < found->n; i++) {
		struct device *device = &found->items[i];
		const struct region *region = regions_find(regions, device);

		if (region && !device->region[0])
			snprintf(device->region, sizeof(device->region), "%s", region->name);
	}
}

int devices_find(
	const struct snapshot *now, const struct block_ids *before, struct devices *ret_devices)
{
	CLEANUP(devices_done) struct devices found = {0};
	CLEANUP(range_list_done) struct range_list list = {0};
	CLEANUP(range_set_done) struct range_set explained = {0};
	int r;

	r = add_dax(&found, now, &list);
	if (r == 0)
		r = add_dimms(&found, now, &list);
	if (r == 0)
		r = range_set_of(&list, &explained);
	if (r == 0)
		r = add_runs(&found, now, before, &explained);
	if (r < 0)
		return r;
	find_regions(&found, &now->regions);
	devices_sort(&found);
	*ret_devices = found;
	found = (struct devices){0};
	return 0;
}

bool device_is_created(const struct device *device)
{
	const char *dot = strrchr(device->name, '.');

	return dot && strcmp(dot, ".0") != 0 && device->type != TYPE_PMEM;
}

enum device_type device_type_of_dax_path(const char *path)
{
	/* Who registers dax regions: drivers/dax/{cxl,hmem/hmem,pmem}.c, 6.12. */
	static const struct {
		const char *part;
		enum device_type type;
	} parents[] = {
		{"/dax_region", TYPE_CXL},
		{"/hmem.", TYPE_HMEM},
		{"/ndbus", TYPE_PMEM},
	};

	for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
		if (strstr(path, parents[i].part))
			return parents[i].type;
	return TYPE_UNKNOWN;
}
