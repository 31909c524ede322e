/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sources of the TDX state: texts of real kernels, similar texts, and incomplete ones.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "tdxo/tdx/state.h"

#define STATES(lines) "  0: offline\n  1: threads:prepare\n" lines "238: online\n"
#define CORE_LINE     "201: virt/tdx:online\n"
#define KVM_LINE      "202: kvm/cpu/tdx:online\n"

#define HEAD "processor\t: 0\nvendor_id\t: GenuineIntel\n"
#define TAIL "vmx flags\t: vnmi\nbugs\t\t: tdx_pw_mce\n\n"

static void test_cpuinfo(void **state)
{
	static const struct {
		const char *text;
		enum fact fact;
	} rows[] = {
		{HEAD "flags\t\t: fpu tdx_host_platform amx\n" TAIL, FACT_YES},
		{HEAD "flags\t\t: tdx_host_platform fpu\n" TAIL, FACT_YES},
		{HEAD "flags\t\t: fpu tdx_host_platform\n" TAIL, FACT_YES},
		{HEAD "flags\t\t: fpu tdx_host_platform", FACT_UNREADABLE},
		{HEAD "flags\t\t: fpu tdx_host_platform2 tdx_host_platform\n" TAIL, FACT_YES},
		{HEAD "flags\t\t: fpu xtdx_host_platform tdx_host_platform\n" TAIL, FACT_YES},
		{HEAD "flags\t\t: fpu vme\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_guest\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_host_platform2\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_host_platform2", FACT_UNREADABLE},
		{HEAD "flags\t\t: fpu xtdx_host_platform\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_host_platform_tdx_host_platform\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_host_platfor", FACT_UNREADABLE},
		{HEAD "flags\t\t: fp", FACT_UNREADABLE},
		{HEAD "flags\t\t:\n" TAIL, FACT_UNREADABLE},
		{HEAD "flags\t\t: \001\377\n" TAIL, FACT_UNREADABLE},
		{HEAD "flags\t\t: fpu vme \001\377\n" TAIL, FACT_UNREADABLE},
		{HEAD "flags\t\t: fpu TDX_host_platform\n" TAIL, FACT_UNREADABLE},
		{HEAD "flags\t\t: tdx_host_platform\n" TAIL, FACT_UNREADABLE},
		{HEAD "flags\t\t: fpu\nbugs\t\t: tdx_host_platform\n\n", FACT_NO},
		{HEAD "flags\t\t: fpu\nvmx flags\t: tdx_host_platform\n\n", FACT_NO},
		{HEAD "model name\t: tdx_host_platform\nflags\t\t: fpu\n", FACT_NO},
		{HEAD "vmx flags\t: tdx_host_platform\n", FACT_UNREADABLE},
		{HEAD "flagship\t: tdx_host_platform\n", FACT_UNREADABLE},
		{HEAD, FACT_UNREADABLE},
		{"Features\t: fp asimd\n", FACT_UNREADABLE},
		{"tdx_host_platform", FACT_UNREADABLE},
		{"\n", FACT_UNREADABLE},
		{"", FACT_UNREADABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (tdx_read_cpuinfo(rows[i].text) != rows[i].fact)
			fail_msg("row %zu: %s", i, rows[i].text);
}

static void test_kvm_parameter(void **state)
{
	static const struct {
		const char *text;
		enum fact fact;
	} rows[] = {
		{"Y\n", FACT_YES},
		{"Y", FACT_YES},
		{"N\n", FACT_NO},
		{"N", FACT_NO},
		{"", FACT_UNREADABLE},
		{"\n", FACT_UNREADABLE},
		{"1\n", FACT_UNREADABLE},
		{"(null)\n", FACT_UNREADABLE},
		{" Y\n", FACT_UNREADABLE},
		{"None\n", FACT_UNREADABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(tdx_read_kvm_parameter(rows[i].text), rows[i].fact);
}

static void test_misc_capacity(void **state)
{
	static const struct {
		const char *text;
		enum fact fact;
	} rows[] = {
		{"tdx 63\n", FACT_YES},
		{"tdx 63", FACT_YES},
		{"tdx max\n", FACT_YES},
		{"sev 509\nsev_es 99\ntdx 31\n", FACT_YES},
		{"sev max\ntdx 1\n", FACT_YES},
		{"tdx 10\n", FACT_YES},
		{"tdx 0\n", FACT_NO},
		{"tdx 0", FACT_NO},
		{"sev 509\ntdx 0\n", FACT_NO},
		{"sev 509\nsev_es max\n", FACT_NO},
		{"tdx2 63\nxtdx 63\n", FACT_NO},
		{"", FACT_NO},
		{"tdx", FACT_UNREADABLE},
		{"tdx\n", FACT_UNREADABLE},
		{"tdx \n", FACT_UNREADABLE},
		{"tdx\n63\n", FACT_UNREADABLE},
		{"tdx ten\n", FACT_UNREADABLE},
		{"tdx xam\n", FACT_UNREADABLE},
		{"tdx 0garbage\n", FACT_UNREADABLE},
		{"tdx 0 1\n", FACT_UNREADABLE},
		{"tdx -1\n", FACT_UNREADABLE},
		{"63\n", FACT_UNREADABLE},
		{"\n", FACT_UNREADABLE},
		{"\377\376\n", FACT_UNREADABLE},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			FACT_UNREADABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (tdx_read_misc_capacity(rows[i].text) != rows[i].fact)
			fail_msg("row %zu: %s", i, rows[i].text);
}

static void test_states(void **state)
{
	static const struct {
		const char *text;
		enum fact core, kvm;
	} rows[] = {
		{STATES(CORE_LINE), FACT_YES, FACT_NO},
		{STATES(KVM_LINE), FACT_NO, FACT_YES},
		{STATES(CORE_LINE KVM_LINE), FACT_YES, FACT_YES},
		{STATES(""), FACT_NO, FACT_NO},
		{STATES("201: virt/tdx:online2\n"), FACT_NO, FACT_NO},
		{STATES("201: xvirt/tdx:online\n"), FACT_NO, FACT_NO},
		{STATES("201: virt/tdx:online \n"), FACT_NO, FACT_NO},
		{STATES("201: x virt/tdx:online\n"), FACT_NO, FACT_NO},
		/* incomplete, or another file: no line is used */
		{"", FACT_UNREADABLE, FACT_UNREADABLE},
		{"\n", FACT_UNREADABLE, FACT_UNREADABLE},
		{"  0: offline\n", FACT_UNREADABLE, FACT_UNREADABLE},
		{"  0: offline\n" CORE_LINE, FACT_UNREADABLE, FACT_UNREADABLE},
		{"  0: offline\n201: virt/tdx:onl", FACT_UNREADABLE, FACT_UNREADABLE},
		{"  0: offline\n238: online", FACT_UNREADABLE, FACT_UNREADABLE},
		{CORE_LINE "238: online\n", FACT_UNREADABLE, FACT_UNREADABLE},
		{STATES(CORE_LINE "\n"), FACT_UNREADABLE, FACT_UNREADABLE},
		{STATES(CORE_LINE "virt/tdx:online\n"), FACT_UNREADABLE, FACT_UNREADABLE},
		{STATES(CORE_LINE "202 virt/tdx:online\n"), FACT_UNREADABLE, FACT_UNREADABLE},
		{STATES(CORE_LINE "\377\376\n"), FACT_UNREADABLE, FACT_UNREADABLE},
		{"virt/tdx:online", FACT_UNREADABLE, FACT_UNREADABLE},
		/*
		 * the kernel lists states in ascending order; a file in another order is not used
		 */
		{STATES("300: perf:online\n"), FACT_UNREADABLE, FACT_UNREADABLE},
		{STATES(CORE_LINE "200: perf:online\n"), FACT_UNREADABLE, FACT_UNREADABLE},
		{STATES("7: \001\n"), FACT_UNREADABLE, FACT_UNREADABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_facts facts = {0};

		tdx_read_states(rows[i].text, &facts);
		if (facts.facts[TDX_SOURCE_CORE_STATE] != rows[i].core ||
			facts.facts[TDX_SOURCE_KVM_STATE] != rows[i].kvm)
			fail_msg("row %zu: %s", i, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpuinfo),
		cmocka_unit_test(test_kvm_parameter),
		cmocka_unit_test(test_misc_capacity),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
