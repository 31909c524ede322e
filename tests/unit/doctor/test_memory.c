/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The findings of the doctor about memory that cannot be used for a reason other than TDX.
 */
#include "tests/unit/unit.h"

#include "tests/unit/doctor_scene.h"

#define MEMORY "/sys/devices/system/memory"

static void test_boot_memory(void **state)
{
	static struct range runs[] = {{2 * GIB, 2 * GIB + 7 * BLOCK}, {4 * GIB, 4 * GIB + BLOCK}};
	static const struct range_set offline = {runs, ARRAY_SIZE(runs)}, none;

	(void)state;
	HOST(host);
	host.facts.offline_boot = &none;
	assert_healthy(&host);
	host.facts.offline_boot = &offline;
	assert_findings(&host,
		{FINDING_BOOT_MEMORY_OFFLINE, SEVERITY_NOTICE,
			"896 MiB at [mem 0x80000000-0xb7ffffff] were RAM at boot, and are offline",
			"chmem -e 0x80000000-0xb7ffffff", MEMORY},
		{FINDING_BOOT_MEMORY_OFFLINE, SEVERITY_NOTICE,
			"128 MiB at [mem 0x100000000-0x107ffffff] were RAM at boot",
			"chmem -e 0x100000000-0x107ffffff", MEMORY});
	/* the same with TDX absent */
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	assert_findings(&host,
		{FINDING_BOOT_MEMORY_OFFLINE, SEVERITY_NOTICE, "896 MiB", "chmem -e", MEMORY},
		{FINDING_BOOT_MEMORY_OFFLINE, SEVERITY_NOTICE, "128 MiB", "chmem -e", MEMORY});
}

static void test_rejected(void **state)
{
	static struct rejection items[] = {
		{{4 * GIB, 4 * GIB + 192 * MIB}, REJECTION_UNALIGNED, "PNP0C80:00", "a line", true},
		{.cause = REJECTION_NO_METADATA, .device = "PNP0C80:01", .line = "another"},
	};

	(void)state;
	HOST(host);
	host.snapshot.rejected = (struct rejections){items, ARRAY_SIZE(items)};
	assert_findings(&host,
		{FINDING_MEMORY_REJECTED, SEVERITY_PROBLEM,
			"192 MiB of memory ([mem 0x100000000-0x10bffffff], PNP0C80:00) was "
			"rejected by the kernel and cannot be used: its start or size is not a "
			"multiple of the memory block size. The kernel logged: a line",
			"multiples", "kernel log"},
		{FINDING_MEMORY_REJECTED, SEVERITY_PROBLEM,
			"Memory of unknown size (PNP0C80:01) was rejected by the kernel and cannot "
			"be used: the kernel had too little free memory for its page metadata. The "
			"kernel logged: another",
			"memmap_on_memory=1", "kernel log"});
	host.snapshot.rejected = (struct rejections){0};
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_memory),
		cmocka_unit_test(test_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
