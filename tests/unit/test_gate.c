/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gate.
 *
 * Judging: all combinations of what five witnesses can say, in every mode, against the rules
 * told as testimony: who swears that the module runs, who swears that it failed or cannot be,
 * and whether the two meet. Reading: the texts of real kernels in every wording, and texts that
 * look like them.
 */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "tdxo/gate.h"

/*
 * The rules of gate.h and of the design. A witness of the module that says yes is proof that
 * it runs; a failure in the log is proof that it does not and never will until reboot; no flag
 * is proof that there is no TDX. Proofs that exclude each other leave the question open, and so
 * does a flag that cannot be read while nothing proves a module at work.
 */
static enum gate_state testimony(const struct gate_facts *f)
{
	enum fact flag = f->facts[WITNESS_CPUINFO], log = f->facts[WITNESS_KERNEL_LOG];
	bool device = f->facts[WITNESS_TDX_HOST] == FACT_YES;
	bool kvm = f->facts[WITNESS_KVM_INTEL] == FACT_YES;
	bool cgroup = f->facts[WITNESS_CGROUP] == FACT_YES;
	bool earlier = f->facts[WITNESS_EARLIER] == FACT_YES;
	bool runs = device || kvm || cgroup || earlier || log == FACT_YES;
	bool failed = log == FACT_NO, impossible = flag == FACT_NO;

	if (runs && (failed || impossible))
		return GATE_UNKNOWN;
	if (runs)
		return GATE_ACTIVE;
	if (impossible)
		return GATE_ABSENT;
	if (flag != FACT_YES)
		return GATE_UNKNOWN;
	return failed ? GATE_ABSENT : GATE_ARMED;
}

static struct gate_facts facts_number(unsigned int number)
{
	struct gate_facts facts;

	for (enum witness w = 0; w < WITNESS_MAX; w++, number /= FACT_MAX)
		facts.facts[w] = number % FACT_MAX;
	return facts;
}

#define COMBINATIONS (4 * 4 * 4 * 4 * 4 * 4)

static void test_every_combination(void **state)
{
	(void)state;
	assert_int_equal(WITNESS_MAX, 6);
	assert_int_equal(FACT_MAX, 4);
	for (unsigned int number = 0; number < COMBINATIONS; number++) {
		struct gate_facts facts = facts_number(number);
		struct gate gate = gate_judge(&facts, GATE_MODE_AUTO);

		if (gate.detected != testimony(&facts))
			fail_msg("flag %d, tdx_host %d, kvm %d, cgroup %d, earlier %d, log %d: %s,"
				 " want %s",
				facts.facts[0], facts.facts[1], facts.facts[2], facts.facts[3],
				facts.facts[4], facts.facts[5], gate_state_to_string(gate.detected),
				gate_state_to_string(testimony(&facts)));
		assert_int_equal(gate.state, gate.detected);
		assert_int_equal(gate.mode, GATE_MODE_AUTO);
		assert_memory_equal(&gate.evidence, &facts, sizeof(facts));
		assert_false(gate_overridden(&gate));
		assert_int_equal(gate_refuses(&gate), gate.state != GATE_ABSENT);
	}
}

static void test_modes(void **state)
{
	(void)state;
	for (unsigned int number = 0; number < COMBINATIONS; number++) {
		struct gate_facts facts = facts_number(number);
		enum gate_state detected = gate_judge(&facts, GATE_MODE_AUTO).detected;
		struct gate active = gate_judge(&facts, GATE_MODE_ACTIVE);
		struct gate absent = gate_judge(&facts, GATE_MODE_ABSENT);

		assert_int_equal(active.state, GATE_ACTIVE);
		assert_int_equal(absent.state, GATE_ABSENT);
		assert_int_equal(active.detected, detected);
		assert_int_equal(absent.detected, detected);
		assert_int_equal(gate_overridden(&active), detected != GATE_ACTIVE);
		assert_int_equal(gate_overridden(&absent), detected != GATE_ABSENT);
		assert_true(gate_refuses(&active));
		assert_false(gate_refuses(&absent));
	}
}

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
		{HEAD "flags\t\t: fpu tdx_host_platform", FACT_YES},
		{HEAD "flags\t\t: tdx_host_platform2 tdx_host_platform\n" TAIL, FACT_YES},
		{HEAD "flags\t\t: xtdx_host_platform tdx_host_platform\n" TAIL, FACT_YES},
		{HEAD "flags\t\t: fpu vme\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_guest\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_host_platform2\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_host_platform2", FACT_NO},
		{HEAD "flags\t\t: fpu xtdx_host_platform\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_host_platform_tdx_host_platform\n" TAIL, FACT_NO},
		{HEAD "flags\t\t: fpu tdx_host_platfor", FACT_NO},
		{HEAD "flags\t\t:\n" TAIL, FACT_NO},
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
		if (gate_read_cpuinfo(rows[i].text) != rows[i].fact)
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
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(gate_read_kvm_parameter(rows[i].text), rows[i].fact);
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
		{"tdx -1\n", FACT_UNREADABLE},
		{"63\n", FACT_UNREADABLE},
		{"\n", FACT_UNREADABLE},
		{"\377\376\n", FACT_UNREADABLE},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			FACT_UNREADABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (gate_read_misc_capacity(rows[i].text) != rows[i].fact)
			fail_msg("row %zu: %s", i, rows[i].text);
}

/* FACT_UNREADABLE is also for what makes no sense: one value is all that a line may hold. */
static void test_nonsense(void **state)
{
	static const char *const capacities[] = {"tdx 0garbage\n", "tdx 0 1\n", "tdx xam\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(capacities); i++)
		if (gate_read_misc_capacity(capacities[i]) != FACT_UNREADABLE)
			fail_msg("misc.capacity: %s", capacities[i]);
	assert_int_equal(gate_read_kvm_parameter("None of your business\n"), FACT_UNREADABLE);
}

static void test_log_line(void **state)
{
	static const struct {
		const char *line;
		enum fact fact;
	} rows[] = {
		{"virt/tdx: module initialized", FACT_YES},
		{"virt/tdx: module initialized\n", FACT_YES},
		{"virt/tdx: TDX-Module initialized", FACT_YES},
		{"[    1.234567] virt/tdx: TDX-Module initialized\n", FACT_YES},
		{"6,700,1234567,-;virt/tdx: module initialized\n", FACT_YES},
		{"virt/tdx: module initialization failed (-5)", FACT_NO},
		{"virt/tdx: TDX-Module initialization failed (-28)\n", FACT_NO},
		{"virt/tdx: BIOS enabled: private KeyID range [64, 128)", FACT_ABSENT},
		{"virt/tdx: 4202516 KB allocated for PAMT", FACT_ABSENT},
		{"virt/tdx: module not loaded", FACT_ABSENT},
		{"virt/tdx: Module version: 1.5.06", FACT_ABSENT},
		{"virt/tdx: TDX not supported by the host platform", FACT_ABSENT},
		{"virt/tdx: SEAMCALL (0x000000000000002d) failed: 0x8000000000000000", FACT_ABSENT},
		{"virt/tdx: module ", FACT_ABSENT},
		{"virt/tdx: module init", FACT_ABSENT},
		{"virt/tdx: TDX-Module", FACT_ABSENT},
		{"virt/tdx: initialized", FACT_ABSENT},
		{"virt/tdx: the module initialized", FACT_ABSENT},
		{"virt/tdx:module initialized", FACT_ABSENT},
		{"kvm_intel: module initialized", FACT_ABSENT},
		{"module initialized", FACT_ABSENT},
		{"virt/tdx: ", FACT_ABSENT},
		{"", FACT_ABSENT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (gate_read_log_line(rows[i].line) != rows[i].fact)
			fail_msg("row %zu: %s", i, rows[i].line);
}

static void test_names(void **state)
{
	static const char *const states[] = {"absent", "armed", "active", "unknown"};
	static const char *const modes[] = {"auto", "active", "absent"};
	static const char *const bad[] = {"", "Auto", "auto ", "unknown", "armed", "absen", "0"};
	enum gate_mode mode;

	(void)state;
	assert_int_equal(ARRAY_SIZE(states), GATE_STATE_MAX);
	assert_int_equal(ARRAY_SIZE(modes), GATE_MODE_MAX);
	for (enum gate_state s = 0; s < GATE_STATE_MAX; s++)
		assert_string_equal(gate_state_to_string(s), states[s]);
	for (enum gate_mode m = 0; m < GATE_MODE_MAX; m++) {
		assert_string_equal(gate_mode_to_string(m), modes[m]);
		assert_int_equal(gate_mode_from_string(modes[m], &mode), 0);
		assert_int_equal(mode, m);
	}
	mode = GATE_MODE_ACTIVE;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(gate_mode_from_string(bad[i], &mode), -EINVAL);
		assert_int_equal(mode, GATE_MODE_ACTIVE);
	}
	for (enum witness w = 0; w < WITNESS_MAX; w++) {
		assert_true(strlen(witness_to_string(w)) > 0);
		for (enum fact f = 0; f < FACT_MAX; f++)
			assert_true(strlen(fact_to_string(w, f)) > 0);
		assert_string_not_equal(fact_to_string(w, FACT_YES), fact_to_string(w, FACT_NO));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_cpuinfo),
		cmocka_unit_test(test_kvm_parameter),
		cmocka_unit_test(test_misc_capacity),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_log_line),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
