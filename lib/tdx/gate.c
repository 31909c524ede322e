/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gate: facts about TDX to a state.
 */
#include "tdxo/tdx/gate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/string_table.h"

static const char *const states[] = {
	[GATE_ABSENT] = "absent",
	[GATE_ARMED] = "armed",
	[GATE_ACTIVE] = "active",
	[GATE_UNKNOWN] = "unknown",
};
DEFINE_TO_STRING(gate_state, enum gate_state, states, GATE_STATE_MAX)

static const char *const modes[] = {
	[GATE_MODE_AUTO] = "auto",
	[GATE_MODE_ACTIVE] = "active",
	[GATE_MODE_ABSENT] = "absent",
};
DEFINE_STRING_TABLE(gate_mode, enum gate_mode, modes, GATE_MODE_MAX)

static const struct {
	const char *name, *sentence;
} causes[] = {
	[GATE_CAUSE_NONE] = {NULL, NULL},
	[GATE_CAUSE_NOT_ENABLED] = {"not-enabled",
		"Firmware has not enabled TDX, or the processor or the kernel does not support it"},
	[GATE_CAUSE_HIBERNATION] = {"hibernation",
		"The kernel leaves TDX off because the host could hibernate"},
	[GATE_CAUSE_FEW_KEYS] = {"few-keys",
		"The kernel leaves TDX off because firmware gives it too few key ids"},
	[GATE_CAUSE_NO_MODULE] = {"no-module", "Firmware has loaded no TDX module"},
	[GATE_CAUSE_OLD_MODULE] = {"old-module", "The TDX module is too old for this kernel"},
	[GATE_CAUSE_FEATURE] = {"missing-feature",
		"The processor lacks a feature that TDX needs, or it is disabled"},
	[GATE_CAUSE_FAILED] = {"init-failed", "The initialization of TDX failed"},
	[GATE_CAUSE_NOT_STARTED] = {"not-started",
		"TDX did not start when the kernel booted, and the kernel log does not show why"},
	[GATE_CAUSE_UNREADABLE] = {"unreadable",
		"The file that would show the state of TDX cannot be read"},
	[GATE_CAUSE_CONFLICT] = {"conflict", "The sources contradict each other"},
};
static_assert(ARRAY_SIZE(causes) == GATE_CAUSE_MAX, "words for each cause");

#define CPU_STATES "/sys/devices/system/cpu/hotplug/states"

static const struct {
	const char *source;
	const char *facts[FACT_MAX];
} sources[] = {
	[GATE_SOURCE_CPUINFO] = {"/proc/cpuinfo",
		{"unreadable", "unreadable", "no tdx_host_platform", "tdx_host_platform"}},
	[GATE_SOURCE_CORE_STATE] = {CPU_STATES,
		{"unreadable", "not there", "no virt/tdx:online", "virt/tdx:online"}},
	[GATE_SOURCE_KVM_STATE] = {CPU_STATES,
		{"unreadable", "not there", "no kvm/cpu/tdx:online", "kvm/cpu/tdx:online"}},
	[GATE_SOURCE_TDX_HOST] = {"/sys/devices/faux/tdx_host",
		{"unreadable", "not there", "not there", "there"}},
	[GATE_SOURCE_KVM_INTEL] = {"/sys/module/kvm_intel/parameters/tdx",
		{"unreadable", "not there", "N", "Y"}},
	[GATE_SOURCE_CGROUP] = {"/sys/fs/cgroup/misc.capacity",
		{"unreadable", "not there", "no tdx", "tdx"}},
	[GATE_SOURCE_EARLIER] = {"earlier in this boot",
		{"unreadable", "not known", "not initialized", "initialized"}},
	[GATE_SOURCE_KERNEL_LOG] = {"kernel log",
		{"unreadable", "silent", "initialization failed", "initialized"}},
};
static_assert(ARRAY_SIZE(sources) == GATE_SOURCE_MAX, "words for each source");

static bool is_at_least(struct kernel_release release, unsigned int major, unsigned int minor)
{
	return release.major > major || (release.major == major && release.minor >= minor);
}

bool kernel_starts_tdx_at_boot(struct kernel_release release)
{
	return is_at_least(release, 7, 1);
}

bool kernel_starts_tdx_with_kvm(struct kernel_release release)
{
	return is_at_least(release, 6, 16) && !kernel_starts_tdx_at_boot(release);
}

/* Does a source other than the log show that the TDX module is up? */
static bool is_seen_active(const struct gate_facts *facts)
{
	for (enum gate_source s = GATE_SOURCE_CORE_STATE; s < GATE_SOURCE_KERNEL_LOG; s++)
		if (facts->facts[s] == FACT_YES)
			return true;
	return false;
}

static enum gate_state absent(enum gate_cause cause, enum gate_cause *ret_cause)
{
	*ret_cause = cause;
	return GATE_ABSENT;
}

static enum gate_state unknown(enum gate_cause cause, enum gate_cause *ret_cause)
{
	*ret_cause = cause;
	return GATE_UNKNOWN;
}

static enum gate_state detect(const struct gate_facts *facts, enum gate_cause *ret_cause)
{
	enum fact flag = facts->facts[GATE_SOURCE_CPUINFO];
	enum fact log = facts->facts[GATE_SOURCE_KERNEL_LOG];
	bool at_boot = kernel_starts_tdx_at_boot(facts->release);
	bool not_started = at_boot && facts->facts[GATE_SOURCE_CORE_STATE] == FACT_NO;
	bool contradiction = flag == FACT_YES && facts->log_before_flag;

	*ret_cause = GATE_CAUSE_NONE;
	if (is_seen_active(facts) || log == FACT_YES)
		return flag == FACT_NO || not_started ? unknown(GATE_CAUSE_CONFLICT, ret_cause)
						      : GATE_ACTIVE;
	if (flag == FACT_NO)
		return absent(facts->log_cause ?: GATE_CAUSE_NOT_ENABLED, ret_cause);
	if (not_started)
		return absent(facts->log_cause && !contradiction ? facts->log_cause
								 : GATE_CAUSE_NOT_STARTED,
			ret_cause);
	/* There the log proves nothing: a failed update of an active module looks the same. */
	if (at_boot)
		return unknown(GATE_CAUSE_UNREADABLE, ret_cause);
	if (contradiction)
		return unknown(GATE_CAUSE_CONFLICT, ret_cause);
	/* A failed initialization leaves the kernel's list empty for good: it refuses nothing. */
	if (log == FACT_NO)
		return absent(facts->log_cause, ret_cause);
	return flag == FACT_YES ? GATE_ARMED : unknown(GATE_CAUSE_UNREADABLE, ret_cause);
}

struct gate gate_decide(const struct gate_facts *facts, enum gate_mode mode)
{
	struct gate gate = {.mode = mode, .evidence = *facts};

	gate.detected = detect(facts, &gate.cause);
	gate.state = mode == GATE_MODE_ACTIVE	? GATE_ACTIVE
		     : mode == GATE_MODE_ABSENT ? GATE_ABSENT
						: gate.detected;
	return gate;
}

/* Is `word` in the line that begins at `line`, with blanks or the line's end around it? */
static bool line_has_word(const char *line, const char *word)
{
	size_t length = strlen(word), line_length = strcspn(line, "\n");
	const char *end = line + line_length;

	for (const char *at = line; (at = strstr(at, word)) && at < end; at += length)
		if (at > line && strchr(" \t", at[-1]) && strchr(" \t\n", at[length]))
			return true;
	return false;
}

/* "flags\t\t: fpu vme …", to its end. */
static bool is_flags_line(const char *line)
{
	size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_ \t:");

	return line[length] == '\n';
}

enum fact gate_read_cpuinfo(const char *text)
{
	const char *flags = strstr(text, "\nflags\t");

	/* A line without its end may lack flags; so may one with other bytes, or without the first. */
	if (!flags || !is_flags_line(flags + 1) || !line_has_word(flags + 1, "fpu"))
		return FACT_UNREADABLE;
	return line_has_word(flags + 1, "tdx_host_platform") ? FACT_YES : FACT_NO;
}

enum fact gate_read_kvm_parameter(const char *text)
{
	/* A sysfs file: one letter, and perhaps a newline. */
	if (strlen(text) > 2 || (text[0] && text[1] && text[1] != '\n'))
		return FACT_UNREADABLE;
	if (*text == 'Y')
		return FACT_YES;
	return *text == 'N' ? FACT_NO : FACT_UNREADABLE;
}

/* "RESOURCE CAPACITY": is it about TDX? */
static enum fact read_capacity_line(const char *line, size_t length)
{
	static const char digits[] = "0123456789";
	size_t key = strcspn(line, " \n"), value = length - key - 1;
	const char *capacity = line + key + 1;

	if (!key || key + 1 >= length)
		return FACT_UNREADABLE;
	if (strspn(capacity, digits) != value && (value != 3 || strncmp(capacity, "max", 3) != 0))
		return FACT_UNREADABLE;
	if (key != 3 || strncmp(line, "tdx", 3) != 0)
		return FACT_ABSENT;
	return strspn(capacity, "0") == value ? FACT_NO : FACT_YES;
}

enum fact gate_read_misc_capacity(const char *text)
{
	enum fact all = FACT_NO;

	/* cgroup-v2.rst, "Misc Interface Files": flat keyed, one resource per line. */
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		enum fact fact = read_capacity_line(line, length);

		if (fact == FACT_UNREADABLE)
			return fact;
		if (fact != FACT_ABSENT)
			all = fact;
		line += length + (line[length] == '\n');
	}
	return all;
}

/* The name of a line "NUMBER: NAME", and where the next one begins; NULL: it is no such line. */
static const char *next_state(const char **text, size_t *ret_length)
{
	const char *at = *text, *end = strchr(at, '\n'), *name;

	at += strspn(at, " ");
	name = at + strspn(at, "0123456789");
	if (!end || name == at || strncmp(name, ": ", 2) != 0)
		return NULL;
	name += 2;
	*ret_length = (size_t)(end - name);
	*text = end + 1;
	for (at = name; at < end; at++)
		if (*at < ' ' || *at > '~')
			return NULL;
	return name;
}

static bool is_named(const char *name, size_t length, const char *wanted)
{
	return strlen(wanted) == length && strncmp(name, wanted, length) == 0;
}

/* False: the text is not whole, or something else. */
static bool find_states(const char *text, bool *ret_core, bool *ret_kvm)
{
	unsigned long number, before = 0;
	bool last = false;
	const char *name;
	size_t length;

	*ret_core = *ret_kvm = false;
	for (bool first = true; *text; first = false, before = number) {
		number = strtoul(text, NULL, 10);
		name = next_state(&text, &length);
		if (!name || (first ? !is_named(name, length, "offline") : number <= before))
			return false;
		*ret_core |= is_named(name, length, "virt/tdx:online");
		*ret_kvm |= is_named(name, length, "kvm/cpu/tdx:online");
		last = is_named(name, length, "online");
	}
	return last;
}

void gate_read_states(const char *text, struct gate_facts *facts)
{
	bool core, kvm, whole = find_states(text, &core, &kvm);

	facts->facts[GATE_SOURCE_CORE_STATE] = !whole ? FACT_UNREADABLE : core ? FACT_YES : FACT_NO;
	facts->facts[GATE_SOURCE_KVM_STATE] = !whole ? FACT_UNREADABLE : kvm ? FACT_YES : FACT_NO;
}

struct kernel_release kernel_release_parse(const char *text)
{
	struct kernel_release release;
	int end = 0;

	/* At most four digits each: nothing overflows, and nothing longer is a release. */
	if (sscanf(text, "%4u.%4u%n", &release.major, &release.minor, &end) != 2 ||
		strspn(text, "0123456789.") < (size_t)end || !strchr(".-+~_\n", text[end]))
		return (struct kernel_release){0};
	return release;
}

void gate_read_log(const struct tdx_log *log, struct gate_facts *facts)
{
	static const enum gate_cause of_trouble[TDX_TROUBLE_MAX] = {
		[TDX_TROUBLE_HIBERNATION] = GATE_CAUSE_HIBERNATION,
		[TDX_TROUBLE_FEW_KEYS] = GATE_CAUSE_FEW_KEYS,
		[TDX_TROUBLE_NOTIFIER] = GATE_CAUSE_FAILED,
		[TDX_TROUBLE_NO_MODULE] = GATE_CAUSE_NO_MODULE,
		[TDX_TROUBLE_FEATURE] = GATE_CAUSE_FEATURE,
		[TDX_TROUBLE_OLD_MODULE] = GATE_CAUSE_OLD_MODULE,
		[TDX_TROUBLE_SYS_INIT] = GATE_CAUSE_FAILED,
		[TDX_TROUBLE_FAILED] = GATE_CAUSE_FAILED,
		[TDX_TROUBLE_SEAMCALL] = GATE_CAUSE_FAILED,
	};
	enum tdx_trouble trouble = tdx_log_failure(log);
	bool failed = trouble < TDX_TROUBLE_FINAL_MAX;

	facts->log_cause = GATE_CAUSE_NONE;
	facts->log_before_flag = false;
	facts->log_line[0] = '\0';
	/* A failed update of a module that is up leaves the kernel's list as it is. */
	if (log->initialized || !failed)
		facts->facts[GATE_SOURCE_KERNEL_LOG] = log->initialized ? FACT_YES : FACT_ABSENT;
	else
		facts->facts[GATE_SOURCE_KERNEL_LOG] = FACT_NO;
	/* What is no proof by itself may still be the cause of what another source proves. */
	if (!failed)
		trouble = TDX_TROUBLE_SEAMCALL;
	if (log->initialized || !log->lines[trouble][0])
		return;
	facts->log_cause = of_trouble[trouble];
	facts->log_before_flag = trouble <= TDX_TROUBLE_LAST_BEFORE_FLAG;
	snprintf(facts->log_line, sizeof(facts->log_line), "%s", log->lines[trouble]);
}

static void append_state(struct strbuf *text, enum gate_state state, enum gate_cause cause)
{
	strbuf_append(text, "%s", gate_state_to_string(state));
	if (cause)
		strbuf_append(text, " (%s)", gate_cause_to_string(cause));
}

void gate_append(struct strbuf *text, const struct gate *gate)
{
	if (gate_overridden(gate))
		strbuf_append(text, "%s as configured, ", gate_state_to_string(gate->state));
	append_state(text, gate->detected, gate->cause);
	if (gate_overridden(gate))
		strbuf_append(text, " as found");
}

/* What is not there is no news, unless this kernel should have it. */
static bool is_telling(const struct gate_facts *facts, enum gate_source source)
{
	enum fact fact = facts->facts[source];

	if (source == GATE_SOURCE_KVM_STATE)
		return fact == FACT_YES;
	if (source == GATE_SOURCE_CORE_STATE && fact != FACT_UNREADABLE)
		return fact == FACT_YES || kernel_starts_tdx_at_boot(facts->release);
	return fact != FACT_ABSENT || source == GATE_SOURCE_CPUINFO;
}

void gate_append_sources(struct strbuf *text, const struct gate *gate)
{
	const char *before = "";

	for (enum gate_source s = 0; s < GATE_SOURCE_MAX; s++) {
		if (!is_telling(&gate->evidence, s))
			continue;
		strbuf_append(text, "%s%s: %s", before, gate_source_to_string(s),
			fact_to_string(s, gate->evidence.facts[s]));
		before = "; ";
	}
}

const char *gate_log_line(const struct gate *gate)
{
	return gate->cause && gate->cause == gate->evidence.log_cause ? gate->evidence.log_line
								      : "";
}

const char *gate_cause_explain(enum gate_cause cause)
{
	return causes[cause].sentence;
}

const char *gate_cause_to_string(enum gate_cause cause)
{
	return causes[cause].name;
}

const char *gate_source_to_string(enum gate_source source)
{
	return sources[source].source;
}

const char *fact_to_string(enum gate_source source, enum fact fact)
{
	return sources[source].facts[fact];
}
