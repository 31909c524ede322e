/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The TDX state.
 *
 * Every combination of what the sources can show, on each kind of release, is compared with a
 * second implementation of the rules (tdx_oracle.h). The log and the states file are given as
 * texts, so that their readers are tested, too.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tdxo/tdx/state.h"
#include "tests/unit/tdx_oracle.h"

#define STATES(lines) "  0: offline\n  1: threads:prepare\n" lines "238: online\n"
#define CORE_LINE     "201: virt/tdx:online\n"
#define KVM_LINE      "202: kvm/cpu/tdx:online\n"

static void set_states(enum oracle_states states, struct tdx_facts *facts)
{
	static const char *const texts[] = {
		[O_STATES_UNREADABLE] = "  0: off",
		[O_STATES_NEITHER] = STATES("200: kvm/cpu:online\n"),
		[O_STATES_CORE] = STATES(CORE_LINE),
		[O_STATES_KVM] = STATES(KVM_LINE),
		[O_STATES_BOTH] = STATES(CORE_LINE KVM_LINE),
	};

	if (texts[states]) {
		tdx_read_states(texts[states], facts);
		return;
	}
	facts->facts[TDX_SOURCE_CORE_STATE] = FACT_ABSENT;
	facts->facts[TDX_SOURCE_KVM_STATE] = FACT_ABSENT;
}

static const char *const log_lines[] = {
	[O_LOG_UNREADABLE] = NULL,
	[O_LOG_SILENT] = "virt/tdx: BIOS enabled: private KeyID range [32, 64)",
	[O_LOG_INITIALISED] = "virt/tdx: module initialized",
	[O_LOG_HIBERNATION] = "virt/tdx: initialization failed: Hibernation support is enabled",
	[O_LOG_FEW_KEYS] = "virt/tdx: initialization failed: too few private KeyIDs available.",
	[O_LOG_NOTIFIER] =
		"virt/tdx: initialization failed: register_memory_notifier() failed (-12)",
	[O_LOG_NO_MODULE] = "virt/tdx: module not loaded",
	[O_LOG_OLD_MODULE] =
		"virt/tdx: frame pointer (RBP) clobber bug present, upgrade TDX module",
	[O_LOG_FEATURE] = "virt/tdx: XSAVE is required for TDX",
	[O_LOG_INIT_FAILED] = "virt/tdx: TDX-Module initialization failed (-5)",
	[O_LOG_SYS_INIT_SEAMCALL] =
		"virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000",
	[O_LOG_OTHER_SEAMCALL] =
		"virt/tdx: SEAMCALL (0x0000000000000023) failed: 0x8000020000000000",
	[O_LOG_KVM_REFUSES] = "kvm_intel: Self-snoop is required for TDX",
};

static void set_log(enum oracle_log line, struct tdx_facts *facts)
{
	struct tdx_log log = {0};

	if (log_lines[line])
		tdx_log_read(&log, log_lines[line]);
	tdx_read_log(&log, facts);
	if (!log_lines[line])
		facts->facts[TDX_SOURCE_KERNEL_LOG] = FACT_UNREADABLE;
}

static struct tdx_facts facts_of(const struct oracle_input *input)
{
	/* in the order of the oracle's enums */
	static const enum fact flag[] = {FACT_UNREADABLE, FACT_NO, FACT_YES};
	static const enum fact host[] = {FACT_ABSENT, FACT_YES};
	static const enum fact file[] = {FACT_UNREADABLE, FACT_ABSENT, FACT_NO, FACT_YES};
	struct tdx_facts facts = {.release = kernel_release_parse(input->release),
		.facts = {
			[TDX_SOURCE_CPUINFO] = flag[input->flag],
			[TDX_SOURCE_TDX_HOST] = host[input->host],
			[TDX_SOURCE_KVM_INTEL] = file[input->param],
			[TDX_SOURCE_CGROUP] = file[input->capacity],
			[TDX_SOURCE_EARLIER] = host[input->earlier],
		}};

	set_states(input->states, &facts);
	set_log(input->log, &facts);
	return facts;
}

/* The combination with this number: each source is a digit of a mixed radix. */
static struct oracle_input input_number(const char *release, unsigned int number)
{
	struct oracle_input input = {.release = release};

	input.flag = number % (O_FLAG_YES + 1);
	number /= O_FLAG_YES + 1;
	input.states = number % (O_STATES_BOTH + 1);
	number /= O_STATES_BOTH + 1;
	input.host = number % (O_HOST_YES + 1);
	number /= O_HOST_YES + 1;
	input.param = number % (O_PARAM_Y + 1);
	number /= O_PARAM_Y + 1;
	input.capacity = number % (O_CAPACITY_TDX + 1);
	number /= O_CAPACITY_TDX + 1;
	input.earlier = number % (O_EARLIER_ACTIVE + 1);
	number /= O_EARLIER_ACTIVE + 1;
	input.log = number;
	return input;
}

#define COMBINATIONS (3 * 6 * 2 * 4 * 4 * 2 * 13)

static const char *const releases[] = {"5.14.0-570.el9.x86_64", "6.8.0-1020-intel",
	"6.12.95+deb12-amd64\n", "6.15.0", "6.16.3-1-default", "7.0.13+deb13-amd64", "7.1.0-rc1",
	"7.1.13", "7.3.4+deb13-amd64\n", "7.10", "8.0.0", "10.2.1", "", "7", "7.", "7.x", ".7.1",
	"7.1foo", " 7.1", "-7.1", "+7.3", "0x7.1", "linux-7.3"};

static void assert_decided(const struct oracle_input *input)
{
	static const enum tdx_state states[] = {
		[O_ABSENT] = TDX_ABSENT,
		[O_ARMED] = TDX_ARMED,
		[O_ACTIVE] = TDX_ACTIVE,
		[O_UNKNOWN] = TDX_UNKNOWN,
	};
	static const enum tdx_cause causes[] = {
		[O_CAUSE_NONE] = TDX_CAUSE_NONE,
		[O_CAUSE_NOT_ENABLED] = TDX_CAUSE_NOT_ENABLED,
		[O_CAUSE_HIBERNATION] = TDX_CAUSE_HIBERNATION,
		[O_CAUSE_FEW_KEYS] = TDX_CAUSE_FEW_KEYS,
		[O_CAUSE_NO_MODULE] = TDX_CAUSE_NO_MODULE,
		[O_CAUSE_OLD_MODULE] = TDX_CAUSE_OLD_MODULE,
		[O_CAUSE_FEATURE] = TDX_CAUSE_FEATURE,
		[O_CAUSE_FAILED] = TDX_CAUSE_FAILED,
		[O_CAUSE_NOT_STARTED] = TDX_CAUSE_NOT_STARTED,
		[O_CAUSE_UNREADABLE] = TDX_CAUSE_UNREADABLE,
		[O_CAUSE_CONFLICT] = TDX_CAUSE_CONFLICT,
	};
	struct tdx_facts facts = facts_of(input);
	struct tdx tdx = tdx_decide(&facts, TDX_MODE_AUTO);
	enum oracle_cause cause;
	enum oracle_state state = oracle_decide(input, &cause);

	if (tdx.detected != states[state] || tdx.cause != causes[cause])
		fail_msg("%s: flag %d, states %d, host %d, kvm %d, cgroup %d, earlier %d, log %d:"
			 " %s (%s), want %s (%s)",
			input->release, input->flag, input->states, input->host, input->param,
			input->capacity, input->earlier, input->log,
			tdx_state_to_string(tdx.detected), tdx_cause_to_string(tdx.cause),
			tdx_state_to_string(states[state]), tdx_cause_to_string(causes[cause]));
	assert_int_equal(tdx.state, tdx.detected);
	assert_memory_equal(&tdx.evidence, &facts, sizeof(facts));
	assert_false(tdx_overridden(&tdx));
	assert_int_equal(tdx_refuses(&tdx), tdx.state != TDX_ABSENT);
}

static void test_every_combination(void **state)
{
	(void)state;
	assert_int_equal(TDX_SOURCE_MAX, 8);
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		for (unsigned int number = 0; number < COMBINATIONS; number++) {
			struct oracle_input input = input_number(releases[i], number);

			assert_decided(&input);
		}
	}
}

/* The log does not make TDX absent if another source shows it active. */
static void test_log_against_active(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		for (unsigned int number = 0; number < COMBINATIONS; number++) {
			struct oracle_input input = input_number(releases[i], number);
			struct tdx_facts facts = facts_of(&input);
			bool seen = facts.facts[TDX_SOURCE_EARLIER] == FACT_YES ||
				    facts.facts[TDX_SOURCE_CORE_STATE] == FACT_YES ||
				    facts.facts[TDX_SOURCE_KVM_STATE] == FACT_YES ||
				    facts.facts[TDX_SOURCE_TDX_HOST] == FACT_YES ||
				    facts.facts[TDX_SOURCE_KVM_INTEL] == FACT_YES ||
				    facts.facts[TDX_SOURCE_CGROUP] == FACT_YES;

			if (seen && tdx_decide(&facts, TDX_MODE_AUTO).state == TDX_ABSENT)
				fail_msg("%s: combination %u", releases[i], number);
		}
	}
}

static void test_modes(void **state)
{
	(void)state;
	for (unsigned int number = 0; number < COMBINATIONS; number++) {
		struct oracle_input input = input_number("7.3.4", number);
		struct tdx_facts facts = facts_of(&input);
		struct tdx found = tdx_decide(&facts, TDX_MODE_AUTO);
		struct tdx active = tdx_decide(&facts, TDX_MODE_ACTIVE);
		struct tdx absent = tdx_decide(&facts, TDX_MODE_ABSENT);

		assert_int_equal(active.state, TDX_ACTIVE);
		assert_int_equal(absent.state, TDX_ABSENT);
		assert_int_equal(active.detected, found.detected);
		assert_int_equal(absent.detected, found.detected);
		assert_int_equal(absent.cause, found.cause);
		assert_int_equal(tdx_overridden(&active), found.detected != TDX_ACTIVE);
		assert_int_equal(tdx_overridden(&absent), found.detected != TDX_ABSENT);
		assert_true(tdx_refuses(&active));
		assert_false(tdx_refuses(&absent));
	}
}

static void test_release(void **state)
{
	static const struct {
		const char *text;
		unsigned int major, minor;
	} rows[] = {
		{"6.12.95+deb12-amd64", 6, 12},
		{"7.3.4+deb13-amd64\n", 7, 3},
		{"7.1.0-rc1", 7, 1},
		{"7.1", 7, 1},
		{"10.20-foo", 10, 20},
		{"7", 0, 0},
		{"7.", 0, 0},
		{"7.x", 0, 0},
		{"7.1x", 0, 0},
		{"7.12345", 0, 0},
		{"12345.1", 0, 0},
		{" 7.1", 0, 0},
		{"+7.1", 0, 0},
		{"7.-1", 0, 0},
		{"v7.1", 0, 0},
		{"", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kernel_release release = kernel_release_parse(rows[i].text);

		if (release.major != rows[i].major || release.minor != rows[i].minor)
			fail_msg("%s: %u.%u", rows[i].text, release.major, release.minor);
	}
}

static void test_starts(void **state)
{
	static const struct {
		struct kernel_release release;
		bool with_kvm, at_boot;
	} rows[] = {
		{{0, 0}, false, false},
		{{5, 14}, false, false},
		{{6, 15}, false, false},
		{{6, 16}, true, false},
		{{7, 0}, true, false},
		{{7, 1}, false, true},
		{{8, 0}, false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(kernel_starts_tdx_with_kvm(rows[i].release), rows[i].with_kvm);
		assert_int_equal(kernel_starts_tdx_at_boot(rows[i].release), rows[i].at_boot);
	}
}

/* A failed update of an initialized module leaves TDX active (Linux 7.2 and later). */
static void test_failed_update(void **state)
{
	struct tdx_facts facts = {0};
	struct tdx_log log = {0};

	(void)state;
	tdx_log_read(&log, "virt/tdx: TDX-Module initialized");
	tdx_log_read(&log, "virt/tdx: module not loaded");
	tdx_read_log(&log, &facts);
	assert_int_equal(facts.facts[TDX_SOURCE_KERNEL_LOG], FACT_YES);
	assert_int_equal(facts.log_cause, TDX_CAUSE_NONE);
	assert_string_equal(facts.log_line, "");
}

static void test_text(void **state)
{
	struct oracle_input input = {.release = "6.12.1",
		.flag = O_FLAG_YES,
		.states = O_STATES_NO_FILE,
		.param = O_PARAM_N,
		.capacity = O_CAPACITY_NO_FILE,
		.log = O_LOG_NO_MODULE};
	struct tdx_facts facts = facts_of(&input);
	struct tdx tdx = tdx_decide(&facts, TDX_MODE_AUTO);
	char buf[512];
	struct strbuf text = strbuf_in(buf, sizeof(buf));

	(void)state;
	tdx_append(&text, &tdx);
	assert_string_equal(buf, "absent (no-module)");
	assert_string_equal(tdx.evidence.log_line, "virt/tdx: module not loaded");
	text = strbuf_in(buf, sizeof(buf));
	tdx_append_sources(&text, &tdx);
	assert_string_equal(buf, "/proc/cpuinfo: tdx_host_platform; "
				 "/sys/module/kvm_intel/parameters/tdx: N; "
				 "kernel log: initialization failed");
	tdx.evidence.facts[TDX_SOURCE_CPUINFO] = FACT_UNREADABLE;
	tdx.evidence.facts[TDX_SOURCE_KERNEL_LOG] = FACT_UNREADABLE;
	text = strbuf_in(buf, sizeof(buf));
	tdx_append_sources(&text, &tdx);
	assert_string_equal(buf, "/sys/module/kvm_intel/parameters/tdx: N; "
				 "unreadable: /proc/cpuinfo, kernel log");
	tdx = tdx_decide(&facts, TDX_MODE_ACTIVE);
	text = strbuf_in(buf, sizeof(buf));
	tdx_append(&text, &tdx);
	assert_string_equal(buf, "active as configured, absent (no-module) as found");
}

static void test_meaning(void **state)
{
	static const char *const begin[] = {[TDX_ABSENT] = "This host does not use TDX, ",
		[TDX_ARMED] = "Firmware enabled TDX, ",
		[TDX_ACTIVE] = "TDX is active: ",
		[TDX_UNKNOWN] = "It is not known whether "};

	(void)state;
	for (enum tdx_state s = 0; s < TDX_STATE_MAX; s++) {
		const struct tdx found = {.state = s, .detected = s};
		const struct tdx set = {.state = s, .detected = (s + 1) % TDX_STATE_MAX};
		char buf[512];
		struct strbuf text = strbuf_in(buf, sizeof(buf));

		tdx_append_meaning(&text, &found);
		assert_ptr_equal(strstr(buf, begin[s]), buf);
		text = strbuf_in(buf, sizeof(buf));
		tdx_append_meaning(&text, &set);
		assert_ptr_equal(strstr(buf, "TDX= or --tdx= sets the TDX state to "), buf);
	}
}

static void test_names(void **state)
{
	static const char *const states[] = {"absent", "armed", "active", "unknown"};
	static const char *const modes[] = {"auto", "active", "absent"};
	static const char *const bad[] = {"", "Auto", "auto ", "unknown", "armed", "absen", "0"};
	enum tdx_mode mode;

	(void)state;
	assert_int_equal(ARRAY_SIZE(states), TDX_STATE_MAX);
	assert_int_equal(ARRAY_SIZE(modes), TDX_MODE_MAX);
	for (enum tdx_state s = 0; s < TDX_STATE_MAX; s++)
		assert_string_equal(tdx_state_to_string(s), states[s]);
	for (enum tdx_mode m = 0; m < TDX_MODE_MAX; m++) {
		assert_string_equal(tdx_mode_to_string(m), modes[m]);
		assert_int_equal(tdx_mode_from_string(modes[m], &mode), 0);
		assert_int_equal(mode, m);
	}
	mode = TDX_MODE_ACTIVE;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(tdx_mode_from_string(bad[i], &mode), -EINVAL);
		assert_int_equal(mode, TDX_MODE_ACTIVE);
	}
	for (enum tdx_source s = 0; s < TDX_SOURCE_MAX; s++) {
		assert_true(strlen(tdx_source_to_string(s)) > 0);
		for (enum fact f = 0; f < FACT_MAX; f++)
			assert_true(strlen(fact_to_string(s, f)) > 0);
		assert_string_not_equal(fact_to_string(s, FACT_YES), fact_to_string(s, FACT_NO));
	}
	assert_null(tdx_cause_to_string(TDX_CAUSE_NONE));
	for (enum tdx_cause c = TDX_CAUSE_NONE + 1; c < TDX_CAUSE_MAX; c++) {
		assert_true(strlen(tdx_cause_to_string(c)) > 0);
		assert_true(strlen(tdx_cause_explain(c)) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_log_against_active),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_starts),
		cmocka_unit_test(test_failed_update),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
