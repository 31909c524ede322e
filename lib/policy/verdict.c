/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of verdicts and zones.
 */
#include "tdxo/policy/verdict.h"

#include "tdxo/base/string_table.h"

static const char *const verdicts[] = {
	[VERDICT_ONLINE] = "online",
	[VERDICT_DEVDAX] = "devdax",
	[VERDICT_OFFLINE] = "offline",
	[VERDICT_IGNORE] = "ignore",
};
DEFINE_STRING_TABLE(verdict, enum verdict, verdicts, VERDICT_MAX)

static const char *const zones[] = {
	[ZONE_NONE] = NULL,
	[ZONE_AUTO] = "auto",
	[ZONE_KERNEL] = "kernel",
	[ZONE_MOVABLE] = "movable",
};
DEFINE_STRING_TABLE(zone, enum zone, zones, ZONE_MAX)
