/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The findings of the doctor about TDX. The host of doctor_scene.h has no findings. Each test makes
 * one fault, expects its finding and no other, and expects none where the same fact does no harm.
 */
#include "tests/unit/unit.h"

#include "tests/unit/doctor_scene.h"

static void test_no_findings(void **state)
{
	(void)state;
	HOST(host);
	host.facts.cmdline = NULL;
	assert_healthy(&host);
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	host.snapshot.dax_autoprobe = DAX_AUTOPROBE_ON;
	strcpy(host.snapshot.auto_online_blocks, "online");
	host.snapshot.boot_map.known = false;
	host.facts.running = false;
	assert_healthy(&host);
}

static void test_no_hotplug(void **state)
{
	(void)state;
	HOST(host);
	host.facts.snapshot = NULL;
	assert_findings(&host,
		{FINDING_NO_MEMORY_HOTPLUG, SEVERITY_PROBLEM, "no memory hotplug",
			"CONFIG_MEMORY_HOTPLUG=y", "/sys/devices/system/memory/block_size_bytes"});
}

static void test_tdx_mode(void **state)
{
	(void)state;
	HOST(host);
	set_tdx(&host, TDX_ACTIVE, TDX_MODE_ABSENT);
	assert_findings(&host, {FINDING_TDX_OVERRIDDEN, SEVERITY_PROBLEM,
				       "absent as configured, but active as found", "TDX=auto",
				       "/etc/tdx-onlined/tdx-onlined.conf"});
	set_tdx(&host, TDX_ABSENT, TDX_MODE_ABSENT);
	assert_healthy(&host);
	set_tdx(&host, TDX_ABSENT, TDX_MODE_ACTIVE);
	assert_healthy(&host);
}

static void test_boot_map(void **state)
{
	(void)state;
	HOST(host);
	host.snapshot.boot_map.known = false;
	assert_findings(&host, {FINDING_BOOT_MAP_UNKNOWN, SEVERITY_PROBLEM, "was RAM at boot",
				       "CapableRanges=", "/sys/kernel/boot_params/data"});
}

#define SYS_INIT "virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000"
#define CONFIG	 "virt/tdx: SEAMCALL (0x000000000000002d) failed: 0xc0000a0200000000"
#define FAILED_5 "virt/tdx: module initialization failed (-5)"

/* TDX does not start: one finding about the cause, and none about its consequences. */
static void test_tdx_failures(void **state)
{
	static const struct {
		enum tdx_state before; /* absent: the CPU has no flag tdx_host_platform */
		const char *messages[2];
		struct want want;
	} rows[] = {
		{TDX_ABSENT, {"virt/tdx: initialization failed: Hibernation support is enabled"},
			{FINDING_TDX_HIBERNATION, SEVERITY_PROBLEM, "Hibernation support",
				"nohibernate on the kernel command line", "kernel log"}},
		{TDX_ABSENT, {"virt/tdx: initialization failed: too few private KeyIDs available."},
			{FINDING_TDX_FEW_KEYS, SEVERITY_PROBLEM, "too few private KeyIDs",
				"more private KeyIDs", "kernel log"}},
		{TDX_ARMED, {"virt/tdx: module not loaded"},
			{FINDING_TDX_MODULE_MISSING, SEVERITY_PROBLEM, "module not loaded",
				"SEAM loader", "kernel log"}},
		{TDX_ARMED,
			{"virt/tdx: frame pointer (RBP) clobber bug present, upgrade TDX module",
				"virt/tdx: module initialization failed (-22)"},
			{FINDING_TDX_MODULE_OLD, SEVERITY_PROBLEM, "RBP", "newer TDX module",
				"kernel log"}},
		{TDX_ARMED, {"virt/tdx: Self-snoop is required for TDX"},
			{FINDING_TDX_PROCESSOR, SEVERITY_PROBLEM, "Self-snoop",
				"clearcpuid=", "kernel log"}},
		{TDX_ARMED, {SYS_INIT},
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM,
				SYS_INIT ". The TDX module answered SEAMCALL leaf 33 with "
					 "0xc000090000000000: a CPUID value is not what the TDX "
					 "module requires. TDX cannot start before the next boot.",
				"Update the BIOS and the TDX module", "kernel log"}},
		{TDX_ARMED, {CONFIG, FAILED_5},
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM,
				"leaf 45 with 0xc0000a0200000000: memory of the kernel is not "
				"convertible to TDX memory.",
				"Update the BIOS and the TDX module", "kernel log"}},
		{TDX_ARMED, {FAILED_5},
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, FAILED_5 ". TDX cannot start",
				"journalctl -k -b -g virt/tdx", "kernel log"}},
		{TDX_ARMED, {"virt/tdx: TDX-Module initialization failed (-12)"},
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "failed (-12).",
				"while memory is free", "kernel log"}},
		{TDX_ARMED,
			{"virt/tdx: SEAMCALL (0x0000000000000023) failed: 0xc000090000000000",
				"virt/tdx: module initialization failed (-28)"},
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "failed (-28). TDX cannot",
				"fewer and larger ranges", "kernel log"}},
		{TDX_ARMED, {"virt/tdx: module initialization failed (-28)"},
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "failed (-28).",
				"fewer and larger ranges", "kernel log"}},
		{TDX_ARMED, {"virt/tdx: module initialization failed (-22)"},
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "failed (-22).",
				"journalctl -k -b -g virt/tdx", "kernel log"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		HOST(host);
		set_tdx(&host, rows[i].before, TDX_MODE_AUTO);
		for (size_t j = 0; j < 2 && rows[i].messages[j]; j++)
			log_message(&host, rows[i].messages[j]);
		assert_int_equal(host.snapshot.tdx.detected, TDX_ABSENT);
		assert_findings_of(&host.facts, &rows[i].want, 1);
		/* the same on a kernel without memory hotplug */
		host.facts.snapshot = NULL;
		assert_findings(&host,
			{FINDING_NO_MEMORY_HOTPLUG, SEVERITY_PROBLEM, "", "",
				"/sys/devices/system/memory/block_size_bytes"},
			rows[i].want);
	}
}

/*
 * From 7.1 on the kernel has tried to initialize TDX before KVM is loaded and before memory
 * arrives: neither is reported as the cause.
 */
static void test_not_started(void **state)
{
	(void)state;
	HOST(host);
	set_tdx(&host, TDX_ARMED, TDX_MODE_AUTO);
	set_release(&host, 7, 1);
	assert_findings(&host, {FINDING_TDX_UNKNOWN, SEVERITY_PROBLEM,
				       "cannot be read. Sources: /proc/cpuinfo: tdx_host_platform; "
				       "/sys/devices/system/cpu/hotplug/states: missing.",
				       "Run this as root", "TDX state"});
	set_source(&host, TDX_SOURCE_CORE_STATE, FACT_NO);
	set_source(&host, TDX_SOURCE_KVM_INTEL, FACT_NO);
	assert_findings(&host, {FINDING_TDX_NOT_STARTED, SEVERITY_PROBLEM, "does not show why",
				       "VMX", "TDX state"});
	add_record(&host, "dax0.0", 4, 4)->decision.verdict = VERDICT_ONLINE;
	log_message(&host, "virt/tdx: TDX-Module initialization failed (-5)");
	assert_findings(
		&host, {FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "failed (-5). TDX cannot start",
			       "Boot again.", "kernel log"});
	log_message(&host, "virt/tdx: TDX-Module initialization failed (-12)");
	assert_findings(&host, {FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "failed (-12).",
				       "hugepages=", "kernel log"});
}

static void test_conflict(void **state)
{
	(void)state;
	HOST(host);
	set_source(&host, TDX_SOURCE_CPUINFO, FACT_NO);
	assert_findings(&host, {FINDING_TDX_UNKNOWN, SEVERITY_PROBLEM,
				       "contradict each other. Sources: /proc/cpuinfo: no "
				       "tdx_host_platform; /sys/devices/faux/tdx_host: exists.",
				       "tdx-onlinectl capture", "TDX state"});
}

/* If memory is a possible cause, the message names it, and the remedy is only about it. */
static void test_failed_by_memory(void **state)
{
	static const char *const messages[] = {CONFIG, FAILED_5};
	struct range ranges[] = {{512 * MIB, 768 * MIB}};
	struct range_set parts = {ranges, 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		HOST(host);
		set_tdx(&host, TDX_ARMED, TDX_MODE_AUTO);
		log_message(&host, messages[i]);
		log_message(&host, FAILED_5);
		add_record(&host, "dax0.0", 4, 4)->decision.verdict = VERDICT_ONLINE;
		assert_findings(
			&host, {FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM,
				       " 512 MiB in the kernel came after boot, perhaps before TDX "
				       "started.",
				       "out of the kernel: load kvm_intel before", "kernel log"});
		host.facts.snapshot = NULL;
		assert_findings(&host,
			{FINDING_NO_MEMORY_HOTPLUG, SEVERITY_PROBLEM, "", "",
				"/sys/devices/system/memory/block_size_bytes"},
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "", "", "kernel log"});
		host.facts.snapshot = &host.snapshot;
		host.facts.n_records = 0;
		host.facts.boot_ram_in_cxl = &parts;
		assert_findings(&host,
			{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "",
				"out of the kernel: set CXL memory to special purpose",
				"kernel log"},
			{FINDING_BOOT_MAP_IN_CXL_WINDOW, SEVERITY_PROBLEM, "", "",
				"/sys/firmware/acpi/tables/CEDT"});
	}
}

static void test_cxl_window(void **state)
{
	struct range ranges[] = {{512 * MIB, 768 * MIB}, {GIB, 65 * GIB}};
	struct range_set parts = {ranges, 2};
	const struct want wants[] = {
		{FINDING_BOOT_MAP_IN_CXL_WINDOW, SEVERITY_PROBLEM,
			"256 MiB of boot memory lie in a CXL window, at [mem "
			"0x20000000-0x2fffffff]",
			"EFI_MEMORY_SP", "/sys/firmware/acpi/tables/CEDT"},
		{FINDING_BOOT_MAP_IN_CXL_WINDOW, SEVERITY_PROBLEM,
			"64 GiB of boot memory lie in a CXL window, at [mem "
			"0x40000000-0x103fffffff]",
			"nosoftreserve", "/sys/firmware/acpi/tables/CEDT"},
	};

	(void)state;
	HOST(host);
	host.facts.boot_ram_in_cxl = &parts;
	assert_healthy(&host); /* TDX is active: the kernel has accepted this memory */
	set_tdx(&host, TDX_ARMED, TDX_MODE_AUTO);
	assert_findings_of(&host.facts, wants, 2);
	/* Without TDX this is a normal use of CXL memory; it can be why TDX failed to start. */
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	assert_healthy(&host);
	host.log.enabled = true;
	assert_findings_of(&host.facts, wants, 2);
	parts.n = 0;
	assert_healthy(&host);
}

static void test_late_memory(void **state)
{
	struct late *late;

	(void)state;
	HOST(host);
	set_tdx(&host, TDX_ARMED, TDX_MODE_AUTO);
	late = add_record(&host, "dax0.0", 4, 0);
	late->decision.verdict = VERDICT_ONLINE; /* or it would be stranded, too */
	assert_findings(&host, {FINDING_LATE_MEMORY, SEVERITY_PROBLEM, "is in the kernel",
				       "daxctl reconfigure-device -m devdax -f dax0.0",
				       "/sys/devices/system/memory"});
	late->facts.device.name[0] = '\0';
	assert_findings(
		&host, {FINDING_LATE_MEMORY, SEVERITY_PROBLEM, "[mem 0x100000000-",
			       "/etc/modules-load.d/kvm_intel.conf", "/sys/devices/system/memory"});
	/* not if it was RAM at boot, if it is not in the kernel, or if TDX is active already */
	late->record->range = span(512 * MIB, GIB);
	assert_healthy(&host);
	late->record->range = span(4 * GIB, 5 * GIB);
	late->record->outcome.blocks.present = 0;
	assert_healthy(&host);
	late->record->outcome.blocks.present = 4;
	set_tdx(&host, TDX_ACTIVE, TDX_MODE_AUTO);
	assert_healthy(&host);
}

static void test_kvm_not_loaded(void **state)
{
	(void)state;
	HOST(host);
	set_tdx(&host, TDX_ARMED, TDX_MODE_AUTO);
	assert_healthy(&host); /* kvm_intel is loaded and has no parameter "tdx" */
	host.facts.kvm_loaded = false;
	assert_findings(&host, {FINDING_KVM_NOT_LOADED, SEVERITY_NOTICE, "kvm_intel is not loaded",
				       "modprobe kvm_intel tdx=1", "/sys/module/kvm_intel"});
	/* KVM of an older kernel may not support TDX: the command checks for the parameter */
	set_release(&host, 6, 12);
	assert_findings(&host,
		{FINDING_KVM_NOT_LOADED, SEVERITY_NOTICE, "If its KVM supports TDX",
			"modinfo -p kvm_intel | grep -q ^tdx: && ", "/sys/module/kvm_intel"});
}

#define KVM_PARAMETER "/sys/module/kvm_intel/parameters/tdx"

static void assert_kvm_off(const struct host *host, const char *message, const char *remedy)
{
	assert_findings(
		host, {FINDING_KVM_TDX_OFF, SEVERITY_NOTICE, message, remedy, KVM_PARAMETER});
}

static void test_kvm_off(void **state)
{
	static const struct doctor_modprobe modprobe[] = {
		{"/etc/modprobe.d/kvm.conf",
			{3, 3, MODPROBE_OPTIONS, "kvm_intel", "nested=1 tdx=0"}},
		{"/etc/modprobe.d/other.conf", {1, 1, MODPROBE_OPTIONS, "kvm_intel", "tdx=1"}},
	};

	(void)state;
	HOST(host);
	host.snapshot.tdx.evidence.facts[TDX_SOURCE_KVM_INTEL] = FACT_NO;
	assert_kvm_off(&host, "tdx is N", "echo options kvm_intel tdx=1 >");
	tdx_log_read(&host.log, "kvm_intel: APICv is required for TDX");
	assert_kvm_off(&host, "; kvm_intel: APICv is required for TDX.", "what the message names");
	host.facts.modprobe = modprobe;
	host.facts.n_modprobe = 2;
	assert_kvm_off(&host, "",
		"sed -i '3s/^/#/' /etc/modprobe.d/kvm.conf && mkdir -p /etc/modprobe.d && echo "
		"options kvm_intel tdx=1 >/etc/modprobe.d/kvm-tdx.conf && modprobe -r kvm_intel; "
		"modprobe kvm_intel");
	host.facts.cmdline = "kvm-intel.tdx=off";
	assert_kvm_off(&host, "", "kvm_intel.tdx=1 on the kernel command line");
	host.facts.cmdline = "kvm_intel.tdx=0 kvm_intel.tdx=1";
	assert_kvm_off(&host, "", "sed -i '3s/^/#/'");
	/* TDX failed: KVM is not the cause */
	set_tdx(&host, TDX_ARMED, TDX_MODE_AUTO);
	set_source(&host, TDX_SOURCE_KVM_INTEL, FACT_NO);
	log_message(&host, "virt/tdx: module initialization failed (-22)");
	assert_findings(&host,
		{FINDING_TDX_INIT_FAILED, SEVERITY_PROBLEM, "failed (-22)", "", "kernel log"});
	host.facts.cmdline = "";
	host.log = (struct tdx_log){0};
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	set_source(&host, TDX_SOURCE_KVM_INTEL, FACT_NO);
	assert_healthy(&host);
}

/* A path that is too long for a command, in a finding that is not about a line of a file. */
static void test_kvm_off_long_path(void **state)
{
	char path[300] = "/usr/lib/modprobe.d/";
	const struct doctor_modprobe modprobe = {
		path, {1, 1, MODPROBE_OPTIONS, "kvm_intel", "tdx=0"}};

	(void)state;
	HOST(host);
	host.snapshot.tdx.evidence.facts[TDX_SOURCE_KVM_INTEL] = FACT_NO;
	memset(path + strlen(path), '\'', 250);
	host.facts.modprobe = &modprobe;
	host.facts.n_modprobe = 1;
	assert_kvm_off(&host, "tdx is N", "Remove the cause that the message names.");
}

/* All findings at once are in the order of their codes. */
static void test_order(void **state)
{
	CLEANUP(findings_done) struct findings findings = {0};
	static const struct doctor_process agents[] = {{1, "qemu-ga"}};
	static const struct doctor_udev rules[] = {{"/a.rules", {1, 1, UDEV_WRITES, "online"}}};

	(void)state;
	HOST(host);
	host.facts.agents = agents;
	host.facts.n_agents = 1;
	host.facts.udev = rules;
	host.facts.n_udev = 1;
	host.facts.cmdline = "movable_node tdx_onlined=off modprobe.blacklist=kmem";
	host.snapshot.dax_autoprobe = DAX_AUTOPROBE_ON;
	add_record(&host, "dax0.0", 4, 0);
	assert_int_equal(doctor_examine(&host.facts, &findings), 0);
	assert_int_equal(findings.n, 7);
	for (size_t i = 1; i < findings.n; i++)
		assert_true(findings.items[i - 1].code <= findings.items[i].code);
}

static void test_names(void **state)
{
	(void)state;
	for (enum finding_code c = 0; c < FINDING_MAX; c++) {
		assert_true(strspn(finding_code_to_string(c), "abcdefghijklmnopqrstuvwxyz-") ==
			    strlen(finding_code_to_string(c)));
		for (enum finding_code d = 0; d < c; d++)
			assert_string_not_equal(
				finding_code_to_string(c), finding_code_to_string(d));
	}
	assert_string_equal(severity_to_string(SEVERITY_PROBLEM), "problem");
	assert_string_equal(severity_to_string(SEVERITY_NOTICE), "notice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_findings),
		cmocka_unit_test(test_no_hotplug),
		cmocka_unit_test(test_tdx_mode),
		cmocka_unit_test(test_boot_map),
		cmocka_unit_test(test_tdx_failures),
		cmocka_unit_test(test_not_started),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_failed_by_memory),
		cmocka_unit_test(test_cxl_window),
		cmocka_unit_test(test_late_memory),
		cmocka_unit_test(test_kvm_not_loaded),
		cmocka_unit_test(test_kvm_off),
		cmocka_unit_test(test_kvm_off_long_path),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
