/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlinectl settle: the conditions that it waits for, and its end.
 */
#include "mock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAX0_START  (4 * GIB)
#define DAX0_SIZE   (2 * BLOCK)
#define UDEVD_QUEUE "/run/udev/queue"
#define REGION0_DAX "/devices/platform/ACPI0017:00/root0/decoder0.0/region0/dax_region0"
#define SOON	    "settle --timeout=3600" /* the test fails if it does not end by itself */

static void expect_settled(const struct mock *mock)
{
	struct mock ctl;

	assert_int_equal(mock_ctl(mock, "settle --timeout=0", &ctl), 0);
	mock_expect_silence(&ctl);
}

/* "settle" without waiting fails with these reasons. */
static void expect_waiting(const struct mock *mock, const char *reasons)
{
	char line[256];
	struct mock ctl;

	snprintf(line, sizeof(line), "^tdx-onlinectl: settle: not settled after 0 s: %s", reasons);
	assert_int_equal(mock_ctl(mock, "settle --timeout=0", &ctl), 7);
	mock_expect_logged(&ctl, line);
	mock_expect_silence(&ctl);
}

/* Start "settle" and wait until it has looked: the arrival is at the last directory of a look. */
static void begin(const struct mock *mock, struct mock *ret_ctl)
{
	mock_put(mock, NEW "/mark", "it has looked\n");
	mock_put(mock, "/arrivals/drivers:virtio_mem", NEW "/mark " NEW "/looked\n");
	mock_ctl_begin(mock, SOON, ret_ctl);
	mock_await_text(mock, NEW "/looked", "it has looked");
}

static void expect_end(struct mock *ctl)
{
	assert_int_equal(mock_oneshot_end(ctl), 0);
	mock_expect_silence(ctl);
}

static void expect_dax0(struct mock *mock)
{
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "kept out of system RAM", "outside-boot-map", "active",
					 "(dax0.0, [mem 0x100000000-0x10fffffff], region0, "});
}

/* The daemon has not received the uevent of the device. */
static void test_device_without_decision(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_active(mock);
	expect_settled(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	expect_waiting(mock, "dax0.0 has no decision");
	begin(mock, &ctl);
	mock_uevent_dax(mock, "dax0.0", "add");
	expect_end(&ctl);
	expect_dax0(mock);
	expect_settled(mock);
	mock_end_active(mock);
}

static void test_blocks_without_decision(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	mock_place_blocks(mock, 16, 1, "offline");
	mock_place_blocks(mock, 20, 2, "offline");
	expect_waiting(mock, "[mem 0x80000000-0x87ffffff] and 1 other devices have no decision");
	begin(mock, &ctl);
	mock_uevent(mock, MEMORY "/memory16", "add");
	expect_end(&ctl);
	mock_expect_blocks(mock, 16, 1, "online");
	mock_expect_blocks(mock, 20, 2, "online");
	mock_expect_line(mock, "[mem 0x80000000-0x87ffffff]");
	mock_expect_line(mock, "[mem 0xa0000000-0xafffffff]");
	mock_end_absent(mock);
}

/* The dax region of a CXL region is there, and its driver has not been bound. */
static void test_region_without_device(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_move(mock, "/sys" REGION0_DAX "/dax0.0", NEW "/parked");
	mock_move(mock, "/sys/bus/dax/devices/dax0.0", NEW "/link");
	mock_link(mock, "/sys/bus/cxl/devices/dax_region0", "../../.." REGION0_DAX);
	expect_waiting(mock, "region0 has no dax device");
	begin(mock, &ctl);
	mock_move(mock, NEW "/parked", "/sys" REGION0_DAX "/dax0.0");
	mock_move(mock, NEW "/link", "/sys/bus/dax/devices/dax0.0");
	mock_uevent_dax(mock, "dax0.0", "add");
	expect_end(&ctl);
	expect_dax0(mock);
	mock_end_active(mock);
}

/* A job is in progress. */
static void test_busy(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	mock_hang(mock, "memory16/state");
	mock_add_blocks(mock, 16, 2, "offline");
	mock_await_text(mock, "/stores", "~memory16/state online");
	expect_waiting(mock, "[mem 0x80000000-0x8fffffff] has no decision; the daemon is not idle");
	begin(mock, &ctl);
	mock_fault(mock, "memory16/state", "0\n");
	expect_end(&ctl);
	mock_expect_blocks(mock, 16, 2, "online");
	mock_expect_line(mock, "[mem 0x80000000-0x8fffffff]");
	mock_end_absent(mock);
}

/* Keep a copy of the state file at the daemon's next look, or at the second one. */
static void keep_state(const struct mock *mock, bool second)
{
	mock_put(mock, NEW "/order", STATE " " NEW "/kept\n");
	if (second)
		mock_put(mock, "/arrivals/drivers:virtio_mem",
			NEW "/order /arrivals/firmware:memmap\n");
	else
		mock_move(mock, NEW "/order", "/arrivals/firmware:memmap");
}

/* The daemon looks after a job that brought blocks online, and is not idle before that. */
static void test_look_after_job(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	keep_state(mock, true);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_await_text(mock, NEW "/kept", "\"result\":\"done\"");
	mock_await_text(mock, NEW "/kept", "\"idle\":false");
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_expect_line(mock, "[mem 0x80000000-0x87ffffff]");
	mock_end_absent(mock);
}

/* All devices are decided, but the kernel log is to be read a second time. */
static void test_look_is_due(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_add_device(mock, "/sys/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A06:00",
		"../../../../bus/container");
	mock_uevent(mock, "/sys/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A06:00", "change");
	mock_await_text(mock, STATE, "\"idle\":false");
	begin(mock, &ctl);
	expect_end(&ctl);
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_end_absent(mock);
}

/* An event without any change: the daemon counts as idle. */
static void test_nothing_changes(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_await_look(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	expect_settled(mock);
	mock_end_absent(mock);
}

static void test_udevd(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	mock_put(mock, UDEVD_QUEUE, "");
	expect_waiting(mock, "the queue of udevd is not empty");
	begin(mock, &ctl);
	mock_remove(mock, UDEVD_QUEUE);
	expect_end(&ctl);
	mock_end_absent(mock);
}

/* An invalid state file: two looks, one warning. */
static void test_bad_state(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	kill(mock->daemon, SIGSTOP); /* so that it does not save its state */
	mock_put(mock, STATE, "no JSON");
	assert_int_equal(mock_ctl(mock, "settle --timeout=1", &ctl), 7);
	mock_expect_logged(&ctl, "not a state file");
	mock_expect_logged(&ctl, "not settled after 1 s: the daemon has not saved its state");
	mock_expect_silence(&ctl);
	kill(mock->daemon, SIGCONT);
	mock_end_absent(mock);
}

/* Nothing that this version waits for comes: it does not wait. */
static void test_older_daemon(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_make_state_older(mock);
	assert_int_equal(mock_ctl(mock, SOON, &ctl), 1);
	mock_expect_logged(&ctl,
		"settle: the running tdx-onlined is of an older version, which does "
		"not save whether it is idle: restart it with 'systemctl restart "
		"tdx-onlined.service'");
	mock_expect_silence(&ctl);
	kill(mock->daemon, SIGCONT);
	mock_end_absent(mock);
}

static void test_timeout(void **state)
{
	struct mock *mock = *state, ctl;
	int64_t before;

	mock_start_absent(mock);
	mock_put(mock, UDEVD_QUEUE, "");
	before = mock_now_ms();
	assert_int_equal(mock_ctl(mock, "settle --timeout=1", &ctl), 7);
	assert_true(mock_now_ms() - before >= 1000);
	mock_expect_logged(&ctl, "not settled after 1 s: the queue of udevd is not empty");
	mock_end_absent(mock);
}

/* The state file of a killed daemon, which was idle. */
static void test_not_running(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_kill(mock);
	assert_int_equal(mock_ctl(mock, SOON, &ctl), 1);
	mock_expect_logged(&ctl, "settle: tdx-onlined is not running: start it with");
	mock_expect_silence(&ctl);
}

/* The daemon ends during "settle". */
static void test_ended(void **state)
{
	static char text[65536];
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	mock_put(mock, UDEVD_QUEUE, "");
	begin(mock, &ctl);
	mock_stop(mock);
	assert_int_equal(mock_oneshot_end(&ctl), 1);
	mock_expect_logged(&ctl, "settle: tdx-onlined ");
	mock_read(mock, STATE, text, sizeof(text));
	assert_non_null(strstr(text, "\"idle\":false"));
	assert_non_null(strstr(text, "\"pid\":0"));
}

/* After the end of a reload, nothing is settled until all devices are decided again. */
static void test_reload(void **state)
{
	struct mock *mock = *state, ctl;

	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_line(mock, "[mem 0x80000000-0x87ffffff]");
	mock_await_settled(mock);
	mock_hang(mock, "memory16/state");
	mock_set_block(mock, 16, "offline");
	mock_expect_line(mock, "was to be online");
	mock_await_text(mock, STATE, "\"idle\":true");
	keep_state(mock, false);
	mock_reload(mock);
	mock_await_text(mock, NEW "/kept", "\"idle\":false");
	mock_expect_line(mock, "^The new configuration");
	mock_expect_tdx(mock, "absent");
	mock_await_text(mock, "/stores", "~memory16/state online");
	expect_waiting(mock, "[mem 0x80000000-0x87ffffff] has no decision; the daemon is not idle");
	begin(mock, &ctl);
	mock_fault(mock, "memory16/state", "0\n");
	expect_end(&ctl);
	mock_expect_blocks(mock, 16, 1, "online");
	mock_expect_line(mock, "[mem 0x80000000-0x87ffffff]");
	mock_end_absent(mock);
}

/*
 * With an invalid configuration, the daemon decides nothing until a valid reload. Without hot-added
 * memory that is settled.
 */
static void test_configuration(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Act=perhaps\n");
	mock_start(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	expect_settled(mock);
	mock_place_blocks(mock, 16, 1, "offline");
	expect_waiting(mock, "the daemon cannot use its configuration and decides nothing; "
			     "[mem 0x80000000-0x87ffffff] has no decision");
}

/* systemd.exec(5): set for each unit that has RuntimeDirectory=. */
static void test_in_another_unit(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	setenv("RUNTIME_DIRECTORY", "/run/another", 1);
	expect_settled(mock);
	unsetenv("RUNTIME_DIRECTORY");
	mock_end_absent(mock);
}

static void test_usage(void **state)
{
	static const char *const wrong[] = {"settle --timeout=", "settle --timeout=-1",
		"settle --timeout=1m", "settle --timeout=4294967296", "plan --timeout=1"};
	struct mock *mock = *state, ctl;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(mock_ctl(mock, wrong[i], &ctl), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_device_without_decision),
		TEST(test_blocks_without_decision),
		TEST(test_region_without_device),
		TEST(test_busy),
		TEST(test_look_after_job),
		TEST(test_look_is_due),
		TEST(test_nothing_changes),
		TEST(test_udevd),
		TEST(test_bad_state),
		TEST(test_older_daemon),
		TEST(test_timeout),
		TEST(test_not_running),
		TEST(test_ended),
		TEST(test_reload),
		TEST(test_configuration),
		TEST(test_in_another_unit),
		TEST(test_usage),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
