/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A block that takes long to go offline, because the kernel migrates its pages: the daemon handles
 * events meanwhile, and gives up at a timeout. And a start with a device that takes long to bind,
 * or whose driver is not loaded yet.
 */
#include "mock.h"

#include <errno.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (4 * BLOCK)
#define DEVICE_DAX "/sys/bus/dax/drivers/device_dax"
#define HANGING	   "~memory35/state offline\n"

/* TDX is absent. Block 34 is refused, and block 35 hangs when it is taken offline again. */
static void start_hanging(struct mock *mock)
{
	mock_start_absent(mock);
	mock_fail(mock, "memory34/state online", EPERM);
	mock_hang(mock, "memory35/state offline");
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_await_text(mock, "/stores", HANGING);
}

static void go_on(const struct mock *mock)
{
	mock_fail(mock, "memory35/state offline", 0);
}

/* The device keeps kmem, because a block is online. */
static void test_rollback_times_out(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "OfflineTimeoutSec=1\n");
	start_hanging(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "not be made available",
			      "kernel-refused", "absent",
			      ": onlining the memory block at 0x110000000 failed: Operation not "
			      "permitted; undoing it failed as well: offlining the memory block at "
			      "0x118000000 failed: Timer expired; it was to be "});
	mock_await_text(mock, STATE, "\"result\":\"partial\"");
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
	mock_expect_stores(mock, "/state offline", HANGING);
}

/* A new rule takes the blocks 16 to 18 offline, and the first one hangs. */
static void start_rule_hanging(struct mock *mock)
{
	mock_configure(mock, "OfflineTimeoutSec=1\nPresent=act\n");
	mock_rule(mock, "50-out.rule", "Type=unknown\nRange=0x80000000-0x97ffffff\n",
		"Verdict=offline\nOfflineBlocks=yes\n");
	mock_add_blocks(mock, 16, 3, "online");
	mock_hang(mock, "memory18/state");
	mock_start_in(mock, "absent");
}

static void test_rule_times_out(void **state)
{
	struct mock *mock = *state;
	int64_t before = mock_now_ms();

	start_rule_hanging(mock);
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, 3 * BLOCK, "could not all be taken offline",
			      "rule", "absent",
			      ": offlining the memory block at 0x90000000 failed: Timer expired; "
			      "it was to be left offline: rule 50-out.rule requires it (rule); 3 "
			      "of 3 memory blocks are online; the TDX state is absent"});
	assert_true(mock_now_ms() - before >= 1000);
	mock_expect_blocks(mock, 16, 3, "online");
	mock_expect_stores(mock, "/state ", "~memory18/state offline\n");
	mock_stop(mock);
	mock_expect_silence(mock);
}

/* The blocks go offline before the timeout. */
static void test_rule_in_time(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "OfflineTimeoutSec=3600\n");
	start_hanging(mock);
	go_on(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "kept out of system RAM", "kernel-refused", "absent",
					 "onlining the memory block at 0x110000000 failed: "
					 "Operation not permitted; the TDX state is"});
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
}

/* The test waits for the end of all processes that have the daemon's stderr. */
static void test_stop_during_job(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "OfflineTimeoutSec=3600\n");
	start_hanging(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_blocks(mock, 35, 1, "online");
	/* The next start completes the rollback, although block 34 could go online now. */
	mock_fail(mock, "memory34/state online", 0);
	go_on(mock);
	mock_start_in(mock, "absent");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "kernel-refused", "absent", NULL});
	mock_expect_stores(
		mock, "/state online", "memory35/state online\n!memory34/state online\n");
	mock_end_absent(mock);
}

/* TDX becomes active and the guard is taken; devices that come now wait for the end of the job. */
static void test_events_during_job(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "OfflineTimeoutSec=3600\n");
	start_hanging(mock);
	mock_make_active(mock);
	mock_uevent(mock, "/sys/devices/virtual/misc/kvm", "add");
	mock_expect_tdx(mock, "active");
	mock_add_dax(mock, "dax1.0", 2 * DAX0_START, GIB, 1);
	mock_uevent_dax(mock, "dax1.0", "add");
	go_on(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "kernel-refused", "absent", NULL});
	mock_expect_record(
		mock, &(struct mock_record){2 * DAX0_START, GIB, "kept out of system RAM",
			      "outside-boot-map", "active", "(dax1.0, "});
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_end_active(mock);
}

/* A reload takes effect after the job that was begun with the old configuration. */
static void test_reload_during_job(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "OfflineTimeoutSec=3600\n");
	start_hanging(mock);
	mock_configure(mock, "OfflineTimeoutSec=60\n");
	mock_reload_send(mock);
	mock_reload_begin(mock);
	go_on(mock);
	mock_reload_end(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "kernel-refused", "absent", NULL});
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "absent");
	mock_expect_order(mock, "(kernel-refused)", "The new configuration is in effect");
	mock_await_settled(mock);
	mock_stop(mock);
}

/*
 * Units wait for READY=1. Binding the driver of a device that was there at the start hangs: the
 * daemon is ready nevertheless, and the guard and the record come before that.
 */
static void test_ready_during_job(void **state)
{
	struct mock *mock = *state;

	mock_make_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_hang(mock, "device_dax/bind");
	mock_start(mock);
	mock_expect_logged(mock, "(dax0.0, ");
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_await_text(mock, "/stores", "~device_dax/bind dax0.0\n");
	mock_fail(mock, "device_dax/bind", 0);
	mock_expect_tdx(mock, "active");
	mock_end_active(mock);
}

/* The drivers are loaded after READY=1, which does not wait for them. */
static void test_ready_without_drivers(void **state)
{
	struct mock *mock = *state;

	mock_make_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_move(mock, DEVICE_DAX, NEW "/device_dax");
	mock_start(mock);
	mock_expect_logged(mock, "(dax0.0, ");
	mock_move(mock, NEW "/device_dax", DEVICE_DAX);
	mock_uevent(mock, "/sys/module/device_dax", "add");
	mock_expect_tdx(mock, "active");
	mock_await_text(mock, STATE, "\"mode\":\"devdax\"");
	mock_stop(mock);
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* The daemon sleeps while it waits. */
static void test_idle_during_job(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "OfflineTimeoutSec=3600\n");
	start_hanging(mock);
	mock_expect_sleep(mock);
	mock_stop(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_rollback_times_out),
		TEST(test_rule_times_out),
		TEST(test_rule_in_time),
		TEST(test_stop_during_job),
		TEST(test_events_during_job),
		TEST(test_reload_during_job),
		TEST(test_ready_during_job),
		TEST(test_ready_without_drivers),
		TEST(test_idle_during_job),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
