/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a script wants to stop at.
 */
#include "tdxo/record/fail_on.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Also if what was to be done is withheld, or came to nothing. */
static bool change(const struct record *record)
{
	return record->outcome.result != RESULT_NOTHING;
}

/* A dry run strands nothing: what counts is what is so now, and would not go online. */
static bool stranded(const struct record *record)
{
	if (record->outcome.result != RESULT_PLANNED)
		return record->outcome.stranded;
	return record->decision->verdict != VERDICT_ONLINE && record_lost(record);
}

/*
 * A refusal of what was to go online counts even if it was expected, as it is where the
 * configuration made another TDX state; and a block that is online is an answer, also if
 * another program brought it online.
 */
static bool disagreement(const struct record *record)
{
	return record_disagrees(record) || record->decision->reason == REASON_KERNEL_REFUSED ||
	       (record->decision->expected == ANSWER_REFUSES && record->outcome.blocks.online);
}

static const struct {
	const char *name;
	const char *clause;
	bool (*holds)(const struct record *record);
} words[] = {
	[FAIL_ON_CHANGE] = {"change", "it is not as decided, or was not before", change},
	[FAIL_ON_STRANDED] = {"stranded", "memory of it cannot be used", stranded},
	[FAIL_ON_DISAGREEMENT] = {"disagreement", "the kernel did not do as expected",
		disagreement},
	[FAIL_ON_OFFLINE_BOOT] = {"offline-boot", "it was RAM at boot, and is offline", NULL},
};
static_assert(ARRAY_SIZE(words) == FAIL_ON_MAX, "a row for each word");

static bool holds(unsigned int word, const struct record *record)
{
	return word < VERDICT_MAX ? record->decision->verdict == word : words[word].holds(record);
}

/* The length of a word of the list. Returns 0 if it is none. */
static size_t take_word(const char *list, unsigned int *set)
{
	size_t n = strcspn(list, ",");

	for (unsigned int word = 0; word < FAIL_ON_MAX; word++) {
		const char *name = fail_on_to_string(word);

		if (strlen(name) != n || memcmp(name, list, n) != 0)
			continue;
		*set |= 1U << word;
		return n;
	}
	return 0;
}

int fail_on_parse(const char **list, unsigned int *ret_set)
{
	unsigned int set = 0;

	for (;; ++*list) {
		size_t n = take_word(*list, &set);

		if (!n)
			return -EINVAL;
		*list += n;
		if (!**list)
			break;
	}
	*ret_set = set;
	return 0;
}

unsigned int fail_on_matches(unsigned int set, const struct record *record)
{
	unsigned int matches = 0;

	for (unsigned int word = 0; word < FAIL_ON_RECORD_MAX; word++)
		if (fail_on_has(set, word) && holds(word, record))
			matches |= 1U << word;
	return matches;
}

const char *fail_on_to_string(unsigned int word)
{
	return word < VERDICT_MAX ? verdict_to_string((enum verdict)word) : words[word].name;
}

const char *fail_on_explain(unsigned int word)
{
	return word < VERDICT_MAX ? "it has this verdict" : words[word].clause;
}
