/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The facts of one device: all that the policy may look at besides the configuration, complete
 * before policy_decide() is called. Nothing reads the machine in between.
 *
 * What can change from one moment to the next is read directly before the decision: whether the
 * device is still there and where, its driver, its blocks, its users, the host's memory. Its type,
 * node and region are those of the look that found it, as long as it is the same device; the TDX
 * state is that of the last event about it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tdxo/memory/block.h"
#include "tdxo/memory/boot_map.h"
#include "tdxo/memory/device.h"
#include "tdxo/memory/origin.h"
#include "tdxo/memory/zoneinfo.h"
#include "tdxo/tdx/state.h"

/* Is any devdax device open or mapped? All of them together have one count. */
enum devdax_use {
	DEVDAX_USE_UNKNOWN, /* it is not known */
	DEVDAX_UNUSED,
	DEVDAX_IN_USE,
};

/* What the kernel does with new memory blocks: /sys/devices/system/memory/auto_online_blocks. */
enum auto_online {
	AUTO_ONLINE_UNKNOWN, /* it could not be read */
	AUTO_ONLINE_OFFLINE,
	AUTO_ONLINE_ONLINE, /* in the zone that it chooses */
	AUTO_ONLINE_KERNEL,
	AUTO_ONLINE_MOVABLE,
	AUTO_ONLINE_MAX,
};

struct facts {
	struct device device;
	struct blocks blocks; /* those that lie wholly in one of its ranges */
	struct cxl_origin cxl;

	/* Of a dax device. */
	char driver_name[SYSFS_NAME]; /* in sysfs; empty: none, or not known */
	enum devdax_use devdax_use;
	uint64_t align;	    /* of its mappings in devdax mode; 0: not known */
	bool map_on_itself; /* its page metadata would lie in the memory that it brings */
	bool unplugged;	    /* by its dax state: kmem has it, and no memory block of it */
	bool half_done;	    /* the daemon itself has left it so, by its history */

	/* Of the host. */
	uint64_t block_size;
	const struct boot_map
		*boot_map; /* borrowed: it does not change while a device is decided */
	struct tdx tdx;
	bool guarded;		      /* dax devices get no driver by themselves */
	enum auto_online auto_online; /* the kernel's own policy */
	bool auto_online_held;	      /* the guard has set it to offline in place of that */
	struct zoneinfo zones;
	uint64_t movable_advice; /* the kernel's, of movable to kernel memory, in percent */
};

void facts_done(struct facts *facts);

/* AUTO_ONLINE_UNKNOWN if the kernel has no such word. */
enum auto_online auto_online_from_string(const char *text);

/* The blocks of all its ranges. */
struct block_count facts_count(const struct facts *facts);

/* How many whole blocks the device would be, were all of it in the kernel. */
uint64_t facts_room(const struct facts *facts);
