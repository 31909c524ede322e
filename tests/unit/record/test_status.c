/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The status of devices and switches, and the recommended next step.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "tdxo/record/status.h"
#include "tests/unit/fixture.h"

static struct range place = {4 * GIB, 5 * GIB};

static struct device card(enum dax_driver driver)
{
	struct device device = {.type = TYPE_CXL,
		.driver = driver,
		.node = 1,
		.size = range_size(place),
		.n_ranges = 1,
		.ranges = &place};

	snprintf(device.name, sizeof(device.name), "dax0.0");
	return device;
}

static struct history_entry entry_of(
	enum verdict verdict, enum reason reason, enum result result, enum dax_driver driver)
{
	return (struct history_entry){
		.device = card(driver), .verdict = verdict, .reason = reason, .result = result};
}

/* 1 GiB of 8 blocks, with this many present and online. */
static struct device_status status_of(enum dax_driver driver, uint64_t present, uint64_t online,
	const struct history_entry *entry)
{
	static const struct boot_map boot_map;
	struct facts facts = {.device = card(driver), .block_size = BLOCK, .boot_map = &boot_map};
	struct device_status status;

	for (uint64_t i = 0; i < present; i++)
		assert_int_equal(blocks_append(&facts.blocks, place.start / BLOCK + i,
					 i < online ? BLOCK_ONLINE : BLOCK_OFFLINE),
			0);
	status = device_status_of(&facts, entry);
	/* device_status_of() takes over the device, whose ranges are not on the heap. */
	assert_int_equal(facts.device.n_ranges, 0);
	facts_done(&facts);
	return status;
}

static void test_stranded(void **state)
{
	const struct history_entry refused =
		entry_of(VERDICT_OFFLINE, REASON_OUTSIDE_BOOT_MAP, RESULT_NOTHING, DAX_DRIVER_KMEM);
	const struct history_entry wanted =
		entry_of(VERDICT_IGNORE, REASON_KERNEL_OFFLINE, RESULT_NOTHING, DAX_DRIVER_KMEM);
	const struct history_entry begun =
		entry_of(VERDICT_ONLINE, REASON_IN_BOOT_MAP, RESULT_BEGUN, DAX_DRIVER_KMEM);
	struct device_status status;

	(void)state;
	status = status_of(DAX_DRIVER_KMEM, 8, 8, &refused);
	assert_int_equal(status.stranded, 0);
	status = status_of(DAX_DRIVER_KMEM, 8, 5, &refused);
	assert_int_equal(status.stranded, 3 * BLOCK);
	/* Missing blocks with driver kmem are stranded, too; without kmem it is a devdax device. */
	status = status_of(DAX_DRIVER_KMEM, 6, 5, NULL);
	assert_int_equal(status.missing, 2);
	assert_int_equal(status.stranded, 3 * BLOCK);
	status = status_of(DAX_DRIVER_DEVICE_DAX, 0, 0, NULL);
	assert_int_equal(status.missing, 0);
	assert_int_equal(status.stranded, 0);
	status = status_of(DAX_DRIVER_KMEM, 8, 0, &wanted);
	assert_int_equal(status.stranded, 0);
	status = status_of(DAX_DRIVER_KMEM, 8, 3, &begun);
	assert_int_equal(status.stranded, 0);
}

static void test_result(void **state)
{
	struct history_entry entry = entry_of(
		VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP, RESULT_DONE, DAX_DRIVER_DEVICE_DAX);
	struct device_status status = status_of(DAX_DRIVER_DEVICE_DAX, 0, 0, &entry);

	(void)state;
	assert_string_equal(device_status_result(&status), "done");
	status = status_of(DAX_DRIVER_KMEM, 8, 8, &entry);
	assert_string_equal(device_status_result(&status), "changed");
	entry.changed = true;
	status = status_of(DAX_DRIVER_DEVICE_DAX, 0, 0, &entry);
	assert_string_equal(device_status_result(&status), "changed");
	status = status_of(DAX_DRIVER_DEVICE_DAX, 0, 0, NULL);
	assert_string_equal(device_status_result(&status), "undecided");
}

/* TDX is absent, so the kernel was expected to accept. */
static void test_disagrees(void **state)
{
	struct history_entry entry =
		entry_of(VERDICT_DEVDAX, REASON_KERNEL_REFUSED, RESULT_DONE, DAX_DRIVER_DEVICE_DAX);
	struct device_status status = status_of(DAX_DRIVER_DEVICE_DAX, 0, 0, &entry);

	(void)state;
	assert_false(status.disagrees);
	entry.answer = ANSWER_ACCEPTS;
	assert_false(status_of(DAX_DRIVER_DEVICE_DAX, 0, 0, &entry).disagrees);
	entry.answer = ANSWER_REFUSES;
	assert_true(status_of(DAX_DRIVER_DEVICE_DAX, 0, 0, &entry).disagrees);
}

static void test_recorded(void **state)
{
	struct history_entry entry =
		entry_of(VERDICT_OFFLINE, REASON_OUTSIDE_BOOT_MAP, RESULT_NOTHING, DAX_DRIVER_NONE);
	struct device_status status;
	char name[SYSFS_NAME];

	(void)state;
	entry.device.name[0] = '\0';
	entry.device.n_ranges = 0;
	entry.blocks = (struct block_count){.present = 8, .online = 2};
	assert_int_equal(device_status_recorded(&entry, &status), 0);
	assert_int_equal(status.stranded, 6 * BLOCK);
	assert_string_equal(device_status_name(&status, name), "");
	device_done(&status.device);
	entry.blocks.online = 9;
	assert_int_equal(device_status_recorded(&entry, &status), 0);
	assert_int_equal(status.stranded, 0);
	device_done(&status.device);
	entry.blocks = (struct block_count){0};
	entry.device.n_ranges = 1;
	assert_int_equal(device_status_recorded(&entry, &status), 0);
	assert_int_equal(status.stranded, 0);
	assert_string_equal(device_status_name(&status, name), "0x100000000");
	device_done(&status.device);
}

static void test_switch(void **state)
{
	struct switch_status status = {.was = ""};

	(void)state;
	assert_int_equal(switch_use_of(&status, "offline", true), SWITCH_MISSING);
	snprintf(status.now, sizeof(status.now), "offline");
	assert_int_equal(switch_use_of(&status, "offline", false), SWITCH_FREE);
	assert_int_equal(switch_use_of(&status, "offline", true), SWITCH_GIVEN_UP);
	status.was = "online";
	assert_int_equal(switch_use_of(&status, "offline", false), SWITCH_HELD);
	assert_int_equal(switch_use_of(&status, "0", false), SWITCH_CHANGED);
}

/* By address, then by name; devices without an address are last. */
static void test_sort(void **state)
{
	static struct range ranges[] = {{GIB, 2 * GIB}, {3 * GIB, 4 * GIB}};
	static const char *const names[] = {"b", "a", "c", "d"};
	struct device_status devices[ARRAY_SIZE(names)] = {0};
	struct status status = {.devices = devices, .n_devices = ARRAY_SIZE(names)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		snprintf(devices[i].device.name, SYSFS_NAME, "%s", names[i]);
	for (size_t i = 0; i < 2; i++) {
		devices[i + 2].device.ranges = &ranges[1 - i];
		devices[i + 2].device.n_ranges = 1;
	}
	status_sort(&status);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(
			devices[i].device.name, ((const char *[]){"d", "c", "a", "b"})[i]);
}

static void assert_next(const struct status *status, const char *expected)
{
	char buf[STATUS_TEXT];
	struct strbuf text = strbuf_in(buf, sizeof(buf));

	assert_int_equal(status_append_next(&text, status), expected != NULL);
	if (expected && !strstr(buf, expected))
		fail_msg("\"%s\" is not in: %s", expected, buf);
}

/* Each condition has precedence over those before it. */
static void test_next(void **state)
{
	const struct rejections none = {0};
	const struct tdx tdx = {.state = TDX_ACTIVE};
	struct history_entry entry = entry_of(
		VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP, RESULT_DONE, DAX_DRIVER_DEVICE_DAX);
	struct device_status device = {.device = card(DAX_DRIVER_DEVICE_DAX), .entry = &entry};
	struct status status = {
		.pid = 1, .tdx = &tdx, .rejected = &none, .devices = &device, .n_devices = 1};

	(void)state;
	assert_next(&status, NULL);
	/* The counter alone is not a reason: its devices may have been removed. */
	status.disagreements = 1;
	assert_next(&status, NULL);
	device.entry = NULL;
	assert_next(&status, "'tdx-onlinectl plan'");
	device.entry = &entry;
	device.changed = true;
	assert_next(&status, "the device that was changed");
	device.disagrees = true;
	assert_next(&status, "'tdx-onlinectl explain dax0.0' prints the decision about the device "
			     "for which the kernel");
	status.guard[GUARD_AUTO_ONLINE] =
		(struct switch_status){.use = SWITCH_GIVEN_UP, .now = "offline"};
	assert_next(&status, "for which the kernel did not answer");
	strcpy(status.guard[GUARD_AUTO_ONLINE].now, "online");
	assert_next(&status, "'tdx-onlinectl doctor'");
	status.guard[GUARD_AUTO_ONLINE].use = SWITCH_HELD;
	device.stranded = 1;
	assert_next(&status, "'tdx-onlinectl doctor'");
	entry.result = RESULT_PARTIAL;
	assert_next(&status, "'tdx-onlinectl explain dax0.0' prints what failed");
	status.outdated = true;
	assert_next(&status, "'systemctl reload tdx-onlined.service'");
	status.mistake_now = "a";
	assert_next(&status, "'tdx-onlinectl config check'");
	status.pid = 0;
	assert_next(&status, "'systemctl start tdx-onlined.service'");
	status.captured = true;
	assert_next(&status, "'tdx-onlinectl config check'");
}

/* Stranded memory that doctor does not report does not hide other advice. */
static void test_next_of_stranded(void **state)
{
	const struct rejections none = {0};
	struct tdx tdx = {.state = TDX_ABSENT};
	struct history_entry entry =
		entry_of(VERDICT_OFFLINE, REASON_RULE, RESULT_NOTHING, DAX_DRIVER_KMEM);
	struct device_status device = {
		.device = card(DAX_DRIVER_KMEM), .entry = &entry, .stranded = BLOCK};
	struct status status = {
		.pid = 1, .tdx = &tdx, .rejected = &none, .devices = &device, .n_devices = 1};

	(void)state;
	assert_next(&status, NULL);
	device.missing = 1;
	assert_next(&status, "'tdx-onlinectl doctor'");
	device.device.type = TYPE_PMEM;
	assert_next(&status, NULL);
	device.device.type = TYPE_CXL;
	device.missing = 0;
	tdx.state = TDX_ARMED;
	assert_next(&status, "'tdx-onlinectl doctor'");
	entry.verdict = VERDICT_ONLINE;
	assert_next(&status, NULL);
	device.entry = NULL;
	assert_next(&status, "'tdx-onlinectl plan'");
	device.expected = ANSWER_REFUSES;
	assert_next(&status, "'tdx-onlinectl doctor'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stranded),
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_disagrees),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_next_of_stranded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
