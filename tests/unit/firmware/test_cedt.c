/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The CEDT: the range and targets of each window, every encoded number of targets, entries that are
 * ignored, and lookups.
 */
#include "tests/unit/acpi_bytes.h"

#define WINDOW_AT 36 /* offset of the first entry */
#define WAYS_AT	  (WINDOW_AT + 24)

struct window {
	uint64_t base, size;
	uint8_t ways; /* encoded */
	uint32_t targets[16];
	size_t n_targets;
};

/* Fields that are not read are all ones. */
static void put_window(struct bytes *table, const struct window *window)
{
	put(table, 1, 1);
	put(table, 0xff, 1);
	put(table, 36 + 4 * window->n_targets, 2);
	put(table, 0xffffffff, 4);
	put(table, window->base, 8);
	put(table, window->size, 8);
	put(table, window->ways, 1);
	put(table, 0xff, 1);
	put(table, 0xffff, 2);
	put(table, UINT64_MAX, 8);
	for (size_t i = 0; i < window->n_targets; i++)
		put(table, window->targets[i], 4);
}

static struct bytes cedt_of(const struct window *windows, size_t n)
{
	struct bytes table = table_begin("CEDT", 1);

	for (size_t i = 0; i < n; i++)
		put_window(&table, &windows[i]);
	table_end(&table);
	return table;
}

static const struct window machine[] = {
	{0x1010000000, 0x4020000000, 8, {0x11223344, 7, 0xfffffffe}, 3},
	{64 * GIB, 256 * MIB, 0, {12}, 1},
	{32 * GIB, 16 * GIB, 1, {12, 13, 14}, 3}, /* one target more than ways */
};

static void test_windows(void **state)
{
	static const size_t n_targets[] = {3, 1, 2};
	CLEANUP(cedt_done) struct cedt cedt = {0};
	struct bytes table = cedt_of(machine, 3);

	(void)state;
	assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
	assert_int_equal(cedt.n_windows, 3);
	assert_int_equal(cedt.passed_over, 0);
	for (size_t i = 0; i < 3; i++) {
		const struct window *want = &machine[i];
		const struct cedt_window *got = &cedt.windows[i];

		assert_range_equal(got->range, span(want->base, want->base + want->size));
		assert_int_equal(got->n_targets, n_targets[i]);
		for (size_t j = 0; j < CEDT_TARGETS_MAX; j++)
			assert_int_equal(got->targets[j], j < n_targets[i] ? want->targets[j] : 0);
	}
}

/* A window with space for the maximum number of targets, and each byte as the encoded number. */
static void test_every_ways(void **state)
{
	static const size_t n_targets[256] = {1, 2, 4, 8, 16, [8] = 3, [9] = 6, [10] = 12};
	struct window window = machine[1];

	(void)state;
	window.n_targets = 16;
	for (unsigned int value = 0; value < 256; value++) {
		CLEANUP(cedt_done) struct cedt cedt = {0};
		struct bytes table = cedt_of(&window, 1);

		poke(&table, WAYS_AT, value, 1);
		table_end(&table);
		assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
		assert_int_equal(cedt.n_windows, n_targets[value] ? 1 : 0);
		assert_int_equal(cedt.passed_over, n_targets[value] ? 0 : 1);
		if (cedt.n_windows)
			assert_int_equal(cedt.windows[0].n_targets, n_targets[value]);
	}
}

/* More ways than the entry has targets: the next entry is not read as targets. */
static void test_targets_missing(void **state)
{
	static const uint8_t ways[] = {1, 2, 4, 8, 16, 3, 6, 12};
	static const uint8_t encoded[] = {0, 1, 2, 3, 4, 8, 9, 10};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		for (size_t n = 0; n <= 16; n++) {
			CLEANUP(cedt_done) struct cedt cedt = {0};
			struct window windows[] = {machine[1], machine[0]};
			struct bytes table;

			windows[0].ways = encoded[i];
			windows[0].n_targets = n;
			table = cedt_of(windows, 2);
			assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
			assert_int_equal(cedt.passed_over, n < ways[i]);
			assert_int_equal(cedt.n_windows, n < ways[i] ? 1 : 2);
			assert_int_equal(cedt.windows[cedt.n_windows - 1].n_targets, 3);
		}
}

/* Every entry length that fits a table of one window with one target. */
static void test_short_entry(void **state)
{
	(void)state;
	for (size_t length = 5; length <= 48; length++) {
		CLEANUP(cedt_done) struct cedt cedt = {0};
		struct bytes table = cedt_of(&machine[1], 1);

		table.n = WINDOW_AT + length;
		poke(&table, WINDOW_AT + 2, length, 2);
		table_end(&table);
		assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
		assert_int_equal(cedt.n_windows, length >= 40);
		assert_int_equal(cedt.passed_over, length < 40);
	}
}

static void test_bad_ranges(void **state)
{
	static const struct window windows[] = {
		{GIB, 0, 0, {1}, 1}, {UINT64_MAX - 256 * MIB + 1, 256 * MIB, 0, {1}, 1},
		{UINT64_MAX - 512 * MIB + 1, 256 * MIB, 0, {1}, 1}, /* valid */
	};
	CLEANUP(cedt_done) struct cedt cedt = {0};
	struct bytes table = cedt_of(windows, ARRAY_SIZE(windows));

	(void)state;
	assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
	assert_int_equal(cedt.passed_over, 2);
	assert_int_equal(cedt.n_windows, 1);
	assert_range_equal(cedt.windows[0].range,
		span(UINT64_MAX - 512 * MIB + 1, UINT64_MAX - 256 * MIB + 1));
}

static void test_find(void **state)
{
	CLEANUP(cedt_done) struct cedt cedt = {0};
	struct bytes table = cedt_of(machine, 3);

	(void)state;
	assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
	assert_ptr_equal(cedt_find(&cedt, span(32 * GIB, 48 * GIB)), &cedt.windows[2]);
	assert_ptr_equal(cedt_find(&cedt, span(48 * GIB - 1, 48 * GIB)), &cedt.windows[2]);
	assert_null(cedt_find(&cedt, span(48 * GIB - 1, 48 * GIB + 1)));
	assert_null(cedt_find(&cedt, span(0, UINT64_MAX)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_every_ways),
		cmocka_unit_test(test_targets_missing),
		cmocka_unit_test(test_short_entry),
		cmocka_unit_test(test_bad_ranges),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
