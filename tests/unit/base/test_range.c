/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ranges and sets of ranges.
 *
 * Tables test each operation at its limits: address 0, the highest address, ranges that touch, that
 * share one byte, that are empty. A model tests the sets: an array with a flag for each address of
 * a small window takes the same random operations, and after each one the set must have the same
 * addresses in canonical form. The window is at the bottom, in the middle and at the top of the
 * address space. Each allocation fails once: the operation must then return -ENOMEM and leave its
 * set as it was.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tdxo/base/range.h"
#include "tests/unit/short_memory.h"

#define TOP UINT64_MAX

static void test_pairs(void **state)
{
	static const struct {
		struct range a, b, both;
		bool overlaps, a_holds_b;
	} rows[] = {
		{{0, 10}, {0, 10}, {0, 10}, true, true},
		{{0, 10}, {10, 20}, {0, 0}, false, false},
		{{10, 20}, {0, 10}, {0, 0}, false, false},
		{{0, 10}, {9, 20}, {9, 10}, true, false},
		{{5, 10}, {0, 6}, {5, 6}, true, false},
		{{0, 10}, {2, 3}, {2, 3}, true, true},
		{{2, 3}, {0, 10}, {2, 3}, true, false},
		{{0, 10}, {0, 11}, {0, 10}, true, false},
		{{0, 1}, {TOP - 1, TOP}, {0, 0}, false, false},
		{{0, TOP}, {TOP - 1, TOP}, {TOP - 1, TOP}, true, true},
		{{0, TOP}, {0, 1}, {0, 1}, true, true},
		{{TOP - 1, TOP}, {0, TOP}, {TOP - 1, TOP}, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(range_overlaps(rows[i].a, rows[i].b), rows[i].overlaps);
		assert_int_equal(range_overlaps(rows[i].b, rows[i].a), rows[i].overlaps);
		assert_int_equal(range_contains(rows[i].a, rows[i].b), rows[i].a_holds_b);
		assert_range_equal(range_intersect(rows[i].a, rows[i].b), rows[i].both);
		assert_range_equal(range_intersect(rows[i].b, rows[i].a), rows[i].both);
	}
}

/* An empty range overlaps no other range. */
static void test_empty(void **state)
{
	struct range one[] = {{0, 10}};
	const struct range_set set = {one, 1};

	(void)state;
	assert_true(range_is_empty(span(0, 0)));
	assert_true(range_is_empty(span(TOP, TOP)));
	assert_true(range_is_empty(span(2, 1)));
	assert_false(range_is_empty(span(0, 1)));
	assert_false(range_is_empty(span(TOP - 1, TOP)));
	assert_range_equal(range_intersect(span(0, 10), span(5, 5)), span(0, 0));
	assert_range_equal(range_intersect(span(7, 3), span(0, 10)), span(0, 0));
	assert_false(range_overlaps(span(0, 10), span(0, 0)));
	assert_false(range_overlaps(span(0, 10), span(10, 10)));
	assert_false(range_overlaps(span(0, 10), span(5, 5)));
	assert_false(range_overlaps(span(5, 5), span(0, 10)));
	assert_false(range_set_overlaps(&set, span(5, 5)));
}

static void test_trim(void **state)
{
	static const struct {
		struct range r;
		uint64_t unit;
		struct range inner;
	} rows[] = {
		{{0, 16}, 16, {0, 16}},
		{{1, 16}, 16, {0, 0}},
		{{0, 15}, 16, {0, 0}},
		{{1, 47}, 16, {16, 32}},
		{{16, 48}, 16, {16, 48}},
		{{15, 33}, 16, {16, 32}},
		{{15, 17}, 16, {0, 0}},
		{{3, 9}, 1, {3, 9}},
		{{5, 5}, 16, {0, 0}},
		{{32, 16}, 16, {0, 0}},
		{{0, TOP}, 4096, {0, TOP - 4095}},
		{{TOP - 4095, TOP}, 4096, {0, 0}},
		{{TOP - 8191, TOP}, 4096, {TOP - 8191, TOP - 4095}},
		{{TOP - 1, TOP}, 4096, {0, 0}},
		{{TOP - 1, TOP}, UINT64_C(1) << 63, {0, 0}},
		{{0, TOP}, UINT64_C(1) << 63, {0, UINT64_C(1) << 63}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_range_equal(range_trim(rows[i].r, rows[i].unit), rows[i].inner);
}

static void test_format(void **state)
{
	char text[RANGE_TEXT];

	(void)state;
	assert_string_equal(
		range_format(span(4 * GIB, 8 * GIB), text), "[mem 0x100000000-0x1ffffffff]");
	assert_string_equal(range_format(span(1, 2), text), "[mem 0x1-0x1]");
	assert_string_equal(range_format(span(TOP - 1, TOP), text),
		"[mem 0xfffffffffffffffe-0xfffffffffffffffe]");
	assert_string_equal(range_format(span(0, 4096), text), "[mem 0x0-0xfff]");
}

static void test_size_format(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{0, "0 B"},
		{1, "1 B"},
		{1023, "1023 B"},
		{1024, "1 KiB"},
		{1536, "1.5 KiB"},
		{4096, "4 KiB"},
		{MIB - KIB, "1023 KiB"},
		{MIB, "1 MiB"},
		{1536 * MIB, "1.5 GiB"},
		{64 * GIB, "64 GiB"},
		{UINT64_C(1) << 40, "1 TiB"},
		{UINT64_C(1) << 50, "1 PiB"},
		{UINT64_C(1) << 60, "1 EiB"},
		{UINT64_C(3) << 59, "1.5 EiB"},
		{TOP, "15.9 EiB"},
	};
	char text[SIZE_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(size_format(rows[i].bytes, text), rows[i].text);
}

static void test_set_examples(void **state)
{
	CLEANUP(range_set_done) struct range_set set = {0};

	(void)state;
	assert_int_equal(range_set_add(&set, span(10, 20)), 0);
	assert_int_equal(range_set_add(&set, span(30, 40)), 0);
	assert_int_equal(range_set_add(&set, span(0, 5)), 0);
	assert_set_equal(&set, {0, 5}, {10, 20}, {30, 40});
	assert_int_equal(range_set_size(&set), 25);
	assert_int_equal(range_set_add(&set, span(20, 30)), 0);
	assert_set_equal(&set, {0, 5}, {10, 40});
	assert_int_equal(range_set_add(&set, span(6, 6)), 0);
	assert_int_equal(range_set_subtract(&set, span(15, 15)), 0);
	assert_int_equal(range_set_subtract(&set, span(5, 10)), 0);
	assert_set_equal(&set, {0, 5}, {10, 40});
	assert_true(range_set_contains(&set, span(10, 40)));
	assert_false(range_set_contains(&set, span(4, 11)));
	assert_false(range_set_overlaps(&set, span(5, 10)));
	assert_true(range_set_overlaps(&set, span(5, 11)));
	assert_int_equal(range_set_subtract(&set, span(12, 14)), 0);
	assert_set_equal(&set, {0, 5}, {10, 12}, {14, 40});
	assert_int_equal(range_set_add(&set, span(0, TOP)), 0);
	assert_set_equal(&set, {0, TOP});
	assert_int_equal(range_set_size(&set), TOP);
	assert_int_equal(range_set_subtract_set(&set, &set), 0);
	assert_int_equal(set.n, 0);
	assert_false(range_set_contains(&set, span(0, 1)));
	assert_false(range_set_overlaps(&set, span(0, TOP)));
}

/* The model: a flag for each of WINDOW addresses from `base` on. */
#define WINDOW 96

static struct range window_range(uint64_t base, size_t first, size_t last)
{
	return span(base + first, base + last);
}

static void assert_same(const struct range_set *set, uint64_t base, const bool *model)
{
	bool got[WINDOW] = {false};
	uint64_t size = 0;

	for (size_t i = 0; i < set->n; i++) {
		assert_true(set->ranges[i].start < set->ranges[i].end);
		assert_true(set->ranges[i].start >= base);
		assert_true(set->ranges[i].end <= base + WINDOW);
		if (i)
			assert_true(set->ranges[i - 1].end < set->ranges[i].start);
		for (uint64_t a = set->ranges[i].start; a < set->ranges[i].end; a++)
			got[a - base] = true;
	}
	assert_memory_equal(got, model, sizeof(got));
	for (size_t i = 0; i < WINDOW; i++)
		size += model[i];
	assert_int_equal(range_set_size(set), size);
}

static void assert_same_answers(
	const struct range_set *set, uint64_t base, const bool *model, uint64_t *seed)
{
	size_t first = below(seed, WINDOW), last = first + 1 + below(seed, WINDOW - first), n = 0;
	struct range r = window_range(base, first, last);

	for (size_t i = first; i < last; i++)
		n += model[i];
	assert_int_equal(range_set_overlaps(set, r), n > 0);
	assert_int_equal(range_set_contains(set, r), n == last - first);
}

/* Apply one random operation to the set and to the model, also with empty ranges. */
static void change(struct range_set *set, uint64_t base, bool *model, uint64_t *seed)
{
	size_t first = below(seed, WINDOW + 1), most = WINDOW - first + 1;
	size_t last = first + below(seed, below(seed, 4) ? (most < 12 ? most : 12) : most);
	bool add = below(seed, 2);

	for (size_t i = first; i < last; i++)
		model[i] = add;
	assert_int_equal(add ? range_set_add(set, window_range(base, first, last))
			     : range_set_subtract(set, window_range(base, first, last)),
		0);
}

static void run_model(uint64_t base, uint64_t seed)
{
	CLEANUP(range_set_done) struct range_set a = {0}, b = {0};
	bool in_a[WINDOW] = {false}, in_b[WINDOW] = {false}, want[WINDOW];

	for (int round = 0; round < 4000; round++) {
		CLEANUP(range_set_done) struct range_set both = {0}, rest = {0};

		change(&a, base, in_a, &seed);
		change(&b, base, in_b, &seed);
		assert_same(&a, base, in_a);
		assert_same_answers(&a, base, in_a, &seed);
		assert_int_equal(range_set_intersect(&a, &b, &both), 0);
		for (size_t i = 0; i < WINDOW; i++)
			want[i] = in_a[i] && in_b[i];
		assert_same(&both, base, want);
		assert_int_equal(range_set_copy(&a, &rest), 0);
		assert_same(&rest, base, in_a);
		assert_int_equal(range_set_subtract_set(&rest, &b), 0);
		for (size_t i = 0; i < WINDOW; i++)
			want[i] = in_a[i] && !in_b[i];
		assert_same(&rest, base, want);
	}
}

static void test_model(void **state)
{
	(void)state;
	run_model(0, 1);
	run_model(4 * GIB, 2);
	run_model(TOP - WINDOW, 3);
}

static int add_between(struct range_set *set)
{
	return range_set_add(set, span(22, 24));
}

static int split(struct range_set *set)
{
	return range_set_subtract(set, span(12, 14));
}

static int split_twice(struct range_set *set)
{
	struct range holes[] = {{12, 14}, {32, 34}};

	return range_set_subtract_set(set, &(struct range_set){holes, 2});
}

static void assert_unchanged_without_memory(int (*operation)(struct range_set *set))
{
	int r = -ENOMEM;

	for (int allowed = 0; r < 0; allowed++) {
		CLEANUP(range_set_done) struct range_set set = {0};

		assert_int_equal(range_set_add(&set, span(10, 20)), 0);
		assert_int_equal(range_set_add(&set, span(30, 40)), 0);
		allocations_left = allowed;
		r = operation(&set);
		allocations_left = -1;
		if (r == 0)
			continue;
		assert_int_equal(r, -ENOMEM);
		assert_set_equal(&set, {10, 20}, {30, 40});
	}
}

static void test_short_memory(void **state)
{
	(void)state;
	assert_unchanged_without_memory(add_between);
	assert_unchanged_without_memory(split);
	assert_unchanged_without_memory(split_twice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_size_format),
		cmocka_unit_test(test_set_examples),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
