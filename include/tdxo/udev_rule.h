/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of udev(7): which of them online memory?
 *
 * A file is followed as udevd follows it when a memory block or a dax device appears: line by
 * line, from GOTO to LABEL, with what is known of the event and of the machine. What is not known
 * may be true or not, so both ways are taken: a rule is found if it may apply, and left out only
 * if it cannot. A line that udevd does not understand it ignores, and so it is here.
 */
#pragma once

#include <stddef.h>

#include "tdxo/compiler.h"

#define UDEV_LINE 16384 /* a longer line is ignored, as by udevd (252) */
#define UDEV_WHAT 128

/* What rules ask of the machine. NULL: it is not known. */
struct udev_machine {
	const char *virt;	  /* CONST{virt}: "none", or what virtualises it */
	const char *sys_vendor;	  /* ATTR{[dmi/id]sys_vendor} */
	const char *product_name; /* ATTR{[dmi/id]product_name} */
};

enum udev_way {
	UDEV_WRITES, /* an attribute */
	UDEV_RUNS,   /* a command */
};

struct udev_write {
	unsigned int first_line, last_line;
	enum udev_way way;
	char what[UDEV_WHAT]; /* the value; or the command, cut off */
};

struct udev_writes {
	struct udev_write *items; /* by line, for each kind of device */
	size_t n;
};

void udev_writes_done(struct udev_writes *writes);

/* Find the lines that online memory. The text may hold anything. 0 or -ENOMEM. */
int udev_rules_read(const char *text, size_t size, const struct udev_machine *machine,
	struct udev_writes *ret_writes) MUST_CHECK;
