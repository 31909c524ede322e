/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The TDX state: facts about TDX to a state.
 */
#include "tdxo/tdx/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/string_table.h"

static const char *const states[] = {
	[TDX_ABSENT] = "absent",
	[TDX_ARMED] = "armed",
	[TDX_ACTIVE] = "active",
	[TDX_UNKNOWN] = "unknown",
};
DEFINE_TO_STRING(tdx_state, enum tdx_state, states, TDX_STATE_MAX)

static const char *const modes[] = {
	[TDX_MODE_AUTO] = "auto",
	[TDX_MODE_ACTIVE] = "active",
	[TDX_MODE_ABSENT] = "absent",
};
DEFINE_STRING_TABLE(tdx_mode, enum tdx_mode, modes, TDX_MODE_MAX)

static const struct {
	const char *name, *sentence;
} causes[] = {
	[TDX_CAUSE_NONE] = {NULL, NULL},
	[TDX_CAUSE_NOT_ENABLED] = {"not-enabled",
		"Firmware has not enabled TDX, or the processor or the kernel does not support it"},
	[TDX_CAUSE_HIBERNATION] = {"hibernation",
		"The kernel does not start TDX because it supports hibernation"},
	[TDX_CAUSE_FEW_KEYS] = {"few-keys",
		"The kernel does not start TDX because firmware reserves too few key IDs for it"},
	[TDX_CAUSE_NO_MODULE] = {"no-module", "Firmware has loaded no TDX module"},
	[TDX_CAUSE_OLD_MODULE] = {"old-module", "The TDX module is too old for this kernel"},
	[TDX_CAUSE_FEATURE] = {"missing-feature",
		"The processor lacks a feature that TDX needs, or it is disabled"},
	[TDX_CAUSE_FAILED] = {"init-failed", "The TDX module failed to initialize"},
	[TDX_CAUSE_NOT_STARTED] = {"not-started",
		"TDX did not start when the kernel booted, and the kernel log does not show why"},
	[TDX_CAUSE_UNREADABLE] = {"unreadable",
		"The file that would show the state of TDX cannot be read"},
	[TDX_CAUSE_CONFLICT] = {"conflict", "The sources contradict each other"},
};
static_assert(ARRAY_SIZE(causes) == TDX_CAUSE_MAX, "words for each cause");

#define CPU_STATES "/sys/devices/system/cpu/hotplug/states"

static const struct {
	const char *source;
	const char *facts[FACT_MAX];
} sources[] = {
	[TDX_SOURCE_CPUINFO] = {"/proc/cpuinfo",
		{"unreadable", "unreadable", "no tdx_host_platform", "tdx_host_platform"}},
	[TDX_SOURCE_CORE_STATE] = {CPU_STATES,
		{"unreadable", "missing", "no virt/tdx:online", "virt/tdx:online"}},
	[TDX_SOURCE_KVM_STATE] = {CPU_STATES,
		{"unreadable", "missing", "no kvm/cpu/tdx:online", "kvm/cpu/tdx:online"}},
	[TDX_SOURCE_TDX_HOST] = {"/sys/devices/faux/tdx_host",
		{"unreadable", "missing", "missing", "exists"}},
	[TDX_SOURCE_KVM_INTEL] = {"/sys/module/kvm_intel/parameters/tdx",
		{"unreadable", "missing", "N", "Y"}},
	[TDX_SOURCE_CGROUP] = {"/sys/fs/cgroup/misc.capacity",
		{"unreadable", "missing", "no tdx", "tdx"}},
	[TDX_SOURCE_EARLIER] = {"earlier in this boot",
		{"unreadable", "unknown", "not initialized", "initialized"}},
	[TDX_SOURCE_KERNEL_LOG] = {"kernel log",
		{"unreadable", "no message", "initialization failed", "initialized"}},
};
static_assert(ARRAY_SIZE(sources) == TDX_SOURCE_MAX, "words for each source");

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
static bool is_seen_active(const struct tdx_facts *facts)
{
	for (enum tdx_source s = TDX_SOURCE_CORE_STATE; s < TDX_SOURCE_KERNEL_LOG; s++)
		if (facts->facts[s] == FACT_YES)
			return true;
	return false;
}

static enum tdx_state absent(enum tdx_cause cause, enum tdx_cause *ret_cause)
{
	*ret_cause = cause;
	return TDX_ABSENT;
}

static enum tdx_state unknown(enum tdx_cause cause, enum tdx_cause *ret_cause)
{
	*ret_cause = cause;
	return TDX_UNKNOWN;
}

static enum tdx_state detect(const struct tdx_facts *facts, enum tdx_cause *ret_cause)
{
	enum fact flag = facts->facts[TDX_SOURCE_CPUINFO];
	enum fact log = facts->facts[TDX_SOURCE_KERNEL_LOG];
	bool at_boot = kernel_starts_tdx_at_boot(facts->release);
	bool not_started = at_boot && facts->facts[TDX_SOURCE_CORE_STATE] == FACT_NO;
	bool contradiction = flag == FACT_YES && facts->log_before_flag;

	*ret_cause = TDX_CAUSE_NONE;
	if (is_seen_active(facts) || log == FACT_YES)
		return flag == FACT_NO || not_started ? unknown(TDX_CAUSE_CONFLICT, ret_cause)
						      : TDX_ACTIVE;
	if (flag == FACT_NO)
		return absent(facts->log_cause ?: TDX_CAUSE_NOT_ENABLED, ret_cause);
	if (not_started)
		return absent(facts->log_cause && !contradiction ? facts->log_cause
								 : TDX_CAUSE_NOT_STARTED,
			ret_cause);
	/* There the log proves nothing: a failed update of an active module looks the same. */
	if (at_boot)
		return unknown(TDX_CAUSE_UNREADABLE, ret_cause);
	if (contradiction)
		return unknown(TDX_CAUSE_CONFLICT, ret_cause);
	/* A failed initialization leaves the kernel's list empty for good: it refuses nothing. */
	if (log == FACT_NO)
		return absent(facts->log_cause, ret_cause);
	return flag == FACT_YES ? TDX_ARMED : unknown(TDX_CAUSE_UNREADABLE, ret_cause);
}

struct tdx tdx_decide(const struct tdx_facts *facts, enum tdx_mode mode)
{
	struct tdx tdx = {.mode = mode, .evidence = *facts};

	tdx.detected = detect(facts, &tdx.cause);
	tdx.state = mode == TDX_MODE_ACTIVE   ? TDX_ACTIVE
		    : mode == TDX_MODE_ABSENT ? TDX_ABSENT
					      : tdx.detected;
	return tdx;
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

enum fact tdx_read_cpuinfo(const char *text)
{
	const char *flags = strstr(text, "\nflags\t");

	/*
	 * A line without its end may lack flags; so may one with other bytes, or without the first.
	 */
	if (!flags || !is_flags_line(flags + 1) || !line_has_word(flags + 1, "fpu"))
		return FACT_UNREADABLE;
	return line_has_word(flags + 1, "tdx_host_platform") ? FACT_YES : FACT_NO;
}

enum fact tdx_read_kvm_parameter(const char *text)
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

enum fact tdx_read_misc_capacity(const char *text)
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

void tdx_read_states(const char *text, struct tdx_facts *facts)
{
	bool core, kvm, whole = find_states(text, &core, &kvm);

	facts->facts[TDX_SOURCE_CORE_STATE] = !whole ? FACT_UNREADABLE : core ? FACT_YES : FACT_NO;
	facts->facts[TDX_SOURCE_KVM_STATE] = !whole ? FACT_UNREADABLE : kvm ? FACT_YES : FACT_NO;
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

void tdx_read_log(const struct tdx_log *log, struct tdx_facts *facts)
{
	static const enum tdx_cause of_trouble[TDX_TROUBLE_MAX] = {
		[TDX_TROUBLE_HIBERNATION] = TDX_CAUSE_HIBERNATION,
		[TDX_TROUBLE_FEW_KEYS] = TDX_CAUSE_FEW_KEYS,
		[TDX_TROUBLE_NOTIFIER] = TDX_CAUSE_FAILED,
		[TDX_TROUBLE_NO_MODULE] = TDX_CAUSE_NO_MODULE,
		[TDX_TROUBLE_FEATURE] = TDX_CAUSE_FEATURE,
		[TDX_TROUBLE_OLD_MODULE] = TDX_CAUSE_OLD_MODULE,
		[TDX_TROUBLE_SYS_INIT] = TDX_CAUSE_FAILED,
		[TDX_TROUBLE_FAILED] = TDX_CAUSE_FAILED,
		[TDX_TROUBLE_SEAMCALL] = TDX_CAUSE_FAILED,
	};
	enum tdx_trouble trouble = tdx_log_failure(log);
	bool failed = trouble < TDX_TROUBLE_FINAL_MAX;

	facts->log_cause = TDX_CAUSE_NONE;
	facts->log_before_flag = false;
	facts->log_line[0] = '\0';
	/* A failed update of a module that is up leaves the kernel's list as it is. */
	if (log->initialized || !failed)
		facts->facts[TDX_SOURCE_KERNEL_LOG] = log->initialized ? FACT_YES : FACT_ABSENT;
	else
		facts->facts[TDX_SOURCE_KERNEL_LOG] = FACT_NO;
	/* What is no proof by itself may still be the cause of what another source proves. */
	if (!failed)
		trouble = TDX_TROUBLE_SEAMCALL;
	if (log->initialized || !log->lines[trouble][0])
		return;
	facts->log_cause = of_trouble[trouble];
	facts->log_before_flag = trouble <= TDX_TROUBLE_LAST_BEFORE_FLAG;
	snprintf(facts->log_line, sizeof(facts->log_line), "%s", log->lines[trouble]);
}

void tdx_append_detected(struct strbuf *text, const struct tdx *tdx)
{
	strbuf_append(text, "%s", tdx_state_to_string(tdx->detected));
	if (tdx->cause)
		strbuf_append(text, " (%s)", tdx_cause_to_string(tdx->cause));
}

void tdx_append(struct strbuf *text, const struct tdx *tdx)
{
	if (tdx_overridden(tdx))
		strbuf_append(text, "%s as configured, ", tdx_state_to_string(tdx->state));
	tdx_append_detected(text, tdx);
	if (tdx_overridden(tdx))
		strbuf_append(text, " as found");
}

void tdx_append_meaning(struct strbuf *text, const struct tdx *tdx)
{
	static const char *const meanings[] = {
		[TDX_ABSENT] = "This host does not use TDX, and TDX cannot start before the next "
			       "boot: the kernel accepts all memory.",
		[TDX_ARMED] = "Firmware enabled TDX, and the TDX module is not initialized yet. "
			      "If memory is added that was not RAM at boot, its initialization "
			      "fails.",
		[TDX_ACTIVE] = "TDX is active: the kernel refuses to online memory that was not "
			       "RAM at boot.",
		[TDX_UNKNOWN] = "It is not known whether TDX is active, so it is handled as "
				"active.",
	};
	static_assert(ARRAY_SIZE(meanings) == TDX_STATE_MAX, "words for each state");

	if (tdx_overridden(tdx))
		strbuf_append(text, "TDX= or --tdx= sets the TDX state to %s. The sources show %s.",
			tdx_state_to_string(tdx->state), tdx_state_to_string(tdx->detected));
	else
		strbuf_append(text, "%s", meanings[tdx->state]);
}

/* What is not there is no news, unless this kernel should have it. */
static bool is_telling(const struct tdx_facts *facts, enum tdx_source source)
{
	enum fact fact = facts->facts[source];

	if (source == TDX_SOURCE_KVM_STATE)
		return fact == FACT_YES;
	if (source == TDX_SOURCE_CORE_STATE && fact != FACT_UNREADABLE)
		return fact == FACT_YES || kernel_starts_tdx_at_boot(facts->release);
	return fact != FACT_ABSENT || source == TDX_SOURCE_CPUINFO;
}

void tdx_append_sources(struct strbuf *text, const struct tdx *tdx)
{
	const enum fact *facts = tdx->evidence.facts;
	const char *before = "";

	for (enum tdx_source s = 0; s < TDX_SOURCE_MAX; s++) {
		if (facts[s] == FACT_UNREADABLE || !is_telling(&tdx->evidence, s))
			continue;
		strbuf_append(text, "%s%s: %s", before, tdx_source_to_string(s),
			fact_to_string(s, facts[s]));
		before = "; ";
	}
	before = *before ? "; unreadable: " : "unreadable: ";
	for (enum tdx_source s = 0; s < TDX_SOURCE_MAX; s++) {
		if (facts[s] != FACT_UNREADABLE || !is_telling(&tdx->evidence, s))
			continue;
		strbuf_append(text, "%s%s", before, tdx_source_to_string(s));
		before = ", ";
	}
}

const char *tdx_evidence_line(const struct tdx *tdx)
{
	return tdx->cause && tdx->cause == tdx->evidence.log_cause ? tdx->evidence.log_line : "";
}

const char *tdx_cause_explain(enum tdx_cause cause)
{
	return causes[cause].sentence;
}

const char *tdx_cause_to_string(enum tdx_cause cause)
{
	return causes[cause].name;
}

const char *tdx_source_to_string(enum tdx_source source)
{
	return sources[source].source;
}

const char *fact_to_string(enum tdx_source source, enum fact fact)
{
	return sources[source].facts[fact];
}
