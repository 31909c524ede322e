/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The TDX state: whether this kernel refuses memory that was not RAM at boot, or may come to.
 *
 * No single file shows it on every kernel, so several sources are read. /proc/cpuinfo has the flag
 * tdx_host_platform if firmware enabled TDX (arch/x86/virt/vmx/tdx/tdx.c, tdx_init(), 6.8 and
 * later). The others show whether the TDX module has been initialized: from that moment on the
 * kernel refuses. What they mean depends on the kernel release:
 *
 *   before 7.1   TDX starts when KVM asks for it, if ever. The flag alone means that it still may:
 *                armed. Memory that is added meanwhile can make that start fail.
 *   7.1, later   TDX starts during boot, before user space runs (tdx_enable(), a
 *                subsys_initcall), or never: armed does not exist, and the flag without
 *                virt/tdx:online is a failed start.
 *
 * A kernel whose release cannot be parsed counts as one before 7.1.
 *
 * "Absent" is what needs proof, because the mistake is not symmetric: memory that is kept out can
 * be onlined later, memory that is let in can cost the host its TDX. The kernel log is the only
 * source that quotes other programs. So a failure in it never outweighs another source, and from
 * 7.1 on it proves nothing by itself: there it names the cause of what the states file proves.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/tdx/log.h"

enum tdx_state {
	TDX_ABSENT,  /* nothing is refused, and TDX cannot start any more in this boot */
	TDX_ARMED,   /* firmware enabled TDX, and this kernel may still initialize it */
	TDX_ACTIVE,  /* the kernel refuses what was not there at boot */
	TDX_UNKNOWN, /* sources unreadable or contradictory: handled as active */
	TDX_STATE_MAX,
};

enum tdx_mode {
	TDX_MODE_AUTO, /* decided by the sources */
	TDX_MODE_ACTIVE,
	TDX_MODE_ABSENT,
	TDX_MODE_MAX,
};

/* Why a state is absent or unknown. */
enum tdx_cause {
	TDX_CAUSE_NONE,	       /* the state is armed or active */
	TDX_CAUSE_NOT_ENABLED, /* absent: by firmware, or the processor or kernel lacks support */
	TDX_CAUSE_HIBERNATION, /* absent: this kernel could hibernate */
	TDX_CAUSE_FEW_KEYS,    /* absent: firmware left too few key ids for TDX */
	TDX_CAUSE_NO_MODULE,   /* absent: firmware loaded no TDX module */
	TDX_CAUSE_OLD_MODULE,  /* absent: the kernel wants a newer TDX module */
	TDX_CAUSE_FEATURE,     /* absent: the processor lacks a feature that TDX needs */
	TDX_CAUSE_FAILED,      /* absent: the initialization failed */
	TDX_CAUSE_NOT_STARTED, /* absent: it did not start, and the log does not show why */
	TDX_CAUSE_UNREADABLE,  /* unknown: the source that would decide cannot be read */
	TDX_CAUSE_CONFLICT,    /* unknown: the sources contradict each other */
	TDX_CAUSE_MAX,
};

enum fact {
	FACT_UNREADABLE, /* could not be read, is not whole, or makes no sense */
	FACT_ABSENT,	 /* the file does not exist, or has nothing about TDX */
	FACT_NO,
	FACT_YES,
	FACT_MAX,
};

/* The flag, the sources that show a module that is up, and the log, which proves least. */
enum tdx_source {
	TDX_SOURCE_CPUINFO,    /* /proc/cpuinfo: tdx_host_platform */
	TDX_SOURCE_CORE_STATE, /* cpu/hotplug/states: virt/tdx:online (7.1 and later) */
	TDX_SOURCE_KVM_STATE,  /* cpu/hotplug/states: kvm/cpu/tdx:online (6.16 to 7.0) */
	TDX_SOURCE_TDX_HOST,   /* /sys/devices/faux/tdx_host (7.2 and later) */
	TDX_SOURCE_KVM_INTEL,  /* kvm_intel's parameter tdx (6.16 and later) */
	TDX_SOURCE_CGROUP,     /* a tdx line in misc.capacity of the root cgroup */
	TDX_SOURCE_EARLIER,    /* FACT_YES: the daemon found TDX active earlier in this boot */
	TDX_SOURCE_KERNEL_LOG, /* FACT_YES: initialized; FACT_NO: failed for this boot */
	TDX_SOURCE_MAX,
};

/* The first two numbers of the kernel's release; 0.0: it does not tell. */
struct kernel_release {
	unsigned int major, minor;
};

/* All that the state is decided by. */
struct tdx_facts {
	struct kernel_release release;
	enum fact facts[TDX_SOURCE_MAX];
	enum tdx_cause log_cause;    /* of the line below; TDX_CAUSE_NONE: no such line */
	bool log_before_flag;	     /* the line is one after which tdx_init() sets no flag */
	char log_line[TDX_LOG_LINE]; /* the kernel's line about a start that failed */
};

struct tdx {
	enum tdx_state state;	 /* what counts */
	enum tdx_state detected; /* by the sources */
	enum tdx_cause cause;	 /* of the state detected */
	enum tdx_mode mode;
	struct tdx_facts evidence;
};

/*
 * The state, from nothing but the facts. `mode` replaces it; what the sources show is in `detected`
 * then.
 */
struct tdx tdx_decide(const struct tdx_facts *facts, enum tdx_mode mode);

/* True unless TDX is absent: memory from after boot must stay out of the page allocator. */
static inline bool tdx_refuses(const struct tdx *tdx)
{
	return tdx->state != TDX_ABSENT;
}

/* True if the configuration made the TDX state something else than the sources show. */
static inline bool tdx_overridden(const struct tdx *tdx)
{
	return tdx->state != tdx->detected;
}

/* True if TDX starts during the boot of this kernel or never: Linux 7.1 and later. */
bool kernel_starts_tdx_at_boot(struct kernel_release release);

/* True if loading kvm_intel starts TDX: Linux 6.16 to 7.0. */
bool kernel_starts_tdx_with_kvm(struct kernel_release release);

/* The text of a source's file, NUL-terminated. FACT_UNREADABLE: it is not what it should be. */
enum fact tdx_read_cpuinfo(const char *text); /* the first processor is enough */
enum fact tdx_read_kvm_parameter(const char *text);
enum fact tdx_read_misc_capacity(const char *text);

/*
 * /sys/devices/system/cpu/hotplug/states (kernel/cpu.c, states_show(), 6.8 to 7.3): lines
 * "NUMBER: NAME", from "offline" to "online"; if either end is missing it is not whole, and both
 * facts are FACT_UNREADABLE.
 */
void tdx_read_states(const char *text, struct tdx_facts *facts);

/* The release of /proc/sys/kernel/osrelease: "7.3.4+deb13-amd64", "7.1.0-rc1". */
struct kernel_release kernel_release_parse(const char *text);

/*
 * The log's fact, cause and line. A module that has come up once stays: what fails later is an
 * update of it (7.2 and later), which leaves the kernel's list as it is.
 */
void tdx_read_log(const struct tdx_log *log, struct tdx_facts *facts);

/* By the sources: "absent (no-module)" */
void tdx_append_detected(struct strbuf *text, const struct tdx *tdx);

/* "absent (no-module)", "active as configured, absent (no-module) as found" */
void tdx_append(struct strbuf *text, const struct tdx *tdx);

/* The state as one sentence or two, without the cause. */
void tdx_append_meaning(struct strbuf *text, const struct tdx *tdx);

/* "/proc/cpuinfo: tdx_host_platform; …; unreadable: …": the sources with something about TDX. */
void tdx_append_sources(struct strbuf *text, const struct tdx *tdx);

/* The kernel's message about the cause; empty if the cause has another source. */
const char *tdx_evidence_line(const struct tdx *tdx);

/* The cause as a sentence without its full stop; NULL for TDX_CAUSE_NONE. */
const char *tdx_cause_explain(enum tdx_cause cause);

const char *tdx_state_to_string(enum tdx_state state);
const char *tdx_mode_to_string(enum tdx_mode mode);
int tdx_mode_from_string(const char *text, enum tdx_mode *ret_mode) MUST_CHECK;
const char *tdx_cause_to_string(enum tdx_cause cause); /* NULL for TDX_CAUSE_NONE */
const char *tdx_source_to_string(enum tdx_source source);
const char *fact_to_string(enum tdx_source source, enum fact fact);
