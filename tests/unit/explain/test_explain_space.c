/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation in the whole space of scenes: every topic has a text, no text is cut off, no
 * value is missing, and verdict, reason and rule are named. The texts are tested in test_explain.c.
 */
#include "tests/unit/explain_case.h"

#include <ctype.h>

static void fail_text(const struct explain_case *test, enum topic topic, const char *what)
{
	print_error("%s: '%s'\n", topic_to_string(topic), test->explanation.texts[topic]);
	fail_scene(&test->stage.scene, what);
}

/* Traces of an empty or missing value, and characters that a line may not contain. */
static bool is_damaged(const char *text)
{
	static const char *const bad[] = {"(null)", "%%", "%s", "  ", " .", " ,", " :", "..", ",,",
		".,", ",.", "( ", " )", "()"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (strstr(text, bad[i]))
			return true;
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return true;
	return false;
}

static void check_text(const struct explain_case *test, enum topic topic)
{
	const char *text = test->explanation.texts[topic];
	const char *end = memchr(text, '\0', EXPLANATION_TEXT);

	if (!end || end == text || end - text >= EXPLANATION_TEXT - 1)
		fail_text(test, topic, "empty, or cut off");
	if (end[-1] != '.')
		fail_text(test, topic, "no full stop");
	if (is_damaged(text))
		fail_text(test, topic, "damaged");
}

static void check_names(const struct explain_case *test)
{
	const struct decision *decision = &test->decision;
	const char *verdict = test->explanation.texts[TOPIC_VERDICT];
	const char *name = verdict_to_string(decision->verdict);

	if (strncmp(verdict, name, strlen(name)) != 0)
		fail_text(test, TOPIC_VERDICT, "not the verdict");
	if (!strstr(verdict, reason_to_string(decision->reason)))
		fail_text(test, TOPIC_VERDICT, "not the reason");
	if (decision->rule[0] && !strstr(test->explanation.texts[TOPIC_RULE], decision->rule))
		fail_text(test, TOPIC_RULE, "not the rule");
}

static void check_case(struct explain_case *test)
{
	explain_case_run(test);
	for (enum topic topic = 0; topic < TOPIC_MAX; topic++)
		check_text(test, topic);
	check_names(test);
}

/* The case borrows the stage of the walk. Each range of the device is explained. */
static void check(struct stage *stage)
{
	struct explain_case test = {.stage = *stage};

	test.stage.facts.tdx = tdx_of(stage->scene.tdx);
	explain_case_decide(&test);
	check_case(&test);
	for (size_t i = 1; i < stage->facts.device.n_ranges; i++) {
		explain_case_record(&test, i);
		check_case(&test);
	}
	plan_done(&test.plan);
}

/* Every device, TDX state and rule. */
static void test_ranges(void **state)
{
	static const struct scene base;
	static const struct scene values = {.type = TYPE_MAX,
		.dax = 2,
		.driver = DAX_DRIVER_MAX,
		.fault = FAULT_MAX,
		.place = PLACE_MAX,
		.presence = PRESENCE_MAX,
		.tdx = TDX_STATE_MAX,
		.asks = ASKS_MAX};

	(void)state;
	scene_each(&base, &values, check);
}

/* Several ranges, the free memory of the host, and rules. */
static void test_devices(void **state)
{
	static const struct scene base = {.type = TYPE_CXL, .dax = 1};
	static const struct scene values = {.driver = 3,
		.place = 3,
		.presence = 3,
		.second = SECOND_MAX,
		.tdx = 3,
		.use = 2,
		.head = HEAD_MAX,
		.ratio = 2,
		.observe = 2,
		.zone = ZONE_MAX,
		.convert = 2,
		.asks = 4};

	(void)state;
	scene_each(&base, &values, check);
}

static void fill(char *name, size_t size, char letter)
{
	memset(name, letter, size - 1);
	name[size - 1] = '\0';
}

/* Any entry of the history, answer of the kernel, and sources of the TDX state. */
static void set_random(struct explain_case *test, uint64_t *seed)
{
	struct device *device = &test->stage.facts.device;
	struct cxl_origin *cxl = &test->stage.facts.cxl;
	struct firmware_origin *origin = &test->record.origin;
	struct outcome *outcome = &test->record.outcome;
	struct tdx_facts facts;

	facts = (struct tdx_facts){
		.release.major = 5 + (unsigned int)below(seed, 4), .release.minor = 1};
	for (size_t i = 0; i < TDX_SOURCE_MAX; i++)
		facts.facts[i] = (enum fact)below(seed, FACT_MAX);
	if (facts.facts[TDX_SOURCE_KERNEL_LOG] == FACT_NO) {
		facts.log_cause = TDX_CAUSE_FEATURE;
		fill(facts.log_line, sizeof(facts.log_line), 'l');
	}
	test->stage.facts.tdx = tdx_decide(&facts, (enum tdx_mode)below(seed, TDX_MODE_MAX));
	explain_case_decide(test);
	if (device->n_ranges)
		explain_case_record(test, below(seed, device->n_ranges));
	test->ran = below(seed, 4);
	test->has_entry = test->ran && below(seed, 4);
	test->entry = (struct history_entry){.verdict = (enum verdict)below(seed, VERDICT_MAX),
		.reason = (enum reason)below(seed, REASON_MAX),
		.result = (enum result)below(seed, RESULT_MAX),
		.changed = below(seed, 2)};
	outcome->answer = (enum answer)below(seed, ANSWER_MAX);
	fill(outcome->zone_now, below(seed, 2) ? 1 : sizeof(outcome->zone_now), 'Z');
	outcome->blocks.present = below(seed, 3);
	outcome->blocks.online = below(seed, outcome->blocks.present + 1);
	outcome->driver = (enum dax_driver)below(seed, DAX_DRIVER_MAX);
	fill(device->region, below(seed, 2) ? 1 : sizeof(device->region), 'r');
	fill(cxl->region_mode, below(seed, 2) ? 1 : 5, 'm');
	fill(cxl->window.decoder, below(seed, 2) ? 1 : 10, 'd');
	cxl->window.range = span(0, below(seed, 2) ? UINT64_MAX : 0);
	origin->in_srat = below(seed, 2);
	origin->hot_pluggable = below(seed, 2);
	origin->window = span(0, below(seed, 2) ? UINT64_MAX : 0);
	cxl->n_memdevs = below(seed, 3);
	for (size_t i = 0; i < cxl->n_memdevs; i++) {
		fill(cxl->memdevs[i].name, 5, 'n');
		fill(cxl->memdevs[i].host, 13, 'p');
		fill(cxl->memdevs[i].firmware, below(seed, 2) ? 1 : 17, 'f');
	}
}

static uint64_t anything_seed = 13;

static void check_random(struct stage *stage)
{
	struct explain_case test = {.stage = *stage};

	set_random(&test, &anything_seed);
	check_case(&test);
	plan_done(&test.plan);
}

static void test_random_scenes(void **state)
{
	(void)state;
	scene_sample(20000, 5, check_random);
}

/* Sixteen devices, with every name and number at its longest: nothing is cut off. */
static void test_longest(void **state)
{
	struct explain_case test = {.ran = true};
	struct device *device = &test.stage.facts.device;
	struct cxl_origin *cxl = &test.stage.facts.cxl;
	struct firmware_origin *origin = &test.record.origin;

	(void)state;
	explain_case_set(&test,
		&(struct scene){
			.dax = 1, .type = TYPE_CXL, .tdx = TDX_ACTIVE, .asks = ASKS(ONLINE)});
	fill(test.stage.rule.name, sizeof(test.stage.rule.name), 'R');
	explain_case_decide(&test);
	fill(device->name, sizeof(device->name), 'x');
	fill(device->region, sizeof(device->region), 'r');
	device->node = INT32_MAX;
	test.record.range = span(UINT64_MAX - 1, UINT64_MAX);
	fill(cxl->region_mode, sizeof(cxl->region_mode), 'm');
	fill(cxl->window.decoder, sizeof(cxl->window.decoder), 'd');
	cxl->window.range = origin->window = test.record.range;
	origin->in_srat = origin->hot_pluggable = true;
	origin->proximity_domain = UINT32_MAX;
	for (; cxl->n_memdevs < MEMDEVS_MAX; cxl->n_memdevs++) {
		struct memdev *memdev = &cxl->memdevs[cxl->n_memdevs];

		fill(memdev->name, sizeof(memdev->name), 'n');
		fill(memdev->host, sizeof(memdev->host), 'p');
		fill(memdev->firmware, sizeof(memdev->firmware), 'f');
		memdev->serial = UINT64_MAX;
	}
	check_case(&test);
	explain_case_done(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_random_scenes),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
