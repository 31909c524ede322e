/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlinectl decide: a uevent of root makes the daemon decide that device again, and no other.
 * The record of a removed device is dropped.
 */
#include "mock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (2 * BLOCK)

/* Send "change" with this key, or without a key if it is NULL. */
static void change(const struct mock *mock, const char *device, const char *key)
{
	char file[MOCK_PATH], text[128];

	mock_path(file, "%s/uevent", device);
	snprintf(text, sizeof(text), "%s\n", key ? key : "");
	mock_put(mock, file, key ? text : "");
	mock_uevent(mock, device, "change");
	mock_put(mock, file, "");
}

static void expect_block(struct mock *mock, uint64_t id, const char *verdict, const char *also)
{
	mock_expect_record(mock,
		&(struct mock_record){id * BLOCK, BLOCK, verdict, "tdx-absent", "absent", also});
}

/* Two ranges of one block each, both taken offline by hand. */
static void start_with_changed(struct mock *mock)
{
	mock_start_absent(mock);
	for (uint64_t id = 16; id <= 20; id += 4) {
		mock_add_blocks(mock, id, 1, "offline");
		expect_block(mock, id, "online as system RAM (1 of 1 memory blocks", NULL);
		mock_await_settled(mock);
		mock_set_block(mock, id, "offline");
		expect_block(
			mock, id, "to be online as system RAM", "0 of 1 memory blocks are online");
	}
	mock_await_settled(mock);
}

static void test_block(void **state)
{
	struct mock *mock = *state;

	start_with_changed(mock);
	change(mock, MEMORY "/memory16", "SYNTH_ARG_TDXONLINED=decide");
	expect_block(mock, 16, "online as system RAM (1 of 1 memory blocks", NULL);
	mock_await_settled(mock);
	mock_expect_blocks(mock, 20, 1, "offline");
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory20", "memory20/state online\n");
}

/* A run grew by a block that was decided on its own: naming either block decides the whole run. */
static void test_grown(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	for (uint64_t id = 16; id <= 17; id++) {
		mock_add_blocks(mock, id, 1, "offline");
		expect_block(mock, id, "online as system RAM (1 of 1 memory blocks", NULL);
		mock_await_settled(mock);
	}
	for (uint64_t id = 16; id <= 17; id++) {
		mock_set_block(mock, id, "offline");
		expect_block(
			mock, id, "to be online as system RAM", "0 of 1 memory blocks are online");
	}
	change(mock, MEMORY "/memory17", "SYNTH_ARG_TDXONLINED=decide");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_end_absent(mock);
}

/* A device on which there is nothing to do: each request leads to a record. */
static void test_device(void **state)
{
	struct mock *mock = *state;
	char path[MOCK_PATH];

	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_await_decided(mock, "dax0.0");
	mock_dax_path("dax0.0", path);
	for (int i = 0; i < 2; i++) {
		change(mock, path, "SYNTH_ARG_TDXONLINED=decide");
		mock_expect_record(
			mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
				      "already-devdax", "active", NULL});
		mock_await_settled(mock);
	}
	mock_end_active(mock);
}

/* A change without the key, or with another one, has no effect. */
static void test_other_keys(void **state)
{
	struct mock *mock = *state;

	start_with_changed(mock);
	change(mock, MEMORY "/memory16", NULL);
	change(mock, MEMORY "/memory16", "SYNTH_ARG_TDXONLINED=decided");
	change(mock, MEMORY "/memory16", "SYNTH_ARG_OTHER=decide");
	mock_await_look(mock);
	mock_expect_blocks(mock, 16, 1, "offline");
	mock_end_absent(mock);
}

static bool is_forgotten(const char *text, const void *device)
{
	return !strstr(text, device);
}

/* A device of the same name that comes later is decided on its own. */
static void test_removed(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	for (int i = 0; i < 2; i++) {
		mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
		mock_uevent_dax(mock, "dax0.0", "add");
		mock_expect_record(
			mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
				      "outside-boot-map", "active", NULL});
		mock_await_decided(mock, "dax0.0");
		mock_remove_dax(mock, "dax0.0");
		mock_await_look(mock);
		mock_await(mock, STATE, is_forgotten, "dax0.0");
	}
	mock_end_active(mock);
}

static void test_not_root(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	setenv("MOCK_USER", "", 1);
	assert_int_equal(mock_ctl(mock, "decide dax0.0", &ctl), 1);
	mock_expect_logged(&ctl, "decide: only root can request a decision of the daemon");
	mock_expect_silence(&ctl);
	unsetenv("MOCK_USER");
	mock_stop(mock);
	assert_int_equal(mock_ctl(mock, "decide dax0.0", &ctl), 1);
	mock_expect_logged(&ctl, "decide: tdx-onlined does not run as a daemon");
	mock_expect_silence(&ctl);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_block),
		TEST(test_grown),
		TEST(test_device),
		TEST(test_other_keys),
		TEST(test_removed),
		TEST(test_not_root),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
