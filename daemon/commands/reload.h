/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reload: what systemctl reload runs, once the configuration has been checked.
 */
#pragma once

#include "tdxo/base/compiler.h"

/* Have the daemon read its configuration again. EXIT_DONE; EXIT_FAILED after a message. */
int reload_run(void) MUST_CHECK;
