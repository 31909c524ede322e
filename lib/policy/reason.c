/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of reasons.
 */
#include "tdxo/policy/reason.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define ONLINE	(1U << VERDICT_ONLINE)
#define DEVDAX	(1U << VERDICT_DEVDAX)
#define OFFLINE (1U << VERDICT_OFFLINE)
#define IGNORE	(1U << VERDICT_IGNORE)

#define BY_RULE                                                                                    \
	"A rule can keep it out of the page allocator or choose its zone: see "                    \
	"tdx-onlined.rule(5)."
#define NO_TDX                                                                                     \
	"To have it online, disable TDX in the BIOS; or, if firmware brings its window into the "  \
	"TCB at boot, name all of it in CapableRanges= in tdx-onlined.conf(5)."
#define AS_DEVDAX "A rule with Verdict=devdax makes it usable as a devdax device."

static const struct {
	const char *name, *clause, *explanation, *remedy;
	unsigned int verdicts; /* that the reason can have */
} reasons[] = {
	[REASON_IN_BOOT_MAP] = {"in-boot-map",
		"TDX accepts it, it was there at boot or CapableRanges= names it",
		"It is in the boot map, or CapableRanges= asserts that firmware brought it into "
		"the TCB. Its zone is kernel unless a rule names another, because the memory of "
		"confidential VMs is not movable.",
		BY_RULE, ONLINE},
	[REASON_OUTSIDE_BOOT_MAP] = {"outside-boot-map", "TDX refuses it, it was not there at boot",
		"All RAM in the page allocator of a TDX host must be TDX memory, and the kernel "
		"takes only the memory that was there at boot for that.",
		NO_TDX, DEVDAX | OFFLINE},
	[REASON_STRADDLES_BOOT_MAP] = {"straddles-boot-map",
		"TDX refuses it, only a part of it was there at boot",
		"A part of it or of its device is not in the boot map, or one of its memory blocks "
		"lies across two ranges of the boot map. All mappings of a dax device share one "
		"driver.",
		NO_TDX, DEVDAX | OFFLINE},
	[REASON_TDX_ABSENT] = {"tdx-absent", "there is no TDX here to refuse it",
		"The kernel chooses the zone unless a rule names one.", BY_RULE, ONLINE},
	[REASON_KERNEL_OFFLINE] = {"kernel-offline",
		"the kernel's own policy leaves new memory offline",
		"There is no TDX here, and no rule asks for a verdict or a zone. The guard is "
		"held, "
		"for a rule or by Guard=always, and /sys/devices/system/memory/auto_online_blocks "
		"was offline before, so it is left as the kernel would have left it.",
		"A rule with Verdict=online brings it online. The kernel's policy of the next boot "
		"is memhp_default_state= on the kernel command line.",
		IGNORE},
	[REASON_RULE] = {"rule", "a rule asks for it",
		"The first rule that matches can change the verdict within the limits of TDX.",
		"Change or remove the rule, then run 'systemctl reload tdx-onlined.service'.",
		DEVDAX | OFFLINE | IGNORE},
	[REASON_PERSISTENT_MEMORY] = {"persistent-memory", "it holds persistent data",
		"The daemon binds device_dax if the guard left the device without a driver, as the "
		"kernel would have done, and changes nothing else.",
		"Nothing needs to be changed. To use it in another way, reconfigure its namespace "
		"with ndctl(1).",
		IGNORE},
	[REASON_ALREADY_DEVDAX] = {"already-devdax", "it is in devdax mode already",
		"The daemon leaves it in this mode, even if TDX accepts it.",
		"If TDX accepts it, a rule with Verdict=online and ConvertDevdax=yes makes it "
		"memory: see tdx-onlined.rule(5).",
		DEVDAX},
	[REASON_IN_USE] = {"in-use", "a devdax device is open or mapped, or may be",
		"A rule with ConvertDevdax=yes matches it. All devdax devices have one use count, "
		"so another one may be the device that is in use.",
		"End the programs that 'fuser -v /dev/dax*' (package psmisc) lists.", DEVDAX},
	[REASON_FAMFS] = {"famfs", "a file system has its device", "Its driver is fsdev_dax.",
		"Unmount the file system and unbind the driver from the device.", IGNORE},
	[REASON_ALREADY_ONLINE] = {"already-online", "it should not be online, but it is already",
		"TDX refuses it, or a rule asks for another verdict, but at least one of its "
		"memory blocks is online. While TDX is armed, this memory can keep TDX from "
		"initializing.",
		"Stop its use and take it offline, or let a rule with OfflineBlocks=yes do it.",
		IGNORE},
	[REASON_UNPLUGGED] = {"unplugged", "its device is unplugged from the kernel",
		"Its dax state is unplugged: its driver is kmem, and no memory block of it is in "
		"the kernel, so it is neither memory nor a devdax device. The daemon leaves it as "
		"the administrator left it.",
		AS_DEVDAX " To have it decided like memory that arrives, write the name of the "
			  "device to /sys/bus/dax/drivers/kmem/unbind.",
		IGNORE},
	[REASON_NOT_CONFIGURED] = {"not-configured",
		"a program created its device and has not bound a driver yet",
		"The program that made a device, daxctl-create-device(1) for example, binds its "
		"driver. It is decided when it has one: in devdax mode it stays devdax, and with "
		"kmem it is decided like memory that arrives.",
		"Bind a driver with daxctl-reconfigure-device(1).", IGNORE},
	[REASON_TOO_SMALL] = {"too-small", "it holds no whole memory block",
		"Memory goes online in whole memory blocks only.",
		"Make its region or device at least as large as a memory block, and start it at a "
		"multiple of the block size.",
		DEVDAX},
	[REASON_NO_HEAD_ROOM] = {"no-head-room", "the host cannot spare its page metadata",
		"A driver allocates the page metadata from the free memory of the kernel's zones.",
		"Free memory; or boot with memory_hotplug.memmap_on_memory=1 on the kernel command "
		"line, which places the page metadata of CXL memory in that memory.",
		DEVDAX | IGNORE},
	[REASON_NO_TARGET_NODE] = {"no-target-node", "its device has no target node",
		"The firmware's tables (SRAT, CEDT) name no node for it, so kmem would reject it.",
		"Update the firmware. " AS_DEVDAX, IGNORE},
	[REASON_UNREADABLE] = {"unreadable", "a part of its state cannot be read",
		"Its address, or the state of one of its memory blocks, is not known.",
		"Run tdx-onlined as root; its messages name the file that cannot be read.", IGNORE},
	[REASON_FOREIGN_DRIVER] = {"foreign-driver", "another driver has its device",
		"Its driver is neither kmem nor device_dax.", "Unbind that driver from the device.",
		IGNORE},
	[REASON_UNKNOWN_DEVICE] = {"unknown-device", "the type of its device is not known",
		"Its dax device is neither cxl, hmem nor pmem. With the guard up it may have no "
		"driver.",
		AS_DEVDAX " Report a bug with the output of --capture.", IGNORE},
	[REASON_BOOT_MAP_UNKNOWN] = {"boot-map-unknown",
		"it is not known which memory was there at boot",
		"TDX could refuse any memory. Earlier messages name the files that cannot be read.",
		"Make /sys/kernel/boot_params or /sys/firmware/memmap readable, or name the memory "
		"in CapableRanges= in tdx-onlined.conf(5).",
		OFFLINE | IGNORE},
	[REASON_KERNEL_REFUSED] = {"kernel-refused", "the kernel refused what policy allowed",
		"It could not be added (EPERM or EINVAL from kmem), or a memory block of it could "
		"not go online (EPERM). What had been done was undone.",
		"The kernel's answer holds until the next boot. If the kernel should have accepted "
		"it, the boot map or the TDX state is wrong: report a bug with the output of "
		"--capture.",
		DEVDAX | OFFLINE | IGNORE},
	[REASON_ROLLED_BACK] = {"rolled-back", "not all of it could be brought online",
		"A step failed; the record names the step and the error. What had been done was "
		"undone.",
		"Remove the cause, and disable the device with daxctl-disable-device(1) if it is "
		"in devdax mode.",
		DEVDAX | OFFLINE | IGNORE},
};
static_assert(ARRAY_SIZE(reasons) == REASON_MAX, "a row for each reason");

/* The last step of the remedy is to have it decided again. */
static const bool decides_again[REASON_MAX] = {
	[REASON_IN_USE] = true,
	[REASON_UNPLUGGED] = true,
	[REASON_NO_HEAD_ROOM] = true,
	[REASON_FOREIGN_DRIVER] = true,
	[REASON_ROLLED_BACK] = true,
};

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

const char *reason_explanation(enum reason reason)
{
	return reasons[reason].explanation;
}

const char *reason_remedy(enum reason reason)
{
	return reasons[reason].remedy;
}

bool reason_decides_again(enum reason reason)
{
	return decides_again[reason];
}

bool reason_has_verdict(enum reason reason, enum verdict verdict)
{
	return reasons[reason].verdicts & 1U << verdict;
}
