/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arrivals: what a snapshot makes of dax devices, DIMMs and blocks that nothing explains, and
 * how ranges that were decided before are told from new ones.
 */
#include "tests/unit/fixture.h"

#include <errno.h>
#include <string.h>

#include "tdxo/memory/arrival.h"
#include "tests/unit/short_memory.h"

/* A machine with RAM below 4 GiB, all of its blocks there. */
static void init(struct snapshot *snapshot)
{
	*snapshot = (struct snapshot){.block_size = BLOCK, .boot_map.known = true};
	add_region(snapshot, span(MIB, 4 * GIB), BOOT_SOURCE_BOOT_PARAMS);
	add_blocks(snapshot, span(0, 4 * GIB), BLOCK_UNREAD);
}

static void assert_arrival(const struct arrivals *arrivals, size_t i, struct range range,
	enum device_type type, const char *device)
{
	assert_true(i < arrivals->n);
	assert_range_equal(arrivals->items[i].range, range);
	assert_int_equal(arrivals->items[i].type, type);
	assert_string_equal(arrivals->items[i].device, device);
	assert_int_equal(arrival_is_dax(&arrivals->items[i]), *device != '\0');
	if (!range_is_empty(range))
		assert_int_equal(arrivals->items[i].size, range_size(range));
}

static void test_nothing_new(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(arrivals_done) struct arrivals found = {0};

	(void)state;
	init(&snapshot);
	assert_int_equal(arrivals_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 0);
	assert_int_equal(arrivals_find(&snapshot, &snapshot.blocks, &found), 0);
	assert_int_equal(found.n, 0);
}

static void test_dax(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(arrivals_done) struct arrivals found = {0};
	struct dax_device *dax;

	(void)state;
	init(&snapshot);
	dax = add_dax(&snapshot, "dax1.0", TYPE_CXL);
	strcpy(dax->region, "region1");
	dax->identity = 42;
	dax->driver = DAX_DRIVER_KMEM;
	add_mapping(dax, span(32 * GIB, 40 * GIB));
	add_mapping(dax, span(8 * GIB, 12 * GIB));
	dax = add_dax(&snapshot, "dax0.0", TYPE_PMEM);
	add_mapping(dax, span(16 * GIB, 20 * GIB));
	/* Blocks of a device's range are explained by it, whatever their state. */
	add_blocks(&snapshot, span(32 * GIB, 33 * GIB), BLOCK_ONLINE);
	assert_int_equal(arrivals_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 3);
	assert_arrival(&found, 0, span(8 * GIB, 12 * GIB), TYPE_CXL, "dax1.0");
	assert_arrival(&found, 1, span(16 * GIB, 20 * GIB), TYPE_PMEM, "dax0.0");
	assert_arrival(&found, 2, span(32 * GIB, 40 * GIB), TYPE_CXL, "dax1.0");
	for (size_t i = 0; i < found.n; i++) {
		assert_int_equal(found.items[i].fault, FAULT_NONE);
		assert_int_equal(found.items[i].node, 1);
		assert_int_equal(found.items[i].n_memdevs, 0);
		assert_false(found.items[i].present); /* for the daemon to say */
	}
	assert_string_equal(found.items[0].region, "region1");
	assert_string_equal(found.items[1].region, "");
	assert_int_equal(found.items[0].identity, 42);
	assert_int_equal(found.items[1].identity, 0);
	assert_int_equal(found.items[2].identity, 42);
	assert_int_equal(found.items[0].driver, DAX_DRIVER_KMEM);
	assert_int_equal(found.items[1].driver, DAX_DRIVER_NONE);
}

static void test_faults(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(arrivals_done) struct arrivals found = {0};
	struct dax_device *dax;

	(void)state;
	init(&snapshot);
	/* Not set up yet: a seed device. */
	add_dax(&snapshot, "dax0.0", TYPE_CXL);
	/* Its size is known, its place is not; that also counts before the missing node. */
	dax = add_dax(&snapshot, "dax1.0", TYPE_HMEM);
	dax->size = 16 * GIB;
	dax->target_node = NODE_UNKNOWN;
	dax = add_dax(&snapshot, "dax2.0", TYPE_HMEM);
	dax->target_node = NODE_UNKNOWN;
	add_mapping(dax, span(8 * GIB, 9 * GIB));
	add_mapping(dax, span(10 * GIB, 11 * GIB));
	assert_int_equal(arrivals_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 3);
	assert_arrival(&found, 0, span(0, 0), TYPE_HMEM, "dax1.0");
	assert_int_equal(found.items[0].fault, FAULT_UNREADABLE);
	assert_int_equal(found.items[0].size, 16 * GIB);
	assert_arrival(&found, 1, span(8 * GIB, 9 * GIB), TYPE_HMEM, "dax2.0");
	assert_arrival(&found, 2, span(10 * GIB, 11 * GIB), TYPE_HMEM, "dax2.0");
	assert_int_equal(found.items[1].fault, FAULT_NO_NODE);
	assert_int_equal(found.items[2].fault, FAULT_NO_NODE);
	assert_int_equal(found.items[1].node, NODE_UNKNOWN);
}

/* A DIMM is exactly what the firmware memmap names, also where its blocks make one long run. */
static void test_dimms_and_runs(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(arrivals_done) struct arrivals found = {0};

	(void)state;
	init(&snapshot);
	add_dimm(&snapshot, span(6 * GIB, 7 * GIB));
	add_dimm(&snapshot, span(5 * GIB, 6 * GIB));
	add_blocks(&snapshot, span(4 * GIB, 8 * GIB), BLOCK_OFFLINE);
	add_blocks(&snapshot, span(8 * GIB + BLOCK, 8 * GIB + 2 * BLOCK), BLOCK_OFFLINE);
	assert_int_equal(arrivals_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 5);
	assert_arrival(&found, 0, span(4 * GIB, 5 * GIB), TYPE_UNKNOWN, "");
	assert_arrival(&found, 1, span(5 * GIB, 6 * GIB), TYPE_DIMM, "");
	assert_arrival(&found, 2, span(6 * GIB, 7 * GIB), TYPE_DIMM, "");
	assert_arrival(&found, 3, span(7 * GIB, 8 * GIB), TYPE_UNKNOWN, "");
	assert_arrival(&found, 4, span(8 * GIB + BLOCK, 8 * GIB + 2 * BLOCK), TYPE_UNKNOWN, "");
	for (size_t i = 0; i < found.n; i++) {
		assert_int_equal(found.items[i].fault, FAULT_NONE);
		assert_int_equal(found.items[i].node, NODE_UNKNOWN);
		assert_int_equal(found.items[i].driver, DAX_DRIVER_NONE);
	}
}

/* A window that the administrator asserts is no memory that was there at boot. */
static void test_capable_run(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(arrivals_done) struct arrivals found = {0};

	(void)state;
	init(&snapshot);
	add_region(&snapshot, span(8 * GIB, 16 * GIB), BOOT_SOURCE_CONFIGURATION);
	add_blocks(&snapshot, span(8 * GIB, 10 * GIB), BLOCK_OFFLINE);
	assert_int_equal(arrivals_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 1);
	assert_arrival(&found, 0, span(8 * GIB, 10 * GIB), TYPE_UNKNOWN, "");
}

/* Nothing can be said of bare blocks then; a device is an arrival by itself. */
static void test_unknown_boot_map(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};
	CLEANUP(arrivals_done) struct arrivals found = {0};

	(void)state;
	add_blocks(&snapshot, span(0, 8 * GIB), BLOCK_UNREAD);
	add_dimm(&snapshot, span(5 * GIB, 6 * GIB));
	add_mapping(add_dax(&snapshot, "dax0.0", TYPE_HMEM), span(6 * GIB, 7 * GIB));
	assert_int_equal(arrivals_find(&snapshot, NULL, &found), 0);
	assert_int_equal(found.n, 2);
	assert_arrival(&found, 0, span(5 * GIB, 6 * GIB), TYPE_DIMM, "");
	assert_arrival(&found, 1, span(6 * GIB, 7 * GIB), TYPE_HMEM, "dax0.0");
}

static void test_replugged(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(blocks_done) struct blocks before = {0};
	CLEANUP(arrivals_done) struct arrivals found = {0};

	(void)state;
	init(&snapshot);
	/* Blocks 6 and 7 of the boot memory were gone at the earlier look. */
	for (uint64_t id = 0; id < 4 * GIB / BLOCK; id++)
		if (id != 6 && id != 7)
			assert_int_equal(blocks_append(&before, id), 0);
	assert_int_equal(arrivals_find(&snapshot, &before, &found), 0);
	assert_int_equal(found.n, 1);
	assert_arrival(&found, 0, span(6 * BLOCK, 8 * BLOCK), TYPE_UNKNOWN, "");
	/* One that is gone now is no arrival. */
	arrivals_done(&found);
	assert_int_equal(blocks_append(&before, 4 * GIB / BLOCK), 0);
	assert_int_equal(arrivals_find(&snapshot, &before, &found), 0);
	assert_int_equal(found.n, 1);
}

static void test_virtio_mem(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	CLEANUP(arrivals_done) struct arrivals first = {0}, second = {0}, third = {0};
	CLEANUP(arrivals_done) struct arrivals fresh = {0}, left = {0};

	(void)state;
	init(&snapshot);
	snapshot.virtio_mem = true;
	add_blocks(&snapshot, span(8 * GIB, 9 * GIB), BLOCK_OFFLINE);
	assert_int_equal(arrivals_find(&snapshot, NULL, &first), 0);
	assert_int_equal(first.n, 1);
	assert_arrival(&first, 0, span(8 * GIB, 9 * GIB), TYPE_VIRTIO_MEM, "");

	/* It grows at both ends: only the new blocks are to be decided. */
	add_blocks(&snapshot, span(8 * GIB - BLOCK, 8 * GIB), BLOCK_OFFLINE);
	add_blocks(&snapshot, span(9 * GIB, 10 * GIB), BLOCK_OFFLINE);
	assert_int_equal(arrivals_find(&snapshot, NULL, &second), 0);
	assert_int_equal(second.n, 1);
	assert_int_equal(arrivals_undecided(&second, &first, &fresh), 0);
	assert_int_equal(fresh.n, 2);
	assert_arrival(&fresh, 0, span(8 * GIB - BLOCK, 8 * GIB), TYPE_VIRTIO_MEM, "");
	assert_arrival(&fresh, 1, span(9 * GIB, 10 * GIB), TYPE_VIRTIO_MEM, "");

	/* It shrinks in its middle: what was decided is what is left. */
	blocks_done(&snapshot.blocks);
	add_blocks(&snapshot, span(8 * GIB - BLOCK, 8 * GIB + BLOCK), BLOCK_OFFLINE);
	add_blocks(&snapshot, span(8 * GIB + 3 * BLOCK, 10 * GIB), BLOCK_OFFLINE);
	assert_int_equal(arrivals_find(&snapshot, NULL, &third), 0);
	assert_int_equal(third.n, 2);
	assert_int_equal(arrivals_remaining(&first, &third, &left), 0);
	assert_int_equal(left.n, 2);
	assert_arrival(&left, 0, span(8 * GIB, 8 * GIB + BLOCK), TYPE_VIRTIO_MEM, "");
	assert_arrival(&left, 1, span(8 * GIB + 3 * BLOCK, 9 * GIB), TYPE_VIRTIO_MEM, "");
}

/* A device or DIMM is decided as a whole: another place, extent or name is another range. */
static void test_whole_ranges(void **state)
{
	static const struct arrival dax0 = {.range = {0, 10}, .size = 10, .device = "dax0.0"};
	static const struct arrival dax1 = {.range = {0, 10}, .size = 10, .device = "dax1.0"};
	static const struct arrival moved = {.range = {0, 11}, .size = 11, .device = "dax0.0"};
	static const struct arrival reborn = {
		.range = {0, 10}, .size = 10, .device = "dax0.0", .identity = 1};
	static const struct arrival bound = {
		.range = {0, 10}, .size = 10, .device = "dax0.0", .driver = DAX_DRIVER_KMEM};
	static const struct arrival dimm = {.range = {0, 10}, .size = 10, .type = TYPE_DIMM};
	static const struct arrival longer = {.range = {0, 12}, .size = 12, .type = TYPE_DIMM};
	static const struct arrival lost0 = {
		.size = 10, .device = "dax0.0", .fault = FAULT_UNREADABLE};
	static const struct arrival lost1 = {
		.size = 10, .device = "dax1.0", .fault = FAULT_UNREADABLE};
	static const struct {
		const struct arrival *one, *other;
		bool same;
	} rows[] = {
		{&dax0, &dax0, true},
		{&dax0, &bound, true},
		{&dax0, &dax1, false},
		{&dax0, &moved, false},
		{&dax0, &reborn, false},
		{&dax0, &lost0, false},
		{&lost0, &lost0, true},
		{&lost0, &lost1, false},
		{&dimm, &dimm, true},
		{&dimm, &longer, false},
		{&dimm, &dax0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arrival one = *rows[i].one, other = *rows[i].other;
		const struct arrivals ones = {&one, 1}, others = {&other, 1};
		CLEANUP(arrivals_done) struct arrivals fresh = {0}, left = {0};

		assert_int_equal(arrivals_undecided(&ones, &others, &fresh), 0);
		assert_int_equal(fresh.n, !rows[i].same);
		assert_int_equal(arrivals_remaining(&ones, &others, &left), 0);
		assert_int_equal(left.n, rows[i].same);
		assert_int_equal(arrival_is_within(&one, &other), rows[i].same);
	}
}

/* A part of a run is within it; of a device and a DIMM there are no parts. */
static void test_within(void **state)
{
	const struct arrival run = {.range = {8, 16}}, dimm = {{8, 16}, .type = TYPE_DIMM};
	const struct arrival dax = {.range = {8, 16}, .device = "dax0.0"};
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
		struct arrival part = run, piece = dimm, slice = dax;
		bool same = range_equal(rows[i].range, run.range);

		part.range = piece.range = slice.range = rows[i].range;
		part.type = TYPE_VIRTIO_MEM;
		assert_int_equal(arrival_is_within(&part, &run), rows[i].within);
		assert_int_equal(arrival_is_within(&piece, &dimm), same);
		assert_int_equal(arrival_is_within(&slice, &dax), same);
		assert_false(arrival_is_within(&slice, &run));
		assert_false(arrival_is_within(&part, &dax));
	}
}

static void append(struct arrivals *arrivals, const char *device, uint64_t identity, uint64_t start)
{
	struct arrival arrival = {.range = {start, start + 1}, .size = 1, .identity = identity};

	snprintf(arrival.device, sizeof(arrival.device), "%s", device);
	assert_int_equal(arrivals_append(arrivals, &arrival), 0);
}

/* The starts of all ranges, in a row. */
static const char *starts_of(const struct arrivals *arrivals, char text[64])
{
	int n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < arrivals->n; i++)
		n += sprintf(text + n, " %d", (int)arrivals->items[i].range.start);
	return text;
}

/* Mappings lie anywhere among other ranges; ranges without a device have nothing in common. */
static void test_take_device(void **state)
{
	static const char *const taken[] = {" 1 4 7", " 2", " 3", " 5", " 6"};
	static const char *const rest[] = {" 2 3 5 6", " 3 5 6", " 5 6", " 6", ""};
	CLEANUP(arrivals_done) struct arrivals all = {0};
	char text[64];

	(void)state;
	append(&all, "dax0.0", 7, 1);
	append(&all, "", 0, 2);
	append(&all, "dax0.0", 8, 3); /* a device that came under the same name */
	append(&all, "dax0.0", 7, 4);
	append(&all, "", 0, 5);
	append(&all, "dax1.0", 7, 6);
	append(&all, "dax0.0", 7, 7);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		CLEANUP(arrivals_done) struct arrivals device = {0};

		assert_int_equal(arrivals_take_device(&all, &device), 0);
		assert_string_equal(starts_of(&device, text), taken[i]);
		assert_string_equal(starts_of(&all, text), rest[i]);
	}
}

static void test_take_device_short_memory(void **state)
{
	CLEANUP(arrivals_done) struct arrivals all = {0}, device = {0};
	int r = -ENOMEM;

	(void)state;
	append(&all, "dax0.0", 7, 1);
	append(&all, "", 0, 2);
	append(&all, "dax0.0", 7, 4);
	for (int allowed = 0; r < 0; allowed++) {
		allocations_left = allowed;
		r = arrivals_take_device(&all, &device);
		allocations_left = -1;
		assert_int_equal(r, allowed < 3 ? -ENOMEM : 0);
		assert_int_equal(device.n, r < 0 ? 0 : 2);
		assert_int_equal(all.n, r < 0 ? 3 : 1);
	}
}

static size_t cells_of(const struct arrivals *arrivals, bool cells[32])
{
	size_t n = 0;

	for (size_t i = 0; i < arrivals->n; i++) {
		assert_false(range_is_empty(arrivals->items[i].range));
		assert_int_equal(arrivals->items[i].size, range_size(arrivals->items[i].range));
		for (uint64_t c = arrivals->items[i].range.start; c < arrivals->items[i].range.end;
			c++, n++) {
			assert_false(cells[c]);
			cells[c] = true;
		}
	}
	return n;
}

static void random_runs(struct arrivals *runs, uint64_t *seed)
{
	for (uint64_t at = below(seed, 4); at < 32;) {
		uint64_t end = at + 1 + below(seed, 32 - at < 9 ? 32 - at : 9);
		const struct arrival run = {.range = {at, end}, .size = end - at};

		assert_int_equal(arrivals_append(runs, &run), 0);
		at = end + below(seed, 5);
	}
}

/* Of runs: undecided is all less decided, remaining is what both have; cell by cell. */
static void test_algebra(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		CLEANUP(arrivals_done) struct arrivals all = {0}, decided = {0};
		CLEANUP(arrivals_done) struct arrivals fresh = {0}, left = {0};
		bool in_all[32] = {false}, in_decided[32] = {false};
		bool in_fresh[32] = {false}, in_left[32] = {false};

		random_runs(&all, &seed);
		random_runs(&decided, &seed);
		assert_int_equal(arrivals_undecided(&all, &decided, &fresh), 0);
		assert_int_equal(arrivals_remaining(&decided, &all, &left), 0);
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

static void test_short_memory(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	int r = -ENOMEM;

	(void)state;
	init(&snapshot);
	add_mapping(add_dax(&snapshot, "dax0.0", TYPE_CXL), span(8 * GIB, 9 * GIB));
	add_dimm(&snapshot, span(5 * GIB, 6 * GIB));
	add_blocks(&snapshot, span(6 * GIB, 7 * GIB), BLOCK_OFFLINE);
	for (int allowed = 0; r < 0; allowed++) {
		CLEANUP(arrivals_done) struct arrivals found = {0}, fresh = {0};

		allocations_left = allowed;
		r = arrivals_find(&snapshot, NULL, &found);
		if (r == 0)
			r = arrivals_undecided(&found, &found, &fresh);
		allocations_left = -1;
		assert_true(r == 0 || r == -ENOMEM);
		assert_true(found.n == 0 || found.n == 3);
		assert_int_equal(fresh.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_new),
		cmocka_unit_test(test_dax),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_dimms_and_runs),
		cmocka_unit_test(test_capable_run),
		cmocka_unit_test(test_unknown_boot_map),
		cmocka_unit_test(test_replugged),
		cmocka_unit_test(test_virtio_mem),
		cmocka_unit_test(test_whole_ranges),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_take_device),
		cmocka_unit_test(test_take_device_short_memory),
		cmocka_unit_test(test_algebra),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
