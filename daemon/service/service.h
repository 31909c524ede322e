/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon: owns everything, and the event loop.
 */
#pragma once

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"
#include "tdxo/tdx/gate.h"

struct daemon_options {
	const enum gate_mode *gate; /* what the command line says in place of Gate=, or NULL */
};

/*
 * Runs until it is told to stop. A reload replaces the settings. 0; a negative errno: -ENODEV
 * without memory hotplug.
 */
int daemon_run(struct settings *settings, const struct daemon_options *options) MUST_CHECK;
