/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that arrives, with and without TDX, with repeated events, and over restarts.
 *
 * Boot RAM is [0, 1 GiB). What arrives lies above it: blocks from memory16 (2 GiB) on, dax
 * devices from 4 GiB on.
 */
#include "mock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define DAX0_START (4 * GIB)
#define DAX1_START (8 * GIB)

static const struct mock_record dax0_refused = {DAX0_START, GIB, "kept out of system RAM",
	"outside-boot-map", "active",
	"1 GiB of CXL memory (dax0.0, [mem 0x100000000-0x13fffffff], region0, "};
static const struct mock_record dax1_refused = {
	DAX1_START, GIB, "kept out of system RAM", "outside-boot-map", "active", "], region1, "};

static void expect_guard(const struct mock *mock, const char *autoprobe, const char *auto_online)
{
	mock_expect_file(mock, DAX_AUTOPROBE, autoprobe);
	mock_expect_file(mock, AUTO_ONLINE, auto_online);
}

static void add_dax(const struct mock *mock, const char *name, uint64_t start)
{
	mock_add_dax(mock, name, start, GIB, 1);
	mock_uevent_dax(mock, name, "add");
}

/* False: the blocks came so slowly that one record cannot be expected. */
static bool blocks_make_one_record(struct mock *mock)
{
	mock_start_absent(mock);
	if (!mock_add_blocks(mock, 16, 4, "offline"))
		return false;
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, 4 * BLOCK,
			"online as system RAM (4 of 4 memory blocks", "tdx-absent", "absent",
			"512 MiB of memory of unknown type ([mem 0x80000000-0x9fffffff], node 0)"});
	mock_stop(mock);
	return true;
}

static void test_blocks_without_tdx(void **state)
{
	int64_t deadline = mock_now_ms() + DEADLINE_MS;
	struct mock *mock = *state;

	while (!blocks_make_one_record(mock)) {
		assert_true(mock_now_ms() < deadline);
		mock_reset(mock);
	}
	mock_expect_silence(mock);
	mock_expect_blocks(mock, 16, 4, "online");
	/* The highest block is the first, in descending order; no guard is taken. */
	mock_expect_stores(mock, "",
		"memory19/state online\nmemory18/state online\nmemory17/state "
		"online\nmemory16/state online\n");
}

/* The mock kernel makes the blocks at the bind, as kmem does, but sends no events. */
static void test_dax_without_tdx(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, 4 * BLOCK, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, 4 * BLOCK,
					 "online as system RAM (4 of 4 memory blocks", "tdx-absent",
					 "absent", "], region0, node 1)"});
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_blocks(mock, 32, 4, "online");
	mock_expect_stores(mock, "/bind", "kmem/bind dax0.0\n");
	mock_expect_stores(mock, "/state",
		"memory35/state online\nmemory34/state online\nmemory33/state "
		"online\nmemory32/state online\n");
}

static void test_refused_dax(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	expect_guard(mock, "0", "offline");
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &dax0_refused);
	add_dax(mock, "dax1.0", DAX1_START);
	mock_expect_record(mock, &dax1_refused);
	mock_await_decided(mock, "dax1.0");
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online");
	mock_expect_stores(mock, "/state", "");
	mock_expect_stores(mock, "/bind", "device_dax/bind dax0.0\ndevice_dax/bind dax1.0\n");
}

/* device_dax cannot be bound: a second record, and the verdict stays. */
static void test_refused_dax_not_bound(void **state)
{
	struct mock *mock = *state;

	mock_fail(mock, "device_dax/bind", ENXIO);
	mock_start_active(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &dax0_refused);
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, GIB, "not be made available", "outside-boot-map",
			"active", "binding the driver device_dax failed: "});
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online");
	mock_expect_stores(mock, "/state", "");
}

static void test_refused_blocks(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	/* One block, so that the time between blocks does not matter. */
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, BLOCK, "left offline",
					 "outside-boot-map", "active", NULL});
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_blocks(mock, 16, 1, "offline");
	mock_expect_stores(mock, "/state", "");
}

/* The kernel refuses the first block: no other is tried, and kmem is unbound again. */
static void test_kernel_refuses(void **state)
{
	struct mock *mock = *state;

	mock_fail(mock, "memory35/state", EPERM);
	mock_start_absent(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, 4 * BLOCK, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, 4 * BLOCK, "kept out of system RAM",
			      "kernel-refused", "absent", "at 0x118000000"});
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "/state", "!memory35/state online\n");
	mock_expect_stores(
		mock, "bind dax", "kmem/bind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
}

/* Repeated, reordered and irrelevant events. No more than 8 at once: the mock's socket holds 10. */
static void test_irrelevant_events(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, GIB, 1);
	mock_uevent_dax(mock, "dax0.0", "bind"); /* before "add" */
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_uevent_dax(mock, "dax0.0", "change");
	mock_uevent(mock, MEMORY "/memory3", "add"); /* of boot RAM */
	mock_uevent(mock, MEMORY "/memory3", "online");
	mock_uevent(mock, "/sys/devices/virtual/net/eth0", "add");
	mock_uevent(mock, KVM_INTEL, "add"); /* without any change */
	mock_expect_record(mock, &dax0_refused);
	add_dax(mock, "dax1.0", DAX1_START);
	mock_expect_record(mock, &dax1_refused);
	mock_uevent_dax(mock, "dax0.0", "change");
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, BLOCK, "left offline",
					 "outside-boot-map", "active", NULL});
	mock_stop(mock);
	mock_expect_silence(mock);
}

static void test_size_zero(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, 0, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	add_dax(mock, "dax1.0", DAX1_START);
	mock_expect_record(mock, &dax1_refused);
	mock_await_decided(mock, "dax1.0");
	mock_expect_stores(mock, "/bind", "device_dax/bind dax1.0\n");
	mock_size_dax(mock, "dax0.0", DAX0_START, GIB);
	mock_uevent_dax(mock, "dax0.0", "change");
	mock_expect_record(mock, &dax0_refused);
	mock_await_decided(mock, "dax0.0");
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "/bind", "device_dax/bind dax1.0\ndevice_dax/bind dax0.0\n");
}

/* A range that is removed and added again leads to a second record. */
static void test_added_again(void **state)
{
	struct mock *mock = *state;
	static const struct mock_record left = {
		2 * GIB, BLOCK, "left offline", "outside-boot-map", "active", NULL};

	mock_start_active(mock);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock, &left);
	mock_uevent(mock, MEMORY "/memory16", "remove"); /* umockdev needs the directory */
	mock_move(mock, MEMORY "/memory16", "/gone");
	mock_add_blocks(mock, 32, 1, "offline");
	mock_expect_record(mock, &(struct mock_record){4 * GIB, BLOCK, "left offline",
					 "outside-boot-map", "active", NULL});
	mock_move(mock, "/gone", MEMORY "/memory16");
	mock_uevent(mock, MEMORY "/memory16", "add");
	mock_expect_record(mock, &left);
	mock_stop(mock);
	mock_expect_silence(mock);
}

static void test_restart(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &dax0_refused);
	mock_await_decided(mock, "dax0.0");
	mock_stop(mock);
	mock_start_in(mock, "active");
	expect_guard(mock, "0", "offline");
	add_dax(mock, "dax1.0", DAX1_START);
	mock_expect_record(mock, &dax1_refused);
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online");
}

/* Stopped between the record and the bind: the next start binds, without a second record. */
static void test_restart_before_bind(void **state)
{
	struct mock *mock = *state;

	mock_hang(mock, "device_dax/bind");
	mock_start_active(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &dax0_refused);
	mock_await_text(mock, "/stores", "~device_dax/bind dax0.0\n");
	assert_int_equal(kill(mock->daemon, SIGTERM), 0);
	mock_fail(mock, "device_dax/bind", EBUSY); /* temporary: there will be another try */
	mock_stop(mock);
	mock_fail(mock, "device_dax/bind", 0);
	/* dax2.0 is decided first, which must not make the daemon forget dax0.0. */
	mock_add_dax(mock, "dax2.0", DAX0_START - GIB, GIB, 1);
	mock_start_in(mock, "active");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START - GIB, GIB, "kept out of system RAM",
			      "outside-boot-map", "active", "dax2.0"});
	mock_await_text(mock, "/stores", "\ndevice_dax/bind dax0.0\n");
	mock_stop(mock);
	mock_expect_silence(mock);
}

/* A device that arrives after a crash stays without a driver until the next start. */
static void test_crash(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online_movable\n");
	mock_start_active(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &dax0_refused);
	mock_await_decided(mock, "dax0.0");
	mock_kill(mock);
	expect_guard(mock, "0", "offline");
	mock_add_dax(mock, "dax2.0", 12 * GIB, GIB, 1);
	mock_start_in(mock, "active");
	mock_expect_record(mock, &(struct mock_record){12 * GIB, GIB, "kept out of system RAM",
					 "outside-boot-map", "active", "dax2.0"});
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online_movable");
}

static void test_another_boot(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &dax0_refused);
	mock_await_decided(mock, "dax0.0");
	mock_kill(mock);
	/* The kernel starts with its own values, and binds no driver here. */
	mock_put(mock, BOOT_ID, "99999999-2222-4333-8444-555555555555\n");
	mock_put(mock, DAX_AUTOPROBE, "1\n");
	mock_put(mock, AUTO_ONLINE, "online_kernel\n");
	mock_reset_driver(mock, "dax0.0");
	mock_start_in(mock, "active");
	mock_expect_record(mock, &dax0_refused);
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online_kernel");
}

static void test_switch_set_by_other_program(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_put(mock, AUTO_ONLINE, "online_movable\n");
	mock_stop(mock);
	expect_guard(mock, "1", "online_movable");
}

/* The value that another program set between two starts is given back. */
static void test_switch_set_between(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_stop(mock);
	mock_put(mock, AUTO_ONLINE, "online_movable\n");
	mock_start_active(mock);
	expect_guard(mock, "0", "offline");
	mock_stop(mock);
	expect_guard(mock, "1", "online_movable");
}

/* Linux 6.16 to 7.0: armed from the start, with the guard held; active with kvm_intel. */
static void test_armed_to_active(void **state)
{
	struct mock *mock = *state;

	mock_set_tdx_flag(mock);
	mock_start(mock);
	mock_expect_tdx(mock, "armed");
	mock_expect_line(mock, NOTHING);
	expect_guard(mock, "0", "offline");
	/* kvm_intel sends its event, then initializes the TDX module, then creates /dev/kvm. */
	mock_set_tdx_parameter(mock, 'N');
	mock_uevent(mock, KVM_INTEL, "add");
	mock_set_tdx_parameter(mock, 'Y');
	mock_uevent(mock, "/sys/devices/virtual/misc/kvm", "add");
	mock_expect_tdx(mock, "active");
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &dax0_refused);
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online");
}

/* The sources contradict each other: unknown, which is handled as active. */
static void test_absent_to_unknown(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	expect_guard(mock, "1", "online");
	mock_set_tdx_parameter(mock, 'Y');
	mock_uevent(mock, KVM_INTEL, "add");
	mock_expect_tdx(mock, "unknown");
	/* The guard is taken after that line and before this one. */
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, GIB, "kept out of system RAM",
					 "outside-boot-map", "unknown", NULL});
	expect_guard(mock, "0", "offline");
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online");
}

/* An idle daemon uses no CPU time for a second. */
static void test_idle(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &dax0_refused);
	mock_expect_sleep(mock);
	mock_stop(mock);
}

/* A mapping smaller than a block: no block comes of it, which is not a failure. */
static void test_small_part(void **state)
{
	static const uint64_t starts[] = {DAX0_START, DAX1_START + BLOCK / 2};
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_add_dax_in_parts(mock, "dax0.0", starts, 2, 2 * BLOCK, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, BLOCK,
					 "online as system RAM (1 of 1 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_expect_record(
		mock, &(struct mock_record){DAX1_START + BLOCK / 2, BLOCK,
			      "online as system RAM (0 of 0 memory blocks", "tdx-absent", "absent",
			      "; 128 MiB at its edges cannot be used, because"});
	mock_end_absent(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_blocks_without_tdx),
		TEST(test_dax_without_tdx),
		TEST(test_refused_dax),
		TEST(test_refused_dax_not_bound),
		TEST(test_refused_blocks),
		TEST(test_kernel_refuses),
		TEST(test_irrelevant_events),
		TEST(test_size_zero),
		TEST(test_added_again),
		TEST(test_restart),
		TEST(test_restart_before_bind),
		TEST(test_crash),
		TEST(test_another_boot),
		TEST(test_switch_set_by_other_program),
		TEST(test_switch_set_between),
		TEST(test_armed_to_active),
		TEST(test_absent_to_unknown),
		TEST(test_idle),
		TEST(test_small_part),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
