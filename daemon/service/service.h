/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon: owns everything, and the event loop.
 */
#pragma once

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"
#include "tdxo/tdx/state.h"

/*
 * Run until told to stop. A reload replaces the settings; `tdx` is what the command line
 * gives in place of TDX=, or NULL. 0; a negative errno: -ENODEV without memory hotplug.
 */
int daemon_run(struct settings *settings, const enum tdx_mode *tdx) MUST_CHECK;
