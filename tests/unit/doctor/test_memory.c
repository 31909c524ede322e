/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The doctor's findings about memory that nobody can use, although TDX does not refuse it.
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
	/* TDX or not: the memory is lost. */
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	assert_findings(&host,
		{FINDING_BOOT_MEMORY_OFFLINE, SEVERITY_NOTICE, "896 MiB", "chmem -e", MEMORY},
		{FINDING_BOOT_MEMORY_OFFLINE, SEVERITY_NOTICE, "128 MiB", "chmem -e", MEMORY});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
