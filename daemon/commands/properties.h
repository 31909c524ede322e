/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * properties: what udev is to know of a dax device, as lines KEY=VALUE for IMPORT{program}.
 */
#pragma once

#include "tdxo/base/compiler.h"

/* EXIT_DONE; EXIT_FAILED: there is no such device; -ENOMEM. */
int properties_run(const char *chardev) MUST_CHECK;
