/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A complaint is logged once while its cause lasts, and for a limited number of files.
 */
#include "tests/unit/unit.h"

#include "daemon/log/complaints.h"

void __wrap_log_line(int priority, const char *text);

static unsigned int logged;

void __wrap_log_line(int priority, const char *text)
{
	(void)priority;
	(void)text;
	logged++;
}

/* Complain about files [first, end) in one look. Returns the number of lines logged. */
static unsigned int look(struct complaints *complaints, unsigned int first, unsigned int end)
{
	logged = 0;
	complaints_begin(complaints);
	for (unsigned int i = first; i < end; i++)
		complain(complaints, "file %u: cannot be read", i);
	return logged;
}

static void test_once(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};

	(void)state;
	assert_int_equal(look(&complaints, 0, 2), 2);
	assert_int_equal(look(&complaints, 0, 3), 1);
	assert_int_equal(look(&complaints, 1, 3), 0);
	/* File 0 was readable in the look before. */
	assert_int_equal(look(&complaints, 0, 3), 1);
}

static void test_many(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};

	(void)state;
	assert_int_equal(look(&complaints, 0, 300), 201);
	for (int i = 0; i < 4; i++)
		assert_int_equal(look(&complaints, 0, 300), 0);
}

/* complaints_collect() cannot be undone, so this is the last test. */
static void test_collect(void **state)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};

	(void)state;
	complaints_collect();
	assert_int_equal(look(&complaints, 0, 2), 0);
	assert_int_equal(complaints.n, 2);
	assert_string_equal(complaint_text(&complaints, 1), "file 1: cannot be read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_collect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
