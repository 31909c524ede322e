/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exit statuses: tdx-onlinectl(1), EXIT STATUS. A command returns one, or a negative errno.
 */
#pragma once

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_HOTPLUG = 3,
	EXIT_MATCHED = 4,
	EXIT_FOUND = 5,
	EXIT_RUNNING = 6,
	EXIT_TIMEOUT = 7,
	EXIT_PARTIAL = 64,
};
