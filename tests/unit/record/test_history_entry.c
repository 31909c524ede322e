/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An entry of the history, held against what there is now and what would be decided now.
 */
#include "tests/unit/unit.h"

#include "tdxo/record/history.h"

static void test_is_changed(void **state)
{
	static const struct {
		struct entry entry;
		enum device_type type;
		enum dax_driver driver;
		uint64_t online;
		bool changed;
	} rows[] = {
		{{.blocks.online = 4}, 0, DAX_DRIVER_NONE, 4, false},
		{{.blocks.online = 4}, 0, DAX_DRIVER_NONE, 3, true},
		{{.blocks.online = 4}, 0, DAX_DRIVER_NONE, 5, true},
		{{.arrival.driver = DAX_DRIVER_DEVICE_DAX}, TYPE_CXL, DAX_DRIVER_KMEM, 0, true},
		{{.arrival.driver = DAX_DRIVER_KMEM}, TYPE_CXL, DAX_DRIVER_KMEM, 0, false},
		{{.arrival.driver = DAX_DRIVER_KMEM}, TYPE_CXL, DAX_DRIVER_NONE, 0, true},
		{{.changed = true}, 0, DAX_DRIVER_NONE, 1, false},
		{{.reconsider = true}, 0, DAX_DRIVER_NONE, 1, false},
		{{.result = RESULT_BEGUN}, 0, DAX_DRIVER_NONE, 1, false},
		{{.result = RESULT_FAILED}, 0, DAX_DRIVER_NONE, 1, true},
		{{.result = RESULT_WITHHELD}, 0, DAX_DRIVER_NONE, 1, true},
		{{.blocks.online = 4}, TYPE_VIRTIO_MEM, DAX_DRIVER_NONE, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct arrival now = {.type = rows[i].type, .driver = rows[i].driver};
		const struct block_count blocks = {.present = 8, .online = rows[i].online};

		if (entry_is_changed(&rows[i].entry, &now, &blocks) != rows[i].changed)
			fail_msg("row %zu", i);
	}
}

static void test_differs(void **state)
{
	const struct entry entry = {.verdict = VERDICT_ONLINE,
		.reason = REASON_TDX_ABSENT,
		.zone = ZONE_AUTO,
		.rule = "a.rule"};
	const struct record same = {.decision = {.verdict = VERDICT_ONLINE,
					    .reason = REASON_TDX_ABSENT,
					    .zone = ZONE_AUTO,
					    .rule = "a.rule",
					    .map_needed = 7},
		.outcome.result = RESULT_PLANNED};
	struct record others[] = {same, same, same, same, same, same};

	(void)state;
	assert_false(entry_differs(&entry, &same));
	others[0].decision.verdict = VERDICT_DEVDAX;
	others[1].decision.reason = REASON_RULE;
	others[2].decision.zone = ZONE_MOVABLE;
	others[3].decision.rule[0] = 'b';
	others[4].decision.rule[0] = '\0';
	others[5].outcome.result = RESULT_WITHHELD;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_true(entry_differs(&entry, &others[i]));
}

/* What was withheld and is withheld again is no news; that it would be done now is. */
static void test_differs_withheld(void **state)
{
	const struct entry entry = {.verdict = VERDICT_ONLINE, .result = RESULT_WITHHELD};
	struct record record = {
		.decision.verdict = VERDICT_ONLINE, .outcome.result = RESULT_WITHHELD};

	(void)state;
	assert_false(entry_differs(&entry, &record));
	record.outcome.result = RESULT_PLANNED;
	assert_true(entry_differs(&entry, &record));
}

/* A device that was made devdax is in devdax mode when it is looked at again. */
static void test_differs_devdax(void **state)
{
	struct entry entry = {.verdict = VERDICT_DEVDAX, .reason = REASON_OUTSIDE_BOOT_MAP};
	struct record record = {
		.decision = {.verdict = VERDICT_DEVDAX, .reason = REASON_ALREADY_DEVDAX},
		.outcome.result = RESULT_NOTHING};

	(void)state;
	assert_false(entry_differs(&entry, &record));
	record.decision.reason = REASON_STRADDLES_BOOT_MAP;
	assert_true(entry_differs(&entry, &record));
	record.decision.reason = REASON_ALREADY_DEVDAX;
	entry.verdict = VERDICT_ONLINE;
	assert_true(entry_differs(&entry, &record));
}

static void test_confirm(void **state)
{
	struct entry entry = {.verdict = VERDICT_DEVDAX,
		.reason = REASON_OUTSIDE_BOOT_MAP,
		.reconsider = true,
		.changed = true};
	const struct record record = {.arrival.driver = DAX_DRIVER_DEVICE_DAX,
		.decision.reason = REASON_ALREADY_DEVDAX,
		.outcome.blocks = {.present = 4, .online = 3}};

	(void)state;
	entry_confirm(&entry, &record);
	assert_int_equal(entry.reason, REASON_OUTSIDE_BOOT_MAP);
	assert_int_equal(entry.arrival.driver, DAX_DRIVER_DEVICE_DAX);
	assert_int_equal(entry.blocks.online, 3);
	assert_false(entry.reconsider);
	assert_false(entry.changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_changed),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_differs_withheld),
		cmocka_unit_test(test_differs_devdax),
		cmocka_unit_test(test_confirm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
