/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reasons: one table of their names and texts. The record has the clause; explanation and remedy
 * are printed by "tdx-onlinectl explain", and are the entry of the reason in the journal catalog,
 * which systemd/generate-catalog.c writes at build time. That program is built from
 * lib/policy/reason.c alone, for the build machine, so lib/policy/reason.c uses no other file of
 * lib/.
 *
 * Explanation and remedy contain variables as journalctl replaces them: @TDXO_NAME@ is a field of
 * the record. record_append_text() of tdxo/record/remedy.h replaces them as well.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/base/compiler.h"

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

/*
 * Why, without a full stop: "a part of its state cannot be read". NULL: it depends on the decision,
 * see decision_append_clause().
 */
const char *reason_clause(enum reason reason);

/* The title of the catalog entry, without a full stop. */
const char *reason_subject(enum reason reason);

/* Background, in whole sentences. */
const char *reason_explanation(enum reason reason);

/*
 * What to do, in whole sentences, with commands between single quotes. Memory without a dax device
 * has a remedy of its own, and a message id for it, where reason_has_two_remedies().
 */
const char *reason_remedy(enum reason reason, bool dax);
bool reason_has_two_remedies(enum reason reason);

/* MESSAGE_ID of the record: 32 hexadecimal digits. */
const char *reason_message_id(enum reason reason, bool dax);
