/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices: copies, equality, the part of a run that was decided, and the names of types and
 * drivers.
 */
#include "tests/unit/fixture.h"

#include <errno.h>
#include <string.h>

#include "tdxo/memory/device_index.h"
#include "tests/unit/short_memory.h"

static struct range low[] = {{0, 10}}, longer[] = {{0, 12}}, both[] = {{0, 10}, {20, 30}};
static struct range moved[] = {{0, 10}, {20, 31}}, turned[] = {{20, 30}, {0, 10}};

#define DAX(dax_name, dax_ranges, ...)                                                             \
	{                                                                                          \
		.name = (dax_name), .size = 20, .ranges = (dax_ranges),                            \
		.n_ranges = ARRAY_SIZE(dax_ranges), ##__VA_ARGS__                                  \
	}
#define BLOCKS(blocks_type, blocks_size, blocks_ranges)                                            \
	{                                                                                          \
		.type = (blocks_type), .size = (blocks_size), .ranges = (blocks_ranges),           \
		.n_ranges = 1                                                                      \
	}

/*
 * A dax device or DIMM is decided as a whole: one with another address, size or name is another
 * device.
 */
static void test_whole_devices(void **state)
{
	static const struct device dax0 = DAX("dax0.0", both);
	static const struct device dax1 = DAX("dax1.0", both);
	static const struct device bound = DAX("dax0.0", both, .driver = DAX_DRIVER_KMEM);
	static const struct device reborn = DAX("dax0.0", both, .identity = 1);
	static const struct device grown = DAX("dax0.0", moved);
	static const struct device halved = DAX("dax0.0", low);
	static const struct device other_order = DAX("dax0.0", turned);
	static const struct device lost0 = {.name = "dax0.0", .size = 20};
	static const struct device lost1 = {.name = "dax1.0", .size = 20};
	static const struct device dimm = BLOCKS(TYPE_DIMM, 10, low);
	static const struct device long_dimm = BLOCKS(TYPE_DIMM, 12, longer);
	static const struct device run = BLOCKS(TYPE_UNKNOWN, 10, low);
	static const struct {
		const struct device *one, *other;
		bool same;
	} rows[] = {
		{&dax0, &dax0, true},
		{&dax0, &bound, true},
		{&dax0, &dax1, false},
		{&dax0, &grown, false},
		{&dax0, &halved, false},
		{&halved, &dax0, false},
		{&dax0, &other_order, false},
		{&dax0, &reborn, false},
		{&dax0, &lost0, false},
		{&lost0, &dax0, false},
		{&lost0, &lost0, true},
		{&lost0, &lost1, false},
		{&dimm, &dimm, true},
		{&dimm, &long_dimm, false},
		{&long_dimm, &dimm, false},
		{&dimm, &halved, false},
		{&dimm, &run, false},
		{&run, &dimm, false},
		{&halved, &run, false},
		{&run, &halved, false},
		{&lost0, &run, false},
		{&run, &lost0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct device one = *rows[i].one, other = *rows[i].other;
		const struct devices ones = {&one, 1}, others = {&other, 1};
		CLEANUP(devices_done) struct devices fresh = {0}, left = {0};

		assert_int_equal(devices_undecided(&ones, &others, &fresh), 0);
		assert_int_equal(devices_remaining(&ones, &others, &left), 0);
		if (fresh.n != !rows[i].same || left.n != rows[i].same ||
			device_is_within(&one, &other) != rows[i].same)
			fail_msg("row %zu: %zu undecided, %zu remain", i, fresh.n, left.n);
		one = fresh.n ? fresh.items[0] : left.items[0];
		assert_true(device_is_within(rows[i].one, &one));
		assert_int_equal(one.driver, rows[i].one->driver);
		assert_int_equal(one.size, rows[i].one->size);
	}
}

/* Only a run of blocks has parts that are within it; a dax device and a DIMM have none. */
static void test_within(void **state)
{
	struct range eight = {8, 16};
	const struct device run = {.ranges = &eight, .n_ranges = 1};
	const struct device dimm = {.type = TYPE_DIMM, .ranges = &eight, .n_ranges = 1};
	const struct device dax = {.name = "dax0.0", .ranges = &eight, .n_ranges = 1};
	static const struct {
		struct range range;
		bool within;
	} rows[] = {
		{{8, 16}, true},
		{{8, 9}, true},
		{{15, 16}, true},
		{{10, 12}, true},
		{{7, 16}, false},
		{{8, 17}, false},
		{{4, 8}, false},
		{{16, 17}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct device part = run, piece = dimm, slice = dax;
		bool same = range_equal(rows[i].range, eight);
		struct range range = rows[i].range;

		part.ranges = piece.ranges = slice.ranges = &range;
		part.type = TYPE_VIRTIO_MEM;
		assert_int_equal(device_is_within(&part, &run), rows[i].within);
		assert_int_equal(device_is_within(&piece, &dimm), same);
		assert_int_equal(device_is_within(&slice, &dax), same);
		assert_false(device_is_within(&slice, &run));
		assert_false(device_is_within(&part, &dax));
		assert_false(device_is_within(&piece, &run));
		assert_false(device_is_within(&part, &dimm));
	}
}

static void test_overlaps(void **state)
{
	static const struct device device = DAX("dax0.0", both);
	static const struct device nowhere = {.name = "dax0.0", .size = 20};
	static const struct {
		struct range range;
		bool overlaps;
	} rows[] = {
		{{0, 1}, true},
		{{9, 10}, true},
		{{10, 20}, false},
		{{10, 21}, true},
		{{29, 40}, true},
		{{30, 40}, false},
		{{0, 100}, true},
		{{5, 5}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(device_overlaps(&device, rows[i].range), rows[i].overlaps);
		assert_false(device_overlaps(&nowhere, rows[i].range));
	}
	assert_true(device_lies_at(&device, both, 2));
	assert_false(device_lies_at(&device, both, 1));
	assert_false(device_lies_at(&device, moved, 2));
	assert_false(device_lies_at(&device, both, 0));
	assert_true(device_lies_at(&nowhere, NULL, 0));
}

/* A copy has its own ranges; devices_add() takes those of its argument. */
static void test_copy(void **state)
{
	static const struct device device =
		DAX("dax0.0", both, .type = TYPE_HMEM, .region = "region3", .identity = 7,
			.driver = DAX_DRIVER_KMEM, .node = 2, .present = true);
	CLEANUP(device_done) struct device copy = {0};
	CLEANUP(devices_done) struct devices devices = {0};
	struct range *ranges;

	(void)state;
	assert_int_equal(device_copy(&device, &copy), 0);
	assert_true(device_is_within(&copy, &device));
	assert_ptr_not_equal(copy.ranges, device.ranges);
	assert_string_equal(copy.region, "region3");
	assert_int_equal(copy.type, TYPE_HMEM);
	assert_int_equal(copy.driver, DAX_DRIVER_KMEM);
	assert_int_equal(copy.node, 2);
	assert_int_equal(copy.size, 20);
	assert_true(copy.present);
	ranges = copy.ranges;
	assert_int_equal(devices_add(&devices, &copy), 0);
	assert_ptr_equal(devices.items[0].ranges, ranges);
	assert_null(copy.ranges);
	assert_int_equal(copy.n_ranges, 0);
	assert_string_equal(copy.name, "");
	assert_int_equal(devices_add_copy(&devices, &device), 0);
	assert_int_equal(devices.n, 2);
	assert_ptr_not_equal(devices.items[1].ranges, device.ranges);
	assert_ptr_not_equal(devices.items[1].ranges, ranges);
	assert_true(device_is_within(&devices.items[1], &devices.items[0]));
	for (int again = 0; again < 2; again++) {
		devices_done(&devices);
		assert_null(devices.items);
		assert_int_equal(devices.n, 0);
	}
}

/* If devices_add() fails, the caller still owns the device. */
static void test_add_short_memory(void **state)
{
	static const struct device device = DAX("dax0.0", both);
	CLEANUP(device_done) struct device copy = {0};
	CLEANUP(devices_done) struct devices devices = {0};
	int r = -ENOMEM, refused = 0;

	(void)state;
	assert_int_equal(device_copy(&device, &copy), 0);
	allocations_left = 0;
	assert_int_equal(devices_add(&devices, &copy), -ENOMEM);
	allocations_left = -1;
	assert_true(device_is_within(&copy, &device));
	for (int allowed = 0; r < 0; allowed++) {
		allocations_left = allowed;
		r = devices_add_copy(&devices, &device);
		allocations_left = -1;
		assert_int_equal(devices.n, r < 0 ? 0 : 1);
		refused += r < 0;
	}
	assert_true(refused > 0);
}

static size_t cells_of(const struct devices *devices, bool cells[32])
{
	size_t n = 0;

	for (size_t i = 0; i < devices->n; i++) {
		const struct device *device = &devices->items[i];

		assert_int_equal(device->n_ranges, 1);
		assert_false(range_is_empty(device->ranges[0]));
		assert_int_equal(device->size, range_size(device->ranges[0]));
		for (uint64_t c = device->ranges[0].start; c < device->ranges[0].end; c++, n++) {
			assert_false(cells[c]);
			cells[c] = true;
		}
	}
	return n;
}

static void random_runs(struct devices *runs, uint64_t *seed)
{
	for (uint64_t at = below(seed, 4); at < 32;) {
		uint64_t end = at + 1 + below(seed, 32 - at < 9 ? 32 - at : 9);
		struct range range = {at, end};
		const struct device run = {.size = end - at, .ranges = &range, .n_ranges = 1};

		assert_int_equal(devices_add_copy(runs, &run), 0);
		at = end + below(seed, 5);
	}
}

/* Random runs, cell by cell: undecided is in `all` only, remaining is in both. */
static void test_algebra(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		CLEANUP(devices_done) struct devices all = {0}, decided = {0};
		CLEANUP(devices_done) struct devices fresh = {0}, left = {0};
		bool in_all[32] = {false}, in_decided[32] = {false};
		bool in_fresh[32] = {false}, in_left[32] = {false};

		random_runs(&all, &seed);
		random_runs(&decided, &seed);
		assert_int_equal(devices_undecided(&all, &decided, &fresh), 0);
		assert_int_equal(devices_remaining(&decided, &all, &left), 0);
		cells_of(&decided, in_decided);
		cells_of(&fresh, in_fresh);
		cells_of(&left, in_left);
		assert_int_equal(cells_of(&all, in_all),
			cells_of(&fresh, (bool[32]){false}) + cells_of(&left, (bool[32]){false}));
		for (size_t c = 0; c < 32; c++) {
			assert_int_equal(in_fresh[c], in_all[c] && !in_decided[c]);
			assert_int_equal(in_left[c], in_all[c] && in_decided[c]);
		}
	}
}

static void test_types(void **state)
{
	static const char *const types[] = {"unknown", "cxl", "hmem", "pmem", "dimm", "virtio-mem"};
	static const char *const bad[] = {"", "CXL", "cxl ", "virtio_mem", "virtio"};
	enum device_type type = TYPE_DIMM;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(device_type_from_string(bad[i], &type), -EINVAL);
	assert_int_equal(type, TYPE_DIMM);
	assert_int_equal(ARRAY_SIZE(types), TYPE_MAX);
	for (enum device_type c = 0; c < TYPE_MAX; c++) {
		assert_string_equal(device_type_to_string(c), types[c]);
		assert_int_equal(device_type_from_string(types[c], &type), 0);
		assert_int_equal(type, c);
	}
}

/* The names of the drivers in sysfs, and none for a device without a driver. */
static void test_drivers(void **state)
{
	static const char *const names[] = {NULL, "kmem", "device_dax", "fsdev_dax", "other"};
	static const char *const bad[] = {"", "KMEM", "device-dax", "dax", "kmem\n"};
	enum dax_driver driver = DAX_DRIVER_FSDEV;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(dax_driver_from_string(bad[i], &driver), -EINVAL);
	assert_int_equal(driver, DAX_DRIVER_FSDEV);
	assert_int_equal(ARRAY_SIZE(names), DAX_DRIVER_MAX);
	assert_null(dax_driver_to_string(DAX_DRIVER_NONE));
	for (enum dax_driver d = DAX_DRIVER_KMEM; d < DAX_DRIVER_MAX; d++) {
		assert_string_equal(dax_driver_to_string(d), names[d]);
		assert_int_equal(dax_driver_from_string(names[d], &driver), 0);
		assert_int_equal(driver, d);
	}
}

/* The modes of daxctl: the values of a rule's key, and all except the first those of a record. */
static void test_modes(void **state)
{
	static const char *const names[] = {"none", "system-ram", "devdax", "famfs", "other"};
	static const char *const bad[] = {"", "kmem", "device_dax", "Devdax", "devdax\n"};
	enum dax_driver driver = DAX_DRIVER_FSDEV;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(dax_mode_from_string(bad[i], &driver), -EINVAL);
	assert_int_equal(driver, DAX_DRIVER_FSDEV);
	assert_int_equal(ARRAY_SIZE(names), DAX_DRIVER_MAX);
	for (enum dax_driver d = 0; d < DAX_DRIVER_MAX; d++) {
		assert_string_equal(dax_mode_to_string(d), names[d]);
		assert_int_equal(dax_mode_from_string(names[d], &driver), 0);
		assert_int_equal(driver, d);
	}
}

static void test_format(void **state)
{
	static const struct device dax = DAX("dax0.0", both);
	static const struct device run = BLOCKS(TYPE_UNKNOWN, 10, low);
	static const struct device placeless = {.type = TYPE_DIMM};
	char buf[RANGE_TEXT];

	(void)state;
	assert_string_equal(device_format(&dax, buf), "dax0.0");
	assert_string_equal(device_format(&run, buf), "[mem 0x0-0x9]");
	assert_string_equal(device_format(&placeless, buf), "");
}

/* Of a run that has grown only what was there is the same; a dax device is as it is now. */
static void test_find_now(void **state)
{
	static struct device items[] = {
		DAX("dax0.0", moved, .driver = DAX_DRIVER_KMEM), BLOCKS(TYPE_UNKNOWN, 12, longer)};
	static struct range before[] = {{0, 10}, {20, 31}};
	static const struct device dax = DAX("dax0.0", before);
	static const struct device run = BLOCKS(TYPE_UNKNOWN, 10, low);
	static const struct device gone = DAX("dax1.0", both);
	const struct devices all = {items, ARRAY_SIZE(items)};
	CLEANUP(device_index_done) struct device_index index = {0};
	struct device now;

	(void)state;
	assert_int_equal(device_index_of(&all, &index), 0);
	assert_false(device_index_find_now(&index, &gone, &now));
	assert_true(device_index_find_now(&index, &dax, &now));
	assert_int_equal(now.driver, DAX_DRIVER_KMEM);
	assert_ptr_equal(now.ranges, moved);
	assert_true(device_index_find_now(&index, &run, &now));
	assert_ptr_equal(now.ranges, low);
	assert_int_equal(now.size, 10);
}

static void test_dax_paths(void **state)
{
	static const struct {
		const char *path;
		enum device_type type;
	} rows[] = {
		{"/devices/platform/ACPI0017:00/root0/decoder0.0/region0/dax_region0/dax0.0",
			TYPE_CXL},
		{"/devices/platform/hmem.0/dax0.0", TYPE_HMEM},
		{"/devices/platform/hmem.12/dax12.0", TYPE_HMEM},
		{"/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0012:00/ndbus0/region1/dax1.0/dax1.0",
			TYPE_PMEM},
		{"/devices/platform/e820_pmem/ndbus0/region0/dax0.1/dax0.0", TYPE_PMEM},
		{"/devices/platform/ACPI0017:00/nvdimm-bridge0/ndbus0/region0/dax0.0/dax0.0",
			TYPE_PMEM},
		{"/devices/platform/acme/dax0.0", TYPE_UNKNOWN},
		{"", TYPE_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(device_type_of_dax_path(rows[i].path), rows[i].type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_devices),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_add_short_memory),
		cmocka_unit_test(test_algebra),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_find_now),
		cmocka_unit_test(test_dax_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
