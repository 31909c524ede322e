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
 * Compare, put offline memory blocks to the kernel where that does no harm, and print the report.
 * It has no serial numbers, UUIDs or host names. EXIT_DONE; EXIT_FOUND: something differs;
 * EXIT_FAILED after a message; a negative errno.
 */
int verify_run(const struct settings *settings, bool json) MUST_CHECK;
