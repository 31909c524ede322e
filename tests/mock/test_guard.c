/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: a lowered switch is recorded and set again, no switch is held whose former value is
 * not saved, and one process holds them.
 */
#include "mock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_RUNNING 6
#define FALLS	     5		  /* the switch is left as it is after so many changes by others */
#define FULL	     STATE ".new" /* a directory with this name: the state file cannot be written */

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

/* Write without truncating: a file of the kernel is never empty. The value must not get shorter. */
static void store(const struct mock *mock, const char *path, const char *value)
{
	char real[MOCK_PATH], text[64];
	int n = snprintf(text, sizeof(text), "%s", value);
	int fd = open(mock_real_path(mock, path, real), O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, text, (size_t)n), n);
	close(fd);
}

/* Another program sets the switch, and the daemon sets it back. */
static void lower(struct mock *mock, const char *path, const char *value, const char *held)
{
	char line[128];

	store(mock, path, value);
	snprintf(line, sizeof(line), "Another program set %s to %s", strrchr(path, '/') + 1, value);
	mock_expect_line(mock, line);
	await_value(mock, path, held);
}

/* Both switches are lowered. At the stop each gets the last value of the other program. */
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

/* A lowered switch means a look is due: the state file that the look finds is not idle. */
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

/* Memory that comes while the switch is lowered has this in its record, later memory does not. */
static void test_memory_while_lowered(void **state)
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

/* Lowered too often: the daemon leaves the switch as it is until the next reload. */
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

/* Act=no: the switches keep the values of others. */
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

/*
 * The former values cannot be saved: only drivers_autoprobe is held, whose former value is known
 * without the file.
 */
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

/* The state can be saved again only at the stop: the switches are given back. */
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

/* The state file is that of an earlier start, which gave the guard back, and cannot be replaced. */
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

/* Lowered while no daemon runs: recorded, and the other program's value is given back. */
static void test_lowered_while_stopped(void **state)
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

/* The state file is lost while drivers_autoprobe is 0. */
static void test_state_lost(void **state)
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

/* A second daemon changes nothing, the first goes on; after a kill the lock is free. */
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

/* An invalid configuration: the guard is held, and nothing is decided until a valid reload. */
static void test_invalid_configuration(void **state)
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

/* A dax device of two blocks at so many GiB, without a driver. */
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

/* A rule holds drivers_autoprobe only: its device never gets kmem, any other device does. */
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

/* Memory that no rule matches gets the zone of the kernel's policy, the highest block first. */
static void test_kernel_policy_zone(void **state)
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

/* The kernel's policy is "offline": kmem is bound and the blocks stay offline. */
static void test_kernel_policy_offline(void **state)
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

/* After a kill, the next start does not take the held switch for the kernel's policy. */
static void test_kernel_policy_after_restart(void **state)
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

/* The rule of the old configuration needs one switch, that of the new one the other. */
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

/* Two devices at once, of which the rule matches one. */
static void test_two_devices(void **state)
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

/* TDX becomes active: the device that was bound by the kernel's policy is unplugged again. */
static void test_tdx_becomes_active(void **state)
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

/* An invalid configuration: both switches are held, although TDX is absent. */
static void test_invalid_configuration_without_tdx(void **state)
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

/* drivers_autoprobe appears after the start: it is saved, held and given back as well. */
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

/* Guard=never: a 0 in drivers_autoprobe was set by the administrator, and stays. */
static void test_never_leaves_autoprobe(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, DAX_AUTOPROBE, "0");
	mock_configure(mock, "Guard=never\n");
	mock_start_active(mock);
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
}

/* Guard=never with TDX. A reload with Guard=auto takes the guard. */
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
		TEST(test_memory_while_lowered),
		TEST(test_contested),
		TEST(test_not_held),
		TEST(test_not_saved),
		TEST(test_saved_at_stop),
		TEST(test_old_file),
		TEST(test_lowered_while_stopped),
		TEST(test_state_lost),
		TEST(test_second),
		TEST(test_invalid_configuration),
		TEST(test_rule_devdax),
		TEST(test_kernel_policy_zone),
		TEST(test_kernel_policy_offline),
		TEST(test_kernel_policy_after_restart),
		TEST(test_other_switch),
		TEST(test_two_devices),
		TEST(test_tdx_becomes_active),
		TEST(test_invalid_configuration_without_tdx),
		TEST(test_late_switch),
		TEST(test_never_leaves_autoprobe),
		TEST(test_never),
	};

	if (!mock_programs(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
