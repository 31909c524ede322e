/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL, through libcxl: memory devices have endpoints, those have decoders, and a region names
 * the decoders that are its targets, and hangs below the root decoder of its window.
 */
#include "daemon/host/cxl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cxl/libcxl.h>

#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/array.h"
#include "tdxo/base/parse.h"

struct cxl_target {
	char decoder[SYSFS_NAME];
	struct memdev memdev;
};

static void unref_ctx(struct cxl_ctx **ctx)
{
	if (*ctx)
		cxl_unref(*ctx);
}

/* The topology; the list of regions is the caller's. */
static void forget_topology(struct cxl *cxl)
{
	free(cxl->targets);
	free(cxl->roots);
	*cxl = (struct cxl){.regions_fresh = cxl->regions_fresh};
}

void cxl_done(struct cxl *cxl)
{
	forget_topology(cxl);
	cxl->regions_fresh = false;
}

void cxl_outdate(struct cxl *cxl)
{
	cxl->fresh = false;
	cxl->regions_fresh = false;
}

static void add_target(struct cxl *cxl, struct cxl_decoder *decoder, struct cxl_memdev *memdev)
{
	struct cxl_target target = {.memdev.serial = cxl_memdev_get_serial(memdev)};

	snprintf(target.decoder, SYSFS_NAME, "%s", cxl_decoder_get_devname(decoder));
	snprintf(target.memdev.name, SYSFS_NAME, "%s", cxl_memdev_get_devname(memdev));
	snprintf(target.memdev.host, SYSFS_NAME, "%s", cxl_memdev_get_host(memdev));
	snprintf(target.memdev.firmware, SYSFS_NAME, "%s",
		cxl_memdev_get_firmware_version(memdev) ?: "");
	/* Short of memory, the record lacks it. */
	(void)array_append(cxl->targets, cxl->n, target);
}

/* libcxl 76 does not read it, 81 does. The kernel writes -1 for a window without a QoS class. */
static void read_qos_class(struct cxl_window *root)
{
	uint64_t qos_class;
	struct path path;

	path_of(&path, SYS_CXL_DEVICE "/qos_class", root->decoder);
	if (sysfs_read_number(path.text, 10, &qos_class) < 0 || qos_class > INT_MAX)
		return;
	root->has_qos_class = true;
	root->qos_class = (unsigned int)qos_class;
}

static void add_root(struct cxl *cxl, struct cxl_decoder *decoder)
{
	struct cxl_window root = {0};
	uint64_t start = cxl_decoder_get_resource(decoder), size = cxl_decoder_get_size(decoder);

	snprintf(root.decoder, SYSFS_NAME, "%s", cxl_decoder_get_devname(decoder));
	/* What cannot be read is ULLONG_MAX to libcxl. */
	if (size && size <= UINT64_MAX - start)
		root.range = (struct range){start, start + size};
	read_qos_class(&root);
	(void)array_append(cxl->roots, cxl->n_roots, root);
}

static void read_windows(struct cxl *cxl, struct cxl_ctx *ctx)
{
	struct cxl_decoder *decoder;
	struct cxl_bus *bus;

	cxl_bus_foreach(ctx, bus) cxl_decoder_foreach(cxl_bus_get_port(bus), decoder)
		add_root(cxl, decoder);
}

static void read_memdevs(struct cxl *cxl, struct cxl_ctx *ctx)
{
	struct cxl_memdev *memdev;
	struct cxl_decoder *decoder;

	cxl_memdev_foreach(ctx, memdev)
	{
		struct cxl_endpoint *endpoint = cxl_memdev_get_endpoint(memdev);

		if (!endpoint)
			continue;
		cxl_decoder_foreach(cxl_endpoint_get_port(endpoint), decoder)
			add_target(cxl, decoder, memdev);
	}
}

void cxl_refresh(struct cxl *cxl)
{
	CLEANUP(unref_ctx) struct cxl_ctx *ctx = NULL;

	if (cxl->fresh)
		return;
	forget_topology(cxl);
	cxl->fresh = true;
	if (cxl_new(&ctx) < 0)
		return;
	cxl_set_log_priority(ctx, LOG_CRIT);
	read_windows(cxl, ctx);
	read_memdevs(cxl, ctx);
}

/* --- regions --- */

struct region_list {
	struct regions regions;
	bool complete;
};

static int add_region(const char *name, void *userdata)
{
	struct region_list *list = userdata;
	struct region region = {0};
	struct path path;
	uint64_t id, start, size;

	if (!parse_number_after(name, "region", &id) ||
		sysfs_read_number(path_of(&path, SYS_CXL_DEVICE "/size", name), 0, &size) < 0)
		return 0;
	/* Its addresses come with a write to "size", and the kernel sends no event (6.12). */
	list->complete &= size > 0;
	if (!size ||
		sysfs_read_number(path_of(&path, SYS_CXL_DEVICE "/resource", name), 0, &start) <
			0 ||
		size > UINT64_MAX - start)
		return 0;
	snprintf(region.name, sizeof(region.name), "%s", name);
	region.range = (struct range){start, start + size};
	return array_append(list->regions.items, list->regions.n, region);
}

int cxl_list_regions(struct cxl *cxl, struct regions *regions)
{
	struct region_list list = {.complete = true};
	int r;

	if (cxl->regions_fresh)
		return 0;
	r = sysfs_list(SYS_CXL_DEVICES, add_region, &list);
	if (r == -ENOMEM) {
		regions_done(&list.regions);
		return r;
	}
	/* A machine without CXL has no such directory. */
	regions_done(regions);
	*regions = list.regions;
	regions_sort(regions);
	cxl->regions_fresh = list.complete && (r == 0 || r == -ENOENT);
	return 0;
}

/* --- the origin of a region --- */

static const struct memdev *find_memdev(const struct cxl *cxl, const char *decoder)
{
	for (size_t i = 0; i < cxl->n; i++)
		if (strcmp(cxl->targets[i].decoder, decoder) == 0)
			return &cxl->targets[i].memdev;
	return NULL;
}

/* The same, after another look if it is not known yet: one look for a region. */
static const struct memdev *see_memdev(struct cxl *cxl, const char *decoder, bool *looked)
{
	const struct memdev *memdev = find_memdev(cxl, decoder);

	if (memdev || *looked)
		return memdev;
	*looked = true;
	cxl->fresh = false;
	cxl_refresh(cxl);
	return find_memdev(cxl, decoder);
}

static uint64_t read_dpa(const char *decoder)
{
	uint64_t dpa;
	struct path path;

	path_of(&path, SYS_CXL_DEVICE "/dpa_resource", decoder);
	return sysfs_read_number(path.text, 0, &dpa) < 0 ? DPA_UNKNOWN : dpa;
}

static void describe_memdevs(struct cxl *cxl, const char *region, struct cxl_origin *origin)
{
	char decoder[SYSFS_NAME];
	const struct memdev *memdev;
	bool looked = false;
	struct path path;

	for (unsigned int i = 0; i < MEMDEVS_MAX; i++) {
		path_of(&path, SYS_CXL_DEVICE "/target%u", region, i);
		if (sysfs_read(path.text, decoder, sizeof(decoder)) < 0)
			return;
		memdev = see_memdev(cxl, decoder, &looked);
		if (!memdev) {
			origin->incomplete = true;
			continue;
		}
		origin->memdevs[origin->n_memdevs] = *memdev;
		origin->memdevs[origin->n_memdevs++].dpa = read_dpa(decoder);
	}
}

static const struct cxl_window *find_root(const struct cxl *cxl, const char *decoder)
{
	for (size_t i = 0; i < cxl->n_roots; i++)
		if (strcmp(cxl->roots[i].decoder, decoder) == 0)
			return &cxl->roots[i];
	return NULL;
}

/* Root decoders are those of firmware: one that is known has not changed. */
static void describe_window(struct cxl *cxl, const char *region, struct cxl_origin *origin)
{
	const struct cxl_window *root;
	char decoder[SYSFS_NAME];
	struct path path;

	path_of(&path, SYS_CXL_DEVICE, region);
	if (sysfs_link_name(path.text, 1, decoder, sizeof(decoder)) < 0)
		return;
	root = find_root(cxl, decoder);
	if (!root) {
		cxl_refresh(cxl);
		root = find_root(cxl, decoder);
	}
	if (root)
		origin->window = *root;
}

/* An attribute of the region; empty if it has none: a volatile one has no UUID. */
static void read_attribute(const char *region, const char *name, char text[SYSFS_NAME])
{
	struct path path;

	path_of(&path, SYS_CXL_DEVICE "/%s", region, name);
	if (sysfs_read(path.text, text, SYSFS_NAME) < 0)
		text[0] = '\0';
}

void cxl_describe(struct cxl *cxl, const char *region, struct cxl_origin *ret_origin)
{
	memset(ret_origin, 0, sizeof(*ret_origin));
	describe_memdevs(cxl, region, ret_origin);
	describe_window(cxl, region, ret_origin);
	read_attribute(region, "uuid", ret_origin->region_uuid);
	read_attribute(region, "mode", ret_origin->region_mode);
}
