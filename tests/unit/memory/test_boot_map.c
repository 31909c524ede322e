/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The boot map.
 *
 * Building: which source is used, what narrows it, and what never widens it. Lookups: a range is
 * inside only if all of it is, and if each of its blocks lies within one region. A model tests the
 * lookups: regions of units, with four units to a block, each unit with the number of its region;
 * each range of blocks is evaluated unit by unit.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "tdxo/memory/boot_map.h"
#include "tests/unit/short_memory.h"

static void assert_region(
	const struct boot_map *map, size_t i, struct range range, enum boot_source source)
{
	assert_true(i < map->n);
	assert_range_equal(map->regions[i].range, range);
	assert_int_equal(map->regions[i].source, source);
}

static struct range ranges_a[] = {{1, 40}, {50, 90}};
static const struct range_set a = {ranges_a, 2};
static struct range ranges_b[] = {{0, 100}};
static const struct range_set b = {ranges_b, 1};

static void test_unknown(void **state)
{
	CLEANUP(boot_map_done) struct boot_map map = {0};
	const struct range memblock = {0, 100};
	const struct boot_evidence none = {0};
	const struct boot_evidence narrowing_only = {
		.memblock = &memblock, .n_memblock = 1, .blocks = &b, .dax = &b};

	(void)state;
	assert_int_equal(boot_map_build(&none, &map), 0);
	assert_false(map.known);
	assert_int_equal(map.n, 0);
	/*
	 * memblock and blocks also have memory that arrived after boot: alone they are not a boot
	 * map.
	 */
	assert_int_equal(boot_map_build(&narrowing_only, &map), 0);
	assert_false(map.known);
	assert_int_equal(map.n, 0);
}

static void test_first_choice(void **state)
{
	CLEANUP(boot_map_done) struct boot_map both = {0}, second = {0};

	(void)state;
	assert_int_equal(
		boot_map_build(&(struct boot_evidence){.boot_params = &a, .memmap = &b}, &both), 0);
	assert_true(both.known);
	assert_int_equal(both.n, 2);
	assert_region(&both, 0, span(1, 40), BOOT_SOURCE_BOOT_PARAMS);
	assert_region(&both, 1, span(50, 90), BOOT_SOURCE_BOOT_PARAMS);
	assert_int_equal(boot_map_build(&(struct boot_evidence){.memmap = &b}, &second), 0);
	assert_true(second.known);
	assert_int_equal(second.n, 1);
	assert_region(&second, 0, span(0, 100), BOOT_SOURCE_FIRMWARE_MEMMAP);
}

static void test_known_and_empty(void **state)
{
	CLEANUP(boot_map_done) struct boot_map map = {0};
	const struct range_set nothing = {0};

	(void)state;
	assert_int_equal(boot_map_build(&(struct boot_evidence){.boot_params = &nothing}, &map), 0);
	assert_true(map.known);
	assert_int_equal(map.n, 0);
	assert_int_equal(boot_map_contains(&map, span(0, 64), 64, NULL), CONTAINMENT_OUTSIDE);
}

/*
 * Blocks and memblock narrow the map, the dax device is removed, and memblock's border at 20 is
 * kept.
 */
static void test_narrowed(void **state)
{
	CLEANUP(boot_map_done) struct boot_map map = {0};
	const struct range memblock[] = {{0, 20}, {20, 60}, {60, 64}, {200, 300}};
	struct range blocks[] = {{0, 32}, {36, 1000}}, dax[] = {{52, 56}};
	const struct boot_evidence evidence = {
		.boot_params = &a,
		.memblock = memblock,
		.n_memblock = ARRAY_SIZE(memblock),
		.blocks = &(struct range_set){blocks, 2},
		.dax = &(struct range_set){dax, 1},
	};
	static const struct range want[] = {
		{1, 20}, {20, 32}, {36, 40}, {50, 52}, {56, 60}, {60, 64}};

	(void)state;
	assert_int_equal(boot_map_build(&evidence, &map), 0);
	assert_true(map.known);
	assert_int_equal(map.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_region(&map, i, want[i], BOOT_SOURCE_MEMBLOCK);
}

static void test_capable(void **state)
{
	CLEANUP(boot_map_done) struct boot_map map = {0};
	struct range windows[] = {{30, 60}, {80, 128}, {192, 256}};
	const struct range_set capable = {windows, 3};
	enum boot_source source;

	(void)state;
	assert_int_equal(boot_map_append(&map, (struct boot_region){{0, 40}, 1}), 0);
	assert_int_equal(boot_map_append(&map, (struct boot_region){{64, 80}, 1}), 0);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(boot_map_set_capable(&map, &capable), 0);
		assert_int_equal(map.n, 5);
		assert_region(&map, 0, span(0, 40), BOOT_SOURCE_BOOT_PARAMS);
		assert_region(&map, 1, span(40, 60), BOOT_SOURCE_CONFIGURATION);
		assert_region(&map, 2, span(64, 80), BOOT_SOURCE_BOOT_PARAMS);
		assert_region(&map, 3, span(80, 128), BOOT_SOURCE_CONFIGURATION);
		assert_region(&map, 4, span(192, 256), BOOT_SOURCE_CONFIGURATION);
	}
	/* An asserted range is accepted, but was not RAM at boot. */
	assert_false(boot_map_had(&map, span(192, 256)));
	assert_true(boot_map_had(&map, span(39, 60)));
	assert_false(boot_map_had_unasserted(&map, span(30, 64)));
	assert_true(boot_map_had_unasserted(&map, span(29, 64)));
	assert_true(boot_map_had_unasserted(&map, span(30, 65)));
	assert_int_equal(boot_map_contains(&map, span(192, 256), 16, &source), CONTAINMENT_INSIDE);
	assert_int_equal(source, BOOT_SOURCE_CONFIGURATION);
	assert_int_equal(boot_map_contains(&map, span(0, 32), 16, &source), CONTAINMENT_INSIDE);
	assert_int_equal(source, BOOT_SOURCE_BOOT_PARAMS);
	/*
	 * The kernel accepts a border between two blocks. The source that is trusted less is
	 * returned.
	 */
	assert_int_equal(boot_map_contains(&map, span(64, 96), 16, &source), CONTAINMENT_INSIDE);
	assert_int_equal(source, BOOT_SOURCE_CONFIGURATION);
	/* The block [32, 48) has the border at 40 in it. */
	assert_int_equal(boot_map_contains(&map, span(16, 48), 16, NULL), CONTAINMENT_STRADDLES);
	assert_int_equal(boot_map_contains(&map, span(128, 192), 16, &source), CONTAINMENT_OUTSIDE);
	assert_int_equal(source, BOOT_SOURCE_NONE);
}

/* Without a boot map asserted windows are used, and the map stays unknown. */
static void test_capable_alone(void **state)
{
	CLEANUP(boot_map_done) struct boot_map map = {0};

	(void)state;
	assert_int_equal(boot_map_set_capable(&map, &b), 0);
	assert_false(map.known);
	assert_int_equal(map.n, 1);
	assert_region(&map, 0, span(0, 100), BOOT_SOURCE_CONFIGURATION);
	assert_false(boot_map_had(&map, span(0, 100)));
}

/* Another configuration: only its windows are asserted, and the rest of the map stays. */
static void test_capable_replaced(void **state)
{
	CLEANUP(boot_map_done) struct boot_map map = {.known = true};
	struct range first[] = {{30, 60}, {80, 128}}, second[] = {{100, 110}};
	const struct range_set before = {first, 2}, after = {second, 1}, none = {0};

	(void)state;
	assert_int_equal(
		boot_map_append(&map, (struct boot_region){{0, 40}, BOOT_SOURCE_MEMBLOCK}), 0);
	assert_int_equal(boot_map_set_capable(&map, &before), 0);
	assert_int_equal(map.n, 3);
	assert_int_equal(boot_map_set_capable(&map, &after), 0);
	assert_int_equal(map.n, 2);
	assert_region(&map, 0, span(0, 40), BOOT_SOURCE_MEMBLOCK);
	assert_region(&map, 1, span(100, 110), BOOT_SOURCE_CONFIGURATION);
	assert_int_equal(boot_map_set_capable(&map, &none), 0);
	assert_int_equal(map.n, 1);
	assert_region(&map, 0, span(0, 40), BOOT_SOURCE_MEMBLOCK);
	assert_true(map.known);
}

static void test_contains(void **state)
{
	static const struct boot_region regions[] = {
		{{0x100000, 0x8000000}, BOOT_SOURCE_MEMBLOCK},
		{{0x8000000, 0x14000000}, BOOT_SOURCE_MEMBLOCK}, /* ends within a block */
		{{0x14000000, 0x18000000}, BOOT_SOURCE_MEMBLOCK},
		{{0x20000000, UINT64_MAX}, BOOT_SOURCE_MEMBLOCK},
	};
	static const struct {
		struct range range;
		enum containment containment;
	} rows[] = {
		{{0x8000000, 0x10000000}, CONTAINMENT_INSIDE},
		{{0, 0x8000000}, CONTAINMENT_STRADDLES}, /* the first MiB is missing */
		{{0, 0x100000}, CONTAINMENT_OUTSIDE},
		{{0x8000000, 0x18000000}, CONTAINMENT_STRADDLES}, /* a block across two regions */
		{{0x10000000, 0x18000000}, CONTAINMENT_STRADDLES},
		{{0x18000000, 0x20000000}, CONTAINMENT_OUTSIDE}, /* touches two regions */
		{{0x18000000, 0x28000000}, CONTAINMENT_STRADDLES},
		{{0x20000000, 0x28000000}, CONTAINMENT_INSIDE},
		{{0x20000000, UINT64_MAX}, CONTAINMENT_INSIDE},
		{{UINT64_MAX - 1, UINT64_MAX}, CONTAINMENT_INSIDE},
		{{0, UINT64_MAX}, CONTAINMENT_STRADDLES},
		{{0, 0}, CONTAINMENT_OUTSIDE},
	};
	const struct boot_map map = {
		.regions = (struct boot_region *)regions, .n = ARRAY_SIZE(regions), .known = true};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(boot_map_contains(&map, rows[i].range, 128 * MIB, NULL),
			rows[i].containment);
}

/*
 * A dax mapping need not begin or end at the border of a block. kmem does not add the ends, so a
 * border within them lies across no block of kmem.
 */
static void test_ragged_ends(void **state)
{
	static const struct boot_region regions[] = {
		{{0, 24}, BOOT_SOURCE_CONFIGURATION},
		{{24, 100}, BOOT_SOURCE_CONFIGURATION},
		{{100, 200}, BOOT_SOURCE_CONFIGURATION},
	};
	const struct boot_map map = {
		.regions = (struct boot_region *)regions, .n = 3, .known = true};

	(void)state;
	assert_int_equal(boot_map_contains(&map, span(20, 80), 16, NULL), CONTAINMENT_INSIDE);
	assert_int_equal(boot_map_contains(&map, span(32, 110), 16, NULL), CONTAINMENT_INSIDE);
	assert_int_equal(boot_map_contains(&map, span(32, 112), 16, NULL), CONTAINMENT_STRADDLES);
}

#define UNITS	   64
#define BLOCK_SIZE 4

static void model_round(uint64_t *seed)
{
	CLEANUP(boot_map_done) struct boot_map map = {.known = true};
	size_t owner[UNITS] = {0}, at = below(seed, 6);
	size_t first = below(seed, UNITS / BLOCK_SIZE) * BLOCK_SIZE;
	size_t last = first + BLOCK_SIZE * (1 + below(seed, (UNITS - first) / BLOCK_SIZE));
	size_t covered = 0;
	bool whole = true;
	enum containment want;

	while (at < UNITS) {
		size_t end = at + 1 + below(seed, 16);

		end = end < UNITS ? end : UNITS;
		assert_int_equal(boot_map_append(&map,
					 (struct boot_region){{at, end}, BOOT_SOURCE_MEMBLOCK}),
			0);
		for (; at < end; at++)
			owner[at] = map.n;
		at += below(seed, 2) * below(seed, 10);
	}
	for (size_t i = first; i < last; i++) {
		covered += owner[i] != 0;
		if (owner[i] != owner[i / BLOCK_SIZE * BLOCK_SIZE])
			whole = false;
	}
	want = covered == 0			  ? CONTAINMENT_OUTSIDE
	       : covered == last - first && whole ? CONTAINMENT_INSIDE
						  : CONTAINMENT_STRADDLES;
	assert_int_equal(boot_map_contains(&map, span(first, last), BLOCK_SIZE, NULL), want);
	assert_int_equal(boot_map_had(&map, span(first, last)), covered > 0);
}

static void test_model(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (int round = 0; round < 20000; round++)
		model_round(&seed);
}

static void test_short_memory(void **state)
{
	const struct range memblock[] = {{0, 20}, {20, 90}};
	struct range mappings[] = {{0, 8}, {200, 300}};
	const struct range_set dax = {mappings, 2};
	const struct boot_evidence evidence = {.boot_params = &a,
		.memblock = memblock,
		.n_memblock = 2,
		.blocks = &b,
		.dax = &dax};
	int r = -ENOMEM;

	(void)state;
	for (int allowed = 0; r < 0; allowed++) {
		CLEANUP(boot_map_done) struct boot_map map = {0};

		allocations_left = allowed;
		r = boot_map_build(&evidence, &map);
		allocations_left = -1;
		assert_true(r == 0 || r == -ENOMEM);
		assert_int_equal(map.known, r == 0);
	}
}

static void test_names(void **state)
{
	enum boot_source source;

	(void)state;
	for (enum boot_source s = 0; s < BOOT_SOURCE_MAX; s++) {
		assert_int_equal(boot_source_from_string(boot_source_to_string(s), &source), 0);
		assert_int_equal(source, s);
	}
	assert_int_equal(boot_source_from_string("", &source), -EINVAL);
	assert_int_equal(boot_source_from_string("memblock ", &source), -EINVAL);
}

/* Only boot RAM from firmware is found, and only the part in a window. */
static void test_in_windows(void **state)
{
	struct cedt_window windows[] = {
		{.range = {32 * GIB, 48 * GIB}},
		{.range = {64 * GIB, 128 * GIB}},
	};
	const struct cedt cedt = {.windows = windows, .n_windows = ARRAY_SIZE(windows)};
	CLEANUP(boot_map_done) struct boot_map map = {.known = true};
	CLEANUP(range_set_done) struct range_set parts = {0}, none = {0};
	static const struct boot_region regions[] = {
		{{MIB, 32 * GIB}, BOOT_SOURCE_BOOT_PARAMS}, /* touches the window */
		{{80 * GIB, 81 * GIB}, BOOT_SOURCE_CONFIGURATION},
		{{40 * GIB, 65 * GIB}, BOOT_SOURCE_MEMBLOCK},
		{{127 * GIB, 129 * GIB}, BOOT_SOURCE_FIRMWARE_MEMMAP},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(boot_map_append(&map, regions[i]), 0);
	assert_int_equal(boot_map_find_in_windows(&map, &cedt, &none), 0);
	assert_int_equal(none.n, 0);
	for (size_t i = 2; i < 4; i++)
		assert_int_equal(boot_map_append(&map, regions[i]), 0);
	assert_int_equal(boot_map_find_in_windows(&map, &cedt, &parts), 0);
	assert_set_equal(
		&parts, {40 * GIB, 48 * GIB}, {64 * GIB, 65 * GIB}, {127 * GIB, 128 * GIB});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_first_choice),
		cmocka_unit_test(test_known_and_empty),
		cmocka_unit_test(test_narrowed),
		cmocka_unit_test(test_capable),
		cmocka_unit_test(test_capable_alone),
		cmocka_unit_test(test_capable_replaced),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_ragged_ends),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_in_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
