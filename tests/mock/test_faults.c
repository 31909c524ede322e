/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bad input: the message names the file, the range is left as it is, other ranges are decided as
 * usual, and the daemon goes on.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>

#define DAX0_START (4 * GIB)

/* A block is removed after it was listed: not unreadable, but not there at the next look. */
static void test_block_removed(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_place_blocks(mock, 16, 2, "offline");
	mock_put(mock, "/arrivals/firmware:memmap", MEMORY "/memory17 " NEW "/gone\n");
	mock_uevent(mock, MEMORY "/memory16", "add");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 1, "online");
}

/* A block without attributes: the kernel removes those first, and the directory later. */
static void test_block_being_removed(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_place_blocks(mock, 16, 2, "offline");
	mock_put(mock, "/arrivals/firmware:memmap", MEMORY "/memory17/state " NEW "/gone\n");
	mock_uevent(mock, MEMORY "/memory16", "add");
	mock_await_text(mock, NEW "/gone", "offline");
	mock_await_look(mock);
	mock_move(mock, MEMORY "/memory17", "/gone");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_end_absent(mock);
}

static void test_block_state_garbage(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 1, "onlinee");
	mock_expect_line(mock, MEMORY "/memory16/state: ");
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, BLOCK, "left as it is", "unreadable", "absent",
			      ": " MEMORY "/memory16/state cannot be read: Bad message ("});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 1, "onlinee");
	mock_expect_stores(mock, "", "memory40/state online\n");
}

static void test_block_not_written(void **state)
{
	struct mock *mock = *state;

	mock_fail(mock, "memory16/state", EACCES);
	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, BLOCK,
			      "not be brought online as system RAM (0 of 1 memory blocks",
			      "tdx-absent", "absent",
			      "onlining the memory block at 0x80000000 failed: Permission denied"});
	mock_end_absent(mock);
	mock_expect_stores(mock, "", "!memory16/state online\nmemory40/state online\n");
}

static void test_block_busy_at_first(void **state)
{
	struct mock *mock = *state;

	mock_fail_times(mock, "memory16/state", EBUSY, 1);
	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", "; it took 1 retry;"});
	mock_end_absent(mock);
}

/* EBUSY on each try: after a bounded number of tries the job fails. */
static void test_block_stays_busy(void **state)
{
	struct mock *mock = *state;

	mock_fail(mock, "memory16/state", EBUSY);
	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK,
			"not be brought online as system RAM (0 of 1 memory blocks", "tdx-absent",
			"absent",
			"onlining the memory block at 0x80000000 failed: Device or resource busy"});
	mock_fail(mock, "memory16/state", 0);
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 1, "offline");
}

static void test_no_target_node(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, GIB, -1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_line(mock, "/dax0.0/target_node: ");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, GIB, "left as it is", "no-target-node",
			      "active", "], region0) was left as it is, without a driver, and"});
	mock_end_active(mock);
	mock_expect_stores(mock, "/bind", "device_dax/bind dax9.0\n");
}

static void test_foreign_driver(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, GIB, 1);
	mock_set_driver(mock, "dax0.0", "dax_foreign");
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, GIB, "left as it is", "foreign-driver",
			      "active", ": its driver dax_foreign is neither kmem nor"});
	mock_end_active(mock);
	mock_expect_stores(mock, "/bind", "device_dax/bind dax9.0\n");
}

/* Add dax0.0 of 1 GiB, without its event. */
static void add_without_mapping(struct mock *mock, char path[MOCK_PATH])
{
	char file[MOCK_PATH + 32];

	mock_add_dax(mock, "dax0.0", DAX0_START, 0, 1);
	mock_dax_path("dax0.0", path);
	snprintf(file, sizeof(file), "%s/size", path);
	mock_put(mock, file, "1073741824\n");
}

/* A size and no mapping: the message has no [mem …]. */
static void test_no_mapping(void **state)
{
	struct mock *mock = *state;
	char path[MOCK_PATH];

	mock_start_active(mock);
	add_without_mapping(mock, path);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_line(mock, "/dax0.0/mapping0: ");
	mock_expect_line(mock, "cannot be used: its addresses cannot be read in the files of "
			       "/sys/bus/dax/devices/dax0.0 (unreadable)");
	mock_end_active(mock);
	mock_expect_stores(mock, "/bind", "device_dax/bind dax9.0\n");
}

/*
 * The kernel adds the mappings after the device, without an event: no message may come of that.
 * Here they come at the end of the first look after the silence, which lists the virtio drivers
 * last.
 */
static void test_mapping_comes_late(void **state)
{
	char path[MOCK_PATH], order[2 * MOCK_PATH];
	struct mock *mock = *state;

	mock_start_active(mock);
	add_without_mapping(mock, path);
	mock_put(mock, NEW "/mapping0/start", "0x100000000\n");
	mock_put(mock, NEW "/mapping0/end", "0x13fffffff\n");
	mock_put(mock, NEW "/mapping0/page_offset", "0x0\n");
	snprintf(order, sizeof(order), NEW "/mapping0 %s/mapping0\n", path);
	mock_put(mock, "/arrivals/drivers:virtio_mem", order);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, GIB, "kept out of system RAM",
					 "outside-boot-map", "active", NULL});
	mock_end_active(mock);
}

/*
 * The kernel removes the attributes of a device before it unbinds kmem: such a device is not
 * unreadable. `size` is removed in the second look, after libdaxctl has read it.
 */
static void test_dax_being_removed(void **state)
{
	char path[MOCK_PATH], file[MOCK_PATH + 32], order[2 * MOCK_PATH];
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_give_to_kmem(mock, "dax0.0", DAX0_START, GIB, NULL);
	mock_dax_path("dax0.0", path);
	snprintf(file, sizeof(file), "%s/resource", path);
	mock_remove(mock, file);
	snprintf(order, sizeof(order), "%s/size " NEW "/size\n", path);
	mock_put(mock, NEW "/second", order);
	mock_put(mock, "/arrivals/dax0.0:mapping0", NEW "/second /arrivals/dax0.0:mapping0\n");
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_await_text(mock, NEW "/size", "1073741824");
	mock_await_look(mock);
	mock_end_active(mock);
	mock_expect_stores(mock, "/bind", "device_dax/bind dax9.0\n");
}

/* libdaxctl does not list a device without its node in /dev. */
static void test_no_device_node(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, GIB, 1);
	mock_remove(mock, "/dev/dax0.0");
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_line(mock, "/sys/bus/dax/devices/dax0.0: ignored, because libdaxctl cannot");
	mock_end_active(mock);
	mock_expect_stores(mock, "/bind", "device_dax/bind dax9.0\n");
}

/* An e820 with 3 of its 4 entries. The firmware memmap is the second choice. */
static void test_boot_params_cut(void **state)
{
	struct mock *mock = *state;

	mock_boot_params(mock, 0x2d0 + 3 * 20);
	mock_boot_memmap(mock);
	mock_start_active(mock);
	mock_expect_line(mock, BOOT_PARAMS ": ");
	mock_end_active(mock);
}

/* No source of the boot map: a dax device is left as it is. */
static void test_no_boot_map(void **state)
{
	struct mock *mock = *state;

	mock_boot_params(mock, 100);
	mock_start_active(mock);
	mock_expect_line(mock, BOOT_PARAMS ": ");
	mock_expect_line(mock, "/sys/firmware/memmap: ");
	mock_add_dax(mock, "dax0.0", DAX0_START, GIB, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, GIB, "left as it is",
					 "boot-map-unknown", "active", "dax0.0"});
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "/bind", "");
	mock_expect_stores(mock, "/state", "");
}

static void test_cpuinfo_garbage(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, "/proc/cpuinfo", "processor\t: 0\n\n");
	mock_start(mock);
	mock_expect_line(mock, "/proc/cpuinfo: ");
	mock_expect_tdx(mock, "unknown");
	mock_expect_file(mock, AUTO_ONLINE, "offline");
	mock_expect_line(mock, NOTHING);
	mock_stop(mock);
	mock_expect_silence(mock);
}

static void test_state_corrupt(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, STATE, "{\"schema\":1,\"boot_id\":");
	mock_start(mock);
	mock_expect_line(mock, STATE ": ");
	mock_expect_tdx(mock, "absent");
	mock_expect_line(mock, NOTHING);
	mock_end_absent(mock);
}

/* The state file is lost while the guard is held: drivers_autoprobe is 1 again at the end. */
static void test_state_lost_with_guard_held(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, STATE, "{");
	mock_put(mock, DAX_AUTOPROBE, "0\n");
	mock_start(mock);
	mock_expect_line(mock, STATE ": ");
	mock_expect_line(mock, DAX_AUTOPROBE ": its former value is not known");
	mock_expect_tdx(mock, "absent");
	mock_expect_line(mock, NOTHING);
	mock_expect_file(mock, DAX_AUTOPROBE, "1");
	mock_end_absent(mock);
}

/* JSON of this boot, but not a state of the daemon. */
static void test_state_foreign(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, STATE,
		"{\"schema\":1,\"boot_id\":\"11111111-2222-4333-8444-555555555555\",\"boot_map\":[]"
		",\"guard\":7,\"decided\":{}}");
	mock_start(mock);
	mock_expect_line(mock, STATE ": ");
	mock_expect_tdx(mock, "absent");
	mock_expect_line(mock, NOTHING);
	mock_end_absent(mock);
}

/* The state cannot be saved: a message, and all else works. */
static void test_state_not_written(void **state)
{
	struct mock *mock = *state;

	mock_make_directory(mock, STATE);
	mock_start(mock);
	mock_expect_line(mock, STATE ": not a state file");
	mock_expect_line(mock, "/state.json: cannot be written");
	mock_expect_tdx(mock, "absent");
	mock_expect_line(mock, NOTHING);
	mock_add_blocks(mock, 40, 1, "offline");
	mock_expect_record(mock,
		&(struct mock_record){5 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_stop(mock);
}

/* Read-only, as with ProtectKernelTunables=. */
static void test_switch_not_written(void **state)
{
	struct mock *mock = *state;

	mock_fail(mock, "memory/auto_online_blocks", EROFS);
	mock_start_active(mock);
	mock_expect_line(mock, AUTO_ONLINE ": cannot be set to offline: Read-only file system");
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_end_active(mock);
	mock_expect_file(mock, AUTO_ONLINE, "online");
	mock_expect_file(mock, DAX_AUTOPROBE, "1");
}

static void test_switch_not_read(void **state)
{
	struct mock *mock = *state;

	mock_remove(mock, AUTO_ONLINE);
	mock_make_directory(mock, AUTO_ONLINE);
	mock_start_active(mock);
	mock_expect_line(mock, AUTO_ONLINE ": cannot be set to offline: Is a directory");
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_end_active(mock);
	mock_expect_file(mock, DAX_AUTOPROBE, "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_block_removed),
		TEST(test_block_being_removed),
		TEST(test_block_state_garbage),
		TEST(test_block_not_written),
		TEST(test_block_busy_at_first),
		TEST(test_block_stays_busy),
		TEST(test_no_target_node),
		TEST(test_foreign_driver),
		TEST(test_no_mapping),
		TEST(test_mapping_comes_late),
		TEST(test_dax_being_removed),
		TEST(test_no_device_node),
		TEST(test_boot_params_cut),
		TEST(test_no_boot_map),
		TEST(test_cpuinfo_garbage),
		TEST(test_state_corrupt),
		TEST(test_state_lost_with_guard_held),
		TEST(test_state_foreign),
		TEST(test_state_not_written),
		TEST(test_switch_not_written),
		TEST(test_switch_not_read),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
