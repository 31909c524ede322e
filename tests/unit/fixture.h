/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Build snapshots, devices and facts.
 *
 * Blocks have 128 MiB. The object to which something is added owns it and frees it in its _done().
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/memory/facts.h"
#include "tdxo/memory/snapshot.h"
#include "tests/unit/unit.h"

#define BLOCK (128 * MIB)

static inline void add_region(struct boot_map *map, struct range range, enum boot_source source)
{
	assert_int_equal(boot_map_append(map, (struct boot_region){range, source}), 0);
}

/* Add the ids of the whole blocks in the range. */
static inline void add_block_ids(struct snapshot *snapshot, struct range range)
{
	for (uint64_t id = range.start / BLOCK; id < range.end / BLOCK; id++)
		assert_int_equal(block_ids_append(&snapshot->blocks, id), 0);
	block_ids_sort(&snapshot->blocks);
}

/* Add the whole blocks in the range, all in the same state. Call this by ascending address. */
static inline void add_blocks(struct blocks *blocks, struct range range, enum block_state state)
{
	for (uint64_t id = range.start / BLOCK; id < range.end / BLOCK; id++) {
		assert_true(!blocks->n || blocks->blocks[blocks->n - 1].id < id);
		assert_int_equal(blocks_append(blocks, id, state), 0);
	}
}

/* NULL: there is no such block. */
static inline struct block *find_block(const struct blocks *blocks, uint64_t id)
{
	for (size_t i = 0; i < blocks->n; i++)
		if (blocks->blocks[i].id == id)
			return &blocks->blocks[i];
	return NULL;
}

/* Change the state of an existing block. */
static inline void set_block(const struct blocks *blocks, uint64_t id, enum block_state state)
{
	struct block *block = find_block(blocks, id);

	if (block)
		block->state = state;
	else
		fail_msg("no block %d", (int)id);
}

/* Add a range to the device. Call this by ascending address. */
static inline void add_mapping(struct device *device, struct range range)
{
	assert_int_equal(array_append(device->ranges, device->n_ranges, range), 0);
	device->size += range_size(range);
}

/* A device without ranges. The name is empty unless it is a dax device. */
static inline struct device device_of(const char *name, enum device_type type)
{
	struct device device = {.type = type, .node = *name ? 1 : NODE_UNKNOWN};

	snprintf(device.name, sizeof(device.name), "%s", name);
	return device;
}

/* The pointer is valid until the next device is added. */
static inline struct device *add_dax(
	struct snapshot *snapshot, const char *name, enum device_type type)
{
	struct device device = device_of(name, type);

	assert_int_equal(devices_add(&snapshot->dax, &device), 0);
	return &snapshot->dax.items[snapshot->dax.n - 1];
}

static inline void add_dimm(struct snapshot *snapshot, struct range range)
{
	assert_int_equal(array_append(snapshot->dimms, snapshot->n_dimms, range), 0);
}

/* Facts of a device without ranges, on a host with this boot map. */
static inline struct facts facts_of(
	const char *name, enum device_type type, const struct boot_map *boot_map)
{
	return (struct facts){.device = device_of(name, type),
		.devdax_use = DEVDAX_UNUSED,
		.block_size = BLOCK,
		.boot_map = boot_map};
}
