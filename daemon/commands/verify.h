/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verify: a report of what the program expects of the kernel, and what the kernel shows and
 * answers.
 */
#pragma once

#include <stdbool.h>

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"

/*
 * Compare, online memory blocks as a trial where that does no harm, and print the report. It has no
 * serial numbers, UUIDs or host names. `mistake` is that of the files, or NULL: the settings are
 * the defaults then. While the daemon runs, they become those in effect. EXIT_DONE; EXIT_FOUND:
 * something differs; EXIT_FAILED after a message; a negative errno.
 */
int verify_run(struct settings *settings, const char *mistake, bool json) MUST_CHECK;
