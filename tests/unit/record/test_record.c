/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record as a sentence, written out by hand, as an administrator is to read it. Names of the
 * greatest length neither overflow a sentence nor break its lines. The fields are in
 * test_record_fields.c.
 */
#include "tests/unit/records.h"

#include <errno.h>
#include <string.h>

#define CXL                                                                                        \
	.record.range = {64 * GIB, 128 * GIB},                                                     \
	.facts.device = {.type = TYPE_CXL, .name = "dax0.0", .region = "region0", .node = 1},      \
	.facts.cxl = {.memdevs = {{.name = "mem0"}, {.name = "mem1"}}, .n_memdevs = 2}
#define CXL_TEXT "64 GiB cxl [mem 0x1000000000-0x1fffffffff] (dax0.0, region0, mem0, mem1, node 1) "
#define DIMM                                                                                       \
	.record.range = {4 * GIB, 8 * GIB},                                                        \
	.facts.device = {.type = TYPE_DIMM, .node = NODE_UNKNOWN}
#define DIMM_TEXT "4 GiB dimm [mem 0x100000000-0x1ffffffff] "
#define TDX(is)	  .facts.tdx = {.state = TDX_##is, .detected = TDX_##is}
#define REFUSED	  "TDX refuses it, it was not there at boot (outside-boot-map)"
#define STRADDLES "TDX refuses it, only a part of it was there at boot (straddles-boot-map)"
#define LET_IN	  "there is no TDX here to refuse it (tdx-absent)"

static struct range two_ranges[] = {{64 * GIB, 128 * GIB}, {128 * GIB, 160 * GIB}};

static const struct {
	struct own_record own;
	const char *sentence;
} rows[] = {
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_DONE}, TDX(ACTIVE)},
		CXL_TEXT "kept as devdax: " REFUSED "; TDX active"},
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_PLANNED},
		 .facts.tdx = {.state = TDX_ACTIVE,
			 .detected = TDX_ABSENT,
			 .mode = TDX_MODE_ACTIVE}},
		CXL_TEXT "to be kept as devdax: " REFUSED
			 "; TDX active as configured, absent as found"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL,
			 .source = BOOT_SOURCE_BOOT_PARAMS},
		 .record.outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 TDX(ARMED)},
		DIMM_TEXT "online, 32 of 32 blocks: TDX accepts it, it was there at boot "
			  "(in-boot-map); TDX armed"},
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
		DIMM_TEXT "not wholly online, 31 of 32 blocks: " LET_IN
			  "; online at 0x1f8000000: Device or resource busy after 5 retries; "
			  "128 MiB stranded; TDX absent"},
	{{DIMM, .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_KERNEL_REFUSED},
		 .record.outcome = {.result = RESULT_DONE,
			 .error = EPERM,
			 .failed = ACTION_ONLINE,
			 .failed_at = 0x1f8000000,
			 .blocks = {.present = 32}},
		 TDX(ACTIVE)},
		DIMM_TEXT "left offline: the kernel refused what policy allowed (kernel-refused); "
			  "online at 0x1f8000000: Operation not permitted; TDX active"},
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
		DIMM_TEXT "not wholly offline: not all of it could be brought online "
			  "(rolled-back); online at 0x1f0000000: Input/output error; undoing it "
			  "failed: offline at 0x1f8000000: Device or resource busy after 5 "
			  "retries; 1 of 32 blocks online; TDX absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL,
			 .source = 1},
		 .record.outcome = {.result = RESULT_PLANNED, .blocks = {.present = 32}},
		 TDX(ACTIVE)},
		DIMM_TEXT "to be onlined: TDX accepts it, it was there at boot (in-boot-map); "
			  "TDX active"},
	{{.facts.device = {.size = 16 * GIB,
		  .type = TYPE_HMEM,
		  .name = "dax1.0",
		  .node = NODE_UNKNOWN},
		 .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_UNREADABLE},
		 TDX(UNKNOWN)},
		"16 GiB hmem (dax1.0) left as it is: a part of its state cannot be read "
		"(unreadable); TDX unknown"},
	{{CXL, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_UNPLUGGED},
		 .record.outcome = {.missing = 512, .stranded = 64 * GIB}, TDX(ABSENT)},
		CXL_TEXT "left as it is: its device is unplugged from the kernel (unplugged); "
			 "512 blocks are not in the kernel; 64 GiB stranded; TDX absent"},
	{{CXL,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO},
		 .record.outcome = {.result = RESULT_PARTIAL,
			 .missing = 256,
			 .stranded = 32 * GIB,
			 .blocks = {.present = 256, .online = 256}},
		 TDX(ABSENT)},
		CXL_TEXT "not wholly online, 256 of 512 blocks: " LET_IN
			 "; 256 blocks are not in the kernel; 32 GiB stranded; TDX absent"},
	/* rules */
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_RULE,
			 .rule = "50-lab.rule"},
		 .record.outcome = {.result = RESULT_BEGUN}, TDX(ABSENT)},
		CXL_TEXT "kept as devdax: a rule asks for it (rule); rule 50-lab.rule; "
			 "TDX absent"},
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .rule = "50-lab.rule",
			 .overruled = true,
			 .asked = VERDICT_ONLINE},
		 .record.outcome = {.result = RESULT_DONE}, TDX(ACTIVE)},
		CXL_TEXT "kept as devdax: " REFUSED
			 "; rule 50-lab.rule asks for online and is overruled; TDX active"},
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .unmatched = true},
		 .record.outcome = {.result = RESULT_DONE}, TDX(ACTIVE)},
		CXL_TEXT "kept as devdax: " REFUSED "; no rule matches; TDX active"},
	/* withheld */
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_OBSERVE},
		 .record.outcome = {.result = RESULT_WITHHELD, .blocks = {.present = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT "to be onlined: " LET_IN "; nothing is done, Act=no; TDX absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_PRESENT,
			 .rule = "a.rule"},
		 .record.outcome = {.result = RESULT_WITHHELD, .blocks = {.present = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT "to be onlined: " LET_IN
			  "; nothing is done, it was there at first start (Present=); "
			  "rule a.rule; TDX absent"},
	/* what is so already is not kept from being so */
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_PRESENT},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; TDX absent"},
	/* numbers */
	{{CXL,
		 .decision = {.verdict = VERDICT_IGNORE,
			 .reason = REASON_NO_HEAD_ROOM,
			 .map_needed = 256 * MIB,
			 .map_spare = 100 * MIB},
		 .record.outcome = {.result = RESULT_NOTHING}, TDX(ACTIVE)},
		CXL_TEXT "left as it is: the host cannot spare its page metadata (no-head-room); "
			 "it takes 256 MiB, and 100 MiB can be spared; TDX active"},
	/* a need that is met is not told */
	{{CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .map_needed = 256 * MIB,
			 .map_spare = GIB},
		 .record.outcome = {.result = RESULT_DONE}, TDX(ACTIVE)},
		CXL_TEXT "kept as devdax: " REFUSED "; TDX active"},
	/* the first and the last 32 MiB make no block */
	{{.record.range = {4 * GIB + 96 * MIB, 8 * GIB - 96 * MIB},
		 .facts.device = {.type = TYPE_DIMM, .node = NODE_UNKNOWN},
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_MOVABLE,
			 .rule = "m.rule",
			 .movable_ratio = 120},
		 .record.outcome = {.result = RESULT_DONE, .blocks = {.present = 30, .online = 30}},
		 TDX(ABSENT)},
		"3.8 GiB dimm [mem 0x106000000-0x1f9ffffff] online, 30 of 30 blocks: " LET_IN
		"; rule m.rule; movable memory is 120 % of the kernel's; "
		"64 MiB at its edges are lost, they make no whole block; TDX absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .rule = "m.rule",
			 .zone_overruled = true,
			 .movable_ratio = 420},
		 .record.outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; rule m.rule; "
			  "not movable: movable memory would be 420 % of the kernel's; TDX absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .rule = "m.rule",
			 .zone_overruled = true},
		 .record.outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; rule m.rule; "
			  "not movable: the sizes of the zones are not known; TDX absent"},
	/*
	 * online already, and not in the zone that is wanted; the kernel's choice is always right
	 */
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
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; rule m.rule; movable memory is"
			  " 30 % of the kernel's; its blocks are in zone Normal; TDX absent"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .zone_now = "Movable",
			 .blocks = {.present = 32, .online = 32}},
		 TDX(ACTIVE)},
		DIMM_TEXT "online, 32 of 32 blocks: TDX accepts it, it was there at boot"
			  " (in-boot-map); its blocks are in zone Movable; TDX active"},
	{{DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .zone_now = "Movable",
			 .blocks = {.present = 32, .online = 32}},
		 TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; TDX absent"},
	/* changed by somebody */
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
		"64 GiB hmem [mem 0x1000000000-0x1fffffffff] (dax2.0, node 2) was kept as "
		"devdax: " REFUSED "; somebody changed it, its driver is now kmem; 3 of 512 blocks "
		"online; TDX armed"},
	{{CXL, .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_CHANGED}, TDX(ACTIVE)},
		CXL_TEXT "was kept as devdax: " REFUSED
			 "; somebody changed it, its driver is now none; 0 of 0 blocks online; "
			 "TDX active"},
	/* of a device with two ranges, the one that it is about */
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
		"32 GiB cxl [mem 0x2000000000-0x27ffffffff] (dax0.0, node 1) kept as "
		"devdax: " STRADDLES "; TDX active"},
	/* the remedy */
	{{CXL, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_ALREADY_ONLINE},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .blocks = {.present = 512, .online = 512}},
		 TDX(ARMED)},
		CXL_TEXT "left as it is: it should not be online, but it is already "
			 "(already-online); 512 of 512 blocks online; "
			 "it keeps TDX from initializing; take it out with: "
			 "daxctl reconfigure-device -m devdax -f dax0.0; TDX armed"},
	{{DIMM, .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_ALREADY_ONLINE},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .blocks = {.present = 32, .online = 1}},
		 TDX(ACTIVE)},
		DIMM_TEXT "left as it is: it should not be online, but it is already "
			  "(already-online); 1 of 32 blocks online; take it out with: "
			  "chmem -d 0x100000000-0x1ffffffff; TDX active"},
	/* where TDX is not, only the rule is hurt */
	{{DIMM,
		 .decision = {.verdict = VERDICT_IGNORE,
			 .reason = REASON_ALREADY_ONLINE,
			 .rule = "a.rule",
			 .overruled = true,
			 .asked = VERDICT_DEVDAX},
		 .record.outcome = {.result = RESULT_NOTHING,
			 .blocks = {.present = 32, .online = 1}},
		 TDX(ABSENT)},
		DIMM_TEXT "left as it is: it should not be online, but it is already "
			  "(already-online); rule a.rule asks for devdax and is overruled; "
			  "1 of 32 blocks online; TDX absent"},
	/* Blocks without a dax device: whatever of the region is known. */
	{{.record.range = {4 * GIB, 8 * GIB},
		 .facts.device = {.type = TYPE_CXL, .region = "region0", .node = NODE_UNKNOWN},
		 .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_NOTHING},
		 TDX(ACTIVE)},
		"4 GiB cxl [mem 0x100000000-0x1ffffffff] (region0) left offline: " REFUSED
		"; TDX active"},
	{{.record.range = {4 * GIB, 8 * GIB},
		 .facts.device = {.type = TYPE_CXL, .region = "region0", .node = 2},
		 .facts.cxl = {.memdevs = {{.name = "mem0"}}, .n_memdevs = 1},
		 .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .record.outcome = {.result = RESULT_NOTHING},
		 TDX(ACTIVE)},
		"4 GiB cxl [mem 0x100000000-0x1ffffffff] (region0, mem0, node 2) left "
		"offline: " REFUSED "; TDX active"},
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

/* What an outcome is called at each verdict. */
static void test_phrases(void **state)
{
	static const struct {
		enum verdict verdict;
		enum result result;
		const char *phrase;
	} phrases[] = {
		{VERDICT_ONLINE, RESULT_NOTHING, ") online, 0 of 0 blocks: "},
		{VERDICT_ONLINE, RESULT_WITHHELD, ") to be onlined: "},
		{VERDICT_ONLINE, RESULT_FAILED, ") not wholly online, 0 of 0 blocks: "},
		{VERDICT_ONLINE, RESULT_CHANGED, ") was to be online: "},
		{VERDICT_DEVDAX, RESULT_NOTHING, ") kept as devdax: "},
		{VERDICT_DEVDAX, RESULT_WITHHELD, ") to be kept as devdax: "},
		{VERDICT_DEVDAX, RESULT_PARTIAL, ") not made devdax: "},
		{VERDICT_OFFLINE, RESULT_DONE, ") left offline: "},
		{VERDICT_OFFLINE, RESULT_PLANNED, ") to be left offline: "},
		{VERDICT_OFFLINE, RESULT_PARTIAL, ") not wholly offline: "},
		{VERDICT_OFFLINE, RESULT_CHANGED, ") was left offline: "},
		{VERDICT_IGNORE, RESULT_PLANNED, ") to be left as it is: "},
		{VERDICT_IGNORE, RESULT_FAILED, ") left as it is: "},
		{VERDICT_IGNORE, RESULT_CHANGED, ") was left as it was: "},
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
	assert_string_equal(text, "4 GiB dimm [mem 0x100000000-0x1ffffffff]");
}

/* What failed is not told as a fact: this device was not kept as devdax, kmem still has it. */
static void test_failure_is_no_success(void **state)
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
	assert_non_null(strstr(text, "unbind: Device or resource busy"));
	assert_null(strstr(text, ") kept as devdax"));
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
 * Sixteen interleaved devices under their usual names, and the longest rule, do not cost a sentence
 * its verdict.
 */
static void test_sixteen_ways(void **state)
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
		text, "mem1000, mem1000, mem1000, mem1000 and 12 more, node 1) kept as devdax: "));
	assert_string_equal(text + strlen(text) - strlen("TDX active"), "TDX active");
}

/* Only what is to be online loses its edges; of a range that holds no whole block, all of it. */
static void test_unaligned(void **state)
{
	static const struct {
		struct range range;
		uint64_t unaligned;
	} edges[] = {
		{{0, 0}, 0}, /* where it lies is not known */
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
		cmocka_unit_test(test_failure_is_no_success),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_sixteen_ways),
		cmocka_unit_test(test_unaligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
