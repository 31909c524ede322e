/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes that fail: retries, and the rollback of all steps.
 *
 * TDX is absent, so all memory may go online. dax0.0 has the blocks 32 to 35, which go online in
 * descending order.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (4 * BLOCK)
#define BUSY	   "Device or resource busy"

static void add_dax0(const struct mock *mock)
{
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
}

/* The stores that bring all four online, with so many failed tries at block 33. */
static void expect_stores_of_retry(const struct mock *mock, unsigned int failed)
{
	char stores[1024] = "memory35/state online\nmemory34/state online\n";

	while (failed--)
		strcat(stores, "!memory33/state online\n");
	strcat(stores, "memory33/state online\nmemory32/state online\n");
	mock_expect_stores(mock, "/state online", stores);
}

static void expect_retry(struct mock *mock, int error, unsigned int times)
{
	char after[64];

	snprintf(after, sizeof(after), "(tdx-absent); it took %u %s; the TDX state is", times,
		times == 1 ? "retry" : "retries");
	mock_start_absent(mock);
	mock_fail_times(mock, "memory33/state", error, times);
	add_dax0(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (4 of 4 memory blocks", "tdx-absent",
					 "absent", after});
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_stores_of_retry(mock, times);
	mock_expect_stores(mock, "offline", "");
	mock_expect_stores(mock, "unbind", "");
}

static void test_retry(void **state)
{
	static const int errors[] = {EAGAIN, ENOMEM};
	struct mock *mock = *state;

	expect_retry(mock, EBUSY, 3);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		mock_reset(mock);
		expect_retry(mock, errors[i], 1);
	}
}

static void test_retry_interrupted(void **state)
{
	expect_retry(*state, EINTR, 2);
}

/* The blocks go offline again, the highest first, and device_dax is bound. */
static void expect_stores_of_rollback(const struct mock *mock)
{
	mock_expect_stores(
		mock, "/state offline", "memory35/state offline\nmemory34/state offline\n");
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
}

/* An error that stays: 6 tries. */
static void expect_rollback(struct mock *mock, int error)
{
	char failure[128];

	snprintf(failure, sizeof(failure),
		"; onlining the memory block at 0x108000000 failed: %s, after 5 retries; the TDX "
		"state is absent",
		strerror(error));
	mock_start_absent(mock);
	mock_fail(mock, "memory33/state online", error);
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "rolled-back", "absent", failure});
	mock_await_text(mock, STATE, "\"mode\":\"devdax\"");
	mock_end_absent(mock);
	mock_expect_stores(mock, "/state online",
		"memory35/state online\nmemory34/state online\n!memory33/state "
		"online\n!memory33/state online\n!memory33/state online\n!memory33/state "
		"online\n!memory33/state online\n!memory33/state online\nmemory40/state online\n");
	expect_stores_of_rollback(mock);
}

static void test_rollback(void **state)
{
	static const int errors[] = {EAGAIN, ENOMEM};
	struct mock *mock = *state;

	expect_rollback(mock, EBUSY);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		mock_reset(mock);
		expect_rollback(mock, errors[i]);
	}
}

static void test_rollback_interrupted(void **state)
{
	expect_rollback(*state, EINTR);
}

/* EPERM is final: one try. */
static void test_refused_second_block(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "memory33/state online", EPERM);
	add_dax0(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "kept out of system RAM", "kernel-refused", "absent",
					 "; onlining the memory block at 0x108000000 failed: "
					 "Operation not permitted; the TDX state is"});
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory33", "!memory33/state online\n");
	mock_expect_stores(mock, "memory32", "");
	expect_stores_of_rollback(mock);
	mock_await_text(mock, STATE, "\"answer\":\"refuses\"");
	mock_await_text(mock, STATE, "\"disagreements\":1");
}

/* The bind of kmem is refused: there is nothing to roll back. */
static void test_kmem_refused(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "kmem/bind", EINVAL);
	add_dax0(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "kept out of system RAM", "kernel-refused", "absent",
					 "binding the driver kmem failed: Invalid argument"});
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0", "!kmem/bind dax0.0\ndevice_dax/bind dax0.0\n");
	mock_expect_stores(mock, "memory3", "");
}

/* ENOMEM for the page metadata of kmem is not tried again. */
static void test_kmem_without_memory(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "kmem/bind", ENOMEM);
	add_dax0(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "kept out of system RAM", "rolled-back", "absent",
					 "binding the driver kmem failed: Cannot allocate memory; "
					 "the TDX state is"});
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0", "!kmem/bind dax0.0\ndevice_dax/bind dax0.0\n");
}

static void put_keep_rule(const struct mock *mock)
{
	mock_rule(mock, "50-keep.rule", "Type=cxl\n", "OnFailure=keep\n");
}

static void test_keep(void **state)
{
	struct mock *mock = *state;

	put_keep_rule(mock);
	mock_start_absent(mock);
	mock_fail(mock, "memory33/state online", EBUSY);
	add_dax0(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "only partly online as system RAM (2 of 4 memory blocks",
					 "tdx-absent", "absent",
					 ": onlining the memory block at 0x108000000 failed: " BUSY
					 ", after 5 retries; it was to be online as system RAM: "});
	mock_await_text(mock, STATE, "\"result\":\"partial\"");
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_blocks(mock, 34, 2, "online");
	mock_expect_blocks(mock, 32, 2, "offline");
	mock_expect_stores(mock, "/state offline", "");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/* No block is online, so that there is nothing to keep. */
static void test_keep_nothing(void **state)
{
	struct mock *mock = *state;

	put_keep_rule(mock);
	mock_start_absent(mock);
	mock_fail(mock, "memory35/state online", EPERM);
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "kernel-refused", "absent", "rule 50-keep.rule"});
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
}

/* Blocks without a device stay online by default; here a rule requires the rollback. */
static void test_rollback_of_blocks(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Present=act\n");
	mock_rule(mock, "50-all.rule", "Type=*\n", "OnFailure=rollback\n");
	mock_add_blocks(mock, 16, 3, "offline");
	mock_fail(mock, "memory16/state online", EBUSY);
	mock_start_in(mock, "absent");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, 3 * BLOCK, "left offline", "rolled-back", "absent",
			"(rolled-back); onlining the memory block at 0x80000000 failed: " BUSY
			", after 5 retries; rule 50-all.rule requires that (OnFailure=rollback); "
			"384 MiB is stranded: "});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 3, "offline");
	mock_expect_stores(
		mock, "/state offline", "memory18/state offline\nmemory17/state offline\n");
}

/* A block cannot be taken offline again: kmem is not unbound. */
static void test_rollback_fails(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "memory33/state online", EPERM);
	mock_fail(mock, "memory34/state offline", EBUSY);
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "not be made available",
			      "kernel-refused", "absent",
			      ": onlining the memory block at 0x108000000 failed: Operation not "
			      "permitted; undoing it failed as well: offlining the memory block at "
			      "0x110000000 failed: " BUSY ", after 5 retries; it was to be "});
	mock_await_text(mock, STATE, "\"result\":\"partial\"");
	mock_end_absent(mock);
	mock_expect_blocks(mock, 34, 1, "online");
	mock_expect_stores(mock, "memory35", "memory35/state online\nmemory35/state offline\n");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/* The kernel refuses block 33, and block 34 cannot be taken offline. Later it can. */
static void leave_partly_undone(struct mock *mock, const char *online, const char *tdx)
{
	char refused[64];

	snprintf(refused, sizeof(refused), "memory33/state %s", online);
	mock_fail(mock, refused, EPERM);
	mock_fail(mock, "memory34/state offline", EIO);
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "not be made available",
			      "kernel-refused", tdx, "1 of 4 memory blocks are online"});
	mock_await_text(mock, STATE, "\"own_memblocks\":1,");
	mock_fail(mock, "memory34/state offline", 0);
}

static void expect_completed(struct mock *mock, const char *tdx)
{
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "kept out of system RAM", "kernel-refused", tdx, NULL});
	mock_await_settled(mock);
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
	mock_stop(mock);
}

/* The blocks and kmem stay as they are. */
static void expect_left(struct mock *mock, const char *reason, uint64_t first, unsigned int n)
{
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is",
					 reason, "absent", NULL});
	mock_await_settled(mock);
	mock_expect_blocks(mock, first, n, "online");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
	mock_stop(mock);
}

/* The next decision takes offline the daemon's own blocks, which a rollback could not. */
static void test_rollback_is_completed(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	leave_partly_undone(mock, "online", "absent");
	mock_reload(mock);
	expect_completed(mock, "absent");
}

/* The administrator removes the range from CapableRanges=, so that it is not to go online. */
static void test_rollback_is_completed_without_range(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "CapableRanges=0x100000000-0x11fffffff\n");
	mock_start_active(mock);
	leave_partly_undone(mock, "online_kernel", "active");
	mock_configure(mock, "");
	mock_reload(mock);
	expect_completed(mock, "active");
}

static void test_rollback_is_completed_by_rule(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	leave_partly_undone(mock, "online", "absent");
	mock_rule(mock, "50-cxl.rule", "Type=cxl\n", "Verdict=devdax\n");
	mock_reload(mock);
	expect_completed(mock, "absent");
}

/* With a rule that ignores the device, those blocks stay as well. */
static void test_rollback_is_ignored_by_rule(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	leave_partly_undone(mock, "online", "absent");
	mock_rule(mock, "50-cxl.rule", "Type=cxl\n", "Verdict=ignore\n");
	mock_reload(mock);
	expect_left(mock, "rule", 34, 1);
}

/*
 * Killed while it completes the rollback. The number of the daemon's own blocks is saved: the next
 * start sees that another program has brought more of them online.
 */
static void test_rollback_is_overtaken_after_kill(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	leave_partly_undone(mock, "online", "absent");
	mock_rule(mock, "50-cxl.rule", "Type=cxl\n", "Verdict=devdax\n");
	mock_hang(mock, "kmem/unbind");
	mock_reload_send(mock);
	mock_await_text(mock, "/stores", "~kmem/unbind dax0.0\n");
	mock_kill(mock);
	mock_fail(mock, "kmem/unbind", 0);
	mock_put(mock, MEMORY "/memory34/state", "online\n");
	mock_put(mock, MEMORY "/memory35/state", "online\n");
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is",
					 "already-online", "absent", NULL});
	mock_await_settled(mock);
	mock_expect_blocks(mock, 34, 2, "online");
	mock_stop(mock);
}

/* No block is taken offline if another program has brought more of the device online since. */
static void test_rollback_is_overtaken(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	leave_partly_undone(mock, "online", "absent");
	mock_put(mock, MEMORY "/memory35/state", "online\n");
	mock_reload(mock);
	expect_left(mock, "kernel-refused", 34, 2);
}

/* The state of an older version has no number of own blocks: they may be those of others. */
static void test_rollback_of_older_version(void **state)
{
	static const char own[] = "\"own_memblocks\":1,";
	static char text[65536];
	struct mock *mock = *state;
	char *at;

	mock_start_absent(mock);
	leave_partly_undone(mock, "online", "absent");
	mock_stop(mock);
	mock_read(mock, STATE, text, sizeof(text));
	at = strstr(text, own);
	assert_non_null(at);
	memmove(at, at + strlen(own), strlen(at + strlen(own)) + 1);
	mock_put(mock, STATE, text);
	mock_start_in(mock, "absent");
	mock_reload(mock);
	expect_left(mock, "kernel-refused", 34, 1);
}

/* Another program brings a block online during the job: kmem is not unbound. */
static void test_rollback_with_block_of_others(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory34/state online");
	mock_fail(mock, "memory33/state online", EBUSY);
	add_dax0(mock);
	mock_await_text(mock, "/stores", "~memory34/state online\n");
	mock_put(mock, MEMORY "/memory32/state", "online\n");
	mock_fail(mock, "memory34/state online", 0);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "not be made available",
			      "rolled-back", "absent",
			      "1 of 4 memory blocks are online; 384 MiB is stranded: neither the "
			      "kernel nor a program can use it; the TDX state is"});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 32, 1, "online");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/* That block is not the daemon's own: a later decision does not take it offline either. */
static void test_rollback_and_reload_with_block_of_others(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory34/state offline");
	mock_fail(mock, "memory33/state online", EPERM);
	add_dax0(mock);
	mock_await_text(mock, "/stores", "~memory34/state offline\n");
	mock_put(mock, MEMORY "/memory32/state", "online\n");
	mock_fail(mock, "memory34/state offline", 0);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "not be made available",
			      "kernel-refused", "absent", "1 of 4 memory blocks are online"});
	mock_await_text(mock, STATE, "\"result\":\"partial\"");
	mock_reload(mock);
	expect_left(mock, "kernel-refused", 32, 1);
	mock_expect_stores(mock, "memory32", "");
}

/* A block fails to go offline at first: that is tried again, too. */
static void test_rollback_retries(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "memory33/state online", EPERM);
	mock_fail_times(mock, "memory34/state offline", EBUSY, 2);
	mock_fail_times(mock, "memory35/state offline", EINTR, 1);
	add_dax0(mock);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "kept out of system RAM", "kernel-refused", "absent",
					 "; onlining the memory block at 0x108000000 failed: "
					 "Operation not permitted, after 3 retries"});
	mock_end_absent(mock);
	mock_expect_stores(mock, "/state offline",
		"!memory35/state offline\nmemory35/state offline\n!memory34/state "
		"offline\n!memory34/state offline\nmemory34/state offline\n");
}

/* The mappings of a device share one driver: they go online together, or not at all. */
static void test_two_mappings(void **state)
{
	static const uint64_t starts[] = {DAX0_START, 2 * DAX0_START};
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_add_dax_in_parts(mock, "dax0.0", starts, 2, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	for (size_t i = 0; i < 2; i++)
		mock_expect_record(mock, &(struct mock_record){starts[i], DAX0_SIZE / 2,
						 "online as system RAM (2 of 2 memory blocks",
						 "tdx-absent", "absent", "256 MiB of CXL memory"});
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
	mock_expect_stores(mock, "/state",
		"memory65/state online\nmemory64/state online\nmemory33/state "
		"online\nmemory32/state online\nmemory40/state online\n");
}

static void test_one_of_two_mappings_refused(void **state)
{
	static const uint64_t starts[] = {DAX0_START, 2 * DAX0_START};
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "memory32/state online", EPERM);
	mock_add_dax_in_parts(mock, "dax0.0", starts, 2, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	for (size_t i = 0; i < 2; i++)
		mock_expect_record(
			mock, &(struct mock_record){starts[i], DAX0_SIZE / 2,
				      "kept out of system RAM", "kernel-refused", "absent",
				      "onlining the memory block at 0x100000000"});
	mock_await_decided(mock, "dax0.0");
	mock_end_absent(mock);
	mock_expect_stores(mock, "/state",
		"memory65/state online\nmemory64/state online\nmemory33/state "
		"online\n!memory32/state online\nmemory65/state offline\nmemory64/state "
		"offline\nmemory33/state offline\nmemory40/state online\n");
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
}

/* Killed during the job: the next start decides the range, and brings all of it online. */
static void test_killed_during_job(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory33/state online");
	add_dax0(mock);
	mock_await_text(mock, "/stores", "~memory33/state online\n");
	mock_kill(mock);
	mock_fail(mock, "memory33/state online", 0);
	mock_start_in(mock, "absent");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (4 of 4 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_retry),
		TEST(test_retry_interrupted),
		TEST(test_rollback),
		TEST(test_rollback_interrupted),
		TEST(test_refused_second_block),
		TEST(test_kmem_refused),
		TEST(test_kmem_without_memory),
		TEST(test_keep),
		TEST(test_keep_nothing),
		TEST(test_rollback_of_blocks),
		TEST(test_rollback_fails),
		TEST(test_rollback_is_completed),
		TEST(test_rollback_is_completed_without_range),
		TEST(test_rollback_is_completed_by_rule),
		TEST(test_rollback_is_ignored_by_rule),
		TEST(test_rollback_is_overtaken),
		TEST(test_rollback_is_overtaken_after_kill),
		TEST(test_rollback_of_older_version),
		TEST(test_rollback_with_block_of_others),
		TEST(test_rollback_and_reload_with_block_of_others),
		TEST(test_rollback_retries),
		TEST(test_two_mappings),
		TEST(test_one_of_two_mappings_refused),
		TEST(test_killed_during_job),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
