/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot: which memory there is on the machine, as one look saw it.
 *
 * The sensor fills it, and all of it is valid after each look. It lists which devices there are.
 * What one of them is decided by is read when it is its turn: see tdxo/memory/facts.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/memory/block.h"
#include "tdxo/memory/boot_map.h"
#include "tdxo/memory/device.h"
#include "tdxo/memory/region.h"
#include "tdxo/memory/rejected.h"
#include "tdxo/tdx/state.h"

/* The first of the two kernel switches that make the guard, and what it reads. */
enum dax_autoprobe {
	DAX_AUTOPROBE_UNREAD,
	DAX_AUTOPROBE_OFF,
	DAX_AUTOPROBE_ON,
};

struct snapshot {
	uint64_t block_size;	 /* bytes, a power of two */
	struct block_ids blocks; /* all memory blocks */
	struct devices dax;	 /* dax devices by name, those without a size too */
	bool dax_incomplete;	 /* there is a dax device of which nothing is known */
	struct range *dimms;	 /* what the firmware memmap gained after boot */
	size_t n_dimms;
	struct regions regions; /* CXL regions that have addresses */
	bool virtio_mem;	/* a device has the virtio_mem driver */
	enum dax_autoprobe dax_autoprobe;
	char auto_online_blocks[SYSFS_NAME]; /* empty: could not be read */
	struct tdx tdx;
	struct boot_map boot_map;
	struct rejections rejected; /* what the kernel did not add */
};

void snapshot_done(struct snapshot *snapshot);

/* Is any block of the device there? */
bool snapshot_has_block_of(const struct snapshot *snapshot, const struct device *device);

/*
 * Is it known whose a block is? Not while it is not known where a device of kmem lies: then no
 * run of blocks is found.
 */
bool snapshot_explains_blocks(const struct snapshot *snapshot);

/* Is a memory block, or a dax device, in the range? */
bool snapshot_has_memory_in(const struct snapshot *snapshot, struct range range);

/* After dax devices have been added. */
void snapshot_sort_dax(struct snapshot *snapshot);

/* NULL: there is none of that name. */
const struct device *snapshot_find_dax(const struct snapshot *snapshot, const char *name);

/* The guard is up: a dax device stays without a driver until a program binds one. */
static inline bool snapshot_guarded(const struct snapshot *snapshot)
{
	return snapshot->dax_autoprobe == DAX_AUTOPROBE_OFF;
}
