/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A oneshot's exit status: what it did, what came of that, and what --fail-on= makes of it. The
 * same machine is asked again and again, so the first run has something to do, and the next has
 * not.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>

enum { DONE = 0, FAILED = 1, MATCHED = 4, PARTIAL = 64 };

#define RANGE "[mem 0x80000000-0x87ffffff]"

/* Says that these words are true of the range, which has blocks 16 and nothing else. */
static void expect_match(struct mock *mock, const char *words)
{
	char line[128];

	snprintf(line, sizeof(line), "^--fail-on=%s: 128 MiB unknown " RANGE, words);
	mock_expect_line(mock, line);
}

static void test_change(void **state)
{
	struct mock *mock = *state;

	mock_add_blocks(mock, 16, 1, "offline");
	assert_int_equal(mock_oneshot(mock, "change,stranded,disagreement,devdax"), MATCHED);
	expect_match(mock, "change");
	mock_expect_blocks(mock, 16, 1, "online");
	assert_int_equal(mock_oneshot(mock, "change,stranded,disagreement,devdax"), DONE);
	assert_int_equal(mock_oneshot(mock, "online"), MATCHED);
	expect_match(mock, "online");
	mock_expect_silence(mock);
}

/* What was asked for comes before what went wrong; but only if it was asked for. */
static void test_before_partial(void **state)
{
	struct mock *mock = *state;

	mock_fail(mock, "memory16/state", EACCES);
	mock_add_blocks(mock, 16, 1, "offline");
	assert_int_equal(mock_oneshot(mock, NULL), PARTIAL);
	assert_int_equal(mock_oneshot(mock, "disagreement,ignore"), PARTIAL);
	assert_int_equal(mock_oneshot(mock, "stranded,change"), MATCHED);
	expect_match(mock, "change,stranded");
	mock_expect_silence(mock);
}

/* EPERM is the kernel's refusal. Nothing is known to refuse, so another answer was expected. */
static void test_refused(void **state)
{
	struct mock *mock = *state;

	mock_fail(mock, "memory16/state", EPERM);
	mock_add_blocks(mock, 16, 1, "offline");
	assert_int_equal(mock_oneshot(mock, "online,disagreement,ignore"), MATCHED);
	expect_match(mock, "disagreement");
	mock_expect_silence(mock);
}

/* A failure is one, whatever there is to match. */
static void test_failure(void **state)
{
	struct mock *mock = *state;

	mock_add_blocks(mock, 16, 1, "offline");
	mock_configure(mock, "Act=perhaps\n");
	assert_int_equal(mock_oneshot(mock, "online,change"), FAILED);
	mock_expect_line(mock, "Act=perhaps: ");
	mock_expect_line(mock, "nothing has been done");
	mock_expect_silence(mock);
	mock_expect_blocks(mock, 16, 1, "offline");
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_change, mock_setup, mock_teardown),
		cmocka_unit_test_setup_teardown(test_before_partial, mock_setup, mock_teardown),
		cmocka_unit_test_setup_teardown(test_refused, mock_setup, mock_teardown),
		cmocka_unit_test_setup_teardown(test_failure, mock_setup, mock_teardown),
	};

	if (!mock_programs(argc, argv))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
