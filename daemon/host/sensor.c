/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor: memory blocks, dax devices, switches.
 */
#include "daemon/host/sensor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/parse.h"
#include "tdxo/base/string_table.h"

/* Documentation/admin-guide/mm/memory-hotplug.rst, "auto_movable_ratio", 6.12 */
#define MOVABLE_ADVICE_PRESET 301

static const char *const block_states[] = {
	[BLOCK_UNREAD] = NULL,
	[BLOCK_OFFLINE] = "offline",
	[BLOCK_ONLINE] = "online",
	[BLOCK_GOING_OFFLINE] = "going-offline",
};
static_assert(ARRAY_SIZE(block_states) == BLOCK_STATE_MAX, "a name for each state");

static int append_block(const char *name, void *userdata)
{
	uint64_t id;

	return parse_number_after(name, "memory", &id) ? blocks_append(userdata, id) : 0;
}

/* 0 or a negative errno. */
static int list_blocks(struct blocks *ret_blocks)
{
	CLEANUP(blocks_done) struct blocks blocks = {0};
	int r = sysfs_list(SYS_MEMORY, append_block, &blocks);

	if (r < 0)
		return r;
	blocks_sort(&blocks);
	blocks_done(ret_blocks);
	*ret_blocks = blocks;
	blocks = (struct blocks){0};
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

static void read_switches(struct sensor *sensor)
{
	struct snapshot *snapshot = &sensor->snapshot;
	uint64_t autoprobe;
	int r;

	r = sysfs_read_number(SYS_DAX_AUTOPROBE, 10, &autoprobe);
	snapshot->dax_autoprobe = r < 0	      ? DAX_AUTOPROBE_UNREAD
				  : autoprobe ? DAX_AUTOPROBE_ON
					      : DAX_AUTOPROBE_OFF;
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
static int list_devices(struct sensor *sensor)
{
	int r = dax_list(&sensor->dax, &sensor->snapshot, &sensor->complaints);

	sensor->blind |= r < 0;
	return r == -ENOMEM ? r : 0;
}

int sensor_glance(struct sensor *sensor)
{
	snapshot_forget_dax(&sensor->snapshot);
	return list_devices(sensor);
}

/* libdaxctl says nothing of a device that it cannot read. */
static int check_listed(const char *name, void *userdata)
{
	struct sensor *sensor = userdata;

	if (snapshot_find_dax(&sensor->snapshot, name))
		return 0;
	sensor->snapshot.dax_incomplete = true;
	complain(&sensor->complaints,
		SYS_DAX_DEVICE ": left alone, libdaxctl cannot read it"
			       " (is /dev/%s there?)",
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
	snapshot_forget_devices(&sensor->snapshot);
	r = sensor_list_blocks(sensor);
	if (r == 0)
		r = list_devices(sensor);
	if (r == 0)
		r = sensor_list_dimms(sensor);
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

int sensor_init(struct sensor *sensor, const struct config *config, const struct earlier *earlier)
{
	struct snapshot *snapshot = &sensor->snapshot;
	const struct boot_map *kept = earlier->boot_map;
	int r;

	*sensor = (struct sensor){.config = config,
		.was_active = earlier->tdx_active,
		.tdx_failure = *earlier->tdx_failure};
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
	blocks_done(&sensor->before);
	range_set_done(&sensor->boot_ram);
	complaints_done(&sensor->complaints);
	dax_done(&sensor->dax);
	cxl_done(&sensor->cxl);
	firmware_done(&sensor->firmware);
}

int sensor_arrivals(struct sensor *sensor, struct arrivals *ret_arrivals)
{
	return arrivals_find(
		&sensor->snapshot, sensor->before.n ? &sensor->before : NULL, ret_arrivals);
}

int sensor_settle(struct sensor *sensor)
{
	int r = 0;

	blocks_done(&sensor->before);
	for (size_t i = 0; r == 0 && i < sensor->snapshot.blocks.n; i++)
		r = blocks_append(&sensor->before, sensor->snapshot.blocks.blocks[i].id);
	return r;
}

int sensor_block_state(uint64_t id, enum block_state *ret_state)
{
	char text[SYSFS_TEXT];
	struct path path;
	int r;

	r = sysfs_read(path_of(&path, SYS_BLOCK_STATE, id), text, sizeof(text));
	if (r < 0)
		return r == -ENODEV ? -ENOENT : r;
	r = string_table_find(block_states, ARRAY_SIZE(block_states), text);
	if (r < 0)
		return -EBADMSG;
	*ret_state = (enum block_state)r;
	return 0;
}

/* Read the states of the blocks in a range. One that has vanished meanwhile cannot be read. */
static void read_states(struct sensor *sensor, struct range range)
{
	struct blocks *blocks = &sensor->snapshot.blocks;

	for (size_t i = 0; i < blocks->n; i++) {
		struct block *block = &blocks->blocks[i];
		int r;

		if (!range_overlaps(range, block_range(block->id, sensor->snapshot.block_size)))
			continue;
		r = sensor_block_state(block->id, &block->state);
		if (r == 0)
			continue;
		block->state = BLOCK_UNREAD;
		complain(&sensor->complaints, SYS_BLOCK_STATE ": %s", block->id, strerror(-r));
	}
}

static int note_node(const char *name, void *userdata)
{
	uint64_t number;

	if (parse_number_after(name, "node", &number))
		*(int *)userdata = (int)number;
	return 0;
}

/* What is to be known before a driver makes a memory map, or memory becomes movable. */
static void read_head_room(struct sensor *sensor)
{
	struct snapshot *snapshot = &sensor->snapshot;
	char *text = NULL;
	size_t size;
	int r;

	if (sysfs_read_number(SYS_AUTO_MOVABLE_RATIO, 10, &snapshot->movable_advice) < 0)
		snapshot->movable_advice = MOVABLE_ADVICE_PRESET;
	snapshot->zones = (struct zoneinfo){0};
	r = sysfs_read_text(PROC_ZONEINFO, &text, &size);
	if (r == 0)
		r = zoneinfo_read(text, (uint64_t)sysconf(_SC_PAGESIZE), &snapshot->zones);
	free(text);
	/* A captured tree may be without. */
	if (r == 0 || r == -ENOENT)
		return;
	snapshot->zones = (struct zoneinfo){.unreadable = true};
	complain(&sensor->complaints, PROC_ZONEINFO ": %s", strerror(-r));
}

static void examine_device(struct sensor *sensor, struct dax_device *dax, struct arrival *arrival)
{
	for (size_t i = 0; i < dax->n_mappings; i++)
		read_states(sensor, dax->mappings[i]);
	/* It may have waited in a queue since it was seen. */
	arrival->driver = dax_driver_of(arrival->device);
	dax->driver = arrival->driver;
	sensor->snapshot.devdax_use = DEVDAX_USE_UNKNOWN;
	if (arrival->driver == DAX_DRIVER_DEVICE_DAX)
		sensor->snapshot.devdax_use = dax_devdax_use();
	if (arrival->driver == DAX_DRIVER_KMEM)
		return;
	dax->align = dax_align(arrival->device);
	dax->map_on_itself = dax_map_on_itself(arrival->device);
}

int sensor_block_node(uint64_t id)
{
	int node = NODE_UNKNOWN;
	struct path path;

	path_of(&path, SYS_BLOCK, id);
	/* A block without a node link: then the node is not known. */
	(void)!sysfs_list(path.text, note_node, &node);
	return node;
}

static void examine_blocks(struct sensor *sensor, struct arrival *arrival)
{
	int node = sensor_block_node(arrival->range.start / sensor->snapshot.block_size);

	read_states(sensor, arrival->range);
	if (node != NODE_UNKNOWN)
		arrival->node = node;
}

void sensor_examine(struct sensor *sensor, struct arrival *arrival)
{
	struct dax_device *dax = snapshot_find_dax(&sensor->snapshot, arrival->device);

	if (dax)
		examine_device(sensor, dax, arrival);
	else
		examine_blocks(sensor, arrival);
	if ((dax && arrival->driver != DAX_DRIVER_KMEM) || sensor->config->n_rules)
		read_head_room(sensor);
}

void sensor_review(struct sensor *sensor, struct arrival *arrival)
{
	read_states(sensor, arrival->range);
	if (arrival_is_dax(arrival))
		arrival->driver = dax_driver_of(arrival->device);
}

void sensor_zone_of(const struct sensor *sensor, struct range range, char *ret_zone, size_t size)
{
	const struct snapshot *snapshot = &sensor->snapshot;
	struct path path;

	ret_zone[0] = '\0';
	for (size_t i = snapshot->blocks.n; i > 0; i--) {
		const struct block *block = &snapshot->blocks.blocks[i - 1];

		if (block->state != BLOCK_ONLINE ||
			!range_contains(range, block_range(block->id, snapshot->block_size)))
			continue;
		/* Of a block that is online it names the one zone (memory-hotplug.rst, 6.12). */
		path_of(&path, SYS_BLOCK_ZONES, block->id);
		if (sysfs_read(path.text, ret_zone, size) < 0)
			ret_zone[0] = '\0';
		return;
	}
}
