/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lookups in a snapshot: dax devices by name, whether a device has blocks, and the guard.
 */
#include "tests/unit/fixture.h"

static void test_find_dax(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};

	(void)state;
	assert_null(snapshot_find_dax(&snapshot, "dax0.0"));
	add_dax(&snapshot, "dax0.0", TYPE_CXL);
	add_dax(&snapshot, "dax0.1", TYPE_HMEM);
	assert_int_equal(snapshot_find_dax(&snapshot, "dax0.1")->type, TYPE_HMEM);
	assert_null(snapshot_find_dax(&snapshot, "dax0"));
	assert_null(snapshot_find_dax(&snapshot, "dax0.10"));
	assert_null(snapshot_find_dax(&snapshot, ""));
	devices_done(&snapshot.dax);
	assert_null(snapshot_find_dax(&snapshot, "dax0.1"));
}

/* A block belongs to a device that has any byte of it. */
static void test_has_block_of(void **state)
{
	static struct range two[] = {{8 * GIB + MIB, 9 * GIB}, {16 * GIB, 17 * GIB - MIB}};
	static const struct device device = {.name = "dax0.0", .ranges = two, .n_ranges = 2};
	static const struct device nowhere = {.name = "dax0.0", .size = 2 * GIB};
	static const struct {
		struct range blocks;
		bool has;
	} rows[] = {
		{{0, 8 * GIB}, false},
		{{8 * GIB, 8 * GIB + BLOCK}, true},
		{{9 * GIB - BLOCK, 9 * GIB}, true},
		{{9 * GIB, 16 * GIB}, false},
		{{16 * GIB, 16 * GIB + BLOCK}, true},
		{{17 * GIB - BLOCK, 17 * GIB}, true},
		{{17 * GIB, 18 * GIB}, false},
		{{0, 18 * GIB}, true},
		{{0, 0}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};

		add_block_ids(&snapshot, rows[i].blocks);
		if (snapshot_has_block_of(&snapshot, &device) != rows[i].has)
			fail_msg("row %zu", i);
		assert_false(snapshot_has_block_of(&snapshot, &nowhere));
	}
}

static void test_guarded(void **state)
{
	(void)state;
	assert_false(snapshot_guarded(&(struct snapshot){0}));
	assert_false(snapshot_guarded(&(struct snapshot){.dax_autoprobe = DAX_AUTOPROBE_ON}));
	assert_true(snapshot_guarded(&(struct snapshot){.dax_autoprobe = DAX_AUTOPROBE_OFF}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_dax),
		cmocka_unit_test(test_has_block_of),
		cmocka_unit_test(test_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
