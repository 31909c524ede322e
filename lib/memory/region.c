/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL regions.
 */
#include "tdxo/memory/region.h"

#include <stdlib.h>

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

const struct region *regions_find(const struct regions *regions, const struct device *device)
{
	for (size_t i = 0; i < regions->n; i++)
		if (holds_all(&regions->items[i], device))
			return &regions->items[i];
	return NULL;
}
