/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The findings of the doctor about the host: programs that online memory, switches, kernel
 * parameters, and memory that is stranded, missing or was onlined by another program.
 */
#include "tests/unit/unit.h"

#include "tdxo/policy/guard.h"
#include "tests/unit/doctor_scene.h"

static void test_unwritable(void **state)
{
	static const struct doctor_unwritable unwritable[] = {
		{"/sys/bus/dax/drivers_autoprobe", EROFS, 812},
		{"/sys/devices/system/memory/auto_online_blocks", EROFS, 0},
		{"/sys/devices/system/memory/memory0/state", EACCES, 0},
	};

	(void)state;
	HOST(host);
	host.facts.unwritable = unwritable;
	host.facts.n_unwritable = 3;
	assert_findings(&host,
		{FINDING_NOT_WRITABLE, SEVERITY_PROBLEM,
			"cannot be written by the daemon (process 812): Read-only file system.",
			"systemctl revert tdx-onlined.service", "/sys/bus/dax/drivers_autoprobe"},
		{FINDING_NOT_WRITABLE, SEVERITY_PROBLEM,
			"auto_online_blocks cannot be written: ", "mount -o remount,rw /sys",
			"/sys/devices/system/memory/auto_online_blocks"},
		{FINDING_NOT_WRITABLE, SEVERITY_PROBLEM, "Permission denied.", "as root",
			"/sys/devices/system/memory/memory0/state"});
}

#define AUTO_ONLINE "/sys/devices/system/memory/auto_online_blocks"
#define AUTOPROBE   "/sys/bus/dax/drivers_autoprobe"

static void test_guard(void **state)
{
	(void)state;
	HOST(host);
	strcpy(host.snapshot.auto_online_blocks, "online_movable");
	assert_findings(
		&host, {FINDING_KERNEL_POLICY, SEVERITY_PROBLEM, AUTO_ONLINE " is online_movable",
			       "systemctl restart tdx-onlined.service", AUTO_ONLINE});
	host.facts.running = false;
	assert_findings(&host, {FINDING_KERNEL_POLICY, SEVERITY_PROBLEM, "",
				       "Run 'systemctl enable --now tdx-onlined.service'. Put "
				       "memhp_default_state=offline on the kernel command line",
				       AUTO_ONLINE});
	host.facts.masked = true;
	assert_findings(
		&host, {FINDING_KERNEL_POLICY, SEVERITY_PROBLEM, "",
			       "Run 'systemctl unmask tdx-onlined.service && systemctl enable",
			       AUTO_ONLINE});
	host.facts.masked = false;
	strcpy(host.snapshot.auto_online_blocks, "");
	assert_healthy(&host);
	host.snapshot.dax_autoprobe = DAX_AUTOPROBE_ON;
	assert_findings(&host, {FINDING_GUARD_DOWN, SEVERITY_PROBLEM, AUTOPROBE " is 1",
				       "systemctl enable --now tdx-onlined.service", AUTOPROBE});
	host.facts.observe = true;
	assert_findings(&host, {FINDING_GUARD_DOWN, SEVERITY_PROBLEM, "",
				       "Act=yes in tdx-onlined.conf(5), then run 'systemctl start "
				       "tdx-onlined.service && systemctl reload",
				       AUTOPROBE});
	host.facts.observe = false;
	host.facts.guard_never = true;
	assert_findings(&host, {FINDING_GUARD_DOWN, SEVERITY_PROBLEM, "", "Guard=auto", AUTOPROBE});
	host.snapshot.dax_autoprobe = DAX_AUTOPROBE_UNREAD;
	assert_healthy(&host);
}

/* Without TDX only the switches that a rule needs. */
static void test_guard_for_rules(void **state)
{
	(void)state;
	HOST(host);
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	strcpy(host.snapshot.auto_online_blocks, "online");
	host.snapshot.dax_autoprobe = DAX_AUTOPROBE_ON;
	assert_healthy(&host);
	host.facts.guard = 1U << GUARD_DAX;
	assert_findings(
		&host, {FINDING_GUARD_DOWN, SEVERITY_PROBLEM, "", "systemctl restart", AUTOPROBE});
	host.facts.guard = 1U << GUARD_AUTO_ONLINE;
	assert_findings(&host,
		{FINDING_KERNEL_POLICY, SEVERITY_PROBLEM, "", "systemctl restart", AUTO_ONLINE});
}

static void assert_parameter(const char *cmdline, enum severity severity, const char *message)
{
	HOST(host);
	host.facts.cmdline = cmdline;
	assert_findings(&host, {FINDING_KERNEL_COMMAND_LINE, severity, message,
				       "the kernel command line", "/proc/cmdline"});
}

static void test_command_line(void **state)
{
	static const char *const harmless[] = {"", "tdx_onlined=on", "memhp_default_state=offline",
		"memhp_default_state=online memhp_default_state=offline", "efi=debug",
		"efi_nosoftreserve", "mem=64G", "memmap=256M%256M+0xefffffff", "memmap=256M!256M",
		"memmap=4G$8G", "quiet -- movable_node"};

	(void)state;
	assert_parameter("a tdx_onlined=off", SEVERITY_PROBLEM, "service does not start");
	assert_parameter("memhp_default_state=online_kernel b", SEVERITY_PROBLEM,
		"memhp_default_state=online_kernel on the kernel command line: the kernel onlines");
	assert_parameter("memhp_default_state=offline memhp_default_state=online", SEVERITY_PROBLEM,
		"memhp_default_state=online on");
	assert_parameter("efi=debug,nosoftreserve", SEVERITY_PROBLEM, "CXL memory above all");
	assert_parameter("efi_fake_mem=4G@4G:0x40000", SEVERITY_NOTICE, "attributes");
	assert_parameter("memmap=4G@8G", SEVERITY_PROBLEM, "makes RAM");
	assert_parameter("movable_node", SEVERITY_NOTICE,
		"movable_node on the kernel command line: boot memory that can be unplugged");
	assert_parameter("movablecore=4G", SEVERITY_NOTICE, "ZONE_MOVABLE");
	assert_parameter("kernelcore=4G", SEVERITY_NOTICE, "ZONE_MOVABLE");
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		HOST(host);
		host.facts.cmdline = harmless[i];
		assert_healthy(&host);
	}
}

/* Without TDX only parameters that concern this program are reported. */
static void test_command_line_without_tdx(void **state)
{
	(void)state;
	HOST(host);
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	host.facts.cmdline = "memhp_default_state=online efi=nosoftreserve movable_node";
	assert_healthy(&host);
	host.facts.cmdline = "memhp_default_state=online tdx_onlined=off";
	assert_findings(&host, {FINDING_KERNEL_COMMAND_LINE, SEVERITY_PROBLEM, "tdx_onlined=off",
				       "", "/proc/cmdline"});
}

static void test_udev(void **state)
{
	static const struct doctor_udev rules[] = {
		{"/usr/lib/udev/rules.d/40-a.rules", {14, 14, UDEV_WRITES, "online_movable"}},
		{"/etc/udev/rules.d/50-b.rules", {3, 5, UDEV_RUNS, "/bin/sh -c 'echo online'"}},
		{"/run/udev/rules.d/it's.rules", {1, 1, UDEV_WRITES, "on\033line"}},
		{"/etc/udev/rules.d/it's\\\033.rules", {1, 1, UDEV_WRITES, "online"}},
	};

	(void)state;
	HOST(host);
	host.facts.udev = rules;
	host.facts.n_udev = 4;
	assert_findings(&host,
		{FINDING_UDEV_RULE, SEVERITY_NOTICE,
			"/usr/lib/udev/rules.d/40-a.rules:14 may online memory: udevd writes "
			"online_movable to a device that appears.",
			"mkdir -p /etc/udev/rules.d && { test -e /etc/udev/rules.d/40-a.rules || "
			"{ cp /usr/lib/udev/rules.d/40-a.rules "
			"/etc/udev/rules.d/40-a.rules.new && mv "
			"/etc/udev/rules.d/40-a.rules.new /etc/udev/rules.d/40-a.rules; }; } && "
			"sed -i '14s/^/#/' /etc/udev/rules.d/40-a.rules && udevadm control "
			"--reload",
			"/usr/lib/udev/rules.d/40-a.rules:14"},
		{FINDING_UDEV_RULE, SEVERITY_NOTICE,
			"/etc/udev/rules.d/50-b.rules:3 may online memory: udevd runs /bin/sh -c "
			"'echo online'",
			"sed -i '3,5s/^/#/' /etc/udev/rules.d/50-b.rules && udevadm",
			"/etc/udev/rules.d/50-b.rules:3"},
		{FINDING_UDEV_RULE, SEVERITY_NOTICE, "writes on\033line",
			"{ cp '/run/udev/rules.d/it'\\''s.rules' "
			"'/etc/udev/rules.d/it'\\''s.rules.new' && mv ",
			"/run/udev/rules.d/it's.rules:1"},
		{FINDING_UDEV_RULE, SEVERITY_NOTICE, "may online memory",
			"sed -i '1s/^/#/' $'/etc/udev/rules.d/it\\'s\\\\\033.rules'",
			"/etc/udev/rules.d/it's\\\033.rules:1"});
	host.facts.n_udev = 1;
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	assert_findings(&host, {FINDING_UDEV_RULE, SEVERITY_NOTICE, "", "",
				       "/usr/lib/udev/rules.d/40-a.rules:14"});
}

/*
 * A finding for each kind of file, in the order of the codes. The remedy for a script removes the
 * line that runs it.
 */
static void test_writers(void **state)
{
	static const struct doctor_writer writers[] = {
		{WRITER_SCRIPT, "/usr/local/sbin/grow", 4, "chmem -e 1g",
			{PLACE_UDEV, "/etc/udev/rules.d/50-b.rules", 3, 3}},
		{WRITER_UNIT, "/usr/lib/systemd/system/a.service.d/b.conf", 2, "/bin/chmem -e 1g",
			{PLACE_SYSTEMD, "/usr/lib/systemd/system/a.service.d/b.conf", 2, 3}},
		{WRITER_UNIT, "/etc/systemd/system/a.service", 7, "/bin/chmem -e 1g",
			{PLACE_SYSTEMD, "/etc/systemd/system/a.service", 7, 7}},
		{WRITER_SYSFS, "/etc/sysfs.d/a.conf", 1, "x = online",
			{PLACE_SYSFS, "/etc/sysfs.d/a.conf", 1, 1}},
		{WRITER_TMPFILES, "/usr/lib/tmpfiles.d/a.conf", 9, "w x - - - - online",
			{PLACE_TMPFILES, "/usr/lib/tmpfiles.d/a.conf", 9, 9}},
	};

	(void)state;
	HOST(host);
	host.facts.writers = writers;
	host.facts.n_writers = ARRAY_SIZE(writers);
	assert_findings(&host,
		{FINDING_TMPFILES_CONFIG, SEVERITY_NOTICE,
			"/usr/lib/tmpfiles.d/a.conf:9 may online memory: systemd-tmpfiles applies "
			"w x - - - - online",
			"; }; } && sed -i '9s/^/#/' /etc/tmpfiles.d/a.conf",
			"/usr/lib/tmpfiles.d/a.conf:9"},
		{FINDING_SYSFS_CONFIG, SEVERITY_NOTICE, "sysfsutils.service applies x = online",
			"sed -i '1s/^/#/' /etc/sysfs.d/a.conf", "/etc/sysfs.d/a.conf:1"},
		{FINDING_SYSTEMD_UNIT, SEVERITY_NOTICE, "systemd runs /bin/chmem -e 1g",
			"mkdir -p /etc/systemd/system/a.service.d && { test -e "
			"/etc/systemd/system/a.service.d/b.conf || ",
			"/usr/lib/systemd/system/a.service.d/b.conf:2"},
		{FINDING_SYSTEMD_UNIT, SEVERITY_NOTICE, "",
			"sed -i '7s/^/#/' /etc/systemd/system/a.service && systemctl daemon-reload",
			"/etc/systemd/system/a.service:7"},
		{FINDING_SCRIPT, SEVERITY_NOTICE,
			"/usr/local/sbin/grow:4 may online memory: /etc/udev/rules.d/50-b.rules:3 "
			"runs this script, which has the line chmem -e 1g",
			"sed -i '3s/^/#/' /etc/udev/rules.d/50-b.rules && udevadm control --reload",
			"/usr/local/sbin/grow:4"});
}

/* A command that is too long is replaced by a sentence, and never cut off. */
static void test_long_path(void **state)
{
	char path[900] = "/usr/lib/udev/rules.d/";
	const struct doctor_udev rule = {path, {1, 1, UDEV_WRITES, "online"}};

	(void)state;
	HOST(host);
	memset(path + strlen(path), '\'', 250);
	host.facts.udev = &rule;
	host.facts.n_udev = 1;
	path[strlen("/usr/lib/udev/rules.d/") + 250] = '\0';
	CLEANUP(findings_done) struct findings findings = {0};
	assert_int_equal(doctor_examine(&host.facts, &findings), 0);
	assert_string_equal(
		findings.items[0].remedy, "Comment out the line that the message names.");
}

static void test_daxctl(void **state)
{
	static const struct doctor_daxctl sections[] = {
		{"/etc/daxctl.conf.d/a.conf", {2, "off", true, true}},
		{"/etc/daxctl.conf.d/a.conf", {7, "devdax", false, false}},
		{"/etc/daxctl.conf.d/a.conf", {11, "pmem", true, false}},
	};

	(void)state;
	HOST(host);
	host.facts.daxctl = sections;
	host.facts.n_daxctl = 2;
	assert_healthy(&host);
	host.facts.n_daxctl = 3;
	assert_findings(&host, {FINDING_DAXCTL_CONFIG, SEVERITY_PROBLEM,
				       "a.conf:11: daxctl makes memory of the device of section "
				       "[reconfigure-device pmem]",
				       "online = false", "/etc/daxctl.conf.d/a.conf:11"});
}

static void test_agent(void **state)
{
	static const struct doctor_process agents[] = {{812, "qemu-ga"}};

	(void)state;
	HOST(host);
	host.facts.agents = agents;
	host.facts.n_agents = 1;
	assert_findings(&host, {FINDING_GUEST_AGENT, SEVERITY_PROBLEM, "qemu-ga runs (process 812)",
				       "block-rpcs=guest-set-memory-blocks", "/proc/812/comm"});
}

static void test_modules(void **state)
{
	static const struct doctor_modprobe modprobe[] = {
		{"/etc/modprobe.d/a.conf", {1, 1, MODPROBE_BLACKLIST, "kmem", ""}},
		{"/usr/lib/modprobe.d/b.conf",
			{2, 3, MODPROBE_INSTALL, "device_dax", "/bin/false"}},
		{"/etc/modprobe.d/a.conf",
			{4, 4, MODPROBE_INSTALL, "kmem", "/sbin/modprobe -i kmem"}},
		{"/etc/modprobe.d/a.conf", {5, 5, MODPROBE_BLACKLIST, "pcspkr", ""}},
		{"/etc/modprobe.d/a.conf", {6, 6, MODPROBE_OPTIONS, "kmem", "x=/bin/true"}},
	};

	(void)state;
	HOST(host);
	host.facts.modprobe = modprobe;
	host.facts.n_modprobe = ARRAY_SIZE(modprobe);
	assert_findings(&host,
		{FINDING_MODULE_BLACKLISTED, SEVERITY_PROBLEM,
			"/etc/modprobe.d/a.conf:1 keeps kmem from being loaded",
			"sed -i '1s/^/#/' /etc/modprobe.d/a.conf && modprobe kmem",
			"/etc/modprobe.d/a.conf:1"},
		{FINDING_MODULE_BLACKLISTED, SEVERITY_PROBLEM, "cannot be used as a devdax device",
			"sed -i '2,3s/^/#/' /etc/modprobe.d/b.conf && modprobe device_dax",
			"/usr/lib/modprobe.d/b.conf:2"});
	host.facts.n_modprobe = 0;
	host.facts.cmdline = "modprobe.blacklist=pcspkr,dax-cxl module_blacklist=kmem,x";
	assert_findings(&host,
		{FINDING_MODULE_BLACKLISTED, SEVERITY_PROBLEM,
			"modprobe.blacklist= on the kernel command line keeps dax_cxl",
			"Take dax_cxl off modprobe.blacklist=", "/proc/cmdline"},
		{FINDING_MODULE_BLACKLISTED, SEVERITY_PROBLEM,
			"module_blacklist=", "Take kmem off module_blacklist=", "/proc/cmdline"});
}

static void assert_stranded(const struct host *host, const char *message, const char *remedy)
{
	assert_findings(host, {FINDING_STRANDED, SEVERITY_PROBLEM, message, remedy,
				      "/sys/devices/system/memory"});
}

static void test_stranded(void **state)
{
	struct late *late;

	(void)state;
	HOST(host);
	late = add_record(&host, "dax0.0", 4, 0);
	assert_stranded(&host, ": 512 MiB of it, in 4 memory blocks, must stay offline.",
		"daxctl reconfigure-device -m devdax -f dax0.0");
	late->record->outcome.blocks.online = 3;
	assert_stranded(&host, ": 128 MiB of it, in 1 memory block, must", "daxctl");
	late->facts.device.name[0] = '\0';
	late->facts.device.type = TYPE_VIRTIO_MEM;
	assert_stranded(&host, "", "requested-size=0");
	late->facts.device.type = TYPE_DIMM;
	assert_stranded(&host, "", "Leave the DIMM in its slot and reboot");
	/*
	 * not if it is online, the verdict is online, its blocks are not in the kernel, or TDX is
	 * absent
	 */
	late->record->outcome.blocks.online = 4;
	assert_healthy(&host);
	late->record->outcome.blocks = (struct block_count){4, 0, 4};
	assert_healthy(&host);
	late->record->outcome.blocks = (struct block_count){0};
	assert_healthy(&host);
	late->record->outcome.blocks.present = 4;
	late->decision.verdict = VERDICT_ONLINE;
	assert_healthy(&host);
	late->decision.verdict = VERDICT_OFFLINE;
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	assert_healthy(&host);
}

/* A device of kmem without blocks is a finding on any host, for every verdict. */
static void test_missing(void **state)
{
	struct late *late;

	(void)state;
	HOST(host);
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	late = add_record(&host, "dax0.0", 0, 0);
	late->decision.verdict = VERDICT_IGNORE;
	late->record->outcome.missing = 4;
	late->facts.unplugged = true;
	assert_findings(
		&host, {FINDING_STRANDED, SEVERITY_PROBLEM,
			       ": its driver is kmem, and 512 MiB of it, 4 memory blocks, "
			       "are not in the kernel: the device is unplugged.",
			       "echo dax0.0 >/sys/bus/dax/drivers/kmem/unbind && tdx-onlinectl "
			       "decide dax0.0",
			       "/sys/bus/dax/devices/dax0.0"});
	late->decision.verdict = VERDICT_ONLINE;
	late->record->outcome = (struct outcome){.blocks = {3, 3, 0}, .missing = 1};
	late->facts.unplugged = false;
	assert_findings(&host, {FINDING_STRANDED, SEVERITY_PROBLEM,
				       "128 MiB of it, 1 memory block, is not in the kernel. ",
				       "daxctl", "/sys/bus/dax/devices/dax0.0"});
	late->facts.device.type = TYPE_PMEM;
	assert_healthy(&host);
}

static void test_bypassed(void **state)
{
	struct device devices[] = {device_of("dax0.0", TYPE_CXL), device_of("dax1.0", TYPE_HMEM)};

	(void)state;
	HOST(host);
	devices[0].driver = DAX_DRIVER_KMEM;
	devices[1].driver = DAX_DRIVER_DEVICE_DAX;
	host.facts.bypassed = devices;
	host.facts.n_bypassed = 2;
	assert_findings(&host,
		{FINDING_GUARD_BYPASSED, SEVERITY_NOTICE, "bound the driver kmem to dax0.0 while",
			"decided again, run 'tdx-onlinectl decide dax0.0'.",
			"/sys/bus/dax/devices/dax0.0/driver"},
		{FINDING_GUARD_BYPASSED, SEVERITY_NOTICE, "driver device_dax to dax1.0 while",
			"decide dax1.0", "/sys/bus/dax/devices/dax1.0/driver"});
	host.facts.running = false;
	host.facts.n_bypassed = 1;
	assert_findings(&host,
		{FINDING_GUARD_BYPASSED, SEVERITY_NOTICE, "",
			"'systemctl start tdx-onlined.service && tdx-onlinectl decide dax0.0'",
			"/sys/bus/dax/devices/dax0.0/driver"});
}

static void test_movable(void **state)
{
	static const struct doctor_movable movable[] = {
		{{2 * GIB, 3 * GIB}, 1}, {{4 * GIB, 4 * GIB + BLOCK}, NODE_UNKNOWN}};

	(void)state;
	HOST(host);
	host.facts.movable = movable;
	host.facts.n_movable = 2;
	assert_findings(&host,
		{FINDING_MOVABLE_ZONE, SEVERITY_NOTICE,
			"1 GiB at [mem 0x80000000-0xbfffffff] (node 1) are in ZONE_MOVABLE",
			"chmem -d 0x80000000-0xbfffffff; chmem -e -z Normal "
			"0x80000000-0xbfffffff; chmem -e 0x80000000-0xbfffffff",
			"/sys/devices/system/memory"},
		{FINDING_MOVABLE_ZONE, SEVERITY_NOTICE,
			"128 MiB at [mem 0x100000000-0x107ffffff] are in",
			"; chmem -e 0x100000000-0x107ffffff", "/sys/devices/system/memory"});
	set_tdx(&host, TDX_ABSENT, TDX_MODE_AUTO);
	assert_healthy(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unwritable),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_guard_for_rules),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_command_line_without_tdx),
		cmocka_unit_test(test_udev),
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_daxctl),
		cmocka_unit_test(test_agent),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_stranded),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_bypassed),
		cmocka_unit_test(test_movable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
