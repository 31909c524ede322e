/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's files: state.json for itself, and status.json for all users.
 */
#include "mock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATUS	   "/run/tdx-onlined/status.json"
#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (2 * BLOCK)

static const struct mock_record dax0_refused = {
	DAX0_START, DAX0_SIZE, "kept out of system RAM", "outside-boot-map", "active", NULL};
static const struct mock_record block_refused = {
	2 * GIB, BLOCK, "left offline", "outside-boot-map", "active", NULL};

/* Let the daemon decide a dax device and a block, and stop it. */
static void decide(struct mock *mock)
{
	mock_configure(mock, "CapableRanges=0x7000000000-0x7fffffffff\n");
	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(mock, &dax0_refused);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock, &block_refused);
	mock_await_settled(mock);
	mock_stop(mock);
}

static void expect_words(
	const struct mock *mock, const char *path, const char *const *words, bool there)
{
	static char text[65536];

	mock_read(mock, path, text, sizeof(text));
	for (; *words; words++)
		if ((strstr(text, *words) != NULL) != there)
			fail_msg("%s: \"%s\" is %s", path, *words, there ? "missing" : "there");
}

/* The decisions are in both files, physical addresses only in state.json. */
static void test_addresses(void **state)
{
	static const char *const common[] = {"\"boot_id\":", "\"devices\":[{",
		"\"chardev\":\"dax0.0\"", "\"verdict\":\"devdax\"", "\"verdict\":\"offline\"",
		"\"size\":268435456", "\"known\":true", "\"last_look\":", "\"Act\":\"yes\"",
		"\"since\":", NULL};
	static const char *const places[] = {"\"ranges\":", "\"start\":", "4294967296",
		"2147483648", "CapableRanges", "0x7000000000", NULL};
	struct mock *mock = *state;

	decide(mock);
	mock_expect_silence(mock);
	mock_expect_mode(mock, STATE, 0600);
	mock_expect_mode(mock, STATUS, 0644);
	expect_words(mock, STATE, common, true);
	expect_words(mock, STATUS, common, true);
	expect_words(mock, STATE, places, true);
	expect_words(mock, STATUS, places, false);
}

/* state.json has the files in effect, and the mistake of those that were not used. */
static void test_configuration(void **state)
{
	static const char *const files[] = {
		"tdx-onlined.conf\"],\"config_checksum\":", "\"unusable\":false", NULL};
	static const char *const mistake[] = {
		"tdx-onlined.conf:2: Act=perhaps: not yes or no\",\"unusable\"", NULL};
	static const char *const unusable[] = {"\"unusable\":true", NULL};
	struct mock *mock = *state;

	mock_configure(mock, "Guard=auto\n");
	mock_start_active(mock);
	expect_words(mock, STATE, files, true);
	expect_words(mock, STATUS, files, true);
	mock_configure(mock, "Act=perhaps\n");
	mock_reload(mock);
	mock_expect_line(mock, "tdx-onlined.conf:2: Act=perhaps: not ");
	mock_expect_line(mock, "The new configuration has mistakes and is not used");
	expect_words(mock, STATE, mistake, true);
	expect_words(mock, STATE, files, true);
	expect_words(mock, STATUS, mistake, false);
	mock_stop(mock);
	mock_start(mock);
	mock_expect_line(mock, "tdx-onlined.conf:2: Act=perhaps: not ");
	mock_expect_line(mock, "The configuration cannot be used: ");
	mock_expect_tdx(mock, "active");
	expect_words(mock, STATE, mistake, true);
	expect_words(mock, STATUS, unusable, true);
	mock_configure(mock, "Act=yes\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "active");
	mock_await_settled(mock);
	mock_stop(mock);
	expect_words(mock, STATE, mistake, false);
	expect_words(mock, STATE, files, true);
}

/* Files of an older version have other modes. */
static void test_old_modes(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, STATE ".new", "");
	mock_put(mock, STATUS ".new", "");
	mock_set_mode(mock, STATE ".new", 0644);
	mock_set_mode(mock, STATUS ".new", 0600);
	decide(mock);
	mock_expect_mode(mock, STATE, 0600);
	mock_expect_mode(mock, STATUS, 0644);
}

/* status.json cannot be written: the daemon goes on, and removes the old one. */
static void test_not_published(void **state)
{
	struct mock *mock = *state;
	char real[MOCK_PATH];

	mock_put(mock, STATUS, "{}");
	mock_make_directory(mock, STATUS ".new");
	decide(mock);
	mock_expect_line(mock, STATUS ": cannot be written: Is a directory");
	mock_expect_silence(mock);
	mock_expect_mode(mock, STATE, 0600);
	assert_int_equal(access(mock_real_path(mock, STATUS, real), F_OK), -1);
	mock_remove(mock, STATUS ".new");
	mock_start_in(mock, "active");
	mock_stop(mock);
	mock_expect_mode(mock, STATUS, 0644);
}

/* A state file that others can write is ignored. */
static void test_not_trusted(void **state)
{
	static const struct {
		mode_t mode;
		const char *line;
	} cases[] = {
		{0620, "^" STATE ": not a state file (writable by others than root (mode 0620)"},
		{0602, "^" STATE ": not a state file (writable by others than root (mode 0602)"},
		{02600, "^" STATE ": not a state file (owned by user 1000:"},
	};
	struct mock *mock = *state;

	decide(mock);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mock_set_mode(mock, STATE, cases[i].mode);
		mock_start_in(mock, "active");
		mock_expect_line(mock, cases[i].line);
		mock_await_settled(mock);
		mock_stop(mock);
		mock_expect_mode(mock, STATE, 0600);
	}
	mock_start_in(mock, "active");
	mock_stop(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_configuration),
		TEST(test_old_modes),
		TEST(test_not_published),
		TEST(test_not_trusted),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
