/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration of others: modprobe.d(5) and daxctl(1).
 *
 * Only what may get in the way of hot-added memory is understood; the rest is passed over. Names
 * of modules have underscores, as the kernel takes a dash for one. What is too long is cut off.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/cmdline.h"
#include "tdxo/base/compiler.h"

struct conf_text {
	const char *text;
	size_t size;
	size_t position;
	unsigned int line;
};

enum modprobe_command {
	MODPROBE_BLACKLIST,
	MODPROBE_INSTALL, /* a command in place of loading the module */
	MODPROBE_OPTIONS,
	MODPROBE_MAX,
};

struct modprobe_line {
	unsigned int first, last; /* lines, if it is continued */
	enum modprobe_command command;
	char module[FOREIGN_NAME];
	char rest[FOREIGN_VALUE]; /* the command, or the parameters */
};

/* False: there is none any more. */
bool modprobe_next(struct conf_text *conf, struct modprobe_line *ret_line) MUST_CHECK;

/* A section of daxctl that reconfigures a device (daxctl-reconfigure-device(1)). */
struct daxctl_section {
	unsigned int line;	 /* of its head */
	char name[FOREIGN_NAME]; /* what follows "reconfigure-device" */
	bool system_ram;	 /* mode */
	bool stays_offline;	 /* online is false; by default it is true */
};

/* False: there is none any more. */
bool daxctl_next(struct conf_text *conf, struct daxctl_section *ret_section) MUST_CHECK;
