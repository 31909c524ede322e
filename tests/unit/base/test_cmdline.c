/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel command line is split into parameters as the kernel does it.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "tdxo/base/cmdline.h"

static void test_parameters(void **state)
{
	static const struct parameter wants[] = {
		{"quiet", ""},
		{"memhp_default_state", "online"},
		{"modprobe.blacklist", "kmem,dax-cxl"},
		{"a_b", "c-d"},
		{"spaced", "two words"},
		{"inner", "x y=z"},
		{"empty", ""},
		{"last", "1"},
	};
	const char *text = " quiet memhp-default_state=online\tmodprobe.blacklist=kmem,dax-cxl "
			   "a-b=c-d \"spaced=two words\" inner=\"x y=z\" empty= last=1\n-- memhp=2";
	struct parameter parameter;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		assert_true(parameter_next(&text, &parameter));
		assert_string_equal(parameter.name, wants[i].name);
		assert_string_equal(parameter.value, wants[i].value);
	}
	assert_false(parameter_next(&text, &parameter));
	text = "";
	assert_false(parameter_next(&text, &parameter));
	text = " \n";
	assert_false(parameter_next(&text, &parameter));
}

static void test_long_parameter(void **state)
{
	char text[2000], name[FOREIGN_NAME], value[FOREIGN_VALUE];
	const char *at = text;
	struct parameter parameter;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[500] = '=';
	text[1500] = ' ';
	memcpy(text + 1501, "b=2", 4);
	memset(name, 'x', sizeof(name) - 1);
	memset(value, 'x', sizeof(value) - 1);
	name[sizeof(name) - 1] = value[sizeof(value) - 1] = '\0';
	assert_true(parameter_next(&at, &parameter));
	assert_string_equal(parameter.name, name);
	assert_string_equal(parameter.value, value);
	assert_true(parameter_next(&at, &parameter));
	assert_string_equal(parameter.name, "b");
	assert_string_equal(parameter.value, "2");
}

static void test_lists(void **state)
{
	static const struct {
		const char *value;
		bool has;
	} rows[] = {
		{"device_dax", true},
		{"device-dax", true},
		{"kmem,device-dax", true},
		{"device_dax,kmem", true},
		{",device_dax,", true},
		{"", false},
		{"kmem", false},
		{"device_dax2", false},
		{"xdevice_dax", false},
		{"device dax", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parameter parameter = {0};

		strcpy(parameter.value, rows[i].value);
		if (parameter_lists(&parameter, "device_dax") != rows[i].has)
			fail_msg("%s", rows[i].value);
	}
}

static void test_no(void **state)
{
	static const char *const no[] = {"0", "n", "N", "no", "off", "OFF", "f", "false"};
	static const char *const yes[] = {"", "1", "y", "Y", "on", "ON", "true", "auto"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_true(parameter_is_no(no[i]));
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_false(parameter_is_no(yes[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_long_parameter),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
