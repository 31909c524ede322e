/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIGHUP: all devices are decided again by the new configuration. A decision that stays the same
 * leads to no store and no record.
 */
#include "mock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define DAX0_START (4 * GIB)
#define DAX1_START (8 * GIB)
#define DAX_SIZE   (2 * BLOCK)
#define RULE	   "50-dax0.rule"

/* Reload, with the messages about the configuration and TDX. */
static void reload(struct mock *mock, unsigned int rules, const char *tdx)
{
	char line[64];

	mock_reload(mock);
	snprintf(line, sizeof(line), "The new configuration is in effect, with %u rules", rules);
	mock_expect_line(mock, line);
	mock_expect_tdx(mock, tdx);
}

static void add_dax(const struct mock *mock, const char *name, uint64_t start)
{
	mock_add_dax(mock, name, start, DAX_SIZE, 1);
	mock_uevent_dax(mock, name, "add");
}

static void expect_online(struct mock *mock, uint64_t start, const char *also)
{
	mock_expect_record(mock,
		&(struct mock_record){start, DAX_SIZE, "online as system RAM (2 of 2 memory blocks",
			"tdx-absent", "absent", also});
}

static void expect_refused(struct mock *mock, uint64_t start)
{
	mock_expect_record(mock, &(struct mock_record){start, DAX_SIZE, "kept out of system RAM",
					 "outside-boot-map", "active", NULL});
}

/* A new rule matches one of two devices. */
static void test_changed_rule(void **state)
{
	struct mock *mock = *state;

	mock_rule(mock, RULE, "Device=dax0.0\n", "Verdict=devdax\n");
	mock_start_absent(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX_SIZE,
					 "kept out of system RAM", "rule", "absent", "rule " RULE});
	add_dax(mock, "dax1.0", DAX1_START);
	expect_online(mock, DAX1_START, "no rule matches");
	mock_await_decided(mock, "dax1.0");
	mock_rule(mock, RULE, "Device=dax0.0\n", "Verdict=online\nConvertDevdax=yes\n");
	reload(mock, 1, "absent");
	expect_online(mock, DAX0_START, "rule " RULE);
	mock_await_settled(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "bind dax0",
		"device_dax/bind dax0.0\ndevice_dax/unbind dax0.0\nkmem/bind dax0.0\n");
	mock_expect_stores(mock, "bind dax1", "kmem/bind dax1.0\n");
	mock_expect_stores(mock, "/state",
		"memory65/state online\nmemory64/state online\nmemory33/state "
		"online\nmemory32/state online\n");
}

/* From online to devdax: the blocks are taken offline. */
static void test_changed_to_devdax(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	expect_online(mock, DAX0_START, NULL);
	mock_await_decided(mock, "dax0.0");
	mock_rule(mock, RULE, "Device=dax0.0\n", "Verdict=devdax\nOfflineBlocks=yes\n");
	reload(mock, 1, "absent");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX_SIZE,
					 "kept out of system RAM", "rule", "absent", "rule " RULE});
	mock_await_settled(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(
		mock, "/state offline", "memory33/state offline\nmemory32/state offline\n");
	mock_expect_stores(mock, "bind dax0",
		"kmem/bind dax0.0\nkmem/unbind dax0.0\ndevice_dax/bind dax0.0\n");
}

/* Without OfflineBlocks= a rule cannot take blocks offline: one record has that. */
static void test_rule_after_online(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	expect_online(mock, DAX0_START, NULL);
	mock_await_decided(mock, "dax0.0");
	mock_rule(mock, RULE, "Device=dax0.0\n", "Verdict=devdax\n");
	reload(mock, 1, "absent");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX_SIZE, "left as it is", "already-online",
			      "absent", "rule " RULE " requires devdax and is overruled"});
	mock_await_settled(mock);
	reload(mock, 1, "absent");
	mock_await_settled(mock);
	mock_end_absent(mock);
	mock_expect_stores(mock, "offline", "");
}

static void test_same_again_without_tdx(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	expect_online(mock, DAX0_START, NULL);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_await_decided(mock, "dax0.0");
	for (unsigned int i = 0; i < 2; i++) {
		reload(mock, 0, "absent");
		mock_await_settled(mock);
	}
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory16", "memory16/state online\n");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

static void test_same_again_with_tdx(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	add_dax(mock, "dax0.0", DAX0_START);
	expect_refused(mock, DAX0_START);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, BLOCK, "left offline",
					 "outside-boot-map", "active", NULL});
	mock_await_decided(mock, "dax0.0");
	for (unsigned int i = 0; i < 2; i++) {
		reload(mock, 0, "active");
		mock_await_settled(mock);
	}
	mock_end_active(mock);
	mock_expect_stores(mock, "/state", "");
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* Memory that the kernel refused is not tried again. */
static void test_same_again_after_refusal(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail(mock, "memory33/state online", EPERM);
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX_SIZE, "kept out of system RAM",
			      "kernel-refused", "absent", NULL});
	mock_await_decided(mock, "dax0.0");
	reload(mock, 0, "absent");
	mock_await_settled(mock);
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory33", "!memory33/state online\n");
}

/* All mistakes are logged, and no file of the new configuration takes effect, valid or not. */
static void test_invalid(void **state)
{
	struct mock *mock = *state;

	mock_rule(mock, RULE, "Device=dax0.0\n", "Verdict=devdax\n");
	mock_start_absent(mock);
	mock_configure(mock, "Act=no\nPresent=perhaps\n");
	mock_rule(mock, RULE, "Device=dax0.0\n", "Verdict=onlin\n");
	mock_rule(mock, "60-all.rule", "Type=*\n", "Verdict=ignore\n");
	mock_reload(mock);
	mock_expect_line(mock, "/etc/tdx-onlined/tdx-onlined.conf:3: Present=perhaps");
	mock_expect_line(mock, RULES "/" RULE ":5: Verdict=onlin");
	mock_expect_line(mock, "The new configuration has mistakes and is not used");
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX_SIZE,
					 "kept out of system RAM", "rule", "absent", "rule " RULE});
	add_dax(mock, "dax1.0", DAX1_START);
	expect_online(mock, DAX1_START, "no rule matches");
	mock_await_decided(mock, "dax1.0");
	/* A corrected configuration takes effect. */
	mock_remove(mock, "/etc/tdx-onlined/tdx-onlined.conf");
	mock_remove(mock, RULES "/60-all.rule");
	mock_rule(mock, RULE, "Device=dax0.0\n", "Verdict=devdax\n");
	reload(mock, 1, "absent");
	mock_await_settled(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
}

/* The command of systemctl reload signals the daemon only if the configuration is valid. */
static void test_command(void **state)
{
	struct mock *mock = *state, second;

	mock_start_absent(mock);
	mock_configure(mock, "Act=no\nPresent=perhaps\n");
	mock_notify_open(mock);
	assert_int_equal(mock_second(mock, "--reload", &second), 1);
	mock_expect_line(&second, "/etc/tdx-onlined/tdx-onlined.conf:3: Present=perhaps");
	mock_expect_line(&second, "The configuration cannot be used");
	mock_expect_silence(&second);
	/* A warning does not prevent the reload. */
	mock_configure(mock, "Act=no\n");
	mock_put(mock, RULES "/notes.txt", "");
	mock->hup_ms = mock_now_ms();
	assert_int_equal(mock_second(mock, "--reload", &second), 0);
	mock_expect_line(&second, RULES "/notes.txt: not read");
	mock_expect_silence(&second);
	assert_true(mock_notify_is_announced(mock));
	mock_reload_begin(mock);
	mock_reload_end(mock);
	mock_expect_line(mock, RULES "/notes.txt: not read");
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "absent");
	setenv("MOCK_USER", "", 1);
	assert_int_equal(mock_second(mock, "--reload", &second), 1);
	unsetenv("MOCK_USER");
	mock_expect_line(&second, RULES "/notes.txt: not read");
	mock_expect_line(&second, "--reload: only root can send a signal to the daemon");
	mock_expect_silence(&second);
	mock_stop(mock);
	mock_expect_silence(mock);
	assert_int_equal(mock_second(mock, "--reload", &second), 1);
	mock_expect_line(&second, RULES "/notes.txt: not read");
	mock_expect_line(&second, "--reload: tdx-onlined does not run as a daemon");
	mock_expect_silence(&second);
}

/* The job that waits for its next try keeps the configuration that it began with. */
static void test_during_retry(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory32/state online");
	add_dax(mock, "dax0.0", DAX0_START);
	mock_await_text(mock, "/stores", "~memory32/state online\n");
	mock_rule(mock, RULE, "Device=dax0.0\n", "Verdict=devdax\nOfflineBlocks=yes\n");
	mock_reload_send(mock);
	mock_fail_times(mock, "memory32/state online", EBUSY, 3);
	mock_reload_begin(mock);
	mock_reload_end(mock);
	expect_online(mock, DAX0_START, "(tdx-absent); it took 3 retries; the TDX state is absent");
	mock_expect_line(mock, "The new configuration is in effect, with 1 rules");
	mock_expect_tdx(mock, "absent");
	mock_expect_order(mock, "online as system RAM (2 of 2 memory blocks",
		"The new configuration is in effect");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX_SIZE, "kept out of system RAM", "rule",
			      "absent", "rule " RULE " requires it (rule); the TDX state is"});
	mock_await_settled(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "/state",
		"memory33/state online\n~memory32/state online\n!memory32/state "
		"online\n!memory32/state online\n!memory32/state online\nmemory32/state "
		"online\nmemory33/state offline\nmemory32/state offline\n");
}

/* A device in the queue behind the job is decided once, by the new configuration. */
static void test_with_queued_device(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_hang(mock, "memory32/state online");
	add_dax(mock, "dax0.0", DAX0_START);
	mock_await_text(mock, "/stores", "~memory32/state online\n");
	add_dax(mock, "dax1.0", DAX1_START);
	/* The look after the silence finds it, before the fourth try. */
	mock_fail_then_hang(mock, "memory32/state online", EBUSY, 3);
	mock_await_text(mock, "/stores", "!memory32/state online\n~memory32/state online\n");
	mock_rule(mock, "50-dax1.rule", "Device=dax1.0\n", "Verdict=devdax\n");
	mock_reload_send(mock);
	mock_fail_times(mock, "memory32/state online", EBUSY, 1);
	mock_reload_begin(mock);
	mock_reload_end(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 1 rules");
	mock_expect_tdx(mock, "absent");
	expect_online(mock, DAX0_START, "; it took 4 retries");
	mock_expect_record(
		mock, &(struct mock_record){DAX1_START, DAX_SIZE, "kept out of system RAM", "rule",
			      "absent", "rule 50-dax1.rule"});
	mock_await_decided(mock, "dax1.0");
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_stores(mock, "bind dax1", "device_dax/bind dax1.0\n");
}

/* A change of TDX= takes or gives back the guard at once. */
static void test_tdx(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_configure(mock, "TDX=active\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock,
		"active, because TDX=active is set; by what this machine shows it is absent "
		"(not-enabled)");
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	add_dax(mock, "dax0.0", DAX0_START);
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX_SIZE,
					 "kept out of system RAM", "outside-boot-map", "active",
					 "; TDX=active is set, but by what this machine "
					 "shows the TDX state is absent (not-enabled)"});
	mock_await_decided(mock, "dax0.0");
	mock_remove(mock, "/etc/tdx-onlined/tdx-onlined.conf");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "absent");
	mock_expect_file(mock, DAX_AUTOPROBE, "1");
	mock_stop(mock);
}

/* Three reloads right after the start: one decision. */
static void test_reloads_at_start(void **state)
{
	struct mock *mock = *state;

	mock_add_blocks(mock, 16, 1, "offline");
	mock_configure(mock, "Present=act\n");
	mock_start_in(mock, "absent");
	for (unsigned int i = 0; i < 3; i++)
		reload(mock, 0, "absent");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory16", "memory16/state online\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_changed_rule),
		TEST(test_changed_to_devdax),
		TEST(test_rule_after_online),
		TEST(test_same_again_without_tdx),
		TEST(test_same_again_with_tdx),
		TEST(test_same_again_after_refusal),
		TEST(test_invalid),
		TEST(test_command),
		TEST(test_during_retry),
		TEST(test_with_queued_device),
		TEST(test_tdx),
		TEST(test_reloads_at_start),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
