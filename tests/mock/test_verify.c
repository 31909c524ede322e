/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tdx-onlinectl verify: the memory blocks that it tries to online, their state afterwards, and its
 * output and status for each result.
 */
#include "mock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST	     16 /* the first of two blocks that arrive; the last one is tried */
#define BOTH	     "[mem 0x80000000-0x8fffffff]"
#define TRIED	     "memory-block     [mem 0x88000000-0x8fffffff]: "
#define STATE_ONLINE "memory17/state online_movable"
#define MORE	     24 /* the first of more blocks */
#define NEXT	     "[mem 0xc8000000-0xcfffffff]: "
#define RELEASE	     "/proc/sys/kernel/osrelease"
#define STATES	     "/sys/devices/system/cpu/hotplug/states"
#define NOT_TRIED    ": not tried: "

/* Run "verify": its status, and one of its lines. */
static void expect_verify(const struct mock *mock, int status, const char *line)
{
	struct mock ctl;

	assert_int_equal(mock_ctl(mock, "verify", &ctl), status);
	mock_expect_logged(&ctl, line);
}

/* All stores to the two blocks. */
static void expect_stores(const struct mock *mock, const char *stores)
{
	mock_expect_stores(mock, "memory1", stores);
}

static void read_real_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
}

/* TDX is active since boot. */
static void make_active(struct mock *mock)
{
	mock_put(mock, RELEASE, "7.3.4\n");
	mock_put(mock, STATES, "  0: offline\n199: virt/tdx:online\n238: online\n");
	mock_make_active(mock);
}

/* The daemon leaves two blocks offline. */
static void start_with_blocks(struct mock *mock)
{
	make_active(mock);
	mock_start_active(mock);
	mock_add_blocks(mock, FIRST, 2, "offline");
	mock_expect_line(mock, BOTH);
	mock_await_settled(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
}

/* Both blocks are offline, and the daemon works as before. */
static void end(struct mock *mock)
{
	mock_expect_blocks(mock, FIRST, 2, "offline");
	mock_end_active(mock);
}

static void test_refused(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_fail(mock, STATE_ONLINE, EPERM);
	expect_verify(mock, 0, "agrees        " TRIED "the kernel refuses it");
	expect_stores(mock, "!" STATE_ONLINE "\n");
	end(mock);
}

static void test_accepted(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	expect_verify(mock, 5, "differs       " TRIED "it accepted; the block is offline again");
	expect_stores(mock, STATE_ONLINE "\nmemory17/state offline\n");
	end(mock);
}

/* This kernel may have initialised TDX after the memory was added. */
static void test_accepted_by_old_kernel(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_put(mock, RELEASE, "6.16.1\n");
	expect_verify(mock, 0, "not-compared  " TRIED "it accepted; the block is offline again");
	end(mock);
}

/* The block cannot be taken offline again. */
static void test_stuck(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_fail(mock, "memory17/state offline", EIO);
	expect_verify(mock, 5, "it cannot be taken offline again: Input/output error");
	mock_expect_blocks(mock, FIRST + 1, 1, "online");
	mock_expect_blocks(mock, FIRST, 1, "offline");
}

/* Two runs of blocks, so that two blocks are tried. */
static void start_with_more_blocks(struct mock *mock)
{
	start_with_blocks(mock);
	mock_add_blocks(mock, MORE, 2, "offline");
	mock_expect_line(mock, "[mem 0xc0000000-0xcfffffff]");
	mock_await_settled(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
}

/* After one block that stays online no other is tried. */
static void test_stuck_first(void **state)
{
	struct mock *mock = *state;

	start_with_more_blocks(mock);
	mock_fail(mock, "memory17/state offline", EIO);
	expect_verify(mock, 5, NEXT "not tried: the block before it could not be taken offline");
	mock_expect_blocks(mock, MORE, 2, "offline");
}

/* Start "verify" and wait until it tries the first block. */
static void begin_verify(struct mock *mock, struct mock *ctl)
{
	mock_hang(mock, STATE_ONLINE);
	mock_ctl_begin(mock, "verify", ctl);
	mock_await_text(mock, "/stores", "~" STATE_ONLINE);
}

static int end_verify(struct mock *mock, struct mock *ctl)
{
	mock_fault(mock, STATE_ONLINE, "0\n");
	return mock_oneshot_end(ctl);
}

static void test_daemon_begins(void **state)
{
	struct mock *mock = *state, ctl;

	start_with_more_blocks(mock);
	begin_verify(mock, &ctl);
	mock_hang(mock, "device_dax/new_id");
	mock_add_dax(mock, "dax0.0", 4 * GIB, GIB, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_line(mock, "dax0.0");
	mock_await_text(mock, "/stores", "~device_dax/new_id");
	assert_int_equal(end_verify(mock, &ctl), 5);
	mock_expect_logged(&ctl, NEXT "not tried: the daemon has begun to work");
	mock_fault(mock, "device_dax/new_id", "0\n");
	mock_await_decided(mock, "dax0.0");
	end(mock);
}

static void test_daemon_stops(void **state)
{
	struct mock *mock = *state, ctl;

	start_with_more_blocks(mock);
	begin_verify(mock, &ctl);
	mock_stop(mock);
	assert_int_equal(end_verify(mock, &ctl), 5);
	mock_expect_logged(&ctl, NEXT "not tried: the daemon was started or stopped");
}

/* The daemon cannot start while a block is tried, and SIGTSTP is ignored. */
static void test_start_meanwhile(void **state)
{
	struct mock *mock = *state, ctl, second;
	char path[64], *blocked, text[4096];

	make_active(mock);
	mock_place_blocks(mock, FIRST, 2, "offline");
	begin_verify(mock, &ctl);
	assert_int_equal(mock_second(mock, NULL, &second), 6);
	mock_expect_logged(&second, "Another tdx-onlined is running");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)ctl.daemon);
	read_real_file(path, text, sizeof(text));
	blocked = strstr(text, "SigBlk:");
	assert_non_null(blocked);
	assert_true(strtoull(blocked + strlen("SigBlk:"), NULL, 16) & 1ULL << (SIGTSTP - 1));
	assert_int_equal(end_verify(mock, &ctl), 5);
}

static void test_busy_once(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_fail_times(mock, "memory17/state offline", EBUSY, 1);
	expect_verify(mock, 5, TRIED "it accepted; the block is offline again");
	end(mock);
}

/* EBUSY on both tries is not a result. */
static void test_busy(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_fail(mock, STATE_ONLINE, EBUSY);
	expect_verify(mock, 0, "not-compared  " TRIED "no answer: Device or resource busy");
	end(mock);
}

/* An error other than EPERM is not a refusal by TDX. */
static void test_failed(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_fail(mock, STATE_ONLINE, EIO);
	expect_verify(mock, 5, "differs       " TRIED "no answer: Input/output error");
	end(mock);
}

static void test_vanished(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_fault(mock, STATE_ONLINE, "vanish\n");
	expect_verify(mock, 0, "not-compared  " TRIED "not tried: another program has changed");
	mock_expect_blocks(mock, FIRST, 1, "offline");
	mock_end_active(mock);
}

static void test_not_removable(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_put(mock, MEMORY "/memory17/removable", "0\n");
	expect_verify(mock, 0, TRIED "not tried: the kernel could not take it offline again");
	expect_stores(mock, "");
	end(mock);
}

static void test_armed(void **state)
{
	struct mock *mock = *state;

	mock_set_tdx_flag(mock);
	mock_start_in(mock, "armed");
	mock_expect_line(mock, NOTHING);
	mock_add_blocks(mock, FIRST, 2, "offline");
	mock_expect_line(mock, BOTH);
	mock_await_settled(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	expect_verify(mock, 0, NOT_TRIED "TDX is armed, and memory that goes online now could");
	expect_stores(mock, "");
}

/* The state "active" is assumed by TDX=, not found. */
static void test_assumed(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "TDX=active\n");
	mock_start_in(mock, "active");
	mock_expect_line(mock, NOTHING);
	mock_add_blocks(mock, FIRST, 2, "offline");
	mock_expect_line(mock, BOTH);
	mock_await_text(mock, STATE, "\"idle\":true");
	expect_verify(mock, 5, NOT_TRIED "TDX is absent");
	expect_stores(mock, "");
}

static void test_daemon_works(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_hang(mock, "device_dax/new_id");
	mock_add_dax(mock, "dax0.0", 4 * GIB, GIB, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_line(mock, "dax0.0");
	mock_await_text(mock, "/stores", "~device_dax/new_id");
	expect_verify(mock, 0, NOT_TRIED "the daemon is working, run 'tdx-onlinectl settle' first");
	mock_fault(mock, "device_dax/new_id", "0\n");
	mock_await_decided(mock, "dax0.0");
	expect_stores(mock, "");
	end(mock);
}

/* The daemon has not received the event of the blocks, and may decide them at any time. */
static void test_undecided(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_place_blocks(mock, FIRST, 2, "offline");
	expect_verify(mock, 0, TRIED "not tried: the daemon has not decided it");
	expect_stores(mock, "");
}

static void test_not_running(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_stop(mock);
	mock_fail(mock, STATE_ONLINE, EPERM);
	expect_verify(mock, 0, "agrees        " TRIED "the kernel refuses it");
}

static void test_observing(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Act=no\n");
	start_with_blocks(mock);
	expect_verify(mock, 0, NOT_TRIED "Act=no");
	expect_stores(mock, "");
}

static void test_rule(void **state)
{
	struct mock *mock = *state;

	mock_rule(mock, "50-faulty.rule", "Type=*\n", "Verdict=offline\n");
	make_active(mock);
	mock_place_blocks(mock, FIRST, 2, "offline");
	expect_verify(mock, 0, TRIED "not tried: a rule does not online it");
	expect_stores(mock, "");
}

/* The kernel refuses memory of CapableRanges=: a difference. */
static void test_capable_ranges(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "CapableRanges=0x80000000-0x8fffffff\n");
	make_active(mock);
	mock_place_blocks(mock, FIRST, 2, "offline");
	expect_verify(mock, 0, "agrees        capable-ranges   " BOTH ": it accepted some");
	mock_expect_blocks(mock, FIRST, 2, "offline");
	mock_fail(mock, STATE_ONLINE, EPERM);
	expect_verify(mock, 5, "differs       capable-ranges   " BOTH ": it refused some");
	expect_verify(mock, 5,
		"differs       " TRIED "the kernel refuses it; expected: the kernel accepts it");
	mock_expect_blocks(mock, FIRST, 2, "offline");
}

static void test_nothing(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	expect_verify(mock, 0, NOT_TRIED "no memory block outside the boot map is offline");
	mock_end_active(mock);
}

static void test_guard(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Guard=always\n");
	mock_start_absent(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	expect_verify(mock, 0, "agrees        guard            drivers_autoprobe: 0");
	expect_verify(mock, 0, "agrees        guard            auto_online_blocks: offline");
}

/* Guard= as the daemon has read it is decisive, not the changed file. */
static void test_guard_in_effect(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Guard=always\n");
	mock_start_absent(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_configure(mock, "Guard=never\n");
	expect_verify(mock, 0, "agrees        guard            drivers_autoprobe: 0");
	mock_configure(mock, "Guard=sometimes\n");
	expect_verify(mock, 0, "agrees        guard            drivers_autoprobe: 0");
}

static void test_older_daemon(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_make_state_older(mock);
	expect_verify(mock, 0,
		NOT_TRIED "the running daemon is of an older version, run "
			  "'systemctl restart tdx-onlined.service' first");
	expect_stores(mock, "");
	kill(mock->daemon, SIGCONT);
	end(mock);
}

/* An invalid configuration may have a rule about a faulty DIMM. */
static void test_mistake(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_configure(mock, "Guard=sometimes\n");
	expect_verify(mock, 0, NOT_TRIED "the configuration files have a mistake");
	expect_stores(mock, "");
}

/* Act=no is in the files, but the daemon has not reloaded. */
static void test_observing_next(void **state)
{
	struct mock *mock = *state;

	start_with_blocks(mock);
	mock_configure(mock, "Act=no\n");
	expect_verify(mock, 0, NOT_TRIED "Act=no");
	expect_stores(mock, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),
		TEST(test_accepted),
		TEST(test_accepted_by_old_kernel),
		TEST(test_stuck),
		TEST(test_stuck_first),
		TEST(test_daemon_begins),
		TEST(test_daemon_stops),
		TEST(test_start_meanwhile),
		TEST(test_busy_once),
		TEST(test_busy),
		TEST(test_failed),
		TEST(test_vanished),
		TEST(test_not_removable),
		TEST(test_armed),
		TEST(test_assumed),
		TEST(test_daemon_works),
		TEST(test_undecided),
		TEST(test_not_running),
		TEST(test_observing),
		TEST(test_rule),
		TEST(test_capable_ranges),
		TEST(test_nothing),
		TEST(test_guard),
		TEST(test_guard_in_effect),
		TEST(test_older_daemon),
		TEST(test_mistake),
		TEST(test_observing_next),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
