/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The texts of the map, and the decision that it has for a device.
 */
#include "tdxo/map/map.h"
#include "tests/unit/records.h"

static struct map_item item_of(enum map_kind kind, const char *name)
{
	struct map_item item = {
		.kind = kind, .range = span(GIB, 2 * GIB), .node = NODE_UNKNOWN, .parts = 1};

	snprintf(item.name, sizeof(item.name), "%s", name);
	return item;
}

static struct map_segment whole(const struct map_item *item)
{
	return (struct map_segment){.range = item->range, .item = item};
}

static void assert_label(const struct map_item *item, const char *want)
{
	const struct map_segment segment = whole(item);
	char buf[MAP_LABEL];

	assert_string_equal(map_label(&segment, 1, buf), want);
}

static void test_labels(void **state)
{
	struct map_item window = item_of(MAP_WINDOW, ""), boot = item_of(MAP_BOOT, "");
	struct map_item device = item_of(MAP_DEVICE, "");
	const struct map_item rejected = item_of(MAP_REJECTED, "PNP0C80:00");
	const struct map_item region = item_of(MAP_REGION, "region0");

	(void)state;
	assert_label(&window, "CXL window");
	snprintf(window.name, sizeof(window.name), "decoder0.0");
	assert_label(&window, "CXL window decoder0.0");
	assert_label(&region, "region0");
	assert_label(&boot, "RAM at boot");
	boot.source = BOOT_SOURCE_CONFIGURATION;
	assert_label(&boot, "CapableRanges=");
	assert_label(&rejected, "rejected by the kernel: PNP0C80:00");
	device.type = TYPE_DIMM;
	assert_label(&device, "dimm");
	device.node = 1;
	assert_label(&device, "dimm (node 1)");
	snprintf(device.name, sizeof(device.name), "dax0.0");
	device.type = TYPE_CXL;
	assert_label(&device, "dax0.0 (cxl, node 1)");
	device.node = NODE_UNKNOWN;
	assert_label(&device, "dax0.0 (cxl)");
}

static void test_groups(void **state)
{
	struct map_item window = item_of(MAP_WINDOW, "decoder0.0");
	struct map_item region = item_of(MAP_REGION, "region0"), boot = item_of(MAP_BOOT, "");
	struct map_item device = item_of(MAP_DEVICE, "dax0.0");
	struct map_segment boxes[] = {whole(&window), whole(&region)};
	struct map_segment memory[] = {whole(&boot), whole(&device)};
	char buf[MAP_LABEL];

	(void)state;
	assert_string_equal(map_label(boxes, 2, buf), "CXL window decoder0.0, region0");
	device.type = TYPE_HMEM;
	assert_string_equal(map_label(memory, 2, buf), "dax0.0 (hmem) in RAM at boot");
	memory[1].range.end -= MIB;
	assert_string_equal(map_label(memory, 2, buf), "dax0.0 (hmem), a part in RAM at boot");
}

/* Text that is too long is cut off. */
static void test_longest_names(void **state)
{
	struct map_item window = item_of(MAP_WINDOW, ""), region = item_of(MAP_REGION, "");
	struct map_segment boxes[] = {whole(&window), whole(&region)};
	char buf[MAP_LABEL];

	(void)state;
	memset(window.name, 'w', sizeof(window.name) - 1);
	memset(region.name, 'r', sizeof(region.name) - 1);
	assert_int_equal(
		strlen(map_label(boxes, 2, buf)), strlen("CXL window , ") + 2 * (SYSFS_NAME - 1));
}

static void test_details(void **state)
{
	struct map_item device = item_of(MAP_DEVICE, "dax0.0"), boot = item_of(MAP_BOOT, "");
	const struct map_item rejected = item_of(MAP_REJECTED, "");
	struct map_segment segment = whole(&device);
	char buf[MAP_LABEL];

	(void)state;
	device.verdict = VERDICT_DEVDAX;
	device.reason = REASON_OUTSIDE_BOOT_MAP;
	device.result = RESULT_DONE;
	assert_string_equal(map_detail(&segment, buf), "devdax: outside-boot-map");
	assert_int_equal(map_look(&device), MAP_LOOK_DEVDAX);
	device.result = RESULT_FAILED;
	assert_string_equal(map_detail(&segment, buf), "devdax: outside-boot-map (failed)");
	assert_int_equal(map_look(&device), MAP_LOOK_FAILED);
	device.device_size = 64 * GIB;
	assert_string_equal(map_unplaced(&device, buf),
		"Its address is not known: dax0.0 (unknown), 64 GiB, devdax: outside-boot-map "
		"(failed)");
	segment = whole(&boot);
	assert_string_equal(map_detail(&segment, buf), "");
	boot.parts = 3;
	assert_string_equal(map_detail(&segment, buf), "3 ranges");
	segment = whole(&rejected);
	assert_string_equal(map_detail(&segment, buf), "unaligned");
	assert_string_equal(
		map_unplaced(&rejected, buf), "Its address is not known: rejected by the kernel");
	assert_int_equal(map_look(&rejected), MAP_LOOK_FAILED);
}

static void test_holes(void **state)
{
	struct map_segment hole = {.range = span(0, GIB)};

	(void)state;
	assert_string_equal(map_free_label(&hole), "hole");
	hole.depth = 1;
	assert_string_equal(map_free_label(&hole), "free");
}

/* CapableRanges= is not RAM at boot; a device without an address counts. */
static void test_summary(void **state)
{
	const struct tdx tdx = {.state = TDX_ACTIVE, .detected = TDX_ACTIVE};
	CLEANUP(map_done) struct map map = {0};
	struct map_item item = item_of(MAP_BOOT, "");
	char buf[MAP_SUMMARY];

	(void)state;
	assert_string_equal(map_summary(&map, &tdx, buf),
		"TDX active; RAM at boot: not known; memory that arrived after boot: none");
	assert_int_equal(map_add(&map, &item), 0);
	item.source = BOOT_SOURCE_CONFIGURATION;
	item.range = span(4 * GIB, 8 * GIB);
	assert_int_equal(map_add(&map, &item), 0);
	item = item_of(MAP_DEVICE, "dax0.0");
	item.range = span(4 * GIB, 5 * GIB);
	assert_int_equal(map_add(&map, &item), 0);
	item.range = span(0, 0);
	item.device_size = 2 * GIB;
	assert_int_equal(map_add(&map, &item), 0);
	assert_int_equal(map_lay_out(&map), 0);
	assert_string_equal(map_summary(&map, &tdx, buf),
		"TDX active; RAM at boot: 1 GiB; memory that arrived after boot: 3 GiB");
}

/*
 * The recorded decision is shown unless it was only begun, has been changed, or is to be made
 * again.
 */
static void test_recorded_decision(void **state)
{
	static const struct {
		struct history_entry entry;
		bool shown;
	} rows[] = {
		{{.result = RESULT_DONE}, true},
		{{.result = RESULT_FAILED}, true},
		{{.result = RESULT_BEGUN}, false},
		{{.result = RESULT_CHANGED}, false},
		{{.result = RESULT_DONE, .changed = true}, false},
		{{.result = RESULT_DONE, .reconsider = true}, false},
		/* The recorded driver differs; a record of another size is not compared. */
		{{.result = RESULT_DONE, .device = {.size = GIB, .driver = DAX_DRIVER_DEVICE_DAX}},
			false},
		{{.result = RESULT_DONE, .device = {.size = 2 * GIB, .driver = DAX_DRIVER_KMEM}},
			true},
	};

	(void)state;
	for (size_t i = 0; i <= ARRAY_SIZE(rows); i++) {
		CLEANUP(map_done) struct map map = {0};
		struct own_record own = {.facts = {.device = device_of("dax0.0", TYPE_CXL)},
			.decision = {.verdict = VERDICT_IGNORE, .reason = REASON_ALREADY_DEVDAX},
			.record = {.range = span(GIB, 2 * GIB),
				.outcome = {.result = RESULT_PLANNED}}};
		struct history_entry entry = i ? rows[i - 1].entry : (struct history_entry){0};
		bool shown = i && rows[i - 1].shown;

		entry.verdict = VERDICT_DEVDAX;
		entry.reason = REASON_OUTSIDE_BOOT_MAP;
		assert_int_equal(map_add_record(&map, own_record_of(&own), i ? &entry : NULL), 0);
		assert_int_equal(map.items[0].verdict, shown ? VERDICT_DEVDAX : VERDICT_IGNORE);
		assert_int_equal(map.items[0].reason,
			shown ? REASON_OUTSIDE_BOOT_MAP : REASON_ALREADY_DEVDAX);
		assert_int_equal(map.items[0].result, shown ? entry.result : RESULT_PLANNED);
		assert_int_equal(map.items[0].node, 1);
		assert_int_equal(map.items[0].device_size, GIB);
		assert_string_equal(map.items[0].name, "dax0.0");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_longest_names),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_recorded_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
