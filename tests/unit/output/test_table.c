/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables of records that no captured machine has: windows with several regions, regions with
 * several devices, in any order of addresses, interleaved memory devices, and a step that failed.
 */
#include "tests/unit/records.h"

#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/output/table.h"

static struct own_record cxl_record(
	const char *decoder, const char *region, const char *device, struct range range)
{
	struct own_record own = {
		.facts.device = device_of(device, TYPE_CXL),
		.decision = {.verdict = VERDICT_ONLINE, .reason = REASON_TDX_ABSENT},
		.record = {.range = range,
			.outcome = {.result = RESULT_DONE, .driver = DAX_DRIVER_KMEM}},
	};

	snprintf(own.facts.device.region, SYSFS_NAME, "%s", region);
	snprintf(own.facts.cxl.window.decoder, SYSFS_NAME, "%s", decoder);
	if (strcmp(decoder, "decoder0.0") == 0)
		own.facts.cxl.window.range = span(64 * GIB, 128 * GIB);
	return own;
}

/* Print to a file in place of standard output. cmocka prints to standard error. */
static void print(struct table *table, int to, int from, char text[4096])
{
	int out = dup(STDOUT_FILENO);
	ssize_t n;

	fflush(stdout);
	assert_true(out >= 0 && dup2(to, STDOUT_FILENO) >= 0);
	assert_int_equal(table_print(table), 0);
	fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	close(out);
	n = read(from, text, 4095);
	assert_true(n >= 0);
	text[n] = '\0';
}

static void assert_printed(const struct table_options *options, struct own_record *owns, size_t n,
	const char *expected)
{
	CLEANUP(table_done) struct table table = {0};
	char text[4096];
	int ends[2];

	assert_int_equal(table_init(&table, options), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(table_add(&table, own_record_of(&owns[i])), 0);
	assert_int_equal(pipe(ends), 0);
	print(&table, ends[1], ends[0], text);
	close(ends[0]);
	close(ends[1]);
	assert_string_equal(text, expected);
}

static struct table_options choose(const char *const titles[], size_t n)
{
	struct table_options options = {.only_chosen = true};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(columns_choose(&options, titles[i], strlen(titles[i])), 0);
	return options;
}

static void test_tree(void **state)
{
	static const char *const titles[] = {"name", "size", "chardev", "region"};
	struct range two[] = {{64 * GIB, 65 * GIB}, {66 * GIB, 68 * GIB}};
	struct own_record owns[] = {
		cxl_record("decoder0.0", "region0", "dax0.0", two[0]),
		cxl_record("decoder0.0", "region0", "dax0.1", span(68 * GIB, 72 * GIB)),
		cxl_record("decoder0.0", "region0", "dax0.0", two[1]),
		cxl_record("decoder0.1", "region7", "dax7.0", span(80 * GIB, 88 * GIB)),
		cxl_record("", "", "", span(96 * GIB, 97 * GIB)),
		cxl_record("decoder0.0", "region1", "dax0.0", span(100 * GIB, 116 * GIB)),
		cxl_record("", "region7", "dax7.0", span(200 * GIB, 201 * GIB)),
		cxl_record("", "", "dax8.0", span(300 * GIB, 301 * GIB)),
	};
	struct table_options options = choose(titles, ARRAY_SIZE(titles));

	(void)state;
	for (size_t i = 0; i <= 2; i += 2) {
		owns[i].facts.device.ranges = two;
		owns[i].facts.device.n_ranges = ARRAY_SIZE(two);
		owns[i].facts.device.size = 3 * GIB;
	}
	owns[7].record.origin.window = span(300 * GIB, 302 * GIB);
	options.tree = true;
	options.noheadings = true;
	assert_printed(&options, owns, ARRAY_SIZE(owns),
		"decoder0.0 0x1000000000-0x1fffffffff 64 GiB\n"
		"|-region0                                           region0\n"
		"| |-dax0.0                            3 GiB dax0.0  region0\n"
		"| | |-0x1000000000-0x103fffffff       1 GiB dax0.0  region0\n"
		"| | `-0x1080000000-0x10ffffffff       2 GiB dax0.0  region0\n"
		"| `-dax0.1                            4 GiB dax0.1  region0\n"
		"|   `-0x1100000000-0x11ffffffff       4 GiB dax0.1  region0\n"
		"`-region1                                           region1\n"
		"  `-dax0.0                           16 GiB dax0.0  region1\n"
		"    `-0x1900000000-0x1cffffffff      16 GiB dax0.0  region1\n"
		"decoder0.1\n"
		"`-region7                                           region7\n"
		"  `-dax7.0                            8 GiB dax7.0  region7\n"
		"    `-0x1400000000-0x15ffffffff       8 GiB dax7.0  region7\n"
		"0x1800000000-0x183fffffff             1 GiB -       -\n"
		"region7                                             region7\n"
		"`-dax7.0                              1 GiB dax7.0  region7\n"
		"  `-0x3200000000-0x323fffffff         1 GiB dax7.0  region7\n"
		"window 0x4b00000000-0x4b7fffffff      2 GiB\n"
		"`-dax8.0                              1 GiB dax8.0\n"
		"  `-0x4b00000000-0x4b3fffffff         1 GiB dax8.0  -\n");
}

/* A device with a known size and unknown addresses. */
static void test_unreadable(void **state)
{
	static const char *const titles[] = {"size", "chardev"};
	struct own_record own = cxl_record("", "", "dax9.0", span(0, 0));
	struct table_options options = choose(titles, ARRAY_SIZE(titles));

	(void)state;
	own.facts.device.size = 16 * GIB;
	options.noheadings = true;
	assert_printed(&options, &own, 1, "16 GiB dax9.0\n");
}

/* Each memory device has its place in the list, also if one of its attributes is not known. */
static void test_interleaved(void **state)
{
	static const char *const titles[] = {"memdev", "serial", "host"};
	struct own_record own = cxl_record("", "region0", "dax0.0", span(0, GIB));
	const struct table_options options = choose(titles, ARRAY_SIZE(titles));
	const struct memdev memdevs[] = {
		{"mem0", "0000:35:00.0", 0x42, "1.0"},
		{"mem1", "cxl_mem.1", UINT64_MAX, ""},
		{"mem10", "", 0, "b 2"},
	};

	(void)state;
	memcpy(own.facts.cxl.memdevs, memdevs, sizeof(memdevs));
	own.facts.cxl.n_memdevs = ARRAY_SIZE(memdevs);
	assert_printed(&options, &own, 1,
		"MEMDEV          SERIAL                      HOST\n"
		"mem0,mem1,mem10 0x42,0xffffffffffffffff,0x0 0000:35:00.0,cxl_mem.1,-\n");
}

/* The maximum number of devices, with the longest names. */
static void test_longest(void **state)
{
	static const char *const titles[] = {"host"};
	struct own_record own = cxl_record("", "region0", "dax0.0", span(0, GIB));
	struct table_options options = choose(titles, ARRAY_SIZE(titles));
	char expected[COLUMN_TEXT + 1] = "";

	(void)state;
	options.noheadings = true;
	own.facts.cxl.n_memdevs = MEMDEVS_MAX;
	for (size_t i = 0; i < MEMDEVS_MAX; i++) {
		char *address = own.facts.cxl.memdevs[i].host;

		memset(address, 'a' + (int)i, SYSFS_NAME - 1);
		strcat(expected, address);
		strcat(expected, i + 1 < MEMDEVS_MAX ? "," : "\n");
	}
	assert_printed(&options, &own, 1, expected);
}

/* A failed step, which a dry run never has. */
static void test_failure(void **state)
{
	static const char *const titles[] = {"result", "expected", "answer", "stranded"};
	struct own_record own = cxl_record("decoder0.0", "", "", span(0, GIB));
	struct table_options options = choose(titles, ARRAY_SIZE(titles));

	(void)state;
	options.raw = true;
	options.bytes = true;
	own.record.outcome = (struct outcome){
		.result = RESULT_FAILED, .answer = ANSWER_REFUSES, .stranded = 128 * MIB};
	assert_printed(&options, &own, 1,
		"RESULT EXPECTED ANSWER STRANDED\n"
		"failed - refuses 134217728\n");
}

/* Sizes have a unit, except for programs (--bytes). */
static void test_sizes(void **state)
{
	static const char *const titles[] = {"size", "stranded"};
	struct own_record own = cxl_record("decoder0.0", "", "", span(0, 2 * GIB));
	struct table_options options = choose(titles, ARRAY_SIZE(titles));

	(void)state;
	options.noheadings = true;
	own.record.outcome.stranded = 128 * MIB;
	assert_printed(&options, &own, 1, "2 GiB  128 MiB\n");
	options.bytes = true;
	options.raw = true;
	assert_printed(&options, &own, 1, "2147483648 134217728\n");
}

static void assert_colour(enum verdict verdict, enum result result, const char *expected)
{
	static const char *const titles[] = {"verdict"};
	CLEANUP(table_done) struct table table = {0};
	struct own_record own = cxl_record("", "", "", span(0, GIB));
	struct table_options options = choose(titles, ARRAY_SIZE(titles));
	int master, terminal, out = dup(STDOUT_FILENO);
	char text[4096];

	options.noheadings = true;
	own.decision.verdict = verdict;
	own.record.outcome.result = result;
	assert_int_equal(openpty(&master, &terminal, NULL, NULL, NULL), 0);
	assert_true(out >= 0 && dup2(terminal, STDOUT_FILENO) >= 0);
	assert_int_equal(table_init(&table, &options), 0);
	assert_int_equal(table_add(&table, own_record_of(&own)), 0);
	print(&table, terminal, master, text);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	close(out);
	close(master);
	close(terminal);
	assert_string_equal(text, expected);
}

/* A failure is red for any verdict. Green is a device that is, or will be, as decided. */
static void test_colours(void **state)
{
	(void)state;
	assert_int_equal(setenv("TERM", "xterm", 1), 0);
	assert_int_equal(unsetenv("NO_COLOR"), 0);
	assert_colour(VERDICT_ONLINE, RESULT_DONE, "\033[32monline\033[0m\r\n");
	assert_colour(VERDICT_ONLINE, RESULT_FAILED, "\033[31monline\033[0m\r\n");
	assert_colour(VERDICT_DEVDAX, RESULT_PARTIAL, "\033[31mdevdax\033[0m\r\n");
	assert_colour(VERDICT_IGNORE, RESULT_FAILED, "\033[31mignore\033[0m\r\n");
	assert_colour(VERDICT_IGNORE, RESULT_NOTHING, "ignore\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_interleaved),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
