/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor: the kernel's uevents, through libudev.
 *
 * An event only says where to look again. It is taken from the kernel itself, not from udevd
 * after its rules have run: a range is to be decided before another program can use it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/memory/device.h"

enum monitor_news {
	MONITOR_DAX = 1 << 0,	   /* dax devices, or their drivers */
	MONITOR_BLOCKS = 1 << 1,   /* memory blocks came or went */
	MONITOR_CXL = 1 << 2,	   /* anything of CXL */
	MONITOR_TDX = 1 << 3,	   /* kvm_intel, tdx_host or /dev/kvm came or went */
	MONITOR_OVERFLOW = 1 << 4, /* events were lost: anything may have changed */
	MONITOR_STATES = 1 << 5,   /* memory blocks went online or offline */
	MONITOR_DRIVERS = 1 << 6,  /* a driver of dax devices has been loaded */
	MONITOR_ACPI = 1 << 7,	   /* ACPI has looked for devices in a container */
	MONITOR_ASKED = 1 << 8,	   /* root requests another decision, see `asked` */
};

/* See UEVENT_KEY. */
struct asked {
	char name[SYSFS_NAME];
};

struct udev_monitor;

struct monitor {
	struct udev_monitor *udev;
	/* The blocks that went online or offline since this was emptied: [first, end). */
	uint64_t first_block, end_block;
	/* Counted since then as well. */
	uint64_t events, overflows;
	/* The kernel's names of what was asked for since. */
	struct asked *asked;
	size_t n_asked;
};

/* 0 or a negative errno. */
int monitor_init(struct monitor *monitor) MUST_CHECK;
void monitor_done(struct monitor *monitor);

/* Forget what was asked for. */
void monitor_forget_asked(struct monitor *monitor);

/* To poll for reading. */
int monitor_fd(const struct monitor *monitor);

/* Drop the news that blocks go online, from now until unmuted: they are our own. */
int monitor_mute(struct monitor *monitor, bool mute) MUST_CHECK;

/* Take in all events that are waiting. Returns monitor_news, or 0; a negative errno. */
int monitor_read(struct monitor *monitor) MUST_CHECK;
