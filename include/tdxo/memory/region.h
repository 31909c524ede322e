/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL regions: where each of them lies.
 *
 * The dax device of a region names it, as its parent. Other memory in a region is found by its
 * address: hmem may have registered the soft-reserved range that firmware made of a region
 * (drivers/dax/hmem, 7.x), and a driver may add the memory without a dax device (cxl_sysram, posted
 * in 2026).
 */
#pragma once

#include <stddef.h>

#include "tdxo/base/range.h"
#include "tdxo/memory/device.h"

struct region {
	char name[SYSFS_NAME];
	struct range range;
};

/* By ascending address, and no two overlap. */
struct regions {
	struct region *items;
	size_t n;
};

void regions_done(struct regions *regions);
void regions_sort(struct regions *regions);

/* The region that holds all ranges of the device; NULL: there is none, or it has no ranges. */
const struct region *regions_find(const struct regions *regions, const struct device *device);
