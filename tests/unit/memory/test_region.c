/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL regions: the region of a device, and the type of memory without a dax device in a region.
 */
#include "tests/unit/fixture.h"

#include <errno.h>

#include "tests/unit/short_memory.h"

static struct region items[] = {
	{"region3", {16 * GIB, 24 * GIB}},
	{"region1", {8 * GIB, 12 * GIB}},
	{"region2", {12 * GIB, 16 * GIB}},
};
static const struct {
	struct range ranges[2];
	size_t n;
	const char *region; /* NULL: none */
} rows[] = {
	{{{8 * GIB, 12 * GIB}}, 1, "region1"},
	{{{9 * GIB, 10 * GIB}}, 1, "region1"},
	{{{8 * GIB, 9 * GIB}, {11 * GIB, 12 * GIB}}, 2, "region1"},
	{{{16 * GIB, 17 * GIB}, {23 * GIB, 24 * GIB}}, 2, "region3"},
	/* in two regions, or beyond the end of one */
	{{{8 * GIB, 9 * GIB}, {12 * GIB, 13 * GIB}}, 2, NULL},
	{{{8 * GIB, 16 * GIB}}, 1, NULL},
	{{{8 * GIB, 9 * GIB}, {32 * GIB, 33 * GIB}}, 2, NULL},
	{{{8 * GIB - BLOCK, 9 * GIB}}, 1, NULL},
	{{{23 * GIB, 24 * GIB + BLOCK}}, 1, NULL},
	{{{4 * GIB, 5 * GIB}}, 1, NULL},
	/* its address is not known */
	{{{0, 0}}, 0, NULL},
};

/* Added in the order in which they are listed, then sorted. */
static void add_all(struct regions *regions)
{
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		assert_int_equal(array_append(regions->items, regions->n, items[i]), 0);
	regions_sort(regions);
}

static void test_find(void **state)
{
	CLEANUP(regions_done) struct regions all = {0};
	const struct regions none = {0};

	(void)state;
	add_all(&all);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct range ranges[] = {rows[i].ranges[0], rows[i].ranges[1]};
		const struct device device = {.ranges = ranges, .n_ranges = rows[i].n};
		const struct region *region = regions_find(&all, &device);

		if (!rows[i].region && region)
			fail_msg("row %zu: %s", i, region->name);
		if (rows[i].region && (!region || strcmp(region->name, rows[i].region) != 0))
			fail_msg("row %zu: not %s", i, rows[i].region);
		assert_null(regions_find(&none, &device));
	}
}

/* A machine with RAM below 4 GiB and three regions. */
static void init(struct snapshot *snapshot)
{
	*snapshot = (struct snapshot){.block_size = BLOCK, .boot_map.known = true};
	add_region(&snapshot->boot_map, span(0, 4 * GIB), BOOT_SOURCE_BOOT_PARAMS);
	add_all(&snapshot->regions);
}

static void assert_device(const struct devices *found, size_t i, enum device_type type,
	struct range range, const char *region)
{
	assert_true(i < found->n);
	assert_int_equal(found->items[i].type, type);
	assert_true(device_lies_at(&found->items[i], &range, 1));
	assert_string_equal(found->items[i].region, region);
}

/* A parent that is a region precedes the addresses; the type depends on the parent only. */
static void test_dax(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices found = {0};
	struct device *dax;

	(void)state;
	init(&snapshot);
	add_mapping(add_dax(&snapshot, "dax0.0", TYPE_HMEM), span(8 * GIB, 9 * GIB));
	dax = add_dax(&snapshot, "dax1.0", TYPE_CXL);
	snprintf(dax->region, sizeof(dax->region), "region7");
	add_mapping(dax, span(12 * GIB, 13 * GIB));
	add_mapping(add_dax(&snapshot, "dax2.0", TYPE_PMEM), span(16 * GIB, 17 * GIB));
	add_mapping(add_dax(&snapshot, "dax3.0", TYPE_UNKNOWN), span(17 * GIB, 18 * GIB));
	add_mapping(add_dax(&snapshot, "dax4.0", TYPE_HMEM), span(23 * GIB, 25 * GIB));
	add_dimm(&snapshot, span(20 * GIB, 21 * GIB));
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 6);
	assert_device(&found, 0, TYPE_HMEM, span(8 * GIB, 9 * GIB), "region1");
	assert_device(&found, 1, TYPE_CXL, span(12 * GIB, 13 * GIB), "region7");
	assert_device(&found, 2, TYPE_PMEM, span(16 * GIB, 17 * GIB), "region3");
	assert_device(&found, 3, TYPE_UNKNOWN, span(17 * GIB, 18 * GIB), "region3");
	assert_device(&found, 4, TYPE_DIMM, span(20 * GIB, 21 * GIB), "region3");
	assert_device(&found, 5, TYPE_HMEM, span(23 * GIB, 25 * GIB), "");
}

/* Blocks without a dax device: one run for each region, also if regions touch. */
static void test_runs(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices found = {0}, fresh = {0};

	(void)state;
	init(&snapshot);
	add_block_ids(&snapshot, span(7 * GIB, 17 * GIB));
	add_mapping(add_dax(&snapshot, "dax0.0", TYPE_HMEM), span(10 * GIB, 11 * GIB));
	for (int virtio_mem = 0; virtio_mem < 2; virtio_mem++) {
		devices_done(&found);
		snapshot.virtio_mem = virtio_mem;
		assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
		assert_int_equal(found.n, 6);
		assert_device(&found, 0, virtio_mem ? TYPE_VIRTIO_MEM : TYPE_UNKNOWN,
			span(7 * GIB, 8 * GIB), "");
		assert_device(&found, 1, TYPE_CXL, span(8 * GIB, 10 * GIB), "region1");
		assert_device(&found, 2, TYPE_HMEM, span(10 * GIB, 11 * GIB), "region1");
		assert_device(&found, 3, TYPE_CXL, span(11 * GIB, 12 * GIB), "region1");
		assert_device(&found, 4, TYPE_CXL, span(12 * GIB, 16 * GIB), "region2");
		assert_device(&found, 5, TYPE_CXL, span(16 * GIB, 17 * GIB), "region3");
	}

	/* It grows: the new part is in the region, and the old part stays decided. */
	add_block_ids(&snapshot, span(17 * GIB, 18 * GIB));
	{
		CLEANUP(devices_done) struct devices now = {0};

		assert_int_equal(devices_find(&snapshot, NULL, &now), 0);
		assert_int_equal(devices_undecided(&now, &found, &fresh), 0);
	}
	assert_int_equal(fresh.n, 1);
	assert_device(&fresh, 0, TYPE_CXL, span(17 * GIB, 18 * GIB), "region3");
}

/* A block at the end of a region that is not wholly in it. */
static void test_edges(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices found = {0};

	(void)state;
	init(&snapshot);
	snapshot.regions.n = 1;
	snapshot.regions.items[0].range = span(8 * GIB + BLOCK / 2, 9 * GIB + BLOCK / 2);
	add_block_ids(&snapshot, span(8 * GIB, 9 * GIB + BLOCK));
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 3);
	assert_device(&found, 0, TYPE_UNKNOWN, span(8 * GIB, 8 * GIB + BLOCK), "");
	assert_device(&found, 1, TYPE_CXL, span(8 * GIB + BLOCK, 9 * GIB), "region1");
	assert_device(&found, 2, TYPE_UNKNOWN, span(9 * GIB, 9 * GIB + BLOCK), "");
	/* A region that is smaller than a block. */
	devices_done(&found);
	snapshot.regions.items[0].range = span(8 * GIB + BLOCK / 2, 8 * GIB + BLOCK);
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 1);
	assert_device(&found, 0, TYPE_UNKNOWN, span(8 * GIB, 9 * GIB + BLOCK), "");
}

static void test_short_memory(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	int r = -ENOMEM;

	(void)state;
	init(&snapshot);
	add_block_ids(&snapshot, span(7 * GIB, 17 * GIB));
	for (int allowed = 0; r < 0; allowed++) {
		CLEANUP(devices_done) struct devices found = {0};

		allocations_left = allowed;
		r = devices_find(&snapshot, NULL, &found);
		allocations_left = -1;
		assert_true(r == 0 || r == -ENOMEM);
		assert_int_equal(found.n, r < 0 ? 0 : 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_dax),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
