/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy at the edges: bounds that are met exactly or missed by a byte, devices of several
 * mappings, ranges that make no whole blocks, several rules.
 */
#include "tests/unit/fixture.h"

#include "tdxo/policy/config.h"
#include "tdxo/policy/policy.h"

/* Without any rule. */
static struct decision decide_bare(const struct snapshot *snapshot, const struct arrival *arrival)
{
	const struct config config = {.present = PRESENT_SAFE};

	return policy_decide(&config, snapshot, arrival);
}

/* A cxl device at the start of each of its mappings; TDX is absent. */
static struct arrival build_device(
	struct snapshot *snapshot, const struct range *mappings, size_t n_mappings)
{
	struct dax_device *dax;

	*snapshot = (struct snapshot){.block_size = BLOCK, .boot_map.known = true};
	dax = add_dax(snapshot, "dax0.0", TYPE_CXL);
	dax->align = 2 * MIB;
	for (size_t i = 0; i < n_mappings; i++)
		add_mapping(dax, mappings[i]);
	return (struct arrival){.range = mappings[0],
		.size = range_size(mappings[0]),
		.type = TYPE_CXL,
		.device = "dax0.0",
		.node = 1};
}

/* The kernel does as the TDX state was found, whatever the configuration makes of it. */
static void test_expected(void **state)
{
	static const enum answer outside[] = {
		[TDX_ABSENT] = ANSWER_ACCEPTS,
		[TDX_ARMED] = ANSWER_ACCEPTS,
		[TDX_ACTIVE] = ANSWER_REFUSES,
		[TDX_UNKNOWN] = ANSWER_NONE,
	};
	static const struct range dimm = {4 * GIB, 5 * GIB};
	const struct arrival arrival = {.range = dimm, .size = GIB, .type = TYPE_DIMM};
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};
	const struct config config = {0};

	(void)state;
	for (enum tdx_state tdx = 0; tdx < 2 * TDX_STATE_MAX; tdx++) {
		enum tdx_state detected = tdx % TDX_STATE_MAX;

		snapshot.tdx = (struct tdx){.detected = detected,
			.state = tdx < TDX_STATE_MAX ? TDX_ABSENT : TDX_ACTIVE};
		snapshot.boot_map.known = true;
		assert_int_equal(policy_expects(&config, &snapshot, &arrival), outside[detected]);
		assert_int_equal(
			policy_decide(&config, &snapshot, &arrival).expected, outside[detected]);
		snapshot.boot_map.known = false;
		assert_int_equal(policy_expects(&config, &snapshot, &arrival),
			detected <= TDX_ARMED ? ANSWER_ACCEPTS : ANSWER_NONE);
	}
	snapshot.boot_map.known = true;
	add_region(&snapshot, dimm, BOOT_SOURCE_BOOT_PARAMS);
	for (enum tdx_state detected = 0; detected < TDX_STATE_MAX; detected++) {
		snapshot.tdx = (struct tdx){.state = TDX_ACTIVE, .detected = detected};
		assert_int_equal(policy_expects(&config, &snapshot, &arrival), ANSWER_ACCEPTS);
	}
}

/* Each bound is kept if it is met exactly, and counts all mappings, in whole blocks. */
static void test_head_room(void **state)
{
	static const struct range mappings[] = {{8 * GIB, 16 * GIB}, {20 * GIB, 76 * GIB + MIB}};
	static const struct {
		uint64_t spare;
		enum verdict verdict;
		enum reason reason;
	} rows[] = {
		{GIB, VERDICT_ONLINE, REASON_TDX_ABSENT},
		{GIB - 1, VERDICT_DEVDAX, REASON_NO_HEAD_ROOM},
		{256 * MIB + 4 * KIB, VERDICT_DEVDAX, REASON_NO_HEAD_ROOM},
		{256 * MIB + 4 * KIB - 1, VERDICT_IGNORE, REASON_NO_HEAD_ROOM},
		{0, VERDICT_IGNORE, REASON_NO_HEAD_ROOM},
	};
	CLEANUP(snapshot_done) struct snapshot snapshot;
	const struct arrival arrival = build_device(&snapshot, mappings, 2);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct decision d;

		snapshot.zones =
			(struct zoneinfo){.known = true, .kernel = GIB, .spare = rows[i].spare};
		d = decide_bare(&snapshot, &arrival);
		assert_int_equal(d.verdict, rows[i].verdict);
		assert_int_equal(d.reason, rows[i].reason);
		assert_int_equal(d.map_needed, GIB);
		assert_int_equal(d.map_spare, rows[i].spare);
		/* What is on the device itself costs the host nothing. */
		snapshot.dax[0].map_on_itself = true;
		d = decide_bare(&snapshot, &arrival);
		assert_int_equal(d.verdict, VERDICT_ONLINE);
		assert_int_equal(d.map_needed, 0);
		snapshot.dax[0].map_on_itself = false;
	}
}

/* What TDX keeps out needs only the map of a devdax device. */
static void test_head_room_of_devdax(void **state)
{
	static const struct range mapping = {8 * GIB, 72 * GIB};
	CLEANUP(snapshot_done) struct snapshot snapshot;
	const struct arrival arrival = build_device(&snapshot, &mapping, 1);
	struct decision d;

	(void)state;
	snapshot.tdx.state = TDX_ACTIVE;
	snapshot.zones = (struct zoneinfo){.known = true, .kernel = GIB, .spare = 256 * MIB};
	d = decide_bare(&snapshot, &arrival);
	assert_int_equal(d.verdict, VERDICT_DEVDAX);
	assert_int_equal(d.reason, REASON_OUTSIDE_BOOT_MAP);
	assert_int_equal(d.map_needed, 256 * MIB);
	snapshot.zones.spare--;
	d = decide_bare(&snapshot, &arrival);
	assert_int_equal(d.verdict, VERDICT_IGNORE);
	assert_int_equal(d.reason, REASON_NO_HEAD_ROOM);
	/* Nothing is spent of what cannot be told; a captured tree need not tell it. */
	snapshot.zones = (struct zoneinfo){.unreadable = true};
	assert_int_equal(decide_bare(&snapshot, &arrival).reason, REASON_NO_HEAD_ROOM);
	snapshot.zones = (struct zoneinfo){0};
	assert_int_equal(decide_bare(&snapshot, &arrival).verdict, VERDICT_DEVDAX);
	snapshot.zones = (struct zoneinfo){.known = true, .kernel = GIB, .spare = 256 * MIB};
	/* Small pages share nothing, and unknown ones may be small. */
	for (snapshot.dax[0].align = 0; snapshot.dax[0].align < MIB;
		snapshot.dax[0].align += 4 * KIB)
		assert_int_equal(decide_bare(&snapshot, &arrival).map_needed, GIB);
	/* It has been paid for already. */
	snapshot.zones.spare = 0;
	for (enum dax_driver driver = DAX_DRIVER_KMEM; driver <= DAX_DRIVER_DEVICE_DAX; driver++) {
		struct arrival bound = arrival;

		bound.driver = snapshot.dax[0].driver = driver;
		d = decide_bare(&snapshot, &bound);
		assert_int_equal(d.verdict, VERDICT_DEVDAX);
		assert_int_equal(d.map_needed, 0);
	}
}

/* 12 of 16 blocks are to come: 98.5 and 1.5 GiB are 100 % of 100 GiB. */
static void test_movable(void **state)
{
	static char any[] = "*";
	struct rule rule = {.match[MATCH_TYPE] = any, .zone = ZONE_MOVABLE};
	struct config config = {.rules = &rule, .n_rules = 1};
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};
	const struct arrival dimm = {
		.range = {8 * GIB, 10 * GIB}, .size = 2 * GIB, .type = TYPE_DIMM};
	struct decision d;

	(void)state;
	add_blocks(&snapshot, span(8 * GIB, 10 * GIB - 4 * BLOCK), BLOCK_OFFLINE);
	add_blocks(&snapshot, span(10 * GIB - 4 * BLOCK, 10 * GIB), BLOCK_ONLINE);
	snapshot.zones = (struct zoneinfo){
		.known = true, .kernel = 100 * GIB, .movable = 98 * GIB + GIB / 2};
	for (config.movable_ratio = 98; config.movable_ratio <= 102; config.movable_ratio++) {
		bool fits = config.movable_ratio >= 100;

		d = policy_decide(&config, &snapshot, &dimm);
		assert_int_equal(d.verdict, VERDICT_ONLINE);
		assert_int_equal(d.movable_ratio, 100);
		assert_int_equal(d.zone, fits ? ZONE_MOVABLE : ZONE_AUTO);
		assert_int_equal(d.zone_overruled, !fits);
	}
}

/* The device counts as a whole where a rule has a size or a range; the first rule wins. */
static void test_rule_of_device(void **state)
{
	static const struct range mappings[] = {{8 * GIB, 9 * GIB}, {16 * GIB, 17 * GIB}};
	static char big[] = "2G", both[] = "0x200000000-0x43fffffff", any[] = "*";
	static char first[] = "0x200000000-0x23fffffff";
	struct rule rules[2] = {
		{.name = "10", .has_verdict = true, .verdict = VERDICT_OFFLINE},
		{.name = "20", .match[MATCH_TYPE] = any, .has_verdict = true},
	};
	const struct config config = {.rules = rules, .n_rules = 2};
	CLEANUP(snapshot_done) struct snapshot snapshot;
	const struct arrival arrival = build_device(&snapshot, mappings, 2);

	(void)state;
	rules[1].verdict = VERDICT_DEVDAX;
	rules[0].match[MATCH_MIN_SIZE] = big;
	assert_int_equal(policy_decide(&config, &snapshot, &arrival).verdict, VERDICT_OFFLINE);
	rules[0].match[MATCH_MIN_SIZE] = NULL;
	rules[0].match[MATCH_MAX_SIZE] = big;
	assert_int_equal(policy_decide(&config, &snapshot, &arrival).verdict, VERDICT_OFFLINE);
	rules[0].match[MATCH_RANGE] = both;
	assert_string_equal(policy_decide(&config, &snapshot, &arrival).rule, "10");
	rules[0].match[MATCH_RANGE] = first;
	assert_string_equal(policy_decide(&config, &snapshot, &arrival).rule, "20");
	assert_int_equal(policy_decide(&config, &snapshot, &arrival).verdict, VERDICT_DEVDAX);
}

/* A device of two mappings of 1 GiB, each in the boot map or not; TDX is active. */
static void build_two(struct snapshot *snapshot, struct arrival two[2], unsigned int inside)
{
	static const struct range mappings[] = {{8 * GIB, 9 * GIB}, {16 * GIB, 17 * GIB}};

	two[0] = two[1] = build_device(snapshot, mappings, 2);
	two[1].range = mappings[1];
	two[0].driver = two[1].driver = snapshot->dax[0].driver = DAX_DRIVER_KMEM;
	snapshot->tdx.state = TDX_ACTIVE;
	for (unsigned int i = 0; i < 2; i++)
		if (inside & 1U << i)
			add_region(snapshot, mappings[i], BOOT_SOURCE_CONFIGURATION);
}

static void test_two_mappings(void **state)
{
	(void)state;
	for (unsigned int inside = 0; inside < 4; inside++) {
		CLEANUP(snapshot_done) struct snapshot snapshot;
		struct arrival two[2];

		build_two(&snapshot, two, inside);
		for (unsigned int i = 0; i < 2; i++) {
			struct decision d = decide_bare(&snapshot, &two[i]);
			bool mine = inside & 1U << i;

			assert_int_equal(d.verdict, inside == 3 ? VERDICT_ONLINE : VERDICT_DEVDAX);
			assert_int_equal(d.reason, inside == 3 ? REASON_IN_BOOT_MAP
						   : mine      ? REASON_STRADDLES_BOOT_MAP
							       : REASON_OUTSIDE_BOOT_MAP);
		}
		/* One online block anywhere keeps kmem on all of the device. */
		add_blocks(&snapshot, span(16 * GIB, 16 * GIB + BLOCK), BLOCK_ONLINE);
		for (unsigned int i = 0; i < 2; i++)
			assert_int_equal(decide_bare(&snapshot, &two[i]).verdict,
				inside == 3 ? VERDICT_ONLINE : VERDICT_IGNORE);
	}
}

/* kmem needs one whole block in any of the mappings, the first or the last. */
static void test_too_small(void **state)
{
	static const struct range small = {MIB, BLOCK}, block = {2 * BLOCK, 3 * BLOCK};

	(void)state;
	for (unsigned int big = 0; big < 3; big++) {
		const struct range mappings[] = {
			big == 2 ? block : small, big == 2 ? small : block};
		CLEANUP(snapshot_done) struct snapshot snapshot;
		struct arrival arrival = build_device(&snapshot, mappings, big ? 2 : 1);

		arrival.range = small;
		for (enum tdx_state tdx = 0; tdx < TDX_STATE_MAX; tdx++) {
			bool online = big && tdx == TDX_ABSENT;
			struct decision d;

			snapshot.tdx.state = tdx;
			d = decide_bare(&snapshot, &arrival);
			assert_int_equal(d.verdict, online ? VERDICT_ONLINE : VERDICT_DEVDAX);
			assert_int_equal(d.reason == REASON_TOO_SMALL, !big);
			/* All of this mapping is lost, and none of the other. */
			assert_int_equal(d.unaligned, online ? BLOCK - MIB : 0);
		}
	}
}

/* What sticks out at either end is lost. */
static void test_unaligned(void **state)
{
	const struct snapshot snapshot = {.block_size = BLOCK};
	const struct arrival dimm = {.range = {8 * GIB - 3 * MIB, 9 * GIB + 4 * KIB},
		.size = GIB + 3 * MIB + 4 * KIB,
		.type = TYPE_DIMM};

	(void)state;
	assert_int_equal(decide_bare(&snapshot, &dimm).unaligned, 3 * MIB + 4 * KIB);
}

/* CapableRanges= counts without a boot map, and is named as what the decision rests on. */
static void test_capable(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		CLEANUP(snapshot_done)
		struct snapshot snapshot = {
			.block_size = BLOCK, .tdx.state = TDX_ACTIVE, .boot_map.known = known};
		const struct arrival dimm = {
			.range = {8 * GIB, 9 * GIB}, .size = GIB, .type = TYPE_DIMM};
		struct decision d;

		add_region(&snapshot, span(8 * GIB, 10 * GIB), BOOT_SOURCE_CONFIGURATION);
		d = decide_bare(&snapshot, &dimm);
		assert_int_equal(d.verdict, VERDICT_ONLINE);
		assert_int_equal(d.reason, REASON_IN_BOOT_MAP);
		assert_int_equal(d.source, BOOT_SOURCE_CONFIGURATION);
	}
}

/* What is asserted of one mapping, the first or the last, tells of its device without a map. */
static void test_capable_mapping(void **state)
{
	(void)state;
	for (unsigned int inside = 1; inside < 3; inside++) {
		CLEANUP(snapshot_done) struct snapshot snapshot;
		struct arrival two[2];

		build_two(&snapshot, two, inside);
		snapshot.boot_map.known = false;
		for (unsigned int i = 0; i < 2; i++)
			assert_int_equal(decide_bare(&snapshot, &two[i]).verdict, VERDICT_DEVDAX);
	}
}

/* A device that lies elsewhere by now does not vouch for the range that it had. */
static void test_moved_device(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	struct arrival two[2];

	(void)state;
	build_two(&snapshot, two, 3);
	two[0].range = span(64 * GIB, 65 * GIB);
	assert_int_not_equal(decide_bare(&snapshot, &two[0]).verdict, VERDICT_ONLINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_head_room),
		cmocka_unit_test(test_head_room_of_devdax),
		cmocka_unit_test(test_movable),
		cmocka_unit_test(test_rule_of_device),
		cmocka_unit_test(test_two_mappings),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_capable),
		cmocka_unit_test(test_capable_mapping),
		cmocka_unit_test(test_moved_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
