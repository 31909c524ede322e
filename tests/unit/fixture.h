/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots by hand.
 *
 * Blocks are 128 MiB. What is added belongs to the snapshot and goes with snapshot_done().
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/memory/snapshot.h"
#include "tests/unit/unit.h"

#define BLOCK (128 * MIB)

static inline void add_region(
	struct snapshot *snapshot, struct range range, enum boot_source source)
{
	assert_int_equal(
		boot_map_append(&snapshot->boot_map, (struct boot_region){range, source}), 0);
}

/* The whole blocks of a range, all in one state. */
static inline void add_blocks(
	struct snapshot *snapshot, struct range range, enum block_state block_state)
{
	for (uint64_t id = range.start / BLOCK; id < range.end / BLOCK; id++) {
		assert_int_equal(blocks_append(&snapshot->blocks, id), 0);
		snapshot->blocks.blocks[snapshot->blocks.n - 1].state = block_state;
	}
	blocks_sort(&snapshot->blocks);
}

/* Valid until the next device is added. */
static inline struct dax_device *add_dax(
	struct snapshot *snapshot, const char *name, enum device_type type)
{
	struct dax_device *dax = array_room(snapshot->dax, snapshot->n_dax, sizeof(*dax));

	assert_non_null(dax);
	snapshot->dax = dax;
	dax += snapshot->n_dax++;
	*dax = (struct dax_device){.type = type, .target_node = 1};
	snprintf(dax->name, sizeof(dax->name), "%s", name);
	return dax;
}

static inline void add_mapping(struct dax_device *dax, struct range range)
{
	struct range *mappings = array_room(dax->mappings, dax->n_mappings, sizeof(range));

	assert_non_null(mappings);
	dax->mappings = mappings;
	dax->mappings[dax->n_mappings++] = range;
	dax->size += range_size(range);
}

static inline void add_dimm(struct snapshot *snapshot, struct range range)
{
	struct range *dimms = array_room(snapshot->dimms, snapshot->n_dimms, sizeof(range));

	assert_non_null(dimms);
	snapshot->dimms = dimms;
	snapshot->dimms[snapshot->n_dimms++] = range;
}
