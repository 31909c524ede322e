/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --fail-on=: lists of words, and records, each with all words that are true of it, so that a word
 * that is true too often is found as well.
 */
#include "tests/unit/records.h"

#include <errno.h>
#include <string.h>

#include "tdxo/record/fail_on.h"

#define ALL	     ((1U << FAIL_ON_MAX) - 1)
#define SET(word)    (1U << (word))
#define ONLINE	     SET(VERDICT_ONLINE)
#define DEVDAX	     SET(VERDICT_DEVDAX)
#define OFFLINE	     SET(VERDICT_OFFLINE)
#define IGNORE	     SET(VERDICT_IGNORE)
#define CHANGE	     SET(FAIL_ON_CHANGE)
#define STRANDED     SET(FAIL_ON_STRANDED)
#define DISAGREEMENT SET(FAIL_ON_DISAGREEMENT)
#define OFFLINE_BOOT SET(FAIL_ON_OFFLINE_BOOT)

static void test_lists(void **state)
{
	static const struct {
		const char *list;
		unsigned int set;
	} rows[] = {
		{"online", ONLINE},
		{"devdax", DEVDAX},
		{"offline", OFFLINE},
		{"ignore", IGNORE},
		{"change", CHANGE},
		{"stranded", STRANDED},
		{"disagreement", DISAGREEMENT},
		{"offline-boot", OFFLINE_BOOT},
		{"offline,online", ONLINE | OFFLINE},
		{"change,change", CHANGE},
		{"offline-boot,disagreement,stranded,change,ignore,offline,devdax,online", ALL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *list = rows[i].list;
		unsigned int set = 0;

		assert_int_equal(fail_on_parse(&list, &set), 0);
		assert_int_equal(set, rows[i].set);
	}
}

/* The list ends at the invalid word, and the set is not changed. */
static void test_bad_lists(void **state)
{
	static const struct {
		const char *list;
		size_t at;
	} rows[] = {
		{"", 0},
		{",", 0},
		{",online", 0},
		{"online,", 7},
		{"online,,change", 7},
		{"online change", 0},
		{"online, change", 7},
		{" online", 0},
		{"Online", 0},
		{"on", 0},
		{"onlines", 0},
		{"change,ful,online", 7},
		{"change,stranded,disagreements", 16},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *list = rows[i].list;
		unsigned int set = 12345;

		assert_int_equal(fail_on_parse(&list, &set), -EINVAL);
		assert_ptr_equal(list, rows[i].list + rows[i].at);
		assert_int_equal(set, 12345);
	}
}

/* Every word is valid in a list and has an explanation. */
static void test_names(void **state)
{
	(void)state;
	for (unsigned int word = 0; word < FAIL_ON_MAX; word++) {
		const char *list = fail_on_to_string(word);
		unsigned int set;

		assert_int_equal(fail_on_parse(&list, &set), 0);
		assert_int_equal(set, SET(word));
		assert_string_not_equal(fail_on_explain(word), "");
	}
}

#define RESULT(is)     .record.outcome.result = RESULT_##is
#define VERDICT(is)    .decision.verdict = VERDICT_##is
#define BLOCKS(in, up) .record.outcome.blocks = {.present = (in), .online = (up)}
#define EXPECTED(is)   .decision.expected = ANSWER_##is
#define ANSWER(is)     .record.outcome.answer = ANSWER_##is
#define REASON(is)     .decision.reason = REASON_##is
#define STRANDED_BYTES .record.outcome.stranded = 512 * MIB

static const struct {
	const char *what;
	unsigned int words;
	struct own_record own;
} rows[] = {
	{"online already", ONLINE, {VERDICT(ONLINE), RESULT(NOTHING), BLOCKS(4, 4)}},
	{"devdax already", DEVDAX, {VERDICT(DEVDAX), RESULT(NOTHING)}},
	{"ignored", IGNORE, {VERDICT(IGNORE), RESULT(NOTHING)}},
	{"left offline", OFFLINE | STRANDED,
		{VERDICT(OFFLINE), RESULT(NOTHING), BLOCKS(4, 0), STRANDED_BYTES}},

	/* --oneshot */
	{"was done", ONLINE | CHANGE, {VERDICT(ONLINE), RESULT(DONE), BLOCKS(4, 4)}},
	{"in part", ONLINE | CHANGE | STRANDED,
		{VERDICT(ONLINE), RESULT(PARTIAL), BLOCKS(4, 2), STRANDED_BYTES}},
	{"failed", ONLINE | CHANGE | STRANDED,
		{VERDICT(ONLINE), RESULT(FAILED), BLOCKS(4, 0), STRANDED_BYTES}},
	{"failed, nothing is in the kernel", DEVDAX | CHANGE, {VERDICT(DEVDAX), RESULT(FAILED)}},
	{"withheld", DEVDAX | CHANGE | STRANDED,
		{VERDICT(DEVDAX), RESULT(WITHHELD), BLOCKS(4, 0), STRANDED_BYTES}},

	/* A dry run has no stranded bytes yet, but the blocks. */
	{"planned", DEVDAX | CHANGE, {VERDICT(DEVDAX), RESULT(PLANNED)}},
	{"to be unbound from kmem", DEVDAX | CHANGE | STRANDED,
		{VERDICT(DEVDAX), RESULT(PLANNED), BLOCKS(4, 0)}},
	{"to go online", ONLINE | CHANGE, {VERDICT(ONLINE), RESULT(PLANNED), BLOCKS(4, 0)}},
	{"to go offline", OFFLINE | CHANGE, {VERDICT(OFFLINE), RESULT(PLANNED), BLOCKS(4, 4)}},
	{"to go offline wholly", OFFLINE | CHANGE | STRANDED,
		{VERDICT(OFFLINE), RESULT(PLANNED), BLOCKS(4, 3)}},
	{"unplugged", IGNORE | STRANDED,
		{VERDICT(IGNORE), RESULT(NOTHING), REASON(UNPLUGGED), STRANDED_BYTES}},
	{"unplugged, to be devdax", DEVDAX | CHANGE | STRANDED,
		{VERDICT(DEVDAX), RESULT(PLANNED), .record.outcome.missing = 4}},
	{"unread are not stranded", IGNORE | CHANGE,
		{VERDICT(IGNORE), RESULT(PLANNED),
			.record.outcome.blocks = {.present = 4, .online = 1, .unread = 3}}},

	/* The answer of the kernel. */
	{"accepted as expected", ONLINE,
		{VERDICT(ONLINE), RESULT(NOTHING), EXPECTED(ACCEPTS), ANSWER(ACCEPTS),
			BLOCKS(4, 4)}},
	{"refused, acceptance expected", DEVDAX | DISAGREEMENT,
		{VERDICT(DEVDAX), RESULT(NOTHING), EXPECTED(ACCEPTS), ANSWER(REFUSES)}},
	{"accepted, refusal expected", DEVDAX | DISAGREEMENT,
		{VERDICT(DEVDAX), RESULT(NOTHING), EXPECTED(REFUSES), ANSWER(ACCEPTS)}},
	{"accepted, nothing expected", ONLINE, {VERDICT(ONLINE), RESULT(NOTHING), ANSWER(ACCEPTS)}},
	{"refused, although the verdict was online", DEVDAX | CHANGE | DISAGREEMENT,
		{VERDICT(DEVDAX), RESULT(DONE), EXPECTED(REFUSES), ANSWER(REFUSES),
			REASON(KERNEL_REFUSED)}},
	{"refused, nothing expected", OFFLINE | CHANGE | DISAGREEMENT,
		{VERDICT(OFFLINE), RESULT(DONE), ANSWER(REFUSES), REASON(KERNEL_REFUSED)}},
	{"failed, not refused", DEVDAX | CHANGE,
		{VERDICT(DEVDAX), RESULT(DONE), EXPECTED(ACCEPTS), REASON(ROLLED_BACK)}},
	{"online, refusal expected", IGNORE | DISAGREEMENT,
		{VERDICT(IGNORE), RESULT(NOTHING), EXPECTED(REFUSES), BLOCKS(4, 1)}},
	{"offline, refusal expected", DEVDAX | CHANGE | STRANDED,
		{VERDICT(DEVDAX), RESULT(PLANNED), EXPECTED(REFUSES), BLOCKS(4, 0)}},
	{"online, nothing expected", IGNORE, {VERDICT(IGNORE), RESULT(NOTHING), BLOCKS(4, 4)}},
};

/* The result is the requested words that are true, for every set of requested words. */
static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct own_record own = rows[i].own;
		const struct record *record = own_record_of(&own);

		for (unsigned int set = 0; set <= ALL; set++)
			if (fail_on_matches(set, record) != (set & rows[i].words))
				fail_msg("%s: of 0x%x: 0x%x", rows[i].what, set,
					fail_on_matches(set, record));
	}
}

/* A record has one verdict; only "nothing to do" is not a change. */
static void test_all_results(void **state)
{
	(void)state;
	for (enum verdict verdict = 0; verdict < VERDICT_MAX; verdict++)
		for (enum result result = 0; result < RESULT_MAX; result++) {
			struct own_record own = {
				.decision.verdict = verdict, .record.outcome.result = result};

			assert_int_equal(fail_on_matches(ALL, own_record_of(&own)),
				SET(verdict) | (result == RESULT_NOTHING ? 0 : CHANGE));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_bad_lists),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_all_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
