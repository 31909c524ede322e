/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon is killed in the middle of a job, and the next start takes the job up.
 *
 * SIGKILL reaches the daemon in a write to the kernel. The mock kernel drops such a write; a test
 * that needs its effect makes it itself. Blocks 32 to 35 of dax0.0 go online in descending order.
 */
#include "mock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (4 * BLOCK)

static const struct mock_record dax0_online = {DAX0_START, DAX0_SIZE,
	"online as system RAM (4 of 4 memory blocks", "tdx-absent", "absent", NULL};
static const struct mock_record dax0_refused = {
	DAX0_START, DAX0_SIZE, "kept out of system RAM", "kernel-refused", "absent", NULL};
static const struct mock_record dax0_outside = {
	DAX0_START, DAX0_SIZE, "kept out of system RAM", "outside-boot-map", "active", NULL};

static void add_dax0(const struct mock *mock)
{
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
}

/* As after another program has bound kmem, with block 35 in this state. */
static void add_dax0_of_kmem(const struct mock *mock, const char *block35)
{
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_set_driver(mock, "dax0.0", "kmem");
	mock_place_blocks(mock, 32, 3, "offline");
	mock_place_blocks(mock, 35, 1, block35);
	mock_uevent_dax(mock, "dax0.0", "add");
}

/* Wait until the daemon is in this store. */
static void await_hanging(const struct mock *mock, const char *store)
{
	char line[128];

	snprintf(line, sizeof(line), "~%s\n", store);
	mock_await_text(mock, "/stores", line);
}

/* Kill the daemon in this store, and remove the fault. */
static void kill_in(struct mock *mock, const char *store)
{
	await_hanging(mock, store);
	mock_kill(mock);
	mock_fail(mock, store, 0);
}

/*
 * The same in a store that takes a block offline. That is done by a process of its own, which goes
 * on after the daemon; mock_kill() waits for its end.
 */
static void kill_in_offline(struct mock *mock, const char *store)
{
	await_hanging(mock, store);
	kill(mock->daemon, SIGKILL);
	mock_fail(mock, store, 0);
	mock_kill(mock);
}

/* --- a job is in the state file before its first write --- */

/* While the first store hangs, the state file has all the words. */
static void expect_begun(const struct mock *mock, const char *store, const char *const *words)
{
	static char text[65536];
	const char *devices;

	await_hanging(mock, store);
	mock_read(mock, STATE, text, sizeof(text));
	devices = strstr(text, "\"devices\":[");
	assert_non_null(devices);
	for (; *words; words++)
		if (!strstr(devices, *words))
			fail_msg("missing in the state file while %s hangs: %s", store, *words);
}

static void test_begun_online(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "kmem/bind");
	add_dax0(mock);
	expect_begun(mock, "kmem/bind dax0.0",
		(const char *const[]){"\"chardev\":\"dax0.0\"", "\"verdict\":\"online\"",
			"\"result\":\"begun\"", "\"recorded\":false", NULL});
	mock_kill(mock);
	mock_expect_silence(mock);
}

static void test_begun_online_of_kmem(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory34/state");
	add_dax0_of_kmem(mock, "online");
	expect_begun(mock, "memory34/state online",
		(const char *const[]){"\"mode\":\"system-ram\"", "\"verdict\":\"online\"",
			"\"result\":\"begun\",\"total_memblocks\":4,\"online_memblocks\":1",
			"\"recorded\":false", NULL});
	mock_kill(mock);
	mock_expect_silence(mock);
}

static void test_begun_run(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory17/state");
	mock_place_blocks(mock, 16, 2, "offline");
	mock_uevent(mock, MEMORY "/memory16", "add");
	expect_begun(mock, "memory17/state online",
		(const char *const[]){"\"type\":\"unknown\"", "\"verdict\":\"online\"",
			"\"result\":\"begun\",\"total_memblocks\":2,\"online_memblocks\":0",
			"\"recorded\":false", NULL});
	mock_kill(mock);
	mock_expect_silence(mock);
}

static void test_begun_dimm(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory17/state");
	mock_place_blocks(mock, 16, 2, "offline");
	mock_put(mock, "/sys/firmware/memmap/2/start", "0x80000000\n");
	mock_put(mock, "/sys/firmware/memmap/2/end", "0x8fffffff\n");
	mock_put(mock, "/sys/firmware/memmap/2/type", "System RAM\n");
	mock_uevent(mock, MEMORY "/memory16", "add");
	expect_begun(mock, "memory17/state online",
		(const char *const[]){"\"type\":\"dimm\"", "\"verdict\":\"online\"",
			"\"result\":\"begun\"", "\"recorded\":false", NULL});
	mock_kill(mock);
	mock_expect_silence(mock);
}

static void test_begun_devdax_of_kmem(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_hang(mock, "kmem/unbind");
	add_dax0_of_kmem(mock, "offline");
	expect_begun(mock, "kmem/unbind dax0.0",
		(const char *const[]){"\"mode\":\"system-ram\"", "\"verdict\":\"devdax\"",
			"\"result\":\"begun\"", "\"recorded\":false", NULL});
	mock_kill(mock);
	mock_expect_silence(mock);
}

/* The only step is to bind device_dax: the record comes before it. */
static void test_begun_devdax(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_hang(mock, "device_dax/new_id");
	add_dax0(mock);
	expect_begun(mock, "device_dax/new_id dax0.0",
		(const char *const[]){"\"chardev\":\"dax0.0\"", "\"verdict\":\"devdax\"",
			"\"result\":\"begun\"", "\"recorded\":true", NULL});
	mock_expect_record(mock, &dax0_outside);
	mock_kill(mock);
	mock_expect_silence(mock);
}

/* The kernel refuses block 32. The verdict is saved before the first step of the rollback. */
static void test_begun_rollback(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "memory32/state online", EPERM);
	mock_hang(mock, "memory35/state offline");
	add_dax0(mock);
	expect_begun(mock, "memory35/state offline",
		(const char *const[]){"\"verdict\":\"devdax\",\"reason\":\"kernel-refused\"",
			"\"answer\":\"refuses\",\"result\":\"begun\"",
			"\"errno\":1,\"failed\":\"online\",\"failed_at\":4294967296",
			"\"online_memblocks\":0", "\"recorded\":false", NULL});
	kill_in_offline(mock, "memory35/state offline");
	mock_expect_silence(mock);
}

/* --- the next start takes the job up --- */

static void test_killed_and_nothing_refused(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory33/state online");
	add_dax0(mock);
	kill_in(mock, "memory33/state online");
	mock_expect_blocks(mock, 34, 2, "online");
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &dax0_online);
	mock_await_text(mock, STATE, "\"result\":\"done\",\"total_memblocks\":4,");
	mock_end_absent(mock);
	mock_expect_stores(mock, "/state offline", "");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/* The blocks of both starts go offline, the highest first. */
static void expect_taken_back(const struct mock *mock)
{
	mock_expect_stores(mock, "/state offline",
		"memory35/state offline\nmemory34/state offline\nmemory33/state offline\n");
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
}

static void test_killed_and_refused(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory33/state online");
	add_dax0(mock);
	kill_in(mock, "memory33/state online");
	mock_fail(mock, "memory32/state online", EPERM);
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &dax0_refused);
	mock_await_text(mock, STATE, "\"mode\":\"devdax\"");
	mock_end_absent(mock);
	expect_taken_back(mock);
}

/* The write in which the daemon was killed takes effect, and the next one is refused. */
static void test_killed_and_refused_at_once(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory33/state online");
	add_dax0(mock);
	kill_in(mock, "memory33/state online");
	mock_put(mock, MEMORY "/memory33/state", "online\n");
	mock_fail(mock, "memory32/state online", EPERM);
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &dax0_refused);
	mock_end_absent(mock);
	expect_taken_back(mock);
}

/* Only the first of three starts found the device with all blocks offline. */
static void test_killed_twice_and_refused(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory34/state online");
	add_dax0(mock);
	kill_in(mock, "memory34/state online");
	mock_hang(mock, "memory33/state online");
	mock_start_in(mock, "absent");
	kill_in(mock, "memory33/state online");
	mock_fail(mock, "memory32/state online", EPERM);
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &dax0_refused);
	mock_end_absent(mock);
	expect_taken_back(mock);
}

/* With TDX and CapableRanges=, where the kernel refuses the memory nevertheless. */
static void test_killed_and_refused_with_tdx(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "CapableRanges=0x100000000-0x11fffffff\n");
	mock_start_active(mock);
	mock_hang(mock, "memory33/state online_kernel");
	add_dax0(mock);
	kill_in(mock, "memory33/state online_kernel");
	mock_fail(mock, "memory32/state online_kernel", EPERM);
	mock_start_in(mock, "active");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "kernel-refused", "active", NULL});
	mock_end_active(mock);
	expect_taken_back(mock);
}

static void test_run_killed_and_refused(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory17/state online");
	mock_place_blocks(mock, 16, 3, "offline");
	mock_uevent(mock, MEMORY "/memory16", "add");
	kill_in(mock, "memory17/state online");
	mock_fail(mock, "memory16/state online", EPERM);
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 3 * BLOCK, "left offline",
					 "kernel-refused", "absent", NULL});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 3, "offline");
	mock_expect_stores(
		mock, "/state offline", "memory18/state offline\nmemory17/state offline\n");
}

/*
 * The job of blocks 16 to 18 is begun, and the daemon is killed with block 18 online. While no
 * daemon runs, block 19 is added to the run. Then the kernel refuses block 16.
 */
static void refuse_grown_run(struct mock *mock, const char *block19)
{
	mock_start_absent(mock);
	mock_hang(mock, "memory17/state online");
	mock_place_blocks(mock, 16, 3, "offline");
	mock_uevent(mock, MEMORY "/memory16", "add");
	kill_in(mock, "memory17/state online");
	mock_place_blocks(mock, 19, 1, block19);
	mock_fail(mock, "memory16/state online", EPERM);
	mock_start_in(mock, "absent");
}

static void test_grown_run_killed_and_refused(void **state)
{
	struct mock *mock = *state;

	refuse_grown_run(mock, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 4 * BLOCK, "left offline",
					 "kernel-refused", "absent", NULL});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 4, "offline");
}

/* Another program brought block 19 online, which is not in the part that was begun. */
static void test_grown_run_with_block_of_others(void **state)
{
	struct mock *mock = *state;

	refuse_grown_run(mock, "online");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 4 * BLOCK, "left as it is",
					 "kernel-refused", "absent", NULL});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 3, "offline");
	mock_expect_blocks(mock, 19, 1, "online");
}

/* Another program brought block 35 online before: only blocks of this start go offline again. */
static void test_killed_with_blocks_of_others(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory33/state online");
	add_dax0_of_kmem(mock, "online");
	kill_in(mock, "memory33/state online");
	mock_fail(mock, "memory32/state online", EPERM);
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is",
					 "kernel-refused", "absent", NULL});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 34, 2, "online");
	mock_expect_stores(mock, "/state offline", "memory33/state offline\n");
	mock_expect_stores(mock, "bind dax0", "");
}

/* The state file must contain the words. */
static void expect_kept(const struct mock *mock, const char *words)
{
	static char text[65536];

	mock_read(mock, STATE, text, sizeof(text));
	if (!strstr(text, words))
		fail_msg("not in the state file: %s: %s", words, text);
}

/* Killed in the last step, which takes effect: only the record is missing. */
static void test_killed_in_last_step(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory32/state online");
	add_dax0(mock);
	kill_in(mock, "memory32/state online");
	mock_put(mock, MEMORY "/memory32/state", "online\n");
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &dax0_online);
	mock_await_settled(mock);
	expect_kept(mock, "\"answer\":\"accepts\",\"result\":\"done\"");
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/* --- the next start continues the rollback --- */

/* The kernel refuses block 32, and the daemon is killed in a store of the rollback. */
static void kill_in_rollback(struct mock *mock, const char *store)
{
	mock_start_absent(mock);
	mock_fail(mock, "memory32/state online", EPERM);
	mock_hang(mock, store);
	add_dax0(mock);
	kill_in(mock, store);
}

/* No block is brought online again, and the record is that of the refusal. */
static void expect_rolled_back(struct mock *mock)
{
	mock_start_in(mock, "absent");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "kernel-refused", "absent", "Operation not permitted"});
	mock_await_settled(mock);
	expect_kept(mock, "\"reason\":\"kernel-refused\",\"answer\":\"refuses\",\"result\":"
			  "\"done\",\"errno\":1,");
	mock_expect_stores(mock, "/state online",
		"memory35/state online\nmemory34/state online\nmemory33/state "
		"online\n!memory32/state online\n");
	mock_end_absent(mock);
}

static void test_killed_in_rollback(void **state)
{
	struct mock *mock = *state;

	kill_in_rollback(mock, "kmem/unbind dax0.0");
	expect_rolled_back(mock);
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\n~kmem/unbind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind "
		"dax0.0\n");
}

/* The device has no driver, as if it were new. */
static void test_killed_in_last_step_of_rollback(void **state)
{
	struct mock *mock = *state;

	kill_in_rollback(mock, "device_dax/bind dax0.0");
	expect_rolled_back(mock);
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\n~device_dax/bind dax0.0\ndevice_dax/bind "
		"dax0.0\n");
}

/* The bind in which the daemon was killed takes effect. */
static void test_killed_after_rollback(void **state)
{
	struct mock *mock = *state;

	kill_in_rollback(mock, "device_dax/bind dax0.0");
	mock_set_driver(mock, "dax0.0", "device_dax");
	expect_rolled_back(mock);
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\n~device_dax/bind dax0.0\n");
}

/* Another program has brought all blocks online since: they stay, and are decided as usual. */
static void test_used_since_rollback(void **state)
{
	struct mock *mock = *state;

	kill_in_rollback(mock, "kmem/unbind dax0.0");
	mock_await_text(mock, STATE, "\"own_memblocks\":3,");
	mock_fail(mock, "kmem/unbind dax0.0", 0);
	for (unsigned int i = 32; i < 36; i++) {
		char path[MOCK_PATH];

		mock_path(path, MEMORY "/memory%u/state", i);
		mock_put(mock, path, "online\n");
	}
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &dax0_online);
	mock_await_settled(mock);
	mock_end_absent(mock);
	mock_expect_blocks(mock, 32, 4, "online");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n~kmem/unbind dax0.0\n");
}

static void test_run_killed_in_rollback(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "memory16/state online", EPERM);
	mock_hang(mock, "memory17/state offline");
	mock_place_blocks(mock, 16, 3, "offline");
	mock_uevent(mock, MEMORY "/memory16", "add");
	kill_in_offline(mock, "memory17/state offline");
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 3 * BLOCK, "left offline",
					 "kernel-refused", "absent", "Operation not permitted"});
	mock_expect_stores(mock, "/state online",
		"memory18/state online\nmemory17/state online\n!memory16/state online\n");
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 3, "offline");
}

/* --- the next start does not repeat a record --- */

/* Kill the daemon after the record, while it binds device_dax. */
static void kill_after_record(struct mock *mock)
{
	mock_start_active(mock);
	mock_hang(mock, "device_dax/bind dax0.0");
	add_dax0(mock);
	await_hanging(mock, "device_dax/bind dax0.0");
	mock_expect_record(mock, &dax0_outside);
	kill_in(mock, "device_dax/bind dax0.0");
}

static void test_killed_after_record(void **state)
{
	struct mock *mock = *state;

	kill_after_record(mock);
	mock_start_in(mock, "active");
	mock_await_text(mock, STATE, "\"result\":\"done\"");
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "~device_dax/bind dax0.0\ndevice_dax/bind dax0.0\n");
}

/* The bind in which the daemon was killed takes effect. */
static void test_killed_after_record_and_bound(void **state)
{
	struct mock *mock = *state;

	kill_after_record(mock);
	mock_set_driver(mock, "dax0.0", "device_dax");
	mock_start_in(mock, "active");
	mock_await_settled(mock);
	expect_kept(mock, "\"reason\":\"outside-boot-map\",\"result\":\"done\"");
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "~device_dax/bind dax0.0\n");
}

/*
 * A device of kmem becomes devdax, and the daemon is killed in the last of several steps: the
 * record comes at the end, whether the bind takes effect or not.
 */
static void kill_in_last_step(struct mock *mock)
{
	mock_start_active(mock);
	mock_hang(mock, "device_dax/bind dax0.0");
	add_dax0_of_kmem(mock, "offline");
	kill_in(mock, "device_dax/bind dax0.0");
}

static void expect_made_devdax(struct mock *mock)
{
	mock_expect_record(mock, &dax0_outside);
	mock_await_settled(mock);
	expect_kept(mock, "\"reason\":\"outside-boot-map\",\"result\":\"done\"");
	mock_end_active(mock);
}

static void test_killed_before_last_step(void **state)
{
	struct mock *mock = *state;

	kill_in_last_step(mock);
	mock_hang(mock, "device_dax/new_id dax0.0");
	mock_start_in(mock, "active");
	await_hanging(mock, "device_dax/new_id dax0.0");
	expect_kept(mock, "\"recorded\":false");
	mock_fail(mock, "device_dax/new_id dax0.0", 0);
	expect_made_devdax(mock);
}

static void test_killed_after_last_step(void **state)
{
	struct mock *mock = *state;

	kill_in_last_step(mock);
	mock_set_driver(mock, "dax0.0", "device_dax");
	mock_start_in(mock, "active");
	expect_made_devdax(mock);
}

/* The next start decides otherwise, and writes a record. */
static void test_killed_after_record_and_reconfigured(void **state)
{
	struct mock *mock = *state;

	kill_after_record(mock);
	mock_configure(mock, "CapableRanges=0x100000000-0x11fffffff\n");
	mock_start_in(mock, "active");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (4 of 4 memory blocks",
					 "in-boot-map", "active", NULL});
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "~device_dax/bind dax0.0\nkmem/bind dax0.0\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_begun_online),
		TEST(test_begun_online_of_kmem),
		TEST(test_begun_run),
		TEST(test_begun_dimm),
		TEST(test_begun_devdax_of_kmem),
		TEST(test_begun_devdax),
		TEST(test_begun_rollback),
		TEST(test_killed_and_nothing_refused),
		TEST(test_killed_and_refused),
		TEST(test_killed_and_refused_at_once),
		TEST(test_killed_twice_and_refused),
		TEST(test_killed_and_refused_with_tdx),
		TEST(test_run_killed_and_refused),
		TEST(test_grown_run_killed_and_refused),
		TEST(test_grown_run_with_block_of_others),
		TEST(test_killed_with_blocks_of_others),
		TEST(test_killed_in_last_step),
		TEST(test_killed_in_rollback),
		TEST(test_killed_in_last_step_of_rollback),
		TEST(test_killed_after_rollback),
		TEST(test_used_since_rollback),
		TEST(test_run_killed_in_rollback),
		TEST(test_killed_after_record),
		TEST(test_killed_after_record_and_bound),
		TEST(test_killed_before_last_step),
		TEST(test_killed_after_last_step),
		TEST(test_killed_after_record_and_reconfigured),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
