/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL, through libcxl: buses have root decoders, those have regions, those have targets.
 */
#include "cxl.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <cxl/libcxl.h>

static void unref_ctx(struct cxl_ctx **ctx)
{
	if (*ctx)
		cxl_unref(*ctx);
}

static struct cxl_region *find_region(struct cxl_ctx *ctx, const char *name)
{
	struct cxl_bus *bus;
	struct cxl_decoder *decoder;
	struct cxl_region *region;

	cxl_bus_foreach(ctx, bus) cxl_decoder_foreach(
		cxl_bus_get_port(bus), decoder) cxl_region_foreach(decoder,
		region) if (strcmp(cxl_region_get_devname(region), name) == 0) return region;
	return NULL;
}

void cxl_describe(struct arrival *arrival)
{
	CLEANUP(unref_ctx) struct cxl_ctx *ctx = NULL;
	struct cxl_memdev_mapping *mapping;
	struct cxl_region *region;

	if (!arrival->region[0] || cxl_new(&ctx) < 0)
		return;
	cxl_set_log_priority(ctx, LOG_CRIT);
	region = find_region(ctx, arrival->region);
	if (!region)
		return;
	cxl_mapping_foreach(region, mapping)
	{
		struct cxl_decoder *decoder = cxl_mapping_get_decoder(mapping);
		struct cxl_memdev *memdev = decoder ? cxl_decoder_get_memdev(decoder) : NULL;
		struct memdev *entry = &arrival->memdevs[arrival->n_memdevs];

		if (!memdev || arrival->n_memdevs == MEMDEVS_MAX)
			continue;
		snprintf(entry->name, sizeof(entry->name), "%s", cxl_memdev_get_devname(memdev));
		entry->serial = cxl_memdev_get_serial(memdev);
		arrival->n_memdevs++;
	}
}
