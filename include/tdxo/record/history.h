/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: what has been decided of each range, and how it was left.
 *
 * A range is decided once, so what is in the history is not decided again: not after a restart,
 * and not if somebody changes it by hand. Only a range that is to be reconsidered is. It is
 * also what a new configuration is compared with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/memory/arrival.h"
#include "tdxo/memory/snapshot.h"
#include "tdxo/policy/policy.h"
#include "tdxo/record/record.h"

struct entry {
	struct arrival arrival; /* with the driver as it was left */
	enum verdict verdict;
	enum reason reason;
	enum zone zone;
	enum answer answer; /* of the kernel, the last time it was asked */
	enum result result; /* RESULT_BEGUN: recorded, but not all steps have been taken */
	char rule[RULE_NAME];
	struct block_count blocks; /* as they were left */
	bool reconsider;	   /* it is to be decided anew */
	bool changed;		   /* that somebody has changed it since has been said */
};

struct history {
	struct entry *entries;
	size_t n;
};

void history_done(struct history *history);

/* Append an entry; for reading a kept history back. 0 or -ENOMEM. */
int history_append(struct history *history, const struct entry *entry) MUST_CHECK;

/* Note a record, in place of what is there of its range. 0 or -ENOMEM. */
int history_note(struct history *history, const struct record *record) MUST_CHECK;

/* Forget what is not there any more; of a run of blocks what is left of it stays. 0 or -ENOMEM. */
int history_prune(struct history *history, const struct arrivals *all) MUST_CHECK;

/* Those of `all` that are not decided, or are to be reconsidered. 0 or -ENOMEM. */
int history_undecided(const struct history *history, const struct arrivals *all,
	struct arrivals *ret_undecided) MUST_CHECK;

/* The entry that holds all of a range; NULL: there is none. */
struct entry *history_find(const struct history *history, const struct arrival *arrival);

/* Decide everything anew. */
void history_reconsider_all(struct history *history);

/*
 * Decide anew what was let in because there was no TDX, now that there is. Only what is memory,
 * or may become it, is in its way.
 */
void history_reconsider_let_in(struct history *history);

/* Try again what failed for want of a driver, now that one has come. */
void history_reconsider_failed(struct history *history);

/*
 * Has somebody changed the range since it was left? `arrival` has the driver of now, `blocks`
 * are those of now. Not if it has been said already, nor if a hypervisor takes and gives it.
 */
bool entry_is_changed(
	const struct entry *entry, const struct arrival *arrival, const struct block_count *blocks);

/*
 * Is this another decision on the range, or is now done what was withheld, or the other way
 * round? That a device is in devdax mode already is no other reason than the one that made it so.
 */
bool entry_differs(const struct entry *entry, const struct record *record);

/* It has been reconsidered, and nothing else has come of it: what was decided stands. */
void entry_confirm(struct entry *entry, const struct record *record);
