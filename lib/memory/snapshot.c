/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot, and the simple questions to it.
 */
#include "tdxo/memory/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"

void snapshot_done(struct snapshot *snapshot)
{
	devices_done(&snapshot->dax);
	free(snapshot->dimms);
	regions_done(&snapshot->regions);
	block_ids_done(&snapshot->blocks);
	boot_map_done(&snapshot->boot_map);
	rejections_done(&snapshot->rejected);
}

bool snapshot_has_block_of(const struct snapshot *snapshot, const struct device *device)
{
	for (size_t i = 0; i < device->n_ranges; i++)
		if (block_ids_in(&snapshot->blocks, device->ranges[i], snapshot->block_size).n)
			return true;
	return false;
}

bool snapshot_explains_blocks(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->dax.n; i++)
		if (snapshot->dax.items[i].driver == DAX_DRIVER_KMEM &&
			!snapshot->dax.items[i].n_ranges)
			return false;
	return !snapshot->dax_incomplete;
}

bool snapshot_has_memory_in(const struct snapshot *snapshot, struct range range)
{
	if (block_ids_in(&snapshot->blocks, range, snapshot->block_size).n)
		return true;
	for (size_t i = 0; i < snapshot->dax.n; i++)
		if (device_overlaps(&snapshot->dax.items[i], range))
			return true;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct device *)a)->name, ((const struct device *)b)->name);
}

void snapshot_sort_dax(struct snapshot *snapshot)
{
	if (snapshot->dax.n)
		qsort(snapshot->dax.items, snapshot->dax.n, sizeof(*snapshot->dax.items),
			compare_names);
}

static bool is_lower_name(const void *item, const void *name)
{
	return strcmp(((const struct device *)item)->name, name) < 0;
}

const struct device *snapshot_find_dax(const struct snapshot *snapshot, const char *name)
{
	const struct devices *dax = &snapshot->dax;
	size_t i = array_search(dax->items, dax->n, sizeof(*dax->items), name, is_lower_name);

	return i < dax->n && strcmp(dax->items[i].name, name) == 0 ? &dax->items[i] : NULL;
}
