/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matches: the ranges of which a word of --fail-on= is true, printed after everything else.
 */
#pragma once

#include "tdxo/base/compiler.h"
#include "tdxo/record/fail_on.h"

struct matched_range {
	unsigned int words; /* those that are true of it */
	char subject[RECORD_SENTENCE];
};

struct matches {
	unsigned int wanted; /* a set of enum fail_on; 0: nothing matches */
	struct matched_range *items;
	size_t n;
};

void matches_done(struct matches *matches);

/* 0 or -ENOMEM. */
int matches_add(struct matches *matches, const struct record *record) MUST_CHECK;

/* Boot memory that is offline: there is no record of it. 0 or -ENOMEM. */
int matches_add_offline_boot(struct matches *matches, const struct range_set *offline) MUST_CHECK;

/* One line for each. */
void matches_tell(const struct matches *matches);
