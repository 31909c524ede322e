/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices: dax devices, DIMMs and other blocks that are found in a snapshot, and the difference
 * between decided and new ones.
 */
#include "tests/unit/fixture.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/short_memory.h"

/* A machine with RAM below 4 GiB and all of its blocks. */
static void init(struct snapshot *snapshot)
{
	*snapshot = (struct snapshot){.block_size = BLOCK, .boot_map.known = true};
	add_region(&snapshot->boot_map, span(MIB, 4 * GIB), BOOT_SOURCE_BOOT_PARAMS);
	add_block_ids(snapshot, span(0, 4 * GIB));
}

static void assert_device(const struct devices *devices, size_t i, enum device_type type,
	const char *name, const struct range *ranges, size_t n)
{
	const struct device *device = &devices->items[i];
	uint64_t size = 0;

	assert_true(i < devices->n);
	assert_int_equal(device->type, type);
	assert_string_equal(device->name, name);
	assert_int_equal(device_is_dax(device), *name != '\0');
	assert_int_equal(device->n_ranges, n);
	for (size_t r = 0; r < n; r++) {
		assert_range_equal(device->ranges[r], ranges[r]);
		size += range_size(ranges[r]);
	}
	assert_true(device_lies_at(device, ranges, n));
	if (n)
		assert_int_equal(device->size, size);
}

#define assert_lies_at(devices, i, type, name, ...)                                                \
	do {                                                                                       \
		const struct range wants_[] = {__VA_ARGS__};                                       \
		assert_device(devices, i, type, name, wants_, ARRAY_SIZE(wants_));                 \
	} while (0)

static void test_no_devices(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices found = {0};

	(void)state;
	init(&snapshot);
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 0);
	assert_int_equal(devices_find(&snapshot, &snapshot.blocks, &found), 0);
	assert_int_equal(found.n, 0);
}

/* A device is listed once, with all its ranges, by the address of the first one. */
static void test_dax(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices found = {0};
	struct device *dax;

	(void)state;
	init(&snapshot);
	dax = add_dax(&snapshot, "dax0.0", TYPE_PMEM);
	add_mapping(dax, span(16 * GIB, 20 * GIB));
	dax = add_dax(&snapshot, "dax1.0", TYPE_CXL);
	strcpy(dax->region, "region1");
	dax->identity = 42;
	dax->driver = DAX_DRIVER_KMEM;
	add_mapping(dax, span(8 * GIB, 12 * GIB));
	add_mapping(dax, span(32 * GIB, 40 * GIB));
	/* Blocks in a range of a dax device are not a run. */
	add_block_ids(&snapshot, span(32 * GIB, 33 * GIB));
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 2);
	assert_lies_at(&found, 0, TYPE_CXL, "dax1.0", {8 * GIB, 12 * GIB}, {32 * GIB, 40 * GIB});
	assert_lies_at(&found, 1, TYPE_PMEM, "dax0.0", {16 * GIB, 20 * GIB});
	for (size_t i = 0; i < found.n; i++) {
		assert_int_equal(found.items[i].node, 1);
		assert_false(found.items[i].present); /* the daemon sets it */
	}
	assert_string_equal(found.items[0].region, "region1");
	assert_string_equal(found.items[1].region, "");
	assert_int_equal(found.items[0].identity, 42);
	assert_int_equal(found.items[1].identity, 0);
	assert_int_equal(found.items[0].driver, DAX_DRIVER_KMEM);
	assert_int_equal(found.items[1].driver, DAX_DRIVER_NONE);
	/* The result is a copy. */
	assert_ptr_not_equal(found.items[1].ranges, snapshot.dax.items[0].ranges);
}

static void test_faults(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices found = {0};
	struct device *dax;

	(void)state;
	init(&snapshot);
	/* A seed device, which has no size yet. */
	add_dax(&snapshot, "dax0.0", TYPE_CXL);
	dax = add_dax(&snapshot, "dax3.0", TYPE_HMEM);
	dax->node = NODE_UNKNOWN;
	add_mapping(dax, span(8 * GIB, 9 * GIB));
	add_mapping(dax, span(10 * GIB, 11 * GIB));
	/* Devices with a known size and unknown addresses. */
	dax = add_dax(&snapshot, "dax2.0", TYPE_HMEM);
	dax->size = 8 * GIB;
	dax = add_dax(&snapshot, "dax1.0", TYPE_HMEM);
	dax->size = 16 * GIB;
	dax->node = NODE_UNKNOWN;
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 3);
	assert_device(&found, 0, TYPE_HMEM, "dax1.0", NULL, 0);
	assert_int_equal(found.items[0].size, 16 * GIB);
	assert_int_equal(found.items[0].node, NODE_UNKNOWN);
	assert_device(&found, 1, TYPE_HMEM, "dax2.0", NULL, 0);
	assert_int_equal(found.items[1].size, 8 * GIB);
	assert_int_equal(found.items[1].node, 1);
	assert_lies_at(&found, 2, TYPE_HMEM, "dax3.0", {8 * GIB, 9 * GIB}, {10 * GIB, 11 * GIB});
	assert_int_equal(found.items[2].node, NODE_UNKNOWN);
}

/*
 * Blocks are not a run if they may be of a device whose ranges cannot be read. DIMMs and devices
 * with known ranges are found.
 */
static void test_unreadable_device(void **state)
{
	static const struct {
		enum dax_driver driver;
		bool incomplete, run;
	} rows[] = {
		{DAX_DRIVER_NONE, false, true},
		{DAX_DRIVER_DEVICE_DAX, false, true},
		{DAX_DRIVER_KMEM, false, false},
		{DAX_DRIVER_NONE, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(snapshot_done) struct snapshot snapshot;
		CLEANUP(devices_done) struct devices found = {0};
		struct device *dax;

		init(&snapshot);
		dax = add_dax(&snapshot, "dax0.0", TYPE_CXL);
		dax->size = GIB;
		dax->driver = rows[i].driver;
		snapshot.dax_incomplete = rows[i].incomplete;
		add_dimm(&snapshot, span(5 * GIB, 6 * GIB));
		add_block_ids(&snapshot, span(8 * GIB, 9 * GIB));
		assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
		assert_int_equal(found.n, rows[i].run ? 3 : 2);
		assert_device(&found, 0, TYPE_CXL, "dax0.0", NULL, 0);
		assert_lies_at(&found, 1, TYPE_DIMM, "", {5 * GIB, 6 * GIB});
		if (rows[i].run)
			assert_lies_at(&found, 2, TYPE_UNKNOWN, "", {8 * GIB, 9 * GIB});
	}
}

/* A DIMM is one entry of the firmware memmap, also if blocks of several DIMMs are adjacent. */
static void test_dimms_and_runs(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices found = {0};

	(void)state;
	init(&snapshot);
	add_dimm(&snapshot, span(6 * GIB, 7 * GIB));
	add_dimm(&snapshot, span(5 * GIB, 6 * GIB));
	add_block_ids(&snapshot, span(4 * GIB, 8 * GIB));
	add_block_ids(&snapshot, span(8 * GIB + BLOCK, 8 * GIB + 2 * BLOCK));
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 5);
	assert_lies_at(&found, 0, TYPE_UNKNOWN, "", {4 * GIB, 5 * GIB});
	assert_lies_at(&found, 1, TYPE_DIMM, "", {5 * GIB, 6 * GIB});
	assert_lies_at(&found, 2, TYPE_DIMM, "", {6 * GIB, 7 * GIB});
	assert_lies_at(&found, 3, TYPE_UNKNOWN, "", {7 * GIB, 8 * GIB});
	assert_lies_at(&found, 4, TYPE_UNKNOWN, "", {8 * GIB + BLOCK, 8 * GIB + 2 * BLOCK});
	for (size_t i = 0; i < found.n; i++) {
		assert_int_equal(found.items[i].node, NODE_UNKNOWN);
		assert_int_equal(found.items[i].driver, DAX_DRIVER_NONE);
		assert_int_equal(found.items[i].identity, 0);
	}
}

/* A window in CapableRanges= is not RAM at boot. */
static void test_capable_run(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices found = {0};

	(void)state;
	init(&snapshot);
	add_region(&snapshot.boot_map, span(8 * GIB, 16 * GIB), BOOT_SOURCE_CONFIGURATION);
	add_block_ids(&snapshot, span(8 * GIB, 10 * GIB));
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 1);
	assert_lies_at(&found, 0, TYPE_UNKNOWN, "", {8 * GIB, 10 * GIB});
}

/* Without a boot map blocks are not devices; dax devices and DIMMs are. */
static void test_unknown_boot_map(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};
	CLEANUP(devices_done) struct devices found = {0};

	(void)state;
	add_block_ids(&snapshot, span(0, 8 * GIB));
	add_dimm(&snapshot, span(5 * GIB, 6 * GIB));
	add_mapping(add_dax(&snapshot, "dax0.0", TYPE_HMEM), span(6 * GIB, 7 * GIB));
	assert_int_equal(devices_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 2);
	assert_lies_at(&found, 0, TYPE_DIMM, "", {5 * GIB, 6 * GIB});
	assert_lies_at(&found, 1, TYPE_HMEM, "dax0.0", {6 * GIB, 7 * GIB});
}

static void test_replugged(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(block_ids_done) struct block_ids before = {0};
	CLEANUP(devices_done) struct devices found = {0};

	(void)state;
	init(&snapshot);
	/* Blocks 6 and 7 of the boot memory were not present in the earlier snapshot. */
	for (uint64_t id = 0; id < 4 * GIB / BLOCK; id++)
		if (id != 6 && id != 7)
			assert_int_equal(block_ids_append(&before, id), 0);
	assert_int_equal(devices_find(&snapshot, &before, &found), 0);
	assert_int_equal(found.n, 1);
	assert_lies_at(&found, 0, TYPE_UNKNOWN, "", {6 * BLOCK, 8 * BLOCK});
	/* A block that is not present now is not a device. */
	devices_done(&found);
	assert_int_equal(block_ids_append(&before, 4 * GIB / BLOCK), 0);
	assert_int_equal(devices_find(&snapshot, &before, &found), 0);
	assert_int_equal(found.n, 1);
}

static void test_virtio_mem(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(devices_done) struct devices first = {0}, second = {0}, third = {0};
	CLEANUP(devices_done) struct devices fresh = {0}, left = {0};

	(void)state;
	init(&snapshot);
	snapshot.virtio_mem = true;
	add_block_ids(&snapshot, span(8 * GIB, 9 * GIB));
	assert_int_equal(devices_find(&snapshot, NULL, &first), 0);
	assert_int_equal(first.n, 1);
	assert_lies_at(&first, 0, TYPE_VIRTIO_MEM, "", {8 * GIB, 9 * GIB});

	/* It grows at both ends: only the new blocks are undecided. */
	add_block_ids(&snapshot, span(8 * GIB - BLOCK, 8 * GIB));
	add_block_ids(&snapshot, span(9 * GIB, 10 * GIB));
	assert_int_equal(devices_find(&snapshot, NULL, &second), 0);
	assert_int_equal(second.n, 1);
	assert_int_equal(devices_undecided(&second, &first, &fresh), 0);
	assert_int_equal(fresh.n, 2);
	assert_lies_at(&fresh, 0, TYPE_VIRTIO_MEM, "", {8 * GIB - BLOCK, 8 * GIB});
	assert_lies_at(&fresh, 1, TYPE_VIRTIO_MEM, "", {9 * GIB, 10 * GIB});

	/* Blocks in its middle are removed: the rest stays decided. */
	block_ids_done(&snapshot.blocks);
	add_block_ids(&snapshot, span(8 * GIB - BLOCK, 8 * GIB + BLOCK));
	add_block_ids(&snapshot, span(8 * GIB + 3 * BLOCK, 10 * GIB));
	assert_int_equal(devices_find(&snapshot, NULL, &third), 0);
	assert_int_equal(third.n, 2);
	assert_int_equal(devices_remaining(&first, &third, &left), 0);
	assert_int_equal(left.n, 2);
	assert_lies_at(&left, 0, TYPE_VIRTIO_MEM, "", {8 * GIB, 8 * GIB + BLOCK});
	assert_lies_at(&left, 1, TYPE_VIRTIO_MEM, "", {8 * GIB + 3 * BLOCK, 9 * GIB});
}

static void test_short_memory(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	int r = -ENOMEM;

	(void)state;
	init(&snapshot);
	add_mapping(add_dax(&snapshot, "dax0.0", TYPE_CXL), span(8 * GIB, 9 * GIB));
	add_dimm(&snapshot, span(5 * GIB, 6 * GIB));
	add_block_ids(&snapshot, span(6 * GIB, 7 * GIB));
	for (int allowed = 0; r < 0; allowed++) {
		CLEANUP(devices_done) struct devices found = {0}, fresh = {0}, left = {0};

		allocations_left = allowed;
		r = devices_find(&snapshot, NULL, &found);
		if (r == 0)
			r = devices_undecided(&found, &found, &fresh);
		if (r == 0)
			r = devices_remaining(&found, &found, &left);
		allocations_left = -1;
		assert_true(r == 0 || r == -ENOMEM);
		assert_true(found.n == 0 || found.n == 3);
		assert_int_equal(fresh.n, 0);
		assert_int_equal(left.n, r < 0 ? 0 : 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_devices),
		cmocka_unit_test(test_dax),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_unreadable_device),
		cmocka_unit_test(test_dimms_and_runs),
		cmocka_unit_test(test_capable_run),
		cmocka_unit_test(test_unknown_boot_map),
		cmocka_unit_test(test_replugged),
		cmocka_unit_test(test_virtio_mem),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
