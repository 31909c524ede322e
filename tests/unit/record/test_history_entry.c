/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An entry of the history, compared with the current state and with a new decision.
 */
#include "tests/unit/unit.h"

#include "tdxo/record/history.h"

static void test_is_changed(void **state)
{
	static const struct {
		struct history_entry entry;
		enum dax_driver driver;
		uint64_t online;
		bool changed;
	} rows[] = {
		{{.blocks.online = 4}, DAX_DRIVER_NONE, 4, false},
		{{.blocks.online = 4}, DAX_DRIVER_NONE, 3, true},
		{{.blocks.online = 4}, DAX_DRIVER_NONE, 5, true},
		{{.device = {.type = TYPE_CXL, .driver = DAX_DRIVER_DEVICE_DAX}}, DAX_DRIVER_KMEM,
			0, true},
		{{.device = {.type = TYPE_CXL, .driver = DAX_DRIVER_KMEM}}, DAX_DRIVER_KMEM, 0,
			false},
		{{.device = {.type = TYPE_CXL, .driver = DAX_DRIVER_KMEM}}, DAX_DRIVER_NONE, 0,
			true},
		{{.changed = true}, DAX_DRIVER_NONE, 1, false},
		{{.reconsider = true}, DAX_DRIVER_NONE, 1, false},
		{{.result = RESULT_BEGUN}, DAX_DRIVER_NONE, 1, false},
		{{.result = RESULT_FAILED}, DAX_DRIVER_NONE, 1, true},
		{{.result = RESULT_WITHHELD}, DAX_DRIVER_NONE, 1, true},
		{{.reason = REASON_NOT_CONFIGURED}, DAX_DRIVER_KMEM, 0, false},
		{{.device.type = TYPE_VIRTIO_MEM, .blocks.online = 4}, DAX_DRIVER_NONE, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct block_count blocks = {.present = 8, .online = rows[i].online};

		if (history_entry_is_changed(&rows[i].entry, rows[i].driver, &blocks) !=
			rows[i].changed)
			fail_msg("row %zu", i);
	}
}

#define KMEM                                                                                       \
	{                                                                                          \
		.name = "dax0.0", .driver = DAX_DRIVER_KMEM                                        \
	}

/* Failures that are completed: a dax device without a driver, or with kmem and without blocks. */
static void test_is_half_done(void **state)
{
	static const struct {
		struct history_entry entry;
		bool half_done;
	} rows[] = {
		{{.result = RESULT_BEGUN}, true},
		{{.result = RESULT_DONE, .device.driver = DAX_DRIVER_KMEM}, false},
		{{.result = RESULT_NOTHING, .device.driver = DAX_DRIVER_KMEM}, false},
		{{.result = RESULT_FAILED, .device = KMEM}, true},
		{{.result = RESULT_FAILED, .device = KMEM, .blocks.present = 1}, false},
		{{.result = RESULT_FAILED, .device.name = "dax0.1"}, true},
		{{.result = RESULT_NOTHING, .device.name = "dax0.1"}, false},
		{{.result = RESULT_FAILED, .device.name = "dax0.1", .changed = true}, false},
		{{.result = RESULT_FAILED, .device = KMEM, .changed = true}, false},
		{{.result = RESULT_FAILED}, false},
		{{.result = RESULT_PARTIAL, .device.driver = DAX_DRIVER_KMEM}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (history_entry_is_half_done(&rows[i].entry) != rows[i].half_done)
			fail_msg("row %zu", i);
}

/* A begun entry with one of these reasons is being undone. */
static void test_is_undoing(void **state)
{
	static const struct {
		struct history_entry entry;
		bool undoing;
	} rows[] = {
		{{.result = RESULT_BEGUN, .reason = REASON_KERNEL_REFUSED}, true},
		{{.result = RESULT_BEGUN, .reason = REASON_ROLLED_BACK}, true},
		{{.result = RESULT_BEGUN, .reason = REASON_IN_BOOT_MAP}, false},
		{{.result = RESULT_DONE, .reason = REASON_KERNEL_REFUSED}, false},
		{{.result = RESULT_PARTIAL, .reason = REASON_ROLLED_BACK}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (history_entry_is_undoing(&rows[i].entry) != rows[i].undoing)
			fail_msg("row %zu", i);
}

static void test_is_partly_undone(void **state)
{
	static const struct {
		struct history_entry entry;
		bool partly;
	} rows[] = {
		{{.result = RESULT_PARTIAL,
			 .reason = REASON_KERNEL_REFUSED,
			 .verdict = VERDICT_DEVDAX},
			true},
		{{.result = RESULT_PARTIAL,
			 .reason = REASON_ROLLED_BACK,
			 .verdict = VERDICT_OFFLINE},
			true},
		{{.result = RESULT_PARTIAL,
			 .reason = REASON_ROLLED_BACK,
			 .verdict = VERDICT_IGNORE},
			false},
		{{.result = RESULT_PARTIAL, .reason = REASON_RULE, .verdict = VERDICT_DEVDAX},
			false},
		{{.result = RESULT_DONE, .reason = REASON_ROLLED_BACK, .verdict = VERDICT_DEVDAX},
			false},
		{{.result = RESULT_BEGUN, .reason = REASON_ROLLED_BACK, .verdict = VERDICT_DEVDAX},
			false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (history_entry_is_partly_undone(&rows[i].entry) != rows[i].partly)
			fail_msg("row %zu", i);
}

static void test_differs(void **state)
{
	const struct history_entry entry = {.verdict = VERDICT_ONLINE,
		.reason = REASON_TDX_ABSENT,
		.zone = ZONE_AUTO,
		.rule = "a.rule"};
	const struct decision same = {.verdict = VERDICT_ONLINE,
		.reason = REASON_TDX_ABSENT,
		.zone = ZONE_AUTO,
		.rule = "a.rule",
		.map_needed = 7};
	struct decision others[] = {same, same, same, same, same};

	(void)state;
	assert_false(history_entry_differs(&entry, &same, RESULT_PLANNED));
	assert_true(history_entry_differs(&entry, &same, RESULT_WITHHELD));
	others[0].verdict = VERDICT_DEVDAX;
	others[1].reason = REASON_RULE;
	others[2].zone = ZONE_MOVABLE;
	others[3].rule[0] = 'b';
	others[4].rule[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_true(history_entry_differs(&entry, &others[i], RESULT_PLANNED));
}

/* A step that is withheld again does not differ; one that would be taken now does. */
static void test_differs_withheld(void **state)
{
	const struct history_entry entry = {.verdict = VERDICT_ONLINE, .result = RESULT_WITHHELD};
	const struct decision decision = {.verdict = VERDICT_ONLINE};

	(void)state;
	for (enum result result = 0; result < RESULT_MAX; result++)
		assert_int_equal(history_entry_differs(&entry, &decision, result),
			result != RESULT_WITHHELD);
}

/* After a conversion the reason for devdax is already-devdax, which does not differ. */
static void test_differs_devdax(void **state)
{
	struct history_entry entry = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP};
	struct decision decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_ALREADY_DEVDAX};

	(void)state;
	assert_false(history_entry_differs(&entry, &decision, RESULT_NOTHING));
	decision.reason = REASON_STRADDLES_BOOT_MAP;
	assert_true(history_entry_differs(&entry, &decision, RESULT_NOTHING));
	decision.reason = REASON_ALREADY_DEVDAX;
	entry.verdict = VERDICT_ONLINE;
	assert_true(history_entry_differs(&entry, &decision, RESULT_NOTHING));
}

static void test_confirm(void **state)
{
	struct history_entry entry = {.verdict = VERDICT_DEVDAX,
		.reason = REASON_OUTSIDE_BOOT_MAP,
		.result = RESULT_FAILED,
		.reconsider = true,
		.changed = true};
	const struct outcome outcome = {.result = RESULT_NOTHING,
		.driver = DAX_DRIVER_DEVICE_DAX,
		.blocks = {.present = 4, .online = 3}};

	const struct device device = {.region = "region0"};

	(void)state;
	history_entry_confirm(&entry, &device, &outcome);
	assert_string_equal(entry.device.region, "region0");
	assert_int_equal(entry.verdict, VERDICT_DEVDAX);
	assert_int_equal(entry.reason, REASON_OUTSIDE_BOOT_MAP);
	assert_int_equal(entry.result, RESULT_NOTHING);
	assert_int_equal(entry.device.driver, DAX_DRIVER_DEVICE_DAX);
	assert_int_equal(entry.blocks.present, 4);
	assert_int_equal(entry.blocks.online, 3);
	assert_false(entry.reconsider);
	assert_false(entry.changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_changed),
		cmocka_unit_test(test_is_half_done),
		cmocka_unit_test(test_is_undoing),
		cmocka_unit_test(test_is_partly_undone),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_differs_withheld),
		cmocka_unit_test(test_differs_devdax),
		cmocka_unit_test(test_confirm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
