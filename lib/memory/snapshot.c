/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot, and the simple questions to it.
 */
#include "tdxo/memory/snapshot.h"

#include <stdlib.h>
#include <string.h>

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
	for (size_t i = 0; i < snapshot->blocks.n; i++)
		if (device_overlaps(
			    device, block_range(snapshot->blocks.ids[i], snapshot->block_size)))
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
	for (size_t i = 0; i < snapshot->blocks.n; i++)
		if (range_overlaps(
			    block_range(snapshot->blocks.ids[i], snapshot->block_size), range))
			return true;
	for (size_t i = 0; i < snapshot->dax.n; i++)
		if (device_overlaps(&snapshot->dax.items[i], range))
			return true;
	return false;
}

const struct device *snapshot_find_dax(const struct snapshot *snapshot, const char *name)
{
	for (size_t i = 0; i < snapshot->dax.n; i++)
		if (strcmp(snapshot->dax.items[i].name, name) == 0)
			return &snapshot->dax.items[i];
	return NULL;
}
