/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The CEDT: every field of a window and of a host bridge, each of a value of its own; every
 * encoding; what is passed over; and questions.
 */
#include "acpi_bytes.h"

#define WINDOW_AT      36 /* of the first entry */
#define WAYS_AT	       (WINDOW_AT + 24)
#define ARITHMETIC_AT  (WINDOW_AT + 25)
#define GRANULARITY_AT (WINDOW_AT + 28)
#define TARGETS_AT     (WINDOW_AT + 36)

struct window {
	uint64_t base, size;
	uint8_t ways, arithmetic;
	uint32_t granularity;
	uint16_t restrictions, qtg_id;
	uint32_t targets[16];
	size_t n_targets;
};

/* What is reserved holds ones. */
static void put_window(struct bytes *table, const struct window *window)
{
	put(table, 1, 1);
	put(table, 0xff, 1);
	put(table, 36 + 4 * window->n_targets, 2);
	put(table, 0xffffffff, 4);
	put(table, window->base, 8);
	put(table, window->size, 8);
	put(table, window->ways, 1);
	put(table, window->arithmetic, 1);
	put(table, 0xffff, 2);
	put(table, window->granularity, 4);
	put(table, window->restrictions, 2);
	put(table, window->qtg_id, 2);
	for (size_t i = 0; i < window->n_targets; i++)
		put(table, window->targets[i], 4);
}

static void put_host_bridge(struct bytes *table, uint32_t uid, uint32_t version, struct range at)
{
	put(table, 0, 1);
	put(table, 0xff, 1);
	put(table, 32, 2);
	put(table, uid, 4);
	put(table, version, 4);
	put(table, 0xffffffff, 4);
	put(table, at.start, 8);
	put(table, range_size(at), 8);
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
	{0x1010000000, 0x4020000000, 8, 1, 3, 0x0106, 0x0203, {0x11223344, 7, 0xfffffffe}, 3},
	{64 * GIB, 256 * MIB, 0, 0, 0, 0x1a, 0, {12}, 1},
	{32 * GIB, 16 * GIB, 1, 0, 6, 0x25, 1, {12, 13, 14}, 3}, /* a target more than ways */
};

static void test_windows(void **state)
{
	static const unsigned int ways[] = {3, 1, 2};
	static const uint64_t granularities[] = {2048, 256, 16384};
	CLEANUP(cedt_done) struct cedt cedt = {0};
	struct bytes table = cedt_of(machine, 3);

	(void)state;
	assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
	assert_int_equal(cedt.n_windows, 3);
	assert_int_equal(cedt.n_host_bridges, 0);
	assert_int_equal(cedt.passed_over, 0);
	for (size_t i = 0; i < 3; i++) {
		const struct window *want = &machine[i];
		const struct cedt_window *got = &cedt.windows[i];

		assert_range_equal(got->range, span(want->base, want->base + want->size));
		assert_int_equal(got->ways, ways[i]);
		assert_int_equal(got->granularity, granularities[i]);
		assert_int_equal(got->arithmetic, want->arithmetic ? CEDT_XOR : CEDT_MODULO);
		assert_int_equal(got->restrictions, want->restrictions);
		assert_int_equal(got->qtg_id, want->qtg_id);
		for (size_t j = 0; j < CEDT_TARGETS_MAX; j++)
			assert_int_equal(got->targets[j], j < ways[i] ? want->targets[j] : 0);
	}
}

/* The bits and their names. */
static void test_restrictions(void **state)
{
	static const char *const names[] = {"device-coherent", "host-only", "volatile",
		"persistent", "fixed", "back-invalidate"};

	(void)state;
	assert_int_equal(CEDT_RESTRICTION_MAX, ARRAY_SIZE(names));
	for (unsigned int bit = 0; bit < ARRAY_SIZE(names); bit++) {
		struct cedt_window window = {.restrictions = (uint16_t)(1U << bit)};

		assert_string_equal(
			cedt_restriction_to_string((enum cedt_restriction)bit), names[bit]);
		for (enum cedt_restriction r = 0; r < CEDT_RESTRICTION_MAX; r++)
			assert_int_equal(cedt_window_has(&window, r), r == bit);
	}
}

static void test_host_bridges(void **state)
{
	CLEANUP(cedt_done) struct cedt cedt = {0};
	struct bytes table = table_begin("CEDT", 2);

	(void)state;
	put_host_bridge(&table, 0x01020304, 1, span(0x5c0000000, 0x5c0010000));
	put_host_bridge(&table, 5, 0, span(0xfe000000, 0xfe002000));
	put_host_bridge(&table, 6, 2, span(0, 0));
	table_end(&table);
	assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
	assert_int_equal(cedt.n_host_bridges, 3);
	assert_int_equal(cedt.host_bridges[0].uid, 0x01020304);
	assert_int_equal(cedt.host_bridges[0].version, CEDT_CXL_2_0);
	assert_range_equal(cedt.host_bridges[0].registers, span(0x5c0000000, 0x5c0010000));
	assert_int_equal(cedt.host_bridges[1].uid, 5);
	assert_string_equal(cedt_version_to_string(cedt.host_bridges[1].version), "1.1");
	assert_range_equal(cedt.host_bridges[1].registers, span(0xfe000000, 0xfe002000));
	assert_null(cedt_version_to_string(cedt.host_bridges[2].version));
}

/* A window with room for the most targets, and one byte of it poked. */
static void check_encoding(size_t at, uint64_t value, size_t size, struct cedt *ret_cedt)
{
	struct window window = machine[1];
	struct bytes table;

	window.n_targets = 16;
	table = cedt_of(&window, 1);
	poke(&table, at, value, size);
	table_end(&table);
	assert_int_equal(read_cedt(&table, table.n, ret_cedt), 0);
	assert_int_equal(ret_cedt->n_windows + ret_cedt->passed_over, 1);
}

static void test_every_ways(void **state)
{
	static const unsigned int ways[256] = {1, 2, 4, 8, 16, [8] = 3, [9] = 6, [10] = 12};

	(void)state;
	for (unsigned int value = 0; value < 256; value++) {
		CLEANUP(cedt_done) struct cedt cedt = {0};

		check_encoding(WAYS_AT, value, 1, &cedt);
		assert_int_equal(cedt.n_windows, ways[value] ? 1 : 0);
		if (ways[value])
			assert_int_equal(cedt.windows[0].ways, ways[value]);
	}
}

static void test_every_arithmetic(void **state)
{
	(void)state;
	for (unsigned int value = 0; value < 256; value++) {
		CLEANUP(cedt_done) struct cedt cedt = {0};

		check_encoding(ARITHMETIC_AT, value, 1, &cedt);
		assert_int_equal(cedt.n_windows, value < 2);
		if (value < 2)
			assert_string_equal(cedt_arithmetic_to_string(cedt.windows[0].arithmetic),
				value ? "xor" : "modulo");
	}
}

static void test_every_granularity(void **state)
{
	static const uint64_t granularities[] = {256, 512, 1024, 2048, 4096, 8192, 16384};
	static const uint32_t others[] = {7, 8, 63, 64, 65, 0x100, 0x10000, 0x1000000, 0xffffffff};

	(void)state;
	for (uint32_t value = 0; value < ARRAY_SIZE(granularities); value++) {
		CLEANUP(cedt_done) struct cedt cedt = {0};

		check_encoding(GRANULARITY_AT, value, 4, &cedt);
		assert_int_equal(cedt.n_windows, 1);
		assert_int_equal(cedt.windows[0].granularity, granularities[value]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		CLEANUP(cedt_done) struct cedt cedt = {0};

		check_encoding(GRANULARITY_AT, others[i], 4, &cedt);
		assert_int_equal(cedt.passed_over, 1);
	}
}

/* Ways that ask for more targets than the entry holds; the next entry is none of them. */
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
			assert_int_equal(cedt.windows[cedt.n_windows - 1].ways, 3);
		}
}

/* Every length that fits a table of one entry, for both types. */
static void test_short_entry(void **state)
{
	(void)state;
	for (size_t length = 5; length <= 48; length++) {
		CLEANUP(cedt_done) struct cedt windows = {0}, bridges = {0};
		struct bytes table = cedt_of(&machine[1], 1);

		table.n = WINDOW_AT + length;
		poke(&table, WINDOW_AT + 2, length, 2);
		table_end(&table);
		assert_int_equal(read_cedt(&table, table.n, &windows), 0);
		assert_int_equal(windows.n_windows, length >= 40);
		assert_int_equal(windows.passed_over, length < 40);
		poke(&table, WINDOW_AT, 0, 1);
		poke(&table, WINDOW_AT + 16, 0x1000, 8);
		table_end(&table);
		assert_int_equal(read_cedt(&table, table.n, &bridges), 0);
		assert_int_equal(bridges.n_host_bridges, length >= 32);
		assert_int_equal(bridges.passed_over, length < 32);
	}
}

static void test_bad_ranges(void **state)
{
	static const struct window windows[] = {
		{GIB, 0, 0, 0, 0, 0, 0, {1}, 1}, {GIB + 128 * MIB, GIB, 0, 0, 0, 0, 0, {1}, 1},
		{GIB, 128 * MIB, 0, 0, 0, 0, 0, {1}, 1},
		{UINT64_MAX - 256 * MIB + 1, 256 * MIB, 0, 0, 0, 0, 0, {1}, 1},
		{UINT64_MAX - 512 * MIB + 1, 256 * MIB, 0, 0, 0, 0, 0, {1}, 1}, /* good */
	};
	CLEANUP(cedt_done) struct cedt cedt = {0};
	struct bytes table = cedt_of(windows, ARRAY_SIZE(windows));

	(void)state;
	put_host_bridge(&table, 1, 1, span(UINT64_MAX, UINT64_MAX - 1)); /* wraps around */
	table_end(&table);
	assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
	assert_int_equal(cedt.passed_over, 5);
	assert_int_equal(cedt.n_host_bridges, 0);
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

static void append(struct boot_map *map, struct range range, enum boot_source source)
{
	assert_int_equal(boot_map_append(map, (struct boot_region){range, source}), 0);
}

static void test_boot_ram(void **state)
{
	CLEANUP(cedt_done) struct cedt cedt = {0};
	CLEANUP(boot_map_done) struct boot_map map = {.known = true};
	CLEANUP(range_set_done) struct range_set parts = {0}, none = {0};
	struct bytes table = cedt_of(machine, 3);

	(void)state;
	assert_int_equal(read_cedt(&table, table.n, &cedt), 0);
	append(&map, span(MIB, 32 * GIB), BOOT_SOURCE_BOOT_PARAMS); /* it only touches */
	append(&map, span(64 * GIB + 256 * MIB, 64 * GIB + 512 * MIB), BOOT_SOURCE_CONFIGURATION);
	assert_int_equal(cedt_find_boot_ram(&cedt, &map, &none), 0);
	assert_int_equal(none.n, 0);
	append(&map, span(40 * GIB, 64 * GIB + 128 * MIB), BOOT_SOURCE_MEMBLOCK);
	append(&map, span(0x5000000000, 0x5030000001), BOOT_SOURCE_FIRMWARE_MEMMAP);
	assert_int_equal(cedt_find_boot_ram(&cedt, &map, &parts), 0);
	assert_set_equal(&parts, {40 * GIB, 48 * GIB}, {64 * GIB, 64 * GIB + 128 * MIB},
		{0x5000000000, 0x5030000000});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_restrictions),
		cmocka_unit_test(test_host_bridges),
		cmocka_unit_test(test_every_ways),
		cmocka_unit_test(test_every_arithmetic),
		cmocka_unit_test(test_every_granularity),
		cmocka_unit_test(test_targets_missing),
		cmocka_unit_test(test_short_entry),
		cmocka_unit_test(test_bad_ranges),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_boot_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
