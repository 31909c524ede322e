/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Targets: every form at and beyond its limits, the ranges that each target matches, and random
 * text, which is either refused or parsed consistently.
 */
#include "tests/unit/records.h"

#include <errno.h>

#include "tdxo/explain/target.h"

#define BLOCKS_MAX (UINT64_MAX / BLOCK) /* the last block ends beyond the highest address */

static const struct {
	const char *text;
	enum target_kind kind;
	const char *name;
	struct range range;
	uint64_t number;
} good[] = {
	/* addresses */
	{"0x0", TARGET_ADDRESS, "0x0", {0, 1}, 0},
	{"0x140000000", TARGET_ADDRESS, "0x140000000", {0x140000000, 0x140000001}, 0},
	{"0X14000ABCD", TARGET_ADDRESS, "0X14000ABCD", {0x14000abcd, 0x14000abce}, 0},
	{"0xfffffffffffffffe", TARGET_ADDRESS, "0xfffffffffffffffe", {UINT64_MAX - 1, UINT64_MAX},
		0},
	{"0x1000-0x1fff", TARGET_ADDRESS, "0x1000-0x1fff", {0x1000, 0x2000}, 0},
	{"0x0-0xfffffffffffffffe", TARGET_ADDRESS, "0x0-0xfffffffffffffffe", {0, UINT64_MAX}, 0},
	{"[mem 0x1000-0x1FFF]", TARGET_ADDRESS, "[mem 0x1000-0x1FFF]", {0x1000, 0x2000}, 0},
	{"[mem 0xffffffffffff0000-0xfffffffffffffffe]", TARGET_ADDRESS,
		"[mem 0xffffffffffff0000-0xfffffffffffffffe]", {UINT64_MAX - 0xffff, UINT64_MAX},
		0},
	/* blocks and nodes; the kernel's names have no leading zeros */
	{"memory0", TARGET_BLOCK, "memory0", {0, 0}, 0},
	{"memory40", TARGET_BLOCK, "memory40", {0, 0}, 40},
	{"memory0040", TARGET_BLOCK, "memory40", {0, 0}, 40},
	{"memory18446744073709551615", TARGET_BLOCK, "memory18446744073709551615", {0, 0},
		UINT64_MAX},
	{"node0", TARGET_NODE, "node0", {0, 0}, 0},
	{"node1023", TARGET_NODE, "node1023", {0, 0}, 1023},
	/* devices */
	{"dax0.0", TARGET_DAX, "dax0.0", {0, 0}, 0},
	{"dax12.345", TARGET_DAX, "dax12.345", {0, 0}, 0},
	{"/dev/dax0.1", TARGET_DAX, "dax0.1", {0, 0}, 0},
	{"region0", TARGET_REGION, "region0", {0, 0}, 0},
	{"mem0", TARGET_MEMDEV, "mem0", {0, 0}, 0},
	{"mem18446744073709551615", TARGET_MEMDEV, "mem18446744073709551615", {0, 0}, UINT64_MAX},
	{"0000:0d:00.0", TARGET_PCI_ADDRESS, "0000:0d:00.0", {0, 0}, 0},
	{"ABCD:EF:1F.7", TARGET_PCI_ADDRESS, "abcd:ef:1f.7", {0, 0}, 0},
	{"0d:00.0", TARGET_PCI_ADDRESS, "0000:0d:00.0", {0, 0}, 0},
	{"0D:00.0", TARGET_PCI_ADDRESS, "0000:0d:00.0", {0, 0}, 0},
};

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct target target;

		assert_int_equal(target_parse(good[i].text, &target), 0);
		assert_int_equal(target.kind, good[i].kind);
		assert_string_equal(target.name, good[i].name);
		assert_range_equal(target.range, good[i].range);
		assert_int_equal(target.number, good[i].number);
	}
}

/* Refused, and the target is not changed. */
static void test_none(void **state)
{
	static const char *const bad[] = {"", " ", " 0x1", "0x1 ", "-1", "+1", "0x", "0xg", "1.5",
		"1K", "0x1-", "-0x1", "0x2-0x1", "0x1-0x2-0x3", "0x1 - 0x2", "0x-0x5", "5-0x",
		"0xffffffffffffffff", "0x1000-8192", "0x10000000000000000",
		"0x0-0xffffffffffffffff", "[mem ", "[mem]", "[mem ]", "[mem 0x1]", "[mem 0x1-0x2",
		"[mem 0x1-0x2] ", "[mem  0x1-0x2]", "[MEM 0x1-0x2]", "mem 0x1-0x2", "memory",
		"memory-1", "memory 1", "memory0x1", "memory1.0", "memory18446744073709551616",
		"Memory1", "mem", "mem-1", "mem0.0", "MEM0", "memo1", "dax", "dax0", "dax0.",
		"dax.0", "dax.", "dax0.0.0", "dax0.0 ", "dax-1.0", "dax0x0.0", "dax0.x", "DAX0.0",
		"region", "region-1", "Region0", "region0.0", "node", "node-1", "node1 ", "NODE1",
		"node18446744073709551616", "0d:00", "d:00.0", "0d:00.", "0d:0.0", "0d:00.00",
		"0g:00.0", "000:0d:00.0", "00000:0d:00.0", "0000:0d:00", "0000:0d:00.0 ",
		"0000:0d:00:0", "0000-0d:00.0", "/dev/dax0", "/dev/mem0", "/dev/0x1", "*"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct target target = {.kind = TARGET_MAX, .number = 7};

		if (target_parse(bad[i], &target) != -EINVAL)
			fail_msg("'%s' is a target", bad[i]);
		assert_int_equal(target.kind, TARGET_MAX);
		assert_int_equal(target.number, 7);
	}
}

/* Digits alone are refused: 590000000 may be an address as the kernel prints it, without 0x. */
static void test_base(void **state)
{
	static const char *const bare[] = {"0", "010", "590000000", "5d0000000", "DEAD",
		"4096-8191", "100-1ff", "18446744073709551616"};
	struct target target;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bare); i++)
		assert_int_equal(target_parse(bare[i], &target), -EDOM);
}

/* A name of the maximum length, and one that is a byte longer. */
static void test_length(void **state)
{
	char text[SYSFS_NAME + 1];
	struct target target;

	(void)state;
	memset(text, '7', sizeof(text));
	memcpy(text, "dax0.", 5);
	text[SYSFS_NAME - 1] = '\0';
	assert_int_equal(target_parse(text, &target), 0);
	assert_int_equal(target.kind, TARGET_DAX);
	assert_string_equal(target.name, text);
	text[SYSFS_NAME - 1] = '7';
	text[SYSFS_NAME] = '\0';
	assert_int_equal(target_parse(text, &target), -EINVAL);
}

static struct target parse(const char *text)
{
	struct target target;

	assert_int_equal(target_parse(text, &target), 0);
	return target;
}

static struct range place_of(const char *text, uint64_t block_size)
{
	struct target target = parse(text);

	return target_place(&target, block_size);
}

static void test_place(void **state)
{
	char last[SYSFS_NAME], beyond[SYSFS_NAME];

	(void)state;
	assert_range_equal(place_of("0x1000-0x1fff", BLOCK), span(0x1000, 0x2000));
	assert_range_equal(place_of("memory0", BLOCK), span(0, BLOCK));
	assert_range_equal(place_of("memory40", BLOCK), span(5 * GIB, 5 * GIB + BLOCK));
	assert_range_equal(place_of("memory40", 2 * GIB), span(80 * GIB, 82 * GIB));
	snprintf(last, sizeof(last), "memory%ju", (uintmax_t)(BLOCKS_MAX - 1));
	snprintf(beyond, sizeof(beyond), "memory%ju", (uintmax_t)BLOCKS_MAX);
	assert_range_equal(place_of(last, BLOCK), span(0 - 2 * BLOCK, 0 - BLOCK));
	assert_range_equal(place_of(beyond, BLOCK), span(0, 0));
	assert_true(range_is_empty(place_of("memory18446744073709551615", BLOCK)));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (good[i].kind != TARGET_ADDRESS && good[i].kind != TARGET_BLOCK)
			assert_true(range_is_empty(place_of(good[i].text, BLOCK)));
}

/* The targets that match a range. */
static void test_matches(void **state)
{
	struct own_record own = {
		.facts = {.device = {.type = TYPE_CXL,
				  .name = "dax1.0",
				  .region = "region2",
				  .node = 3},
			.cxl = {.memdevs = {{.name = "mem4", .host = "0000:0d:00.0"},
					{.name = "mem5", .host = "0001:ab:1f.7"}},
				.n_memdevs = 2}},
		.record.range = {5 * GIB, 6 * GIB},
	};
	const struct record *record = own_record_of(&own);
	static const struct {
		const char *text;
		bool matches;
	} rows[] = {{"0x13fffffff", false}, {"0x140000000", true}, {"0x17fffffff", true},
		{"0x180000000", false}, {"0x13fffffff-0x140000000", true},
		{"0x0-0x13fffffff", false}, {"0x0-0xfffffffffffffffe", true},
		{"[mem 0x150000000-0x150000fff]", true}, {"memory39", false}, {"memory40", true},
		{"memory47", true}, {"memory48", false}, {"memory18446744073709551615", false},
		{"dax1.0", true}, {"dax1.1", false}, {"dax11.0", false}, {"region2", true},
		{"region02", true}, {"region3", false}, {"mem4", true}, {"mem5", true},
		{"mem6", false}, {"mem3", false}, {"0000:0d:00.0", true}, {"0d:00.0", true},
		{"0001:AB:1F.7", true}, {"ab:1f.7", false}, {"0d:00.1", false}, {"node3", true},
		{"node0", false}, {"node18446744073709551615", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct target target = parse(rows[i].text);

		if (target_matches(&target, record) != rows[i].matches)
			fail_msg("%s", rows[i].text);
	}
}

/* Device with two ranges: an address or a block matches one of them, a name both. */
static void test_matches_one_of_two(void **state)
{
	struct range ranges[] = {{5 * GIB, 6 * GIB}, {8 * GIB, 9 * GIB}};
	struct own_record own = {
		.facts.device = {
			.name = "dax1.0", .ranges = ranges, .n_ranges = 2, .size = 2 * GIB}};
	static const struct {
		const char *text;
		bool matches[2];
	} rows[] = {{"0x140000000", {true, false}}, {"0x200000000", {false, true}},
		{"memory47", {true, false}}, {"memory64", {false, true}},
		{"0x1c0000000", {false, false}}, {"0x17fffffff-0x200000000", {true, true}},
		{"dax1.0", {true, true}}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t j = 0; j < ARRAY_SIZE(ranges); j++) {
			struct target target = parse(rows[i].text);

			own.record.range = ranges[j];
			if (target_matches(&target, own_record_of(&own)) != rows[i].matches[j])
				fail_msg("%s of range %zu", rows[i].text, j);
		}
}

/* A range without a device, node or address: no target of that kind matches. */
static void test_matches_nothing(void **state)
{
	struct own_record own = {.facts.device = {.size = GIB, .node = NODE_UNKNOWN}};
	const struct record *record = own_record_of(&own);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct target target = parse(good[i].text);

		assert_false(target_matches(&target, record));
	}
	assert_false(target_matches(
		&(struct target){.kind = TARGET_NODE, .number = UINT64_MAX}, record));
}

static void test_kinds(void **state)
{
	static const char *const names[] = {
		"address", "block", "dax", "region", "memdev", "pci-address", "node"};

	(void)state;
	assert_int_equal(ARRAY_SIZE(names), TARGET_MAX);
	for (enum target_kind kind = 0; kind < TARGET_MAX; kind++)
		assert_string_equal(target_kind_to_string(kind), names[kind]);
}

/* The name of a parsed target is parsed to the same target. */
static void check_consistency(const char *text)
{
	struct target target, again;

	if (target_parse(text, &target) < 0)
		return;
	assert_in_range(target.kind, 0, TARGET_MAX - 1);
	assert_in_range(strlen(target.name), 1, SYSFS_NAME - 1);
	assert_int_equal(target.kind == TARGET_ADDRESS, !range_is_empty(target.range));
	assert_int_equal(target_parse(target.name, &again), 0);
	assert_int_equal(again.kind, target.kind);
	assert_string_equal(again.name, target.name);
	assert_range_equal(again.range, target.range);
	assert_int_equal(again.number, target.number);
}

/* Valid texts with a byte changed, inserted or removed; and random bytes. */
static void test_random(void **state)
{
	static const char likely[] = "0123456789abcdefxX.:-[] memorydaxgin";
	uint64_t seed = 11;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char text[SYSFS_NAME + 8] = {0};
		size_t n;

		snprintf(text, sizeof(text), "%s", good[below(&seed, ARRAY_SIZE(good))].text);
		if (below(&seed, 8) == 0)
			for (n = below(&seed, sizeof(text)); n > 0; n--)
				text[n - 1] = (char)prng(&seed);
		n = strlen(text);
		for (size_t k = below(&seed, 3); k > 0 && n; k--)
			text[below(&seed, n + 1)] = likely[below(&seed, sizeof(likely))];
		text[sizeof(text) - 1] = '\0';
		check_consistency(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_matches_one_of_two),
		cmocka_unit_test(test_matches_nothing),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
