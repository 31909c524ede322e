/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The SRAT: every field of a memory entry, revisions, and lookups.
 */
#include "tests/unit/acpi_bytes.h"

struct memory {
	uint32_t domain;
	uint64_t base, size;
	uint32_t flags;
};

/* Reserved fields are all ones. */
static void put_memory(struct bytes *table, struct memory memory)
{
	put(table, 1, 1);
	put(table, 40, 1);
	put(table, memory.domain, 4);
	put(table, 0xffff, 2);
	put(table, memory.base, 8);
	put(table, memory.size, 8);
	put(table, 0xffffffff, 4);
	put(table, memory.flags, 4);
	put(table, UINT64_MAX, 8);
}

static struct bytes srat_of(uint8_t revision, const struct memory *memory, size_t n)
{
	struct bytes table = table_begin("SRAT", revision);

	put(&table, 1, 4);
	put(&table, 0, 8);
	for (size_t i = 0; i < n; i++)
		put_memory(&table, memory[i]);
	table_end(&table);
	return table;
}

static const struct memory machine[] = {
	{0, 0, 0xa0000, 1},
	{0, MIB, GIB - MIB, 0xfffffff9}, /* undefined flags */
	{0x01020304, 4 * GIB, 8 * GIB, 3},
	{0x7fffff02, 64 * GIB, 4 * GIB, 5},
	{0x01020305, 4 * GIB, 16 * GIB, 7},
	{9, 32 * GIB, 4 * GIB, 2}, /* not enabled */
	{8, 0, 0, 0},
};

static void test_fields(void **state)
{
	CLEANUP(srat_done) struct srat srat = {0};
	struct bytes table = srat_of(3, machine, ARRAY_SIZE(machine));

	(void)state;
	assert_int_equal(read_srat(&table, table.n, &srat), 0);
	assert_int_equal(srat.n, ARRAY_SIZE(machine));
	assert_int_equal(srat.passed_over, 0);
	for (size_t i = 0; i < srat.n; i++) {
		const struct memory *want = &machine[i];
		const struct srat_memory *got = &srat.items[i];

		assert_range_equal(got->range, span(want->base, want->base + want->size));
		assert_int_equal(got->node, want->domain);
		assert_int_equal(got->enabled, (want->flags & 1) != 0);
		assert_int_equal(got->hot_pluggable, (want->flags & 2) != 0);
		assert_int_equal(got->non_volatile, (want->flags & 4) != 0);
	}
}

/* Before revision 2 only the first byte of the proximity domain is defined. */
static void test_revisions(void **state)
{
	(void)state;
	for (uint8_t revision = 0; revision < 6; revision++) {
		CLEANUP(srat_done) struct srat srat = {0};
		struct bytes table = srat_of(revision, machine, ARRAY_SIZE(machine));

		assert_int_equal(read_srat(&table, table.n, &srat), 0);
		assert_int_equal(srat.n, ARRAY_SIZE(machine));
		assert_int_equal(srat.items[2].node, revision < 2 ? 0x04 : 0x01020304);
		assert_int_equal(srat.items[3].node, revision < 2 ? 0x02 : 0x7fffff02);
	}
}

/* An entry that ends at 2^64 has no exclusive end. */
static void test_wrap_around(void **state)
{
	static const struct memory memory[] = {
		{0, UINT64_MAX - GIB + 1, GIB, 1},
		{0, UINT64_MAX, UINT64_MAX, 1},
		{1, UINT64_MAX - GIB, GIB, 1},
	};
	CLEANUP(srat_done) struct srat srat = {0};
	struct bytes table = srat_of(3, memory, ARRAY_SIZE(memory));

	(void)state;
	assert_int_equal(read_srat(&table, table.n, &srat), 0);
	assert_int_equal(srat.passed_over, 2);
	assert_int_equal(srat.n, 1);
	assert_range_equal(srat.items[0].range, span(UINT64_MAX - GIB, UINT64_MAX));
}

/* Every length of a memory entry that is the last one of a table. */
static void test_short_entry(void **state)
{
	(void)state;
	for (size_t length = 3; length <= 60; length++) {
		CLEANUP(srat_done) struct srat srat = {0};
		struct bytes table = srat_of(3, machine, 2);

		table.n = 48 + 40 + length;
		poke(&table, 48 + 40 + 1, length, 1);
		table_end(&table);
		assert_int_equal(read_srat(&table, table.n, &srat),
			length < 40 ? ACPI_SHORT_ENTRY : ACPI_SOUND);
		assert_int_equal(srat.n, length < 40 ? 0 : 2);
	}
}

static void test_no_entries(void **state)
{
	CLEANUP(srat_done) struct srat srat = {0};
	struct bytes table = srat_of(3, NULL, 0);

	(void)state;
	assert_int_equal(read_srat(&table, table.n, &srat), 0);
	assert_int_equal(srat.n, 0);
	assert_null(srat_find(&srat, span(0, 1)));
	assert_null(srat_next(&srat, span(0, UINT64_MAX), NULL));
}

static void test_find(void **state)
{
	CLEANUP(srat_done) struct srat srat = {0};
	struct bytes table = srat_of(3, machine, ARRAY_SIZE(machine));

	(void)state;
	assert_int_equal(read_srat(&table, table.n, &srat), 0);
	/* The first entry that has all of the range. */
	assert_ptr_equal(srat_find(&srat, span(4 * GIB, 12 * GIB)), &srat.items[2]);
	assert_ptr_equal(srat_find(&srat, span(4 * GIB, 12 * GIB + 1)), &srat.items[4]);
	assert_ptr_equal(srat_find(&srat, span(20 * GIB - 1, 20 * GIB)), &srat.items[4]);
	assert_null(srat_find(&srat, span(20 * GIB - 1, 20 * GIB + 1)));
	assert_null(srat_find(&srat, span(4 * GIB - 1, 4 * GIB + 1)));
	assert_null(srat_find(&srat, span(32 * GIB, 33 * GIB))); /* not enabled */
	assert_null(srat_find(&srat, span(5 * GIB, 5 * GIB)));
}

static void test_next(void **state)
{
	CLEANUP(srat_done) struct srat srat = {0};
	struct bytes table = srat_of(3, machine, ARRAY_SIZE(machine));
	const struct srat_memory *memory = NULL;
	struct range range = span(GIB - 1, 64 * GIB + 1);

	(void)state;
	assert_int_equal(read_srat(&table, table.n, &srat), 0);
	for (size_t i = 1; i <= 4; i++) {
		memory = srat_next(&srat, range, memory);
		assert_ptr_equal(memory, &srat.items[i]);
	}
	assert_null(srat_next(&srat, range, memory));
	assert_null(srat_next(&srat, span(GIB, 4 * GIB), NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_wrap_around),
		cmocka_unit_test(test_short_entry),
		cmocka_unit_test(test_no_entries),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
