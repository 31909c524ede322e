/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disguise: the texts that people write, line by line.
 */
#pragma once

#include "tdxo/disguise.h"

/*
 * Append what of one line may stay, without the end of the line; nothing else of it is known to
 * matter. The line has no NUL after it. 0 or -ENOMEM.
 */
typedef int (*line_editor)(
	struct disguise *disguise, const char *line, size_t n, struct bytes *out);

int disguise_setting_line(
	struct disguise *disguise, const char *line, size_t n, struct bytes *out) MUST_CHECK;
int disguise_cmdline_line(
	struct disguise *disguise, const char *line, size_t n, struct bytes *out) MUST_CHECK;
int disguise_udev_line(
	struct disguise *disguise, const char *line, size_t n, struct bytes *out) MUST_CHECK;
int disguise_modprobe_line(
	struct disguise *disguise, const char *line, size_t n, struct bytes *out) MUST_CHECK;
int disguise_daxctl_line(
	struct disguise *disguise, const char *line, size_t n, struct bytes *out) MUST_CHECK;

/* A word of Serial= and of Region= in a rule. 0 or -ENOMEM. */
int disguise_serial_word(struct disguise *disguise, const char *word, struct bytes *out) MUST_CHECK;
int disguise_region_word(struct disguise *disguise, const char *word, struct bytes *out) MUST_CHECK;
