/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of a record: unique names, the same ones for every record, and null for an absent
 * value.
 */
#include "tests/unit/records.h"

#include <errno.h>
#include <string.h>

/* All values are present. The edges of 2 and 3 bytes are not part of a block. */
static const struct own_record full = {
	.facts = {.device = {.type = TYPE_CXL,
			  .name = "dax0.0",
			  .region = "region0",
			  .present = true,
			  .node = 1,
			  .driver = DAX_DRIVER_KMEM},
		.cxl = {.region_mode = "ram",
			.window = {.decoder = "decoder0.1",
				.range = {64 * GIB, 192 * GIB},
				.has_qos_class = true,
				.qos_class = 7}},
		.tdx = {.state = TDX_ACTIVE, .detected = TDX_ARMED, .mode = TDX_MODE_ACTIVE}},
	.decision = {.verdict = VERDICT_ONLINE,
		.reason = REASON_IN_BOOT_MAP,
		.zone = ZONE_MOVABLE,
		.source = BOOT_SOURCE_MEMBLOCK,
		.expected = ANSWER_ACCEPTS,
		.rule = "a.rule",
		.overruled = true,
		.asked = VERDICT_OFFLINE,
		.withheld = WITHHELD_PRESENT,
		.zone_overruled = true,
		.movable_ratio = 30,
		.map_needed = 3,
		.map_spare = 2},
	.record = {.range = {64 * GIB - 2, 128 * GIB + 3},
		.origin = {.window = {0, 256 * GIB},
			.in_srat = true,
			.proximity_domain = 3,
			.hot_pluggable = true},
		.outcome = {.result = RESULT_WITHHELD,
			.error = EBUSY,
			.failed = ACTION_ONLINE,
			.failed_at = 0x1f8000000,
			.undo_error = EIO,
			.undo_failed = ACTION_OFFLINE,
			.undo_failed_at = 0x1f0000000,
			.retries = 6,
			.answer = ANSWER_REFUSES,
			.stranded = 128 * MIB,
			.driver = DAX_DRIVER_DEVICE_DAX,
			.zone_now = "Normal",
			.missing = 3,
			.bypassed = true,
			.blocks = {.present = 32, .online = 31}}},
};

/* All values are absent, also the address. */
static const struct own_record empty = {
	.facts.device = {.size = 16 * GIB, .node = NODE_UNKNOWN},
	.decision.verdict = VERDICT_IGNORE,
};

static const struct field *find(const struct field *fields, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(fields[i].name, name) != 0)
		i++;
	assert_in_range(i, 0, n - 1);
	return &fields[i];
}

static void assert_text(const struct field *fields, size_t n, const char *name, const char *text)
{
	const struct field *field = find(fields, n, name);

	assert_int_equal(field->kind, text ? FIELD_TEXT : FIELD_NULL);
	if (text)
		assert_string_equal(field->text, text);
}

static void assert_number(const struct field *fields, size_t n, const char *name,
	enum field_kind kind, uint64_t number)
{
	const struct field *field = find(fields, n, name);

	assert_int_equal(field->kind, kind);
	if (kind != FIELD_NULL)
		assert_int_equal(field->number, number);
}

static void test_all_fields(void **state)
{
	struct own_record own = full;
	struct field f[RECORD_FIELDS];
	size_t n = record_fields(own_record_of(&own), f);

	(void)state;
	assert_number(f, n, "start", FIELD_ADDRESS, 64 * GIB - 2);
	assert_number(f, n, "end", FIELD_ADDRESS, 128 * GIB + 2); /* inclusive */
	assert_number(f, n, "size", FIELD_NUMBER, 64 * GIB + 5);
	assert_text(f, n, "type", "cxl");
	assert_text(f, n, "chardev", "dax0.0");
	assert_text(f, n, "region", "region0");
	assert_text(f, n, "region_mode", "ram");
	assert_text(f, n, "decoder", "decoder0.1");
	/* the kernel's window has precedence over the one in the CEDT */
	assert_number(f, n, "window_start", FIELD_ADDRESS, 64 * GIB);
	assert_number(f, n, "window_size", FIELD_NUMBER, 128 * GIB);
	assert_number(f, n, "qos_class", FIELD_NUMBER, 7);
	assert_number(f, n, "proximity_domain", FIELD_NUMBER, 3);
	assert_number(f, n, "hot_pluggable", FIELD_BOOL, true);
	assert_number(f, n, "target_node", FIELD_NUMBER, 1);
	assert_number(f, n, "present", FIELD_BOOL, true);
	assert_number(f, n, "total_memblocks", FIELD_NUMBER, 32);
	assert_number(f, n, "online_memblocks", FIELD_NUMBER, 31);
	assert_number(f, n, "missing_memblocks", FIELD_NUMBER, 3);
	assert_number(f, n, "guard_bypassed", FIELD_BOOL, true);
	assert_text(f, n, "mode", "devdax"); /* the current mode */
	assert_text(f, n, "verdict", "online");
	assert_text(f, n, "zone", "movable");
	assert_number(f, n, "zone_overruled", FIELD_BOOL, true);
	assert_text(f, n, "zone_now", "Normal");
	assert_text(f, n, "expected", "accepts");
	assert_text(f, n, "answer", "refuses");
	assert_number(f, n, "disagreement", FIELD_BOOL, true);
	assert_text(f, n, "reason", "in-boot-map");
	assert_text(f, n, "rule", "a.rule");
	assert_text(f, n, "overruled", "offline");
	assert_text(f, n, "withheld", "present");
	assert_text(f, n, "source", "memblock");
	assert_text(f, n, "result", "withheld");
	assert_number(f, n, "movable_ratio", FIELD_NUMBER, 30);
	assert_number(f, n, "metadata_needed", FIELD_NUMBER, 3);
	assert_number(f, n, "metadata_available", FIELD_NUMBER, 2);
	assert_number(f, n, "unaligned", FIELD_NUMBER, 5);
	assert_number(f, n, "errno", FIELD_NUMBER, EBUSY);
	assert_text(f, n, "failed", "online");
	assert_number(f, n, "failed_at", FIELD_ADDRESS, 0x1f8000000);
	assert_number(f, n, "undo_errno", FIELD_NUMBER, EIO);
	assert_text(f, n, "undo_failed", "offline");
	assert_number(f, n, "undo_failed_at", FIELD_ADDRESS, 0x1f0000000);
	assert_number(f, n, "retries", FIELD_NUMBER, 6);
	assert_number(f, n, "stranded", FIELD_NUMBER, 128 * MIB);
	assert_text(f, n, "tdx_state", "active");
	assert_text(f, n, "tdx_detected", "armed");
	assert_text(f, n, "tdx_mode", "active");
}

/* Null means absent only: zero blocks and zero available bytes are numbers. */
static void test_absent_fields(void **state)
{
	static const char *const absent[] = {"start", "end", "chardev", "region", "target_node",
		"mode", "zone", "zone_overruled", "zone_now", "rule", "overruled", "withheld",
		"source", "movable_ratio", "metadata_needed", "metadata_available", "unaligned",
		"errno", "failed", "failed_at", "undo_errno", "undo_failed", "undo_failed_at",
		"retries", "stranded", "expected", "answer", "missing_memblocks", "guard_bypassed",
		"region_mode", "decoder", "window_start", "window_size", "qos_class",
		"proximity_domain", "hot_pluggable"};
	static const char *const there[] = {"size", "type", "present", "total_memblocks",
		"online_memblocks", "disagreement", "verdict", "reason", "result", "tdx_state",
		"tdx_detected", "tdx_mode"};
	struct own_record own = empty;
	struct field f[RECORD_FIELDS];
	size_t n = record_fields(own_record_of(&own), f);

	(void)state;
	assert_true(n >= ARRAY_SIZE(absent) + ARRAY_SIZE(there));
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		assert_int_equal(find(f, n, absent[i])->kind, FIELD_NULL);
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		assert_int_not_equal(find(f, n, there[i])->kind, FIELD_NULL);
	assert_number(f, n, "size", FIELD_NUMBER, 16 * GIB);
	own.decision.map_needed = 4;
	n = record_fields(&own.record, f);
	assert_number(f, n, "metadata_available", FIELD_NUMBER, 0);
	/* if nothing is to be done, nothing is withheld */
	own = full;
	own.record.outcome.result = RESULT_NOTHING;
	n = record_fields(own_record_of(&own), f);
	assert_text(f, n, "withheld", NULL);
}

/* The window of the CEDT is used only if the kernel has none. */
static void test_window(void **state)
{
	struct own_record own = full;
	struct field f[RECORD_FIELDS];
	size_t n;

	(void)state;
	own.facts.cxl.window.range = span(0, 0);
	n = record_fields(own_record_of(&own), f);
	assert_number(f, n, "window_start", FIELD_ADDRESS, 0);
	assert_number(f, n, "window_size", FIELD_NUMBER, 256 * GIB);
	own.record.origin.window = span(0, 0);
	n = record_fields(&own.record, f);
	assert_number(f, n, "window_start", FIELD_NULL, 0);
	assert_number(f, n, "window_size", FIELD_NULL, 0);
}

/* For one of several ranges, size and addresses are those of the range. */
static void test_one_of_several(void **state)
{
	struct range ranges[] = {{64 * GIB, 65 * GIB}, {80 * GIB, 82 * GIB}};
	struct own_record own = empty;
	struct field f[RECORD_FIELDS];
	size_t n;

	(void)state;
	own.facts.device.ranges = ranges;
	own.facts.device.n_ranges = ARRAY_SIZE(ranges);
	own.facts.device.size = 3 * GIB;
	own.record.range = ranges[1];
	n = record_fields(own_record_of(&own), f);
	assert_number(f, n, "start", FIELD_ADDRESS, 80 * GIB);
	assert_number(f, n, "end", FIELD_ADDRESS, 82 * GIB - 1);
	assert_number(f, n, "size", FIELD_NUMBER, 2 * GIB);
}

/* The names are unique and the same for every record, and a text is not empty. */
static void test_field_names(void **state)
{
	struct own_record most = full, least = empty;
	struct field first[RECORD_FIELDS], f[RECORD_FIELDS];
	size_t n = record_fields(own_record_of(&most), first);

	(void)state;
	assert_in_range(n, 1, RECORD_FIELDS);
	assert_int_equal(record_fields(own_record_of(&least), f), n);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(f[i].name, first[i].name);
		assert_int_equal(f[i].kind == FIELD_TEXT, f[i].text && *f[i].text);
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = first[i].name;

		assert_true(name[0] >= 'a' && name[0] <= 'z');
		assert_int_equal(
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
		assert_in_range(strlen(name), 1, 64);
		for (size_t other = 0; other < i; other++)
			assert_string_not_equal(name, first[other].name);
	}
}

/* Expected and actual answer disagree only if both are known. */
static void test_disagreement(void **state)
{
	struct own_record own = full;
	const struct record *record = own_record_of(&own);

	(void)state;
	for (enum answer expected = 0; expected < ANSWER_MAX; expected++)
		for (enum answer answer = 0; answer < ANSWER_MAX; answer++) {
			own.decision.expected = expected;
			own.record.outcome.answer = answer;
			assert_int_equal(record_disagrees(record), expected != ANSWER_NONE &&
									   answer != ANSWER_NONE &&
									   expected != answer);
		}
}

/*
 * Blocks are missing only with driver kmem: those that fit in the range and are not in the kernel.
 */
static void test_count_blocks(void **state)
{
	static const struct {
		enum dax_driver driver;
		uint64_t blocks, present, missing, lost;
	} counts[] = {
		{DAX_DRIVER_KMEM, 0, 0, 512, 512},
		{DAX_DRIVER_KMEM, 500, 500, 12, 512},
		{DAX_DRIVER_KMEM, 512, 512, 0, 512},
		{DAX_DRIVER_KMEM, 513, 512, 0, 512},
		{DAX_DRIVER_DEVICE_DAX, 0, 0, 0, 0},
		{DAX_DRIVER_NONE, 0, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct own_record own = {.record.range = {64 * GIB, 128 * GIB},
			.record.outcome.driver = counts[i].driver};
		struct range made = {64 * GIB, 64 * GIB + counts[i].blocks * BLOCK};
		CLEANUP(blocks_done) struct blocks blocks = {0};

		own_record_of(&own);
		add_blocks(&blocks, made, BLOCK_OFFLINE);
		record_count_blocks(&own.record, &blocks);
		assert_int_equal(own.record.outcome.blocks.present, counts[i].present);
		assert_int_equal(own.record.outcome.missing, counts[i].missing);
		assert_int_equal(record_lost(&own.record), counts[i].lost * BLOCK);
		for (uint64_t id = made.start / BLOCK; id < made.end / BLOCK; id++)
			set_block(&blocks, id, BLOCK_ONLINE);
		record_count_blocks(&own.record, &blocks);
		assert_int_equal(record_lost(&own.record), counts[i].missing * BLOCK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_absent_fields),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_one_of_several),
		cmocka_unit_test(test_field_names),
		cmocka_unit_test(test_disagreement),
		cmocka_unit_test(test_count_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
