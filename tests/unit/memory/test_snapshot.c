/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The snapshot and the simple questions to it: blocks by number, counts of the blocks wholly
 * within a range, devices by name, and the type of a device by its place in the tree.
 */
#include "tests/unit/fixture.h"

#include <errno.h>
#include <string.h>

static void test_blocks(void **state)
{
	static const uint64_t ids[] = {7, 3, UINT64_MAX, 0, 512, 4, 6};
	CLEANUP(blocks_done) struct blocks blocks = {0};

	(void)state;
	assert_null(blocks_find(&blocks, 0));
	blocks_sort(&blocks);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(blocks_append(&blocks, ids[i]), 0);
	blocks_sort(&blocks);
	assert_int_equal(blocks.n, ARRAY_SIZE(ids));
	for (size_t i = 1; i < blocks.n; i++)
		assert_true(blocks.blocks[i - 1].id < blocks.blocks[i].id);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_non_null(blocks_find(&blocks, ids[i]));
		assert_int_equal(blocks_find(&blocks, ids[i])->id, ids[i]);
		assert_int_equal(blocks_find(&blocks, ids[i])->state, BLOCK_UNREAD);
	}
	assert_null(blocks_find(&blocks, 5));
	assert_null(blocks_find(&blocks, 513));
	blocks_done(&blocks);
	assert_int_equal(blocks.n, 0);
	blocks_done(&blocks);
}

static void assert_count(const struct snapshot *snapshot, struct range range, uint64_t present,
	uint64_t online, uint64_t unread)
{
	struct block_count count = snapshot_count(snapshot, range);

	assert_int_equal(count.present, present);
	assert_int_equal(count.online, online);
	assert_int_equal(count.unread, unread);
}

/* Blocks 8 and 9 are offline, 10 is online, 12 unread; 11 and 13 are not there. */
static void test_count(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};

	(void)state;
	add_blocks(&snapshot, span(8 * BLOCK, 10 * BLOCK), BLOCK_OFFLINE);
	add_blocks(&snapshot, span(10 * BLOCK, 11 * BLOCK), BLOCK_ONLINE);
	add_blocks(&snapshot, span(12 * BLOCK, 13 * BLOCK), BLOCK_UNREAD);
	assert_count(&snapshot, span(0, UINT64_MAX), 4, 1, 1);
	/* What is going offline is online until it is not. */
	blocks_find(&snapshot.blocks, 9)->state = BLOCK_GOING_OFFLINE;
	assert_count(&snapshot, span(0, UINT64_MAX), 4, 2, 1);
	blocks_find(&snapshot.blocks, 9)->state = BLOCK_OFFLINE;
	assert_count(&snapshot, span(8 * BLOCK, 14 * BLOCK), 4, 1, 1);
	assert_count(&snapshot, span(8 * BLOCK, 10 * BLOCK), 2, 0, 0);
	assert_count(&snapshot, span(8 * BLOCK + 1, 11 * BLOCK), 2, 1, 0);
	assert_count(&snapshot, span(8 * BLOCK, 11 * BLOCK - 1), 2, 0, 0);
	assert_count(&snapshot, span(12 * BLOCK, 13 * BLOCK), 1, 0, 1);
	assert_count(&snapshot, span(13 * BLOCK, 20 * BLOCK), 0, 0, 0);
	assert_count(&snapshot, span(0, 0), 0, 0, 0);
}

static void test_room(void **state)
{
	const struct snapshot snapshot = {.block_size = BLOCK};

	(void)state;
	assert_int_equal(snapshot_block_room(&snapshot, span(0, BLOCK)), 1);
	assert_int_equal(snapshot_block_room(&snapshot, span(4 * GIB, 68 * GIB)), 512);
	assert_int_equal(snapshot_block_room(&snapshot, span(1, 2 * BLOCK)), 1);
	assert_int_equal(snapshot_block_room(&snapshot, span(1, 2 * BLOCK - 1)), 0);
	assert_int_equal(snapshot_block_room(&snapshot, span(BLOCK - 1, 2 * BLOCK + 1)), 1);
	assert_int_equal(snapshot_block_room(&snapshot, span(0, 0)), 0);
	assert_int_equal(snapshot_block_room(&snapshot, span(UINT64_MAX - 1, UINT64_MAX)), 0);
}

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
	snapshot_forget_dax(&snapshot);
	assert_null(snapshot_find_dax(&snapshot, "dax0.1"));
}

/* Devices and DIMMs are read at each look; the rest stays until it is replaced. */
static void test_forget(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};

	(void)state;
	snapshot.tdx.state = TDX_ARMED;
	snapshot.boot_map.known = true;
	add_region(&snapshot, span(MIB, 4 * GIB), BOOT_SOURCE_MEMBLOCK);
	for (int look = 0; look < 2; look++) {
		add_mapping(add_dax(&snapshot, "dax0.0", TYPE_CXL), span(8 * GIB, 9 * GIB));
		add_dimm(&snapshot, span(4 * GIB, 5 * GIB));
		add_blocks(&snapshot, span(4 * GIB, 5 * GIB), BLOCK_OFFLINE);
		snapshot_forget_devices(&snapshot);
		assert_int_equal(snapshot.n_dax + snapshot.n_dimms, 0);
		assert_int_equal(snapshot.blocks.n, 8);
		blocks_done(&snapshot.blocks);
	}
	assert_int_equal(snapshot.block_size, BLOCK);
	assert_int_equal(snapshot.tdx.state, TDX_ARMED);
	assert_true(snapshot.boot_map.known);
	assert_int_equal(snapshot.boot_map.n, 1);
	snapshot_done(&snapshot);
	assert_int_equal(snapshot.boot_map.n, 0);
}

static void test_names(void **state)
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

/* The names that the drivers have in sysfs; no driver has none. */
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

/* daxctl's words: the keys of a rule, and all but the first the mode of a record. */
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
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_find_dax),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_dax_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
