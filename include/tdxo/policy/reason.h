/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reasons: one table of their names and texts. The record has the clause, --explain the clause, the
 * explanation and the remedy, and the journal catalog the same three; systemd/generate-catalog.c
 * writes them there at build time. That program is built from lib/policy/reason.c alone, for the
 * build machine, so lib/policy/reason.c uses no other file of lib/.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/base/compiler.h"
#include "tdxo/policy/verdict.h"

enum reason {
	REASON_IN_BOOT_MAP,
	REASON_OUTSIDE_BOOT_MAP,
	REASON_STRADDLES_BOOT_MAP,
	REASON_TDX_ABSENT,
	REASON_KERNEL_OFFLINE,
	REASON_RULE,
	REASON_PERSISTENT_MEMORY,
	REASON_ALREADY_DEVDAX,
	REASON_IN_USE,
	REASON_FAMFS,
	REASON_ALREADY_ONLINE,
	REASON_UNPLUGGED,
	REASON_NOT_CONFIGURED,
	REASON_TOO_SMALL,
	REASON_NO_HEAD_ROOM,
	REASON_NO_TARGET_NODE,
	REASON_UNREADABLE,
	REASON_FOREIGN_DRIVER,
	REASON_UNKNOWN_DEVICE,
	REASON_BOOT_MAP_UNKNOWN,
	REASON_KERNEL_REFUSED,
	REASON_ROLLED_BACK,
	REASON_MAX,
};

const char *reason_to_string(enum reason reason);
int reason_from_string(const char *text, enum reason *ret_reason) MUST_CHECK;

/* Why, without a full stop: "it holds no whole memory block". */
const char *reason_clause(enum reason reason);

/* What that means, in whole sentences that follow the clause. */
const char *reason_explanation(enum reason reason);

/* What can be changed to get another verdict, in whole sentences. */
const char *reason_remedy(enum reason reason);

/* True if the last step is 'tdx-onlined --decide=…', which the caller adds: it names the device. */
bool reason_decides_again(enum reason reason);

/* True if a decision with this verdict can have this reason. */
bool reason_has_verdict(enum reason reason, enum verdict verdict);
