/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verdicts, and the zones that memory is onlined to.
 */
#pragma once

#include "tdxo/base/compiler.h"

enum verdict {
	VERDICT_ONLINE,	 /* into the page allocator */
	VERDICT_DEVDAX,	 /* not; usable as a devdax device */
	VERDICT_OFFLINE, /* not, and there is no dax device to fall back to */
	VERDICT_IGNORE,	 /* none of our business, or in doubt */
	VERDICT_MAX,
};

enum zone {
	ZONE_NONE, /* not to be onlined; in a rule: not given */
	ZONE_AUTO, /* the kernel's default */
	ZONE_KERNEL,
	ZONE_MOVABLE,
	ZONE_MAX,
};

const char *verdict_to_string(enum verdict verdict);
int verdict_from_string(const char *text, enum verdict *ret_verdict) MUST_CHECK;
const char *zone_to_string(enum zone zone);				/* NULL for ZONE_NONE */
int zone_from_string(const char *text, enum zone *ret_zone) MUST_CHECK; /* not ZONE_NONE */
