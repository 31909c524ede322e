/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: what has been decided of each device, and how it was left.
 *
 * A device is decided once, so what is in the history is not decided again: not after a restart,
 * and not if it is changed by hand. Only what is to be decided again is. It is also what a
 * new configuration is compared with.
 *
 * What has been begun is in the history before the first step is taken, with RESULT_BEGUN: if the
 * daemon is killed, the next one finds what it was about. A device that has just been created, and
 * had no driver yet, is decided when it has one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/memory/device.h"
#include "tdxo/policy/policy.h"
#include "tdxo/record/record.h"

struct history_entry {
	struct device device; /* with the driver as it was left */
	enum verdict verdict;
	enum reason reason;
	enum zone zone;
	enum answer answer; /* of the kernel, the last time it was asked */
	enum result result; /* RESULT_BEGUN: not all steps have been taken */
	char rule[RULE_NAME];
	struct access access;
	int error;	    /* as of the outcome, with the two after it */
	enum action failed; /* the step, if error */
	uint64_t failed_at;
	uint64_t since;		   /* when this was noted, in seconds since 1970; 0: not known */
	struct block_count blocks; /* as they were left, or before the first step */
	bool recorded;		   /* RESULT_BEGUN: its records have been written */
	/*
	 * RESULT_BEGUN, once the daemon brings no more of it online; or steps back that have not
	 * all succeeded: so many of its own are.
	 */
	bool own_known;
	uint64_t own_online;
	bool reconsider; /* it is to be decided again */
	bool asked;	 /* root requested that: it is recorded in any case; not kept over a stop */
	bool changed;	 /* a later change by another program has been recorded */

	/* A change that may not be complete yet; only while the service runs. */
	bool changing;
	enum dax_driver driver_seen;
	uint64_t online_seen;
};

struct history {
	struct history_entry *entries;
	size_t n;
};

void history_done(struct history *history);
void history_entry_done(struct history_entry *entry);

/* Add an entry and take it over: *entry is empty then. 0 or -ENOMEM. */
int history_add(struct history *history, struct history_entry *entry) MUST_CHECK;

/*
 * Note what was decided of a device and what has come of it, in place of what is there of the
 * device. `recorded` is for RESULT_BEGUN. 0 or -ENOMEM.
 */
int history_note(struct history *history, const struct device *device,
	const struct decision *decision, const struct outcome *outcome, bool recorded) MUST_CHECK;

/* Forget what is not there any more; of a run of blocks what is left of it stays. 0 or -ENOMEM. */
int history_prune(struct history *history, const struct devices *all) MUST_CHECK;

/* Those of `all` that are not decided, or are to be decided again. 0 or -ENOMEM. */
int history_undecided(const struct history *history, const struct devices *all,
	struct devices *ret_undecided) MUST_CHECK;

/*
 * The entries of a device; of a run, those of all runs that overlap it. Borrowed, until the history
 * changes.
 */
struct history history_in(const struct history *history, const struct device *device);

/* The entry of a device, or of the run that it is a part of; NULL: there is none. */
struct history_entry *history_find(const struct history *history, const struct device *device);

/* Decide everything again. */
void history_reconsider_all(struct history *history);

/* Root requests it: decide the device, or all parts of the run, again, and record it anyway. */
void history_reconsider_asked(struct history *history, const struct device *device);

/*
 * Decide again what was let in because there was no TDX, now that there is. Only what is memory,
 * or may become it, is in its way.
 */
void history_reconsider_let_in(struct history *history);

/*
 * Decide the dax devices again that turn out to lie in a CXL region: a rule may be about the card.
 * hmem can register a dax device long before the drivers of the region come. Not what a program has
 * changed.
 */
void history_reconsider_placed(struct history *history, const struct devices *all);

/*
 * Try again what failed for want of a driver, now that one has come. What is begun may still fail:
 * before Linux 5.12 the event of a module comes before the module registers its driver
 * (mod_sysfs_setup(), kernel/module.c).
 */
void history_reconsider_failed(struct history *history);

/*
 * Has the daemon itself left the device half done? Between two of its steps, or because one failed,
 * a device may have no driver, or kmem and no block of it.
 */
bool history_entry_is_half_done(const struct history_entry *entry);

/*
 * Has a step failed, and are those before it being taken back? Verdict and reason are already those
 * that the device is to end with.
 */
bool history_entry_is_undoing(const struct history_entry *entry);

/* Has a step back failed, so that blocks are online that the daemon brought online itself? */
bool history_entry_is_partly_undone(const struct history_entry *entry);

/*
 * Was the device changed since it was left? Driver and blocks are those of now. Not if it
 * has been recorded already or is to be decided, nor if a hypervisor takes and gives the memory.
 */
bool history_entry_is_changed(const struct history_entry *entry, enum dax_driver driver,
	const struct block_count *blocks);

/*
 * Has the device of these facts been changed since it was decided, recorded or not? Of a
 * part of a run it is not known how it was left.
 */
bool history_entry_was_changed(const struct history_entry *entry, const struct facts *facts);

/*
 * Is this another decision on the device, or is now done what was withheld, or the other way
 * round? That a device is in devdax mode already is no other reason than the one that made it so.
 */
bool history_entry_differs(
	const struct history_entry *entry, const struct decision *decision, enum result result);

/* It has been decided again, and nothing else has come of it: what was decided stands. */
void history_entry_confirm(
	struct history_entry *entry, const struct device *device, const struct outcome *outcome);
