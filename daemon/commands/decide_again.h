/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * decide: request that the running daemon decides about what the target names again, and only that.
 */
#pragma once

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"
#include "tdxo/explain/target.h"

/*
 * EXIT_DONE once it has been asked for; EXIT_FAILED if no daemon runs, nothing is meant, or the
 * kernel refuses to pass it on, which has been said; a negative errno: -ENODEV without memory
 * hotplug.
 */
int decide_again_run(const struct settings *settings, const struct target *target) MUST_CHECK;
