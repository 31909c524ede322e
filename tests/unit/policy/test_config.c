/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration.
 *
 * The defaults are those of the manual. Every key has a table of accepted values and a table of
 * values that it must refuse without a change to the configuration. The configuration takes over
 * rules, finds them in order, and leaves them to the caller if an allocation fails.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tdxo/policy/config.h"
#include "tests/unit/short_memory.h"

static const char *const names[] = {
	[CONFIG_ACT] = "Act",
	[CONFIG_TDX] = "TDX",
	[CONFIG_GUARD] = "Guard",
	[CONFIG_CAPABLE_RANGES] = "CapableRanges",
	[CONFIG_PRESENT] = "Present",
	[CONFIG_MAX_MOVABLE_RATIO] = "MaxMovableRatio",
	[CONFIG_OFFLINE_TIMEOUT] = "OfflineTimeoutSec",
};

static void assert_defaults(const struct config *config)
{
	assert_false(config->observe);
	assert_int_equal(config->tdx, TDX_MODE_AUTO);
	assert_int_equal(config->guard, GUARD_MODE_AUTO);
	assert_int_equal(config->capable.n, 0);
	assert_int_equal(config->present, PRESENT_SAFE);
	assert_int_equal(config->movable_ratio, UINT64_MAX);
	assert_int_equal(config->offline_timeout, 60);
}

static void test_defaults(void **state)
{
	static const char *const defaults[] = {
		[CONFIG_ACT] = "yes",
		[CONFIG_TDX] = "auto",
		[CONFIG_GUARD] = "auto",
		[CONFIG_CAPABLE_RANGES] = "",
		[CONFIG_PRESENT] = "safe",
		[CONFIG_MAX_MOVABLE_RATIO] = "kernel",
		[CONFIG_OFFLINE_TIMEOUT] = "60",
	};
	CLEANUP(config_done) struct config config;

	(void)state;
	memset(&config, 0xff, sizeof(config));
	config_init(&config);
	assert_defaults(&config);
	assert_int_equal(config.n_rules, 0);
	assert_null(config.rules);
	assert_int_equal(ARRAY_SIZE(defaults), CONFIG_KEYS);
	for (enum config_key key = 0; key < CONFIG_KEYS; key++)
		assert_string_equal(config_key_default(key), defaults[key]);
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"", "act", "ACT", "Act ", " Act", "Ac", "Acts", "TDX=", "Daemon", "OfflineTimeout"};
	enum config_key key = CONFIG_KEYS;

	(void)state;
	assert_string_equal(CONFIG_SECTION, "Daemon");
	assert_int_equal(ARRAY_SIZE(names), CONFIG_KEYS);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(config_find_key(bad[i], &key), -ENOKEY);
		assert_int_equal(key, CONFIG_KEYS);
	}
	for (enum config_key k = 0; k < CONFIG_KEYS; k++) {
		assert_string_equal(config_key_name(k), names[k]);
		assert_int_equal(config_find_key(names[k], &key), 0);
		assert_int_equal(key, k);
		assert_true(strlen(config_key_wanted(k)) > 0);
	}
}

static void set(struct config *config, enum config_key key, const char *value)
{
	if (config_set(config, key, value) != 0)
		fail_msg("%s=%s is refused", names[key], value);
}

/* Values that all differ from the defaults. */
static void set_all(struct config *config)
{
	set(config, CONFIG_ACT, "no");
	set(config, CONFIG_TDX, "active");
	set(config, CONFIG_GUARD, "never");
	set(config, CONFIG_CAPABLE_RANGES, "0x1000-0x1fff 0x4000-0x4fff");
	set(config, CONFIG_PRESENT, "record");
	set(config, CONFIG_MAX_MOVABLE_RATIO, "250%");
	set(config, CONFIG_OFFLINE_TIMEOUT, "7");
}

static void assert_all_set(const struct config *config)
{
	assert_true(config->observe);
	assert_int_equal(config->tdx, TDX_MODE_ACTIVE);
	assert_int_equal(config->guard, GUARD_MODE_NEVER);
	assert_set_equal(&config->capable, {0x1000, 0x2000}, {0x4000, 0x5000});
	assert_int_equal(config->present, PRESENT_RECORD);
	assert_int_equal(config->movable_ratio, 250);
	assert_int_equal(config->offline_timeout, 7);
}

static void test_empty_values(void **state)
{
	CLEANUP(config_done) struct config config;

	(void)state;
	config_init(&config);
	set_all(&config);
	assert_all_set(&config);
	for (enum config_key key = 0; key < CONFIG_KEYS; key++)
		set(&config, key, "");
	assert_defaults(&config);
	/* an empty value resets its own key only */
	set_all(&config);
	set(&config, CONFIG_TDX, "");
	assert_int_equal(config.tdx, TDX_MODE_AUTO);
	set(&config, CONFIG_TDX, "active");
	assert_all_set(&config);
}

/* The text that is printed as a default sets the default. */
static void test_printed_defaults(void **state)
{
	CLEANUP(config_done) struct config config;

	(void)state;
	config_init(&config);
	set_all(&config);
	for (enum config_key key = 0; key < CONFIG_KEYS; key++)
		set(&config, key, config_key_default(key));
	assert_defaults(&config);
}

static void test_words(void **state)
{
	static const char *const modes[] = {[TDX_MODE_AUTO] = "auto",
		[TDX_MODE_ACTIVE] = "active",
		[TDX_MODE_ABSENT] = "absent"};
	static const char *const guards[] = {[GUARD_MODE_AUTO] = "auto",
		[GUARD_MODE_ALWAYS] = "always",
		[GUARD_MODE_NEVER] = "never"};
	static const char *const presents[] = {
		[PRESENT_SAFE] = "safe", [PRESENT_ACT] = "act", [PRESENT_RECORD] = "record"};
	CLEANUP(config_done) struct config config;

	(void)state;
	config_init(&config);
	assert_int_equal(ARRAY_SIZE(presents), PRESENT_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		set(&config, CONFIG_TDX, modes[i]);
		assert_int_equal(config.tdx, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(guards); i++) {
		set(&config, CONFIG_GUARD, guards[i]);
		assert_int_equal(config.guard, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(presents); i++) {
		set(&config, CONFIG_PRESENT, presents[i]);
		assert_int_equal(config.present, i);
	}
	set(&config, CONFIG_ACT, "off");
	assert_true(config.observe);
	set(&config, CONFIG_ACT, "True");
	assert_false(config.observe);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t ratio;
	} ratios[] = {{"0", 0}, {"0%", 0}, {"1", 1}, {"300%", 300}, {"301", 301}, {"10000", 10000},
		{"10000%", 10000}, {"0x64", 100}, {"0x64%", 100}, {"kernel", MOVABLE_RATIO_KERNEL}};
	CLEANUP(config_done) struct config config;

	(void)state;
	config_init(&config);
	for (size_t i = 0; i < ARRAY_SIZE(ratios); i++) {
		set(&config, CONFIG_MAX_MOVABLE_RATIO, ratios[i].text);
		assert_int_equal(config.movable_ratio, ratios[i].ratio);
	}
	set(&config, CONFIG_OFFLINE_TIMEOUT, "1");
	assert_int_equal(config.offline_timeout, 1);
	set(&config, CONFIG_OFFLINE_TIMEOUT, "3600");
	assert_int_equal(config.offline_timeout, 3600);
}

static void test_ranges(void **state)
{
	CLEANUP(config_done) struct config config;

	(void)state;
	config_init(&config);
	set(&config, CONFIG_CAPABLE_RANGES, "0x1000000000-0x1fffffffff");
	assert_set_equal(&config.capable, {64 * GIB, 128 * GIB});
	/* a second value replaces the first */
	set(&config, CONFIG_CAPABLE_RANGES, "0-9");
	assert_set_equal(&config.capable, {0, 10});
	assert_int_equal(config_set(&config, CONFIG_CAPABLE_RANGES, "20-29 25-34"), 1);
	assert_set_equal(&config.capable, {20, 35});
	set(&config, CONFIG_CAPABLE_RANGES, " ");
	assert_int_equal(config.capable.n, 0);
}

#define TEN "0000000000"

static void test_refused(void **state)
{
	static const struct {
		enum config_key key;
		const char *value;
	} rows[] = {
		{CONFIG_ACT, "maybe"},
		{CONFIG_ACT, "yes no"},
		{CONFIG_ACT, " "},
		{CONFIG_TDX, "armed"},
		{CONFIG_TDX, "Auto"},
		{CONFIG_TDX, "auto "},
		{CONFIG_GUARD, "yes"},
		{CONFIG_GUARD, "Auto"},
		{CONFIG_CAPABLE_RANGES, "yes"},
		{CONFIG_CAPABLE_RANGES, "0-9 9-5"},
		{CONFIG_CAPABLE_RANGES, "0-9, 20-29"},
		{CONFIG_CAPABLE_RANGES, "0-9 5-14 x"},
		{CONFIG_PRESENT, "Safe"},
		{CONFIG_PRESENT, "yes"},
		{CONFIG_PRESENT, "safe act"},
		{CONFIG_MAX_MOVABLE_RATIO, "10001"},
		{CONFIG_MAX_MOVABLE_RATIO, "10001%"},
		{CONFIG_MAX_MOVABLE_RATIO, "18446744073709551615"},
		{CONFIG_MAX_MOVABLE_RATIO, "18446744073709551616"},
		{CONFIG_MAX_MOVABLE_RATIO, "-1"},
		{CONFIG_MAX_MOVABLE_RATIO, "%"},
		{CONFIG_MAX_MOVABLE_RATIO, "100%%"},
		{CONFIG_MAX_MOVABLE_RATIO, "%100"},
		{CONFIG_MAX_MOVABLE_RATIO, "100 %"},
		{CONFIG_MAX_MOVABLE_RATIO, "1.5"},
		{CONFIG_MAX_MOVABLE_RATIO, "Kernel"},
		{CONFIG_MAX_MOVABLE_RATIO, "kernel%"},
		{CONFIG_MAX_MOVABLE_RATIO,
			TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "%%"},
		{CONFIG_OFFLINE_TIMEOUT, "0"},
		{CONFIG_OFFLINE_TIMEOUT, "3601"},
		{CONFIG_OFFLINE_TIMEOUT, "-1"},
		{CONFIG_OFFLINE_TIMEOUT, "60s"},
		{CONFIG_OFFLINE_TIMEOUT, "1min"},
		{CONFIG_OFFLINE_TIMEOUT, "infinity"},
		{CONFIG_OFFLINE_TIMEOUT, "18446744073709551615"},
	};
	CLEANUP(config_done) struct config config;

	(void)state;
	config_init(&config);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_all(&config);
		if (config_set(&config, rows[i].key, rows[i].value) != -EINVAL)
			fail_msg("accepted: %s=%s", names[rows[i].key], rows[i].value);
		assert_all_set(&config);
	}
}

static void make_rule(struct rule *rule, const char *name, const char *key, const char *value)
{
	rule_init(rule, name);
	assert_int_equal(rule_set(rule, "Match", key, value), 0);
	assert_int_equal(rule_set(rule, "Policy", "Verdict", "devdax"), 0);
}

static void add_rule(struct config *config, const char *name, const char *key, const char *value)
{
	struct rule rule;

	make_rule(&rule, name, key, value);
	assert_int_equal(config_add_rule(config, &rule), 0);
	assert_string_equal(rule.name, "");
	assert_false(rule.has_verdict);
	for (enum match match = 0; match < MATCH_MAX; match++)
		assert_null(rule.match[match]);
}

static const char *found(const struct config *config, enum device_type type, const char *device)
{
	struct range range = span(4 * GIB, 8 * GIB);
	struct facts facts = {.device = {.type = type,
				      .node = NODE_UNKNOWN,
				      .size = 4 * GIB,
				      .ranges = &range,
				      .n_ranges = 1}};
	const struct rule *rule;

	snprintf(facts.device.name, sizeof(facts.device.name), "%s", device);
	rule = config_find_rule(config, &facts);
	return rule ? rule->name : "none";
}

static void test_rules(void **state)
{
	CLEANUP(config_done) struct config config;
	char name[32];

	(void)state;
	config_init(&config);
	assert_string_equal(found(&config, TYPE_CXL, "dax0.0"), "none");
	add_rule(&config, "10", "Device", "dax0.0");
	add_rule(&config, "20", "Type", "cxl");
	add_rule(&config, "30", "Device", "dax*");
	add_rule(&config, "40", "Type", "cxl dimm");
	assert_int_equal(config.n_rules, 4);
	assert_string_equal(found(&config, TYPE_CXL, "dax0.0"), "10");
	assert_string_equal(found(&config, TYPE_CXL, "dax1.0"), "20");
	assert_string_equal(found(&config, TYPE_HMEM, "dax0.0"), "10");
	assert_string_equal(found(&config, TYPE_HMEM, "dax1.0"), "30");
	assert_string_equal(found(&config, TYPE_DIMM, ""), "40");
	assert_string_equal(found(&config, TYPE_UNKNOWN, ""), "none");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "rule-%d", i);
		add_rule(&config, name, "Type", "unknown");
	}
	assert_int_equal(config.n_rules, 104);
	assert_string_equal(config.rules[2].name, "30");
	assert_string_equal(config.rules[103].name, "rule-99");
	assert_string_equal(found(&config, TYPE_UNKNOWN, ""), "rule-0");
	/* keys do not affect rules */
	set_all(&config);
	assert_int_equal(config.n_rules, 104);
}

static void test_short_memory(void **state)
{
	CLEANUP(config_done) struct config config;
	CLEANUP(rule_done) struct rule rule;
	struct rule was;

	(void)state;
	config_init(&config);
	set_all(&config);
	make_rule(&rule, "10", "Type", "cxl");
	memcpy(&was, &rule, sizeof(rule));
	allocations_left = 0;
	assert_int_equal(config_add_rule(&config, &rule), -ENOMEM);
	assert_int_equal(config_set(&config, CONFIG_CAPABLE_RANGES, "0-9"), -ENOMEM);
	allocations_left = -1;
	assert_memory_equal(&rule, &was, sizeof(rule));
	assert_int_equal(config.n_rules, 0);
	assert_all_set(&config);
	assert_int_equal(config_add_rule(&config, &rule), 0);
	make_rule(&rule, "20", "Type", "hmem");
	memcpy(&was, &rule, sizeof(rule));
	allocations_left = 0;
	assert_int_equal(config_add_rule(&config, &rule), -ENOMEM);
	allocations_left = -1;
	assert_memory_equal(&rule, &was, sizeof(rule));
	assert_int_equal(config.n_rules, 1);
	assert_string_equal(found(&config, TYPE_CXL, ""), "10");
	assert_string_equal(found(&config, TYPE_HMEM, ""), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_empty_values),
		cmocka_unit_test(test_printed_defaults),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
