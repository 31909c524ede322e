/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of reasons: names that are parsed again, and texts that have the form of their place.
 * The verdicts of each reason are in tests/unit/verdicts.h.
 */
#include "tests/unit/unit.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "tdxo/policy/reason.h"
#include "tests/unit/remedy.h"

static void test_names(void **state)
{
	enum reason back = REASON_MAX;

	(void)state;
	for (enum reason reason = 0; reason < REASON_MAX; reason++) {
		const char *name = reason_to_string(reason);

		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		assert_int_equal(reason_from_string(name, &back), 0);
		assert_int_equal(back, reason);
	}
	assert_int_equal(reason_from_string("", &back), -EINVAL);
	assert_int_equal(reason_from_string("In-Boot-Map", &back), -EINVAL);
	assert_int_equal(back, REASON_MAX - 1);
}

/* No format characters, and one space between words. */
static void assert_plain(const char *text)
{
	assert_null(strpbrk(text, "%\n\t"));
	assert_null(strstr(text, "  "));
}

static void assert_sentences(const char *text)
{
	assert_plain(text);
	assert_true(isupper((unsigned char)text[0]) || text[0] == '@');
	assert_int_equal(text[strlen(text) - 1], '.');
	while ((text = strstr(text, ". ")))
		assert_true(isupper((unsigned char)*(text += 2)));
}

/* A clause and a subject are parts of a sentence: no full stop, no variables. */
static void assert_title(const char *text)
{
	assert_plain(text);
	assert_null(strchr(text, '@'));
	assert_true(isalpha((unsigned char)text[0]));
	assert_true(isalpha((unsigned char)text[strlen(text) - 1]));
}

static void test_texts(void **state)
{
	(void)state;
	for (enum reason reason = 0; reason < REASON_MAX; reason++) {
		if (reason_clause(reason))
			assert_title(reason_clause(reason));
		assert_title(reason_subject(reason));
		assert_sentences(reason_explanation(reason));
		for (int dax = 0; dax < 2; dax++) {
			assert_sentences(reason_remedy(reason, dax));
			assert_remedy(reason_remedy(reason, dax));
		}
	}
}

/* Each remedy has its own id. */
static void test_ids(void **state)
{
	static const char *seen[2 * REASON_MAX];
	size_t n = 0;

	(void)state;
	for (enum reason reason = 0; reason < REASON_MAX; reason++) {
		const char *const ids[] = {
			reason_message_id(reason, true), reason_message_id(reason, false)};
		bool two = reason_has_two_remedies(reason);

		assert_int_equal(ids[0] != ids[1], two);
		assert_int_equal(reason_remedy(reason, true) != reason_remedy(reason, false), two);
		for (int i = 0; i <= two; i++) {
			assert_int_equal(strspn(ids[i], "0123456789abcdef"), 32);
			assert_int_equal(strlen(ids[i]), 32);
			for (size_t j = 0; j < n; j++)
				assert_string_not_equal(seen[j], ids[i]);
			seen[n++] = ids[i];
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
