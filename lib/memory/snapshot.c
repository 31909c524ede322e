/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known at one instant, and the simple questions to it.
 */
#include "tdxo/memory/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"

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

void snapshot_forget_dax(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n_dax; i++)
		free(snapshot->dax[i].mappings);
	free(snapshot->dax);
	snapshot->dax = NULL;
	snapshot->n_dax = 0;
}

void snapshot_forget_devices(struct snapshot *snapshot)
{
	snapshot_forget_dax(snapshot);
	free(snapshot->dimms);
	snapshot->dimms = NULL;
	snapshot->n_dimms = 0;
}

void snapshot_done(struct snapshot *snapshot)
{
	snapshot_forget_devices(snapshot);
	blocks_done(&snapshot->blocks);
	boot_map_done(&snapshot->boot_map);
}

void blocks_done(struct blocks *blocks)
{
	free(blocks->blocks);
	*blocks = (struct blocks){0};
}

int blocks_append(struct blocks *blocks, uint64_t id)
{
	return array_append(blocks->blocks, blocks->n, (struct block){.id = id});
}

static int compare_blocks(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

void blocks_sort(struct blocks *blocks)
{
	if (blocks->n)
		qsort(blocks->blocks, blocks->n, sizeof(*blocks->blocks), compare_blocks);
}

struct block *blocks_find(const struct blocks *blocks, uint64_t id)
{
	const struct block key = {.id = id};

	if (!blocks->n)
		return NULL;
	return bsearch(&key, blocks->blocks, blocks->n, sizeof(key), compare_blocks);
}

struct block_count snapshot_count(const struct snapshot *snapshot, struct range range)
{
	struct block_count count = {0};

	for (size_t i = 0; i < snapshot->blocks.n; i++) {
		const struct block *block = &snapshot->blocks.blocks[i];

		if (!range_contains(range, block_range(block->id, snapshot->block_size)))
			continue;
		count.present++;
		/* A block that is going offline may yet fail to. */
		count.online += block->state == BLOCK_ONLINE || block->state == BLOCK_GOING_OFFLINE;
		count.unread += block->state == BLOCK_UNREAD;
	}
	return count;
}

uint64_t snapshot_block_room(const struct snapshot *snapshot, struct range range)
{
	return range_size(range_trim(range, snapshot->block_size)) / snapshot->block_size;
}

struct dax_device *snapshot_find_dax(const struct snapshot *snapshot, const char *name)
{
	for (size_t i = 0; i < snapshot->n_dax; i++)
		if (strcmp(snapshot->dax[i].name, name) == 0)
			return &snapshot->dax[i];
	return NULL;
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
