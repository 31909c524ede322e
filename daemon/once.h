/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Once: decide all ranges that are there, print that, and be done.
 */
#pragma once

#include "config_file.h"
#include "executor.h"
#include "tdxo/compiler.h"

enum once_format {
	ONCE_TABLE,
	ONCE_JSON,
	ONCE_DIFF, /* what differs from what the daemon has decided */
};

/*
 * executor_turn acts, executor_dry_turn does not. 0; 1 if some range is not as decided; a
 * negative errno: -ENODEV without memory hotplug.
 */
int once_run(struct settings *settings, executor_fn executor, enum once_format format) MUST_CHECK;
