/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's messages in the journal.
 */
#pragma once

#include "tdxo/base/compiler.h"

/*
 * Call `each` for every message of the kernel's own in the journal of this boot. 0, or a negative
 * errno if the journal cannot be read: -ENODATA if none can be seen, as without privileges.
 */
int kernel_log_from_journal(
	void (*each)(const char *message, void *userdata), void *userdata) MUST_CHECK;
