/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The e820 memory map.
 *
 * Reading: tables cut off at every length, entry counts that are too large, and entries that are
 * empty or wrap around. Sanitising: a model of some pages around the first MiB, each of four cells
 * with borders at odd addresses. Each entry sets cells, and the higher type wins. A page is RAM if
 * all of its cells are. Random tables must have the same result as the model.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/firmware/e820.h"

#define COUNT_AT 0x1e8
#define TABLE_AT 0x2d0
#define ENTRY	 20

struct raw {
	uint64_t start, size;
	uint32_t type;
};

static void put(uint8_t *at, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static void put_entries(uint8_t *at, const struct raw *raw, size_t n)
{
	for (size_t i = 0; i < n; i++, at += ENTRY) {
		put(at, raw[i].start, 8);
		put(at + 8, raw[i].size, 8);
		put(at + 16, raw[i].type, 4);
	}
}

/* The first `size` bytes of boot_params in a heap block of that length. */
static uint8_t *boot_params(uint8_t count, const struct raw *raw, size_t n, size_t size)
{
	uint8_t page[4096] = {0}, *data = malloc(size ? size : 1);

	assert_non_null(data);
	page[COUNT_AT] = count;
	put_entries(page + TABLE_AT, raw, n);
	memcpy(data, page, size);
	return data;
}

static const struct raw three[] = {
	{0, 0x9fc00, 1}, {0x100000, 0x3ff00000, 1}, {UINT64_C(0x100000000), 0x40000000, 128}};

static void test_every_length(void **state)
{
	const size_t enough = TABLE_AT + sizeof(three) / sizeof(three[0]) * ENTRY;

	(void)state;
	for (size_t size = 0; size <= 4096; size++) {
		CLEANUP(e820_table_done) struct e820_table table = {0};
		uint8_t *data = boot_params(3, three, 3, size);
		int r = e820_add_boot_params(&table, data, size);

		assert_int_equal(r, size < enough ? -EBADMSG : 0);
		assert_int_equal(table.n, size < enough ? 0 : 3);
		for (size_t i = 0; i < table.n; i++) {
			assert_range_equal(table.entries[i].range,
				span(three[i].start, three[i].start + three[i].size));
			assert_int_equal(table.entries[i].type, three[i].type);
		}
		free(data);
	}
}

static void test_every_count(void **state)
{
	struct raw raw[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(raw); i++)
		raw[i] = (struct raw){i * 0x1000, 0x1000, (uint32_t)(1 + i % 5)};
	for (unsigned int count = 0; count <= 255; count++) {
		CLEANUP(e820_table_done) struct e820_table table = {0};
		uint8_t *data = boot_params((uint8_t)count, raw, 128, 4096);
		int r = e820_add_boot_params(&table, data, 4096);

		assert_int_equal(r, count > 128 ? -EBADMSG : 0);
		assert_int_equal(table.n, count > 128 ? 0 : count);
		free(data);
	}
}

static void test_extension(void **state)
{
	uint8_t data[4 * ENTRY] = {0};

	(void)state;
	put_entries(data, three, 3);
	put_entries(data + 3 * ENTRY, three, 1);
	for (size_t size = 0; size <= sizeof(data); size++) {
		CLEANUP(e820_table_done) struct e820_table table = {0};
		bool whole = size == 0 || size == 20 || size == 40 || size == 60 || size == 80;

		assert_int_equal(e820_add_extension(&table, data, size), whole ? 0 : -EBADMSG);
		assert_int_equal(table.n, whole ? size / ENTRY : 0);
	}
}

/* boot_params has at most 128 entries. Further entries are a setup_data of the same format. */
static void test_both(void **state)
{
	CLEANUP(e820_table_done) struct e820_table table = {0};
	CLEANUP(range_set_done) struct range_set ram = {0};
	const struct raw more = {UINT64_C(0x140000000), 0x1000, 1};
	uint8_t *data = boot_params(3, three, 3, 4096), bytes[ENTRY];

	(void)state;
	put_entries(bytes, &more, 1);
	assert_int_equal(e820_add_boot_params(&table, data, 4096), 0);
	assert_int_equal(e820_add_extension(&table, bytes, sizeof(bytes)), 0);
	assert_int_equal(table.n, 4);
	assert_int_equal(e820_ram(&table, &ram), 0);
	assert_set_equal(
		&ram, {0x100000, 0x40000000}, {UINT64_C(0x100000000), UINT64_C(0x140001000)});
	free(data);
}

static void test_ignored_entries(void **state)
{
	static const struct raw raw[] = {
		{0x200000, 0, 1},
		{0x200000, 0x1000, 1},
		{UINT64_MAX, 1, 2},		  /* ends at 2^64, which has no exclusive end */
		{UINT64_MAX - 0xfff, 0x2000, 1},  /* wraps around */
		{0x300000, UINT64_MAX, 2},	  /* wraps around to below its start */
		{UINT64_MAX - 0x1fff, 0x1fff, 1}, /* the highest possible end */
		{0, 0, 0},
	};
	CLEANUP(e820_table_done) struct e820_table table = {0};
	CLEANUP(range_set_done) struct range_set ram = {0};
	uint8_t data[sizeof(raw) / sizeof(raw[0]) * ENTRY];

	(void)state;
	put_entries(data, raw, ARRAY_SIZE(raw));
	assert_int_equal(e820_add_extension(&table, data, sizeof(data)), 5);
	assert_int_equal(table.n, 2);
	assert_int_equal(e820_ram(&table, &ram), 0);
	assert_set_equal(&ram, {0x200000, 0x201000}, {UINT64_MAX - 0x1fff, UINT64_MAX - 0xfff});
}

static void ram_of(const struct raw *raw, size_t n, struct range_set *ret_ram)
{
	CLEANUP(e820_table_done) struct e820_table table = {0};
	uint8_t *data = malloc(n * ENTRY + 1);

	assert_non_null(data);
	put_entries(data, raw, n);
	assert_int_equal(e820_add_extension(&table, data, n * ENTRY), 0);
	assert_int_equal(e820_ram(&table, ret_ram), 0);
	free(data);
}

/* Unsorted, overlapping and adjacent entries. */
static void test_examples(void **state)
{
	static const struct raw raw[] = {
		{0x100000, 0xff00000, 1},	  /* RAM 1 MiB .. 256 MiB */
		{0x1000000, 0x1000000, 2},	  /* 16 MiB .. 32 MiB of it reserved */
		{0, 0xa0000, 1},		  /* below 1 MiB: ignored */
		{0x10000000, 0x800, 1},		  /* half a page, and the other half */
		{0x10000800, 0x800, 128},	  /* of another RAM type: one page */
		{0x20000000, 0x1fff, 1},	  /* a page and most of another */
		{0x30000001, 0x1fff, 1},	  /* most of a page and another */
		{0x40000001, 0x1ffe, 1},	  /* most of two pages */
		{0x50000000, 0x4000, 0xefffffff}, /* soft reserved is not RAM */
		{0x50001000, 0x1000, 1},	  /* and overrides RAM */
		{0x60000000, 0x2000, 12},	  /* protected is overridden */
		{0x60001000, 0x1000, 128},	  /* by RESERVED_KERN */
	};
	CLEANUP(range_set_done) struct range_set ram = {0};

	(void)state;
	ram_of(raw, ARRAY_SIZE(raw), &ram);
	assert_set_equal(&ram, {0x100000, 0x1000000}, {0x2000000, 0x10001000},
		{0x20000000, 0x20001000}, {0x30001000, 0x30002000}, {0x60001000, 0x60002000});
}

static void test_first_mib(void **state)
{
	static const struct raw raw = {0xff801, 0x1000, 1}; /* 0xff801 .. 0x100801 */
	static const struct raw longer = {0xff801, 0x1800, 1};
	CLEANUP(range_set_done) struct range_set ram = {0}, more = {0}, none = {0};

	(void)state;
	ram_of(NULL, 0, &none);
	assert_int_equal(none.n, 0);
	ram_of(&raw, 1, &ram);
	assert_int_equal(ram.n, 0);
	ram_of(&longer, 1, &more);
	assert_set_equal(&more, {0x100000, 0x101000});
}

/* The model: PAGES pages from FIRST_PAGE on. Page 0x100 is the first one at 1 MiB. */
#define PAGES	   40
#define FIRST_PAGE 0xf8
#define CELLS	   (4 * PAGES)

static uint64_t border(size_t cell)
{
	static const uint64_t offsets[] = {0, 1, 0x7ff, 0xfff};

	return (FIRST_PAGE + cell / 4) * 0x1000 + offsets[cell % 4];
}

static bool model_page(const uint32_t *types, size_t page)
{
	bool ram = FIRST_PAGE + page >= 0x100;

	for (size_t cell = 4 * page; cell < 4 * page + 4; cell++)
		ram = ram && (types[cell] == E820_RAM || types[cell] == E820_RESERVED_KERN);
	return ram;
}

static void model_round(uint64_t *seed)
{
	static const uint32_t kinds[] = {0, 1, 1, 1, 1, 2, 3, 5, 7, 12, 128, 128, 129, 0xefffffff};
	CLEANUP(range_set_done) struct range_set ram = {0};
	uint32_t types[CELLS] = {0};
	bool want[PAGES], got[PAGES] = {false};
	struct raw raw[24];
	size_t n = below(seed, ARRAY_SIZE(raw) + 1);

	for (size_t i = 0; i < n; i++) {
		size_t first = below(seed, CELLS), last = first + 1 + below(seed, CELLS - first);

		raw[i].start = border(first);
		raw[i].size = border(last) - border(first);
		raw[i].type = kinds[below(seed, ARRAY_SIZE(kinds))];
		for (size_t cell = first; cell < last; cell++)
			if (raw[i].type > types[cell])
				types[cell] = raw[i].type;
	}
	ram_of(raw, n, &ram);
	for (size_t i = 0; i < ram.n; i++) {
		assert_int_equal(ram.ranges[i].start % 0x1000, 0);
		assert_int_equal(ram.ranges[i].end % 0x1000, 0);
		assert_true(i == 0 || ram.ranges[i - 1].end < ram.ranges[i].start);
		for (uint64_t a = ram.ranges[i].start; a < ram.ranges[i].end; a += 0x1000)
			got[a / 0x1000 - FIRST_PAGE] = true;
	}
	for (size_t page = 0; page < PAGES; page++)
		want[page] = model_page(types, page);
	assert_memory_equal(got, want, sizeof(want));
}

static void test_model(void **state)
{
	uint64_t seed = 820;

	(void)state;
	for (int round = 0; round < 6000; round++)
		model_round(&seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_count),
		cmocka_unit_test(test_extension),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_ignored_entries),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_first_mib),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
