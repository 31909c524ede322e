/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which files a configuration comes from, and whether they have changed since it was read.
 */
#pragma once

#include <stdint.h>

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"

/* The files that have a value or a rule that is in effect, each once. 0 or -ENOMEM. */
int config_files_of(const struct settings *settings, struct config_files *ret_files) MUST_CHECK;

/* Of the values, and of the texts and names of the rules: another one if one of them is changed. */
uint64_t settings_checksum(const struct settings *settings);
