/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status: what the daemon has recorded, next to what is true now.
 */
#pragma once

#include <stdbool.h>

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"

struct status_options {
	bool json;
	bool tdx;	     /* the TDX state of the settings is that of the command line */
	const char *mistake; /* of the files as they are now, or NULL */
	bool only_unread;    /* it is that this process may not read them */
	const struct config_files *unread; /* the files that it may not read, and why */
};

/*
 * The settings become those that are in effect, as far as the daemon has saved them. EXIT_DONE, or
 * a negative errno: -ENODEV without memory hotplug.
 */
int status_run(struct settings *settings, const struct status_options *options) MUST_CHECK;
