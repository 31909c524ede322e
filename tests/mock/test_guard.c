/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: who lowers it is noticed, it is never held without a way back, and there is one holder.
 */
#include "mock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_RUNNING 6
#define FALLS	     5		  /* then it is left alone */
#define FULL	     STATE ".new" /* a directory in the way of the state file: it cannot be written */

static void expect_guard(const struct mock *mock, const char *autoprobe, const char *auto_online)
{
	mock_expect_file(mock, DAX_AUTOPROBE, autoprobe);
	mock_expect_file(mock, AUTO_ONLINE, auto_online);
}

static bool is(const char *text, const void *userdata)
{
	size_t n = strcspn(text, "\n");

	return n == strlen(userdata) && memcmp(text, userdata, n) == 0;
}

static void await_value(const struct mock *mock, const char *path, const char *value)
{
	mock_await(mock, path, is, value);
}

/* Write in one go, as to a file of the kernel, which is never empty. It must not get shorter. */
static void store(const struct mock *mock, const char *path, const char *value)
{
	char real[MOCK_PATH], text[64];
	int n = snprintf(text, sizeof(text), "%s", value);
	int fd = open(mock_real_path(mock, path, real), O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, text, (size_t)n), n);
	close(fd);
}

/* Somebody else writes, and the daemon writes after him. */
static void lower(struct mock *mock, const char *path, const char *value, const char *held)
{
	char line[128];

	store(mock, path, value);
	snprintf(line, sizeof(line), "Another program set %s to %s", strrchr(path, '/') + 1, value);
	mock_expect_line(mock, line);
	await_value(mock, path, held);
}

/* Both switches; each is given back as the last one wanted it. */
static void test_lowered(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_start_active(mock);
	lower(mock, AUTO_ONLINE, "online_movable", "offline");
	lower(mock, DAX_AUTOPROBE, "1", "0");
	mock_await_text(mock, STATE, "\"auto_online_blocks\":\"online_movable\"");
	mock_end_active(mock);
	expect_guard(mock, "1", "online_movable");
}

/* A look is due: the daemon is not idle. The state file is kept as the look finds it. */
static void test_lowered_is_not_idle(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_await_text(mock, STATE, "\"idle\":true");
	mock_put(mock, "/arrivals/firmware:memmap", STATE " " NEW "/kept\n");
	lower(mock, DAX_AUTOPROBE, "1", "0");
	mock_await_text(mock, NEW "/kept", "\"idle\":false");
	mock_end_active(mock);
}

/* What came meanwhile says so; what comes later does not. */
static void test_memory_meanwhile(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_start_active(mock);
	mock_fail(mock, "memory/auto_online_blocks", EIO);
	store(mock, AUTO_ONLINE, "online_movable");
	mock_expect_line(mock, "Another program set auto_online_blocks to online_movable");
	mock_expect_line(mock, AUTO_ONLINE ": cannot be set to offline: Input/output error");
	mock_add_blocks(mock, 16, 1, "online");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "left as it is", "already-online", "active",
			"; it arrived while another program had changed the kernel's"});
	mock_fail(mock, "memory/auto_online_blocks", 0);
	mock_uevent(mock, MEMORY "/memory0", "add");
	await_value(mock, AUTO_ONLINE, "offline");
	mock_await_look(mock);
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "active");
	mock_add_dax(mock, "dax0.0", 4 * GIB, GIB, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(mock,
		&(struct mock_record){4 * GIB, GIB, "kept out of system RAM", "outside-boot-map",
			"active", "accepts only memory that was RAM at boot (outside-boot-map)"});
	mock_end_active(mock);
}

/* Not for ever: then it is his, until the next reload. */
static void test_contested(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_start_active(mock);
	for (int i = 1; i < FALLS; i++)
		lower(mock, AUTO_ONLINE, "online_kernel", "offline");
	store(mock, AUTO_ONLINE, "online_kernel");
	mock_expect_line(mock, "too often: tdx-onlined leaves it so until the next");
	store(mock, AUTO_ONLINE, "online_movable");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "active");
	await_value(mock, AUTO_ONLINE, "offline");
	mock_end_active(mock);
	expect_guard(mock, "1", "online_movable");
}

/* With Act=no there is no guard, and with no TDX neither. */
static void test_not_held(void **state)
{
	struct mock *mock = *state;

	mock_configure(mock, "Act=no\n");
	mock_start_active(mock);
	mock_put(mock, AUTO_ONLINE, "online_movable");
	mock_put(mock, DAX_AUTOPROBE, "0");
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "0", "online_movable");
}

/* What a switch read before cannot be kept: only the one is held that can be told without. */
static void test_not_saved(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_make_directory(mock, FULL);
	mock_start_active(mock);
	mock_expect_line(mock, "state.json: cannot be written: Is a directory");
	expect_guard(mock, "0", "online");
	mock_kill(mock);
	mock_start_in(mock, "active");
	mock_expect_line(mock, DAX_AUTOPROBE ": its former value is not known");
	mock_expect_line(mock, "state.json: cannot be written: Is a directory");
	mock_expect_line(mock, NOTHING);
	mock_remove(mock, FULL);
	mock_uevent(mock, MEMORY "/memory0", "add");
	await_value(mock, AUTO_ONLINE, "offline");
	mock_end_active(mock);
	expect_guard(mock, "1", "online");
}

/* It can be kept again only when the daemon stops: it is given back all the same. */
static void test_saved_at_stop(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_make_directory(mock, FULL);
	mock_start_active(mock);
	mock_expect_line(mock, "state.json: cannot be written: Is a directory");
	mock_remove(mock, FULL);
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online");
	mock_start_in(mock, "active");
	mock_expect_line(mock, NOTHING);
	mock_end_active(mock);
	expect_guard(mock, "1", "online");
}

/* The file is of an earlier start, which had given the guard back, and cannot be replaced. */
static void test_old_file(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_stop(mock);
	mock_make_directory(mock, FULL);
	mock_start_in(mock, "active");
	mock_expect_line(mock, "state.json: cannot be written: Is a directory");
	mock_expect_line(mock, NOTHING);
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_kill(mock);
	mock_remove(mock, FULL);
	mock_start_in(mock, "active");
	mock_expect_line(mock, DAX_AUTOPROBE ": its former value is not known");
	mock_expect_line(mock, NOTHING);
	mock_end_active(mock);
	mock_expect_file(mock, DAX_AUTOPROBE, "1");
}

/* Lowered while no daemon runs: recorded, and given back as the other program wanted it. */
static void test_lowered_between(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_start_active(mock);
	mock_kill(mock);
	store(mock, AUTO_ONLINE, "online_movable");
	mock_start_in(mock, "active");
	mock_expect_line(mock, "Another program set auto_online_blocks to online_movable");
	mock_expect_line(mock, NOTHING);
	mock_end_active(mock);
	expect_guard(mock, "1", "online_movable");
}

/* The file is gone, and the switch looks held. */
static void test_file_gone(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_kill(mock);
	mock_remove(mock, STATE);
	mock_start_in(mock, "active");
	mock_expect_line(mock, DAX_AUTOPROBE ": its former value is not known");
	mock_end_active(mock);
	mock_expect_file(mock, DAX_AUTOPROBE, "1");
}

/* The second touches nothing, and the first goes on; after a kill the lock is free. */
static void test_second(void **state)
{
	static struct mock second;
	struct mock *mock = *state;

	mock_start_active(mock);
	assert_int_equal(mock_second(mock, NULL, &second), EXIT_RUNNING);
	mock_expect_line(&second, "Another tdx-onlined is running (process ");
	mock_expect_silence(&second);
	expect_guard(mock, "0", "offline");
	mock_kill(mock);
	mock_start_in(mock, "active");
	mock_end_active(mock);
	expect_guard(mock, "1", "online");
}

/* The guard is held, and nothing is decided; a good reload makes up for it. */
static void test_unusable(void **state)
{
	struct mock *mock = *state;

	mock_make_active(mock);
	mock_configure(mock, "Act=perhaps\n");
	mock_start(mock);
	mock_expect_line(mock, "tdx-onlined.conf:2: Act=perhaps: not ");
	mock_expect_line(mock, "The configuration cannot be used: ");
	mock_expect_tdx(mock, "active");
	mock_expect_line(mock, NOTHING);
	expect_guard(mock, "0", "offline");
	mock_add_dax(mock, "dax0.0", 4 * GIB, GIB, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_configure(mock, "Act=still\n");
	mock_reload(mock);
	mock_expect_line(mock, "tdx-onlined.conf:2: Act=still: not ");
	mock_expect_line(mock, "The configuration cannot be used: ");
	mock_configure(mock, "Act=yes\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "active");
	mock_expect_record(mock, &(struct mock_record){4 * GIB, GIB, "kept out of system RAM",
					 "outside-boot-map", "active", "dax0.0"});
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* --- without TDX --- */

#define DAX0 4
#define DAX1 8

/* A dax device of two blocks at so many GiB, whose driver nobody has bound. */
static void add_dax(const struct mock *mock, const char *name, uint64_t gib)
{
	mock_add_dax(mock, name, gib * GIB, 2 * BLOCK, 1);
	mock_uevent_dax(mock, name, "add");
}

static void expect_dax(
	struct mock *mock, uint64_t gib, const char *verdict, const char *reason, const char *also)
{
	mock_expect_record(
		mock, &(struct mock_record){gib * GIB, 2 * BLOCK, verdict, reason, "absent", also});
}

/* A rule holds its switch, and only that: its device never gets kmem, any other one does. */
static void test_rule_devdax(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_rule(mock, "10-card.rule", "Device=dax0.*\n", "Verdict=devdax\n");
	mock_start_absent(mock);
	expect_guard(mock, "0", "online");
	add_dax(mock, "dax0.0", DAX0);
	expect_dax(
		mock, DAX0, "kept out of system RAM", "rule", ": rule 10-card.rule requires it (");
	add_dax(mock, "dax1.0", DAX1);
	expect_dax(mock, DAX1, "online as system RAM (2 of 2 memory blocks", "tdx-absent",
		"; no rule matches;");
	mock_await_decided(mock, "dax1.0");
	mock_remove(mock, RULES "/10-card.rule");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "absent");
	expect_guard(mock, "1", "online");
	expect_dax(mock, DAX0, "kept out of system RAM", "already-devdax", NULL);
	mock_end_absent(mock);
	mock_expect_stores(mock, "kmem/bind", "kmem/bind dax1.0\n");
}

/* What no rule matches gets the zone of the kernel's own policy, the highest block first. */
static void test_stands_in(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online_movable");
	mock_rule(mock, "10-card.rule", "Serial=0x42\n", "Zone=kernel\n");
	mock_start_absent(mock);
	expect_guard(mock, "1", "offline");
	mock_add_blocks(mock, 16, 2, "offline");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", "; no rule matches;"});
	mock_await_text(mock, STATE, "\"type\":\"unknown\"");
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online_movable");
	mock_expect_stores(
		mock, "memory1", "memory17/state online_movable\nmemory16/state online_movable\n");
}

/* It leaves offline what the kernel would have left so, and binds kmem as the kernel would have. */
static void test_stands_in_offline(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "offline");
	mock_configure(mock, "Guard=always\n");
	mock_rule(mock, "10-dax1.rule", "Device=dax1.0\n", "Verdict=online\n");
	mock_make_kmem(mock, "offline", 1);
	mock_start_absent(mock);
	expect_guard(mock, "0", "offline");
	add_dax(mock, "dax0.0", DAX0);
	expect_dax(mock, DAX0, "left as it is", "kernel-offline", NULL);
	add_dax(mock, "dax1.0", DAX1);
	expect_dax(mock, DAX1, "online as system RAM (2 of 2 memory blocks", "tdx-absent",
		"; rule 10-dax1.rule matches;");
	mock_await_decided(mock, "dax1.0");
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "offline");
	mock_expect_stores(mock, "kmem/bind", "kmem/bind dax0.0\nkmem/bind dax1.0\n");
	mock_expect_blocks(mock, 32, 2, "offline");
	mock_expect_blocks(mock, 64, 2, "online");
}

/* A restart of the daemon does not take its own switch for the kernel's policy. */
static void test_stands_in_again(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online_kernel");
	mock_configure(mock, "Guard=always\n");
	mock_start_absent(mock);
	mock_kill(mock);
	mock_start_absent(mock);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_await_text(mock, STATE, "\"type\":\"unknown\"");
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online_kernel");
	mock_expect_stores(mock, "memory1", "memory16/state online_kernel\n");
}

/* A reload hands over from one switch to the other. */
static void test_other_switch(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_rule(mock, "10-card.rule", "Type=cxl\n", "Verdict=devdax\n");
	mock_start_absent(mock);
	expect_guard(mock, "0", "online");
	mock_rule(mock, "10-card.rule", "Type=dimm\n", "Zone=kernel\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 1 rules");
	mock_expect_tdx(mock, "absent");
	await_value(mock, DAX_AUTOPROBE, "1");
	await_value(mock, AUTO_ONLINE, "offline");
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_guard(mock, "1", "online");
}

/* Two cards at once, the rule is about one. */
static void test_two_cards(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_rule(mock, "10-card.rule", "Device=dax1.*\n", "Verdict=devdax\n");
	mock_start_absent(mock);
	mock_add_dax(mock, "dax0.0", DAX0 * GIB, 2 * BLOCK, 1);
	add_dax(mock, "dax1.0", DAX1);
	expect_dax(mock, DAX0, "online as system RAM (2 of 2 memory blocks", "tdx-absent",
		"; no rule matches;");
	expect_dax(
		mock, DAX1, "kept out of system RAM", "rule", ": rule 10-card.rule requires it (");
	mock_await_settled(mock);
	mock_end_absent(mock);
	mock_expect_stores(mock, "kmem/bind", "kmem/bind dax0.0\n");
}

/* The kernel's policy counts no more when TDX comes: what kmem has is unplugged again. */
static void test_tdx_comes(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "offline");
	mock_configure(mock, "Guard=always\n");
	mock_make_kmem(mock, "offline", 1);
	mock_start_absent(mock);
	add_dax(mock, "dax0.0", DAX0);
	expect_dax(mock, DAX0, "left as it is", "kernel-offline", NULL);
	mock_await_settled(mock);
	mock_make_active(mock);
	mock_uevent(mock, "/sys/devices/virtual/misc/kvm", "add");
	mock_expect_tdx(mock, "active");
	mock_expect_record(
		mock, &(struct mock_record){DAX0 * GIB, 2 * BLOCK, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_await_settled(mock);
	mock_end_active(mock);
}

/* It holds both while it does not know the rules, without TDX too. */
static void test_unusable_absent(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_configure(mock, "Act=perhaps\n");
	mock_start(mock);
	mock_expect_line(mock, "tdx-onlined.conf:2: Act=perhaps: not ");
	mock_expect_line(mock, "The configuration cannot be used: ");
	mock_expect_tdx(mock, "absent");
	mock_expect_line(mock, NOTHING);
	expect_guard(mock, "0", "offline");
	mock_configure(mock, "Act=yes\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "absent");
	expect_guard(mock, "1", "online");
	mock_end_absent(mock);
}

/* The kernel makes the switch for dax devices when the first of them comes: it has a way back, too. */
static void test_late_switch(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_remove(mock, DAX_AUTOPROBE);
	mock_start_active(mock);
	mock_put(mock, DAX_AUTOPROBE, "1");
	mock_uevent(mock, MEMORY "/memory0", "add");
	await_value(mock, DAX_AUTOPROBE, "0");
	mock_await_text(mock, STATE, "\"drivers_autoprobe\":\"1\"");
	mock_end_active(mock);
	expect_guard(mock, "1", "online");
}

/* An administrator's own 0 is not taken for what an earlier start has left. */
static void test_never_guess(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, DAX_AUTOPROBE, "0");
	mock_configure(mock, "Guard=never\n");
	mock_start_active(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
}

/* Guard=never, with TDX; a reload that changes it takes the guard. */
static void test_never(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, AUTO_ONLINE, "online");
	mock_configure(mock, "Guard=never\n");
	mock_start_active(mock);
	expect_guard(mock, "1", "online");
	mock_configure(mock, "Guard=auto\n");
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 0 rules");
	mock_expect_tdx(mock, "active");
	expect_guard(mock, "0", "offline");
	mock_end_active(mock);
	expect_guard(mock, "1", "online");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_lowered),
		TEST(test_lowered_is_not_idle),
		TEST(test_memory_meanwhile),
		TEST(test_contested),
		TEST(test_not_held),
		TEST(test_not_saved),
		TEST(test_saved_at_stop),
		TEST(test_old_file),
		TEST(test_lowered_between),
		TEST(test_file_gone),
		TEST(test_second),
		TEST(test_unusable),
		TEST(test_rule_devdax),
		TEST(test_stands_in),
		TEST(test_stands_in_offline),
		TEST(test_stands_in_again),
		TEST(test_other_switch),
		TEST(test_two_cards),
		TEST(test_tdx_comes),
		TEST(test_unusable_absent),
		TEST(test_late_switch),
		TEST(test_never_guess),
		TEST(test_never),
	};

	if (!mock_programs(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
