/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A second implementation of the rules by which the TDX state is decided, for test_state.c only. It
 * was written from the kernel's behaviour, without knowledge of lib/tdx/state.c.
 *
 * It keeps four hypotheses about this boot:
 *
 *   NEVER     firmware or an early check leaves TDX off; the CPU flag is not set
 *   POSSIBLE  the flag is set, and the kernel may still initialize the TDX module
 *   RUNNING   the kernel has its list of TDX memory and refuses all other memory
 *   FAILED    the kernel tried to initialize the TDX module, and cannot try again in this boot
 *
 * Each source excludes some of them. A source that cannot be read excludes none. The state follows
 * from the hypotheses that remain.
 *
 * Rules:
 *
 *  1. The flag: the kernel sets tdx_host_platform at the end of tdx_init(), and only with two or
 *     more key ids, without hibernation and with its memory notifier registered. Without the flag
 *     only NEVER remains. With the flag NEVER is excluded, and with it too few key ids and
 *     hibernation.
 *  2. The release: from 7.1 on tdx_enable() is a subsys_initcall and runs once, so POSSIBLE is
 *     excluded. Distributions backport: an older release, or one that does not parse, excludes
 *     nothing. -rc1 follows the merge window, so 7.1.0-rc1 is 7.1.
 *  3. The states file: with virt/tdx:online only RUNNING remains. From 7.1 on this line exists
 *     exactly while the core is initialized: in a readable file without it NEVER and FAILED
 *     remain. Before 7.1 only RUNNING remains with kvm/cpu/tdx:online. That line is removed with
 *     kvm_intel, while the list stays, so its absence excludes nothing. From 7.1 on no kernel has
 *     it: if it is present without virt/tdx:online, nothing remains. A missing file is not a
 *     missing line.
 *  4. tdx_host, kvm_intel's tdx = Y, "tdx" in misc.capacity, and the daemon's own "active" of this
 *     boot (the list is built once): with any of them only RUNNING remains. Their absence excludes
 *     nothing: tdx_host needs its module, N does not mean "not initialized" from 7.1 on, and
 *     before 7.1 kvm_intel can be unloaded or loaded again without TDX.
 *  5. The log, "initialized": only RUNNING remains.
 *  6. The log, final failures before 7.1: only FAILED remains with "module not loaded", a module
 *     that is too old, a required feature in a virt/tdx line, "initialization failed (…)" or a
 *     failing TDH.SYS.INIT. Only NEVER remains with hibernation, too few key ids or a notifier
 *     that cannot be registered. From 7.1 on they exclude nothing: a failed runtime update of a
 *     running module (7.2) logs some of the same lines.
 *  7. The log, lines that are not final: a SEAMCALL line of another leaf (the kernel tries
 *     TDH.SYS.LP.INIT again) and a kvm_intel line (until kvm_intel is loaded again) exclude
 *     nothing. If TDX is absent by another source, any line of tdx.c about a failure is the cause,
 *     also without the flag, which clearcpuid= can hide.
 *  8. Rules 6 and 7 apply only if rules 1 to 5 leave both a final hypothesis (NEVER, FAILED) and
 *     another one: a line of the log alone does not lower the state.
 *
 * The state, by the hypotheses that remain:
 *
 *   none                     unknown: the sources contradict each other
 *   only RUNNING             active
 *   NEVER, FAILED, or both   absent: the kernel refuses nothing, and memory cannot prevent a start
 *   all except NEVER         armed: the flag, without proof of success or failure
 *   any other set            unknown: the source that would decide cannot be read
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What each source shows. */
enum oracle_flag { /* /proc/cpuinfo tdx_host_platform */
	O_FLAG_UNREADABLE,
	O_FLAG_NO,
	O_FLAG_YES,
};

enum oracle_states { /* cpu/hotplug/states; CORE: virt/tdx:online, KVM: kvm/cpu/tdx:online */
	O_STATES_UNREADABLE,
	O_STATES_NO_FILE,
	O_STATES_NEITHER,
	O_STATES_CORE,
	O_STATES_KVM,
	O_STATES_BOTH,
};

enum oracle_host { /* /sys/devices/faux/tdx_host exists */
	O_HOST_NO,
	O_HOST_YES,
};

enum oracle_param { /* kvm_intel parameter tdx */
	O_PARAM_UNREADABLE,
	O_PARAM_NO_FILE,
	O_PARAM_N,
	O_PARAM_Y,
};

enum oracle_capacity { /* misc.capacity of the root cgroup */
	O_CAPACITY_UNREADABLE,
	O_CAPACITY_NO_FILE,
	O_CAPACITY_NONE,
	O_CAPACITY_TDX,
};

enum oracle_earlier { /* the daemon's own state of this boot */
	O_EARLIER_NOTHING,
	O_EARLIER_ACTIVE,
};

enum oracle_log { /* lines of the kernel itself in the kernel log */
	O_LOG_UNREADABLE,
	O_LOG_SILENT,
	O_LOG_INITIALISED,
	O_LOG_HIBERNATION,
	O_LOG_FEW_KEYS,
	O_LOG_NOTIFIER, /* "register_memory_notifier() failed" */
	O_LOG_NO_MODULE,
	O_LOG_OLD_MODULE,	 /* "frame pointer (RBP) clobber bug present, upgrade TDX module" */
	O_LOG_FEATURE,		 /* "virt/tdx: XSAVE is required for TDX" and similar lines */
	O_LOG_INIT_FAILED,	 /* "… initialization failed (-5)" */
	O_LOG_SYS_INIT_SEAMCALL, /* only a SEAMCALL line of TDH.SYS.INIT, leaf 33 */
	O_LOG_OTHER_SEAMCALL,	 /* only a SEAMCALL line of another leaf, e.g. TDH.SYS.LP.INIT */
	O_LOG_KVM_REFUSES, /* only "kvm_intel: Self-snoop is required for TDX" and similar lines */
};

enum oracle_state {
	O_ABSENT,
	O_ARMED,
	O_ACTIVE,
	O_UNKNOWN,
};

enum oracle_cause {
	O_CAUSE_NONE, /* armed or active */
	O_CAUSE_NOT_ENABLED,
	O_CAUSE_HIBERNATION,
	O_CAUSE_FEW_KEYS,
	O_CAUSE_NO_MODULE,
	O_CAUSE_OLD_MODULE,
	O_CAUSE_FEATURE,
	O_CAUSE_FAILED,
	O_CAUSE_NOT_STARTED, /* TDX is not running, and the log does not show why */
	O_CAUSE_UNREADABLE,
	O_CAUSE_CONFLICT,
};

struct oracle_input {
	const char *release; /* /proc/sys/kernel/osrelease */
	enum oracle_flag flag;
	enum oracle_states states;
	enum oracle_host host;
	enum oracle_param param;
	enum oracle_capacity capacity;
	enum oracle_earlier earlier;
	enum oracle_log log;
};

/* Sets of hypotheses. */
enum {
	O_NEVER = 1,
	O_POSSIBLE = 2,
	O_RUNNING = 4,
	O_FAILED = 8,
	O_FINAL = O_NEVER | O_FAILED,
	O_ALL = O_NEVER | O_POSSIBLE | O_RUNNING | O_FAILED,
};

/* A line of the log: the hypotheses that remain, those that it explains, and the cause. */
struct oracle_line {
	unsigned int keeps;
	unsigned int explains;
	enum oracle_cause cause;
};

static const struct oracle_line oracle_lines[] = {
	[O_LOG_UNREADABLE] = {O_ALL, 0, O_CAUSE_NONE},
	[O_LOG_SILENT] = {O_ALL, 0, O_CAUSE_NONE},
	[O_LOG_INITIALISED] = {O_RUNNING, 0, O_CAUSE_NONE},
	[O_LOG_HIBERNATION] = {O_NEVER, O_NEVER, O_CAUSE_HIBERNATION},
	[O_LOG_FEW_KEYS] = {O_NEVER, O_NEVER, O_CAUSE_FEW_KEYS},
	[O_LOG_NOTIFIER] = {O_NEVER, O_NEVER, O_CAUSE_FAILED},
	[O_LOG_NO_MODULE] = {O_FAILED, O_FINAL, O_CAUSE_NO_MODULE},
	[O_LOG_OLD_MODULE] = {O_FAILED, O_FINAL, O_CAUSE_OLD_MODULE},
	[O_LOG_FEATURE] = {O_FAILED, O_FINAL, O_CAUSE_FEATURE},
	[O_LOG_INIT_FAILED] = {O_FAILED, O_FINAL, O_CAUSE_FAILED},
	[O_LOG_SYS_INIT_SEAMCALL] = {O_FAILED, O_FINAL, O_CAUSE_FAILED},
	[O_LOG_OTHER_SEAMCALL] = {O_ALL, O_FINAL, O_CAUSE_FAILED},
	[O_LOG_KVM_REFUSES] = {O_ALL, 0, O_CAUSE_NONE},
};

/*
 * Compare the decimal number of len digits at text with one digit, without a conversion that can
 * overflow. Return <0, 0 or >0.
 */
static int oracle_compare_digits(const char *text, size_t len, char digit)
{
	while (len > 1 && *text == '0') {
		text++;
		len--;
	}
	return len > 1 ? 1 : *text - digit;
}

/* "MAJOR.MINOR", then a separator or the end (strchr() finds the NUL). Otherwise false. */
static bool oracle_release_is_7_1(const char *release)
{
	static const char digits[] = "0123456789";
	size_t major, minor;
	const char *rest;
	int order;

	if (!release)
		return false;
	major = strspn(release, digits);
	if (!major || release[major] != '.')
		return false;
	rest = release + major + 1;
	minor = strspn(rest, digits);
	if (!minor || !strchr(".-+~_\n", rest[minor]))
		return false;
	order = oracle_compare_digits(release, major, '7');
	return order > 0 || (order == 0 && oracle_compare_digits(rest, minor, '1') >= 0);
}

/* Rules 1 to 5: the hypotheses that remain without the failures in the log. */
static unsigned int oracle_keep(const struct oracle_input *input)
{
	static const unsigned int flag[] = {O_ALL, O_NEVER, O_ALL & ~O_NEVER};
	static const unsigned int states[2][6] = {
		{O_ALL, O_ALL, O_ALL, O_RUNNING, O_RUNNING, O_RUNNING},
		{O_ALL, O_ALL, O_FINAL, O_RUNNING, 0, O_RUNNING},
	};
	static const unsigned int host[] = {O_ALL, O_RUNNING};
	static const unsigned int param[] = {O_ALL, O_ALL, O_ALL, O_RUNNING};
	static const unsigned int capacity[] = {O_ALL, O_ALL, O_ALL, O_RUNNING};
	static const unsigned int earlier[] = {O_ALL, O_RUNNING};
	bool over = oracle_release_is_7_1(input->release);

	return flag[input->flag] & states[over][input->states] & host[input->host] &
	       param[input->param] & capacity[input->capacity] & earlier[input->earlier] &
	       (over ? O_ALL & ~O_POSSIBLE : O_ALL) &
	       (input->log == O_LOG_INITIALISED ? O_RUNNING : O_ALL);
}

static enum oracle_cause oracle_absent_cause(unsigned int left, const struct oracle_line *line)
{
	if (line->explains & left)
		return line->cause;
	return left == O_NEVER ? O_CAUSE_NOT_ENABLED : O_CAUSE_NOT_STARTED;
}

static enum oracle_state oracle_decide(
	const struct oracle_input *input, enum oracle_cause *ret_cause)
{
	const struct oracle_line *line = &oracle_lines[input->log];
	unsigned int left = oracle_keep(input);

	if (!oracle_release_is_7_1(input->release) && (left & O_FINAL) &&
		(left & ~(unsigned int)O_FINAL))
		left &= line->keeps;

	switch (left) {
	case 0:
		*ret_cause = O_CAUSE_CONFLICT;
		return O_UNKNOWN;
	case O_RUNNING:
		*ret_cause = O_CAUSE_NONE;
		return O_ACTIVE;
	case O_NEVER:
	case O_FAILED:
	case O_FINAL:
		*ret_cause = oracle_absent_cause(left, line);
		return O_ABSENT;
	case O_ALL & ~O_NEVER:
		*ret_cause = O_CAUSE_NONE;
		return O_ARMED;
	default:
		*ret_cause = O_CAUSE_UNREADABLE;
		return O_UNKNOWN;
	}
}
