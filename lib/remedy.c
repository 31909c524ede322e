/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Remedies: a table by reason, and the exact command where there is one.
 */
#include "tdxo/remedy.h"

#include <assert.h>
#include <inttypes.h>

#define RELOAD "run 'systemctl reload tdx-onlined.service'."
#define ASSERT                                                                                     \
	"or, if firmware brings its window into the TCB at boot, assert that with CapableRanges= " \
	"in tdx-onlined.conf(5)."

static const char *const remedies[] = {
	[REASON_IN_BOOT_MAP] = "A rule can keep it out of the page allocator, or ask for zone "
			       "movable: see tdx-onlined.rule(5).",
	[REASON_OUTSIDE_BOOT_MAP] =
		"While TDX is enabled only memory that is there at boot can "
		"be online. To have this online disable TDX in the BIOS; " ASSERT,
	[REASON_STRADDLES_BOOT_MAP] =
		"While TDX is enabled a range can be online only if all of it "
		"is there at boot. To have this online disable TDX in the "
		"BIOS; " ASSERT,
	[REASON_GATE_ABSENT] = "A rule can keep it out of the page allocator, or choose its zone: "
			       "see tdx-onlined.rule(5).",
	[REASON_RULE] = "Change or remove the rule, then " RELOAD,
	[REASON_PERSISTENT_MEMORY] = "Nothing: tdx-onlined never touches persistent memory. Its "
				     "owner can make another use of it with ndctl(1).",
	[REASON_ALREADY_DEVDAX] = "A rule that matches it with Verdict=online and "
				  "ConvertDevdax=yes: see tdx-onlined.rule(5).",
	[REASON_IN_USE] = "End the programs that have a devdax device open or mapped, then " RELOAD,
	[REASON_FAMFS] = "Unmount the file system and take its driver off the device.",
	[REASON_ALREADY_ONLINE] = "Take it out with",
	[REASON_TOO_SMALL] = "Make its region or device as large as a memory block, and begin at "
			     "a multiple of one.",
	[REASON_NO_HEAD_ROOM] = "Give the kernel more memory that it can spare, or let the memory "
				"map lie in the memory itself: memory_hotplug.memmap_on_memory=1 "
				"on the kernel command line. Then " RELOAD,
	[REASON_NO_TARGET_NODE] = "Firmware has to tell the node of this memory, in the SRAT or "
				  "the CEDT.",
	[REASON_UNREADABLE] = "Run this as root; the messages name the file that cannot be read.",
	[REASON_FOREIGN_DRIVER] = "Take the other driver off the device, then " RELOAD,
	[REASON_UNKNOWN_DEVICE] = "Nothing is known that carries memory like this: it is worth a "
				  "bug report, with the output of --capture.",
	[REASON_BOOT_MAP_UNKNOWN] =
		"Make /sys/kernel/boot_params or /sys/firmware/memmap readable, "
		"or assert the memory with CapableRanges= in "
		"tdx-onlined.conf(5).",
	[REASON_KERNEL_REFUSED] = "The kernel has answered, and its answer holds until the next "
				  "boot. If it should have accepted, the boot map or the gate is "
				  "not as the kernel sees it: it is worth a bug report.",
	[REASON_ROLLED_BACK] = "When what failed is mended, " RELOAD,
};
static_assert(ARRAY_SIZE(remedies) == REASON_MAX, "a remedy for each reason");

/* The command takes what it is told literally, so no full stop stands next to it. */
static void append_way_out(struct text *text, const struct record *record)
{
	const struct arrival *arrival = &record->arrival;

	if (arrival_is_dax(arrival))
		text_append(text, " 'daxctl reconfigure-device -m devdax -f %s'.", arrival->device);
	else
		text_append(text, " 'chmem -d 0x%" PRIx64 "-0x%" PRIx64 "'.", arrival->range.start,
			arrival->range.end - 1);
	if (record->gate.state == GATE_ARMED)
		text_append(text, " While it is online TDX cannot initialize.");
}

static bool stays_out(const struct record *record)
{
	return record->decision.reason == REASON_OUTSIDE_BOOT_MAP ||
	       record->decision.reason == REASON_STRADDLES_BOOT_MAP;
}

/* What only counts as if TDX were here is not to be had by disabling TDX. */
static bool is_pretence(const struct record *record)
{
	return stays_out(record) && record->gate.detected == GATE_ABSENT;
}

void remedy_append(struct text *text, const struct record *record)
{
	const struct arrival *arrival = &record->arrival;
	enum reason reason = record->decision.reason;

	if (is_pretence(record))
		text_append(text, "It stays out only because of Gate= or --gate=.");
	else
		text_append(text, "%s", remedies[reason]);
	if (reason == REASON_ALREADY_ONLINE)
		append_way_out(text, record);
	else if (stays_out(record) && record->decision.verdict == VERDICT_DEVDAX)
		text_append(text, " As it is, programs can map /dev/%s.", arrival->device);
	else if (stays_out(record) && arrival->carrier == CARRIER_DIMM)
		text_append(text, " A DIMM that is in its place at boot is boot memory.");
	if (reason == REASON_GATE_ABSENT && gate_overridden(&record->gate))
		text_append(text, " Without Gate= or --gate= it is decided by the gate as found.");
}
