/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules: each key, and mistakes of a whole rule.
 *
 * test_rule_match.c tests which devices a rule matches, and which rules it covers.
 */
#include "tests/unit/rules.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/short_memory.h"

#define TEN  "0123456789"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456" /* 127 bytes */

static const char *const match_keys[] = {
	[MATCH_TYPE] = "Type",
	[MATCH_DEVICE] = "Device",
	[MATCH_SERIAL] = "Serial",
	[MATCH_PCI_ADDRESS] = "PciAddress",
	[MATCH_REGION] = "Region",
	[MATCH_TARGET_NODE] = "TargetNode",
	[MATCH_MIN_SIZE] = "MinSize",
	[MATCH_MAX_SIZE] = "MaxSize",
	[MATCH_RANGE] = "Range",
	[MATCH_PRESENT] = "Present",
	[MATCH_MODE] = "Mode",
};

/* A valid value of each key. */
static const char *const match_values[] = {
	[MATCH_TYPE] = "cxl hmem",
	[MATCH_DEVICE] = "dax0.*",
	[MATCH_SERIAL] = "0x2a 7",
	[MATCH_PCI_ADDRESS] = "0000:35:00.?",
	[MATCH_REGION] = "region0",
	[MATCH_TARGET_NODE] = "1 2",
	[MATCH_MIN_SIZE] = "1G",
	[MATCH_MAX_SIZE] = "64G",
	[MATCH_RANGE] = "0-9 20-29",
	[MATCH_PRESENT] = "no",
	[MATCH_MODE] = "devdax",
};

static const char *const policy_keys[] = {
	"Verdict", "Zone", "OnFailure", "ConvertDevdax", "OfflineBlocks", "Group", "Mode"};

static const char *const policy_values[] = {
	"devdax", "movable", "keep", "yes", "yes", "kvm", "0660"};

static void set(struct rule *rule, const char *section, const char *key, const char *value)
{
	if (rule_set(rule, section, key, value) != 0)
		fail_msg("[%s] %s=%s is refused", section, key, value);
}

static void set_all(struct rule *rule)
{
	for (enum match match = 0; match < MATCH_MAX; match++)
		set(rule, "Match", match_keys[match], match_values[match]);
	for (size_t i = 0; i < ARRAY_SIZE(policy_keys); i++)
		set(rule, "Policy", policy_keys[i], policy_values[i]);
}

static void assert_all_set(const struct rule *rule)
{
	for (enum match match = 0; match < MATCH_MAX; match++)
		assert_string_equal(rule->match[match], match_values[match]);
	assert_true(rule->has_verdict);
	assert_int_equal(rule->verdict, VERDICT_DEVDAX);
	assert_int_equal(rule->zone, ZONE_MOVABLE);
	assert_int_equal(rule->on_failure, ON_FAILURE_KEEP);
	assert_true(rule->convert_devdax);
	assert_true(rule->offline_blocks);
	assert_string_equal(rule->access.group, "kvm");
	assert_int_equal(rule->access.mode, 0660);
}

static void assert_nothing_set(const struct rule *rule)
{
	for (enum match match = 0; match < MATCH_MAX; match++)
		assert_null(rule->match[match]);
	assert_false(rule->has_verdict);
	assert_int_equal(rule->zone, ZONE_NONE);
	assert_int_equal(rule->on_failure, ON_FAILURE_DEFAULT);
	assert_false(rule->convert_devdax);
	assert_false(rule->offline_blocks);
	assert_string_equal(rule->access.group, "");
	assert_int_equal(rule->access.mode, 0);
}

static void test_init(void **state)
{
	struct rule rule;
	char name[400];

	(void)state;
	memset(&rule, 0xff, sizeof(rule));
	rule_init(&rule, "10-expander.conf");
	assert_string_equal(rule.name, "10-expander.conf");
	assert_nothing_set(&rule);
	set_all(&rule);
	assert_all_set(&rule);
	for (int again = 0; again < 2; again++) {
		rule_done(&rule);
		assert_nothing_set(&rule);
	}
	memset(name, 'x', sizeof(name));
	name[RULE_NAME - 1] = '\0';
	rule_init(&rule, name);
	assert_string_equal(rule.name, name);
	name[RULE_NAME - 1] = 'x';
	name[sizeof(name) - 1] = '\0';
	rule_init(&rule, name);
	assert_int_equal(strlen(rule.name), RULE_NAME - 1);
	rule_done(&rule);
}

static void test_empty_values(void **state)
{
	CLEANUP(rule_done) struct rule rule;

	(void)state;
	rule_init(&rule, "r");
	for (int again = 0; again < 2; again++) {
		for (enum match match = 0; match < MATCH_MAX; match++)
			set(&rule, "Match", match_keys[match], "");
		for (size_t i = 0; i < ARRAY_SIZE(policy_keys); i++)
			set(&rule, "Policy", policy_keys[i], "");
		assert_nothing_set(&rule);
		if (!again)
			set_all(&rule);
	}
	set(&rule, "Match", "Device", "dax0.0");
	set(&rule, "Match", "Device", " \t ");
	assert_nothing_set(&rule);
}

static void test_repeated_keys(void **state)
{
	CLEANUP(rule_done) struct rule rule;

	(void)state;
	rule_init(&rule, "r");
	set(&rule, "Match", "Device", "dax0.0");
	set(&rule, "Match", "Device", "dax1.0");
	assert_string_equal(rule.match[MATCH_DEVICE], "dax1.0");
	set(&rule, "Policy", "Verdict", "online");
	assert_true(rule.has_verdict);
	assert_int_equal(rule.verdict, VERDICT_ONLINE);
	set(&rule, "Policy", "Verdict", "ignore");
	assert_int_equal(rule.verdict, VERDICT_IGNORE);
	set(&rule, "Policy", "Zone", "kernel");
	assert_int_equal(rule.zone, ZONE_KERNEL);
	set(&rule, "Policy", "Zone", "auto");
	assert_int_equal(rule.zone, ZONE_AUTO);
	set(&rule, "Policy", "OnFailure", "rollback");
	assert_int_equal(rule.on_failure, ON_FAILURE_ROLLBACK);
	set(&rule, "Policy", "ConvertDevdax", "on");
	set(&rule, "Policy", "ConvertDevdax", "no");
	assert_false(rule.convert_devdax);
	set(&rule, "Policy", "OfflineBlocks", "1");
	set(&rule, "Policy", "OfflineBlocks", "False");
	assert_false(rule.offline_blocks);
}

static void test_valid_values(void **state)
{
	static const char *const rows[][2] = {{"Type", "*"}, {"Type", "unknown dimm pmem"},
		{"Type", " virtio-mem\tcxl "}, {"Device", LONG},
		{"Device", "* ? [a-z] \\ \377 \001"}, {"Serial", "0"},
		{"Serial", "0xffffffffffffffff"}, {"PciAddress", LONG " " LONG},
		{"Region", "7b3e0d5c-0000-4000-8000-000000000001"}, {"TargetNode", "0 0x3ff"},
		{"MinSize", "0"}, {"MinSize", " 1T "}, {"MaxSize", "18446744073709551615"},
		{"Range", "0-0xfffffffffffffffe"}, {"Range", "0-9 10-19"}, {"Present", "YES"},
		{"Mode", "none system-ram devdax famfs other"}};
	CLEANUP(rule_done) struct rule rule;

	(void)state;
	rule_init(&rule, "r");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		set(&rule, "Match", rows[i][0], rows[i][1]);
}

/* A key refuses these values and keeps the one that it has. */
static void test_bad_values(void **state)
{
	static const char *const rows[][2] = {{"Type", "CXL"}, {"Type", "c*"}, {"Type", "cxl,hmem"},
		{"Type", "cxl floppy"}, {"Type", "**"}, {"Device", LONG "7"},
		{"Device", "a " LONG "7"}, {"Serial", "x"}, {"Serial", "1 -1"}, {"Serial", "0x"},
		{"Serial", "0x10000000000000000"}, {"Serial", "*"}, {"Serial", "1K"},
		{"PciAddress", LONG LONG}, {"Region", LONG "7"}, {"TargetNode", "node1"},
		{"TargetNode", "-1"}, {"MinSize", "1G 2G"}, {"MinSize", "1GB"},
		{"MinSize", "16777216T"}, {"MaxSize", "1G 1G"}, {"MaxSize", "-1"}, {"Range", "0"},
		{"Range", "9-0"}, {"Range", "0-9 x"}, {"Range", "0-9 5-6 x"},
		{"Range", "0-0xffffffffffffffff"}, {"Present", "maybe"}, {"Present", "yes no"},
		{"Mode", "kmem"}, {"Mode", "*"}, {"Mode", "Devdax"}, {"Mode", "devdax x"}};
	CLEANUP(rule_done) struct rule rule;

	(void)state;
	rule_init(&rule, "r");
	set_all(&rule);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rule_set(&rule, "Match", rows[i][0], rows[i][1]) != -EINVAL)
			fail_msg("accepted: %s=%s", rows[i][0], rows[i][1]);
		assert_all_set(&rule);
	}
}

static void test_bad_policy_values(void **state)
{
	static const char *const rows[][2] = {{"Verdict", "Online"}, {"Verdict", "online devdax"},
		{"Verdict", " "}, {"Verdict", "auto"}, {"Zone", "none"}, {"Zone", "Movable"},
		{"Zone", "normal"}, {"OnFailure", "default"}, {"OnFailure", "no"},
		{"ConvertDevdax", "maybe"}, {"ConvertDevdax", "yes yes"}, {"OfflineBlocks", "2"},
		{"OfflineBlocks", "force"}, {"Group", "kvm qemu"}, {"Group", "Kvm"},
		{"Group", "-kvm"}, {"Group", "kvm\n"}, {"Group", TEN TEN TEN "123"},
		{"Mode", "devdax"}, {"Mode", "0"}, {"Mode", "060"}, {"Mode", "0060"},
		{"Mode", "0400"}, {"Mode", "0770"}, {"Mode", "04660"}, {"Mode", "00660"},
		{"Mode", "0668"}, {"Mode", "rw"}, {"Mode", " "}};
	CLEANUP(rule_done) struct rule rule, empty;

	(void)state;
	rule_init(&rule, "r");
	rule_init(&empty, "empty");
	set_all(&rule);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rule_set(&rule, "Policy", rows[i][0], rows[i][1]) != -EINVAL)
			fail_msg("accepted: %s=%s", rows[i][0], rows[i][1]);
		assert_all_set(&rule);
		assert_int_equal(rule_set(&empty, "Policy", rows[i][0], rows[i][1]), -EINVAL);
		assert_nothing_set(&empty);
	}
}

static void test_overlap(void **state)
{
	CLEANUP(rule_done) struct rule rule;

	(void)state;
	rule_init(&rule, "r");
	assert_int_equal(rule_set(&rule, "Match", "Range", "0-9 9-19"), 1);
	assert_string_equal(rule.match[MATCH_RANGE], "0-9 9-19");
	assert_int_equal(rule_set(&rule, "Match", "Range", "0-9 10-19 0-0"), 1);
	assert_int_equal(rule_set(&rule, "Match", "Range", "0-9 10-19"), 0);
	assert_int_equal(rule_set(&rule, "Match", "Device", "a a"), 0);
}

static void test_names(void **state)
{
	CLEANUP(rule_done) struct rule rule;

	(void)state;
	assert_int_equal(ARRAY_SIZE(match_keys), MATCH_MAX);
	rule_init(&rule, "r");
	assert_int_equal(rule_set(&rule, "", "Type", "cxl"), -ENOENT);
	assert_int_equal(rule_set(&rule, "match", "Type", "cxl"), -ENOENT);
	assert_int_equal(rule_set(&rule, "Daemon", "Act", "no"), -ENOENT);
	assert_int_equal(rule_set(&rule, "Match", "type", "cxl"), -ENOKEY);
	assert_int_equal(rule_set(&rule, "Match", "", ""), -ENOKEY);
	assert_int_equal(rule_set(&rule, "Match", "Verdict", "online"), -ENOKEY);
	assert_int_equal(rule_set(&rule, "Policy", "Type", "cxl"), -ENOKEY);
	assert_int_equal(rule_set(&rule, "Policy", "Verdicts", "online"), -ENOKEY);
	assert_nothing_set(&rule);
	for (enum match match = 0; match < MATCH_MAX; match++) {
		assert_non_null(rule_wanted("Match", match_keys[match]));
		/* One of the device, and one of its node. */
		if (match != MATCH_MODE)
			assert_null(rule_wanted("Policy", match_keys[match]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(policy_keys); i++) {
		assert_non_null(rule_wanted("Policy", policy_keys[i]));
		if (strcmp(policy_keys[i], "Mode") != 0)
			assert_null(rule_wanted("Match", policy_keys[i]));
		assert_null(rule_wanted("Daemon", policy_keys[i]));
	}
	assert_null(rule_wanted("", ""));
	assert_null(rule_wanted("Match", ""));
}

static void test_words_of_enums(void **state)
{
	static const char *const verdicts[] = {"online", "devdax", "offline", "ignore"};
	static const char *const zones[] = {NULL, "auto", "kernel", "movable"};
	enum verdict verdict;
	enum zone zone;

	(void)state;
	assert_int_equal(ARRAY_SIZE(verdicts), VERDICT_MAX);
	assert_int_equal(ARRAY_SIZE(zones), ZONE_MAX);
	for (enum verdict v = 0; v < VERDICT_MAX; v++) {
		assert_string_equal(verdict_to_string(v), verdicts[v]);
		assert_int_equal(verdict_from_string(verdicts[v], &verdict), 0);
		assert_int_equal(verdict, v);
	}
	assert_int_equal(verdict_from_string("", &verdict), -EINVAL);
	assert_int_equal(verdict_from_string("onlin", &verdict), -EINVAL);
	assert_int_equal(verdict, VERDICT_MAX - 1);
	assert_null(zone_to_string(ZONE_NONE));
	for (enum zone z = ZONE_NONE + 1; z < ZONE_MAX; z++) {
		assert_string_equal(zone_to_string(z), zones[z]);
		assert_int_equal(zone_from_string(zones[z], &zone), 0);
		assert_int_equal(zone, z);
	}
	assert_int_equal(zone_from_string("", &zone), -EINVAL);
	assert_int_equal(zone_from_string("none", &zone), -EINVAL);
	assert_int_equal(zone, ZONE_MAX - 1);
}

/* Keys of [Policy] with their values, up to NULL, and a part of the mistake. */
static void test_mistakes(void **state)
{
	static const struct {
		const char *match, *policy[5], *mistake;
	} rows[] = {
		{"", {"Verdict=online"}, "no key in [Match]"},
		{"", {NULL}, "no key in [Match]"},
		{"Type=*", {NULL}, "no key in [Policy]"},
		{"Type=*", {"ConvertDevdax=no", "OfflineBlocks=no"}, "no key in [Policy]"},
		{"Type=*", {"Verdict=online"}, NULL},
		{"Type=*", {"Verdict=ignore"}, NULL},
		{"Type=*", {"Zone=movable"}, NULL},
		{"Type=*", {"OnFailure=keep"}, NULL},
		{"Type=*", {"ConvertDevdax=yes"}, NULL},
		{"Type=*", {"OfflineBlocks=yes"}, NULL},
		{"MinSize=2G;MaxSize=1G", {"Verdict=online"}, "MinSize= is larger"},
		{"MinSize=1025M;MaxSize=1G", {"Verdict=online"}, "MinSize= is larger"},
		{"MinSize=1024M;MaxSize=1G", {"Verdict=online"}, NULL},
		{"MinSize=1G;MaxSize=1T", {"Verdict=online"}, NULL},
		{"MinSize=1T", {"Verdict=online"}, NULL},
		{"MaxSize=0", {"Verdict=online"}, NULL},
		{"Mode=devdax",
			{"Verdict=online", "Zone=auto", "OnFailure=rollback", "ConvertDevdax=yes"},
			NULL},
		{"Type=*", {"Zone=kernel", "Verdict=devdax"}, "Zone="},
		{"Type=*", {"Zone=kernel", "Verdict=offline"}, "Zone="},
		{"Type=*", {"Zone=kernel", "Verdict=ignore"}, "Zone="},
		{"Type=*", {"OnFailure=keep", "Verdict=devdax"}, "OnFailure="},
		{"Type=*", {"OnFailure=keep", "Verdict=ignore"}, "OnFailure="},
		{"Type=*", {"ConvertDevdax=yes", "Verdict=devdax"}, "ConvertDevdax="},
		{"Type=*", {"ConvertDevdax=yes", "Verdict=offline"}, "ConvertDevdax="},
		{"Type=*", {"ConvertDevdax=no", "Verdict=devdax"}, NULL},
		{"Type=*", {"OfflineBlocks=yes", "Verdict=devdax"}, NULL},
		{"Type=*", {"OfflineBlocks=yes", "Verdict=offline"}, NULL},
		{"Type=*", {"OfflineBlocks=yes", "Verdict=online"}, "OfflineBlocks="},
		{"Type=*", {"OfflineBlocks=yes", "Verdict=ignore"}, "OfflineBlocks="},
		{"Type=*", {"OfflineBlocks=no", "Verdict=ignore"}, NULL},
		{"Type=*", {"Group=kvm"}, NULL},
		{"Type=*", {"Mode=0660"}, NULL},
		{"Type=*", {"Group=107", "Mode=660", "Verdict=devdax"}, NULL},
		{"Type=*", {"Group=kvm", "Verdict=online"}, "Group= and Mode="},
		{"Type=*", {"Mode=0660", "Verdict=ignore"}, "Group= and Mode="},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(rule_done) struct rule rule;
		const char *mistake;

		rule_of(&rule, rows[i].match);
		for (const char *const *policy = rows[i].policy; *policy; policy++) {
			char key[32], value[32];

			assert_int_equal(sscanf(*policy, "%31[^=]=%31s", key, value), 2);
			set(&rule, "Policy", key, value);
		}
		mistake = rule_mistake(&rule);
		if (rows[i].mistake ? !mistake || !strstr(mistake, rows[i].mistake) : !!mistake)
			fail_msg("row %zu: %s", i, mistake ?: "no mistake");
	}
}

/* Each allocation fails once: the key keeps its value. */
static void test_short_memory(void **state)
{
	CLEANUP(rule_done) struct rule rule;

	(void)state;
	rule_init(&rule, "r");
	for (enum match match = 0; match < MATCH_MAX; match++) {
		const char *was = match == MATCH_RANGE ? "40-49" : match_values[match];
		int r = -ENOMEM, refused = 0;

		set(&rule, "Match", match_keys[match], was);
		for (int allowed = 0; r < 0; allowed++) {
			assert_string_equal(rule.match[match], was);
			allocations_left = allowed;
			r = rule_set(&rule, "Match", match_keys[match], match_values[match]);
			allocations_left = -1;
			assert_true(r == 0 || r == -ENOMEM);
			refused += r < 0;
		}
		assert_true(refused > 0);
		assert_string_equal(rule.match[match], match_values[match]);
	}
}

static void random_value(char value[300], uint64_t *seed)
{
	static const char likely[] = "0123456789abcdefxGT*?[]-! \t  dax.\\yesno";
	size_t length = below(seed, 8) ? below(seed, 12) : below(seed, 300);

	for (size_t i = 0; i < length; i++)
		value[i] = below(seed, 20) ? likely[below(seed, sizeof(likely) - 1)]
					   : (char)(1 + below(seed, 255));
	value[length] = '\0';
}

static void test_any_bytes(void **state)
{
	CLEANUP(rule_done) struct rule a, b;
	uint64_t seed = 1;
	char value[300];

	(void)state;
	rule_init(&a, "a");
	rule_init(&b, "b");
	for (int round = 0; round < 50000; round++) {
		struct rule *rule = below(&seed, 2) ? &a : &b;
		enum match match = (enum match)below(&seed, MATCH_MAX);
		int r;

		random_value(value, &seed);
		r = rule_set(rule, "Match", match_keys[match], value);
		assert_true(r == 0 || r == -EINVAL || (r == 1 && match == MATCH_RANGE));
		r = rule_set(rule, "Policy", policy_keys[below(&seed, 5)], value);
		assert_true(r == 0 || r == -EINVAL);
		rule_mistake(rule);
		rule_covers(&a, &b);
		assert_int_equal(rule_set(rule, value, "Type", "cxl"), -ENOENT);
		assert_int_equal(rule_set(rule, "Match", value, ""), -ENOKEY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_empty_values),
		cmocka_unit_test(test_repeated_keys),
		cmocka_unit_test(test_valid_values),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_bad_policy_values),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_words_of_enums),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
