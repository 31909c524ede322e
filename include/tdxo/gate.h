/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gate: what TDX demands of new memory now.
 *
 * No file says it outright, so several witnesses are heard. The flag tdx_host_platform in
 * /proc/cpuinfo is set if firmware enabled TDX (arch/x86/virt/vmx/tdx/tdx.c, tdx_init(), 6.8
 * and later); the others tell whether the TDX module has been initialised, which is when the
 * kernel begins to refuse:
 *
 *   /sys/devices/faux/tdx_host               exists only if it has (7.2 and later)
 *   /sys/module/kvm_intel/parameters/tdx     Y only if it has (6.16 and later)
 *   misc.capacity of the root cgroup         a tdx line if KVM can run confidential VMs
 *   the daemon's own state                   that it has been: the three above go away with
 *                                            kvm_intel, the kernel's list does not
 *   the kernel log                           in either wording, if it still has the line
 */
#pragma once

#include <stdbool.h>

#include "tdxo/compiler.h"

enum gate_state {
	GATE_ABSENT,  /* no TDX on this host: nothing is refused */
	GATE_ARMED,   /* firmware enabled TDX, the module is not initialised yet */
	GATE_ACTIVE,  /* the kernel refuses what was not there at boot */
	GATE_UNKNOWN, /* facts unreadable or contradictory: treated as active */
	GATE_STATE_MAX,
};

enum gate_mode {
	GATE_MODE_AUTO, /* believe the witnesses */
	GATE_MODE_ACTIVE,
	GATE_MODE_ABSENT,
	GATE_MODE_MAX,
};

enum fact {
	FACT_UNREADABLE, /* could not be read, or made no sense */
	FACT_ABSENT,	 /* the witness is not there, or has nothing to say */
	FACT_NO,
	FACT_YES,
	FACT_MAX,
};

enum witness {
	WITNESS_CPUINFO,
	WITNESS_TDX_HOST,
	WITNESS_KVM_INTEL,
	WITNESS_CGROUP,
	WITNESS_EARLIER,    /* what was found earlier in this boot: it lasts until the next */
	WITNESS_KERNEL_LOG, /* FACT_NO: initialisation was tried and failed */
	WITNESS_MAX,
};

struct gate_facts {
	enum fact facts[WITNESS_MAX];
};

struct gate {
	enum gate_state state;	  /* what counts */
	enum gate_state detected; /* what the witnesses say */
	enum gate_mode mode;
	struct gate_facts evidence;
};

struct gate gate_judge(const struct gate_facts *facts, enum gate_mode mode);

/* True unless the gate is absent: memory from after boot must stay out of the page allocator. */
static inline bool gate_refuses(const struct gate *gate)
{
	return gate->state != GATE_ABSENT;
}

/* True if the configuration made the gate something else than the witnesses say. */
static inline bool gate_overridden(const struct gate *gate)
{
	return gate->state != gate->detected;
}

/* What a witness's file says: the text of the file, NUL-terminated. */
enum fact gate_read_cpuinfo(const char *text); /* the first processor is enough */
enum fact gate_read_kvm_parameter(const char *text);
enum fact gate_read_misc_capacity(const char *text);
enum fact gate_read_log_line(const char *line); /* FACT_ABSENT: no word about it */

const char *gate_state_to_string(enum gate_state state);
const char *gate_mode_to_string(enum gate_mode mode);
int gate_mode_from_string(const char *text, enum gate_mode *ret_mode) MUST_CHECK;
const char *witness_to_string(enum witness witness);
const char *fact_to_string(enum witness witness, enum fact fact);
