/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A range that another program changes: one record, and the daemon does not change it back.
 */
#include "mock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (2 * BLOCK)
#define BLOCK16	   MEMORY "/memory16"

static void add_dax0(const struct mock *mock)
{
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
}

/* Without TDX: block 16 is online. */
static void start_with_block(struct mock *mock)
{
	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_await_text(mock, STATE, "\"type\":\"unknown\"");
}

static void expect_block_changed(struct mock *mock)
{
	mock_expect_record(mock, &(struct mock_record){2 * GIB, BLOCK, "to be online as system RAM",
					 "tdx-absent", "absent",
					 "was changed by another program or by hand: 0 of 1 memory "
					 "blocks are online"});
	mock_await_text(mock, STATE, "\"changed\":true");
}

/* With TDX: dax0.0 is in devdax mode. */
static void start_with_device(struct mock *mock)
{
	mock_start_active(mock);
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_await_decided(mock, "dax0.0");
}

static void expect_device_changed(struct mock *mock, const char *now)
{
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "to be kept out of system RAM",
			      "outside-boot-map", "active", now});
	mock_await_text(mock, STATE, "\"changed\":true");
}

/* Offline, online, offline again: one record, and no store. */
static void test_block(void **state)
{
	struct mock *mock = *state;

	start_with_block(mock);
	mock_set_block(mock, 16, "offline");
	expect_block_changed(mock);
	mock_set_block(mock, 16, "online");
	mock_add_blocks(mock, 20, 1, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB + 4 * BLOCK, BLOCK,
					 "online as system RAM (1 of 1 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_set_block(mock, 16, "offline");
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory16", "memory16/state online\n");
}

/* The next start does not repeat the record. */
static void test_block_over_restart(void **state)
{
	struct mock *mock = *state;

	start_with_block(mock);
	mock_set_block(mock, 16, "offline");
	expect_block_changed(mock);
	mock_stop(mock);
	mock_start_in(mock, "absent");
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory16", "memory16/state online\n");
}

/* A reload decides the range again, and brings the block online. */
static void test_block_and_reload(void **state)
{
	struct mock *mock = *state;

	start_with_block(mock);
	mock_set_block(mock, 16, "offline");
	expect_block_changed(mock);
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect");
	mock_expect_tdx(mock, "absent");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_await_settled(mock);
	/* A change after that is recorded again. */
	mock_set_block(mock, 16, "offline");
	expect_block_changed(mock);
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory16", "memory16/state online\nmemory16/state online\n");
}

static void test_while_stopped(void **state)
{
	struct mock *mock = *state;

	start_with_block(mock);
	mock_stop(mock);
	mock_put(mock, BLOCK16 "/state", "offline\n");
	mock_start_in(mock, "absent");
	expect_block_changed(mock);
	mock_end_absent(mock);
}

#define BYPASSED "; another process bound its driver before tdx-onlined acted; "

/* A device that was left without a driver gets one, as by a write to new_id. */
static void test_bypassed(void **state)
{
	struct mock *mock = *state;

	mock_rule(mock, "10-left.rule", "Type=cxl\n", "Verdict=ignore\n");
	mock_start_active(mock);
	add_dax0(mock);
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is", "rule", "active",
			": rule 10-left.rule requires it (rule); the TDX state is"});
	mock_await_decided(mock, "dax0.0");
	mock_set_driver(mock, "dax0.0", "kmem");
	mock_place_blocks(mock, 32, 2, "offline");
	mock_uevent_dax(mock, "dax0.0", "bind");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "to be left as it is",
					 "rule", "active", BYPASSED});
	mock_await_text(mock, STATE, "\"changed\":true");
	mock_stop(mock);
	mock_expect_silence(mock);
}

/*
 * A device that is bound before it is decided has this in its record, except one that was bound
 * before the guard was taken.
 */
static void test_bypassed_undecided(void **state)
{
	struct mock *mock = *state;

	add_dax0(mock);
	mock_set_driver(mock, "dax0.0", "device_dax");
	mock_make_active(mock);
	mock_start_in(mock, "active");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "already-devdax", "active", "(already-devdax); the TDX state is"});
	mock_await_decided(mock, "dax0.0");
	mock_add_dax(mock, "dax1.0", 2 * DAX0_START, DAX0_SIZE, 1);
	mock_set_driver(mock, "dax1.0", "device_dax");
	mock_uevent_dax(mock, "dax1.0", "add");
	mock_expect_record(
		mock, &(struct mock_record){2 * DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "already-devdax", "active", "(already-devdax)" BYPASSED});
	mock_end_active(mock);
}

static void test_driver(void **state)
{
	struct mock *mock = *state;

	start_with_device(mock);
	mock_reset_driver(mock, "dax0.0");
	mock_uevent_dax(mock, "dax0.0", "unbind");
	expect_device_changed(mock, "by hand: it has no driver now; it was to be ");
	mock_set_driver(mock, "dax0.0", "device_dax");
	mock_uevent_dax(mock, "dax0.0", "bind");
	mock_add_dax(mock, "dax1.0", 2 * DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax1.0", "add");
	mock_expect_record(
		mock, &(struct mock_record){2 * DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", "dax1.0"});
	mock_reset_driver(mock, "dax0.0");
	mock_uevent_dax(mock, "dax0.0", "unbind");
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* The kernel's events of a device that is bound to kmem, and of its blocks that go online. */
static void send_events(const struct mock *mock)
{
	mock_uevent_dax(mock, "dax0.0", "bind");
	mock_uevent(mock, MEMORY "/memory32", "add");
	mock_uevent(mock, MEMORY "/memory33", "add");
	mock_uevent(mock, MEMORY "/memory33", "online");
	mock_uevent(mock, MEMORY "/memory32", "online");
}

/* Another program binds kmem and brings the blocks online. */
static void test_reconfigured(void **state)
{
	struct mock *mock = *state;

	start_with_device(mock);
	mock_reset_driver(mock, "dax0.0");
	mock_set_driver(mock, "dax0.0", "kmem");
	mock_place_blocks(mock, 32, 2, "online");
	send_events(mock);
	expect_device_changed(
		mock, "driver is now kmem, 2 of 2 memory blocks are online; it was to be ");
	mock_end_active(mock);
	mock_await_text(mock, STATE, "\"answer\":\"accepts\"");
	mock_await_text(mock, STATE, "\"disagreements\":1");
	mock_expect_stores(mock, "/state", "");
}

static void test_own_changes(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	add_dax0(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", NULL});
	send_events(mock);
	mock_end_absent(mock);
}

/* The events of the daemon's own changes, during the job, of a range with an earlier verdict. */
static void test_own_changes_during_job(void **state)
{
	struct mock *mock = *state;

	mock_rule(mock, "50-dax0.rule", "Device=dax0.0\n", "Verdict=devdax\n");
	mock_start_absent(mock);
	add_dax0(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "kept out of system RAM", "rule", "absent", NULL});
	mock_await_decided(mock, "dax0.0");
	mock_rule(mock, "50-dax0.rule", "Device=dax0.0\n", "ConvertDevdax=yes\n");
	mock_hang(mock, "memory32/state online");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect");
	mock_expect_tdx(mock, "absent");
	mock_await_text(mock, "/stores", "~memory32/state online\n");
	mock_uevent_dax(mock, "dax0.0", "unbind");
	send_events(mock);
	mock_fail_times(mock, "memory32/state online", EBUSY, 4);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", "; it took 4 retries"});
	mock_end_absent(mock);
}

/* A block of boot memory that is taken offline is not recorded. */
static void test_boot_memory(void **state)
{
	struct mock *mock = *state;

	start_with_block(mock);
	mock_set_block(mock, 3, "offline");
	mock_end_absent(mock);
}

/* A device of kmem has no mapping yet: no run of blocks is decided, and none is forgotten. */
static void test_run_and_device_without_mapping(void **state)
{
	struct mock *mock = *state;
	char path[MOCK_PATH], size[MOCK_PATH];

	start_with_block(mock);
	mock_put(mock, BLOCK16 "/state", "offline\n");
	mock_uevent(mock, BLOCK16, "offline");
	expect_block_changed(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, 0, 1);
	mock_dax_path("dax0.0", path);
	mock_path(size, "%s/size", path);
	mock_put(mock, size, "268435456\n");
	mock_set_driver(mock, "dax0.0", "kmem");
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_await_look(mock);
	mock_size_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE);
	mock_add_blocks(mock, 32, 2, "online");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 1, "offline");
}

/*
 * Changes during the job of another device: a block that is taken offline is seen by its event, one
 * that goes online by the next look.
 */
static void test_during_job(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 2, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_rule(mock, "50-out.rule", "Range=0xa0000000-0xafffffff\n", "Verdict=offline\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 1 rules");
	mock_expect_tdx(mock, "absent");
	mock_add_blocks(mock, 20, 2, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB + 4 * BLOCK, 2 * BLOCK,
					 "left offline", "rule", "absent", NULL});
	mock_await_settled(mock);
	mock_hang(mock, "memory32/state online");
	add_dax0(mock);
	mock_await_text(mock, "/stores", "~memory32/state online\n");
	mock_put(mock, MEMORY "/memory20/state", "online\n");
	mock_set_block(mock, 17, "offline");
	mock_fail_times(mock, "memory32/state online", EBUSY, 1);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, 2 * BLOCK, "to be online as system RAM",
			      "tdx-absent", "absent", "1 of 2 memory blocks are online"});
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB + 4 * BLOCK, 2 * BLOCK, "to be left offline",
			      "rule", "absent", "1 of 2 memory blocks are online"});
	mock_end_absent(mock);
}

/* False: it took so long that the daemon may have seen several changes. */
static bool change_gradually(struct mock *mock)
{
	int64_t last = mock_now_ms();

	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 4, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 4 * BLOCK,
					 "online as system RAM (4 of 4 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_await_settled(mock);
	for (uint64_t id = 16; id < 20; id++) {
		if (id > 16 && mock_now_ms() - last > 900)
			return false;
		last = mock_now_ms();
		mock_set_block(mock, id, "offline");
		poll(NULL, 0, 500); /* longer than a silence, shorter than a change may take */
	}
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, 4 * BLOCK, "to be online as system RAM",
			      "tdx-absent", "absent", "0 of 4 memory blocks are online"});
	return true;
}

/* Four blocks go offline one by one: one record, of the end. */
static void test_gradual(void **state)
{
	int64_t deadline = mock_now_ms() + DEADLINE_MS;
	struct mock *mock = *state;

	while (!change_gradually(mock)) {
		assert_true(mock_now_ms() < deadline);
		mock_reset(mock);
	}
	mock_end_absent(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_block),
		TEST(test_block_over_restart),
		TEST(test_block_and_reload),
		TEST(test_while_stopped),
		TEST(test_bypassed),
		TEST(test_bypassed_undecided),
		TEST(test_driver),
		TEST(test_reconfigured),
		TEST(test_own_changes),
		TEST(test_own_changes_during_job),
		TEST(test_boot_memory),
		TEST(test_run_and_device_without_mapping),
		TEST(test_during_job),
		TEST(test_gradual),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
