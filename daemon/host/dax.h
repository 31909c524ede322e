/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dax devices: which there are, and switching a driver.
 */
#pragma once

#include <stdbool.h>

#include "daemon/log/complaints.h"
#include "tdxo/base/compiler.h"
#include "tdxo/memory/facts.h"

/* Append all dax devices. 0, or a negative errno, complained about; -ENOMEM. */
int dax_list(struct devices *devices, struct complaints *complaints) MUST_CHECK;

/*
 * See whether a device is still as it was listed: the same, in the same place. 0, and then its
 * driver is the one of now; 1: it has gone, or lies elsewhere; -ENOMEM. What is wrong with it is
 * complained about here and not when it is listed: it may still be being set up then.
 */
int dax_look_again(struct device *device, struct complaints *complaints) MUST_CHECK;

/*
 * Differs from that of another device that had its name before; 0: there is no such device, or it
 * is being removed.
 */
uint64_t dax_identity(const char *device);

/* The name of its driver in sysfs. 0, or a negative errno; -ENOENT: it has none. */
int dax_driver_name(const char *device, char ret_name[SYSFS_NAME]) MUST_CHECK;

/*
 * What the link of one device tells: its type, region, driver and identity, but not where it lies.
 * It reads no attribute that a writer of "size" could block. 0; -ENOENT: there is no such device.
 */
int dax_glance(const char *name, struct device *ret_device) MUST_CHECK;

/* The driver that a device has now; DAX_DRIVER_NONE also if there is no such device. */
enum dax_driver dax_driver_of(const char *device);

/*
 * Is any devdax device open or mapped? The module's count of users has the answer, without
 * a capability, and across all mount namespaces; where device_dax is built in nothing does.
 */
enum devdax_use dax_devdax_use(void);

/*
 * What kmem has made of a device, by its dax state (7.3). The kernel adds that attribute when kmem
 * has added the memory and all of its blocks.
 */
enum kmem_state {
	KMEM_STATE_NONE,      /* no such attribute: an older kernel, another driver, or not yet */
	KMEM_STATE_UNPLUGGED, /* no memory block of it is in the kernel */
	KMEM_STATE_PLUGGED,
};

enum kmem_state dax_kmem_state(const char *device);

/* The size of the pages that a devdax device is mapped with; 0: not known. */
uint64_t dax_align(const char *device);

/* Would kmem put the device's memory map into the memory that it brings? */
bool dax_map_on_itself(const char *device);

/*
 * Give a device a driver that it lacks, or take the driver that it has: kmem or device_dax. 0 if
 * the device has (or lacks) it afterwards, with any answer; else a negative errno: the kernel's
 * answer, or -EIO if that was success. Before kmem is taken away the device is unplugged,
 * where the kernel can do that: if it cannot be, -EBUSY for example, all is as before.
 */
int dax_bind(const char *device, enum dax_driver driver) MUST_CHECK;
int dax_unbind(const char *device, enum dax_driver driver) MUST_CHECK;
