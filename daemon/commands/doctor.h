/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * doctor: what on this host conflicts with hot-added memory or TDX, each with its remedy.
 */
#pragma once

#include <stdbool.h>

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"

/* EXIT_DONE: nothing was found; EXIT_FOUND: something was, and is printed; a negative errno. */
int doctor_run(struct settings *settings, bool json, bool captured) MUST_CHECK;
