/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes between the look that finds a device and its job, or during its job.
 *
 * dax1.0 waits in the queue while a block of dax0.0 hangs as it goes offline.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (4 * BLOCK)
#define DAX1_START (8 * GIB)
#define DAX1_SIZE  (4 * BLOCK)

/* The kernel refuses block 34 of dax0.0; block 35 hangs in the rollback. dax1.0 is added then. */
static void start_with_queue(struct mock *mock)
{
	mock_configure(mock, "OfflineTimeoutSec=3600\n");
	mock_start_absent(mock);
	mock_fail(mock, "memory34/state online", EPERM);
	mock_hang(mock, "memory35/state offline");
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_await_text(mock, "/stores", "~memory35/state offline\n");
	mock_add_dax(mock, "dax1.0", DAX1_START, DAX1_SIZE, 1);
	mock_await_look(mock);
}

/* The job of dax0.0 goes on, and dax1.0 is next. */
static void take_next_turn(struct mock *mock)
{
	mock_fail(mock, "memory35/state offline", 0);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "kernel-refused", "absent", NULL});
}

/* Another device of the same name replaces it, without an event: its record is the only one. */
static void expect_replaced(struct mock *mock, uint64_t start, uint64_t size, const char *blocks)
{
	start_with_queue(mock);
	mock_remove_dax(mock, "dax1.0");
	mock_add_dax(mock, "dax1.0", start, size, 2);
	take_next_turn(mock);
	mock_expect_record(mock, &(struct mock_record){start, size, blocks, "tdx-absent", "absent",
					 "], region1, node 2)"});
	mock_await_decided(mock, "dax1.0");
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax1", "kmem/bind dax1.0\n");
}

static void test_replaced(void **state)
{
	struct mock *mock = *state;

	expect_replaced(
		mock, 3 * DAX0_START, 2 * BLOCK, "online as system RAM (2 of 2 memory blocks");
	mock_expect_stores(mock, "memory6", "");
	mock_expect_blocks(mock, 96, 2, "online");
}

/* The new device differs in its inode number only. */
static void test_replaced_in_the_same_place(void **state)
{
	expect_replaced(
		*state, DAX1_START, DAX1_SIZE, "online as system RAM (4 of 4 memory blocks");
}

/* The same device with another size. */
static void test_resized(void **state)
{
	struct mock *mock = *state;

	start_with_queue(mock);
	mock_size_dax(mock, "dax1.0", DAX1_START, 2 * BLOCK);
	take_next_turn(mock);
	mock_expect_record(mock, &(struct mock_record){DAX1_START, 2 * BLOCK,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_await_decided(mock, "dax1.0");
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax1", "kmem/bind dax1.0\n");
}

/* Another program binds the device in the queue: the driver is read when its job begins. */
static void test_bound_by_other_program(void **state)
{
	struct mock *mock = *state;

	start_with_queue(mock);
	mock_set_driver(mock, "dax1.0", "device_dax");
	take_next_turn(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX1_START, DAX1_SIZE, "kept out of system RAM",
			      "already-devdax", "absent", NULL});
	mock_await_decided(mock, "dax1.0");
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax1", "");
}

static void test_gone(void **state)
{
	struct mock *mock = *state;

	start_with_queue(mock);
	mock_remove_dax(mock, "dax1.0");
	take_next_turn(mock);
	mock_end_absent(mock);
	mock_expect_stores(mock, "dax1.0", "");
}

/*
 * A look finds blocks 16 and 17 without a device. Their entry in the firmware memmap is added at
 * its end, when the virtio drivers are listed.
 */
static void test_dimm_after_look(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_put(mock, "/sys/firmware/memmap/0/type", "Reserved\n");
	mock_put(mock, NEW "/memmap2/start", "0x80000000\n");
	mock_put(mock, NEW "/memmap2/end", "0x8fffffff\n");
	mock_put(mock, NEW "/memmap2/type", "System RAM\n");
	mock_place_blocks(mock, 16, 2, "offline");
	mock_put(mock, "/arrivals/drivers:virtio_mem", NEW "/memmap2 /sys/firmware/memmap/2\n");
	mock_uevent(mock, MEMORY "/memory16", "add");
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, 2 * BLOCK,
			      "online as system RAM (2 of 2 memory blocks", "tdx-absent", "absent",
			      "256 MiB of memory in a DIMM ([mem 0x80000000-0x8fffffff], node 0)"});
	mock_await_text(mock, STATE, "\"type\":\"dimm\"");
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory1", "memory17/state online\nmemory16/state online\n");
}

/* --- a device that daxctl creates --- */

/* Without a driver, the device is left to the program that created it. */
static void create(struct mock *mock)
{
	mock_configure(mock, "CapableRanges=0x100000000-0x11fffffff\n");
	mock_start_active(mock);
	mock_add_dax(mock, "dax0.1", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.1", "add");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is",
					 "not-configured", "active", "], region0, node 1)"});
	mock_await_settled(mock);
}

/* daxctl-create-device(1) binds device_dax: one record, which is not that of a later change. */
static void test_created(void **state)
{
	struct mock *mock = *state;

	create(mock);
	mock_set_driver(mock, "dax0.1", "device_dax");
	mock_uevent_dax(mock, "dax0.1", "bind");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "already-devdax", "active", NULL});
	mock_end_active(mock);
	mock_expect_stores(mock, "dax0", "");
}

/* Bound to kmem, it is memory that arrives. */
static void test_created_as_memory(void **state)
{
	struct mock *mock = *state;

	create(mock);
	mock_place_blocks(mock, 32, 4, "offline");
	mock_set_driver(mock, "dax0.1", "kmem");
	mock_uevent_dax(mock, "dax0.1", "bind");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (4 of 4 memory blocks",
					 "in-boot-map", "active", NULL});
	mock_end_active(mock);
	mock_expect_stores(mock, "dax0", "");
	mock_expect_blocks(mock, 32, 4, "online");
}

/* A device that the daemon itself left without a driver is bound by the next start. */
static void test_created_half_done(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_place_blocks(mock, 32, 4, "offline");
	mock_hang(mock, "device_dax/bind");
	mock_add_dax(mock, "dax0.1", DAX0_START, DAX0_SIZE, 1);
	mock_set_driver(mock, "dax0.1", "kmem");
	mock_uevent_dax(mock, "dax0.1", "add");
	mock_await_text(mock, "/stores", "~device_dax/bind dax0.1");
	mock_kill(mock);
	mock_fail(mock, "device_dax/bind", 0);
	mock_start_in(mock, "active");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_await_text(mock, STATE, "\"mode\":\"devdax\"");
	mock_end_active(mock);
}

/* --- TDX becomes active --- */

/* While a block of dax0.0 goes online: the job is completed, and the device is decided again. */
static void test_tdx_during_job(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory33/state online");
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_await_text(mock, "/stores", "~memory33/state online\n");
	mock_make_active(mock);
	mock_uevent(mock, "/sys/devices/virtual/misc/kvm", "add");
	mock_fail(mock, "memory33/state online", 0);
	mock_expect_tdx(mock, "active");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (4 of 4 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_expect_order(mock, "The TDX state is active", "(tdx-absent)");
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is", "already-online",
			"active", "daxctl reconfigure-device -m devdax -f dax0.0"});
	mock_await_settled(mock);
	mock_end_active(mock);
	mock_expect_stores(mock, "/state offline", "");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_replaced),
		TEST(test_replaced_in_the_same_place),
		TEST(test_resized),
		TEST(test_bound_by_other_program),
		TEST(test_gone),
		TEST(test_dimm_after_look),
		TEST(test_created),
		TEST(test_created_as_memory),
		TEST(test_created_half_done),
		TEST(test_tdx_during_job),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
