/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state file: what reading and writing it have in common. tdx-onlined-state(5) tells the rest.
 */
#pragma once

#include "state.h"
#include "sysfs.h"

#define STATE_SCHEMA  2
#define STATE_NAME    "state.json"
#define STATE_BOOT_ID "/proc/sys/kernel/random/boot_id"

/* Its path, with a suffix. Returns path->text. */
const char *state_path(struct path *path, const char *suffix);
