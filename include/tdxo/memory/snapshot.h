/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot: all that is known of the machine's memory at one instant.
 *
 * The sensor fills it, everything else reads it. Memory blocks are known by number; block N
 * spans [N * block_size, (N + 1) * block_size). The state of a block is read only when a range
 * that holds it is to be decided, so a look costs what changed and not what the machine has.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/memory/boot_map.h"
#include "tdxo/memory/zoneinfo.h"
#include "tdxo/tdx/state.h"

#define SYSFS_NAME   64 /* a device's name, with its NUL */
#define MEMDEVS_MAX  16 /* CXL 3.1, table 8-99: at most 16 interleave ways */
#define NODE_UNKNOWN (-1)

enum block_state {
	BLOCK_UNREAD,
	BLOCK_OFFLINE,
	BLOCK_ONLINE,
	BLOCK_GOING_OFFLINE,
	BLOCK_STATE_MAX,
};

struct block {
	uint64_t id;
	enum block_state state;
};

struct blocks {
	struct block *blocks; /* by ascending id */
	size_t n;
};

struct block_count {
	uint64_t present;
	uint64_t online;
	uint64_t unread; /* present, but the state could not be read or was not asked for */
};

enum device_type {
	TYPE_UNKNOWN,
	TYPE_CXL,
	TYPE_HMEM,
	TYPE_PMEM,
	TYPE_DIMM,
	TYPE_VIRTIO_MEM,
	TYPE_MAX,
};

enum dax_driver {
	DAX_DRIVER_NONE,
	DAX_DRIVER_KMEM,
	DAX_DRIVER_DEVICE_DAX,
	DAX_DRIVER_FSDEV, /* famfs: a file system has it */
	DAX_DRIVER_OTHER,
	DAX_DRIVER_MAX,
};

struct memdev {
	char name[SYSFS_NAME];
	char pci_address[SYSFS_NAME]; /* or the name of what else its host is */
	uint64_t serial;
	char firmware[SYSFS_NAME]; /* its version; empty: not known */
};

struct dax_device {
	char name[SYSFS_NAME];
	char region[SYSFS_NAME]; /* the CXL region; empty if there is none */
	uint64_t align;		 /* of its mappings in devdax mode; 0: not known */
	bool map_on_itself;	 /* its memory map would lie in the memory that it brings */
	uint64_t identity;	 /* differs if the device went away and one of its name came */
	enum device_type type;
	enum dax_driver driver;
	int target_node;	/* or NODE_UNKNOWN */
	uint64_t size;		/* 0: not set up yet */
	struct range *mappings; /* by ascending address */
	size_t n_mappings;	/* 0 while size is not: where it lies could not be read */
};

/* The two kernel switches that make the guard, and what they read. */
enum dax_autoprobe {
	DAX_AUTOPROBE_UNREAD,
	DAX_AUTOPROBE_OFF,
	DAX_AUTOPROBE_ON,
};

/* Is any devdax device open or mapped? All of them together have one count. */
enum devdax_use {
	DEVDAX_USE_UNKNOWN, /* not asked for, or it cannot be told */
	DEVDAX_UNUSED,
	DEVDAX_IN_USE,
};

struct snapshot {
	uint64_t block_size; /* bytes, a power of two */
	struct blocks blocks;
	struct dax_device *dax;
	size_t n_dax;
	bool dax_incomplete; /* there is a dax device of which nothing is known */
	struct range *dimms; /* what the firmware memmap gained after boot */
	size_t n_dimms;
	bool virtio_mem; /* a device has the virtio_mem driver */
	enum dax_autoprobe dax_autoprobe;
	char auto_online_blocks[SYSFS_NAME]; /* empty: could not be read */
	enum devdax_use devdax_use;
	struct zoneinfo zones;
	uint64_t movable_advice; /* the kernel's, of movable to kernel memory, in percent */
	struct tdx tdx;
	struct boot_map boot_map;
};

void snapshot_done(struct snapshot *snapshot);

/* Free the dax devices. */
void snapshot_forget_dax(struct snapshot *snapshot);

/* Free the devices and DIMMs, and keep the rest: blocks are replaced when they are listed. */
void snapshot_forget_devices(struct snapshot *snapshot);

void blocks_done(struct blocks *blocks);
int blocks_append(struct blocks *blocks, uint64_t id) MUST_CHECK; /* 0 or -ENOMEM */
void blocks_sort(struct blocks *blocks);
struct block *blocks_find(const struct blocks *blocks, uint64_t id); /* NULL: not there */

static inline struct range block_range(uint64_t id, uint64_t block_size)
{
	return (struct range){id * block_size, (id + 1) * block_size};
}

/* The blocks wholly within a range. */
struct block_count snapshot_count(const struct snapshot *snapshot, struct range range);

/* How many blocks the range would be, were all of it in the kernel. */
uint64_t snapshot_block_room(const struct snapshot *snapshot, struct range range);

struct dax_device *snapshot_find_dax(const struct snapshot *snapshot, const char *name);

/* The guard is up: a dax device stays without a driver until somebody binds one. */
static inline bool snapshot_guarded(const struct snapshot *snapshot)
{
	return snapshot->dax_autoprobe == DAX_AUTOPROBE_OFF;
}

const char *device_type_to_string(enum device_type type);
int device_type_from_string(const char *text, enum device_type *ret_type) MUST_CHECK;
const char *dax_driver_to_string(enum dax_driver driver); /* NULL: no driver */
int dax_driver_from_string(const char *text, enum dax_driver *ret_driver) MUST_CHECK;

/* The mode that the driver gives a device: "none" without a driver. */
const char *dax_mode_to_string(enum dax_driver driver);
int dax_mode_from_string(const char *text, enum dax_driver *ret_driver) MUST_CHECK;

/* The type of a dax device, by its path below /sys/devices. */
enum device_type device_type_of_dax_path(const char *path);
