/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that the daemon cannot open for writing is logged at the start, before any write to it is
 * needed. A symbolic link to itself has the effect of a sandbox or a security module.
 */
#include "mock.h"

#include <stdio.h>
#include <string.h>

#define DRIVERS	   "/sys/bus/dax/drivers/"
#define DAX0_START (4 * GIB)

static const struct {
	const char *path;
	const char *consequence;
} writes[] = {
	{DAX_AUTOPROBE, "a dax device can get a driver before it is decided"},
	{AUTO_ONLINE, "memory can go online before it is decided"},
	{MEMORY "/memory0/state", "no memory block can be onlined or taken offline"},
	{DRIVERS "kmem/bind", "the driver of a dax device cannot be changed"},
	{DRIVERS "kmem/unbind", "the driver of a dax device cannot be changed"},
	{DRIVERS "device_dax/new_id", "the driver of a dax device cannot be changed"},
	{DRIVERS "device_dax/bind", "the driver of a dax device cannot be changed"},
	{DRIVERS "device_dax/remove_id", "the driver of a dax device cannot be changed"},
	{DRIVERS "device_dax/unbind", "the driver of a dax device cannot be changed"},
	{"/sys/bus/dax/devices/dax0.0/state", "the memory of a dax device cannot be unplugged"},
};

static void make_unwritable(const struct mock *mock, const char *path)
{
	mock_remove(mock, path);
	mock_link(mock, path, strrchr(path, '/') + 1);
}

static void test_each(void **state)
{
	struct mock *mock = *state;
	char line[2 * MOCK_PATH];

	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		mock_reset(mock);
		mock_make_kmem(mock, "online", 1);
		mock_give_to_kmem(mock, "dax0.0", DAX0_START, BLOCK, "online");
		make_unwritable(mock, writes[i].path);
		mock_start(mock);
		snprintf(line, sizeof(line),
			"^%s: cannot be opened for writing: Too many levels of symbolic links: %s",
			writes[i].path, writes[i].consequence);
		mock_expect_logged(mock, line);
		mock_stop(mock);
	}
}

/* Several files of the drivers fail: one message, and no other difference. */
static void test_once(void **state)
{
	struct mock *mock = *state;

	make_unwritable(mock, DRIVERS "device_dax/bind");
	make_unwritable(mock, DRIVERS "device_dax/unbind");
	mock_start_absent(mock);
	mock_expect_line(mock, "device_dax/bind: cannot be opened for writing: ");
	mock_end_absent(mock);
}

/* A switch is logged once, and not again when it is to be set. */
static void test_guard(void **state)
{
	struct mock *mock = *state;

	make_unwritable(mock, DAX_AUTOPROBE);
	mock_make_active(mock);
	mock_start(mock);
	mock_expect_line(mock, DAX_AUTOPROBE ": cannot be opened for writing: ");
	mock_expect_tdx(mock, "active");
	mock_expect_line(mock, DAX_AUTOPROBE ": cannot be watched: ");
	mock_expect_line(mock, NOTHING);
	mock_stop(mock);
	mock_expect_silence(mock);
}

/* Neither a driver that is not loaded nor Act=no leads to a message. */
static void test_nothing_missing(void **state)
{
	struct mock *mock = *state;

	mock_move(mock, DRIVERS "device_dax", NEW "/device_dax");
	mock_start_absent(mock);
	mock_end_absent(mock);
}

static void test_observing(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Act=no\n");
	make_unwritable(mock, DRIVERS "kmem/bind");
	mock_start_absent(mock);
	mock_configure(mock, "Act=yes\n");
	mock_reload(mock);
	mock_expect_line(mock, DRIVERS "kmem/bind: cannot be opened for writing: ");
	mock_stop(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_each),
		TEST(test_once),
		TEST(test_guard),
		TEST(test_nothing_missing),
		TEST(test_observing),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
