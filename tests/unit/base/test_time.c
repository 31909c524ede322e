/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Points in time as text, compared with gmtime(3) and strftime(3).
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "tdxo/base/time.h"

#define YEAR_10000 253402300800

static void assert_time(uint64_t seconds, const char *expected)
{
	char buf[TIME_TEXT];

	assert_string_equal(time_format(seconds, buf), expected);
}

static void test_known(void **state)
{
	(void)state;
	assert_time(0, "1970-01-01T00:00:00Z");
	assert_time(951782399, "2000-02-28T23:59:59Z");
	assert_time(951782400, "2000-02-29T00:00:00Z");
	assert_time(4107542400, "2100-03-01T00:00:00Z");
	assert_time(YEAR_10000 - 1, "9999-12-31T23:59:59Z");
	assert_time(YEAR_10000, "@253402300800");
	assert_time(UINT64_MAX, "@18446744073709551615");
}

/* Steps that are not a multiple of a day: each day of a month and each hour occurs. */
static void test_against_c_library(void **state)
{
	(void)state;
	for (time_t at = 0; at < YEAR_10000; at += 1009 * 3600 + 61) {
		char expected[TIME_TEXT];
		struct tm tm;

		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
		assert_time((uint64_t)at, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_against_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
