/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The promise of a dry run, kept by the kernel: from now on this process opens no file for
 * writing, also if a library tries. libcxl, for one, would write to its flush file.
 */
#pragma once

#include "tdxo/base/compiler.h"

/* 0 or a negative errno. There is no way back. */
int readonly_enter(void) MUST_CHECK;
