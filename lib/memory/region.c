/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL regions.
 */
#include "tdxo/memory/region.h"

#include <stdlib.h>

#include "tdxo/base/array.h"

void regions_done(struct regions *regions)
{
	free(regions->items);
	*regions = (struct regions){0};
}

static bool holds_all(const struct region *region, const struct device *device)
{
	for (size_t i = 0; i < device->n_ranges; i++)
		if (!range_contains(region->range, device->ranges[i]))
			return false;
	return device->n_ranges > 0;
}

static int compare_regions(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

void regions_sort(struct regions *regions)
{
	if (regions->n)
		qsort(regions->items, regions->n, sizeof(*regions->items), compare_regions);
}

static bool ends_before(const void *item, const void *address)
{
	return ((const struct region *)item)->range.end <= *(const uint64_t *)address;
}

const struct region *regions_find(const struct regions *regions, const struct device *device)
{
	uint64_t start = device->n_ranges ? device->ranges[0].start : 0;
	size_t i = array_search(
		regions->items, regions->n, sizeof(*regions->items), &start, ends_before);

	return i < regions->n && holds_all(&regions->items[i], device) ? &regions->items[i] : NULL;
}
