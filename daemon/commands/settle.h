/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settle: wait until all memory that is there has been decided.
 */
#pragma once

#include <stdint.h>

#include "tdxo/base/compiler.h"

#define SETTLE_TIMEOUT 120 /* seconds, if the caller names none */

/*
 * Wait until the queue of udevd is empty, each dax device and each run of memory blocks that is
 * there has a decision, each dax region of a CXL region has its dax device, and the daemon is idle.
 * EXIT_DONE; EXIT_TIMEOUT or EXIT_FAILED after a message; a negative errno.
 */
int settle_run(uint64_t timeout) MUST_CHECK;
