/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation: the sentences of each scene. test_explain_space.c checks that no text is damaged
 * in any scene, tests/expected has whole explanations, and test_origin.c tests the origin of a
 * range and targets where no memory has arrived.
 */
#include "tests/unit/explain_case.h"

#define DAX  .dax = 1, .type = TYPE_CXL
#define DIMM .type = TYPE_DIMM

/* A scene, and a part of the expected text of one topic. */
struct row {
	struct scene scene;
	const char *part;
};

static void assert_has(const struct explain_case *test, enum topic topic, const char *part)
{
	const char *text = test->explanation.texts[topic];

	if (!strstr(text, part))
		fail_msg("%s: '%s' has no '%s'", topic_to_string(topic), text, part);
}

/* The topic contains the text up to its first variable, and no variable is left unreplaced. */
static void assert_values(const struct explain_case *test, enum topic topic, const char *text)
{
	char part[2048];

	snprintf(part, sizeof(part), "%.*s", (int)strcspn(text, "@"), text);
	assert_has(test, topic, part);
	assert_null(strstr(test->explanation.texts[topic], "TDXO_"));
	assert_null(strstr(test->explanation.texts[topic], "(null)"));
}

static void check_rows(enum topic topic, const struct row *rows, size_t n)
{
	struct explain_case test = {0};

	for (size_t i = 0; i < n; i++) {
		explain_case_set(&test, &rows[i].scene);
		explain_case_run(&test);
		assert_has(&test, topic, rows[i].part);
	}
	explain_case_done(&test);
}

static void test_what(void **state)
{
	static const struct row rows[] = {
		{{DAX}, "CXL memory, dax device dax0.0 without a driver."},
		{{DAX, .driver = DAX_DRIVER_KMEM}, ", dax device dax0.0 with driver kmem."},
		{{DAX, .driver = DAX_DRIVER_OTHER}, ", dax device dax0.0 with driver other."},
		{{DIMM}, "Memory on a DIMM."},
	};

	(void)state;
	check_rows(TOPIC_WHAT, rows, ARRAY_SIZE(rows));
}

/* [1 MiB, 4 GiB) was RAM at boot, and the part of the range that the scene states. */
static void test_boot_map(void **state)
{
	static const struct row rows[] = {
		{{DIMM, .place = PLACE_OUTSIDE}, "It is not in the boot map. The boot map holds "
						 "3.9 GiB, from boot-params."},
		{{DIMM, .place = PLACE_INSIDE}, "All of it is in the boot map, from boot-params."},
		{{DIMM, .place = PLACE_STRADDLES}, "Only 512 MiB of it is in the boot map."},
		{{DIMM, .place = PLACE_ACROSS}, "one of its memory blocks lies across two ranges"},
		{{DIMM, .place = PLACE_UNKNOWN}, "It is not known which memory"},
		{{DAX, .place = PLACE_OUTSIDE}, "it was not RAM at boot"},
		{{DAX, .place = PLACE_CLAIMED}, "it was not RAM at boot"},
		{{DAX, .place = PLACE_INSIDE}, "All of it is in the boot map, from configuration. "
					       "The boot map holds 4.9 GiB, from boot-params and "
					       "configuration."},
		{{DAX, .place = PLACE_STRADDLES}, "Only 512 MiB of it is in the boot map."},
		{{DAX, .place = PLACE_INSIDE, .second = SECOND_OUTSIDE},
			" Its device has 2 ranges, which get one verdict."},
	};

	(void)state;
	check_rows(TOPIC_BOOT_MAP, rows, ARRAY_SIZE(rows));
}

/* One range of a device is in the boot map and the other is not: one verdict for both. */
static void test_two_ranges(void **state)
{
	static const struct scene scene = {
		DAX, .tdx = TDX_ACTIVE, .place = PLACE_INSIDE, .second = SECOND_OUTSIDE};
	static const char *const parts[] = {
		"All of it is in the boot map", "it was not RAM at boot"};
	struct explain_case test = {0};

	(void)state;
	explain_case_set(&test, &scene);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		explain_case_record(&test, i);
		explain_case_run(&test);
		assert_has(&test, TOPIC_BOOT_MAP, parts[i]);
		assert_has(&test, TOPIC_BOOT_MAP, " Its device has 2 ranges");
		assert_has(&test, TOPIC_VERDICT,
			"devdax: TDX is active and accepts only memory that was RAM at boot, and ");
	}
	explain_case_done(&test);
}

/* The configuration sets the TDX state: the explanation has both states and another remedy. */
static void test_tdx_overridden(void **state)
{
	struct explain_case test = {0};
	struct tdx *tdx = &test.stage.facts.tdx;

	(void)state;
	explain_case_set(&test, &(struct scene){DIMM, .tdx = TDX_ABSENT});
	*tdx = tdx_decide(&tdx->evidence, TDX_MODE_ACTIVE);
	explain_case_decide(&test);
	explain_case_run(&test);
	assert_has(&test, TOPIC_TDX,
		"TDX= or --tdx= sets the TDX state to active. The sources show absent. Firmware "
		"has not enabled TDX");
	assert_has(&test, TOPIC_CHANGE, "only TDX= or --tdx= keeps this memory out of system RAM.");
	explain_case_done(&test);
}

/* The message of the kernel follows the cause. */
static void test_tdx_failed(void **state)
{
	struct explain_case test = {0};
	struct tdx_facts facts;
	struct tdx_log log = {0};

	(void)state;
	explain_case_set(&test, &(struct scene){DAX, .tdx = TDX_ARMED});
	facts = test.stage.facts.tdx.evidence;
	tdx_log_read(&log, "virt/tdx: module not loaded");
	tdx_read_log(&log, &facts);
	test.stage.facts.tdx = tdx_decide(&facts, TDX_MODE_AUTO);
	explain_case_decide(&test);
	explain_case_run(&test);
	assert_has(&test, TOPIC_TDX,
		"Firmware has loaded no TDX module: virt/tdx: module not loaded. Sources: ");
	explain_case_done(&test);
}

#define MOVABLE_RULE                                                                               \
	.asks = ASKS_NO_VERDICT, .zone = ZONE_MOVABLE, .tdx = TDX_ABSENT, .ratio = RATIO_NO_ADVICE

static void test_rule(void **state)
{
	static const struct row rows[] = {
		{{DAX, .asks = ASKS_NO_RULES}, "There are no rules."},
		{{DAX, .asks = ASKS_NO_MATCH}, "No rule matches."},
		{{DAX, .asks = ASKS(OFFLINE)}, "Rule 10-it.rule matches."},
		{{DAX, .asks = ASKS(ONLINE), .tdx = TDX_ACTIVE},
			"matches, but its verdict online is not possible here."},
		{{DAX, MOVABLE_RULE},
			"movable is not possible here: the sizes of the zones are not known."},
		/* 4 GiB of movable memory and 1 GiB to 16 GiB of kernel memory, rounded up */
		{{DAX, MOVABLE_RULE, .head = HEAD_PLENTY},
			"possible here: movable memory would be 32 % of kernel memory."},
	};

	(void)state;
	check_rows(TOPIC_RULE, rows, ARRAY_SIZE(rows));
}

#define IN_DEVDAX_MODE .dax = 1, .type = TYPE_CXL, .driver = DAX_DRIVER_DEVICE_DAX

static void test_verdict(void **state)
{
	static const struct row rows[] = {
		{{DIMM, .tdx = TDX_ACTIVE, .place = PLACE_INSIDE}, " Its zone is kernel."},
		{{DAX, .asks = ASKS_NO_VERDICT, .zone = ZONE_MOVABLE, .head = HEAD_PLENTY},
			" Its zone is movable."},
		{{DIMM, .presence = PRESENCE_TOO_SMALL},
			" At its edges 127 MiB cannot be used, because"},
		/* page metadata of 16 MiB; a devdax device needs 4 MiB */
		{{DAX, .head = HEAD_NONE}, "only 0 B are available (no-head-room)."},
		{{IN_DEVDAX_MODE, .tdx = TDX_ACTIVE}, " If its driver were kmem, the verdict would "
						      "be devdax: TDX is active"},
		{{IN_DEVDAX_MODE, .tdx = TDX_ABSENT}, " would be online: without TDX the kernel"},
	};

	(void)state;
	check_rows(TOPIC_VERDICT, rows, ARRAY_SIZE(rows));
}

/* The texts of the table of reasons are in their topics, with the values of the record. */
static void test_table(void **state)
{
	static const struct scene scenes[] = {{DAX, .tdx = TDX_ACTIVE, .asks = ASKS(DEVDAX)},
		{DIMM, .tdx = TDX_ACTIVE, .asks = ASKS(OFFLINE)}};
	struct explain_case test = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		explain_case_set(&test, &scenes[i]);
		for (enum reason reason = 0; reason < REASON_MAX; reason++) {
			if (!reason_has_text(reason, &test.stage.facts.device))
				continue;
			test.decision.reason = reason;
			explain_case_run(&test);
			assert_values(&test, TOPIC_VERDICT, reason_explanation(reason));
			if (reason != REASON_ALREADY_DEVDAX)
				assert_values(&test, TOPIC_CHANGE, reason_remedy(reason, i == 0));
		}
	}
	explain_case_done(&test);
}

static void test_steps(void **state)
{
	static const struct row rows[] = {
		{{DAX}, "The daemon has not run in this boot. Steps left: bind-kmem, online."},
		{{DAX, .tdx = TDX_ACTIVE, .driver = DAX_DRIVER_KMEM},
			" Steps left: unbind, bind-device_dax."},
		{{DIMM, .tdx = TDX_ACTIVE}, " No steps are left."},
	};

	(void)state;
	check_rows(TOPIC_DONE, rows, ARRAY_SIZE(rows));
}

/*
 * A user without privileges reads status.json, which has no addresses: only a dax device is found
 * in it, by its name.
 */
static void test_hidden(void **state)
{
	struct explain_case test = {.ran = true, .public = true};

	(void)state;
	explain_case_set(&test, &(struct scene){DAX, .tdx = TDX_ACTIVE});
	explain_case_run(&test);
	assert_topic(&test, TOPIC_DONE,
		"The daemon has not decided about it. Steps left: bind-device_dax.");
	assert_has(&test, TOPIC_ORIGIN, "the daemon first started");
	explain_case_set(&test, &(struct scene){DIMM, .tdx = TDX_ACTIVE});
	explain_case_run(&test);
	assert_topic(&test, TOPIC_DONE,
		"It is not known whether the daemon has decided about it, because only root can "
		"read the state file of the daemon: run tdx-onlinectl as root. No steps are left.");
	assert_null(strstr(test.explanation.texts[TOPIC_ORIGIN], "the daemon first started"));
	test.ran = false;
	explain_case_run(&test);
	assert_has(&test, TOPIC_DONE, "The daemon has not run in this boot.");
	explain_case_done(&test);
}

/* What the daemon did, and whether a reload would change the decision. */
static void test_done(void **state)
{
	struct explain_case test = {.ran = true};

	(void)state;
	explain_case_set(&test, &(struct scene){DAX, .tdx = TDX_ACTIVE});
	explain_case_run(&test);
	assert_topic(&test, TOPIC_DONE,
		"The daemon has not decided about it. Steps left: bind-device_dax.");
	test.has_entry = true;
	test.entry = (struct history_entry){.verdict = VERDICT_DEVDAX,
		.reason = REASON_OUTSIDE_BOOT_MAP,
		.result = RESULT_FAILED};
	explain_case_run(&test);
	assert_topic(&test, TOPIC_DONE,
		"The daemon decided devdax (outside-boot-map); the result is failed. Steps left: "
		"bind-device_dax.");
	test.entry = (struct history_entry){.verdict = VERDICT_OFFLINE,
		.reason = REASON_RULE,
		.result = RESULT_DONE,
		.changed = true};
	explain_case_run(&test);
	assert_topic(&test, TOPIC_DONE,
		"The daemon decided offline (rule); the result is done. It has been changed by "
		"another program or by hand since. This would be decided differently now. To have "
		"it decided again: 'tdx-onlinectl decide dax0.0'. If a file was changed, reload "
		"the service first. Steps left: bind-device_dax.");
	explain_case_done(&test);
}

static void test_kernel(void **state)
{
	static const struct row rows[] = {
		{{DAX, .tdx = TDX_ACTIVE}, "It has no memory blocks. The kernel would refuse it."},
		{{DAX, .tdx = TDX_ARMED}, " The kernel would accept it."},
		{{DAX, .tdx = TDX_UNKNOWN}, "It has no memory blocks."},
		{{DIMM, .presence = PRESENCE_ONE_ONLINE}, "Memory blocks: 1 of 8 online."},
		{{DIMM, .presence = PRESENCE_ONE_UNREAD}, "0 of 8 online, 1 unreadable."},
	};

	(void)state;
	check_rows(TOPIC_KERNEL, rows, ARRAY_SIZE(rows));
}

/* The recorded answer of the kernel, as expected or not. */
static void test_answer(void **state)
{
	struct explain_case test = {0};

	(void)state;
	explain_case_set(
		&test, &(struct scene){DIMM, .tdx = TDX_ACTIVE, .presence = PRESENCE_OFFLINE});
	test.record.outcome.answer = ANSWER_REFUSES;
	explain_case_run(&test);
	assert_topic(&test, TOPIC_KERNEL,
		"Memory blocks: 0 of 8 online. In this boot the kernel refused it.");
	test.record.outcome.answer = ANSWER_ACCEPTS;
	test.record.outcome.blocks = (struct block_count){.present = 1, .online = 1};
	strcpy(test.record.outcome.zone_now, "Normal");
	explain_case_run(&test);
	assert_topic(&test, TOPIC_KERNEL,
		"Memory blocks: 1 of 1 online, in zone Normal. In this boot the kernel accepted "
		"it, which was not expected.");
	explain_case_done(&test);
}

static void test_change(void **state)
{
	static const struct row rows[] = {
		{{DAX, .tdx = TDX_ACTIVE}, "programs can map /dev/dax0.0"},
		{{DIMM, .tdx = TDX_ACTIVE}, "If it is a DIMM, leave it in its place and reboot:"},
		{{DIMM, .tdx = TDX_ACTIVE, .presence = PRESENCE_ONLINE},
			" to other memory: 'chmem -d 0x200000000-0x23fffffff'."},
		{{DAX, .tdx = TDX_ARMED, .presence = PRESENCE_ONLINE},
			" to other memory: 'daxctl reconfigure-device -m devdax -f dax0.0'."},
		/* Only if it could go online after the conversion. */
		{{IN_DEVDAX_MODE}, "ConvertDevdax=yes"},
		{{IN_DEVDAX_MODE, .tdx = TDX_ACTIVE}, "disable TDX in the BIOS"},
		{{IN_DEVDAX_MODE, .asks = ASKS(DEVDAX)}, "Change or remove the rule"},
		{{DAX, .tdx = TDX_ACTIVE, .observe = 1},
			" To have the daemon take the steps that are left, set Act=yes in"},
	};

	(void)state;
	check_rows(TOPIC_CHANGE, rows, ARRAY_SIZE(rows));
}

/* After a refusal or a roll-back the remedy is about that. A withheld step can be taken. */
static void test_change_after(void **state)
{
	struct explain_case test = {.ran = true, .has_entry = true};

	(void)state;
	explain_case_set(&test, &(struct scene){IN_DEVDAX_MODE});
	test.entry.reason = REASON_KERNEL_REFUSED;
	explain_case_run(&test);
	assert_has(
		&test, TOPIC_CHANGE, "'daxctl disable-device dax0.0'. Then let tdx-onlined decide");
	test.entry.reason = REASON_ROLLED_BACK;
	explain_case_run(&test);
	assert_has(&test, TOPIC_CHANGE,
		"decide again what to do with it: 'tdx-onlinectl decide dax0.0'.");
	explain_case_set(&test, &(struct scene){DIMM});
	test.decision.reason = REASON_ROLLED_BACK;
	explain_case_run(&test);
	assert_has(
		&test, TOPIC_CHANGE, "decide again what to do with it: 'tdx-onlinectl decide 0x");
	explain_case_set(&test, &(struct scene){DAX});
	test.entry.reason = REASON_TDX_ABSENT;
	test.entry.result = RESULT_WITHHELD;
	explain_case_run(&test);
	assert_has(
		&test, TOPIC_CHANGE, " steps that are left taken once: 'tdx-onlined --oneshot'.");
	explain_case_done(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what),
		cmocka_unit_test(test_boot_map),
		cmocka_unit_test(test_two_ranges),
		cmocka_unit_test(test_tdx_overridden),
		cmocka_unit_test(test_tdx_failed),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_change_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
