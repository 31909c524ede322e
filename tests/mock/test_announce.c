/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Announcements: a "change" event of a dax device that has been decided, sent when the state file
 * has the decision, and what "tdx-onlinectl properties" prints then.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAX0_START (4 * GIB)
#define UEVENTS	   "/uevents"

/* How many events of a device have been sent, and how many failed. */
static void expect_sent(
	const struct mock *mock, const char *name, unsigned int sent, unsigned int failed)
{
	char text[4096], line[MOCK_PATH];
	unsigned int n[2] = {0};

	mock_read(mock, UEVENTS, text, sizeof(text));
	for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		snprintf(line, sizeof(line), "%s/uevent change ", name);
		if (strstr(at, line) && strstr(at, " TDXONLINED=decided"))
			n[*at == '!']++;
	}
	assert_int_equal(n[0], sent);
	assert_int_equal(n[1], failed);
}

static void await_devdax(struct mock *mock, const char *name, uint64_t start)
{
	mock_add_dax(mock, name, start, GIB, 1);
	mock_uevent_dax(mock, name, "add");
	mock_expect_record(mock, &(struct mock_record){start, GIB, "kept out of system RAM",
					 "outside-boot-map", "active", NULL});
	mock_await_decided(mock, name);
}

/* Once for each decision, and the daemon's own event is no news to it. */
static void test_once(void **state)
{
	struct mock *mock = *state;
	char path[MOCK_PATH];

	mock_start_active(mock);
	await_devdax(mock, "dax0.0", DAX0_START);
	mock_await_text(mock, UEVENTS, "dax0.0/uevent change ");
	mock_dax_path("dax0.0", path);
	mock_uevent(mock, path, "change");
	mock_end_active(mock);
	expect_sent(mock, "dax0.0", 1, 0);
	expect_sent(mock, "dax9.0", 1, 0);
}

/* What cannot be sent is logged once, and changes nothing else. */
static void test_fails(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_fail(mock, "dax0.0/uevent", EACCES);
	await_devdax(mock, "dax0.0", DAX0_START);
	mock_expect_line(mock, "udev does not set properties and access of dax0.0");
	mock_fail(mock, "dax1.0/uevent", EACCES);
	await_devdax(mock, "dax1.0", DAX0_START + GIB);
	mock_end_active(mock);
	expect_sent(mock, "dax0.0", 0, 1);
	expect_sent(mock, "dax1.0", 0, 1);
	expect_sent(mock, "dax9.0", 1, 0);
}

static void expect_properties(const struct mock *mock, const char *name, const char *const *lines)
{
	char words[64];
	struct mock ctl;

	snprintf(words, sizeof(words), "properties %s", name);
	assert_int_equal(mock_ctl(mock, words, &ctl), 0);
	for (; *lines; lines++)
		mock_expect_logged(&ctl, *lines);
	mock_expect_silence(&ctl);
}

/* The access is that of the rule when the device was decided, and of the next reload. */
static void test_properties(void **state)
{
	struct mock *mock = *state;

	mock_rule(mock, "50-qemu.rule", "Device=dax0.0", "Group=kvm\nMode=0660");
	mock_start_active(mock);
	await_devdax(mock, "dax0.0", DAX0_START);
	expect_properties(mock, "dax0.0",
		(const char *const[]){"^TDX_ONLINED_TYPE=cxl", "^TDX_ONLINED_VERDICT=devdax",
			"^TDX_ONLINED_REASON=outside-boot-map", "^TDX_ONLINED_GROUP=kvm",
			"^TDX_ONLINED_MODE=0660", "^TDX_ONLINED_BY_REGION=region0", NULL});
	mock_rule(mock, "50-qemu.rule", "Device=dax0.0", "Group=qemu");
	expect_sent(mock, "dax0.0", 1, 0);
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect, with 1 rule");
	mock_expect_tdx(mock, "active");
	mock_await_text(mock, STATE, "\"group\":\"qemu\"");
	expect_properties(mock, "dax0.0",
		(const char *const[]){"^TDX_ONLINED_TYPE=cxl", "^TDX_ONLINED_VERDICT=devdax",
			"^TDX_ONLINED_REASON=outside-boot-map", "^TDX_ONLINED_GROUP=qemu",
			"^TDX_ONLINED_BY_REGION=region0", NULL});
	mock_end_active(mock);
	expect_sent(mock, "dax0.0", 2, 0);
}

/* With Act=no nothing is done, and the device node keeps its access too. */
static void test_observed(void **state)
{
	struct mock *mock = *state;

	mock_rule(mock, "50-qemu.rule", "Device=dax0.0", "Group=kvm\nMode=0660");
	mock_configure(mock, "Act=no");
	mock_start_active(mock);
	mock_add_dax(mock, "dax0.0", DAX0_START, GIB, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
	mock_expect_record(mock, &(struct mock_record){DAX0_START, GIB, "Act=no is set",
					 "outside-boot-map", "active", NULL});
	mock_await_decided(mock, "dax0.0");
	expect_properties(mock, "dax0.0",
		(const char *const[]){"^TDX_ONLINED_TYPE=cxl", "^TDX_ONLINED_VERDICT=devdax",
			"^TDX_ONLINED_REASON=outside-boot-map", "^TDX_ONLINED_BY_REGION=region0",
			NULL});
}

/* A device of the name of one that was decided is not that device. */
static void test_other_device(void **state)
{
	struct mock *mock = *state;
	struct mock ctl;

	mock_start_active(mock);
	await_devdax(mock, "dax0.0", DAX0_START);
	mock_end_active(mock);
	mock_remove_dax(mock, "dax0.0");
	assert_int_equal(mock_ctl(mock, "properties dax0.0", &ctl), 1);
	mock_expect_logged(&ctl, "properties dax0.0: there is no such dax device");
	mock_expect_silence(&ctl);
	mock_add_dax(mock, "dax0.0", DAX0_START, GIB, 1);
	expect_properties(mock, "dax0.0",
		(const char *const[]){
			"^TDX_ONLINED_TYPE=cxl", "^TDX_ONLINED_BY_REGION=region0", NULL});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_once),
		TEST(test_fails),
		TEST(test_properties),
		TEST(test_observed),
		TEST(test_other_device),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
