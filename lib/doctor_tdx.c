/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks about TDX: whether it came up, what kept it from it, and what still may.
 */
#include <errno.h>
#include <string.h>

#include "doctor_checks.h"

#define KERNEL_LOG   "kernel log"
#define PUT_ON	     " on the kernel command line, then boot again."
#define LOAD_AT_BOOT "echo kvm_intel > /etc/modules-load.d/kvm_intel.conf"

/* TDX failed, or is off; the log says why. */
static bool has_come_to_nothing(const struct doctor_facts *facts)
{
	for (enum tdx_trouble trouble = 0; trouble < TDX_TROUBLE_KVM; trouble++)
		if (facts->log.lines[trouble][0])
			return true;
	return false;
}

void doctor_check_gate_mode(struct examination *examination)
{
	const struct snapshot *snapshot = examination->facts->snapshot;
	struct note note;

	if (!snapshot || !gate_overridden(&snapshot->gate) ||
		snapshot->gate.mode != GATE_MODE_ABSENT)
		return;
	note_begin(&note, FINDING_GATE_OVERRIDDEN, SEVERITY_PROBLEM);
	note_source(&note, "/etc/tdx-onlined.conf");
	text_append(&note.message,
		"The gate is absent as configured, but %s as found: memory is given to a kernel "
		"that "
		"refuses it, or is taken for TDX memory that it is not.",
		gate_state_to_string(snapshot->gate.detected));
	text_append(&note.remedy, "Gate=auto in tdx-onlined.conf(5), then run: " RELOAD);
	note_end(examination, &note);
}

void doctor_check_boot_map(struct examination *examination)
{
	static const struct plain_finding plain = {FINDING_BOOT_MAP_UNKNOWN, SEVERITY_PROBLEM,
		"/sys/kernel/boot_params/data",
		"Nothing tells which memory was there at boot: neither /sys/kernel/boot_params nor "
		"/sys/firmware/memmap can be used, and what arrives stays out.",
		"A kernel with CONFIG_FIRMWARE_MEMMAP=y, or CapableRanges= in "
		"tdx-onlined.conf(5)."};

	if (doctor_keeps_out(examination->facts) && !examination->facts->snapshot->boot_map.known)
		note_plain(examination, &plain);
}

/* Memory that came after boot and is in the kernel, whether online or not. */
static bool is_late(const struct snapshot *snapshot, const struct record *record)
{
	enum boot_source source;

	return record->outcome.blocks.present > 0 &&
	       policy_containment(snapshot, &record->arrival, record->arrival.range, &source) !=
		       CONTAINMENT_INSIDE;
}

static uint64_t late_bytes(const struct doctor_facts *facts)
{
	uint64_t bytes = 0;

	for (size_t i = 0; facts->snapshot && i < facts->n_records; i++)
		if (is_late(facts->snapshot, &facts->records[i]))
			bytes += facts->records[i].outcome.blocks.present *
				 facts->snapshot->block_size;
	return bytes;
}

/* The errors of init_tdx_module() (6.12), and what to do about them. */
static const char *failure_remedy(int error)
{
	switch (error) {
	case EIO:
		return "Keep from the kernel what is no TDX memory: CXL memory as special purpose "
		       "memory in the BIOS, no efi=nosoftreserve, and kvm_intel loaded before "
		       "memory arrives (" LOAD_AT_BOOT "). Then boot again.";
	case ENOMEM:
		return "Initialise TDX while memory is free: " LOAD_AT_BOOT ", then boot again.";
	case ENOSPC:
		return "A memory map of fewer and larger ranges: a BIOS setting, or less "
		       "memmap=" PUT_ON;
	default:
		return "Boot again; if it comes again, a newer BIOS and TDX module. All that TDX "
		       "has "
		       "said: journalctl -k -b -g virt/tdx";
	}
}

static void find_failure(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	uint64_t late = late_bytes(facts);
	char size[SIZE_TEXT];
	struct note note;

	note_begin(&note, FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM);
	note_source(&note, KERNEL_LOG);
	text_append(&note.message, "TDX has not come up, and will not until the next boot: %s",
		facts->log.lines[TDX_TROUBLE_FAILED]);
	if (late)
		text_append(&note.message, "; %s in the kernel came after boot",
			size_format(late, size));
	text_append(&note.message, ".");
	text_append(&note.remedy, "%s", failure_remedy(tdx_log_error(&facts->log)));
	note_end(examination, &note);
}

static const struct {
	enum tdx_trouble trouble;
	enum finding_code code;
	const char *clause, *remedy;
} tdx_findings[] = {
	{TDX_TROUBLE_HIBERNATION, FINDING_TDX_HIBERNATION,
		"The kernel leaves TDX off because the host could hibernate", "nohibernate" PUT_ON},
	{TDX_TROUBLE_FEW_KEYS, FINDING_TDX_FEW_KEYS,
		"The kernel leaves TDX off because the BIOS gives it too few keys",
		"A BIOS setting: more private KeyIDs for TDX (the split of TME-MT and TDX keys), "
		"at least 2. Then boot again."},
	{TDX_TROUBLE_NO_MODULE, FINDING_TDX_MODULE_MISSING, "The BIOS has loaded no TDX module",
		"A BIOS setting: load the TDX module (SEAM loader); or a newer BIOS that brings "
		"one. "
		"Then boot again."},
	{TDX_TROUBLE_OLD_MODULE, FINDING_TDX_MODULE_OLD, "The TDX module is too old",
		"A newer BIOS, or a newer TDX module. Then boot again."},
	{TDX_TROUBLE_PROCESSOR, FINDING_TDX_PROCESSOR,
		"The processor has not all that TDX needs, or it is switched off",
		"Take clearcpuid= and the like off the kernel command line, or change the BIOS "
		"setting. Then boot again."},
};

void doctor_check_tdx_log(struct examination *examination)
{
	const struct tdx_log *log = &examination->facts->log;
	struct note note;
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(tdx_findings); i++) {
		const char *line = log->lines[tdx_findings[i].trouble];

		if (!*line)
			continue;
		known = true;
		note_begin(&note, tdx_findings[i].code, SEVERITY_PROBLEM);
		note_source(&note, KERNEL_LOG);
		text_append(&note.message, "%s: %s.", tdx_findings[i].clause, line);
		text_append(&note.remedy, "%s", tdx_findings[i].remedy);
		note_end(examination, &note);
	}
	/* What the kernel says of the whole has a cause that is told by now. */
	if (!known && log->lines[TDX_TROUBLE_FAILED][0])
		find_failure(examination);
}

void doctor_check_cxl_windows(struct examination *examination)
{
	const struct range_set *parts = examination->facts->boot_ram_in_cxl;
	char size[SIZE_TEXT], range[RANGE_TEXT];
	struct note note;

	if (!parts || !doctor_concerns_tdx(examination->facts))
		return;
	for (size_t i = 0; i < parts->n; i++) {
		note_begin(&note, FINDING_BOOT_MAP_IN_CXL_WINDOW, SEVERITY_PROBLEM);
		note_source(&note, "/sys/firmware/acpi/tables/CEDT");
		text_append(&note.message,
			"%s of boot memory lie in a CXL window, at %s: firmware hands CXL memory "
			"out "
			"as ordinary RAM. It is no TDX memory, so TDX cannot initialise.",
			size_format(range_size(parts->ranges[i]), size),
			range_format(parts->ranges[i], range));
		text_append(&note.remedy, "A BIOS setting: CXL memory as special purpose memory "
					  "(EFI_MEMORY_SP); and no "
					  "efi=nosoftreserve" PUT_ON);
		note_end(examination, &note);
	}
}

void doctor_check_late_memory(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	char subject[RECORD_SENTENCE];
	struct note note;

	if (!facts->snapshot || facts->snapshot->gate.detected != GATE_ARMED)
		return;
	for (size_t i = 0; i < facts->n_records; i++) {
		const struct record *record = &facts->records[i];

		if (!is_late(facts->snapshot, record))
			continue;
		note_begin(&note, FINDING_LATE_MEMORY, SEVERITY_PROBLEM);
		note_source(&note, "/sys/devices/system/memory");
		text_append(&note.message,
			"%s is in the kernel, and the TDX module is not initialised yet: Linux "
			"before "
			"7.1 takes it for TDX memory, even if it is offline, and if it is none the "
			"initialisation fails.",
			record_subject(record, subject));
		if (arrival_is_dax(&record->arrival))
			text_append(&note.remedy, "daxctl reconfigure-device -m devdax -f %s",
				record->arrival.device);
		else
			text_append(&note.remedy, LOAD_AT_BOOT
				", then boot again, and let it arrive after kvm_intel is loaded.");
		note_end(examination, &note);
	}
}

static void find_not_loaded(struct examination *examination)
{
	static const struct plain_finding plain = {FINDING_KVM_NOT_LOADED, SEVERITY_NOTICE,
		"/sys/module/kvm_intel",
		"The BIOS has enabled TDX, and kvm_intel is not loaded. Linux 6.16 to 7.0 "
		"initialise "
		"TDX when it is, and memory that arrives before can make that fail.",
		LOAD_AT_BOOT " && modprobe kvm_intel tdx=1"};

	note_plain(examination, &plain);
}

/* Who has switched it off? */
static void append_kvm_remedy(struct text *text, const struct doctor_facts *facts)
{
	struct parameter parameter;

	if (doctor_find_parameter(facts, "kvm_intel.tdx", &parameter) &&
		parameter_is_no(parameter.value)) {
		text_append(text, "kvm_intel.tdx=1" PUT_ON);
		return;
	}
	for (size_t i = 0; i < facts->n_modprobe; i++) {
		const struct modprobe_line *line = &facts->modprobe[i].line;
		const char *value = strstr(line->rest, "tdx=");

		if (line->command != MODPROBE_OPTIONS || !value || !parameter_is_no(value + 4))
			continue;
		doctor_append_comment_out(
			text, facts->modprobe[i].path, "/etc/modprobe.d", line->first, line->last);
		text_append(text, " && ");
	}
	text_append(text, "echo options kvm_intel tdx=1 > /etc/modprobe.d/kvm-tdx.conf && "
			  "modprobe -r kvm_intel && modprobe kvm_intel");
}

void doctor_check_kvm(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	const enum fact *witnesses;
	struct note note;

	if (!facts->snapshot || has_come_to_nothing(facts))
		return;
	witnesses = facts->snapshot->gate.evidence.facts;
	if (witnesses[WITNESS_CPUINFO] != FACT_YES)
		return;
	if (witnesses[WITNESS_KVM_INTEL] == FACT_ABSENT &&
		facts->snapshot->gate.detected == GATE_ARMED)
		find_not_loaded(examination);
	if (witnesses[WITNESS_KVM_INTEL] != FACT_NO)
		return;
	note_begin(&note, FINDING_KVM_TDX_OFF, SEVERITY_NOTICE);
	note_source(&note, "/sys/module/kvm_intel/parameters/tdx");
	text_append(&note.message,
		"/sys/module/kvm_intel/parameters/tdx is N: KVM can run no confidential VM on this "
		"host, and the rules for its memory hold all the same");
	if (facts->log.lines[TDX_TROUBLE_KVM][0])
		text_append(&note.message, "; %s", facts->log.lines[TDX_TROUBLE_KVM]);
	text_append(&note.message, ".");
	append_kvm_remedy(&note.remedy, facts);
	note_end(examination, &note);
}
