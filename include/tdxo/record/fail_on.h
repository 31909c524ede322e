/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fail on: what makes a command exit with a status of its own, for scripts.
 *
 * A word names something that is true of a range, or is not. One word is about boot memory, which
 * has no record. A set of words is an integer with bit (1 << enum fail_on) for each.
 */
#pragma once

#include "tdxo/base/compiler.h"
#include "tdxo/policy/rule.h"
#include "tdxo/record/record.h"

/* The first words are the verdicts, with the numbers of enum verdict: the range got that one. */
enum fail_on {
	FAIL_ON_CHANGE = VERDICT_MAX,
	FAIL_ON_STRANDED,
	FAIL_ON_DISAGREEMENT,
	FAIL_ON_RECORD_MAX,			   /* the words before it are those of a record */
	FAIL_ON_OFFLINE_BOOT = FAIL_ON_RECORD_MAX, /* a block of boot memory is offline */
	FAIL_ON_MAX,
};

/*
 * Read a list of words with commas between them, one at least. 0; or -EINVAL, and then *list is
 * at the word that is none.
 */
int fail_on_parse(const char **list, unsigned int *ret_set) MUST_CHECK;

static inline bool fail_on_has(unsigned int set, enum fail_on word)
{
	return set & 1U << word;
}

/* Which words of the set are true of the range; its record is complete. */
unsigned int fail_on_matches(unsigned int set, const struct record *record);

const char *fail_on_to_string(unsigned int word);
const char *fail_on_explain(unsigned int word); /* a clause: "it has this verdict" */
