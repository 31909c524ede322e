/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A configuration that other users than root can write is not used.
 */
#include "mock.h"

#include <stdio.h>

#define MAIN_FILE "/etc/tdx-onlined/tdx-onlined.conf"
#define RULE	  RULES "/50-dax0.rule"
#define ELSEWHERE "/home/rules"
#define CHOWN	  "'chown root'"
#define CHMOD	  "'chmod go-w'"
#define CHECK	  ": check its content, then run "

/* A file or folder of the configuration, or above it, and the line about it. */
static const struct {
	const char *path;
	mode_t mode, good;
	const char *line;
} cases[] = {
	{RULE, 0664, 0644,
		"^" RULE ": writable by others than root (mode 0664)" CHECK CHMOD " on it"},
	{MAIN_FILE, 0646, 0644,
		"^" MAIN_FILE ": writable by others than root (mode 0646)" CHECK CHMOD " on it"},
	{MAIN_FILE, 02644, 0644, "^" MAIN_FILE ": owned by user 1000" CHECK CHOWN " on it"},
	{RULES, 0757, 0755,
		"^" RULES ": writable by others than root (mode 0757)" CHECK CHMOD " on it"},
	{RULES, 01777, 0755,
		"^" RULES ": writable by others than root (mode 1777)" CHECK CHMOD " on it"},
	{RULES, 02755, 0755, "^" RULES ": owned by user 1000" CHECK CHOWN " on it"},
	{"/run/tdx-onlined", 02775, 0755,
		"^/run/tdx-onlined/conf.d: /run/tdx-onlined, which leads to it, is owned by user "
		"1000 and writable by others than root (mode 2775)" CHECK CHOWN " and " CHMOD
		" on /run/tdx-onlined"},
	{"/usr/lib", 0775, 0755,
		"^/usr/lib/tdx-onlined/rules.d: /usr/lib, which leads to it, is writable by others "
		"than root (mode 0775)" CHECK CHMOD " on /usr/lib"},
	{"/home", 02755, 0755,
		"^" RULES
		"/60-link.rule: /home, which leads to it, is owned by user 1000" CHECK CHOWN
		" on /home"},
	{ELSEWHERE "/60.rule", 0666, 0644,
		"^" RULES "/60-link.rule: " ELSEWHERE
		"/60.rule, which leads to it, is writable by others than root (mode 0666)" CHECK
			CHMOD " on " ELSEWHERE "/60.rule"},
};

static void configure(const struct mock *mock)
{
	mock_configure(mock, "TDX=active\n");
	mock_rule(mock, "50-dax0.rule", "Device=dax0.0\n", "Verdict=ignore\n");
	mock_rule(mock, "60.rule", "Device=dax1.0\n", "Verdict=ignore\n");
	mock_move(mock, RULES "/60.rule", ELSEWHERE "/60.rule");
	mock_link(mock, RULES "/60-link.rule", "../../../home/rules/60.rule");
	mock_make_directory(mock, "/usr/lib");
}

/* A reload logs each of them, and the old configuration stays in effect. */
static void test_reload(void **state)
{
	struct mock *mock = *state;

	configure(mock);
	mock_start(mock);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mock_set_mode(mock, cases[i].path, cases[i].mode);
		mock_reload(mock);
		mock_expect_line(mock, cases[i].line);
		mock_expect_line(mock, "The new configuration has mistakes and is not used");
		mock_set_mode(mock, cases[i].path, cases[i].good);
	}
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 2 rules");
	mock_stop(mock);
}

/* A start holds the guard, decides nothing, and writes one record with the mistake. */
static void test_start(void **state)
{
	struct mock *mock = *state;

	configure(mock);
	mock_set_mode(mock, RULE, 0666);
	mock_start(mock);
	mock_expect_line(mock, RULE ": writable by others than root");
	mock_expect_line(mock, "^The configuration cannot be used: " RULE ": writable by others");
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_set_mode(mock, RULE, 0644);
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 2 rules");
	mock_stop(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_reload),
		TEST(test_start),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
