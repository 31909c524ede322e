/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor completes the facts of one device.
 *
 * A look lists devices; what a decision rests on is read here, directly before it. Between the two
 * a device can have gone, or be another one: then its facts are not completed, and the caller
 * looks again.
 */
#include "daemon/host/sensor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"
#include "daemon/host/root.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/parse.h"
#include "tdxo/base/string_table.h"

/* Documentation/admin-guide/mm/memory-hotplug.rst, "auto_movable_ratio", 6.12 */
#define MOVABLE_ADVICE_PRESET 301

/* So many blocks of a device are tried one by one: the DIMM of a false table has far more. */
#define TRIED_MAX 65536

static const char *const block_states[] = {
	[BLOCK_UNREAD] = NULL,
	[BLOCK_OFFLINE] = "offline",
	[BLOCK_ONLINE] = "online",
	[BLOCK_GOING_OFFLINE] = "going-offline",
};
static_assert(ARRAY_SIZE(block_states) == BLOCK_STATE_MAX, "a name for each state");

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

/* Add a block, if it is there. Most of a device without kmem are not. 0 or -ENOMEM. */
static int add_block(struct sensor *sensor, uint64_t id, struct blocks *blocks)
{
	enum block_state state = BLOCK_UNREAD;
	struct path path;
	int r;

	if (access(path_of(&path, SYS_BLOCK, id), F_OK) < 0 && errno == ENOENT)
		return 0;
	r = sensor_block_state(id, &state);
	/*
	 * It goes in this moment: the kernel removes the attributes before the directory
	 * (device_del(), drivers/base/core.c, 6.12). In a captured tree a file can be missing.
	 */
	if (r == -ENOENT && !root_is_another())
		return 0;
	if (r < 0 && !blocks->error)
		blocks->error = -r;
	if (r < 0)
		complain(&sensor->complaints, SYS_BLOCK_STATE ": %s", id, strerror(-r));
	return blocks_append(blocks, id, state);
}

/* Try each whole block that a range has room for. 0 or -ENOMEM. */
static int try_blocks(struct sensor *sensor, struct range range, struct blocks *blocks)
{
	uint64_t block_size = sensor->snapshot.block_size;
	struct range whole = range_trim(range, block_size);
	int r = 0;

	for (uint64_t at = whole.start; r == 0 && at < whole.end; at += block_size)
		r = add_block(sensor, at / block_size, blocks);
	return r;
}

/* The same for the blocks that are listed. */
static int add_listed(struct sensor *sensor, struct range range, struct blocks *blocks)
{
	uint64_t block_size = sensor->snapshot.block_size;
	const struct block_ids listed =
		block_ids_in(&sensor->snapshot.blocks, range_trim(range, block_size), block_size);
	int r = 0;

	for (size_t i = 0; r == 0 && i < listed.n; i++)
		r = add_block(sensor, listed.ids[i], blocks);
	return r;
}

int sensor_read_blocks(
	struct sensor *sensor, const struct device *device, struct blocks *ret_blocks)
{
	CLEANUP(blocks_done) struct blocks blocks = {0};
	/* The blocks of a captured tree do not change. */
	bool listed =
		root_is_another() || device_room(device, sensor->snapshot.block_size) > TRIED_MAX;
	int r = listed && !root_is_another() ? sensor_list_blocks(sensor) : 0;

	for (size_t i = 0; r == 0 && i < device->n_ranges; i++)
		r = listed ? add_listed(sensor, device->ranges[i], &blocks)
			   : try_blocks(sensor, device->ranges[i], &blocks);
	if (r < 0)
		return r;
	*ret_blocks = blocks;
	blocks = (struct blocks){0};
	return 0;
}

static int note_node(const char *name, void *userdata)
{
	uint64_t number;

	if (parse_number_after(name, "node", &number))
		*(int *)userdata = (int)number;
	return 0;
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

/* If the guard holds the switch, the kernel's own policy is what it read before. */
static void read_auto_online(const struct sensor *sensor, struct facts *facts)
{
	char text[SYSFS_NAME];

	facts->auto_online = AUTO_ONLINE_UNKNOWN;
	if (sysfs_read(SYS_AUTO_ONLINE, text, sizeof(text)) == 0)
		facts->auto_online = auto_online_from_string(text);
	facts->auto_online_held =
		facts->auto_online == AUTO_ONLINE_OFFLINE && sensor->auto_online_was[0];
	if (facts->auto_online_held)
		facts->auto_online = auto_online_from_string(sensor->auto_online_was);
}

/* What is to be known before a driver makes page metadata, or memory becomes movable. */
static void read_host(struct sensor *sensor, struct facts *facts)
{
	CLEANUP(free_text) char *text = NULL;
	size_t size;
	int r;

	facts->boot_map = &sensor->snapshot.boot_map;
	facts->tdx = sensor->snapshot.tdx;
	facts->guarded = sensor_dax_autoprobe() == DAX_AUTOPROBE_OFF;
	read_auto_online(sensor, facts);
	if (sysfs_read_number(SYS_AUTO_MOVABLE_RATIO, 10, &facts->movable_advice) < 0)
		facts->movable_advice = MOVABLE_ADVICE_PRESET;
	r = sysfs_read_text(PROC_ZONEINFO, &text, &size);
	if (r == 0)
		r = zoneinfo_read(text, (uint64_t)sysconf(_SC_PAGESIZE), &facts->zones);
	/* A captured tree may be without. */
	if (r == 0 || r == -ENOENT)
		return;
	facts->zones = (struct zoneinfo){.unreadable = true};
	complain(&sensor->complaints, PROC_ZONEINFO ": %s", strerror(-r));
}

static int read_dax(struct sensor *sensor, struct facts *facts)
{
	struct device *device = &facts->device;
	int r = dax_look_again(device, &sensor->complaints);

	/* Without a name, the driver is one that the daemon does not know, or none. */
	(void)!dax_driver_name(device->name, facts->driver_name);
	facts->devdax_use = dax_devdax_use();
	facts->align = dax_align(device->name);
	facts->map_on_itself = dax_map_on_itself(device->name);
	facts->unplugged = dax_kmem_state(device->name) == KMEM_STATE_UNPLUGGED;
	return r;
}

/*
 * The kernel makes the entry of the firmware memmap that names a DIMM after its blocks
 * (add_memory_resource(), mm/memory_hotplug.c, 6.12): what was taken for a run may be a DIMM.
 * 0; 1 if it has gone, a part of it too, or is something else.
 */
static int read_memory(struct sensor *sensor, struct facts *facts)
{
	struct device *device = &facts->device;

	if (device->type == TYPE_DIMM ? !sensor_has_dimm(sensor, device)
				      : sensor_has_new_dimm(sensor, device) ||
						facts->blocks.n < facts_room(facts))
		return 1;
	if (facts->blocks.n)
		device->node = sensor_block_node(facts->blocks.blocks[0].id);
	return 0;
}

int sensor_complete(struct sensor *sensor, const struct device *device, struct facts *ret_facts)
{
	int r;

	memset(ret_facts, 0, sizeof(*ret_facts));
	ret_facts->block_size = sensor->snapshot.block_size;
	r = device_copy(device, &ret_facts->device);
	/* The driver before the blocks: a driver that comes meanwhile makes some. */
	if (r == 0 && device_is_dax(device))
		r = read_dax(sensor, ret_facts);
	if (r == 0)
		r = sensor_read_blocks(sensor, device, &ret_facts->blocks);
	if (r == 0 && !device_is_dax(device))
		r = read_memory(sensor, ret_facts);
	if (r != 0) {
		facts_done(ret_facts);
		return r;
	}
	if (device->region[0])
		cxl_describe(&sensor->cxl, device->region, &ret_facts->cxl);
	read_host(sensor, ret_facts);
	return 0;
}

void sensor_zone_of(const struct sensor *sensor, const struct blocks *blocks, struct range range,
	char *ret_zone, size_t size)
{
	const struct blocks within = blocks_within(blocks, range, sensor->snapshot.block_size);
	struct path path;

	ret_zone[0] = '\0';
	for (size_t i = within.n; i > 0; i--) {
		const struct block *block = &within.blocks[i - 1];

		if (block->state != BLOCK_ONLINE)
			continue;
		/* Of a block that is online it names the one zone (memory-hotplug.rst, 6.12). */
		path_of(&path, SYS_BLOCK_ZONES, block->id);
		if (sysfs_read(path.text, ret_zone, size) < 0)
			ret_zone[0] = '\0';
		return;
	}
}
