/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices: what brought memory after boot, each decided as a whole.
 *
 * A device is a dax device with all its mappings, which share one driver; or a DIMM, whose exact
 * extent the firmware memmap names; or a run of neighbouring memory blocks that neither explains,
 * within one CXL region or outside all of them.
 * It is the kernel's "memory group" (mm/memory_hotplug.c, 6.12). Only a run grows and shrinks; any
 * other device is there as a whole or is not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"

#define SYSFS_NAME   64 /* a device's name, with its NUL */
#define NODE_UNKNOWN (-1)

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

struct device {
	enum device_type type;
	char name[SYSFS_NAME];	 /* of a dax device; empty: it is none */
	char region[SYSFS_NAME]; /* CXL region, by parent or by address; empty: none */
	uint64_t identity;	 /* another one if a dax device of the same name came; 0: none */
	enum dax_driver driver;
	int node;	      /* where its memory goes, or NODE_UNKNOWN: kmem would refuse it */
	bool present;	      /* it was there before the first start of this boot */
	bool unguarded;	      /* it came while another program had lowered the guard */
	uint64_t size;	      /* bytes of all its ranges; 0: a dax device that is not set up yet */
	struct range *ranges; /* by ascending address; no two overlap */
	size_t n_ranges;      /* 0: where it lies could not be read */
};

struct devices {
	struct device *items;
	size_t n;
};

struct block_ids;
struct snapshot;

void device_done(struct device *device);
void devices_done(struct devices *devices);

/* These return 0 or -ENOMEM. What is added is taken over: *device is empty then. */
int device_copy(const struct device *device, struct device *ret_copy) MUST_CHECK;
int devices_add(struct devices *devices, struct device *device) MUST_CHECK;
int devices_add_copy(struct devices *devices, const struct device *device) MUST_CHECK;

/* The name of a dax device, or where other memory lies; "" if neither is known. */
const char *device_format(const struct device *device, char buf[RANGE_TEXT]);

/* By ascending address. */
void devices_sort(struct devices *devices);

static inline bool device_is_dax(const struct device *device)
{
	return device->name[0] != '\0';
}

/* Is udev to learn what has been decided on it? Not of pmem, whose device node stays as it is. */
static inline bool device_may_be_announced(const struct device *device)
{
	return device->type == TYPE_CXL || device->type == TYPE_HMEM;
}

/*
 * Did a program make it, by writing to "create" of its dax region as daxctl-create-device(1) does?
 * The kernel itself makes number 0 of a region, and never deletes it (drivers/dax/bus.c,
 * delete_store(), 6.12). Not for pmem, where the number is that of a namespace.
 */
bool device_is_created(const struct device *device);

/* Is it the other one, or a part of the same run? */
bool device_is_within(const struct device *device, const struct device *other);

/* Does it lie exactly there? */
bool device_lies_at(const struct device *device, const struct range *ranges, size_t n);

/* How many whole memory blocks it would be, were all of it in the kernel. */
uint64_t device_room(const struct device *device, uint64_t block_size);

/* Has it a byte in the range? */
bool device_overlaps(const struct device *device, struct range range);

/*
 * All devices that are there and were not at boot, by ascending address. `before` lists the blocks
 * of an earlier look, or is NULL: a block of boot memory that was not there then has been plugged
 * again, and counts. 0 or -ENOMEM.
 */
int devices_find(const struct snapshot *now, const struct block_ids *before,
	struct devices *ret_devices) MUST_CHECK;

/* Those of `all` that are not among `decided`; of a run, its new part. 0 or -ENOMEM. */
int devices_undecided(const struct devices *all, const struct devices *decided,
	struct devices *ret_undecided) MUST_CHECK;

/* Those of `decided` that are still there; of a run, what is left of it. 0 or -ENOMEM. */
int devices_remaining(const struct devices *decided, const struct devices *all,
	struct devices *ret_remaining) MUST_CHECK;

const char *device_type_to_string(enum device_type type);
int device_type_from_string(const char *text, enum device_type *ret_type) MUST_CHECK;
const char *dax_driver_to_string(enum dax_driver driver); /* NULL: no driver */
int dax_driver_from_string(const char *text, enum dax_driver *ret_driver) MUST_CHECK;

/* The mode that the driver gives a device: "none" without a driver. */
const char *dax_mode_to_string(enum dax_driver driver);
int dax_mode_from_string(const char *text, enum dax_driver *ret_driver) MUST_CHECK;

/* The type of a dax device, by its path below /sys/devices. */
enum device_type device_type_of_dax_path(const char *path);
