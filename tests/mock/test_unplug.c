/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The running daemon and kmem's dax state (Linux 7.3): unplugged by the daemon before each unbind.
 *
 * dax0.0 has room for the blocks 32 to 35.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (4 * BLOCK)
#define TAKEN_AWAY                                                                                 \
	"dax0.0/state unplugged\nkmem/remove_id dax0.0\nkmem/unbind dax0.0\ndevice_dax/new_id "    \
	"dax0.0\n"                                                                                 \
	"device_dax/bind dax0.0\ndevice_dax/remove_id dax0.0\n"

static void expect_dax0(struct mock *mock, const char *verdict, const char *reason, const char *tdx,
	const char *also)
{
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, verdict, reason, tdx, also});
}

/* What TDX refuses and kmem has is unplugged, then unbound. */
static void test_unplug_first(void **state)
{
	struct mock *mock = *state;

	mock_give_to_kmem(mock, "dax0.0", DAX0_START, DAX0_SIZE, "offline");
	mock_make_active(mock);
	mock_start_in(mock, "active");
	expect_dax0(mock, "kept as devdax", "outside-boot-map", "active", NULL);
	mock_await_text(mock, STATE, "\"mode\":\"devdax\"");
	mock_end_active(mock);
	mock_expect_stores(mock, "dax0.0", TAKEN_AWAY);
}

/* If the kernel cannot unplug it, it keeps its driver and its blocks. */
static void test_busy(void **state)
{
	struct mock *mock = *state;

	mock_give_to_kmem(mock, "dax0.0", DAX0_START, DAX0_SIZE, "offline");
	mock_fail(mock, "dax0.0/state", EBUSY);
	mock_make_active(mock);
	mock_start_in(mock, "active");
	expect_dax0(mock, "not made devdax", "outside-boot-map", "active",
		"; unbind: Device or resource busy after 5 retries; 512 MiB stranded");
	mock_await_text(mock, STATE, "\"result\":\"failed\"");
	mock_end_active(mock);
	mock_expect_blocks(mock, 32, 4, "offline");
	mock_expect_stores(mock, "bind dax0", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_unplug_first),
		TEST(test_busy),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
