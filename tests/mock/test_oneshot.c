/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exit status of a oneshot, with and without --fail-on=. It runs several times on the same
 * machine: the first run has something to do, the next one does not.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>

enum { DONE = 0, FAILED = 1, MATCHED = 4, PARTIAL = 64 };

#define RANGE "[mem 0x80000000-0x87ffffff]"

/* The line that names these words of --fail-on= as matching the range of block 16. */
static void expect_match(struct mock *mock, const char *words)
{
	char line[128];

	snprintf(line, sizeof(line), "^--fail-on=%s: 128 MiB of memory of unknown type (" RANGE,
		words);
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

/* A match of --fail-on= has precedence over the status for a partial success. */
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

/* EPERM is the kernel's refusal, which is unexpected while TDX is absent. */
static void test_refused(void **state)
{
	struct mock *mock = *state;

	mock_fail(mock, "memory16/state", EPERM);
	mock_add_blocks(mock, 16, 1, "offline");
	assert_int_equal(mock_oneshot(mock, "online,disagreement,ignore"), MATCHED);
	expect_match(mock, "disagreement");
	mock_expect_silence(mock);
}

/* A failure has precedence over a match. */
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

/* While block 16 goes online, another device replaces the one that the look found. */
static void test_replaced(void **state)
{
	struct mock *mock = *state;

	mock_hang(mock, "memory16/state");
	mock_add_blocks(mock, 16, 1, "offline");
	mock_add_dax(mock, "dax1.0", 8 * GIB, 4 * BLOCK, 1);
	mock_oneshot_begin(mock, "online,devdax,ignore");
	mock_await_text(mock, "/stores", "~memory16/state online\n");
	mock_remove_dax(mock, "dax1.0");
	mock_add_dax(mock, "dax1.0", 12 * GIB, 2 * BLOCK, 2);
	mock_fail(mock, "memory16/state", 0);
	assert_int_equal(mock_oneshot_end(mock), MATCHED);
	expect_match(mock, "online");
	mock_expect_line(mock, "^--fail-on=online: 256 MiB of CXL memory (");
	mock_expect_silence(mock);
	mock_expect_stores(mock, "bind dax1", "kmem/bind dax1.0\n");
	mock_expect_blocks(mock, 96, 2, "online");
}

static void test_gone(void **state)
{
	struct mock *mock = *state;

	mock_hang(mock, "memory16/state");
	mock_add_blocks(mock, 16, 1, "offline");
	mock_add_dax(mock, "dax1.0", 8 * GIB, 4 * BLOCK, 1);
	mock_oneshot_begin(mock, "online,devdax,ignore");
	mock_await_text(mock, "/stores", "~memory16/state online\n");
	mock_remove_dax(mock, "dax1.0");
	mock_fail(mock, "memory16/state", 0);
	assert_int_equal(mock_oneshot_end(mock), MATCHED);
	expect_match(mock, "online");
	mock_expect_silence(mock);
	mock_expect_stores(mock, "dax1.0", "");
}

/* A device of 256 MiB whose address is not known. */
static void add_without_mapping(struct mock *mock, char path[MOCK_PATH])
{
	char size[MOCK_PATH + 32];

	mock_add_dax(mock, "dax0.0", 4 * GIB, 0, 1);
	mock_dax_path("dax0.0", path);
	snprintf(size, sizeof(size), "%s/size", path);
	mock_put(mock, size, "268435456\n");
}

/*
 * The mapping comes at the beginning of the second look. The arrival is prepared at the end of the
 * first look, which lists the virtio drivers last.
 */
static void test_mapping_comes_late(void **state)
{
	char path[MOCK_PATH], order[2 * MOCK_PATH];
	struct mock *mock = *state;

	add_without_mapping(mock, path);
	mock_put(mock, NEW "/mapping0/start", "0x100000000\n");
	mock_put(mock, NEW "/mapping0/end", "0x10fffffff\n");
	mock_put(mock, NEW "/mapping0/page_offset", "0x0\n");
	snprintf(order, sizeof(order), NEW "/mapping0 %s/mapping0\n", path);
	mock_put(mock, NEW "/order", order);
	mock_put(mock, "/arrivals/drivers:virtio_mem", NEW "/order /arrivals/system:memory\n");
	assert_int_equal(mock_oneshot(mock, "online,devdax,ignore"), MATCHED);
	mock_expect_line(mock, "^--fail-on=online: 256 MiB of CXL memory (");
	mock_expect_silence(mock);
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/* The mapping does not come before the second look, which is the last one. */
static void test_no_mapping(void **state)
{
	struct mock *mock = *state;
	char path[MOCK_PATH];

	add_without_mapping(mock, path);
	assert_int_equal(mock_oneshot(mock, "online,devdax,ignore"), MATCHED);
	mock_expect_line(mock, "/dax0.0/mapping0: ");
	mock_expect_line(mock, "^--fail-on=ignore: 256 MiB of CXL memory");
	mock_expect_silence(mock);
	mock_expect_stores(mock, "", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_change),
		TEST(test_before_partial),
		TEST(test_refused),
		TEST(test_failure),
		TEST(test_replaced),
		TEST(test_gone),
		TEST(test_mapping_comes_late),
		TEST(test_no_mapping),
	};

	if (!mock_programs(argc, argv))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
