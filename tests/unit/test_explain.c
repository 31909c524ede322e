/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation, written out by hand: what each topic says of what it can meet. That no text
 * is spoilt in any scene is in test_explain_space.c; where a range comes from, and places where
 * nothing arrived, are in test_explain_origin.c.
 */
#include "story.h"

#define DAX   .dax = 1, .carrier = CARRIER_CXL
#define DIMM  .carrier = CARRIER_DIMM
#define AT    "[mem 0x200000000-0x23fffffff]"
#define DAX_0 "dax device dax0.0 "

/* The scene, and what one topic says of it. */
struct row {
	struct scene scene;
	const char *text;
};

static void check_rows(enum topic topic, const struct row *rows, size_t n)
{
	struct storybook book = {0};

	for (size_t i = 0; i < n; i++) {
		storybook_set(&book, &rows[i].scene);
		storybook_tell(&book);
		assert_topic(&book, topic, rows[i].text);
	}
	storybook_done(&book);
}

static void test_what(void **state)
{
	static const struct row rows[] = {
		{{DAX}, "1 GiB of CXL memory at " AT ", " DAX_0 "without a driver, node 1."},
		{{DAX, .driver = DAX_DRIVER_KMEM},
			"1 GiB of CXL memory at " AT ", " DAX_0 "with driver kmem, node 1."},
		{{DAX, .driver = DAX_DRIVER_OTHER},
			"1 GiB of CXL memory at " AT ", " DAX_0
			"with a driver that is not known here, node 1."},
		{{.dax = 1, .carrier = CARRIER_HMEM, .fault = FAULT_UNREADABLE},
			"1 GiB of soft-reserved memory at an address that cannot be read, " DAX_0
			"without a driver, node 1."},
		{{.dax = 1,
			 .carrier = CARRIER_PMEM,
			 .fault = FAULT_NO_NODE,
			 .driver = DAX_DRIVER_FSDEV},
			"1 GiB of persistent memory at " AT ", " DAX_0 "with driver fsdev_dax."},
		{{DIMM}, "1 GiB of memory on a DIMM at " AT "."},
		{{DIMM, .presence = PRESENCE_TOO_SMALL},
			"127 MiB of memory on a DIMM at [mem 0x200100000-0x207ffffff]."},
		{{.carrier = CARRIER_VIRTIO_MEM},
			"1 GiB of memory of a virtio-mem device at " AT "."},
		{{.carrier = CARRIER_UNKNOWN}, "1 GiB of memory of unknown kind at " AT "."},
	};

	(void)state;
	check_rows(TOPIC_WHAT, rows, ARRAY_SIZE(rows));
}

/* [1 MiB, 4 GiB) was there at boot, and of the range what the scene says. */
#define ONE	" The boot map holds 3.9 GiB in 1 range, from boot-params."
#define TWO	" The boot map holds 4.9 GiB in 2 ranges, from boot-params"
#define THREE	" The boot map holds 4.9 GiB in 3 ranges, from boot-params"
#define HALF	" The boot map holds 4.4 GiB in 2 ranges, from boot-params"
#define NOT_RAM "It was not RAM at boot, whatever firmware calls it: a dax device has it."
#define CAPABLE "CapableRanges= asserts that TDX can use all of it."
#define ACROSS	", but one of its memory blocks lies across two ranges of the boot map."
#define JOINT	" Its device has 2 ranges, and is judged by all of them."

static void test_boot_map(void **state)
{
	static const struct row rows[] = {
		{{DIMM, .place = PLACE_OUTSIDE}, "It was not there at boot." ONE},
		{{DIMM, .place = PLACE_INSIDE},
			"All of it was there at boot, says boot-params." TWO "."},
		{{DIMM, .place = PLACE_STRADDLES},
			"Only 512 MiB of it was there at boot, says boot-params." HALF "."},
		{{DIMM, .place = PLACE_ACROSS}, "All of it was there at boot" ACROSS THREE "."},
		{{DIMM, .place = PLACE_UNKNOWN}, "Nothing tells which memory was there at boot."},
		{{DAX, .place = PLACE_OUTSIDE}, NOT_RAM ONE},
		{{DAX, .place = PLACE_INSIDE}, CAPABLE TWO " and configuration."},
		{{DAX, .place = PLACE_STRADDLES},
			"Only 512 MiB of it was there at boot or is asserted by "
			"CapableRanges=." HALF " and configuration."},
		{{DAX, .place = PLACE_ACROSS},
			"All of it was there at boot or is asserted by CapableRanges=" ACROSS THREE
			" and configuration."},
		{{DAX, .place = PLACE_CLAIMED}, NOT_RAM TWO "."},
		{{DAX, .place = PLACE_UNKNOWN}, "Nothing tells which memory was there at boot."},
		{{DAX, .place = PLACE_INSIDE, .second = SECOND_OUTSIDE},
			CAPABLE JOINT TWO " and configuration."},
		{{DAX, .place = PLACE_OUTSIDE, .second = SECOND_INSIDE},
			NOT_RAM JOINT TWO " and configuration."},
	};

	(void)state;
	check_rows(TOPIC_BOOT_MAP, rows, ARRAY_SIZE(rows));
}

#define ARMED_SAYS                                                                                 \
	"Sources: /proc/cpuinfo: tdx_host_platform; "                                              \
	"/sys/module/kvm_intel/parameters/tdx: N; /sys/fs/cgroup/misc.capacity: no tdx."

static void test_gate(void **state)
{
	static const struct row rows[] = {
		{{DAX, .gate = GATE_ABSENT},
			"TDX does not run here and cannot start before the next boot, so the "
			"kernel refuses nothing. Firmware has not enabled TDX, or the processor or "
			"the kernel does not support it. Sources: /proc/cpuinfo: no "
			"tdx_host_platform; /sys/fs/cgroup/misc.capacity: no tdx."},
		{{DAX, .gate = GATE_ARMED},
			"Firmware enabled TDX, and the TDX module is not initialized yet: memory "
			"that was not there at boot must stay out, or the initialization "
			"fails. " ARMED_SAYS},
		{{DAX, .gate = GATE_ACTIVE},
			"TDX is active: the kernel refuses memory that was not there at boot. "
			"Sources: /proc/cpuinfo: tdx_host_platform; "
			"/sys/module/kvm_intel/parameters/tdx: Y; /sys/fs/cgroup/misc.capacity: "
			"tdx; kernel log: initialized."},
		{{DAX, .gate = GATE_UNKNOWN},
			"Whether TDX is active is unknown, so it is handled as active. The file "
			"that would show the state of TDX cannot be read. Sources: /proc/cpuinfo: "
			"unreadable."},
	};

	(void)state;
	check_rows(TOPIC_GATE, rows, ARRAY_SIZE(rows));
}

/* A gate by configuration: what is found is told, and who says so; and the remedy is another. */
static void test_gate_overridden(void **state)
{
	struct storybook book = {0};
	struct gate *gate = &book.stage.snapshot.gate;

	(void)state;
	storybook_set(&book, &(struct scene){DAX, .gate = GATE_ARMED});
	*gate = gate_decide(&gate->evidence, GATE_MODE_ABSENT);
	storybook_decide(&book);
	storybook_tell(&book);
	assert_topic(&book, TOPIC_GATE,
		"By Gate= or --gate= the gate counts as absent. As found it is armed. " ARMED_SAYS);
	assert_topic(&book, TOPIC_VERDICT,
		"online: there is no TDX here to refuse it (gate-absent). With the gate active the "
		"verdict would be devdax: TDX refuses it, it was not there at boot "
		"(outside-boot-map).");
	assert_topic(&book, TOPIC_CHANGE,
		"A rule can keep it out of the page allocator, or choose its zone: see "
		"tdx-onlined.rule(5). Without Gate= or --gate= it is decided by the gate as "
		"found.");
	storybook_set(&book, &(struct scene){DIMM, .gate = GATE_ABSENT});
	*gate = gate_decide(&gate->evidence, GATE_MODE_ACTIVE);
	storybook_decide(&book);
	storybook_tell(&book);
	assert_topic(&book, TOPIC_CHANGE,
		"It stays out only because of Gate= or --gate=. A DIMM that is in its place at "
		"boot "
		"is boot memory.");
	assert_topic(&book, TOPIC_GATE,
		"By Gate= or --gate= the gate counts as active. As found it is absent. Firmware "
		"has not enabled TDX, or the processor or the kernel does not support it. Sources: "
		"/proc/cpuinfo: no tdx_host_platform; /sys/fs/cgroup/misc.capacity: no tdx.");
	storybook_done(&book);
}

/* The kernel's own words about the cause stand with it. */
static void test_gate_failed(void **state)
{
	struct storybook book = {0};
	struct gate_facts facts;
	struct tdx_log log = {0};

	(void)state;
	storybook_set(&book, &(struct scene){DAX, .gate = GATE_ARMED});
	facts = book.stage.snapshot.gate.evidence;
	tdx_log_read(&log, "virt/tdx: module not loaded");
	gate_read_log(&log, &facts);
	book.stage.snapshot.gate = gate_decide(&facts, GATE_MODE_AUTO);
	storybook_decide(&book);
	storybook_tell(&book);
	assert_topic(&book, TOPIC_GATE,
		"TDX does not run here and cannot start before the next boot, so the kernel "
		"refuses nothing. Firmware has loaded no TDX module: virt/tdx: module not loaded. "
		"Sources: /proc/cpuinfo: tdx_host_platform; /sys/module/kvm_intel/parameters/tdx: "
		"N; /sys/fs/cgroup/misc.capacity: no tdx; kernel log: initialization failed.");
	storybook_done(&book);
}

#define IT "Rule 10-it.rule matches"
#define MOVABLE_RULE                                                                               \
	.asks = ASKS_NO_VERDICT, .zone = ZONE_MOVABLE, .gate = GATE_ABSENT, .ratio = RATIO_NO_ADVICE

static void test_rule(void **state)
{
	static const struct row rows[] = {
		{{DAX, .asks = ASKS_NO_RULES}, "There are no rules."},
		{{DAX, .asks = ASKS_NO_MATCH}, "There is one rule, and it does not match."},
		{{DAX, .asks = ASKS_NO_VERDICT}, IT "."},
		{{DAX, .asks = ASKS(OFFLINE)}, IT ", and asks for offline."},
		{{DAX, .asks = ASKS(ONLINE), .gate = GATE_ACTIVE},
			IT ", and asks for online, which it cannot have."},
		{{DIMM, .asks = ASKS(DEVDAX)}, IT ", and asks for devdax."},
		{{DAX, MOVABLE_RULE}, IT
			". It asks for zone movable, which it cannot have: the sizes of the zones "
			"are not known."},
		/* 4 GiB and 1 GiB to 16 GiB, rounded up */
		{{DAX, MOVABLE_RULE, .head = HEAD_PLENTY},
			IT ". It asks for zone movable, which it cannot have: movable memory would "
			   "be 32 % of the kernel's."},
	};
	struct storybook book = {0};

	(void)state;
	check_rows(TOPIC_RULE, rows, ARRAY_SIZE(rows));
	storybook_set(&book, &rows[1].scene);
	book.stage.config.rules = (struct rule[2]){book.stage.rule, book.stage.rule};
	book.stage.config.n_rules = 2;
	storybook_tell(&book);
	assert_topic(&book, TOPIC_RULE, "None of the 2 rules matches.");
	storybook_done(&book);
}

#define OUTSIDE	  "TDX refuses it, it was not there at boot (outside-boot-map)."
#define NOT_IN	  "online: there is no TDX here to refuse it (gate-absent)."
#define IF_TDX	  " With the gate active the verdict would be "
#define IN_DEVDAX "devdax: it is in devdax mode already (already-devdax)."
#define IF_NOT	  " If it were not, the verdict would be "

static void test_verdict(void **state)
{
	static const struct row rows[] = {
		{{DAX, .gate = GATE_ACTIVE}, "devdax: " OUTSIDE},
		{{DIMM, .gate = GATE_ARMED}, "offline: " OUTSIDE},
		{{DIMM, .gate = GATE_ACTIVE, .place = PLACE_INSIDE},
			"online: TDX accepts it, it was there at boot (in-boot-map). It goes to "
			"zone "
			"kernel, because what is in zone movable can never back a confidential "
			"VM."},
		{{DIMM}, NOT_IN IF_TDX "offline: " OUTSIDE},
		{{DIMM, .presence = PRESENCE_ONLINE},
			NOT_IN IF_TDX "ignore: it should not be online, but it is already "
				      "(already-online)."},
		{{DAX, .asks = ASKS_NO_VERDICT, .zone = ZONE_MOVABLE, .head = HEAD_PLENTY},
			NOT_IN " It goes to zone movable." IF_TDX "devdax: " OUTSIDE},
		{{DAX, .asks = ASKS(OFFLINE)}, "offline: a rule asks for it (rule)."},
		{{DIMM, .presence = PRESENCE_TOO_SMALL},
			NOT_IN " Of its edges 127 MiB are lost: they make no whole memory "
			       "block." IF_TDX "offline: " OUTSIDE},
		/* a memory map of 16 MiB, a devdax device needs 4 MiB */
		{{DAX, .head = HEAD_NONE},
			"ignore: the host cannot spare its page metadata (no-head-room). It takes 16 "
			"MiB, and 0 B can be spared."},
		{{DAX, .gate = GATE_ACTIVE, .driver = DAX_DRIVER_DEVICE_DAX},
			IN_DEVDAX IF_NOT "devdax: " OUTSIDE},
		{{DAX, .gate = GATE_ABSENT, .driver = DAX_DRIVER_DEVICE_DAX},
			IN_DEVDAX IF_NOT NOT_IN},
	};

	(void)state;
	check_rows(TOPIC_VERDICT, rows, ARRAY_SIZE(rows));
}

#define NOT_RUN "The daemon has not run in this boot. "
#define LEFT	"What is left to do: "

static void test_steps(void **state)
{
	static const struct row rows[] = {
		{{DAX}, NOT_RUN LEFT "bind kmem, bring its memory blocks online."},
		{{DAX, .gate = GATE_ACTIVE, .driver = DAX_DRIVER_KMEM},
			NOT_RUN LEFT "take its driver off, bind device_dax."},
		{{DIMM, .asks = ASKS(OFFLINE), .offline = 1, .presence = PRESENCE_ONLINE},
			NOT_RUN LEFT "take its memory blocks offline."},
		{{DIMM, .gate = GATE_ACTIVE}, NOT_RUN "Nothing is left to do."},
		{{DAX, .gate = GATE_ACTIVE, .observe = 1},
			NOT_RUN "Act=no withholds what is left to do: bind device_dax."},
		{{DAX, .present = 1, .may_present = PRESENT_SAFE}, NOT_RUN
			"Present= withholds what is left to do: bind kmem, bring its memory "
			"blocks online."},
	};

	(void)state;
	check_rows(TOPIC_DONE, rows, ARRAY_SIZE(rows));
}

/* What the daemon did, by each result; and whether that would be decided again. */
static void test_done(void **state)
{
	static const char *const results[] = {
		[RESULT_NOTHING] = "and nothing had to be done.",
		[RESULT_PLANNED] = "and has done nothing.",
		[RESULT_WITHHELD] = "and did nothing because of Act=no or Present=.",
		[RESULT_BEGUN] = "and has not finished.",
		[RESULT_DONE] = "and did it.",
		[RESULT_PARTIAL] = "and did only a part of it.",
		[RESULT_FAILED] = "and failed.",
		[RESULT_CHANGED] = "and somebody has changed it since.",
	};
	struct storybook book = {.ran = true};
	char want[256];

	(void)state;
	storybook_set(&book, &(struct scene){DAX, .gate = GATE_ACTIVE});
	storybook_tell(&book);
	assert_topic(&book, TOPIC_DONE, "The daemon has not decided it. " LEFT "bind device_dax.");
	book.has_entry = true;
	book.entry = (struct entry){.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP};
	for (enum result result = 0; result < RESULT_MAX; result++) {
		book.entry.result = result;
		snprintf(want, sizeof(want),
			"The daemon decided devdax (outside-boot-map), %s " LEFT "bind device_dax.",
			results[result]);
		storybook_tell(&book);
		assert_topic(&book, TOPIC_DONE, want);
	}
	book.entry = (struct entry){.verdict = VERDICT_OFFLINE,
		.reason = REASON_RULE,
		.result = RESULT_DONE,
		.changed = true};
	storybook_tell(&book);
	assert_topic(&book, TOPIC_DONE,
		"The daemon decided offline (rule), and did it. Somebody has changed it since. "
		"That "
		"stands until a reload, which decides it anew. " LEFT "bind device_dax.");
	storybook_done(&book);
}

#define WOULD " Asked to bring it online, the kernel would "

static void test_kernel(void **state)
{
	static const struct row rows[] = {
		{{DAX, .gate = GATE_ACTIVE},
			"It is not in the kernel's memory: it would be 8 memory blocks." WOULD
			"refuse."},
		{{DAX, .gate = GATE_ARMED},
			"It is not in the kernel's memory: it would be 8 memory blocks." WOULD
			"accept."},
		{{DAX, .gate = GATE_UNKNOWN},
			"It is not in the kernel's memory: it would be 8 memory blocks."},
		{{DIMM, .presence = PRESENCE_OFFLINE, .gate = GATE_ACTIVE},
			"0 of its 8 memory blocks are online." WOULD "refuse."},
		{{DIMM, .presence = PRESENCE_ONE_ONLINE},
			"1 of its 8 memory blocks is online." WOULD "accept."},
		{{DIMM, .presence = PRESENCE_ONE_UNREAD},
			"0 of its 8 memory blocks are online, as far as can be read." WOULD
			"accept."},
		{{DIMM, .presence = PRESENCE_ONLINE, .gate = GATE_ACTIVE, .place = PLACE_INSIDE},
			"8 of its 8 memory blocks are online." WOULD "accept."},
		{{DIMM, .presence = PRESENCE_TOO_SMALL},
			"It is not in the kernel's memory: it would be 0 memory blocks." WOULD
			"accept."},
	};

	(void)state;
	check_rows(TOPIC_KERNEL, rows, ARRAY_SIZE(rows));
}

/* What the kernel has answered, expected or not. */
static void test_answer(void **state)
{
	struct storybook book = {0};

	(void)state;
	storybook_set(
		&book, &(struct scene){DIMM, .gate = GATE_ACTIVE, .presence = PRESENCE_OFFLINE});
	book.record.outcome.answer = ANSWER_REFUSES;
	storybook_tell(&book);
	assert_topic(&book, TOPIC_KERNEL,
		"0 of its 8 memory blocks are online. Asked in this boot to bring it online, the "
		"kernel refused.");
	book.record.outcome.answer = ANSWER_ACCEPTS;
	book.record.outcome.blocks = (struct block_count){.present = 1, .online = 1};
	strcpy(book.record.outcome.zone_now, "Normal");
	storybook_tell(&book);
	assert_topic(&book, TOPIC_KERNEL,
		"Its memory block is online, in zone Normal. Asked in this boot to bring it "
		"online, "
		"the kernel accepted, which was not expected.");
	storybook_done(&book);
}

#define DISABLE                                                                                    \
	"To have this online disable TDX in the BIOS; or, if firmware brings its window into the " \
	"TCB at boot, assert that with CapableRanges= in tdx-onlined.conf(5)."
#define REFUSED "While TDX is enabled only memory that is there at boot can be online. " DISABLE
#define MAP	" As it is, programs can map /dev/dax0.0."
#define RELOAD	"run 'systemctl reload tdx-onlined.service'."

static void test_change(void **state)
{
	static const struct row rows[] = {
		{{DAX, .gate = GATE_ACTIVE}, REFUSED MAP},
		{{DAX, .gate = GATE_ACTIVE, .place = PLACE_STRADDLES},
			"While TDX is enabled a range can be online only if all of it is there at "
			"boot. " DISABLE MAP},
		{{DIMM, .gate = GATE_ACTIVE},
			REFUSED " A DIMM that is in its place at boot is boot memory."},
		{{.carrier = CARRIER_VIRTIO_MEM, .gate = GATE_ACTIVE}, REFUSED},
		{{DIMM, .gate = GATE_ACTIVE, .presence = PRESENCE_ONLINE},
			"Take it out with 'chmem -d 0x200000000-0x23fffffff'."},
		{{DAX, .gate = GATE_ARMED, .presence = PRESENCE_ONLINE},
			"Take it out with 'daxctl reconfigure-device -m devdax -f dax0.0'. While "
			"it "
			"is online TDX cannot initialize."},
		{{DAX, .asks = ASKS(IGNORE)}, "Change or remove the rule, then " RELOAD},
		/* To convert it helps only where it could go online then. */
		{{DAX, .driver = DAX_DRIVER_DEVICE_DAX},
			"A rule that matches it with Verdict=online and ConvertDevdax=yes: see "
			"tdx-onlined.rule(5)."},
		{{DAX, .driver = DAX_DRIVER_DEVICE_DAX, .gate = GATE_ACTIVE}, REFUSED MAP},
		{{DAX, .driver = DAX_DRIVER_DEVICE_DAX, .asks = ASKS(DEVDAX)},
			"Change or remove the rule, then " RELOAD},
		{{DAX, .gate = GATE_ACTIVE, .observe = 1},
			REFUSED MAP " Act=yes in tdx-onlined.conf(5) lets be done what is left."},
	};

	(void)state;
	check_rows(TOPIC_CHANGE, rows, ARRAY_SIZE(rows));
}

/* What the daemon met with: the kernel's refusal lasts, what was withheld can be done. */
static void test_change_after(void **state)
{
	struct storybook book = {.ran = true, .has_entry = true};

	(void)state;
	storybook_set(&book, &(struct scene){DAX, .driver = DAX_DRIVER_DEVICE_DAX});
	book.entry.reason = REASON_KERNEL_REFUSED;
	storybook_tell(&book);
	assert_topic(&book, TOPIC_CHANGE,
		"The kernel has answered, and its answer holds until the next boot. If it should "
		"have accepted, the boot map or the gate is not as the kernel sees it: it is worth "
		"a bug report.");
	book.entry.reason = REASON_ROLLED_BACK;
	storybook_tell(&book);
	assert_topic(&book, TOPIC_CHANGE, "When what failed is mended, " RELOAD);
	storybook_set(&book, &(struct scene){DAX});
	book.entry.reason = REASON_GATE_ABSENT;
	book.entry.result = RESULT_WITHHELD;
	storybook_tell(&book);
	assert_topic(&book, TOPIC_CHANGE,
		"A rule can keep it out of the page allocator, or choose its zone: see "
		"tdx-onlined.rule(5). 'tdx-onlined --oneshot' does what is left to do.");
	storybook_done(&book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what),
		cmocka_unit_test(test_boot_map),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_gate_overridden),
		cmocka_unit_test(test_gate_failed),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_change_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
