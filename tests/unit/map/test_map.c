/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The segments of the map: examples, and properties of all maps.
 */
#include "tests/unit/fixture.h"

#include "tdxo/map/map.h"
#include "tests/unit/short_memory.h"

#define LAST (UINT64_MAX - 1)

static struct map_item item_of(enum map_kind kind, struct range range, const char *name)
{
	struct map_item item = {.kind = kind, .range = range, .parts = 1};

	snprintf(item.name, sizeof(item.name), "%s", name);
	return item;
}

static void add(struct map *map, enum map_kind kind, uint64_t start, uint64_t end, const char *name)
{
	const struct map_item item = item_of(kind, span(start, end), name);

	assert_int_equal(map_add(map, &item), 0);
}

struct want {
	enum map_kind kind;
	unsigned int depth;
	uint64_t start, end;
};

#define assert_segments(map, ...)                                                                  \
	do {                                                                                       \
		const struct want wants_[] = {__VA_ARGS__};                                        \
		assert_int_equal((map)->n_segments, ARRAY_SIZE(wants_));                           \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(wants_); i_++) {                               \
			const struct map_segment *segment_ = &(map)->segments[i_];                 \
			assert_int_equal(map_kind(segment_), wants_[i_].kind);                     \
			assert_int_equal(segment_->depth, wants_[i_].depth);                       \
			assert_range_equal(                                                        \
				segment_->range, span(wants_[i_].start, wants_[i_].end));          \
		}                                                                                  \
	} while (0)

/* --- properties of all maps --- */

/*
 * The segments of depth 0 have no gaps between them. Those within another segment have no gaps, do
 * not overlap and end where it ends.
 */
static void assert_covers(const struct map *map)
{
	uint64_t at[MAP_DEPTHS + 1] = {0}, end[MAP_DEPTHS + 1] = {0};
	unsigned int last = 0;

	for (size_t i = 0; i < map->n_segments; i++) {
		const struct map_segment *segment = &map->segments[i];
		unsigned int depth = segment->depth;

		assert_true(segment->range.start < segment->range.end);
		assert_true(i ? depth <= last + 1 && depth < MAP_DEPTHS : depth == 0);
		for (unsigned int d = last; d > depth; d--)
			assert_int_equal(at[d], end[d]);
		if (i && depth == last + 1) {
			assert_non_null(map->segments[i - 1].item);
			at[depth] = map->segments[i - 1].range.start;
			end[depth] = map->segments[i - 1].range.end;
		}
		if (i && depth <= last && depth > 0)
			assert_true(segment->range.end <= end[depth]);
		if (i)
			assert_int_equal(segment->range.start, at[depth]);
		if (i && depth == last)
			assert_true(segment->item || map->segments[i - 1].item);
		at[depth] = segment->range.end;
		last = depth;
	}
	for (unsigned int d = last; d > 0; d--)
		assert_int_equal(at[d], end[d]);
}

static bool has(const struct map_item *items, size_t n, enum map_kind kind, uint64_t address)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].kind == kind && items[i].range.start <= address &&
			address < items[i].range.end)
			return true;
	return false;
}

static bool shows(const struct map *map, enum map_kind kind, uint64_t address)
{
	for (size_t i = 0; i < map->n_segments; i++) {
		const struct map_segment *segment = &map->segments[i];

		if (map_kind(segment) == kind && segment->range.start <= address &&
			address < segment->range.end)
			return true;
	}
	return false;
}

/*
 * Small items in a small space overlap and touch. Neighbours differ in source, so that gaps are
 * kept.
 */
static struct map_item random_item(uint64_t *seed, size_t i)
{
	struct map_item item =
		item_of((enum map_kind)below(seed, MAP_REJECTED), span(below(seed, 400), 0), "");

	item.range.end = item.range.start + 1 + below(seed, 60);
	item.source = (enum boot_source)(i % 2);
	return item;
}

static void test_any_items(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t round = 0; round < 2000; round++) {
		CLEANUP(map_done) struct map map = {0};
		struct map_item items[24];
		size_t n = below(&seed, ARRAY_SIZE(items));

		for (size_t i = 0; i < n; i++) {
			items[i] = random_item(&seed, i);
			assert_int_equal(map_add(&map, &items[i]), 0);
		}
		assert_int_equal(map_lay_out(&map), 0);
		assert_covers(&map);
		for (uint64_t address = 0; address < 460; address += 7)
			for (enum map_kind kind = 0; kind < MAP_REJECTED; kind++)
				if (kind != MAP_BOOT)
					assert_int_equal(shows(&map, kind, address),
						has(items, n, kind, address));
	}
}

static void test_thousand_devices(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	add(&map, MAP_WINDOW, 0, 2000 * GIB, "decoder0.0");
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t start = 2 * ((i * 7) % 1000) * GIB;

		add(&map, MAP_REGION, start, start + GIB, "region");
		add(&map, MAP_DEVICE, start, start + GIB, "dax");
	}
	assert_int_equal(map_lay_out(&map), 0);
	assert_covers(&map);
	assert_int_equal(map.n_segments, 1 + 3 * 1000);
	/* All devices have the same size, which is also the smallest. */
	assert_int_equal(map_extra_rows(&map, &map.segments[2]), 0);
}

/* --- examples --- */

static void test_empty(void **state)
{
	CLEANUP(map_done) struct map map = {0};
	const struct map_item nowhere = item_of(MAP_DEVICE, span(0, 0), "dax0.0");

	(void)state;
	assert_int_equal(map_add(&map, &nowhere), 0);
	assert_int_equal(map_lay_out(&map), 0);
	assert_int_equal(map.n_segments, 0);
	assert_int_equal(map.n_unplaced, 1);
	assert_int_equal(map_looks(&map), 0);
	assert_int_equal(map_last(&map), 0);
}

static void test_nested(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	add(&map, MAP_DEVICE, 8 * GIB, 10 * GIB, "dax0.0");
	add(&map, MAP_REGION, 8 * GIB, 10 * GIB, "region0");
	add(&map, MAP_WINDOW, 8 * GIB, 16 * GIB, "decoder0.0");
	add(&map, MAP_BOOT, MIB, 2 * GIB, "");
	add(&map, MAP_WINDOW, 16 * GIB, 20 * GIB, "decoder0.1");
	assert_int_equal(map_lay_out(&map), 0);
	assert_covers(&map);
	assert_segments(&map, {MAP_BOOT, 0, MIB, 2 * GIB}, {MAP_FREE, 0, 2 * GIB, 8 * GIB},
		{MAP_WINDOW, 0, 8 * GIB, 16 * GIB}, {MAP_REGION, 1, 8 * GIB, 10 * GIB},
		{MAP_DEVICE, 2, 8 * GIB, 10 * GIB}, {MAP_FREE, 1, 10 * GIB, 16 * GIB},
		{MAP_WINDOW, 0, 16 * GIB, 20 * GIB});
	/* The region is smaller than the window. It has the size of the device and contains it. */
	assert_int_equal(map_group(&map, 2), 1);
	assert_int_equal(map_group(&map, 3), 1);
	assert_int_equal(map_group(&map, 6), 1);
	assert_true(map_is_leaf(&map, 6));
	assert_false(map_is_leaf(&map, 3));
	assert_int_equal(map_last(&map), 20 * GIB - 1);
}

static void test_group_of_window_and_region(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	add(&map, MAP_WINDOW, 0, GIB, "decoder0.0");
	add(&map, MAP_REGION, 0, GIB, "region0");
	add(&map, MAP_BOOT, 0, GIB, "");
	add(&map, MAP_DEVICE, 0, GIB, "dax0.0");
	assert_int_equal(map_lay_out(&map), 0);
	assert_segments(&map, {MAP_WINDOW, 0, 0, GIB}, {MAP_REGION, 1, 0, GIB},
		{MAP_BOOT, 2, 0, GIB}, {MAP_DEVICE, 3, 0, GIB});
	assert_int_equal(map_group(&map, 0), 2);
	assert_int_equal(map_group(&map, 2), 2);
}

/* A device that is partly RAM at boot is split at the border, and so is the RAM. */
static void test_straddling(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	add(&map, MAP_BOOT, 0, 6 * GIB, "");
	add(&map, MAP_DEVICE, 4 * GIB, 8 * GIB, "dax0.0");
	assert_int_equal(map_lay_out(&map), 0);
	assert_covers(&map);
	assert_segments(&map, {MAP_BOOT, 0, 0, 4 * GIB}, {MAP_BOOT, 0, 4 * GIB, 6 * GIB},
		{MAP_DEVICE, 1, 4 * GIB, 6 * GIB}, {MAP_DEVICE, 0, 6 * GIB, 8 * GIB});
	assert_int_equal(map_bytes(&map.segments[0]), 4 * GIB);
}

/* The CEDT repeats windows that the kernel has decoders for: the window with a name is kept. */
static void test_repeated_windows(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	add(&map, MAP_WINDOW, GIB, 3 * GIB, "");
	add(&map, MAP_WINDOW, GIB, 2 * GIB, "decoder0.0");
	assert_int_equal(map_lay_out(&map), 0);
	assert_covers(&map);
	assert_segments(&map, {MAP_WINDOW, 0, GIB, 2 * GIB}, {MAP_WINDOW, 0, 2 * GIB, 3 * GIB});
	assert_string_equal(map.segments[0].item->name, "decoder0.0");
	assert_string_equal(map.segments[1].item->name, "");
}

static void test_highest_addresses(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	add(&map, MAP_WINDOW, 0, UINT64_MAX, "decoder0.0");
	add(&map, MAP_BOOT, 0, MIB, "");
	add(&map, MAP_DEVICE, UINT64_MAX - GIB, UINT64_MAX, "dax0.0");
	assert_int_equal(map_lay_out(&map), 0);
	assert_covers(&map);
	assert_segments(&map, {MAP_WINDOW, 0, 0, UINT64_MAX}, {MAP_BOOT, 1, 0, MIB},
		{MAP_FREE, 1, MIB, UINT64_MAX - GIB},
		{MAP_DEVICE, 1, UINT64_MAX - GIB, UINT64_MAX});
	assert_int_equal(map_last(&map), LAST);
}

/* --- RAM at boot --- */

static void add_boot(struct map *map, struct range range, enum boot_source source)
{
	struct boot_region region = {range, source};
	const struct boot_map boot_map = {.regions = &region, .n = 1, .known = true};

	assert_int_equal(map_add_boot_map(map, &boot_map), 0);
}

/* Thirty ranges with small gaps are one segment, which counts only the bytes that are RAM. */
static void test_small_gaps(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	for (uint64_t i = 30; i-- > 0;)
		add_boot(&map, span(i * GIB, (i + 1) * GIB - MIB), BOOT_SOURCE_BOOT_PARAMS);
	assert_int_equal(map_lay_out(&map), 0);
	assert_segments(&map, {MAP_BOOT, 0, 0, 30 * GIB - MIB});
	assert_int_equal(map.segments[0].item->parts, 30);
	assert_int_equal(map_bytes(&map.segments[0]), 30 * GIB - 30 * MIB);
}

static void test_other_gaps(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	add_boot(&map, span(0, GIB), BOOT_SOURCE_BOOT_PARAMS);
	add_boot(&map, span(GIB + MAP_SMALL_GAP, 3 * GIB), BOOT_SOURCE_BOOT_PARAMS);
	add_boot(&map, span(3 * GIB + MIB, 4 * GIB), BOOT_SOURCE_CONFIGURATION);
	add_boot(&map, span(5 * GIB - 4 * MIB, 6 * GIB), BOOT_SOURCE_CONFIGURATION);
	add(&map, MAP_DEVICE, 4 * GIB + MIB, 4 * GIB + 2 * MIB, "dax0.0");
	assert_int_equal(map_lay_out(&map), 0);
	assert_covers(&map);
	assert_segments(&map, {MAP_BOOT, 0, 0, GIB}, {MAP_FREE, 0, GIB, GIB + MAP_SMALL_GAP},
		{MAP_BOOT, 0, GIB + MAP_SMALL_GAP, 3 * GIB}, {MAP_FREE, 0, 3 * GIB, 3 * GIB + MIB},
		{MAP_BOOT, 0, 3 * GIB + MIB, 4 * GIB}, {MAP_FREE, 0, 4 * GIB, 4 * GIB + MIB},
		{MAP_DEVICE, 0, 4 * GIB + MIB, 4 * GIB + 2 * MIB},
		{MAP_FREE, 0, 4 * GIB + 2 * MIB, 5 * GIB - 4 * MIB},
		{MAP_BOOT, 0, 5 * GIB - 4 * MIB, 6 * GIB});
}

/* Two ranges that touch are one segment, unless a device lies across their border. */
static void test_border(void **state)
{
	CLEANUP(map_done) struct map map = {0}, across = {0};

	(void)state;
	add_boot(&map, span(0, GIB), BOOT_SOURCE_MEMBLOCK);
	add_boot(&map, span(GIB, 2 * GIB), BOOT_SOURCE_MEMBLOCK);
	assert_int_equal(map_lay_out(&map), 0);
	assert_segments(&map, {MAP_BOOT, 0, 0, 2 * GIB});
	add_boot(&across, span(0, GIB), BOOT_SOURCE_MEMBLOCK);
	add_boot(&across, span(GIB, 2 * GIB), BOOT_SOURCE_MEMBLOCK);
	add(&across, MAP_DEVICE, GIB - 64 * MIB, GIB + 64 * MIB, "");
	assert_int_equal(map_lay_out(&across), 0);
	assert_covers(&across);
	assert_segments(&across, {MAP_BOOT, 0, 0, GIB - 64 * MIB},
		{MAP_BOOT, 0, GIB - 64 * MIB, GIB}, {MAP_DEVICE, 1, GIB - 64 * MIB, GIB},
		{MAP_BOOT, 0, GIB, GIB + 64 * MIB}, {MAP_DEVICE, 1, GIB, GIB + 64 * MIB},
		{MAP_BOOT, 0, GIB + 64 * MIB, 2 * GIB});
}

/* --- rows --- */

static void test_rows(void **state)
{
	CLEANUP(map_done) struct map map = {0};

	(void)state;
	add(&map, MAP_BOOT, 0, 2 * GIB, "");
	add(&map, MAP_BOOT, 4 * GIB, 66 * GIB, "");
	add(&map, MAP_DEVICE, 100 * GIB, 130 * GIB, "");
	assert_int_equal(map_lay_out(&map), 0);
	assert_int_equal(map.n_segments, 5);
	assert_int_equal(map_extra_rows(&map, &map.segments[0]), 0);
	assert_int_equal(map_extra_rows(&map, &map.segments[2]), 3);
	assert_int_equal(map_extra_rows(&map, &map.segments[4]), 1);
}

static void test_short_memory(void **state)
{
	(void)state;
	for (int left = 0; left < 64; left++) {
		CLEANUP(map_done) struct map map = {0};
		const struct map_item items[] = {
			item_of(MAP_BOOT, span(0, GIB), ""),
			item_of(MAP_DEVICE, span(2 * GIB, 3 * GIB), "dax0.0"),
			item_of(MAP_DEVICE, span(0, 0), "dax1.0"),
		};
		int r = 0;

		allocations_left = left;
		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(items); i++)
			r = map_add(&map, &items[i]);
		if (r == 0)
			r = map_lay_out(&map);
		allocations_left = -1;
		if (r == 0) {
			assert_true(left > 5);
			return;
		}
		assert_int_equal(r, -ENOMEM);
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_items),
		cmocka_unit_test(test_thousand_devices),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_group_of_window_and_region),
		cmocka_unit_test(test_straddling),
		cmocka_unit_test(test_repeated_windows),
		cmocka_unit_test(test_highest_addresses),
		cmocka_unit_test(test_small_gaps),
		cmocka_unit_test(test_other_gaps),
		cmocka_unit_test(test_border),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
