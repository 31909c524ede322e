/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verdicts that each reason can have, and the memory that it can be about.
 */
#pragma once

#include <string.h>

#include "tdxo/policy/policy.h"

static inline bool reason_fits(enum reason reason, enum verdict verdict)
{
	enum { D = 1U << VERDICT_DEVDAX, O = 1U << VERDICT_OFFLINE, I = 1U << VERDICT_IGNORE };
	static const unsigned int fits[REASON_MAX] = {
		[REASON_IN_BOOT_MAP] = 1U << VERDICT_ONLINE,
		[REASON_TDX_ABSENT] = 1U << VERDICT_ONLINE,
		[REASON_OUTSIDE_BOOT_MAP] = D | O,
		[REASON_STRADDLES_BOOT_MAP] = D | O,
		[REASON_KERNEL_OFFLINE] = I,
		[REASON_RULE] = D | O | I,
		[REASON_PERSISTENT_MEMORY] = I,
		[REASON_ALREADY_DEVDAX] = D,
		[REASON_IN_USE] = D,
		[REASON_FAMFS] = I,
		[REASON_ALREADY_ONLINE] = I,
		[REASON_UNPLUGGED] = I,
		[REASON_NOT_CONFIGURED] = I,
		[REASON_TOO_SMALL] = D,
		[REASON_NO_HEAD_ROOM] = D | I,
		[REASON_NO_TARGET_NODE] = I,
		[REASON_UNREADABLE] = I,
		[REASON_FOREIGN_DRIVER] = I,
		[REASON_UNKNOWN_DEVICE] = I,
		[REASON_BOOT_MAP_UNKNOWN] = O | I,
		[REASON_KERNEL_REFUSED] = D | O | I,
		[REASON_ROLLED_BACK] = D | O | I,
	};

	return fits[reason] & 1U << verdict;
}

/* A text with @TDXO_CHARDEV@ is only for dax devices: other memory has no such name. */
static inline bool reason_has_text(enum reason reason, const struct device *device)
{
	return device_is_dax(device) ||
	       (!strstr(reason_explanation(reason), "@TDXO_CHARDEV@") &&
		       !strstr(reason_remedy(reason, false), "@TDXO_CHARDEV@"));
}
