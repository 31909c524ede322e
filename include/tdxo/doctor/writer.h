/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of other programs that may online memory: tmpfiles.d(5), sysfs.conf(5), units of systemd,
 * and scripts that units or rules of udev(7) run.
 *
 * This is a plain search, line by line, for the names of kernel files, commands and parameters. A
 * line is found even if it has no effect on this machine. Comments are not searched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/doctor/foreign_conf.h"

#define WRITER_LINE  4096 /* what is longer is cut off */
#define WRITER_WHAT  128
#define PROGRAM_PATH 256

enum writer_kind {
	WRITER_TMPFILES,
	WRITER_SYSFS,
	WRITER_UNIT, /* only what Exec*= run is searched */
	WRITER_SCRIPT,
	WRITER_MAX,
};

struct writer_text {
	struct conf_text conf;
	enum writer_kind kind;
	bool of_memory; /* the search has found the path of memory blocks */
};

struct writer_line {
	unsigned int first, last; /* lines, if it is continued */
	bool onlines;		  /* it may online memory; false only of a command of a unit */
	char text[WRITER_LINE];	  /* of a unit only the command */
};

/* Find the next line that may online memory, or of a unit the next command. False: none is left. */
bool writer_next(struct writer_text *text, struct writer_line *ret_line) MUST_CHECK;

/*
 * Find the next absolute path of a command line, which may be a script that it runs. Kernel files
 * are not: to read one can have an effect. False: none is left.
 */
bool program_next(const char **command, char ret_path[PROGRAM_PATH]) MUST_CHECK;
