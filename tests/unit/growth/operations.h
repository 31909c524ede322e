/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations of lib/: basic blocks that run, and bytes that C library functions read or move for
 * them. The number is the same for the same input on every machine, under any load.
 */
#pragma once

#include <stdint.h>

void operations_begin(void);
uint64_t operations_end(void);
