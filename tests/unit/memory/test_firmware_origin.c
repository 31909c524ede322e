/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The entries of SRAT and CEDT for a range: only an entry that contains all of it is used.
 */
#include "tests/unit/unit.h"

#include "tdxo/memory/origin.h"

static struct srat_memory memory[] = {
	{.range = {0, 2 * GIB}, .node = 0, .enabled = true},
	{.range = {4 * GIB, 6 * GIB}, .node = 9, .hot_pluggable = true},
	{.range = {4 * GIB, 8 * GIB}, .node = 3, .enabled = true, .hot_pluggable = true},
	{.range = {8 * GIB, 10 * GIB}, .node = 1, .enabled = true},
};
static struct cedt_window windows[] = {
	{.range = {8 * GIB, 16 * GIB}},
	{.range = {16 * GIB, 32 * GIB}},
};
static const struct srat srat = {.items = memory, .n = ARRAY_SIZE(memory)};
static const struct cedt cedt = {.windows = windows, .n_windows = ARRAY_SIZE(windows)};

static const struct {
	struct range range, window;
	bool in_srat, hot_pluggable;
	uint32_t domain;
} rows[] = {
	{{GIB, 2 * GIB}, {0, 0}, true, false, 0},
	{{GIB, 3 * GIB}, {0, 0}, false, false, 0},
	/* a disabled entry is ignored */
	{{4 * GIB, 5 * GIB}, {0, 0}, true, true, 3},
	{{4 * GIB, 8 * GIB}, {0, 0}, true, true, 3},
	/* in two entries, and partly in a window */
	{{7 * GIB, 9 * GIB}, {0, 0}, false, false, 0},
	{{8 * GIB, 9 * GIB}, {8 * GIB, 16 * GIB}, true, false, 1},
	{{9 * GIB, 11 * GIB}, {8 * GIB, 16 * GIB}, false, false, 0},
	{{8 * GIB, 16 * GIB}, {8 * GIB, 16 * GIB}, false, false, 0},
	{{15 * GIB, 17 * GIB}, {0, 0}, false, false, 0},
	{{16 * GIB, 17 * GIB}, {16 * GIB, 32 * GIB}, false, false, 0},
	{{64 * GIB, 65 * GIB}, {0, 0}, false, false, 0},
};

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct firmware_origin origin = firmware_origin_find(&srat, &cedt, rows[i].range);

		assert_range_equal(origin.window, rows[i].window);
		assert_int_equal(origin.in_srat, rows[i].in_srat);
		assert_int_equal(origin.proximity_domain, rows[i].domain);
		assert_int_equal(origin.hot_pluggable, rows[i].hot_pluggable);
	}
}

/* One table is missing, or both are. */
static void test_missing(void **state)
{
	static const struct srat no_srat;
	static const struct cedt no_cedt;
	const struct range range = span(8 * GIB, 9 * GIB);
	struct firmware_origin origin;

	(void)state;
	origin = firmware_origin_find(&no_srat, &cedt, range);
	assert_false(origin.in_srat);
	assert_range_equal(origin.window, span(8 * GIB, 16 * GIB));
	origin = firmware_origin_find(&srat, &no_cedt, range);
	assert_true(origin.in_srat);
	assert_true(range_is_empty(origin.window));
	origin = firmware_origin_find(&no_srat, &no_cedt, range);
	assert_false(origin.in_srat);
	assert_false(origin.hot_pluggable);
	assert_true(range_is_empty(origin.window));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
