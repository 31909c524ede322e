/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands that both programs have, and --oneshot, which differs from a dry run by one value.
 */
#pragma once

#include "daemon/options.h"

/* Each returns an exit status or a negative errno. */
int task_dry_run(const struct task *task);
int task_oneshot(const struct task *task);
int task_check_config(const struct task *task);
