/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record as a sentence, written out by hand, as an administrator is to read it. Names of the
 * greatest length neither overflow a sentence nor break its lines. The fields are in
 * test_record_fields.c.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "tdxo/record/record.h"

#define CXL                                                                                        \
	{                                                                                          \
		.range = {64 * GIB, 128 * GIB}, .size = 64 * GIB, .type = TYPE_CXL,                \
		.device = "dax0.0", .region = "region0", .node = 1,                                \
		.driver = DAX_DRIVER_DEVICE_DAX, .memdevs = {{.name = "mem0"}, {.name = "mem1"}},  \
		.n_memdevs = 2,                                                                    \
	}
#define CXL_TEXT "64 GiB cxl [mem 0x1000000000-0x1fffffffff] (dax0.0, region0, mem0, mem1, node 1) "
#define DIMM                                                                                       \
	{                                                                                          \
		.range = {4 * GIB, 8 * GIB}, .size = 4 * GIB, .type = TYPE_DIMM,                   \
		.node = NODE_UNKNOWN,                                                              \
	}
#define DIMM_TEXT "4 GiB dimm [mem 0x100000000-0x1ffffffff] "
#define TDX(is)                                                                                    \
	{                                                                                          \
		.state = TDX_##is, .detected = TDX_##is                                            \
	}
#define REFUSED "TDX refuses it, it was not there at boot (outside-boot-map)"
#define LET_IN	"there is no TDX here to refuse it (tdx-absent)"

static const struct {
	struct record record;
	const char *sentence;
} rows[] = {
	{{.arrival = CXL,
		 .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .outcome = {.result = RESULT_DONE},
		 .tdx = TDX(ACTIVE)},
		CXL_TEXT "kept as devdax: " REFUSED "; TDX active"},
	{{.arrival = CXL,
		 .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .outcome = {.result = RESULT_PLANNED},
		 .tdx = {.state = TDX_ACTIVE, .detected = TDX_ABSENT, .mode = TDX_MODE_ACTIVE}},
		CXL_TEXT "to be kept as devdax: " REFUSED
			 "; TDX active as configured, absent as found"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL,
			 .source = BOOT_SOURCE_BOOT_PARAMS},
		 .outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 .tdx = TDX(ARMED)},
		DIMM_TEXT "online, 32 of 32 blocks: TDX accepts it, it was there at boot "
			  "(in-boot-map); TDX armed"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO},
		 .outcome = {.result = RESULT_PARTIAL,
			 .error = EBUSY,
			 .failed = ACTION_ONLINE,
			 .failed_at = 0x1f8000000,
			 .retries = 5,
			 .stranded = 128 * MIB,
			 .blocks = {.present = 32, .online = 31}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "not wholly online, 31 of 32 blocks: " LET_IN
			  "; online at 0x1f8000000: Device or resource busy after 5 retries; "
			  "128 MiB stranded; TDX absent"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_OFFLINE, .reason = REASON_KERNEL_REFUSED},
		 .outcome = {.result = RESULT_DONE,
			 .error = EPERM,
			 .failed = ACTION_ONLINE,
			 .failed_at = 0x1f8000000,
			 .blocks = {.present = 32}},
		 .tdx = TDX(ACTIVE)},
		DIMM_TEXT "left offline: the kernel refused what policy allowed (kernel-refused); "
			  "online at 0x1f8000000: Operation not permitted; TDX active"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL,
			 .source = 1},
		 .outcome = {.result = RESULT_PLANNED, .blocks = {.present = 32}},
		 .tdx = TDX(ACTIVE)},
		DIMM_TEXT "to be onlined: TDX accepts it, it was there at boot (in-boot-map); "
			  "TDX active"},
	{{.arrival = {.size = 16 * GIB,
		  .type = TYPE_HMEM,
		  .fault = FAULT_UNREADABLE,
		  .device = "dax1.0",
		  .node = NODE_UNKNOWN},
		 .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_UNREADABLE},
		 .tdx = TDX(UNKNOWN)},
		"16 GiB hmem (dax1.0) left as it is: a part of its state cannot be read "
		"(unreadable); TDX unknown"},
	/* rules */
	{{.arrival = CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_RULE,
			 .rule = "50-lab.rule"},
		 .outcome = {.result = RESULT_BEGUN},
		 .tdx = TDX(ABSENT)},
		CXL_TEXT "kept as devdax: a rule asks for it (rule); rule 50-lab.rule; "
			 "TDX absent"},
	{{.arrival = CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .rule = "50-lab.rule",
			 .overruled = true,
			 .asked = VERDICT_ONLINE},
		 .outcome = {.result = RESULT_DONE},
		 .tdx = TDX(ACTIVE)},
		CXL_TEXT "kept as devdax: " REFUSED
			 "; rule 50-lab.rule asks for online and is overruled; TDX active"},
	{{.arrival = CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .unmatched = true},
		 .outcome = {.result = RESULT_DONE},
		 .tdx = TDX(ACTIVE)},
		CXL_TEXT "kept as devdax: " REFUSED "; no rule matches; TDX active"},
	/* withheld */
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_OBSERVE},
		 .outcome = {.result = RESULT_WITHHELD, .blocks = {.present = 32}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "to be onlined: " LET_IN "; nothing is done, Act=no; TDX absent"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_PRESENT,
			 .rule = "a.rule"},
		 .outcome = {.result = RESULT_WITHHELD, .blocks = {.present = 32}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "to be onlined: " LET_IN
			  "; nothing is done, it was there at first start (Present=); "
			  "rule a.rule; TDX absent"},
	/* what is so already is not kept from being so */
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .withheld = WITHHELD_PRESENT},
		 .outcome = {.result = RESULT_NOTHING, .blocks = {.present = 32, .online = 32}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; TDX absent"},
	/* numbers */
	{{.arrival = CXL,
		 .decision = {.verdict = VERDICT_IGNORE,
			 .reason = REASON_NO_HEAD_ROOM,
			 .map_needed = 256 * MIB,
			 .map_spare = 100 * MIB},
		 .outcome = {.result = RESULT_NOTHING},
		 .tdx = TDX(ACTIVE)},
		CXL_TEXT "left as it is: the host cannot spare its page metadata (no-head-room); "
			 "it takes 256 MiB, and 100 MiB can be spared; TDX active"},
	/* a need that is met is not told */
	{{.arrival = CXL,
		 .decision = {.verdict = VERDICT_DEVDAX,
			 .reason = REASON_OUTSIDE_BOOT_MAP,
			 .map_needed = 256 * MIB,
			 .map_spare = GIB},
		 .outcome = {.result = RESULT_DONE},
		 .tdx = TDX(ACTIVE)},
		CXL_TEXT "kept as devdax: " REFUSED "; TDX active"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_MOVABLE,
			 .rule = "m.rule",
			 .movable_ratio = 120,
			 .unaligned = 64 * MIB},
		 .outcome = {.result = RESULT_DONE, .blocks = {.present = 31, .online = 31}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "online, 31 of 31 blocks: " LET_IN
			  "; rule m.rule; movable memory is 120 % of the kernel's; "
			  "64 MiB at its edges are lost, they make no whole block; TDX absent"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .rule = "m.rule",
			 .zone_overruled = true,
			 .movable_ratio = 420},
		 .outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; rule m.rule; "
			  "not movable: movable memory would be 420 % of the kernel's; TDX absent"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO,
			 .rule = "m.rule",
			 .zone_overruled = true},
		 .outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; rule m.rule; "
			  "not movable: the sizes of the zones are not known; TDX absent"},
	/*
	 * online already, and not in the zone that is wanted; the kernel's choice is always right
	 */
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_MOVABLE,
			 .rule = "m.rule",
			 .movable_ratio = 30},
		 .outcome = {.result = RESULT_NOTHING,
			 .zone_now = "Normal",
			 .blocks = {.present = 32, .online = 32}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; rule m.rule; movable memory is"
			  " 30 % of the kernel's; its blocks are in zone Normal; TDX absent"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_IN_BOOT_MAP,
			 .zone = ZONE_KERNEL},
		 .outcome = {.result = RESULT_NOTHING,
			 .zone_now = "Movable",
			 .blocks = {.present = 32, .online = 32}},
		 .tdx = TDX(ACTIVE)},
		DIMM_TEXT "online, 32 of 32 blocks: TDX accepts it, it was there at boot"
			  " (in-boot-map); its blocks are in zone Movable; TDX active"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_ONLINE,
			 .reason = REASON_TDX_ABSENT,
			 .zone = ZONE_AUTO},
		 .outcome = {.result = RESULT_NOTHING,
			 .zone_now = "Movable",
			 .blocks = {.present = 32, .online = 32}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "online, 32 of 32 blocks: " LET_IN "; TDX absent"},
	/* changed by somebody */
	{{.arrival = {.range = {64 * GIB, 128 * GIB},
		  .size = 64 * GIB,
		  .type = TYPE_HMEM,
		  .device = "dax2.0",
		  .node = 2,
		  .driver = DAX_DRIVER_KMEM},
		 .decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		 .outcome = {.result = RESULT_CHANGED, .blocks = {.present = 512, .online = 3}},
		 .tdx = TDX(ARMED)},
		"64 GiB hmem [mem 0x1000000000-0x1fffffffff] (dax2.0, node 2) was kept as "
		"devdax: " REFUSED "; somebody changed it, its driver is now kmem; 3 of 512 blocks "
		"online; TDX armed"},
	/* the remedy */
	{{.arrival = CXL,
		 .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_ALREADY_ONLINE},
		 .outcome = {.result = RESULT_NOTHING, .blocks = {.present = 512, .online = 512}},
		 .tdx = TDX(ARMED)},
		CXL_TEXT "left as it is: it should not be online, but it is already "
			 "(already-online); 512 of 512 blocks online; "
			 "it keeps TDX from initializing; take it out with: "
			 "daxctl reconfigure-device -m devdax -f dax0.0; TDX armed"},
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_IGNORE, .reason = REASON_ALREADY_ONLINE},
		 .outcome = {.result = RESULT_NOTHING, .blocks = {.present = 32, .online = 1}},
		 .tdx = TDX(ACTIVE)},
		DIMM_TEXT "left as it is: it should not be online, but it is already "
			  "(already-online); 1 of 32 blocks online; take it out with: "
			  "chmem -d 0x100000000-0x1ffffffff; TDX active"},
	/* where TDX is not, only the rule is hurt */
	{{.arrival = DIMM,
		 .decision = {.verdict = VERDICT_IGNORE,
			 .reason = REASON_ALREADY_ONLINE,
			 .rule = "a.rule",
			 .overruled = true,
			 .asked = VERDICT_DEVDAX},
		 .outcome = {.result = RESULT_NOTHING, .blocks = {.present = 32, .online = 1}},
		 .tdx = TDX(ABSENT)},
		DIMM_TEXT "left as it is: it should not be online, but it is already "
			  "(already-online); rule a.rule asks for devdax and is overruled; "
			  "1 of 32 blocks online; TDX absent"},
};

static void test_sentences(void **state)
{
	char text[RECORD_SENTENCE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_ptr_equal(record_sentence(&rows[i].record, text), text);
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
		const struct record record = {.arrival = CXL,
			.decision.verdict = phrases[i].verdict,
			.decision.withheld = WITHHELD_OBSERVE,
			.outcome.result = phrases[i].result};
		char text[RECORD_SENTENCE];

		assert_non_null(strstr(record_sentence(&record, text), phrases[i].phrase));
	}
}

static void test_subject(void **state)
{
	char text[RECORD_SENTENCE];

	(void)state;
	assert_ptr_equal(record_subject(&rows[2].record, text), text);
	assert_string_equal(text, "4 GiB dimm [mem 0x100000000-0x1ffffffff]");
}

/* What failed is not told as a fact: this device was not kept as devdax, kmem still has it. */
static void test_failure_is_no_success(void **state)
{
	const struct record record = {
		.arrival = CXL,
		.decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP},
		.outcome = {.result = RESULT_FAILED, .error = EBUSY, .failed = ACTION_UNBIND},
		.tdx = TDX(ACTIVE),
	};
	char text[RECORD_SENTENCE];

	(void)state;
	record_sentence(&record, text);
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
	struct arrival arrival = {.range = {1, UINT64_MAX},
		.size = UINT64_MAX - 1,
		.type = TYPE_VIRTIO_MEM,
		.node = INT32_MAX};
	struct record record = rows[8].record;
	struct {
		char text[RECORD_SENTENCE], guard[8];
	} out;

	(void)state;
	fill(arrival.device, SYSFS_NAME, 'd');
	fill(arrival.region, SYSFS_NAME, 'r');
	fill(record.decision.rule, RULE_NAME, 'R');
	for (arrival.n_memdevs = 0;; arrival.n_memdevs++) {
		record.arrival = arrival;
		memset(&out, '#', sizeof(out));
		record_sentence(&record, out.text);
		assert_memory_equal(out.guard, "########", 8);
		assert_non_null(memchr(out.text, '\0', sizeof(out.text)));
		assert_null(strchr(out.text, '\n'));
		assert_non_null(strstr(out.text, arrival.device));
		if (arrival.n_memdevs == MEMDEVS_MAX)
			break;
		fill(arrival.memdevs[arrival.n_memdevs].name, SYSFS_NAME, 'm');
	}
}

/*
 * Sixteen interleaved devices under their usual names, and the longest rule, do not cost a sentence
 * its verdict.
 */
static void test_sixteen_ways(void **state)
{
	struct record record = rows[0].record;
	struct arrival *arrival = &record.arrival;
	char text[RECORD_SENTENCE];

	(void)state;
	for (size_t i = 0; i < MEMDEVS_MAX; i++)
		strcpy(arrival->memdevs[i].name, "mem1000");
	arrival->n_memdevs = MEMDEVS_MAX;
	fill(record.decision.rule, RULE_NAME, 'R');
	record_sentence(&record, text);
	assert_non_null(strstr(
		text, "mem1000, mem1000, mem1000, mem1000 and 12 more, node 1) kept as devdax: "));
	assert_string_equal(text + strlen(text) - strlen("TDX active"), "TDX active");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
