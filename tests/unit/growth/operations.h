/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations of lib/: basic blocks that were run, and bytes that functions of the C library read or
 * moved for it. The same input makes the same number, on any machine and however busy it is.
 */
#pragma once

#include <stdint.h>

void operations_begin(void);
uint64_t operations_end(void);
