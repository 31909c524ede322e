/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * explain: find what the target names, and print the chain from firmware to verdict.
 */
#pragma once

#include <stdbool.h>

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"
#include "tdxo/explain/target.h"

/*
 * EXIT_DONE; EXIT_FAILED after a message, if no such device exists here; a negative
 * errno: -ENODEV without memory hotplug.
 */
int explain_run(struct settings *settings, const struct target *target, bool json) MUST_CHECK;
