/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of reasons.
 */
#include "tdxo/policy/reason.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define DECIDE_AGAIN                                                                               \
	"let tdx-onlined decide again what to do with it: 'tdx-onlinectl decide @TDXO_TARGET@'."
#define RELEASE                                                                                    \
	"List the programs that map /dev/@TDXO_CHARDEV@, and end them (fuser is in the "           \
	"package psmisc; it prints nothing if no program does): 'fuser -v "                        \
	"/dev/@TDXO_CHARDEV@'. Disable the device, because a device that programs can map "        \
	"is left as it is: 'daxctl "                                                               \
	"disable-device @TDXO_CHARDEV@'. "
#define WRITE_RULE(policy)                                                                         \
	"'printf \"[Match]\\n@TDXO_MATCH@\\n[Policy]\\n" policy                                    \
	"\\n\" >/etc/tdx-onlined/rules.d/50-@TDXO_TARGET@.rule && "                                \
	"systemctl reload tdx-onlined.service'."
#define AS_DEVDAX                                                                                  \
	"To let programs map it as /dev/@TDXO_CHARDEV@, which TDX does not restrict, "             \
	"write a "                                                                                 \
	"rule: " WRITE_RULE("Verdict=devdax")
#define BY_RULE                                                                                    \
	"Nothing needs to be done. A rule can keep such memory out of system RAM or "              \
	"choose its "                                                                              \
	"zone: see tdx-onlined.rule(5)."
#define IF_INTENDED "If this is intended, nothing needs to be done. "
#define RULE_CHANGE                                                                                \
	"Otherwise list the configuration with all rules and their files: 'tdx-onlinectl "         \
	"config "                                                                                  \
	"cat'. Change or remove the rule. "
#define CHECK_RULES                                                                                \
	"Check the configuration, and let tdx-onlined decide again what to do with all "           \
	"memory: "                                                                                 \
	"'tdx-onlinectl config check && systemctl reload tdx-onlined.service'."
#define CAPTURE                                                                                    \
	"report a bug with the files that this command collects: "                                 \
	"'tdx-onlinectl capture /root/tdx-onlined-capture'."
#define BOOT_RAM                                                                                   \
	"TDX runs confidential virtual machines, and requires that all system RAM is "             \
	"memory that it can protect. That is only the memory that firmware reported as "           \
	"RAM when the kernel booted. Memory of a CXL card is usually not reported as RAM, "        \
	"even if the card was in its slot at boot, and a DIMM that was plugged in later "          \
	"was not reported either. If such memory were added to system RAM, an active TDX "         \
	"would make the kernel refuse to online it, and a TDX that is armed, which is "            \
	"enabled but not initialized yet, would fail to "                                          \
	"initialize."
#define USE_DEVDAX                                                                                 \
	"Nothing needs to be done, and the capacity is not lost: programs can map "                \
	"/dev/@TDXO_CHARDEV@, for example databases, or QEMU as the memory of virtual "            \
	"machines that are not confidential. Private memory of confidential virtual "              \
	"machines cannot come from it. To have it as system RAM instead, disable TDX in "          \
	"the BIOS and reboot; this host then runs no confidential virtual machines. Only "         \
	"if the vendor of this host documents that TDX covers this memory from boot on, "          \
	"name its addresses in CapableRanges= in "                                                 \
	"tdx-onlined.conf(5)."
#define REBOOT_DIMM                                                                                \
	"The host runs on without this memory. If it is a DIMM, leave it in its place and "        \
	"reboot: firmware then reports it as RAM, and TDX accepts it. If it was in its "           \
	"place at boot, or nothing has changed after the reboot, ask the vendor of the "           \
	"firmware. If it is virtio-mem memory, set requested-size=0 of the device at the "         \
	"hypervisor, and give the "                                                                \
	"virtual machine more memory at boot instead. Do not online these memory blocks by hand."
#define REBOOT_PART                                                                                \
	"The host runs on without this memory. If a part of it was plugged in after boot, "        \
	"leave it in its place and reboot: firmware then reports all of it as RAM. If all "        \
	"of it was in place at boot, ask the vendor of the firmware why only a part is "           \
	"reported. Do not online "                                                                 \
	"these memory blocks by hand."
#define WHY_REFUSED                                                                                \
	"Read what the kernel logged: 'journalctl -b -k -g \"tdx|dax|kmem|memory\"'. If a "        \
	"security module, SELinux for example, has denied the write, correct its policy; "         \
	"its messages: 'journalctl -b -g \"avc:|apparmor\"'. If TDX=absent or "                    \
	"CapableRanges= is set, check whether that is right for this host, by the sources "        \
	"of the TDX state and the file with the setting: 'tdx-onlinectl doctor; "                  \
	"tdx-onlinectl config cat'. If it is wrong, correct it, check it, and have "               \
	"tdx-onlined read it: 'tdx-onlinectl config check && "                                     \
	"systemctl reload tdx-onlined.service'. If none of this is the cause, " CAPTURE
#define CAUSES_UNREADABLE                                                                          \
	"To see whether a drop-in of the service hides the file, with InaccessiblePaths= "         \
	"for example: 'systemctl cat tdx-onlined.service'. Whether a security module has "         \
	"denied the access: 'journalctl -b -g \"avc:|apparmor\"'. Whether the kernel "             \
	"logged an error: "                                                                        \
	"'journalctl -b -k -p warning'. "

/*
 * clause: NULL if decision_append_clause() has more to print than a fixed text.
 * blocks: the remedy, and the id of its catalog entry, of memory without a dax device, if they are
 * others than those of a dax device.
 */
static const struct {
	const char *name, *clause, *subject, *explanation;
	struct {
		const char *id, *remedy;
	} dax, blocks;
} reasons[] = {
	[REASON_IN_BOOT_MAP] = {"in-boot-map", NULL,
		"Memory is online as system RAM: TDX accepts it",
		"Firmware reported this memory as RAM when the kernel booted, or CapableRanges= "
		"in tdx-onlined.conf(5) names it as memory that TDX accepts. The kernel divides "
		"system RAM into zones. The memory of confidential virtual machines cannot be "
		"moved, so it cannot be in the zone Movable: this "
		"memory goes to another zone, such as Normal, unless a rule names a zone.",
		{"5c37a81c093e40f080bfeda7af7a2899", BY_RULE}},
	[REASON_OUTSIDE_BOOT_MAP] = {"outside-boot-map", NULL,
		"Memory is kept out of system RAM: TDX does not accept it", BOOT_RAM,
		{"866f10053e2f44acb0acc1031478be2c", USE_DEVDAX},
		{"e81e4fe0abd843d0bade77483ac06f1e", REBOOT_DIMM}},
	[REASON_STRADDLES_BOOT_MAP] = {"straddles-boot-map", NULL,
		"Memory is kept out of system RAM: TDX accepts only a part of it",
		"A device or a DIMM goes online only if TDX accepts all of it. The journal "
		"entry states which part was RAM at boot. " BOOT_RAM,
		{"1f057eaf9a554858947af2eb68005f41", USE_DEVDAX},
		{"f159c14780734a269e4d6f4d62b3be7a", REBOOT_PART}},
	[REASON_TDX_ABSENT] = {"tdx-absent", "without TDX the kernel accepts all memory",
		"Memory is online as system RAM: this host does not use TDX",
		"TDX is not active and cannot start before the next boot, so the kernel accepts "
		"all memory. The kernel chooses the zone unless a rule names one.",
		{"fd865b13c92b45b7ab3c5aca5b98e7b4",
			BY_RULE " If this host is to run confidential virtual machines, this "
				"command lists why TDX is not active: 'tdx-onlinectl doctor'."}},
	[REASON_KERNEL_OFFLINE] = {"kernel-offline",
		"the kernel is configured to leave new memory offline",
		"Memory was left offline, as the kernel is configured",
		"This host does not use TDX, and no rule requires anything for this memory. The "
		"kernel itself was configured to leave new memory offline: the file "
		"/sys/devices/system/memory/auto_online_blocks contained offline before "
		"tdx-onlined started. So tdx-onlined leaves the memory offline too.",
		{"a22ffdfc95ba4aadb9c6a92abd216de8",
			IF_INTENDED "To have it online, write a rule: " WRITE_RULE(
				"Verdict=online") " To change what the kernel does by itself, boot "
						  "with memhp_default_state=online on the kernel "
						  "command line."}},
	[REASON_RULE] = {"rule", NULL, "Memory was handled as a rule requires",
		"A rule can always keep memory out of system RAM. The first rule that matches "
		"this "
		"memory is @TDXO_RULE@. It has Verdict=@TDXO_VERDICT@: @TDXO_EFFECT@.",
		{"1a53bf996e974ace8451459bc1915b77", IF_INTENDED RULE_CHANGE
			"With Verdict=devdax two more steps are necessary. " RELEASE CHECK_RULES},
		{"8bbcc1929f0f4f84abffa6b2db0c215b", IF_INTENDED RULE_CHANGE CHECK_RULES}},
	[REASON_PERSISTENT_MEMORY] = {"persistent-memory", "it can hold persistent data",
		"Persistent memory is not added to system RAM",
		"This is persistent memory, and it can hold data. With the driver device_dax "
		"programs can map it, and other drivers use it in other ways. If it has no "
		"driver, tdx-onlined binds device_dax to it, as the kernel does where "
		"tdx-onlined is not installed. A driver that it has stays, and "
		"nothing else is changed.",
		{"a4aefd824bd348efad95eedd9f1e4cbd",
			"Nothing needs to be done. To use it in another way, reconfigure its "
			"namespace with ndctl(1)."}},
	[REASON_ALREADY_DEVDAX] = {"already-devdax",
		"it was in devdax mode already, and no rule permits converting it to system RAM",
		"A device that programs can map was left as it is",
		"The device @TDXO_CHARDEV@ was in devdax mode before tdx-onlined decided what to "
		"do with it: its driver is device_dax, and programs can map its memory. One may "
		"use it, so it stays in this mode, even if TDX accepts its "
		"memory, unless a rule with ConvertDevdax=yes matches it.",
		{"d457ec1b90844929a71d7288977037d9", IF_INTENDED
			"A rule cannot override TDX: it has an effect only if TDX accepts the "
			"memory. To have it as system RAM, if no program needs its content any "
			"more, write a rule: 'printf "
			"\"[Match]\\n@TDXO_MATCH@\\n[Policy]\\nVerdict=online\\nConvertDevdax="
			"yes\\n\" "
			">/etc/tdx-onlined/rules.d/50-@TDXO_TARGET@.rule && tdx-onlinectl plan'. "
			"If that prints what is to be done: 'systemctl reload "
			"tdx-onlined.service'."}},
	[REASON_IN_USE] = {"in-use",
		"a rule permits converting it to system RAM, but a devdax device is in use, and "
		"it may be this "
		"one",
		"A device was not converted to system RAM: a program uses it, or may",
		"The device @TDXO_CHARDEV@ is in devdax mode, in which programs can map it, and "
		"a rule with ConvertDevdax=yes matches it. The kernel counts the users of all "
		"devices in this mode together. The count is not zero, or cannot be read, so a "
		"program may have this device open, and would lose its memory.",
		{"7d7b8553453a46b2a92f46d3af236c50",
			"Nothing is lost if the device stays as it is. Otherwise list the "
			"programs that have such a device open (fuser is in the package psmisc): "
			"'fuser -v /dev/dax*'. All of them must end, also those that use another "
			"such "
			"device, because the kernel counts them together. Then " DECIDE_AGAIN}},
	[REASON_FAMFS] = {"famfs", "its driver is fsdev_dax, so a file system can use it",
		"A dax device was left as it is: a file system can use it",
		"The driver of @TDXO_CHARDEV@ is fsdev_dax. A file system, famfs for example, "
		"can "
		"have files in its memory.",
		{"99e80ac75cbd4e1c84761f82ec798336", IF_INTENDED
			"Otherwise find the file system, if there is one: 'findmnt -S "
			"/dev/@TDXO_CHARDEV@'. Unmount it with umount(8); its files are lost "
			"when the memory gets another use. Then unbind the driver: 'echo "
			"@TDXO_CHARDEV@ >/sys/bus/dax/devices/@TDXO_CHARDEV@/driver/unbind'. "
			"Then " DECIDE_AGAIN}},
	[REASON_ALREADY_ONLINE] = {"already-online", NULL, "Memory is online that should not be",
		"The kernel or another program onlined this memory, or a part of it, before "
		"tdx-onlined could act. It should not be online: TDX does not accept it, or a "
		"rule requires something else. A TDX that is enabled but not initialized yet "
		"fails to initialize as long as the kernel has "
		"memory that it does not accept.",
		{"aabc8cdf32a64e5d87fa6463a4fcce91", "Find the program or setting that onlined it, "
						     "and correct it: 'tdx-onlinectl doctor'. "
						     "Take the memory out of system RAM; the "
						     "kernel moves its content to other memory: "
						     "'@TDXO_REMOVAL@'. If that fails because "
						     "the memory is busy, only a reboot takes it "
						     "out. Before you reboot, see whether the "
						     "service is enabled: 'systemctl is-enabled "
						     "tdx-onlined.service'. If it is not: "
						     "'systemctl enable "
						     "tdx-onlined.service'."}},
	[REASON_UNPLUGGED] = {"unplugged",
		"it was taken out of the kernel by hand or by another program, and its device is "
		"still there",
		"Memory is unplugged and cannot be used",
		"The driver of the device @TDXO_CHARDEV@ is kmem, but its memory was taken out "
		"of the kernel, by daxctl or by a write to "
		"/sys/bus/dax/devices/@TDXO_CHARDEV@/state for example. So it is neither system "
		"RAM nor a device that programs can map. "
		"This is not undone, because the device may be about to be removed.",
		{"3278390d101344c2b4e35f3e72c450f1",
			IF_INTENDED "To let tdx-onlined handle it like a new device: 'echo "
				    "@TDXO_CHARDEV@ >/sys/bus/dax/drivers/kmem/unbind && "
				    "tdx-onlinectl decide @TDXO_TARGET@'."}},
	[REASON_NOT_CONFIGURED] = {"not-configured",
		"a program created its device and has not bound a driver to it yet",
		"A new dax device has no driver yet",
		"A program, daxctl-create-device(1) for example, created the device "
		"@TDXO_CHARDEV@ and is expected to bind a driver to it. As soon as it does, "
		"tdx-onlined acts: with device_dax programs can map the device, and it is left "
		"so; with kmem its memory is to be system RAM, "
		"and stays that only if TDX accepts it.",
		{"b4d8dbf21ffe465685f55f8bca805761",
			"Nothing needs to be done while that program runs. If the device has no "
			"driver after a minute, bind device_dax, so that programs can map it: "
			"'daxctl reconfigure-device -m devdax -f "
			"@TDXO_CHARDEV@'."}},
	[REASON_TOO_SMALL] = {"too-small", "it does not contain a whole memory block",
		"Memory is too small to be system RAM",
		"The kernel onlines whole memory blocks only, and this memory does not contain "
		"one "
		"that starts at a multiple of the memory block size.",
		{"447232f9fd024d8a8bd9d759cee82a74", "Nothing needs to be done: programs can map "
						     "/dev/@TDXO_CHARDEV@. To have it as system "
						     "RAM, make it at least as large as the "
						     "memory block that the journal entry names, "
						     "and start it at a multiple of that size. "
						     "For CXL memory, that is the size of the "
						     "region or of the dax device. For "
						     "soft-reserved memory, "
						     "it is a setting of the firmware."}},
	[REASON_NO_HEAD_ROOM] = {"no-head-room", NULL,
		"Memory was not added: too little free memory for its page metadata",
		"The kernel needs page metadata for each page of memory, 1/64 of its size, and "
		"takes it from the memory that is free now. This host does not have that much to "
		"spare, so adding the memory could make it run out of memory. A device that "
		"programs can map needs less page metadata: if the journal entry names one in "
		"/dev, "
		"programs can use the memory in that way meanwhile.",
		{"087a3f1f73414052b9277108f4c341a2",
			"Make memory free: end programs that need much, or reserve fewer huge "
			"pages. To do that, set vm.nr_hugepages with sysctl(8) to less than it "
			"is now: 'cat "
			"/proc/sys/vm/nr_hugepages'. " RELEASE "Then " DECIDE_AGAIN
			" Or boot with memory_hotplug.memmap_on_memory=1 on the kernel command "
			"line, which places the page metadata of CXL memory in that memory "
			"itself."}},
	[REASON_NO_TARGET_NODE] = {"no-target-node", "firmware assigns no NUMA node to its device",
		"A dax device has no NUMA node",
		"The ACPI tables of the firmware (SRAT, CEDT) name no NUMA node for the device "
		"@TDXO_CHARDEV@. Without a node the driver kmem, which adds memory of such "
		"devices "
		"to system RAM, does not take it.",
		{"48ea7033e1304a06b533b6983971eba2",
			"Update the firmware of the host, which has these tables. " AS_DEVDAX}},
	[REASON_UNREADABLE] = {"unreadable", NULL,
		"Memory was left as it is: a part of its state cannot be read",
		"A file with the addresses of this memory, or with the state of one of its "
		"memory blocks, cannot be read or makes no sense. The journal entry names it, or "
		"its directory. Without it nothing can be done "
		"with the memory.",
		{"2c0c2eadfef94bedae86f533a92dd6a3",
			"If the journal entry names no error, an earlier message has the file "
			"and the error: "
			"'journalctl -b -t tdx-onlined -p warning'. " CAUSES_UNREADABLE
			"After a cause in the service is removed: 'systemctl daemon-reload && "
			"systemctl restart tdx-onlined.service'. After another cause is "
			"removed, " DECIDE_AGAIN " If no cause is found, " CAPTURE}},
	[REASON_FOREIGN_DRIVER] = {"foreign-driver", NULL, "A dax device was left to its driver",
		"The journal entry names the driver that is bound to @TDXO_CHARDEV@. That driver "
		"is unknown to tdx-onlined, and so is whether the memory is in use.",
		{"0b73fc43a07e4b1a8ef38cccf2decc63", IF_INTENDED
			"If the device is not used, unbind that driver: 'echo @TDXO_CHARDEV@ "
			">/sys/bus/dax/devices/@TDXO_CHARDEV@/driver/unbind'. Then " DECIDE_AGAIN}},
	[REASON_UNKNOWN_DEVICE] = {"unknown-device",
		"its device is not known as CXL, soft-reserved or persistent memory",
		"The type of a dax device is not known",
		"The device @TDXO_CHARDEV@ is of a type that this version of tdx-onlined does "
		"not know, and it is not known whether its memory may become system RAM. "
		"As long as TDX may refuse memory, tdx-onlined keeps the kernel from binding a "
		"driver automatically.",
		{"2570c09baa6e40e0a84d7dfeab3a0fe2", AS_DEVDAX " Please " CAPTURE}},
	[REASON_BOOT_MAP_UNKNOWN] = {"boot-map-unknown",
		"it is not known which memory was RAM at boot, and TDX accepts no other",
		"Memory is kept out of system RAM: what TDX accepts is not known",
		"TDX accepts only memory that firmware reported as RAM when the kernel booted, "
		"and no file that lists that RAM can be read: neither /sys/kernel/boot_params "
		"nor "
		"/sys/firmware/memmap.",
		{"109eaaf7c9c8461b9b24a8cb2a52f970",
			"Earlier messages of tdx-onlined name the files and the errors: "
			"'journalctl -b -t "
			"tdx-onlined -p warning'. " CAUSES_UNREADABLE
			"After the cause is removed: 'systemctl daemon-reload && systemctl "
			"restart "
			"tdx-onlined.service'. If no cause is found, " CAPTURE}},
	[REASON_KERNEL_REFUSED] = {"kernel-refused", NULL,
		"The kernel refused memory that it was expected to accept",
		"The kernel refused to bring this memory online. The journal entry states why "
		"tdx-onlined expected that the kernel accepts it, and names the step that failed "
		"and the error. What had been done was undone, so that the memory is not partly "
		"in use. If TDX refused it, a new attempt before the next boot ends in the same "
		"way, and the "
		"memory stays as it is now.",
		{"912f6744bce24d68bffe2e4b58a103c1",
			WHY_REFUSED " After a cause other than TDX is removed, try again. " RELEASE
				    "Then " DECIDE_AGAIN},
		{"acf6b8e27a444bfe93d4e9588c1f5767",
			WHY_REFUSED " After a cause other than TDX is removed, " DECIDE_AGAIN}},
	[REASON_ROLLED_BACK] = {"rolled-back", "a step failed, so what had been done was undone",
		"Memory could not be onlined, and the steps were undone",
		"This memory was to be onlined as a whole, but a step failed. The journal entry "
		"names the step, the memory block and the error. What had been done was undone, "
		"so that the memory is not partly in use. That is the default for a dax "
		"device. For other memory a rule with OnFailure=rollback requires it.",
		{"c81c0d5dbcd843cb8b9f6b42599c4a08",
			"The cause can be temporary: another program that onlined the same "
			"memory, "
			"for example. " RELEASE "Then " DECIDE_AGAIN " If it fails again, "
			"read what the kernel logged: 'journalctl -b -k -g \"dax|kmem|memory\"'."},
		{"344668cf22534453b5ac321518fde8e2",
			"The cause can be temporary: another program that onlined the same "
			"memory, "
			"for example. To try again, " DECIDE_AGAIN
			" If it fails again, read what the "
			"kernel logged: 'journalctl -b -k -g \"dax|kmem|memory\"'."}},
};
static_assert(ARRAY_SIZE(reasons) == REASON_MAX, "a row for each reason");

const char *reason_to_string(enum reason reason)
{
	return reasons[reason].name;
}

int reason_from_string(const char *text, enum reason *ret_reason)
{
	for (enum reason reason = 0; reason < REASON_MAX; reason++) {
		if (strcmp(reasons[reason].name, text) != 0)
			continue;
		*ret_reason = reason;
		return 0;
	}
	return -EINVAL;
}

const char *reason_clause(enum reason reason)
{
	return reasons[reason].clause;
}

const char *reason_subject(enum reason reason)
{
	return reasons[reason].subject;
}

const char *reason_explanation(enum reason reason)
{
	return reasons[reason].explanation;
}

bool reason_has_two_remedies(enum reason reason)
{
	return reasons[reason].blocks.id;
}

const char *reason_remedy(enum reason reason, bool dax)
{
	return dax || !reason_has_two_remedies(reason) ? reasons[reason].dax.remedy
						       : reasons[reason].blocks.remedy;
}

const char *reason_message_id(enum reason reason, bool dax)
{
	return dax || !reason_has_two_remedies(reason) ? reasons[reason].dax.id
						       : reasons[reason].blocks.id;
}
