/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kmem's dax state (Linux 7.3): written by the daemon before each unbind, or by an administrator;
 * and a kmem that makes other blocks than expected.
 *
 * dax0.0 has room for the blocks 32 to 35.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (4 * BLOCK)
#define UNPLUGGED                                                                                  \
	"; 4 memory blocks are not in the kernel; 512 MiB is stranded: neither the kernel nor a "  \
	"program can use it; the TDX state is "
#define TAKEN_AWAY                                                                                 \
	"dax0.0/state unplugged\nkmem/remove_id dax0.0\nkmem/unbind dax0.0\ndevice_dax/new_id "    \
	"dax0.0\n"                                                                                 \
	"device_dax/bind dax0.0\ndevice_dax/remove_id dax0.0\n"

static void add_dax0(const struct mock *mock)
{
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
}

static void expect_dax0(struct mock *mock, const char *verdict, const char *reason, const char *tdx,
	const char *also)
{
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, verdict, reason, tdx, also});
}

/* A device of kmem outside of the boot map is unplugged, then unbound. */
static void test_unplug_first(void **state)
{
	struct mock *mock = *state;

	mock_give_to_kmem(mock, "dax0.0", DAX0_START, DAX0_SIZE, "offline");
	mock_make_active(mock);
	mock_start_in(mock, "active");
	expect_dax0(mock, "kept out of system RAM", "outside-boot-map", "active", NULL);
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
	expect_dax0(mock, "not be made available", "outside-boot-map", "active",
		": unbinding its driver failed: Device or resource busy, after 5 retries; it was "
		"to be ");
	mock_await_text(mock, STATE, "\"result\":\"failed\"");
	mock_end_active(mock);
	mock_expect_blocks(mock, 32, 4, "offline");
	mock_expect_stores(mock, "bind dax0", "");
}

/* The record has the kernel's error. */
static void test_not_unbound(void **state)
{
	struct mock *mock = *state;

	mock_give_to_kmem(mock, "dax0.0", DAX0_START, DAX0_SIZE, "offline");
	mock_fail(mock, "kmem/unbind", EINVAL);
	mock_make_active(mock);
	mock_start_in(mock, "active");
	expect_dax0(mock, "not be made available", "outside-boot-map", "active",
		": unbinding its driver failed: Invalid argument; it was to be ");
	mock_end_active(mock);
}

static void test_not_bound(void **state)
{
	struct mock *mock = *state;

	mock_give_to_kmem(mock, "dax0.0", DAX0_START, DAX0_SIZE, "offline");
	mock_fault(mock, "device_dax/bind dax0.0", "short");
	mock_make_active(mock);
	mock_start_in(mock, "active");
	expect_dax0(mock, "not be made available", "outside-boot-map", "active",
		": binding the driver device_dax failed: Input/output error; it was to be ");
	mock_end_active(mock);
}

/* An administrator writes the state: one record, and the daemon does not change it back. */
static void test_by_hand(void **state)
{
	struct mock *mock = *state;

	mock_give_to_kmem(mock, "dax0.0", DAX0_START, DAX0_SIZE, NULL);
	mock_start_in(mock, "absent");
	expect_dax0(mock, "left as it is", "unplugged", "absent", UNPLUGGED);
	mock_end_absent(mock);
	mock_expect_stores(mock, "dax0", "");
}

static void test_fail_on(void **state)
{
	struct mock *mock = *state;

	mock_give_to_kmem(mock, "dax0.0", DAX0_START, DAX0_SIZE, NULL);
	assert_int_equal(mock_oneshot(mock, "stranded,change"), 4);
	mock_expect_line(mock, "^--fail-on=stranded: 512 MiB of CXL memory ");
	mock_expect_silence(mock);
	mock_expect_stores(mock, "dax0", "");
}

/* Killed in a rollback, between unplugging and unbinding: the next start only unbinds. */
static void test_killed_after_unplug(void **state)
{
	struct mock *mock = *state;

	mock_make_kmem(mock, "offline", 1);
	mock_start_absent(mock);
	mock_fail(mock, "memory33/state online", EPERM);
	mock_hang(mock, "kmem/unbind");
	add_dax0(mock);
	mock_await_text(mock, "/stores", "~kmem/unbind dax0.0");
	mock_kill(mock);
	mock_fail(mock, "memory33/state online", 0);
	mock_fail(mock, "kmem/unbind", 0);
	mock_start_in(mock, "absent");
	expect_dax0(mock, "kept out of system RAM", "kernel-refused", "absent",
		"; onlining the memory block at 0x108000000 failed: ");
	mock_await_text(mock, STATE, "\"mode\":\"devdax\"");
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\n~kmem/unbind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind "
		"dax0.0\n");
	mock_expect_stores(mock, "dax0.0/state", "dax0.0/state unplugged\n");
}

/* The kernel's policy brings the blocks online at the bind. */
static void test_made_online(void **state)
{
	struct mock *mock = *state;

	mock_make_kmem(mock, "online", 1);
	mock_start_absent(mock);
	add_dax0(mock);
	expect_dax0(mock, "online as system RAM (4 of 4 memory blocks", "tdx-absent", "absent",
		"(tdx-absent); the TDX state is");
	mock_end_absent(mock);
}

/* The same, and the kernel refuses the store to one block: all blocks go offline again. */
static void test_made_online_rolled_back(void **state)
{
	struct mock *mock = *state;

	mock_make_kmem(mock, "online", 1);
	mock_start_absent(mock);
	mock_fail(mock, "memory33/state online", EPERM);
	add_dax0(mock);
	expect_dax0(mock, "kept out of system RAM", "kernel-refused", "absent",
		"; onlining the memory block at 0x108000000 failed: ");
	mock_await_text(mock, STATE, "\"mode\":\"devdax\"");
	mock_end_absent(mock);
	mock_expect_stores(mock, "/state offline",
		"memory35/state offline\nmemory34/state offline\nmemory33/state "
		"offline\nmemory32/state offline\n");
}

/* kmem makes no blocks of the second mapping, or of any. */
static void test_fewer_blocks(void **state)
{
	static const uint64_t starts[] = {DAX0_START, 8 * GIB};
	struct mock *mock = *state;

	mock_make_kmem(mock, "offline", 1);
	mock_start_absent(mock);
	mock_add_dax_in_parts(mock, "dax0.0", starts, 2, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, 2 * BLOCK,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_expect_record(
		mock, &(struct mock_record){8 * GIB, 2 * BLOCK,
			      "not be brought online as system RAM (0 of 2 memory blocks",
			      "tdx-absent", "absent",
			      "; 2 memory blocks are not in the kernel; 256 MiB is stranded: "
			      "neither the kernel nor a program can use it; the TDX state is "});
	mock_await_text(mock, STATE, "\"result\":\"partial\"");
	mock_make_kmem(mock, "offline", 0);
	mock_add_dax(mock, "dax1.0", 12 * GIB, BLOCK, 1);
	mock_uevent_dax(mock, "dax1.0", "add");
	mock_expect_record(
		mock, &(struct mock_record){12 * GIB, BLOCK,
			      "not be brought online as system RAM (0 of 1 memory blocks",
			      "tdx-absent", "absent",
			      "; 128 MiB is stranded: neither the kernel nor a program can use it; "
			      "the TDX state is "});
	mock_await_text(mock, STATE, "\"result\":\"failed\"");
	mock_end_absent(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_unplug_first),
		TEST(test_busy),
		TEST(test_not_unbound),
		TEST(test_not_bound),
		TEST(test_by_hand),
		TEST(test_fail_on),
		TEST(test_killed_after_unplug),
		TEST(test_made_online),
		TEST(test_made_online_rolled_back),
		TEST(test_fewer_blocks),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
