/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor: memory blocks, dax devices, switches.
 */
#include "daemon/host/sensor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/parse.h"

static int append_block(const char *name, void *userdata)
{
	uint64_t id;

	return parse_number_after(name, "memory", &id) ? block_ids_append(userdata, id) : 0;
}

/* 0 or a negative errno. */
static int list_blocks(struct block_ids *ret_blocks)
{
	CLEANUP(block_ids_done) struct block_ids blocks = {0};
	int r = sysfs_list(SYS_MEMORY, append_block, &blocks);

	if (r < 0)
		return r;
	block_ids_sort(&blocks);
	block_ids_done(ret_blocks);
	*ret_blocks = blocks;
	blocks = (struct block_ids){0};
	return 0;
}

int sensor_list_blocks(struct sensor *sensor)
{
	int r = list_blocks(&sensor->snapshot.blocks);

	if (r < 0 && r != -ENOMEM) {
		complain(&sensor->complaints, SYS_MEMORY ": %s", strerror(-r));
		r = list_blocks(&sensor->snapshot.blocks);
	}
	sensor->blind = r < 0;
	return r == -ENOMEM ? r : 0;
}

enum dax_autoprobe sensor_dax_autoprobe(void)
{
	uint64_t on;

	if (sysfs_read_number(SYS_DAX_AUTOPROBE, 10, &on) < 0)
		return DAX_AUTOPROBE_UNREAD;
	return on ? DAX_AUTOPROBE_ON : DAX_AUTOPROBE_OFF;
}

static void read_switches(struct sensor *sensor)
{
	struct snapshot *snapshot = &sensor->snapshot;

	snapshot->dax_autoprobe = sensor_dax_autoprobe();
	if (sysfs_read(SYS_AUTO_ONLINE, snapshot->auto_online_blocks,
		    sizeof(snapshot->auto_online_blocks)) < 0)
		snapshot->auto_online_blocks[0] = '\0';
}

static int note_virtio_device(const char *name, void *userdata)
{
	bool *found = userdata;

	*found |= strncmp(name, "virtio", strlen("virtio")) == 0;
	return 0;
}

/* 0 or -ENOMEM. */
static int list_dax(struct sensor *sensor)
{
	int r;

	devices_done(&sensor->snapshot.dax);
	r = dax_list(&sensor->snapshot.dax, &sensor->complaints);
	sensor->blind |= r < 0;
	snapshot_sort_dax(&sensor->snapshot);
	return r == -ENOMEM ? r : 0;
}

/* A dax device that is not in a region by its parent may be in one by its address. */
static bool needs_regions(const struct devices *dax)
{
	for (size_t i = 0; i < dax->n; i++)
		if (dax->items[i].n_ranges && !dax->items[i].region[0])
			return true;
	return false;
}

int sensor_glance(struct sensor *sensor)
{
	struct snapshot *snapshot = &sensor->snapshot;
	int r = list_dax(sensor);

	read_switches(sensor);
	if (r < 0 || !needs_regions(&snapshot->dax))
		return r;
	return cxl_list_regions(&sensor->cxl, &snapshot->regions);
}

/* libdaxctl passes over a device that it cannot read, or that is being removed. */
static int check_listed(const char *name, void *userdata)
{
	struct sensor *sensor = userdata;

	if (snapshot_find_dax(&sensor->snapshot, name))
		return 0;
	sensor->snapshot.dax_incomplete = true;
	if (dax_identity(name))
		complain(&sensor->complaints,
			SYS_DAX_DEVICE ": ignored, because libdaxctl cannot read it"
				       " (does /dev/%s exist?)",
			name, name);
	return 0;
}

static void check_devices(struct sensor *sensor)
{
	int r;

	sensor->snapshot.dax_incomplete = false;
	r = sysfs_list(SYS_DAX_DEVICES, check_listed, sensor);
	if (r < 0 && r != -ENOENT)
		complain(&sensor->complaints, SYS_DAX_DEVICES ": %s", strerror(-r));
}

int sensor_look(struct sensor *sensor)
{
	int r;

	complaints_begin(&sensor->complaints);
	r = sensor_list_blocks(sensor);
	if (r == 0)
		r = list_dax(sensor);
	if (r == 0)
		r = sensor_list_dimms(sensor);
	if (r == 0)
		r = cxl_list_regions(&sensor->cxl, &sensor->snapshot.regions);
	if (r < 0)
		return r;
	check_devices(sensor);
	sensor->snapshot.virtio_mem = false;
	/* No such driver, no such device. */
	(void)!sysfs_list(SYS_VIRTIO_MEM, note_virtio_device, &sensor->snapshot.virtio_mem);
	read_switches(sensor);
	return 0;
}

/*
 * Take the boot map of an earlier start. By now the firmware memmap may have grown, so where
 * it was the source only the earlier view of it counts.
 */
static int adopt_boot_map(struct sensor *sensor, const struct boot_map *kept)
{
	struct boot_map *map = &sensor->snapshot.boot_map;
	bool memmap = sensor->boot_ram_source == BOOT_SOURCE_FIRMWARE_MEMMAP;
	int r = 0;

	map->known = kept->known;
	if (memmap)
		range_set_done(&sensor->boot_ram);
	for (size_t i = 0; r == 0 && i < kept->n; i++) {
		r = boot_map_append(map, kept->regions[i]);
		if (r == 0 && memmap)
			r = range_set_add(&sensor->boot_ram, kept->regions[i].range);
	}
	return r;
}

/* What was known of rejected memory is known when the log has rotated, too. */
static int recall_rejected(struct sensor *sensor, const struct rejections *rejected)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < rejected->n; i++)
		r = rejections_add(&sensor->snapshot.rejected, &rejected->items[i]);
	return r < 0 ? r : 0;
}

int sensor_init(struct sensor *sensor, const struct config *config, const struct earlier *earlier)
{
	struct snapshot *snapshot = &sensor->snapshot;
	const struct boot_map *kept = earlier->boot_map;
	int r;

	*sensor = (struct sensor){.config = config,
		.auto_online_was = earlier->auto_online_was,
		.was_active = earlier->tdx_active,
		.tdx_failure = *earlier->tdx_failure};
	r = recall_rejected(sensor, earlier->rejected);
	if (r < 0)
		return r;
	sensor_read_tdx(sensor);
	r = sysfs_read_number(SYS_BLOCK_SIZE, 16, &snapshot->block_size);
	if (r < 0 || !snapshot->block_size || snapshot->block_size & (snapshot->block_size - 1)) {
		complain(&sensor->complaints, SYS_BLOCK_SIZE ": %s",
			r < 0 ? strerror(-r) : "not a power of two");
		return -ENODEV;
	}
	r = sensor_read_boot_ram(sensor);
	if (r == 0 && kept)
		r = adopt_boot_map(sensor, kept);
	if (r == 0)
		r = sensor_look(sensor);
	if (r == 0 && !kept)
		r = sensor_build_boot_map(sensor);
	if (r == 0)
		r = boot_map_set_capable(&snapshot->boot_map, &config->capable);
	sensor_prune_rejected(sensor);
	return r;
}

int sensor_reconfigure(struct sensor *sensor)
{
	sensor_read_tdx(sensor);
	return boot_map_set_capable(&sensor->snapshot.boot_map, &sensor->config->capable);
}

void sensor_done(struct sensor *sensor)
{
	snapshot_done(&sensor->snapshot);
	block_ids_done(&sensor->before);
	free(sensor->dimms);
	range_set_done(&sensor->boot_ram);
	complaints_done(&sensor->complaints);
	cxl_done(&sensor->cxl);
	firmware_done(&sensor->firmware);
}

int sensor_devices(const struct sensor *sensor, struct devices *ret_devices)
{
	return devices_find(
		&sensor->snapshot, sensor->before.n ? &sensor->before : NULL, ret_devices);
}

int sensor_settle(struct sensor *sensor)
{
	int r = 0;

	block_ids_done(&sensor->before);
	for (size_t i = 0; r == 0 && i < sensor->snapshot.blocks.n; i++)
		r = block_ids_append(&sensor->before, sensor->snapshot.blocks.ids[i]);
	return r;
}
