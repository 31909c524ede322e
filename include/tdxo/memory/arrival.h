/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arrivals: the ranges that were not there at boot, each with its type.
 *
 * A range is one mapping of a dax device; or a DIMM, whose exact extent the firmware memmap
 * names; or else a run of neighbouring memory blocks that neither explains.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/memory/snapshot.h"

/* Something that is wrong with a range and keeps it from being decided as usual. */
enum fault {
	FAULT_NONE,
	FAULT_UNREADABLE, /* where the dax device lies could not be read: the range is empty */
	FAULT_NO_NODE,	  /* a dax device without a target node: kmem would refuse it */
	FAULT_MAX,
};

/*
 * What CXL and firmware say of where a range comes from. A root decoder decodes one fixed memory
 * window of the CEDT (Documentation/driver-api/cxl, 6.12); regions are parts of it.
 */
struct origin {
	char decoder[SYSFS_NAME]; /* the root decoder; empty: none, or it is not known */
	char mode[SYSFS_NAME];	  /* of the region: "ram" or "pmem"; empty: not known */
	struct range window;	  /* empty: not known */
	bool has_qos_class;
	unsigned int qos_class; /* of the window */
	bool in_srat;
	uint32_t srat_node; /* its proximity domain */
	bool hot_pluggable; /* the SRAT says that it may come later */
};

struct arrival {
	struct range range;
	uint64_t size; /* known even where the range is not */
	enum device_type type;
	enum fault fault;
	char device[SYSFS_NAME];      /* dax device; empty if there is none */
	char region[SYSFS_NAME];      /* CXL region; empty if there is none */
	char region_uuid[SYSFS_NAME]; /* empty: it has none, or was not asked for it */
	uint64_t identity;	      /* of the device; 0 if there is none */
	bool present;		      /* it was there before the first start of this boot */
	int node;		      /* or NODE_UNKNOWN */
	enum dax_driver driver;
	struct origin origin;
	struct memdev memdevs[MEMDEVS_MAX];
	size_t n_memdevs;
};

struct arrivals {
	struct arrival *items; /* by ascending address */
	size_t n;
};

/* Is it the same range as another, or a part of the same run of blocks? */
bool arrival_is_within(const struct arrival *arrival, const struct arrival *other);

void arrivals_done(struct arrivals *arrivals);
int arrivals_append(struct arrivals *arrivals, const struct arrival *arrival) MUST_CHECK;

static inline bool arrival_is_dax(const struct arrival *arrival)
{
	return arrival->device[0] != '\0';
}

/*
 * The device that has the range as a mapping. NULL: there is none, or it lies elsewhere by now, and
 * then the range is decided alone.
 */
const struct dax_device *arrival_find_dax(
	const struct arrival *arrival, const struct snapshot *snapshot);

/*
 * All ranges that are there and were not at boot. `before` holds the blocks of an earlier
 * look, or is NULL: a block of boot memory that was not there then has been plugged again,
 * and arrives too. 0 or -ENOMEM.
 */
int arrivals_find(const struct snapshot *now, const struct blocks *before,
	struct arrivals *ret_arrivals) MUST_CHECK;

/* Those of `all` that are not among `decided` yet; of a run of blocks, its new part. */
int arrivals_undecided(const struct arrivals *all, const struct arrivals *decided,
	struct arrivals *ret_undecided) MUST_CHECK;

/*
 * Take the first range off, with all others of its device: they share a driver, so they come
 * and go together. There must be one. 0 or -ENOMEM.
 */
int arrivals_take_device(struct arrivals *arrivals, struct arrivals *ret_device) MUST_CHECK;

/* Those of `decided` that are still there; of a run of blocks, what is left of it. */
int arrivals_remaining(const struct arrivals *decided, const struct arrivals *all,
	struct arrivals *ret_remaining) MUST_CHECK;
