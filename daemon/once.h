/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Once: decide every range that is there, act or not, print it, and be done.
 */
#pragma once

#include <stdbool.h>

#include "executor.h"
#include "tdxo/compiler.h"
#include "tdxo/policy.h"

/*
 * 0; 1: some range is not as decided; a negative errno: -ENODEV if the kernel has no memory
 * hotplug.
 */
int once_run(const struct config *config, executor_fn executor, bool json) MUST_CHECK;
