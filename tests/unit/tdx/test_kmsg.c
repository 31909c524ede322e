/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of /dev/kmsg: messages of the kernel, and records that only look like them.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tdxo/tdx/kmsg.h"

static void test_kernel_messages(void **state)
{
	static const struct {
		const char *line, *message;
	} rows[] = {
		{"6,319,5140900,-;virt/tdx: module initialized\n",
			"virt/tdx: module initialized\n"},
		{"0,0,0,-;x", "x"},
		{"7,1,2,-;", ""},
		{"3,400,123456,-,caller=T1;virt/tdx: module not loaded",
			"virt/tdx: module not loaded"},
		{"3,400,123456,-;a;b", "a;b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *message = NULL;

		assert_int_equal(kmsg_parse(rows[i].line, &message), 0);
		if (!message)
			fail_msg("row %zu: %s", i, rows[i].line);
		assert_string_equal(message, rows[i].message);
	}
}

static void test_others(void **state)
{
	static const char *const lines[] = {
		"12,319,5140900,-;virt/tdx: module initialized", /* written by a program */
		"8,1,2,-;x",
		"30,1,2,-;x",
		"06,1,2,-;x",
		"6,319,5140900,c;virt/tdx: module initialized", /* a fragment */
		"6,319,5140900,+;virt/tdx: module initialized",
		"6,319,5140900,-x;y",
		" SUBSYSTEM=virt/tdx: module initialized", /* a line of the dictionary */
		" 6,1,2,-;x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *message = lines[i];

		assert_int_equal(kmsg_parse(lines[i], &message), 0);
		if (message)
			fail_msg("%s", lines[i]);
	}
}

static void test_no_records(void **state)
{
	static const char *const lines[] = {
		"virt/tdx: module initialized",
		"[    1.234567] virt/tdx: module initialized",
		"<6>virt/tdx: module initialized",
		"6,319,5140900,-",
		"6,319,5140900;x",
		"6,319,-;x",
		"6,,5140900,-;x",
		"6,x,5140900,-;x",
		"-6,1,2,-;x",
		"6",
		"\n",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *message = "untouched";

		if (kmsg_parse(lines[i], &message) != -EBADMSG)
			fail_msg("%s", lines[i]);
		assert_string_equal(message, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_messages),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
