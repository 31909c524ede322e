/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of udev(7): which of them may online memory?
 *
 * The text is scanned once, line by line, for tokens that online memory. Conditions are not
 * evaluated, so a rule is found even if it has no effect on this machine. A rule is left out if it
 * matches only devices that are not memory, as rules for CPU hotplug do, and if udevd ignores it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"

#define UDEV_LINE 16384 /* a longer line is ignored, as by udevd (252) */
#define UDEV_WHAT 128

struct udev_write;

struct udev_text {
	const char *text;
	size_t size;
	size_t position;
	unsigned int line;
	bool guarded; /* only devices that are not memory get here */

	/* Called for each command that udevd may run, with its lines; or NULL. */
	void (*run)(const char *command, const struct udev_write *where, void *userdata);
	void *userdata;
};

enum udev_way {
	UDEV_WRITES, /* an attribute */
	UDEV_RUNS,   /* a command */
};

struct udev_write {
	unsigned int first_line, last_line;
	enum udev_way way;
	char what[UDEV_WHAT]; /* the value or the command, cut off */
};

/* Find the next line that may online memory. The text may hold anything. False: none is left. */
bool udev_next(struct udev_text *text, struct udev_write *ret_write) MUST_CHECK;
