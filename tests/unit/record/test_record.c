/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sentence of a record. Each sentence is written out as an administrator reads it. Names of the
 * maximum length neither overflow a sentence nor break its lines. The fields are tested in
 * test_record_fields.c.
 */
#include "tests/unit/records.h"

#include <errno.h>
#include <string.h>

#define CXL                                                                                        \
	.record.range = {64 * GIB, 128 * GIB},                                                     \
	.facts.device = {.type = TYPE_CXL, .name = "dax0.0", .region = "region0", .node = 1},      \
	.facts.cxl = {.memdevs = {{.name = "mem0"}, {.name = "mem1"}}, .n_memdevs = 2}
#define CXL_TEXT                                                                                   \
	"64 GiB of CXL memory (dax0.0, [mem 0x1000000000-0x1fffffffff], region0, mem0, mem1, "     \
	"node 1) "
#define DIMM                                                                                       \
	.record.range = {4 * GIB, 8 * GIB},                                                        \
	.facts.device = {.type = TYPE_DIMM, .node = NODE_UNKNOWN}
#define DIMM_TEXT "4 GiB of memory in a DIMM ([mem 0x100000000-0x1ffffffff]) "
#define PMEM                                                                                       \
	.record.range = {4 * GIB, 8 * GIB},                                                        \
	.facts.device = {.type = TYPE_PMEM, .name = "dax1.0", .node = NODE_UNKNOWN},               \
	.decision.verdict = VERDICT_IGNORE, .decision.reason = REASON_PERSISTENT_MEMORY
#define PMEM_TEXT  "4 GiB of persistent memory (dax1.0, [mem 0x100000000-0x1ffffffff]) "
#define PERSISTENT ": it can hold persistent data (persistent-memory); the TDX state is active"
#define TDX(is)	   .facts.tdx = {.state = TDX_##is, .detected = TDX_##is}
#define KEPT	   "is available as /dev/dax0.0 and is kept out of system RAM: "
#define ONLINE	   "is online as system RAM (32 of 32 memory blocks"
#define ACCEPTS	   "TDX is active and accepts only memory that was RAM at boot"
#define REFUSED	   ACCEPTS " (outside-boot-map)"
#define OBSERVED   "nothing was done, because Act=no is set; with Act=yes it would be "
#define WITHHELD                                                                                   \
	"nothing was done, because it was there before tdx-onlined first started; with "           \
	"Present=act it would be "
#define FREE "without TDX the kernel accepts all memory (tdx-absent)"

static struct range two_ranges[] = {{64 * GIB, 128 * GIB}, {128 * GIB, 160 * GIB}};

static struct block read_in_part[] = {{32, BLOCK_ONLINE}, {33, BLOCK_UNREAD}};

static struct boot_region regions[] = {
	{{2 * GIB, 5 * GIB}, BOOT_SOURCE_BOOT_PARAMS},
	{{6 * GIB, 6 * GIB + 256 * MIB}, BOOT_SOURCE_BOOT_PARAMS},
	{{6 * GIB + 512 * MIB, 6 * GIB + 640 * MIB}, BOOT_SOURCE_BOOT_PARAMS},
	{{8 * GIB - 128 * MIB, 9 * GIB}, BOOT_SOURCE_BOOT_PARAMS},
};
static struct range asserted[] = {{64 * GIB, 128 * GIB}};
static const struct boot_map capable = {
	.asserted = {.ranges = asserted, .n = ARRAY_SIZE(asserted)}, .known = true};
static const struct boot_map parts = {.regions = regions, .n = ARRAY_SIZE(regions), .known = true};

static const struct {
	struct own_record own;
	const char *sentence;
} rows[] = {
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_DONE}, TDX(ACTIVE)},
		CXL_TEXT KEPT REFUSED},
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_PLANNED},
		 .facts.tdx = {.state = TDX_ACTIVE,
			 .detected = TDX_ABSENT,
			 .mode = TDX_MODE_ACTIVE}},
		CXL_TEXT "would be kept out of system RAM and available as /dev/dax0.0: " REFUSED
			 "; TDX=active is set, but by what this machine shows the TDX state is "
			 "absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL,
			 .source = BOOT_SOURCE_BOOT_PARAMS},
		 .record.outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 TDX(ARMED)},
		DIMM_TEXT ONLINE
		"): it was RAM at boot, so TDX accepts it (in-boot-map); the TDX state is armed"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO},
		 .record.outcome = {.result = RESULT_PARTIAL,
			 .error = EBUSY,
			 .failed = ACTION_ONLINE,
			 .failed_at = 0x1f8000000,
			 .retries = 5,
			 .stranded = 128 * MIB,
			 .blocks = {.present = 32, .online = 31}},
		 TDX(ABSENT)},
		DIMM_TEXT "is only partly online as system RAM (31 of 32 memory blocks, 3.8 GiB): "
			  "onlining the memory block at 0x1f8000000 failed: Device or resource "
			  "busy, after 5 retries; it was to be online as system RAM: " FREE
			  "; 128 MiB is stranded: neither the kernel nor a program can use it; the "
			  "TDX state is absent"},
	{{DIMM, .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_KERNEL_REFUSED},
		 .record.outcome = {.result = RESULT_DONE,
			 .error = EPERM,
			 .failed = ACTION_ONLINE,
			 .failed_at = 0x1f8000000,
			 .blocks = {.present = 32}},
		 TDX(ACTIVE)},
		DIMM_TEXT "was left offline and cannot be used: the kernel refused it, against the "
			  "prediction of tdx-onlined (kernel-refused); onlining the memory block "
			  "at 0x1f8000000 "
			  "failed: Operation not permitted; the TDX state is active"},
	/* why it was expected to accept, and what required that it is undone */
	{{DIMM, .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_KERNEL_REFUSED},
		 .facts.boot_map = &parts, TDX(ACTIVE)},
		DIMM_TEXT "was left offline and cannot be used: the kernel refused it, although it "
			  "was RAM at boot (kernel-refused); the TDX state is active"},
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_KERNEL_REFUSED},
		 .facts.boot_map = &capable, TDX(ACTIVE)},
		CXL_TEXT KEPT "the kernel refused it, although CapableRanges= names it "
			      "(kernel-refused); the TDX state is active"},
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_KERNEL_REFUSED},
		 TDX(ABSENT)},
		CXL_TEXT KEPT "the kernel refused it, although TDX is taken to be absent "
			      "(kernel-refused); the TDX state is absent"},
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_ROLLED_BACK,
			 .rule = "a.rule",
			 .on_failure = ON_FAILURE_ROLLBACK},
		 TDX(ABSENT)},
		CXL_TEXT KEPT "a step failed, so what had been done was undone (rolled-back); rule "
			      "a.rule requires that (OnFailure=rollback); the TDX state is absent"},
	{{DIMM, .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_ROLLED_BACK},
		 .record.outcome = {.result = RESULT_PARTIAL,
			 .error = EIO,
			 .failed = ACTION_ONLINE,
			 .failed_at = 0x1f0000000,
			 .undo_error = EBUSY,
			 .undo_failed = ACTION_OFFLINE,
			 .undo_failed_at = 0x1f8000000,
			 .retries = 5,
			 .blocks = {.present = 32, .online = 1}},
		 TDX(ABSENT)},
		DIMM_TEXT
		"could not all be taken offline: onlining the memory block at 0x1f0000000 failed: "
		"Input/output error; undoing it failed as well: offlining the memory block at "
		"0x1f8000000 failed: Device or resource busy, after 5 retries; it was to be left "
		"offline: a step failed, so what had been done was undone (rolled-back); 1 of 32 "
		"memory blocks are online; the TDX state is absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL,
			 .source = 1},
		 .record.outcome = {.result = RESULT_PLANNED, .blocks = {.present = 32}},
		 TDX(ACTIVE)},
		DIMM_TEXT "would be online as system RAM: it was RAM at boot, so TDX accepts it "
			  "(in-boot-map); the TDX state is active"},
	{{.facts.device = {.size = 16 * GIB,
		  .type = TYPE_HMEM,
		  .name = "dax1.0",
		  .node = NODE_UNKNOWN},
		 .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_UNREADABLE},
		 TDX(UNKNOWN)},
		"16 GiB of soft-reserved memory (dax1.0) was left as it is, without a driver, and "
		"cannot be used: its addresses cannot be read in the files of "
		"/sys/bus/dax/devices/dax1.0 (unreadable); the TDX state is unknown"},
	{{CXL, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_UNPLUGGED},
		 .record.outcome = {.driver = DAX_DRIVER_KMEM,
			 .missing = 512,
			 .stranded = 64 * GIB},
		 TDX(ABSENT)},
		CXL_TEXT
		"was left as it is: it was taken out of the kernel by hand or by another program, "
		"and its device is still there (unplugged); 512 memory blocks are not in the "
		"kernel; 64 GiB is stranded: neither "
		"the kernel nor a program can use it; the TDX state is absent"},
	{{CXL,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO},
		 .record.outcome = {.result = RESULT_PARTIAL,
			 .missing = 256,
			 .stranded = 32 * GIB,
			 .blocks = {.present = 256, .online = 256}},
		 TDX(ABSENT)},
		CXL_TEXT
		"is only partly online as system RAM (256 of 512 memory blocks, 32 GiB): " FREE
		"; 256 memory blocks are not in the kernel; 32 GiB is stranded: neither the kernel "
		"nor a program can use it; the TDX state is absent"},
	{{CXL, .decision = {.verdict = VERDICT_ONLINE, .reason = REASON_TDX_ABSENT},
		 .record.outcome = {.result = RESULT_PLANNED},
		 .facts.tdx = {.state = TDX_ABSENT,
			 .detected = TDX_UNKNOWN,
			 .cause = TDX_CAUSE_UNREADABLE,
			 .mode = TDX_MODE_ABSENT}},
		CXL_TEXT "would be online as system RAM: " FREE
			 "; TDX=absent is set, and whether that is right cannot be verified "
			 "(unreadable)"},
	{{DIMM, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_UNREADABLE},
		 .facts.blocks = {.blocks = read_in_part, .n = 2, .error = EACCES},
		 .record.outcome.blocks = {.present = 2, .unread = 1}, TDX(ACTIVE)},
		DIMM_TEXT "was left as it is, and whether it is online is not known: "
			  "/sys/devices/system/memory/memory33/state cannot be "
			  "read: Permission denied (unreadable); the TDX state is active"},
	{{CXL, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_FOREIGN_DRIVER},
		 .facts.driver_name = "dax_foreign", .record.outcome.driver = DAX_DRIVER_OTHER,
		 TDX(ACTIVE)},
		CXL_TEXT "was left as it is: its driver dax_foreign is neither kmem nor "
			 "device_dax, and may use the memory (foreign-driver); the TDX state is "
			 "active"},
	{{CXL, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_FOREIGN_DRIVER},
		 .record.outcome.driver = DAX_DRIVER_OTHER, TDX(ACTIVE)},
		CXL_TEXT "was left as it is: its driver is neither kmem nor device_dax, and may "
			 "use the memory (foreign-driver); the TDX state is active"},
	/* persistent memory: the driver that it has, gets or would get */
	{{PMEM, .record.outcome = {.driver = DAX_DRIVER_DEVICE_DAX}, TDX(ACTIVE)},
		PMEM_TEXT "was left as it is, available as /dev/dax1.0 by its driver "
			  "device_dax" PERSISTENT},
	{{PMEM, .record.outcome = {.result = RESULT_DONE, .driver = DAX_DRIVER_DEVICE_DAX},
		 TDX(ACTIVE)},
		PMEM_TEXT "was given its driver device_dax and is available as "
			  "/dev/dax1.0" PERSISTENT},
	{{PMEM, .record.outcome.result = RESULT_PLANNED, TDX(ACTIVE)},
		PMEM_TEXT "would be available as /dev/dax1.0" PERSISTENT},
	{{PMEM,
		 .record.outcome = {.result = RESULT_FAILED,
			 .error = ENODEV,
			 .failed = ACTION_BIND_DEVICE_DAX},
		 TDX(ACTIVE)},
		PMEM_TEXT "was left as it is, without a driver, and cannot be used: binding the "
			  "driver device_dax failed: No such device; it was to be available as "
			  "/dev/dax1.0" PERSISTENT},
	/* rules */
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_RULE,
			 .rule = "50-lab.rule"},
		 .record.outcome = {.result = RESULT_BEGUN}, TDX(ABSENT)},
		CXL_TEXT "is kept out of system RAM, for use as /dev/dax0.0: rule "
			 "50-lab.rule requires it (rule); the TDX state is absent"},
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .rule = "50-lab.rule",
			 .overruled = true,
			 .asked = VERDICT_ONLINE},
		 .record.outcome = {.result = RESULT_DONE}, TDX(ACTIVE)},
		CXL_TEXT KEPT REFUSED "; rule 50-lab.rule requires online and is overruled"},
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .unmatched = true},
		 .record.outcome = {.result = RESULT_DONE}, TDX(ACTIVE)},
		CXL_TEXT KEPT REFUSED "; no rule matches"},
	/* withheld */
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_OBSERVE},
		 .record.outcome = {.result = RESULT_WITHHELD, .blocks = {.present = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT "was left as it is, offline, and cannot be used; " OBSERVED
			  "online as system RAM: " FREE "; the TDX state is absent"},
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .withheld = WITHHELD_PRESENT},
		 .record.outcome = {.result = RESULT_WITHHELD,
			 .driver = DAX_DRIVER_KMEM,
			 .blocks = {.present = 512, .online = 3}},
		 TDX(ACTIVE)},
		CXL_TEXT "is partly online as system RAM (3 of 512 memory blocks, 384 MiB) "
			 "and was left as it is; " WITHHELD "kept out of system RAM and available "
			 "as /dev/dax0.0: " REFUSED},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .withheld = WITHHELD_OBSERVE},
		 .record.outcome = {.result = RESULT_WITHHELD,
			 .blocks = {.present = 32, .online = 1}},
		 TDX(ABSENT)},
		DIMM_TEXT "is partly online as system RAM (1 of 32 memory blocks, 128 MiB) "
			  "and was left as it is; nothing was done, because Act=no is set; with "
			  "Act=yes it would all be online as system RAM: " FREE
			  "; the TDX state is absent"},
	{{PMEM, .decision.withheld = WITHHELD_OBSERVE, .record.outcome.result = RESULT_WITHHELD,
		 TDX(ACTIVE)},
		PMEM_TEXT "was left as it is, without a driver, and cannot be used; " OBSERVED
			  "available as /dev/dax1.0" PERSISTENT},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_PRESENT,
			 .rule = "a.rule"},
		 .record.outcome = {.result = RESULT_WITHHELD, .blocks = {.present = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT "was left as it is, offline, and cannot be used; " WITHHELD
			  "online as system RAM: " FREE
			  "; rule a.rule matches; the TDX state is absent"},
	/* a device that is as decided has nothing to withhold */
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_PRESENT},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT ONLINE "): " FREE "; the TDX state is absent"},
	/* numbers */
	{{CXL,
		 .decision = {.verdict = VERDICT_IGNORE,
			 .reason = REASON_NO_HEAD_ROOM,
			 .map_needed = 256 * MIB,
			 .map_spare = 100 * MIB},
		 .record.outcome = {.result = RESULT_NOTHING}, TDX(ACTIVE)},
		CXL_TEXT
		"was left as it is, without a driver, and cannot be used: it needs 256 MiB of "
		"free memory for page metadata, but only 100 MiB are available (no-head-room); the "
		"TDX state is active"},
	/* a need that is met is not mentioned */
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .map_needed = 256 * MIB,
			 .map_spare = GIB},
		 .record.outcome = {.result = RESULT_DONE}, TDX(ACTIVE)},
		CXL_TEXT KEPT REFUSED},
	/* the first and the last 32 MiB are not a whole block */
	{{.record.range = {4 * GIB + 96 * MIB, 8 * GIB - 96 * MIB},
		 .facts.device = {.type = TYPE_DIMM, .node = NODE_UNKNOWN},
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_MOVABLE,
			 .rule = "m.rule",
			 .movable_ratio = 120},
		 .record.outcome = {.result = RESULT_DONE, .blocks = {.present = 30, .online = 30}},
		 TDX(ABSENT)},
		"3.8 GiB of memory in a DIMM ([mem 0x106000000-0x1f9ffffff]) is online as system "
		"RAM (30 of 30 memory blocks): " FREE
		"; rule m.rule matches; movable memory is 120 % of kernel memory; 64 MiB at its "
		"edges cannot be used, because only whole memory blocks go online; the TDX state "
		"is absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .rule = "m.rule",
			 .zone_overruled = true,
			 .movable_ratio = 420},
		 .record.outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT ONLINE
		"): " FREE
		"; rule m.rule matches; not in zone movable, as the rule requires, because movable "
		"memory would be 420 % of kernel memory; the TDX state is absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .rule = "m.rule",
			 .zone_overruled = true},
		 .record.outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT ONLINE
		"): " FREE "; rule m.rule matches; not in zone movable, as the rule requires, "
		"because the sizes of the zones are not known; the TDX state is absent"},
	/* Online already, in another zone than required. Zone auto accepts any zone. */
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_MOVABLE,
			 .rule = "m.rule",
			 .movable_ratio = 30},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .zone_now = "Normal",
			 .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT ONLINE
		", zone Normal): " FREE
		"; rule m.rule matches; movable memory is 30 % of kernel memory; it was online "
		"already, in zone Normal instead of movable; the TDX state is absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .zone_now = "Movable",
			 .blocks = {.present = 32, .online = 32}},
		 TDX(ACTIVE)},
		DIMM_TEXT ONLINE
		", zone Movable): it was RAM at boot, so TDX accepts it (in-boot-map); it was "
		"online already, in zone Movable instead of kernel; the TDX state is active"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .zone_now = "Movable",
			 .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT ONLINE ", zone Movable): " FREE "; the TDX state is absent"},
	/* changed by another program */
	{{.record.range = {64 * GIB, 128 * GIB},
		 .facts.device = {.type = TYPE_HMEM,
			 .name = "dax2.0",
			 .node = 2,
			 .driver = DAX_DRIVER_DEVICE_DAX},
		 .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_CHANGED,
			 .driver = DAX_DRIVER_KMEM,
			 .blocks = {.present = 512, .online = 3}},
		 TDX(ARMED)},
		"64 GiB of soft-reserved memory (dax2.0, [mem 0x1000000000-0x1fffffffff], node 2) "
		"was changed by another program or by hand: its driver is now kmem, 3 of 512 "
		"memory blocks are online; it was to be kept out of system RAM and available as "
		"/dev/dax2.0: TDX is armed (enabled, but not initialized yet), and would fail to "
		"initialize with memory that was not RAM at boot (outside-boot-map)"},
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_CHANGED}, TDX(ACTIVE)},
		CXL_TEXT "was changed by another program or by hand: it has no driver now; it was "
			 "to be kept out of system RAM and available as /dev/dax0.0: " REFUSED},
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .facts.driver_name = "dax_foreign",
		 .record.outcome = {.result = RESULT_CHANGED, .driver = DAX_DRIVER_OTHER},
		 TDX(ACTIVE)},
		CXL_TEXT "was changed by another program or by hand: its driver is now "
			 "dax_foreign; it was to be kept out of system RAM and available as "
			 "/dev/dax0.0: " REFUSED},
	/* one range of a device of two ranges */
	{{.record.range = {128 * GIB, 160 * GIB},
		 .facts.device = {.type = TYPE_CXL,
			 .name = "dax0.0",
			 .node = 1,
			 .size = 96 * GIB,
			 .ranges = two_ranges,
			 .n_ranges = ARRAY_SIZE(two_ranges)},
		 .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_STRADDLES_BOOT_MAP},
		 .record.outcome = {.result = RESULT_DONE},
		 TDX(ACTIVE)},
		"32 GiB of CXL memory (dax0.0, [mem 0x2000000000-0x27ffffffff], node 1) " KEPT
			ACCEPTS
		", and only another range of its device was RAM at boot (straddles-boot-map)"},
	/* the remedy */
	{{CXL, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_ALREADY_ONLINE},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .driver = DAX_DRIVER_KMEM,
			 .blocks = {.present = 512, .online = 512}},
		 TDX(ARMED)},
		CXL_TEXT
		"is online as system RAM (512 of 512 memory blocks) and was left as it is: it was "
		"online already, but it should not be: TDX is armed (enabled, but not initialized "
		"yet), and would fail to initialize with memory that was not RAM at boot "
		"(already-online); "
		"this memory keeps TDX from initializing; take it out with: daxctl "
		"reconfigure-device -m devdax -f dax0.0"},
	{{DIMM, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_ALREADY_ONLINE},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .blocks = {.present = 32, .online = 1}},
		 TDX(ACTIVE)},
		DIMM_TEXT
		"is partly online as system RAM (1 of 32 memory blocks, 128 MiB) and was left "
		"as it is: it was online already, but it should not be: " ACCEPTS
		" (already-online); take it out with: chmem -d 0x100000000-0x1ffffffff"},
	/* with TDX absent only the rule is violated */
	{{DIMM,
		 .decision = {.verdict = VERDICT_IGNORE,
			 .reason = REASON_ALREADY_ONLINE,
			 .rule = "a.rule",
			 .overruled = true,
			 .asked = VERDICT_DEVDAX},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .blocks = {.present = 32, .online = 1}},
		 TDX(ABSENT)},
		DIMM_TEXT
		"is partly online as system RAM (1 of 32 memory blocks, 128 MiB) and was left as "
		"it is: "
		"it was online already, but it should not be: a rule requires something else "
		"(already-online); "
		"rule a.rule requires devdax and is overruled; the TDX state is absent"},
	/* only a DIMM can be in its slot at the next boot */
	{{DIMM, .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .stranded = 4 * GIB,
			 .blocks = {.present = 32}},
		 TDX(ACTIVE)},
		DIMM_TEXT "was left offline, unusable until a reboot with it in place: " REFUSED
			  "; 4 GiB is stranded: neither the kernel nor a program can use it"},
	{{DIMM, .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_STRADDLES_BOOT_MAP},
		 .facts.boot_map = &parts, .record.outcome = {.result = RESULT_NOTHING},
		 TDX(UNKNOWN)},
		DIMM_TEXT "was left offline and cannot be used: TDX may be "
			  "active, and accepts only memory that was RAM at boot, and only 1.5 GiB "
			  "of it was RAM at boot: [mem 0x100000000-0x13fffffff], [mem "
			  "0x180000000-0x18fffffff], "
			  "[mem 0x1a0000000-0x1a7ffffff] and 1 more (straddles-boot-map); the TDX "
			  "state is unknown"},
	/* blocks without a dax device, in a CXL region */
	{{.record.range = {4 * GIB, 8 * GIB},
		 .facts.device = {.type = TYPE_CXL, .region = "region0", .node = NODE_UNKNOWN},
		 .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_NOTHING},
		 TDX(ACTIVE)},
		"4 GiB of CXL memory ([mem 0x100000000-0x1ffffffff], region0) was left offline and "
		"cannot be used: " REFUSED},
	{{.record.range = {4 * GIB, 8 * GIB},
		 .facts.device = {.type = TYPE_CXL, .region = "region0", .node = 2},
		 .facts.cxl = {.memdevs = {{.name = "mem0"}}, .n_memdevs = 1},
		 .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_NOTHING},
		 TDX(ACTIVE)},
		"4 GiB of CXL memory ([mem 0x100000000-0x1ffffffff], region0, mem0, node 2) was "
		"left offline and cannot be used: " REFUSED},
};

static void test_sentences(void **state)
{
	char text[RECORD_SENTENCE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct own_record own = rows[i].own;

		assert_ptr_equal(record_sentence(own_record_of(&own), text), text);
		assert_string_equal(text, rows[i].sentence);
	}
}

/* The phrase of each result for each verdict. */
static void test_phrases(void **state)
{
	static const struct {
		enum verdict verdict;
		enum result result;
		const char *phrase;
	} phrases[] = {
		{VERDICT_ONLINE, RESULT_NOTHING,
			") is online as system RAM (0 of 0 memory blocks): "},
		{VERDICT_ONLINE, RESULT_WITHHELD,
			"; with Act=yes it would be online as system RAM: "},
		{VERDICT_ONLINE, RESULT_FAILED, ") could not be brought online as system RAM (0 "},
		{VERDICT_ONLINE, RESULT_CHANGED, "; it was to be online as system RAM: "},
		{VERDICT_DEVDAX, RESULT_NOTHING, ") is available as /dev/dax0.0 and is kept"},
		{VERDICT_DEVDAX, RESULT_BEGUN,
			") is kept out of system RAM, for use as /dev/dax0.0:"},
		{VERDICT_DEVDAX, RESULT_WITHHELD,
			"; with Act=yes it would be kept out of system RAM and available as "
			"/dev/dax0.0"},
		{VERDICT_DEVDAX, RESULT_PARTIAL, ") could not be made available as /dev/dax0.0: "},
		{VERDICT_OFFLINE, RESULT_DONE, ") was left offline and cannot be used: "},
		{VERDICT_OFFLINE, RESULT_PLANNED, ") would be left offline: "},
		{VERDICT_OFFLINE, RESULT_PARTIAL, ") could not all be taken offline: "},
		{VERDICT_OFFLINE, RESULT_CHANGED, "; it was to be left offline: "},
		{VERDICT_IGNORE, RESULT_PLANNED, ") would be left as it is: "},
		{VERDICT_IGNORE, RESULT_FAILED, ") was left as it is, without a driver, and "},
		{VERDICT_IGNORE, RESULT_CHANGED, "; it was to be left as it is: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
		struct own_record own = {CXL, .decision.verdict = phrases[i].verdict,
			.decision.withheld = WITHHELD_OBSERVE,
			.record.outcome.result = phrases[i].result};
		char text[RECORD_SENTENCE];

		record_sentence(own_record_of(&own), text);
		assert_non_null(strstr(text, phrases[i].phrase));
	}
}

static void test_subject(void **state)
{
	struct own_record own = rows[2].own;
	char text[RECORD_SENTENCE];

	(void)state;
	assert_ptr_equal(record_subject(own_record_of(&own), text), text);
	assert_string_equal(text, "4 GiB of memory in a DIMM ([mem 0x100000000-0x1ffffffff])");
}

/* A failure is not described as success: the driver of this device is still kmem. */
static void test_failed_devdax(void **state)
{
	struct own_record own = {
		CXL,
		.decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		.record.outcome = {.result = RESULT_FAILED,
			.error = EBUSY,
			.failed = ACTION_UNBIND},
		TDX(ACTIVE),
	};
	char text[RECORD_SENTENCE];

	(void)state;
	record_sentence(own_record_of(&own), text);
	assert_non_null(strstr(text, ": unbinding its driver failed: Device or resource busy; "));
	assert_null(strstr(text, "is available as"));
}

static void test_results(void **state)
{
	static const char *const names[] = {"nothing-to-do", "planned", "withheld", "begun", "done",
		"partial", "failed", "changed"};
	enum result result = RESULT_DONE;

	(void)state;
	assert_int_equal(ARRAY_SIZE(names), RESULT_MAX);
	for (enum result r = 0; r < RESULT_MAX; r++) {
		assert_string_equal(result_to_string(r), names[r]);
		assert_int_equal(result_from_string(names[r], &result), 0);
		assert_int_equal(result, r);
	}
	assert_int_equal(result_from_string("", &result), -EINVAL);
	assert_int_equal(result_from_string("done ", &result), -EINVAL);
	assert_int_equal(result, RESULT_CHANGED);
}

static void fill(char *name, size_t size, char letter)
{
	memset(name, letter, size - 1);
	name[size - 1] = '\0';
}

static void test_longest(void **state)
{
	struct own_record own = rows[8].own;
	struct device *device = &own.facts.device;
	struct cxl_origin *cxl = &own.facts.cxl;
	struct {
		char text[RECORD_SENTENCE], guard[8];
	} out;

	(void)state;
	own.record.range = span(1, UINT64_MAX);
	device->type = TYPE_VIRTIO_MEM;
	device->node = INT32_MAX;
	fill(device->name, SYSFS_NAME, 'd');
	fill(device->region, SYSFS_NAME, 'r');
	fill(own.decision.rule, RULE_NAME, 'R');
	for (cxl->n_memdevs = 0;; cxl->n_memdevs++) {
		memset(&out, '#', sizeof(out));
		record_sentence(own_record_of(&own), out.text);
		assert_memory_equal(out.guard, "########", 8);
		assert_non_null(memchr(out.text, '\0', sizeof(out.text)));
		assert_null(strchr(out.text, '\n'));
		assert_non_null(strstr(out.text, device->name));
		if (cxl->n_memdevs == MEMDEVS_MAX)
			break;
		fill(cxl->memdevs[cxl->n_memdevs].name, SYSFS_NAME, 'm');
	}
}

/*
 * Sixteen memory devices with usual names and the longest rule: the sentence still has its verdict.
 */
static void test_sixteen_memdevs(void **state)
{
	struct own_record own = rows[0].own;
	char text[RECORD_SENTENCE];

	(void)state;
	for (size_t i = 0; i < MEMDEVS_MAX; i++)
		strcpy(own.facts.cxl.memdevs[i].name, "mem1000");
	own.facts.cxl.n_memdevs = MEMDEVS_MAX;
	fill(own.decision.rule, RULE_NAME, 'R');
	record_sentence(own_record_of(&own), text);
	assert_non_null(strstr(
		text, "mem1000, mem1000, mem1000, mem1000 and 12 more, node 1) is available as "));
	assert_string_equal(text + strlen(text) - strlen("R matches"), "R matches");
}

/*
 * Only memory that goes online has unusable edges; a range without a whole block is unusable as a
 * whole.
 */
static void test_unaligned(void **state)
{
	static const struct {
		struct range range;
		uint64_t unaligned;
	} edges[] = {
		{{0, 0}, 0}, /* address not known */
		{{4 * GIB, 8 * GIB}, 0},
		{{4 * GIB, 4 * GIB + BLOCK}, 0},
		{{4 * GIB, 8 * GIB + 1}, 1},
		{{4 * GIB + 1, 8 * GIB}, BLOCK - 1},
		{{4 * GIB - MIB, 8 * GIB + 2 * MIB}, 3 * MIB},
		{{4 * GIB + MIB, 4 * GIB + BLOCK}, BLOCK - MIB},
		{{4 * GIB - MIB, 4 * GIB + MIB}, 2 * MIB},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		for (enum verdict verdict = 0; verdict < VERDICT_MAX; verdict++) {
			struct own_record own = {
				.record.range = edges[i].range, .decision.verdict = verdict};

			assert_int_equal(record_unaligned(own_record_of(&own)),
				verdict == VERDICT_ONLINE ? edges[i].unaligned : 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_phrases),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_failed_devdax),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_sixteen_memdevs),
		cmocka_unit_test(test_unaligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
