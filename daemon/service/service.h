/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service: decides devices as they come, until it is stopped.
 */
#pragma once

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"
#include "tdxo/tdx/state.h"

/*
 * Run until SIGTERM or SIGINT. `mistake` is NULL, or why the configuration cannot be used: then the
 * settings are the defaults, the guard is held, and nothing is decided until a reload finds a
 * better one. `tdx` is the mode of the command line, which no configuration changes, or NULL.
 * 0, or a negative errno: -ENODEV without memory hotplug, -EALREADY after a message if another one
 * runs.
 */
int service_run(
	struct settings *settings, const char *mistake, const enum tdx_mode *tdx) MUST_CHECK;
