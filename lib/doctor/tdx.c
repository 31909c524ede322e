/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks about TDX: whether it came up, what kept it from it, and what still may.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/doctor/checks.h"

#define KERNEL_LOG "kernel log"
#define PUT_ON	   " on the kernel command line, then boot again."
#define KVM_INTEL  "/sys/module/kvm_intel"
#define KVM_TDX	   KVM_INTEL "/parameters/tdx"
#define LOAD_AT_BOOT                                                                               \
	"mkdir -p /etc/modules-load.d && echo kvm_intel >/etc/modules-load.d/kvm_intel.conf"
#define ALLOW_TDX                                                                                  \
	"mkdir -p /etc/modprobe.d && echo options kvm_intel tdx=1 >/etc/modprobe.d/kvm-tdx.conf"

void doctor_check_tdx_mode(struct examination *examination)
{
	const struct tdx *tdx = examination->facts->tdx;
	struct note note;

	if (!tdx_overridden(tdx) || tdx->mode != TDX_MODE_ABSENT)
		return;
	note_begin(&note, FINDING_TDX_OVERRIDDEN, SEVERITY_PROBLEM);
	note_source(&note, "/etc/tdx-onlined/tdx-onlined.conf");
	strbuf_append(&note.message,
		"The TDX state is absent as configured, but %s as found: the daemon onlines memory "
		"that the kernel refuses, or that keeps TDX from initializing.",
		tdx_state_to_string(tdx->detected));
	strbuf_append(&note.remedy, "Set TDX=auto in tdx-onlined.conf(5), then run '");
	doctor_append_reload(&note.remedy, examination->facts);
	strbuf_append(&note.remedy, "'.");
	note_end(examination, &note);
}

void doctor_check_boot_map(struct examination *examination)
{
	static const struct plain_finding plain = {FINDING_BOOT_MAP_UNKNOWN, SEVERITY_PROBLEM,
		"/sys/kernel/boot_params/data",
		"It is not known which memory was RAM at boot: neither /sys/kernel/boot_params nor "
		"/sys/firmware/memmap can be used, so memory that arrives stays offline.",
		"Boot a kernel with CONFIG_FIRMWARE_MEMMAP=y, or set CapableRanges= in "
		"tdx-onlined.conf(5)."};

	if (doctor_keeps_out(examination->facts) && !examination->facts->snapshot->boot_map.known)
		note_plain(examination, &plain);
}

/* Memory that came after boot and is in the kernel, whether online or not. */
static bool is_late(const struct record *record)
{
	enum boot_source source;

	return record->outcome.blocks.present > 0 &&
	       policy_containment(record->facts, record->range, &source) != CONTAINMENT_INSIDE;
}

static uint64_t late_bytes(const struct doctor_facts *facts)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < facts->n_records; i++)
		if (is_late(&facts->records[i]))
			bytes += facts->records[i].outcome.blocks.present *
				 facts->records[i].facts->block_size;
	return bytes;
}

/* Memory in the kernel that may be no TDX memory, and so the reason why TDX failed. */
struct suspects {
	uint64_t late; /* bytes that came after boot, perhaps before TDX was to start */
	bool in_cxl;   /* boot memory in a CXL window */
};

static struct suspects find_suspects(const struct doctor_facts *facts)
{
	const struct range_set *in_cxl = facts->boot_ram_in_cxl;
	bool at_boot = kernel_starts_tdx_at_boot(facts->tdx->evidence.release);

	return (struct suspects){
		.late = at_boot ? 0 : late_bytes(facts),
		.in_cxl = in_cxl && in_cxl->n,
	};
}

static void append_memory_remedy(struct strbuf *text, const struct suspects *suspects)
{
	strbuf_append(text, "Keep memory that is not TDX memory out of the kernel:");
	if (suspects->in_cxl)
		strbuf_append(text,
			" set CXL memory to special purpose memory in the BIOS, and take "
			"efi=nosoftreserve off the kernel command line%s",
			suspects->late ? ";" : "");
	if (suspects->late)
		strbuf_append(text,
			" load kvm_intel before memory arrives, and start the daemon "
			"before that: run '" LOAD_AT_BOOT "' and 'systemctl enable " UNIT "'");
	strbuf_append(text, ". Then boot again.");
}

/* The request that failed. An errno other than EIO has another reason (tdx.c, sc_retry_prerr()). */
static bool find_seamcall(const struct doctor_facts *facts, struct seamcall *ret_seamcall)
{
	int error = tdx_log_error(facts->log);

	return (!error || error == EIO) && tdx_log_seamcall(facts->log, ret_seamcall);
}

/* Did the TDX module refuse memory, or is that as good a guess as any? */
static bool is_about_memory(const struct doctor_facts *facts)
{
	struct seamcall seamcall;

	if (!find_seamcall(facts, &seamcall))
		return tdx_log_error(facts->log) == EIO;
	return seamcall_status_is_memory(seamcall.status);
}

/* What to do about an error of init_tdx_module() (6.12, 7.3). */
static void append_errno_remedy(struct strbuf *text, const struct doctor_facts *facts)
{
	switch (tdx_log_error(facts->log)) {
	case ENOMEM:
		strbuf_append(text, "TDX needs 1/256 of all memory for itself, in large pieces.");
		if (!kernel_starts_tdx_at_boot(facts->tdx->evidence.release))
			strbuf_append(text, " Start it while memory is free: run '" LOAD_AT_BOOT
					    "', then boot again.");
		else
			strbuf_append(text, " Boot again without hugepages= and the like on "
					    "the kernel command line.");
		break;
	case ENOSPC:
		strbuf_append(text,
			"Give the kernel a memory map of fewer and larger ranges: a BIOS "
			"setting, or less memmap=" PUT_ON);
		break;
	default:
		strbuf_append(text,
			"Boot again. If it fails again, update the BIOS and the TDX module. "
			"'journalctl -k -b -g virt/tdx' prints all messages about it.");
	}
}

static void append_failure_remedy(struct strbuf *text, const struct doctor_facts *facts)
{
	const struct suspects suspects = find_suspects(facts);
	struct seamcall seamcall;
	bool refused = find_seamcall(facts, &seamcall);

	if (is_about_memory(facts) && (suspects.late || suspects.in_cxl))
		append_memory_remedy(text, &suspects);
	else if (refused && !seamcall_status_is_passing(seamcall.status))
		strbuf_append(text,
			"Update the BIOS and the TDX module, and check the BIOS settings "
			"for TDX. Then boot again.");
	else
		append_errno_remedy(text, facts);
}

static void append_failure_details(struct strbuf *text, const struct doctor_facts *facts)
{
	const struct suspects suspects = find_suspects(facts);
	struct seamcall seamcall;
	char size[SIZE_TEXT];

	if (find_seamcall(facts, &seamcall)) {
		const char *meaning = seamcall_status_explain(seamcall.status);

		strbuf_append(text,
			" The TDX module answered SEAMCALL leaf %" PRIu64 " with 0x%016" PRIx64
			"%s%s.",
			seamcall.leaf, seamcall.status, meaning ? ": " : "", meaning ?: "");
	}
	if (is_about_memory(facts) && suspects.late)
		strbuf_append(text,
			" %s in the kernel came after boot, perhaps before TDX started.",
			size_format(suspects.late, size));
}

/* A remedy of NULL depends on more than the cause. */
static const struct {
	enum finding_code code;
	const char *remedy;
} tdx_findings[TDX_CAUSE_MAX] = {
	[TDX_CAUSE_HIBERNATION] = {FINDING_TDX_HIBERNATION, "Put nohibernate" PUT_ON},
	[TDX_CAUSE_FEW_KEYS] = {FINDING_TDX_FEW_KEYS,
		"Set more private KeyIDs for TDX in the BIOS (the split of TME-MT and TDX keys), "
		"at least 2. Then boot again."},
	[TDX_CAUSE_NO_MODULE] = {FINDING_TDX_MODULE_MISSING,
		"Let the BIOS load the TDX module (SEAM loader), or install a BIOS that brings "
		"one. Then boot again."},
	[TDX_CAUSE_OLD_MODULE] = {FINDING_TDX_MODULE_OLD,
		"Install a newer BIOS or a newer TDX module. Then boot again."},
	[TDX_CAUSE_FEATURE] = {FINDING_TDX_PROCESSOR,
		"Take clearcpuid= and the like off the kernel command line, or change the BIOS "
		"setting. Then boot again."},
	[TDX_CAUSE_FAILED] = {FINDING_TDX_INIT_FAILED, NULL},
	[TDX_CAUSE_NOT_STARTED] = {FINDING_TDX_NOT_STARTED,
		"Enable VMX in the BIOS, and update the BIOS and the TDX module. Then boot again."},
	[TDX_CAUSE_UNREADABLE] = {FINDING_TDX_UNKNOWN,
		"Run this as root; the messages name the file that cannot be read."},
	[TDX_CAUSE_CONFLICT] = {FINDING_TDX_UNKNOWN,
		"Report this as a bug, with the output of 'tdx-onlinectl capture "
		"tdx-capture'. Until it is fixed, set TDX= in tdx-onlined.conf(5)."},
};

void doctor_check_tdx_state(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	const struct tdx *tdx = facts->tdx;
	const char *line = tdx_evidence_line(tdx);
	struct note note;

	if (tdx->cause <= TDX_CAUSE_NOT_ENABLED)
		return;
	note_begin(&note, tdx_findings[tdx->cause].code, SEVERITY_PROBLEM);
	note_source(&note, "%s", *line ? KERNEL_LOG : "TDX state");
	strbuf_append(&note.message, "%s", tdx_cause_explain(tdx->cause));
	if (*line)
		strbuf_append(&note.message, ": %s", line);
	strbuf_append(&note.message, ".");
	if (tdx->cause == TDX_CAUSE_FAILED)
		append_failure_details(&note.message, facts);
	if (tdx->detected == TDX_ABSENT) {
		strbuf_append(&note.message, " TDX cannot start before the next boot.");
	} else {
		strbuf_append(&note.message, " Sources: ");
		tdx_append_sources(&note.message, tdx);
		strbuf_append(&note.message, ".");
	}
	if (tdx_findings[tdx->cause].remedy)
		strbuf_append(&note.remedy, "%s", tdx_findings[tdx->cause].remedy);
	else
		append_failure_remedy(&note.remedy, facts);
	note_end(examination, &note);
}

void doctor_check_cxl_windows(struct examination *examination)
{
	const struct range_set *parts = examination->facts->boot_ram_in_cxl;
	char size[SIZE_TEXT], range[RANGE_TEXT];
	struct note note;

	/* TDX that is active has taken the memory: firmware declared it convertible. */
	if (!parts || !doctor_concerns_tdx(examination->facts) ||
		examination->facts->tdx->detected == TDX_ACTIVE)
		return;
	for (size_t i = 0; i < parts->n; i++) {
		note_begin(&note, FINDING_BOOT_MAP_IN_CXL_WINDOW, SEVERITY_PROBLEM);
		note_source(&note, "/sys/firmware/acpi/tables/CEDT");
		strbuf_append(&note.message,
			"%s of boot memory lie in a CXL window, at %s: firmware declared CXL "
			"memory ordinary RAM. It is not TDX memory, so TDX cannot initialize.",
			size_format(range_size(parts->ranges[i]), size),
			range_format(parts->ranges[i], range));
		strbuf_append(&note.remedy,
			"Set CXL memory to special purpose memory (EFI_MEMORY_SP) in the BIOS, and "
			"take efi=nosoftreserve off the kernel command line. Then boot again.");
		note_end(examination, &note);
	}
}

void doctor_check_late_memory(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	char subject[RECORD_SENTENCE];
	struct note note;

	if (!facts->snapshot || facts->tdx->detected != TDX_ARMED)
		return;
	for (size_t i = 0; i < facts->n_records; i++) {
		const struct record *record = &facts->records[i];

		if (!is_late(record))
			continue;
		note_begin(&note, FINDING_LATE_MEMORY, SEVERITY_PROBLEM);
		note_source(&note, MEMORY);
		strbuf_append(&note.message,
			"%s is in the kernel, and the TDX module is not initialized yet: Linux "
			"before "
			"7.1 takes it for TDX memory, even if it is offline, and if it is not, the "
			"initialization fails.",
			record_subject(record, subject));
		if (device_is_dax(&record->facts->device))
			record_append_value(&note.remedy, record, RECORD_REMOVAL);
		else
			strbuf_append(&note.remedy,
				"Run '" LOAD_AT_BOOT "', then boot again, and let it arrive after "
				"kvm_intel is loaded.");
		note_end(examination, &note);
	}
}

/* Only Linux 6.16 to 7.0 is known to start TDX this way; earlier ones may have a backport. */
static void find_not_loaded(struct examination *examination)
{
	bool sure = kernel_starts_tdx_with_kvm(examination->facts->tdx->evidence.release);
	struct note note;

	note_begin(&note, FINDING_KVM_NOT_LOADED, SEVERITY_NOTICE);
	note_source(&note, KVM_INTEL);
	strbuf_append(&note.message,
		"The BIOS has enabled TDX, and kvm_intel is not loaded. %s when it is loaded, and "
		"memory that arrives before can make that fail.",
		sure ? "This kernel initializes TDX"
		     : "If its KVM supports TDX, this kernel initializes TDX");
	/* By default KVM leaves TDX off (6.16): the option is for the next boots. */
	strbuf_append(&note.remedy,
		"%s" LOAD_AT_BOOT " && " ALLOW_TDX " && modprobe kvm_intel tdx=1",
		sure ? "" : "modinfo -p kvm_intel | grep -q ^tdx: && ");
	note_end(examination, &note);
}

/* Comments out what turns it off in modprobe.d. True if there is such a line. */
static bool append_modprobe_remedy(struct strbuf *text, const struct doctor_facts *facts)
{
	bool found = false;

	for (size_t i = 0; i < facts->n_modprobe; i++) {
		const struct modprobe_line *line = &facts->modprobe[i].line;
		const char *value = strstr(line->rest, "tdx=");

		if (line->command != MODPROBE_OPTIONS || !value || !parameter_is_no(value + 4))
			continue;
		doctor_append_comment_out(
			text, &(struct doctor_lines){PLACE_MODPROBE, facts->modprobe[i].path,
				      line->first, line->last});
		strbuf_append(text, " && ");
		found = true;
	}
	return found;
}

static void append_kvm_remedy(struct strbuf *text, const struct doctor_facts *facts)
{
	struct parameter parameter;

	if (doctor_find_parameter(facts, "kvm_intel.tdx", &parameter) &&
		parameter_is_no(parameter.value)) {
		strbuf_append(text, "Put kvm_intel.tdx=1" PUT_ON);
		return;
	}
	/* What KVM lacks another parameter does not give it. */
	if (!append_modprobe_remedy(text, facts) && facts->log->lines[TDX_TROUBLE_KVM][0]) {
		strbuf_append(text, "Provide what the message names, by a BIOS setting or" PUT_ON);
		return;
	}
	/* While a VM runs the module stays, and the option is for the next boot. */
	strbuf_append(text, ALLOW_TDX " && modprobe -r kvm_intel; modprobe kvm_intel");
}

void doctor_check_kvm(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	const enum fact *sources = facts->tdx->evidence.facts;
	struct note note;

	if (!facts->kvm_loaded && facts->tdx->detected == TDX_ARMED)
		find_not_loaded(examination);
	/* Where TDX has failed, or may have, no parameter of KVM helps. */
	if (sources[TDX_SOURCE_KVM_INTEL] != FACT_NO ||
		(facts->tdx->detected != TDX_ARMED && facts->tdx->detected != TDX_ACTIVE))
		return;
	note_begin(&note, FINDING_KVM_TDX_OFF, SEVERITY_NOTICE);
	note_source(&note, KVM_TDX);
	strbuf_append(&note.message,
		KVM_TDX " is N: KVM cannot run confidential VMs on "
			"this host, and the rules for its memory are in effect nevertheless");
	if (facts->log->lines[TDX_TROUBLE_KVM][0])
		strbuf_append(&note.message, "; %s", facts->log->lines[TDX_TROUBLE_KVM]);
	strbuf_append(&note.message, ".");
	append_kvm_remedy(&note.remedy, facts);
	note_end(examination, &note);
}
