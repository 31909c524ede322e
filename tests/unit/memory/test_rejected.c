/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that the kernel rejected: logs of real kernels, and the rejections that are read from
 * them.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "tdxo/memory/rejected.h"
#include "tests/unit/remedy.h"

#define UNALIGNED_LINE                                                                             \
	"Block size [0x8000000] unaligned hotplug range: start 0x100000000, size 0xc000000"
#define DEVICE_LINE "acpi PNP0C80:00: add_memory failed"
#define ENABLE_LINE "acpi PNP0C80:00: acpi_memory_enable_device() error"
#define METADATA_LINE                                                                              \
	"kworker/u4:1: vmemmap alloc failure: order:9, "                                           \
	"mode:0x4dc0(GFP_KERNEL|__GFP_RETRY_MAYFAIL|__GFP_ZERO), nodemask=(null)"
#define FAR_LINE                                                                                   \
	"Hotplug memory [0x400000000000-0x400010000000] exceeds maximum addressable range "        \
	"[0x0-0x3fffffffffff]"

/* Read a log of lines that are separated by newlines. */
static void read_log(struct rejections *rejections, const char *log)
{
	struct rejection_reader reader = {.rejections = rejections};

	while (*log) {
		rejection_read(&reader, log);
		log += strcspn(log, "\n");
		log += *log == '\n';
	}
	assert_int_equal(reader.error, 0);
}

static void test_logs(void **state)
{
	static const struct {
		const char *log;
		struct rejection is; /* .line is empty: nothing is rejected */
	} rows[] = {
		{UNALIGNED_LINE "\n" DEVICE_LINE "\n" ENABLE_LINE,
			{{4 * GIB, 4 * GIB + 192 * MIB}, REJECTION_UNALIGNED, "PNP0C80:00",
				UNALIGNED_LINE, false}},
		/* A DIMM of two ranges: the kernel added one and rejected the other. */
		{UNALIGNED_LINE, {{4 * GIB, 4 * GIB + 192 * MIB}, REJECTION_UNALIGNED, "",
					 UNALIGNED_LINE, false}},
		{FAR_LINE "\n" DEVICE_LINE,
			{{UINT64_C(1) << 46, (UINT64_C(1) << 46) + 256 * MIB},
				REJECTION_UNADDRESSABLE, "PNP0C80:00", FAR_LINE, false}},
		{METADATA_LINE "\nCPU: 0 UID: 0 PID: 61 Comm: kworker/u4:1\n" DEVICE_LINE,
			{{0}, REJECTION_NO_METADATA, "PNP0C80:00", DEVICE_LINE, false}},
		{DEVICE_LINE, {{0}, REJECTION_NOT_LOGGED, "PNP0C80:00", DEVICE_LINE, false}},
		/* Page metadata was missing for a dax device, not for the ACPI device. */
		{METADATA_LINE "\nkmem dax0.0: mapping0: 0x1-0x2 memory add failed\n" DEVICE_LINE,
			{{0}, REJECTION_NOT_LOGGED, "PNP0C80:00", DEVICE_LINE, false}},
		{"", {.line = ""}},
		{"acpi PNP0C80:00: device is empty", {.line = ""}},
		{ENABLE_LINE, {.line = ""}},
		{METADATA_LINE, {.line = ""}},
		{"acpi : add_memory failed", {.line = ""}},
		{"acpi ../../x: add_memory failed", {.line = ""}},
		{"acpi PNP0C80:00: add_memory failed, or not", {.line = ""}},
		{"tmpfs: Unknown parameter '" DEVICE_LINE "'", {.line = ""}},
		{UNALIGNED_LINE " more", {.line = ""}},
		{"Block size [0x8000000] unaligned hotplug range: start 0x100000000, size 0",
			{.line = ""}},
		{"Block size [0x8000000] unaligned hotplug range: start 0xffffffffffffffff, "
		 "size 0x1000",
			{.line = ""}},
		{"Hotplug memory [0x2-0x1] exceeds maximum addressable range [0x0-0x1]",
			{.line = ""}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(rejections_done) struct rejections rejections = {0};
		const struct rejection *is = &rows[i].is, *found;

		read_log(&rejections, rows[i].log);
		assert_int_equal(rejections.n, is->line[0] != '\0');
		if (!rejections.n)
			continue;
		found = &rejections.items[0];
		assert_true(range_equal(found->range, is->range));
		assert_int_equal(found->cause, is->cause);
		assert_string_equal(found->device, is->device);
		assert_string_equal(found->line, is->line);
	}
}

/* The kernel logs the same again when another DIMM is added, and the log may be read twice. */
static void test_once(void **state)
{
	CLEANUP(rejections_done) struct rejections rejections = {0};
	static const char log[] = UNALIGNED_LINE
		"\n" DEVICE_LINE "\n" UNALIGNED_LINE "\n" DEVICE_LINE "\n"
		"Block size [0x8000000] unaligned hotplug range: start 0x10c000000, size "
		"0x8000000\n"
		"acpi PNP0C80:01: add_memory failed\nacpi PNP0C80:02: add_memory failed\n"
		"acpi PNP0C80:03: add_memory failed\nacpi PNP0C80:02: add_memory failed";

	(void)state;
	read_log(&rejections, log);
	rejections.items[0].recorded = true;
	read_log(&rejections, log);
	assert_int_equal(rejections.n, 4);
	assert_true(rejections.items[0].recorded);
	assert_string_equal(rejections.items[1].device, "PNP0C80:01");
	assert_string_equal(rejections.items[2].device, "PNP0C80:02");
	rejections_remove(&rejections, 1);
	assert_int_equal(rejections.n, 3);
	assert_string_equal(rejections.items[1].device, "PNP0C80:02");
	assert_string_equal(rejections.items[2].device, "PNP0C80:03");
}

static void test_is_about(void **state)
{
	(void)state;
	assert_true(rejection_is_about(UNALIGNED_LINE "\n"));
	assert_true(rejection_is_about(FAR_LINE));
	assert_true(rejection_is_about(DEVICE_LINE));
	assert_true(rejection_is_about(METADATA_LINE));
	assert_false(rejection_is_about(ENABLE_LINE));
	assert_false(rejection_is_about("a task with a long name" METADATA_LINE));
	assert_false(rejection_is_about("usb 1-1: new device"));
}

static void test_texts(void **state)
{
	static const struct rejection whole = {
		{4 * GIB, 4 * GIB + 192 * MIB}, REJECTION_UNALIGNED, "PNP0C80:00", "", false};
	static const struct rejection little = {
		.cause = REJECTION_NOT_LOGGED, .device = "PNP0C80:01"};
	char buf[REJECTION_TEXT];
	struct strbuf text = strbuf_in(buf, sizeof(buf));

	(void)state;
	rejection_append(&text, &whole);
	assert_string_equal(buf,
		"192 MiB of memory ([mem 0x100000000-0x10bffffff], PNP0C80:00) was rejected by the "
		"kernel and cannot be used: its start or size is not a multiple of the memory "
		"block size");
	text = strbuf_in(buf, sizeof(buf));
	rejection_append(&text, &little);
	assert_string_equal(buf,
		"Memory of unknown size (PNP0C80:01) was rejected by the kernel and cannot be "
		"used: the kernel did not log why");
	for (enum rejection_cause cause = 0; cause < REJECTION_MAX; cause++)
		assert_remedy(rejection_remedy(cause));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_is_about),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
