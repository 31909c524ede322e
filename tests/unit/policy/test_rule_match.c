/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a rule matches, and which rule covers another.
 *
 * Matching: a device with all facts and one with few of them, and for each key whether it matches
 * them. Covering: a table of pairs that cover and of pairs that do not; and random rules, where a
 * rule that covers another must match every random device that the other one matches. Patterns are
 * tested with all combinations of a few pieces against all short names.
 */
#include "tests/unit/rules.h"

#include <errno.h>
#include <stdio.h>

#define UUID "7b3e0d5c-0001-4000-8000-0000000000fa"

static struct range ranges[] = {{64 * GIB, 68 * GIB}, {72 * GIB, 76 * GIB}};

/* A CXL device of two ranges on two memory devices. */
static const struct facts device = {
	.device = {.type = TYPE_CXL,
		.name = "dax0.1",
		.region = "region3",
		.driver = DAX_DRIVER_KMEM,
		.node = 2,
		.present = true,
		.size = 8 * GIB,
		.ranges = ranges,
		.n_ranges = ARRAY_SIZE(ranges)},
	.cxl = {.region_uuid = UUID,
		.memdevs = {{"mem0", "0000:35:00.0", 42, ""},
			{"mem1", "cxl_mem.1", UINT64_MAX, ""}},
		.n_memdevs = 2},
};

static struct range run = {4 * GIB, 5 * GIB};

/* A run of blocks of unknown type. */
static const struct facts blocks = {.device = {.type = TYPE_UNKNOWN,
					    .node = NODE_UNKNOWN,
					    .size = GIB,
					    .ranges = &run,
					    .n_ranges = 1}};

struct row {
	const char *match;
	bool device, blocks;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(rule_done) struct rule rule;

		rule_of(&rule, rows[i].match);
		if (rule_matches(&rule, &device) != rows[i].device ||
			rule_matches(&rule, &blocks) != rows[i].blocks)
			fail_msg("%s: device %d, blocks %d", rows[i].match,
				rule_matches(&rule, &device), rule_matches(&rule, &blocks));
	}
}

#define check(...)                                                                                 \
	do {                                                                                       \
		static const struct row rows_[] = {__VA_ARGS__};                                   \
		check_rows(rows_, ARRAY_SIZE(rows_));                                              \
	} while (0)

static void test_type(void **state)
{
	static const char *const words[] = {"unknown", "cxl", "hmem", "pmem", "dimm", "virtio-mem"};

	(void)state;
	check({"Type=cxl", 1, 0}, {"Type=unknown", 0, 1}, {"Type=*", 1, 1}, {"Type=hmem cxl", 1, 0},
		{"Type=dimm * pmem", 1, 1}, {"Type=hmem pmem dimm virtio-mem", 0, 0});
	for (enum device_type type = 0; type < TYPE_MAX; type++)
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			CLEANUP(rule_done) struct rule rule;
			const struct facts facts = {.device.type = type};

			rule_init(&rule, "r");
			assert_int_equal(rule_set(&rule, "Match", "Type", words[i]), 0);
			assert_int_equal(rule_matches(&rule, &facts), type == i);
		}
}

/* Memory in a CXL region has the type cxl in addition to its own. */
static void test_type_in_region(void **state)
{
	static const struct {
		const char *match;
		bool in_region, outside;
	} rows[] = {{"Type=cxl", true, false}, {"Type=hmem", true, true},
		{"Type=dimm cxl", true, false}, {"Type=*", true, true},
		{"Type=pmem dimm virtio-mem unknown", false, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(rule_done) struct rule rule;
		const struct facts in_region = {.device = {.type = TYPE_HMEM, .region = "region3"}};
		const struct facts outside = {.device = {.type = TYPE_HMEM}};

		rule_of(&rule, rows[i].match);
		assert_int_equal(rule_matches(&rule, &in_region), rows[i].in_region);
		assert_int_equal(rule_matches(&rule, &outside), rows[i].outside);
	}
}

static void test_names(void **state)
{
	(void)state;
	check({"Device=dax0.1", 1, 0}, {"Device=DAX0.1", 1, 0}, {"Device=dax0.*", 1, 0},
		{"Device=dax?.1", 1, 0}, {"Device=dax[0-3].1", 1, 0}, {"Device=dax[!0-3].1", 0, 0},
		{"Device=dax0.2 dax0.1", 1, 0}, {"Device=*", 1, 0}, {"Device=dax0", 0, 0},
		{"Device=ax0.1", 0, 0}, {"Device=dax0.10", 0, 0}, {"Device=dax0.2 dax1.1", 0, 0},
		{"Device=region3", 0, 0}, {"Device=dax0?1", 1, 0}, {"Device=[", 0, 0});
	check({"Region=region3", 1, 0}, {"Region=region*", 1, 0}, {"Region=Region3", 1, 0},
		{"Region=region30", 0, 0}, {"Region=region1 region3", 1, 0}, {"Region=*", 1, 0},
		{"Region=" UUID, 1, 0}, {"Region=7B3E0D5C-*FA", 1, 0}, {"Region=7b3e0d5c", 0, 0},
		{"Region=00000000-*", 0, 0}, {"Region=dax0.1", 0, 0});
	check({"PciAddress=0000:35:00.0", 1, 0}, {"PciAddress=0000:35:*", 1, 0},
		{"PciAddress=cxl_mem.1", 1, 0}, {"PciAddress=0000:36:00.0", 0, 0},
		{"PciAddress=35:00.0", 0, 0}, {"PciAddress=*", 1, 0}, {"PciAddress=mem0", 0, 0},
		{"PciAddress=0000:36:* CXL_MEM.?", 1, 0});
}

static void test_numbers(void **state)
{
	(void)state;
	check({"Serial=42", 1, 0}, {"Serial=0x2A", 1, 0}, {"Serial=0xffffffffffffffff", 1, 0},
		{"Serial=41 42", 1, 0}, {"Serial=41 43", 0, 0}, {"Serial=0", 0, 0},
		{"Serial=4", 0, 0});
	check({"TargetNode=2", 1, 0}, {"TargetNode=0x02", 1, 0}, {"TargetNode=1 2", 1, 0},
		{"TargetNode=0 1 3", 0, 0}, {"TargetNode=4294967298", 0, 0},
		{"TargetNode=18446744073709551615", 0, 0}, {"TargetNode=4294967295", 0, 0});
	check({"MinSize=8G", 1, 0}, {"MinSize=8589934593", 0, 0}, {"MinSize=8589934592", 1, 0},
		{"MinSize=1G", 1, 1}, {"MinSize=1025M", 1, 0}, {"MinSize=0", 1, 1},
		{"MinSize=16777215T", 0, 0});
	check({"MaxSize=8G", 1, 1}, {"MaxSize=8589934591", 0, 1}, {"MaxSize=4G", 0, 1},
		{"MaxSize=1G", 0, 1}, {"MaxSize=1073741823", 0, 0}, {"MaxSize=0", 0, 0},
		{"MinSize=2G;MaxSize=16G", 1, 0}, {"MinSize=512M;MaxSize=2G", 0, 1});
}

/* The device has [64 GiB, 68 GiB) and [72 GiB, 76 GiB), the blocks [4 GiB, 5 GiB). */
static void test_range(void **state)
{
	(void)state;
	check({"Range=0x1000000000-0x12ffffffff", 1, 0}, {"Range=0x1000000000-0x12fffffffe", 0, 0},
		{"Range=0x1000000001-0x12ffffffff", 0, 0},
		{"Range=0x1000000000-0x10ffffffff", 0, 0},
		{"Range=0x1200000000-0x12ffffffff", 0, 0}, {"Range=0x100000000-0x13fffffff", 0, 1},
		{"Range=0x100000000-0x13ffffffe", 0, 0},
		{"Range=0x0-0xffffffff 0x100000000-0x1ffffffff", 0, 1},
		{"Range=0-0xfffffffffffffffe", 1, 1}, {"Range=0-0", 0, 0},
		/* each word is compared alone */
		{"Range=0x100000000-0x11fffffff 0x120000000-0x13fffffff", 0, 0});
}

/* A device whose address is not known is within no range. */
static void test_range_unknown(void **state)
{
	struct facts nowhere = device;
	CLEANUP(rule_done) struct rule low, all, name;

	(void)state;
	nowhere.device.ranges = NULL;
	nowhere.device.n_ranges = 0;
	rule_of(&low, "Range=0-0xfff");
	rule_of(&all, "Range=0-0xfffffffffffffffe");
	rule_of(&name, "Device=dax0.1;MinSize=8G;MaxSize=8G;TargetNode=2");
	assert_false(rule_matches(&low, &nowhere));
	assert_false(rule_matches(&all, &nowhere));
	assert_true(rule_matches(&name, &nowhere));
}

static void test_present(void **state)
{
	(void)state;
	check({"Present=yes", 1, 0}, {"Present=no", 0, 1}, {"Present=TRUE", 1, 0},
		{"Present=0", 0, 1});
}

static void test_mode(void **state)
{
	static const char *const words[] = {
		[DAX_DRIVER_NONE] = "none",
		[DAX_DRIVER_KMEM] = "system-ram",
		[DAX_DRIVER_DEVICE_DAX] = "devdax",
		[DAX_DRIVER_FSDEV] = "famfs",
		[DAX_DRIVER_OTHER] = "other",
	};

	(void)state;
	check({"Mode=system-ram", 1, 0}, {"Mode=devdax system-ram", 1, 0},
		{"Mode=none devdax famfs other", 0, 0});
	assert_int_equal(ARRAY_SIZE(words), DAX_DRIVER_MAX);
	for (enum dax_driver driver = 0; driver < DAX_DRIVER_MAX; driver++)
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			CLEANUP(rule_done) struct rule rule;
			const struct facts facts = {.device = {.driver = driver, .name = "dax0.0"}};

			rule_init(&rule, "r");
			assert_int_equal(rule_set(&rule, "Match", "Mode", words[i]), 0);
			assert_int_equal(rule_matches(&rule, &facts), driver == i);
		}
}

/* A rule matches if all of its keys do, and never without a key. */
static void test_several_keys(void **state)
{
	(void)state;
	check({"", 0, 0}, {"Type=cxl;Device=dax0.1", 1, 0}, {"Type=cxl;Device=dax0.2", 0, 0},
		{"Type=*;Present=no", 0, 1}, {"Type=cxl;Present=no", 0, 0},
		{"Type=unknown;Device=*", 0, 0},
		{"Type=unknown;MaxSize=1G;Range=0-0x1ffffffff", 0, 1},
		{"Type=cxl;Device=dax*;Serial=42;PciAddress=cxl*;Region=region3;TargetNode=2;"
		 "MinSize=8G;MaxSize=8G;Range=0x1000000000-0x12ffffffff;Present=yes;"
		 "Mode=system-ram",
			1, 0},
		{"Type=cxl;Device=dax*;Serial=42;PciAddress=cxl*;Region=region3;TargetNode=2;"
		 "MinSize=8G;MaxSize=8G;Range=0x1000000000-0x12ffffffff;Present=yes;Mode=devdax",
			0, 0});
}

static void assert_covers(const char *const pairs[][2], size_t n, bool covers)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(rule_done) struct rule earlier, later;

		rule_of(&earlier, pairs[i][0]);
		rule_of(&later, pairs[i][1]);
		if (rule_covers(&earlier, &later) != covers)
			fail_msg("%s and %s", pairs[i][0], pairs[i][1]);
	}
}

static void test_covers(void **state)
{
	static const char *const pairs[][2] = {{"Type=*", "Type=cxl"}, {"Type=*", "Type=*"},
		{"Type=*", "Device=dax0.0"}, {"Type=dimm *", "MinSize=1G;Present=yes"},
		{"Type=cxl", "Type=cxl"}, {"Type=cxl hmem", "Type=hmem"},
		{"Type=cxl hmem", "Type=hmem cxl"},
		{"Type=cxl hmem", "Type=hmem;Device=dax*;Mode=none"},
		{"Device=dax0.0", "Device=dax0.0"}, {"Device=dax0.0", "Device=DAX0.0"},
		{"Device=dax*", "Device=dax0.*"}, {"Device=dax*", "Device=dax0.0 dax1.?"},
		{"Device=dax*", "Device=dax*"}, {"Device=dax?.0", "Device=dax?.0"},
		{"Device=dax?.0", "Device=dax1.0"}, {"Device=dax[01].0", "Device=dax0.0 dax1.0"},
		{"Device=dax[01].0", "Device=dax[01].0"}, {"Device=*", "Device=dax[01].0"},
		{"Device=*.0", "Device=dax?.0"}, {"Device=dax0.* dax1.*", "Device=dax1.3"},
		{"PciAddress=0000:35:*", "PciAddress=0000:35:00.?"},
		{"Region=region*", "Region=region0;Type=cxl"}, {"Serial=42", "Serial=0x2a"},
		{"Serial=1 2 3", "Serial=3 1"}, {"TargetNode=1 2", "TargetNode=0x2"},
		{"MinSize=1G", "MinSize=1024M"}, {"MinSize=1G", "MinSize=2G;MaxSize=4G"},
		{"MaxSize=2G", "MaxSize=2G"}, {"MaxSize=2G", "MaxSize=1G"},
		{"MinSize=1G;MaxSize=9G", "MinSize=2G;MaxSize=8G"},
		{"Range=0-0xffff", "Range=0x1000-0x1fff"}, {"Range=0-0xfff", "Range=0-4095"},
		{"Range=0-9 20-29", "Range=21-28 0-1"}, {"Present=yes", "Present=true;Type=*"},
		{"Mode=none devdax", "Mode=devdax"},
		{"Type=cxl;Device=dax*", "Device=dax0.0;Type=cxl"}};

	(void)state;
	assert_covers(pairs, ARRAY_SIZE(pairs), true);
}

static void test_covers_not(void **state)
{
	static const char *const pairs[][2] = {{"", "Type=cxl"}, {"", ""},
		{"Type=cxl", "Type=hmem"}, {"Type=cxl", "Type=*"}, {"Type=cxl", "Type=cxl hmem"},
		{"Type=cxl", "Device=dax0.0"}, {"Type=cxl;Device=dax0.0", "Type=cxl"},
		{"Device=*", "Type=cxl"}, {"Device=*", "Region=region0"},
		{"Device=dax0.0", "Device=dax*"}, {"Device=dax0.0", "Device=dax0.?"},
		{"Device=dax?.0", "Device=dax*.0"}, {"Device=dax0.0", "Device=dax0.0 dax1.0"},
		{"Device=dax[01].0", "Device=dax[012].0"}, {"Device=dax*0*", "Device=dax[01].1"},
		{"Device=*]*", "Device=dax[01].1"}, {"Device=dax?.0", "Device=dax[0-9]*"},
		{"Serial=1", "Serial=1 2"}, {"Serial=1", "PciAddress=*"},
		{"TargetNode=1", "Type=*"}, {"MinSize=2G", "MinSize=1G"},
		{"MinSize=1G", "MaxSize=2G"}, {"MinSize=1G", "Type=*"},
		{"MaxSize=1G", "MaxSize=2G"}, {"MaxSize=1G", "MinSize=0"},
		{"MinSize=2G;MaxSize=8G", "MinSize=1G;MaxSize=8G"},
		{"Range=0-0xfff", "Range=0-0x1000"}, {"Range=1-9", "Range=0-9"},
		{"Range=0-9", "Range=0-9 20-29"}, {"Range=0-4 5-9", "Range=0-9"},
		{"Present=yes", "Present=no"}, {"Present=yes", "Type=*"},
		{"Mode=devdax", "Mode=none devdax"}, {"Mode=none", "Device=*"}};

	(void)state;
	assert_covers(pairs, ARRAY_SIZE(pairs), false);
}

#define N_RULES	  400
#define N_DEVICES 1500

/* A rule, and which of the random devices it matches. */
struct matcher {
	struct rule rule;
	bool matches[N_DEVICES];
};

static void free_matchers(struct matcher **matchers)
{
	for (size_t i = 0; *matchers && i < N_RULES; i++)
		rule_done(&(*matchers)[i].rule);
	free(*matchers);
}

static struct matcher *new_matchers(size_t n)
{
	struct matcher *matchers = calloc(n, sizeof(*matchers));

	assert_non_null(matchers);
	return matchers;
}

/* The earlier rule matches each device that the later one matches. */
static void assert_covers_all(const struct matcher *earlier, const struct matcher *later, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (later->matches[i] && !earlier->matches[i])
			fail_msg("%s does not cover %s", earlier->rule.name, later->rule.name);
}

#define WORDS 8

static const struct {
	const char *key, *words[WORDS];
} words_of[MATCH_MAX] = {
	{"Type", {"cxl", "hmem", "dimm", "*", "unknown", "cxl", "cxl", "*"}},
	{"Device", {"dax0.0", "dax0.1", "dax1.0", "dax*", "*", "dax?.0", "dax[01].1", "*0*"}},
	{"Serial", {"0", "1", "0x1", "2", "3", "0x2", "1", "2"}},
	{"PciAddress", {"0:35:0.0", "0:35:0.1", "cxl_mem.0", "0:*", "*", "*.0", "?:35:*", "C*"}},
	{"Region", {"region0", "region1", "region*", UUID, "*", "7b*", "Region0", "*0*"}},
	{"TargetNode", {"0", "1", "0x1", "2", "0x0", "00", "3", "2"}},
	{"MinSize", {"0", "1G", "1024M", "2G", "4G", "1", "3G", "2G"}},
	{"MaxSize", {"0", "1G", "1024M", "2G", "4G", "1T", "3G", "2G"}},
	{"Range", {"0-0xfff", "0-0x1fff", "0x1000-0x1fff", "0x800-0x17ff", "0-0x7ff", "0-4095",
			  "0x400-0x7ff", "0x1400-0x17ff"}},
	{"Present", {"yes", "no", "1", "off", "on", "0", "true", "false"}},
	{"Mode", {"none", "system-ram", "devdax", "famfs", "none", "devdax", "devdax", "other"}},
};

/* A rule of up to five keys with one or two words each; its name lists them. */
static void random_rule(struct rule *rule, uint64_t *seed)
{
	size_t n = 1 + below(seed, 5);

	rule_init(rule, "");
	for (size_t i = 0; i < n; i++) {
		enum match match = (enum match)below(seed, MATCH_MAX);
		const char *const *words = words_of[match].words;
		bool single = match == MATCH_MIN_SIZE || match == MATCH_MAX_SIZE ||
			      match == MATCH_PRESENT || below(seed, 2);
		size_t length = strlen(rule->name);
		char value[128];

		snprintf(value, sizeof(value), "%s %s", words[below(seed, WORDS)],
			single ? "" : words[below(seed, WORDS)]);
		assert_true(rule_set(rule, "Match", words_of[match].key, value) >= 0);
		snprintf(rule->name + length, sizeof(rule->name) - length, "%s=%s;",
			words_of[match].key, value);
	}
}

/* A device of up to two ranges, which are stored in `space`. */
static void random_facts(struct facts *facts, struct range space[2], uint64_t *seed)
{
	static const char *const names[] = {"", "dax0.0", "dax0.1", "dax1.0", "dax1.1", "dax2.2"};
	static const char *const regions[] = {"", "region0", "region1"};
	static const char *const hosts[] = {"0:35:0.0", "0:35:0.1", "cxl_mem.0", "1:35:0.1"};
	struct device *made = &facts->device;

	*facts = (struct facts){.device = {.type = (enum device_type)below(seed, TYPE_MAX),
					.present = below(seed, 2),
					.node = (int)below(seed, 4) - 1,
					.driver = (enum dax_driver)below(seed, DAX_DRIVER_MAX),
					.size = below(seed, 6) * GIB - below(seed, 2),
					.ranges = space,
					.n_ranges = below(seed, 8) ? 1 + below(seed, 2) : 0},
		.cxl.n_memdevs = below(seed, 3)};
	strcpy(made->name, names[below(seed, ARRAY_SIZE(names))]);
	strcpy(made->region, regions[below(seed, ARRAY_SIZE(regions))]);
	strcpy(facts->cxl.region_uuid, below(seed, 2) ? UUID : "");
	for (size_t i = 0; i < facts->cxl.n_memdevs; i++) {
		facts->cxl.memdevs[i].serial = below(seed, 4);
		strcpy(facts->cxl.memdevs[i].host, hosts[below(seed, ARRAY_SIZE(hosts))]);
	}
	for (size_t i = 0; i < made->n_ranges; i++) {
		uint64_t start = below(seed, 7) * 0x400;

		space[i] = span(start, start + (1 + below(seed, 3)) * 0x400);
	}
}

static void test_covers_random(void **state)
{
	CLEANUP(free_matchers) struct matcher *rules = new_matchers(N_RULES);
	size_t covered = 0;
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < N_RULES; i++)
		random_rule(&rules[i].rule, &seed);
	for (size_t s = 0; s < N_DEVICES; s++) {
		struct facts facts;
		struct range space[2];

		random_facts(&facts, space, &seed);
		for (size_t i = 0; i < N_RULES; i++)
			rules[i].matches[s] = rule_matches(&rules[i].rule, &facts);
	}
	for (size_t i = 0; i < N_RULES; i++)
		for (size_t j = 0; j < N_RULES; j++)
			if (rule_covers(&rules[i].rule, &rules[j].rule)) {
				assert_covers_all(&rules[i], &rules[j], N_DEVICES);
				covered++;
			}
	assert_true(covered > 2 * N_RULES);
}

/* Append the pieces for the digits of `number`. Returns false if a digit is zero. */
static bool join_pieces(
	char text[SYSFS_NAME], unsigned int number, const char *const pieces[], unsigned int base)
{
	for (*text = '\0'; number; number /= base) {
		if (number % base == 0)
			return false;
		strcat(text, pieces[number % base - 1]);
	}
	return *text;
}

/* All patterns of up to three pieces, and all names of up to three letters. */
static void test_patterns(void **state)
{
	static const char *const pieces[] = {"a", "B", "*", "?", "[ab]", "]", "\\"};
	static const char *const letters[] = {"a", "b", "c", "]", "*", "\\"};
	CLEANUP(free_matchers) struct matcher *rules = new_matchers(N_RULES);
	char text[SYSFS_NAME];
	size_t n = 0, n_names = 0;

	(void)state;
	for (unsigned int number = 1; number < 8 * 8 * 8; number++)
		if (join_pieces(text, number, pieces, 8)) {
			rule_init(&rules[n].rule, text);
			assert_int_equal(rule_set(&rules[n++].rule, "Match", "Device", text), 0);
		}
	assert_int_equal(n, 7 + 7 * 7 + 7 * 7 * 7);
	for (unsigned int number = 1; number < 7 * 7 * 7; number++) {
		struct facts facts = {0};

		if (!join_pieces(facts.device.name, number, letters, 7))
			continue;
		for (size_t i = 0; i < n; i++)
			rules[i].matches[n_names] = rule_matches(&rules[i].rule, &facts);
		n_names++;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			if (rule_covers(&rules[i].rule, &rules[j].rule))
				assert_covers_all(&rules[i], &rules[j], n_names);
			else
				assert_true(i != j && strcmp(rules[i].rule.name, "*") != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_type_in_region),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_range_unknown),
		cmocka_unit_test(test_present),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_several_keys),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_covers_not),
		cmocka_unit_test(test_covers_random),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
