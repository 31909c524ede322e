/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gate: TDX facts to a state.
 */
#include "tdxo/gate.h"

#include <assert.h>
#include <string.h>

#include "tdxo/names.h"

static const char *const states[] = {
	[GATE_ABSENT] = "absent",
	[GATE_ARMED] = "armed",
	[GATE_ACTIVE] = "active",
	[GATE_UNKNOWN] = "unknown",
};
static_assert(ARRAY_SIZE(states) == GATE_STATE_MAX, "a name for each state");

static const char *const modes[] = {
	[GATE_MODE_AUTO] = "auto",
	[GATE_MODE_ACTIVE] = "active",
	[GATE_MODE_ABSENT] = "absent",
};
static_assert(ARRAY_SIZE(modes) == GATE_MODE_MAX, "a name for each mode");

static const struct {
	const char *source;
	const char *says[FACT_MAX];
} witnesses[] = {
	[WITNESS_CPUINFO] = {"/proc/cpuinfo",
		{"unreadable", "unreadable", "no tdx_host_platform", "tdx_host_platform"}},
	[WITNESS_TDX_HOST] = {"/sys/devices/faux/tdx_host",
		{"unreadable", "not there", "not there", "there"}},
	[WITNESS_KVM_INTEL] = {"/sys/module/kvm_intel/parameters/tdx",
		{"unreadable", "not there", "N", "Y"}},
	[WITNESS_CGROUP] = {"/sys/fs/cgroup/misc.capacity",
		{"unreadable", "not there", "no tdx", "tdx"}},
	[WITNESS_EARLIER] = {"earlier in this boot",
		{"unreadable", "not known", "not initialized", "initialized"}},
	[WITNESS_KERNEL_LOG] = {"kernel log",
		{"unreadable", "silent", "initialization failed", "initialized"}},
};
static_assert(ARRAY_SIZE(witnesses) == WITNESS_MAX, "a name for each witness");

static enum gate_state detect(const struct gate_facts *facts)
{
	enum fact platform = facts->facts[WITNESS_CPUINFO], log = facts->facts[WITNESS_KERNEL_LOG];
	bool initialised = false;

	for (enum witness w = WITNESS_TDX_HOST; w <= WITNESS_EARLIER; w++)
		initialised |= facts->facts[w] == FACT_YES;
	if (initialised && log == FACT_NO)
		return GATE_UNKNOWN;
	initialised |= log == FACT_YES;
	if (platform == FACT_NO)
		return initialised ? GATE_UNKNOWN : GATE_ABSENT;
	if (initialised)
		return GATE_ACTIVE;
	if (platform != FACT_YES)
		return GATE_UNKNOWN;
	/* A failed initialisation empties the kernel's list until reboot: it refuses nothing. */
	return log == FACT_NO ? GATE_ABSENT : GATE_ARMED;
}

struct gate gate_judge(const struct gate_facts *facts, enum gate_mode mode)
{
	struct gate gate = {.detected = detect(facts), .mode = mode, .evidence = *facts};

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

enum fact gate_read_cpuinfo(const char *text)
{
	const char *flags = strstr(text, "\nflags\t");

	if (!flags)
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

enum fact gate_read_log_line(const char *line)
{
	/* "module initialized" until 7.0, "TDX-Module initialized" since 7.1. */
	const char *message = strstr(line, "virt/tdx: ");

	if (!message)
		return FACT_ABSENT;
	message += strlen("virt/tdx: ");
	if (strncmp(message, "TDX-Module ", 11) == 0)
		message += 11;
	else if (strncmp(message, "module ", 7) == 0)
		message += 7;
	else
		return FACT_ABSENT;
	if (strncmp(message, "initialization failed", 21) == 0)
		return FACT_NO;
	return strncmp(message, "initialized", 11) == 0 ? FACT_YES : FACT_ABSENT;
}

const char *gate_state_to_string(enum gate_state state)
{
	return states[state];
}

const char *gate_mode_to_string(enum gate_mode mode)
{
	return modes[mode];
}

int gate_mode_from_string(const char *text, enum gate_mode *ret_mode)
{
	int i = names_find(modes, ARRAY_SIZE(modes), text);

	if (i < 0)
		return i;
	*ret_mode = (enum gate_mode)i;
	return 0;
}

const char *witness_to_string(enum witness witness)
{
	return witnesses[witness].source;
}

const char *fact_to_string(enum witness witness, enum fact fact)
{
	return witnesses[witness].says[fact];
}
