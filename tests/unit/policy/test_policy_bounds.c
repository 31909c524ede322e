/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy at its limits: bounds that are met exactly or exceeded by a byte, devices of several
 * ranges, ranges without a whole block, several rules.
 */
#include "tests/unit/fixture.h"

#include "tdxo/policy/config.h"
#include "tdxo/policy/policy.h"

/* Facts with their boot map. */
struct subject {
	struct boot_map boot_map;
	struct facts facts;
};

static void subject_done(struct subject *subject)
{
	facts_done(&subject->facts);
	boot_map_done(&subject->boot_map);
}

/* The boot map is known and empty, and TDX is absent. */
static void subject_init(struct subject *subject, const char *name, enum device_type type,
	const struct range *ranges, size_t n)
{
	subject->boot_map = (struct boot_map){.known = true};
	subject->facts = facts_of(name, type, &subject->boot_map);
	for (size_t i = 0; i < n; i++)
		add_mapping(&subject->facts.device, ranges[i]);
}

/* A cxl device. */
static void build_dax(struct subject *subject, const struct range *ranges, size_t n)
{
	subject_init(subject, "dax0.0", TYPE_CXL, ranges, n);
	subject->facts.align = 2 * MIB;
}

static void build_dimm(struct subject *subject, struct range range)
{
	subject_init(subject, "", TYPE_DIMM, &range, 1);
}

/* A decision without rules. */
static struct decision decide_bare(const struct facts *facts)
{
	const struct config config = {.present = PRESENT_SAFE};

	return policy_decide(&config, facts);
}

/* Firmware lists half of a dax device, which does not make it RAM; the other half is asserted. */
static void test_half_asserted(void **state)
{
	static const struct range range = {8 * GIB, 9 * GIB};
	CLEANUP(subject_done) struct subject subject = {0};
	struct decision decision;

	(void)state;
	build_dax(&subject, &range, 1);
	subject.facts.tdx.state = TDX_ACTIVE;
	add_region(&subject.boot_map, span(8 * GIB, 8 * GIB + 4 * BLOCK), BOOT_SOURCE_BOOT_PARAMS);
	add_region(
		&subject.boot_map, span(8 * GIB + 4 * BLOCK, 9 * GIB), BOOT_SOURCE_CONFIGURATION);
	decision = decide_bare(&subject.facts);
	assert_int_equal(decision.verdict, VERDICT_DEVDAX);
	assert_int_equal(decision.reason, REASON_STRADDLES_BOOT_MAP);
	assert_false(decision.across);
	assert_int_equal(range_set_add(&subject.boot_map.asserted, range), 0);
	assert_int_equal(decide_bare(&subject.facts).verdict, VERDICT_ONLINE);
}

/* Firmware lists all of a dax device: it is accepted only if all of it is also asserted. */
static void test_listed_and_asserted(void **state)
{
	static const struct range range = {8 * GIB, 9 * GIB};
	CLEANUP(subject_done) struct subject subject = {0};
	enum boot_source source;

	(void)state;
	build_dax(&subject, &range, 1);
	subject.facts.tdx.state = TDX_ACTIVE;
	add_region(&subject.boot_map, range, BOOT_SOURCE_BOOT_PARAMS);
	assert_int_equal(policy_containment(&subject.facts, range, &source), CONTAINMENT_OUTSIDE);
	assert_int_equal(range_set_add(&subject.boot_map.asserted, range), 0);
	assert_int_equal(policy_containment(&subject.facts, range, &source), CONTAINMENT_INSIDE);
	assert_int_equal(source, BOOT_SOURCE_CONFIGURATION);
	assert_int_equal(decide_bare(&subject.facts).verdict, VERDICT_ONLINE);
}

/* The expected answer depends on the detected TDX state, not on the configured one. */
static void test_expected(void **state)
{
	static const enum answer outside[] = {
		[TDX_ABSENT] = ANSWER_ACCEPTS,
		[TDX_ARMED] = ANSWER_ACCEPTS,
		[TDX_ACTIVE] = ANSWER_REFUSES,
		[TDX_UNKNOWN] = ANSWER_NONE,
	};
	static const struct range dimm = {4 * GIB, 5 * GIB};
	CLEANUP(subject_done) struct subject subject;
	struct facts *facts = &subject.facts;

	(void)state;
	build_dimm(&subject, dimm);
	for (enum tdx_state tdx = 0; tdx < 2 * TDX_STATE_MAX; tdx++) {
		enum tdx_state detected = tdx % TDX_STATE_MAX;

		facts->tdx = (struct tdx){.detected = detected,
			.state = tdx < TDX_STATE_MAX ? TDX_ABSENT : TDX_ACTIVE};
		subject.boot_map.known = true;
		assert_int_equal(policy_expects(facts), outside[detected]);
		assert_int_equal(decide_bare(facts).expected, outside[detected]);
		subject.boot_map.known = false;
		assert_int_equal(policy_expects(facts),
			detected <= TDX_ARMED ? ANSWER_ACCEPTS : ANSWER_NONE);
	}
	subject.boot_map.known = true;
	add_region(&subject.boot_map, dimm, BOOT_SOURCE_BOOT_PARAMS);
	for (enum tdx_state detected = 0; detected < TDX_STATE_MAX; detected++) {
		facts->tdx = (struct tdx){.state = TDX_ACTIVE, .detected = detected};
		assert_int_equal(policy_expects(facts), ANSWER_ACCEPTS);
	}
}

/* A dax device without a whole block has no expected answer: kmem does not add any of it. */
static void test_expected_too_small(void **state)
{
	static const struct range ranges[] = {{4 * GIB + MIB, 4 * GIB + 2 * BLOCK - MIB}};
	CLEANUP(subject_done) struct subject subject;

	(void)state;
	subject_init(&subject, "dax0.0", TYPE_CXL, ranges, 1);
	for (enum tdx_state detected = 0; detected < TDX_STATE_MAX; detected++) {
		subject.facts.tdx = (struct tdx){.state = detected, .detected = detected};
		assert_int_equal(policy_expects(&subject.facts), ANSWER_NONE);
	}
}

#define ACCEPTS_ONLY "TDX is active and accepts only memory that was RAM at boot"

/* The clause names the source of the boot map, and how a range straddles it. */
static void test_clause(void **state)
{
	static const struct range dimm = {4 * GIB, 5 * GIB};
	static const struct {
		struct range region, rest; /* of the boot map */
		enum boot_source source;
		const char *clause;
	} rows[] = {
		{{4 * GIB, 5 * GIB}, {0, 0}, BOOT_SOURCE_BOOT_PARAMS,
			"it was RAM at boot, so TDX accepts it"},
		{{4 * GIB, 5 * GIB}, {0, 0}, BOOT_SOURCE_CONFIGURATION,
			"CapableRanges= names it as memory that TDX accepts"},
		{{4 * GIB, 4 * GIB + BLOCK / 2}, {0, 0}, BOOT_SOURCE_BOOT_PARAMS,
			ACCEPTS_ONLY
			", and only 64 MiB of it was RAM at boot: [mem 0x100000000-0x103ffffff]"},
		{{4 * GIB, 4 * GIB + BLOCK / 2}, {4 * GIB + BLOCK / 2, 5 * GIB},
			BOOT_SOURCE_BOOT_PARAMS,
			ACCEPTS_ONLY
			", and one of its memory blocks lies across two ranges of that "
			"memory"},
		{{5 * GIB, 6 * GIB}, {0, 0}, BOOT_SOURCE_BOOT_PARAMS, ACCEPTS_ONLY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(subject_done) struct subject subject;
		struct decision d;
		struct strbuf text;
		char buf[256];

		build_dimm(&subject, dimm);
		subject.facts.tdx.state = TDX_ACTIVE;
		add_region(&subject.boot_map, rows[i].region, rows[i].source);
		if (!range_is_empty(rows[i].rest))
			add_region(&subject.boot_map, rows[i].rest, rows[i].source);
		d = decide_bare(&subject.facts);
		text = strbuf_in(buf, sizeof(buf));
		decision_append_clause(&text, &d, &subject.facts, subject.facts.device.ranges[0]);
		assert_string_equal(buf, rows[i].clause);
	}
}

/* A bound is met by an equal number. The need counts all ranges, in whole blocks. */
static void test_head_room(void **state)
{
	static const struct range ranges[] = {{8 * GIB, 16 * GIB}, {20 * GIB, 76 * GIB + MIB}};
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
	CLEANUP(subject_done) struct subject subject;
	struct facts *facts = &subject.facts;

	(void)state;
	build_dax(&subject, ranges, 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct decision d;

		facts->zones =
			(struct zoneinfo){.known = true, .kernel = GIB, .spare = rows[i].spare};
		d = decide_bare(facts);
		assert_int_equal(d.verdict, rows[i].verdict);
		assert_int_equal(d.reason, rows[i].reason);
		assert_int_equal(d.map_needed, GIB);
		assert_int_equal(d.map_spare, rows[i].spare);
		/* page metadata on the device itself needs no other memory */
		facts->map_on_itself = true;
		d = decide_bare(facts);
		assert_int_equal(d.verdict, VERDICT_ONLINE);
		assert_int_equal(d.map_needed, 0);
		facts->map_on_itself = false;
	}
}

/* A device that becomes devdax needs the page metadata of a devdax device only. */
static void test_head_room_of_devdax(void **state)
{
	static const struct range range = {8 * GIB, 72 * GIB};
	CLEANUP(subject_done) struct subject subject;
	struct facts *facts = &subject.facts;
	struct decision d;

	(void)state;
	build_dax(&subject, &range, 1);
	facts->tdx.state = TDX_ACTIVE;
	facts->zones = (struct zoneinfo){.known = true, .kernel = GIB, .spare = 256 * MIB};
	d = decide_bare(facts);
	assert_int_equal(d.verdict, VERDICT_DEVDAX);
	assert_int_equal(d.reason, REASON_OUTSIDE_BOOT_MAP);
	assert_int_equal(d.map_needed, 256 * MIB);
	facts->zones.spare--;
	d = decide_bare(facts);
	assert_int_equal(d.verdict, VERDICT_IGNORE);
	assert_int_equal(d.reason, REASON_NO_HEAD_ROOM);
	/* unreadable zones count as no free memory; a captured tree may have no zones */
	facts->zones = (struct zoneinfo){.unreadable = true};
	assert_int_equal(decide_bare(facts).reason, REASON_NO_HEAD_ROOM);
	facts->zones = (struct zoneinfo){0};
	assert_int_equal(decide_bare(facts).verdict, VERDICT_DEVDAX);
	facts->zones = (struct zoneinfo){.known = true, .kernel = GIB, .spare = 256 * MIB};
	/* pages of 4 KiB share nothing; if the page size is not known, it may be that */
	for (facts->align = 0; facts->align < MIB; facts->align += 4 * KIB)
		assert_int_equal(decide_bare(facts).map_needed, GIB);
	/* the driver that is bound has allocated it already */
	facts->zones.spare = 0;
	for (enum dax_driver driver = DAX_DRIVER_KMEM; driver <= DAX_DRIVER_DEVICE_DAX; driver++) {
		facts->device.driver = driver;
		d = decide_bare(facts);
		assert_int_equal(d.verdict, VERDICT_DEVDAX);
		assert_int_equal(d.map_needed, 0);
	}
}

/* 12 of 16 blocks go online: 98.5 GiB and 1.5 GiB are 100 % of 100 GiB. */
static void test_movable(void **state)
{
	static char any[] = "*";
	struct rule rule = {.match[MATCH_TYPE] = any, .zone = ZONE_MOVABLE};
	struct config config = {.rules = &rule, .n_rules = 1};
	CLEANUP(subject_done) struct subject subject;
	struct facts *facts = &subject.facts;
	struct decision d;

	(void)state;
	build_dimm(&subject, span(8 * GIB, 10 * GIB));
	add_blocks(&facts->blocks, span(8 * GIB, 10 * GIB - 4 * BLOCK), BLOCK_OFFLINE);
	add_blocks(&facts->blocks, span(10 * GIB - 4 * BLOCK, 10 * GIB), BLOCK_ONLINE);
	facts->zones = (struct zoneinfo){
		.known = true, .kernel = 100 * GIB, .movable = 98 * GIB + GIB / 2};
	for (config.movable_ratio = 98; config.movable_ratio <= 102; config.movable_ratio++) {
		bool fits = config.movable_ratio >= 100;

		d = policy_decide(&config, facts);
		assert_int_equal(d.verdict, VERDICT_ONLINE);
		assert_int_equal(d.movable_ratio, 100);
		assert_int_equal(d.zone, fits ? ZONE_MOVABLE : ZONE_AUTO);
		assert_int_equal(d.zone_overruled, !fits);
	}
}

/* Size and range of a rule are compared with the whole device; the first rule is used. */
static void test_rule_of_whole_device(void **state)
{
	static const struct range ranges[] = {{8 * GIB, 9 * GIB}, {16 * GIB, 17 * GIB}};
	static char big[] = "2G", both[] = "0x200000000-0x43fffffff", any[] = "*";
	static char first[] = "0x200000000-0x23fffffff";
	struct rule rules[2] = {
		{.name = "10", .has_verdict = true, .verdict = VERDICT_OFFLINE},
		{.name = "20", .match[MATCH_TYPE] = any, .has_verdict = true},
	};
	const struct config config = {.rules = rules, .n_rules = 2};
	CLEANUP(subject_done) struct subject subject;
	struct facts *facts = &subject.facts;

	(void)state;
	build_dax(&subject, ranges, 2);
	rules[1].verdict = VERDICT_DEVDAX;
	rules[0].match[MATCH_MIN_SIZE] = big;
	assert_int_equal(policy_decide(&config, facts).verdict, VERDICT_OFFLINE);
	rules[0].match[MATCH_MIN_SIZE] = NULL;
	rules[0].match[MATCH_MAX_SIZE] = big;
	assert_int_equal(policy_decide(&config, facts).verdict, VERDICT_OFFLINE);
	rules[0].match[MATCH_RANGE] = both;
	assert_string_equal(policy_decide(&config, facts).rule, "10");
	rules[0].match[MATCH_RANGE] = first;
	assert_string_equal(policy_decide(&config, facts).rule, "20");
	assert_int_equal(policy_decide(&config, facts).verdict, VERDICT_DEVDAX);
}

static const struct range three[] = {
	{8 * GIB, 9 * GIB}, {16 * GIB, 17 * GIB}, {32 * GIB, 33 * GIB}};

/* The first n of three ranges, each in the boot map or not, with driver kmem and TDX active. */
static void build_ranges(struct subject *subject, size_t n, unsigned int inside)
{
	build_dax(subject, three, n);
	subject->facts.device.driver = DAX_DRIVER_KMEM;
	subject->facts.tdx = (struct tdx){.state = TDX_ACTIVE, .detected = TDX_ACTIVE};
	for (size_t i = 0; i < n; i++)
		if (inside & 1U << i)
			add_region(&subject->boot_map, three[i], BOOT_SOURCE_CONFIGURATION);
}

/* A device is inside or outside the boot map if all of its ranges are. */
static void test_ranges(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 3; n++)
		for (unsigned int inside = 0; inside < 1U << n; inside++) {
			CLEANUP(subject_done) struct subject subject;
			bool all = inside == (1U << n) - 1;
			struct decision d;

			build_ranges(&subject, n, inside);
			d = decide_bare(&subject.facts);
			assert_int_equal(d.verdict, all ? VERDICT_ONLINE : VERDICT_DEVDAX);
			assert_int_equal(d.reason, all	    ? REASON_IN_BOOT_MAP
						   : inside ? REASON_STRADDLES_BOOT_MAP
							    : REASON_OUTSIDE_BOOT_MAP);
			assert_int_equal(
				d.source, all ? BOOT_SOURCE_CONFIGURATION : BOOT_SOURCE_NONE);
			assert_int_equal(d.expected, all ? ANSWER_ACCEPTS : ANSWER_REFUSES);
			/* one online block in any range keeps the driver kmem */
			add_blocks(&subject.facts.blocks,
				span(three[n - 1].end - BLOCK, three[n - 1].end), BLOCK_ONLINE);
			d = decide_bare(&subject.facts);
			assert_int_equal(d.verdict, all ? VERDICT_ONLINE : VERDICT_IGNORE);
			assert_int_equal(
				d.reason, all ? REASON_IN_BOOT_MAP : REASON_ALREADY_ONLINE);
		}
}

/* The source of several ranges is the least trusted one, in any order. */
static void test_source(void **state)
{
	(void)state;
	for (int reversed = 0; reversed < 2; reversed++) {
		CLEANUP(subject_done) struct subject subject;

		subject_init(&subject, "", TYPE_DIMM, three, 2);
		subject.facts.tdx.state = TDX_ACTIVE;
		add_region(&subject.boot_map, three[0],
			reversed ? BOOT_SOURCE_MEMBLOCK : BOOT_SOURCE_BOOT_PARAMS);
		add_region(&subject.boot_map, three[1],
			reversed ? BOOT_SOURCE_BOOT_PARAMS : BOOT_SOURCE_MEMBLOCK);
		assert_int_equal(decide_bare(&subject.facts).verdict, VERDICT_ONLINE);
		assert_int_equal(decide_bare(&subject.facts).source, BOOT_SOURCE_MEMBLOCK);
	}
}

/* One range that straddles makes the whole device straddle. */
static void test_range_across(void **state)
{
	(void)state;
	for (size_t across = 0; across < 3; across++)
		for (int rest_inside = 0; rest_inside < 2; rest_inside++) {
			CLEANUP(subject_done) struct subject subject;

			build_ranges(&subject, 3, rest_inside ? 7U & ~(1U << across) : 0);
			add_region(&subject.boot_map,
				span(three[across].start, three[across].start + BLOCK),
				BOOT_SOURCE_CONFIGURATION);
			assert_int_equal(
				decide_bare(&subject.facts).reason, REASON_STRADDLES_BOOT_MAP);
		}
}

/* kmem needs one whole block in the first or the last range. */
static void test_too_small(void **state)
{
	static const struct range small = {MIB, BLOCK}, block = {2 * BLOCK, 3 * BLOCK};
	static const struct range later = {4 * BLOCK + MIB, 5 * BLOCK};

	(void)state;
	for (unsigned int big = 0; big < 4; big++) {
		const struct range ranges[] = {
			big & 1 ? block : small, big & 2 ? span(4 * BLOCK, 5 * BLOCK) : later};
		CLEANUP(subject_done) struct subject subject;

		build_dax(&subject, ranges, 2);
		for (enum tdx_state tdx = 0; tdx < TDX_STATE_MAX; tdx++) {
			bool online = big && tdx == TDX_ABSENT;
			struct decision d;

			subject.facts.tdx.state = tdx;
			d = decide_bare(&subject.facts);
			assert_int_equal(d.verdict, online ? VERDICT_ONLINE : VERDICT_DEVDAX);
			assert_int_equal(d.reason == REASON_TOO_SMALL, !big);
		}
	}
}

/* CapableRanges= is used without a boot map, and is the source of the decision. */
static void test_capable(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		CLEANUP(subject_done) struct subject subject;
		struct decision d;

		build_dimm(&subject, span(8 * GIB, 9 * GIB));
		subject.boot_map.known = known;
		subject.facts.tdx.state = TDX_ACTIVE;
		add_region(&subject.boot_map, span(8 * GIB, 10 * GIB), BOOT_SOURCE_CONFIGURATION);
		d = decide_bare(&subject.facts);
		assert_int_equal(d.verdict, VERDICT_ONLINE);
		assert_int_equal(d.reason, REASON_IN_BOOT_MAP);
		assert_int_equal(d.source, BOOT_SOURCE_CONFIGURATION);
	}
}

/* Without a boot map one asserted range, the first or the last, makes the device straddle. */
static void test_capable_range(void **state)
{
	(void)state;
	for (unsigned int inside = 1; inside < 3; inside++) {
		CLEANUP(subject_done) struct subject subject;

		build_ranges(&subject, 2, inside);
		subject.boot_map.known = false;
		assert_int_equal(decide_bare(&subject.facts).verdict, VERDICT_DEVDAX);
		assert_int_equal(decide_bare(&subject.facts).reason, REASON_STRADDLES_BOOT_MAP);
	}
}

/* A device without known ranges is not compared with the boot map. */
static void test_no_ranges(void **state)
{
	CLEANUP(subject_done) struct subject subject;

	(void)state;
	build_ranges(&subject, 0, 0);
	subject.facts.device.size = GIB;
	add_region(&subject.boot_map, span(0, 64 * GIB), BOOT_SOURCE_CONFIGURATION);
	for (enum tdx_state tdx = 0; tdx < TDX_STATE_MAX; tdx++) {
		struct decision d;

		subject.facts.tdx.state = tdx;
		d = decide_bare(&subject.facts);
		assert_int_equal(d.verdict, VERDICT_IGNORE);
		assert_int_equal(d.reason, REASON_UNREADABLE);
		assert_int_equal(d.source, BOOT_SOURCE_NONE);
		subject.facts.tdx.detected = tdx;
		assert_int_not_equal(policy_expects(&subject.facts), ANSWER_REFUSES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_asserted),
		cmocka_unit_test(test_listed_and_asserted),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_expected_too_small),
		cmocka_unit_test(test_clause),
		cmocka_unit_test(test_head_room),
		cmocka_unit_test(test_head_room_of_devdax),
		cmocka_unit_test(test_movable),
		cmocka_unit_test(test_rule_of_whole_device),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_range_across),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_capable),
		cmocka_unit_test(test_capable_range),
		cmocka_unit_test(test_no_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
