/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of reasons: names that can be found again, and texts that fit where they are used. That
 * the policy gives no other verdict with a reason is in scene.h.
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

/* Not a format, not a variable of the catalog, and one blank between two words. */
static void assert_plain(const char *text)
{
	assert_null(strpbrk(text, "%@\n\t"));
	assert_null(strstr(text, "  "));
}

static void assert_sentences(const char *text)
{
	assert_plain(text);
	assert_true(isupper((unsigned char)text[0]));
	assert_int_equal(text[strlen(text) - 1], '.');
	while ((text = strstr(text, ". ")))
		assert_true(isupper((unsigned char)*(text += 2)));
}

static void test_texts(void **state)
{
	(void)state;
	for (enum reason reason = 0; reason < REASON_MAX; reason++) {
		const char *clause = reason_clause(reason);

		assert_plain(clause);
		assert_true(isalpha((unsigned char)clause[0]));
		assert_true(isalpha((unsigned char)clause[strlen(clause) - 1]));
		assert_sentences(reason_explanation(reason));
		assert_sentences(reason_remedy(reason));
		assert_remedy(reason_remedy(reason));
	}
}

static void test_verdicts(void **state)
{
	(void)state;
	for (enum reason reason = 0; reason < REASON_MAX; reason++) {
		bool online = reason_has_verdict(reason, VERDICT_ONLINE);
		bool other = reason_has_verdict(reason, VERDICT_DEVDAX) ||
			     reason_has_verdict(reason, VERDICT_OFFLINE) ||
			     reason_has_verdict(reason, VERDICT_IGNORE);

		assert_true(online != other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
