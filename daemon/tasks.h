/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tasks: what the command line asks for, from the change of root to the exit status.
 */
#pragma once

#include "daemon/options.h"

/* tdx-onlined(8), EXIT STATUS */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_HOTPLUG = 3,
	EXIT_MATCHED = 4,
	EXIT_FOUND = 5,
	EXIT_PARTIAL = 64,
};

/* Do it. */
enum exit_status task_run(const struct options *options);
