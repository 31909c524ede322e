/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Present=, for memory that was there at the daemon's first start, and Act=.
 */
#include "mock.h"

#include <stdio.h>

#define DAX0_START (4 * GIB)
#define WITHHELD                                                                                   \
	"; nothing was done, because it was there before tdx-onlined first started; with "         \
	"Present=act it would be "
#define OBSERVED "; nothing was done, because Act=no is set; with Act=yes it would be "

/* Blocks 16 and 17, offline, and dax0.0 with room for 4 blocks and no driver. */
static void add_present(const struct mock *mock)
{
	mock_add_blocks(mock, 16, 2, "offline");
	mock_add_dax(mock, "dax0.0", DAX0_START, 4 * BLOCK, 1);
}

static void expect_planned(struct mock *mock, const char *why)
{
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, 2 * BLOCK, "would be online as system RAM",
			      "tdx-absent", "absent", why});
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, 4 * BLOCK, "would be online as system RAM",
			      "tdx-absent", "absent", why});
}

static void expect_online(struct mock *mock)
{
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", "(tdx-absent); the TDX state is absent"});
	mock_expect_record(mock, &(struct mock_record){DAX0_START, 4 * BLOCK,
					 "online as system RAM (4 of 4 memory blocks", "tdx-absent",
					 "absent", "(tdx-absent); the TDX state is absent"});
}

static void expect_stores_of_online(const struct mock *mock)
{
	mock_expect_stores(mock, "",
		"memory17/state online\nmemory16/state online\nkmem/bind dax0.0\nmemory35/state "
		"online\nmemory34/state online\nmemory33/state online\nmemory32/state online\n");
}

/* Memory that was present is not brought online, as this may be irreversible; later memory is. */
static void test_default_without_tdx(void **state)
{
	struct mock *mock = *state;

	add_present(mock);
	mock_start_in(mock, "absent");
	expect_planned(mock, WITHHELD);
	mock_await_decided(mock, "dax0.0");
	mock_end_absent(mock);
	mock_expect_stores(mock, "", "memory40/state online\n");
}

/* The same after a restart, without a second record. */
static void test_default_over_restart(void **state)
{
	struct mock *mock = *state;

	add_present(mock);
	mock_start_in(mock, "absent");
	expect_planned(mock, WITHHELD);
	mock_await_decided(mock, "dax0.0");
	mock_stop(mock);
	mock_add_blocks(mock, 24, 1, "offline"); /* not present at the first start */
	mock_start_in(mock, "absent");
	mock_expect_record(mock,
		&(struct mock_record){3 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_end_absent(mock);
	mock_expect_stores(mock, "", "memory24/state online\nmemory40/state online\n");
}

/* Unused memory is kept out of system RAM, which can be reverted. */
static void test_default_with_tdx(void **state)
{
	struct mock *mock = *state;

	add_present(mock);
	mock_make_active(mock);
	mock_start_in(mock, "active");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK, "left offline",
					 "outside-boot-map", "active", NULL});
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, 4 * BLOCK, "kept out of system RAM",
			      "outside-boot-map", "active",
			      "accepts only memory that was RAM at boot (outside-boot-map)"});
	mock_end_active(mock);
	mock_expect_stores(mock, "/state", "");
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* Two devices of kmem: one with all blocks offline, one with a block online. */
static void test_default_of_kmem(void **state)
{
	struct mock *mock = *state;

	add_present(mock);
	mock_set_driver(mock, "dax0.0", "kmem");
	mock_add_blocks(mock, 32, 4, "offline");
	mock_add_dax(mock, "dax1.0", 2 * DAX0_START, 2 * BLOCK, 1);
	mock_set_driver(mock, "dax1.0", "kmem");
	mock_add_blocks(mock, 64, 1, "online");
	mock_add_blocks(mock, 65, 1, "offline");
	mock_rule(mock, "50-out.rule", "Device=dax1.0\n", "Verdict=devdax\nOfflineBlocks=yes\n");
	mock_make_active(mock);
	mock_start_in(mock, "active");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK, "left offline",
					 "outside-boot-map", "active", NULL});
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, 4 * BLOCK, "kept out of system RAM",
			      "outside-boot-map", "active", "(outside-boot-map); no rule matches"});
	mock_expect_record(mock,
		&(struct mock_record){2 * DAX0_START, 2 * BLOCK, "would be kept out of system RAM",
			"outside-boot-map", "active", "; nothing was done, because it was there"});
	mock_end_active(mock);
	mock_expect_stores(mock, "/state", "");
	mock_expect_stores(mock, "bind dax0", "kmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
	mock_expect_stores(mock, "bind dax1", "");
}

static void test_act(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Present=act\n");
	add_present(mock);
	mock_start_in(mock, "absent");
	expect_online(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_stores_of_online(mock);
}

/* Present= in a rule. */
static void test_act_by_rule(void **state)
{
	struct mock *mock = *state;

	mock_rule(mock, "50-present.rule", "Present=yes\nType=cxl\n", "Verdict=online\n");
	add_present(mock);
	mock_start_in(mock, "absent");
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, 2 * BLOCK, "would be online as system RAM",
			      "tdx-absent", "absent", WITHHELD});
	mock_expect_record(mock, &(struct mock_record){DAX0_START, 4 * BLOCK,
					 "online as system RAM (4 of 4 memory blocks", "tdx-absent",
					 "absent", "rule 50-present.rule"});
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "memory1", "");
	mock_expect_stores(mock, "bind", "kmem/bind dax0.0\n");
}

static void test_record(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Present=record\n");
	add_present(mock);
	mock_make_active(mock);
	mock_start_in(mock, "active");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK, "left offline",
					 "outside-boot-map", "active", NULL});
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, 4 * BLOCK, "would be kept out of system RAM",
			"outside-boot-map", "active", WITHHELD});
	mock_end_active(mock);
	mock_expect_stores(mock, "/state", "");
	mock_expect_stores(mock, "bind dax0", "");
}

/* The administrator changes to Present=act after reading the records. */
static void test_reload_to_act(void **state)
{
	struct mock *mock = *state;

	add_present(mock);
	mock_start_in(mock, "absent");
	expect_planned(mock, WITHHELD);
	mock_await_decided(mock, "dax0.0");
	mock_configure(mock, "Present=act\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "absent");
	expect_online(mock);
	mock_await_settled(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_stores_of_online(mock);
}

/* Act=no: no write to any file of the kernel, the guard's switches included. */
static void test_observe(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Act=no\nPresent=act\n");
	add_present(mock);
	mock_start_in(mock, "absent");
	expect_planned(mock, OBSERVED);
	mock_add_blocks(mock, 48, 1, "offline");
	mock_expect_record(
		mock, &(struct mock_record){6 * GIB, BLOCK, "would be online as system RAM",
			      "tdx-absent", "absent", OBSERVED});
	mock_await_text(mock, STATE, "\"result\":\"withheld\"");
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "", "");
}

static void expect_observed_active(struct mock *mock)
{
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK, "left offline",
					 "outside-boot-map", "active", NULL});
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, 4 * BLOCK, "would be kept out of system RAM",
			"outside-boot-map", "active", OBSERVED});
	mock_await_decided(mock, "dax0.0");
}

static void test_observe_active(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Act=no\n");
	add_present(mock);
	mock_make_active(mock);
	mock_start_in(mock, "active");
	expect_observed_active(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "", "");
	mock_expect_file(mock, DAX_AUTOPROBE, "1");
}

/* A reload to Act=yes: the guard is taken, and unchanged decisions are not recorded again. */
static void test_reload_from_observe(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Act=no\n");
	add_present(mock);
	mock_make_active(mock);
	mock_start_in(mock, "active");
	expect_observed_active(mock);
	mock_expect_stores(mock, "", "");
	mock_configure(mock, "Act=yes\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "active");
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_expect_file(mock, AUTO_ONLINE, "offline");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, 4 * BLOCK, "kept out of system RAM",
			      "outside-boot-map", "active",
			      "accepts only memory that was RAM at boot (outside-boot-map)"});
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* A reload to Act=no: the guard is given back at once, and there are no more writes. */
static void test_reload_to_observe(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_configure(mock, "Act=no\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "active");
	mock_expect_file(mock, DAX_AUTOPROBE, "1");
	mock_expect_file(mock, AUTO_ONLINE, "online");
	add_present(mock);
	mock_uevent_dax(mock, "dax0.0", "add");
	expect_observed_active(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "bind", "");
	mock_expect_stores(mock, "/state", "");
}

/* A run that was present grows: the present part is left as it is, also after a reload. */
static void test_run_grows(void **state)
{
	struct mock *mock = *state;

	mock_place_blocks(mock, 16, 2, "offline");
	mock_start_in(mock, "absent");
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, 2 * BLOCK, "would be online as system RAM",
			      "tdx-absent", "absent", "Present=act"});
	mock_add_blocks(mock, 18, 1, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB + 2 * BLOCK, BLOCK,
					 "online as system RAM (1 of 1 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_await_settled(mock);
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "absent");
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 2, "offline");
	mock_expect_blocks(mock, 18, 1, "online");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_default_without_tdx),
		TEST(test_default_over_restart),
		TEST(test_default_with_tdx),
		TEST(test_default_of_kmem),
		TEST(test_act),
		TEST(test_act_by_rule),
		TEST(test_record),
		TEST(test_reload_to_act),
		TEST(test_observe),
		TEST(test_observe_active),
		TEST(test_reload_from_observe),
		TEST(test_reload_to_observe),
		TEST(test_run_grows),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
