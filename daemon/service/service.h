/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon: owns everything, and the event loop.
 */
#pragma once

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"
#include "tdxo/tdx/gate.h"

/*
 * Run until told to stop. A reload replaces the settings; `gate` is what the command line gives in
 * place of Gate=, or NULL. 0; a negative errno: -ENODEV without memory hotplug.
 */
int daemon_run(struct settings *settings, const enum gate_mode *gate) MUST_CHECK;
