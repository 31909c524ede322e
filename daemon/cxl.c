/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL, through libcxl: memory devices have endpoints, those have decoders, and a region names
 * the decoders that are its targets.
 */
#include "cxl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cxl/libcxl.h>

#include "sysfs.h"
#include "tdxo/array.h"

struct cxl_target {
	char decoder[SYSFS_NAME];
	struct memdev memdev;
};

static void unref_ctx(struct cxl_ctx **ctx)
{
	if (*ctx)
		cxl_unref(*ctx);
}

void cxl_done(struct cxl *cxl)
{
	free(cxl->targets);
	*cxl = (struct cxl){0};
}

static void add_target(struct cxl *cxl, struct cxl_decoder *decoder, struct cxl_memdev *memdev)
{
	struct cxl_target *targets = array_room(cxl->targets, cxl->n, sizeof(*targets)), *target;

	if (!targets)
		return;
	cxl->targets = targets;
	target = &targets[cxl->n++];
	*target = (struct cxl_target){.memdev.serial = cxl_memdev_get_serial(memdev)};
	snprintf(target->decoder, SYSFS_NAME, "%s", cxl_decoder_get_devname(decoder));
	snprintf(target->memdev.name, SYSFS_NAME, "%s", cxl_memdev_get_devname(memdev));
	snprintf(target->memdev.pci_address, SYSFS_NAME, "%s", cxl_memdev_get_host(memdev));
}

void cxl_refresh(struct cxl *cxl)
{
	CLEANUP(unref_ctx) struct cxl_ctx *ctx = NULL;
	struct cxl_memdev *memdev;
	struct cxl_decoder *decoder;

	if (cxl->fresh)
		return;
	cxl_done(cxl);
	cxl->fresh = true;
	if (cxl_new(&ctx) < 0)
		return;
	cxl_set_log_priority(ctx, LOG_CRIT);
	cxl_memdev_foreach(ctx, memdev)
	{
		struct cxl_endpoint *endpoint = cxl_memdev_get_endpoint(memdev);

		if (!endpoint)
			continue;
		cxl_decoder_foreach(cxl_endpoint_get_port(endpoint), decoder)
			add_target(cxl, decoder, memdev);
	}
}

static const struct memdev *find_memdev(const struct cxl *cxl, const char *decoder)
{
	for (size_t i = 0; i < cxl->n; i++)
		if (strcmp(cxl->targets[i].decoder, decoder) == 0)
			return &cxl->targets[i].memdev;
	return NULL;
}

void cxl_describe(struct cxl *cxl, struct arrival *arrival)
{
	char decoder[SYSFS_NAME];
	const struct memdev *memdev;
	struct path path;

	if (arrival->region[0]) {
		path_of(&path, "/sys/bus/cxl/devices/%s/uuid", arrival->region);
		/* A region of volatile memory has none. */
		if (sysfs_read(path.text, arrival->region_uuid, SYSFS_NAME) < 0)
			arrival->region_uuid[0] = '\0';
	}
	arrival->n_memdevs = 0;
	for (unsigned int i = 0; arrival->region[0] && i < MEMDEVS_MAX; i++) {
		path_of(&path, "/sys/bus/cxl/devices/%s/target%u", arrival->region, i);
		if (sysfs_read(path.text, decoder, sizeof(decoder)) < 0)
			return;
		memdev = find_memdev(cxl, decoder);
		if (!memdev) {
			cxl->fresh = false;
			cxl_refresh(cxl);
			memdev = find_memdev(cxl, decoder);
		}
		if (memdev)
			arrival->memdevs[arrival->n_memdevs++] = *memdev;
	}
}
