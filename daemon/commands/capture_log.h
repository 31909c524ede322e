/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture: the messages of the kernel log that decisions rest on.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/anonymise/anonymise.h"
#include "tdxo/base/compiler.h"

/*
 * The kernel's messages about TDX and about memory that it rejected, as records of /dev/kmsg. With
 * `only_known` a message of TDX is left out unless its form is known. 0; 1 if not all of the log
 * could be read; -ENOMEM. The caller frees the text.
 */
int capture_log(bool only_known, struct bytes *ret_text) MUST_CHECK;
