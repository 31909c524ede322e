/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon logs to the journal, and foreign text has control characters: names, attributes and
 * lines of the kernel log must be printable in each field and in the state file.
 */
#include "mock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../hostile.h"

#define PRINTED "\\x1b[2J\\x9b\\xc2\\x9b\\xe2\\x80\\xae\\xc0\\x8a\\xe2\\x82\\x7f"
#define IN_JSON                                                                                    \
	"\\\\x1b[2J\\\\x9b\\\\xc2\\\\x9b\\\\xe2\\\\x80\\\\xae\\\\xc0\\\\x8a\\\\xe2\\\\x82\\\\x7f"

#define REGION5 "/sys/devices/platform/ACPI0017:00/root0/decoder0.5/region5"

static void add_region5(const struct mock *mock)
{
	mock_add_device(mock, REGION5, "../../../../../../bus/cxl");
	mock_put(mock, REGION5 "/resource", "0x100000000\n");
	mock_put(mock, REGION5 "/size", "0x8000000\n");
	mock_put(mock, REGION5 "/mode", HOSTILE "\n");
	mock_link(mock, "/sys/bus/cxl/devices/region5",
		"../../../devices/platform/ACPI0017:00/root0/decoder0.5/region5");
}

static void expect_printable(const struct mock *mock, const char *path)
{
	static char text[1 << 20];

	mock_read(mock, path, text, sizeof(text));
	for (const char *c = text; *c; c++)
		if (*c != '\n' && (*c < ' ' || *c > '~'))
			fail_msg("%s has the byte 0x%02x: %.40s", path, (unsigned char)*c, c);
}

/* Stop first, so that the journal and the state file are complete. */
static void end(struct mock *mock)
{
	mock_stop(mock);
	expect_printable(mock, JOURNAL);
	expect_printable(mock, STATE);
}

static void test_attribute(void **state)
{
	struct mock *mock = *state;

	add_region5(mock);
	mock_place_blocks(mock, 4 * GIB / BLOCK, 1, "offline");
	mock->journal = true;
	mock_start(mock);
	mock_await_text(mock, JOURNAL, "TDXO_REGION_MODE=" PRINTED "\n");
	end(mock);
}

static void test_name(void **state)
{
	struct mock *mock = *state;

	mock_add_dax(mock, "dax0.0" HOSTILE, 4 * GIB, GIB, 1);
	mock_make_active(mock);
	mock->journal = true;
	mock_start(mock);
	mock_await_text(mock, JOURNAL, "TDXO_CHARDEV=dax0.0" PRINTED "\n");
	mock_await_text(mock, JOURNAL,
		"MESSAGE=1 GiB of CXL memory (dax0.0" PRINTED
		", [mem 0x100000000-0x13fffffff], region0, ");
	mock_await_text(mock, STATE, "\"chardev\":\"dax0.0" IN_JSON "\"");
	end(mock);
}

/* Another program sets a switch to a value that the kernel does not have. */
static void test_guard(void **state)
{
	struct mock *mock = *state;

	mock_make_active(mock);
	mock->journal = true;
	mock_start(mock);
	mock_put(mock, AUTO_ONLINE, "online" HOSTILE "\n");
	mock_add_blocks(mock, 4 * GIB / BLOCK, 1, "offline");
	mock_await_text(mock, JOURNAL, "TDXO_GUARD_VALUE=online" PRINTED "\n");
	mock_await_text(mock, JOURNAL, "auto_online_blocks to online" PRINTED ": memory may");
	end(mock);
}

static void test_kernel_log(void **state)
{
	struct mock *mock = *state;

	mock_set_tdx_flag(mock);
	mock_put(mock, "/dev/kmsg",
		"3,1,1,-;virt/tdx: module initialization failed (-12" HOSTILE ")\n");
	mock->journal = true;
	mock_start(mock);
	mock_await_text(mock, JOURNAL,
		"TDXO_KERNEL_LOG=virt/tdx: module initialization failed (-12" PRINTED ")\n");
	mock_await_text(mock, STATE, "initialization failed (-12" IN_JSON ")\"");
	end(mock);
}

/* The name of an invalid file, in the message about it and in the record of the configuration. */
static void test_configuration(void **state)
{
	struct mock *mock = *state;

	mock_put(mock, RULES "/10-" HOSTILE, "");
	mock_put(mock, RULES "/10-a.rule", "[Match]\n# \xc2\x9b\nType=" HOSTILE "\n");
	mock->journal = true;
	mock_start(mock);
	mock_await_text(mock, JOURNAL, "MESSAGE=" RULES "/10-" PRINTED ": not read");
	mock_await_text(mock, JOURNAL, "TDXO_MISTAKE=" RULES "/10-a.rule:3: ");
	end(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_attribute),
		TEST(test_name),
		TEST(test_guard),
		TEST(test_kernel_log),
		TEST(test_configuration),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
