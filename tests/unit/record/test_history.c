/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: a note replaces the old entry of its device, entries of removed devices are dropped,
 * and devices with an entry are not decided again. dax devices and DIMMs have one entry each; a run
 * of blocks can have an entry for each part.
 */
#include "tests/unit/histories.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/short_memory.h"

static struct device dimm_of(uint64_t start, uint64_t end)
{
	struct device dimm = run_of(start, end);

	dimm.type = TYPE_DIMM;
	return dimm;
}

/* A dax device of one range, or of two if the second is not empty. */
static struct device dax_of(
	const char *name, uint64_t identity, struct range first, struct range second)
{
	struct device device = device_at(range_is_empty(second) ? 1 : 2, first, second);

	device.type = TYPE_CXL;
	device.identity = identity;
	device.driver = DAX_DRIVER_DEVICE_DAX;
	snprintf(device.name, sizeof(device.name), "%s", name);
	return device;
}

/* A device whose ranges could not be read. */
static struct device unreadable_of(const char *name, uint64_t identity)
{
	struct device device = dax_of(name, identity, span(0, 0), span(0, 0));

	device.size = 8;
	device.n_ranges = 0;
	return device;
}

static void note(struct history *history, struct device device, enum reason reason)
{
	const struct decision decision = {.verdict = VERDICT_DEVDAX, .reason = reason};
	const struct outcome outcome = {.result = RESULT_DONE, .driver = device.driver};

	assert_int_equal(history_note(history, &device, &decision, &outcome, false), 0);
}

static const struct history_entry *entry_at(
	const struct history *history, uint64_t start, uint64_t end)
{
	const struct range range = span(start, end);
	size_t i = 0;

	while (i < history->n && !device_lies_at(&history->entries[i].device, &range, 1))
		i++;
	assert_in_range(i, 0, history->n - 1);
	return &history->entries[i];
}

static size_t count_undecided(const struct history *history, struct device *items, size_t n)
{
	const struct devices all = {items, n};
	CLEANUP(devices_done) struct devices undecided = {0};

	assert_int_equal(history_undecided(history, &all, &undecided), 0);
	return undecided.n;
}

/* The entry has all facts that last, and a second note replaces the first. */
static void test_note(void **state)
{
	CLEANUP(history_done) struct history history = {0};
	struct device device = dax_of("dax0.0", 7, span(8, 16), span(24, 32));
	struct decision decision = {.verdict = VERDICT_ONLINE,
		.reason = REASON_RULE,
		.zone = ZONE_MOVABLE,
		.rule = "a.rule"};
	const struct outcome outcome = {.result = RESULT_PARTIAL,
		.answer = ANSWER_ACCEPTS,
		.driver = DAX_DRIVER_KMEM,
		.blocks = {8, 7, 0}};
	const struct history_entry *entry;

	(void)state;
	strcpy(device.region, "region3");
	device.node = 2;
	device.present = true;
	assert_int_equal(history_note(&history, &device, &decision, &outcome, false), 0);
	assert_false(history.entries[0].recorded);
	decision.verdict = VERDICT_DEVDAX;
	assert_int_equal(history_note(&history, &device, &decision, &outcome, true), 0);
	device.ranges[0] = device.ranges[1] = span(0, 0); /* the entry has its own */
	assert_int_equal(history.n, 1);
	entry = &history.entries[0];
	assert_string_equal(entry->device.name, "dax0.0");
	assert_string_equal(entry->device.region, "region3");
	assert_int_equal(entry->device.type, TYPE_CXL);
	assert_int_equal(entry->device.identity, 7);
	assert_int_equal(entry->device.node, 2);
	assert_true(entry->device.present);
	assert_int_equal(entry->device.size, 16);
	assert_int_equal(entry->device.n_ranges, 2);
	assert_range_equal(entry->device.ranges[0], span(8, 16));
	assert_range_equal(entry->device.ranges[1], span(24, 32));
	assert_int_equal(entry->device.driver, DAX_DRIVER_KMEM); /* from the outcome */
	assert_int_equal(entry->verdict, VERDICT_DEVDAX);
	assert_int_equal(entry->reason, REASON_RULE);
	assert_int_equal(entry->zone, ZONE_MOVABLE);
	assert_int_equal(entry->answer, ANSWER_ACCEPTS);
	assert_int_equal(entry->result, RESULT_PARTIAL);
	assert_string_equal(entry->rule, "a.rule");
	assert_int_equal(entry->blocks.present, 8);
	assert_int_equal(entry->blocks.online, 7);
	assert_true(entry->recorded);
	assert_false(entry->reconsider || entry->changed);
}

/* A device that another program was to configure is decided when it has a driver, and only then. */
static void test_not_configured(void **state)
{
	CLEANUP(history_done) struct history history = {0};
	struct device items[] = {dax_of("dax0.1", 7, span(8, 16), span(0, 0)),
		dax_of("dax1.1", 8, span(24, 32), span(0, 0))};

	(void)state;
	items[0].driver = items[1].driver = DAX_DRIVER_NONE;
	note(&history, items[0], REASON_NOT_CONFIGURED);
	note(&history, items[1], REASON_RULE);
	assert_int_equal(count_undecided(&history, items, 2), 0);
	items[0].driver = items[1].driver = DAX_DRIVER_DEVICE_DAX;
	assert_int_equal(count_undecided(&history, items, 2), 1);
	note(&history, items[0], REASON_ALREADY_DEVDAX);
	assert_int_equal(count_undecided(&history, items, 2), 0);
}

/* A new note clears the flags "reconsider", "changed" and "recorded". */
static void test_note_clears_flags(void **state)
{
	CLEANUP(history_done) struct history history = {0};
	struct device device = dax_of("dax0.0", 7, span(8, 16), span(0, 0));

	(void)state;
	note(&history, device, REASON_RULE);
	history.entries[0].reconsider = history.entries[0].changed = true;
	history.entries[0].recorded = true;
	assert_int_equal(count_undecided(&history, &device, 1), 1);
	note(&history, device, REASON_RULE);
	assert_int_equal(count_undecided(&history, &device, 1), 0);
	assert_false(history.entries[0].reconsider || history.entries[0].changed);
	assert_false(history.entries[0].recorded);
}

/* history_add() takes over the device of the entry. */
static void test_add(void **state)
{
	CLEANUP(history_done) struct history history = {0};
	struct device device = dax_of("dax0.0", 7, span(8, 16), span(24, 32));
	struct history_entry entry = {.reason = REASON_RULE};

	(void)state;
	assert_int_equal(device_copy(&device, &entry.device), 0);
	assert_int_equal(history_add(&history, &entry), 0);
	assert_null(entry.device.ranges);
	assert_int_equal(entry.device.n_ranges, 0);
	assert_int_equal(history.n, 1);
	assert_ptr_equal(history_find(&history, &device), &history.entries[0]);
	assert_int_equal(history.entries[0].reason, REASON_RULE);
}

/* A device of two ranges has one entry, and so has each device beside it. */
static void test_devices(void **state)
{
	struct device all[] = {dax_of("dax0.0", 7, span(8, 16), span(32, 40)),
		dax_of("dax1.0", 7, span(40, 48), span(0, 0)), dimm_of(48, 64)};
	struct device reborn = dax_of("dax0.0", 9, span(8, 16), span(32, 40));
	CLEANUP(history_done) struct history history = {0};

	(void)state;
	assert_int_equal(count_undecided(&history, all, 3), 3);
	for (size_t i = 0; i < 3; i++)
		note(&history, all[i], REASON_RULE);
	assert_int_equal(history.n, 3);
	assert_int_equal(count_undecided(&history, all, 3), 0);
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(history_find(&history, &all[i]), &history.entries[i]);
	prune(&history, all, 3);
	assert_int_equal(history.n, 3);
	/* A device that returns under its name has another identity. */
	all[0] = reborn;
	assert_int_equal(count_undecided(&history, all, 3), 1);
	prune(&history, all, 3);
	assert_int_equal(history.n, 2);
	assert_null(history_find(&history, &reborn));
	note(&history, reborn, REASON_RULE);
	assert_int_equal(count_undecided(&history, all, 3), 0);
	prune(&history, NULL, 0);
	assert_int_equal(history.n, 0);
}

/* Only a device with the same name, identity and ranges has been decided. */
static void test_other_devices(void **state)
{
	const struct range first = span(8, 16), second = span(32, 40), none = span(0, 0);
	struct device dax = dax_of("dax0.0", 7, first, second), dimm = dimm_of(48, 64);
	struct device others[] = {
		dax_of("dax0.0", 9, first, second),
		dax_of("dax0.1", 7, first, second),
		dax_of("dax0.0", 7, first, none), /* smaller */
		dax_of("dax0.0", 7, second, none),
		dax_of("dax0.0", 7, first, span(32, 48)), /* larger */
		dax_of("dax0.0", 7, first, span(33, 40)),
		dax_of("dax0.0", 7, span(9, 16), second),
		dax_of("dax0.0", 7, span(64, 72), span(80, 88)), /* at other addresses */
		unreadable_of("dax0.0", 7),
		dax_of("dax0.0", 7, span(48, 64), none),
		dimm_of(8, 16),
		dimm_of(48, 63),
		dimm_of(50, 52),
		run_of(8, 16),
		run_of(48, 64),
	};
	CLEANUP(history_done) struct history history = {0};

	(void)state;
	note(&history, dax, REASON_RULE);
	note(&history, dimm, REASON_RULE);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (count_undecided(&history, &others[i], 1) != 1)
			fail_msg("other %zu is decided", i);
		assert_null(history_find(&history, &others[i]));
	}
	/* A note of one device keeps the entries of the others. */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		note(&history, others[i], REASON_RULE);
		assert_int_equal(history.n, 3 + i);
	}
	prune(&history, others, ARRAY_SIZE(others));
	assert_int_equal(history.n, ARRAY_SIZE(others));
	assert_null(history_find(&history, &dax));
	assert_null(history_find(&history, &dimm));
}

/* A device without known ranges has an entry under its name. */
static void test_unreadable(void **state)
{
	struct device unreadable = unreadable_of("dax0.0", 7), other = unreadable_of("dax1.0", 7);
	struct device found = dax_of("dax0.0", 7, span(8, 16), span(0, 0));
	CLEANUP(history_done) struct history history = {0};

	(void)state;
	note(&history, unreadable, REASON_UNREADABLE);
	assert_int_equal(count_undecided(&history, &unreadable, 1), 0);
	assert_int_equal(count_undecided(&history, &other, 1), 1);
	prune(&history, &unreadable, 1);
	assert_non_null(history_find(&history, &unreadable));
	assert_int_equal(history_find(&history, &unreadable)->device.size, 8);
	assert_null(history_find(&history, &other));
	/* It is decided again once its ranges can be read. */
	assert_int_equal(count_undecided(&history, &found, 1), 1);
	prune(&history, &found, 1);
	assert_int_equal(history.n, 0);
}

/* A run grows at both ends, shrinks in its middle, and a part of it is decided again. */
static void test_runs(void **state)
{
	struct device run = run_of(8, 16), grown = run_of(6, 20);
	struct device left[] = {run_of(6, 10), run_of(12, 20)}, across = run_of(5, 7);
	CLEANUP(history_done) struct history history = {0};
	CLEANUP(devices_done) struct devices fresh = {0};

	(void)state;
	note(&history, run, REASON_RULE);
	assert_int_equal(history_undecided(&history, &(struct devices){&grown, 1}, &fresh), 0);
	assert_int_equal(fresh.n, 2);
	assert_range_equal(fresh.items[0].ranges[0], span(6, 8));
	assert_range_equal(fresh.items[1].ranges[0], span(16, 20));
	note(&history, fresh.items[0], REASON_RULE);
	note(&history, fresh.items[1], REASON_RULE);
	assert_int_equal(history.n, 3);
	assert_int_equal(count_undecided(&history, &grown, 1), 0);
	/* no entry contains all of it */
	assert_null(history_find(&history, &grown));
	assert_null(history_find(&history, &across));
	assert_ptr_equal(history_find(&history, &run), entry_at(&history, 8, 16));
	prune(&history, left, 2);
	assert_int_equal(history.n, 4);
	assert_int_equal(entry_at(&history, 8, 10)->device.size, 2);
	assert_int_equal(entry_at(&history, 12, 16)->device.size, 4);
	entry_at(&history, 6, 8);
	entry_at(&history, 16, 20);
	/* A note on several old parts, and one on the middle of another part. */
	note(&history, run_of(6, 9), REASON_IN_BOOT_MAP);
	note(&history, run_of(13, 14), REASON_IN_BOOT_MAP);
	assert_int_equal(history.n, 6);
	assert_int_equal(entry_at(&history, 6, 9)->reason, REASON_IN_BOOT_MAP);
	assert_int_equal(entry_at(&history, 9, 10)->reason, REASON_RULE);
	assert_int_equal(entry_at(&history, 12, 13)->reason, REASON_RULE);
	assert_int_equal(entry_at(&history, 14, 16)->reason, REASON_RULE);
}

/* A part has its share of the blocks; how many are online is known if all or none were. */
static void test_cut_blocks(void **state)
{
	static const struct {
		struct block_count was;
		uint64_t present, online;
		bool changed;
	} rows[] = {
		{{8, 8, 0}, 2, 2, false},
		{{8, 0, 0}, 2, 0, false},
		{{8, 5, 0}, 2, 0, true}, /* not known, and marked as changed */
		{{0, 0, 0}, 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(history_done) struct history history = {0};
		struct device left = run_of(10, 12), whole = run_of(8, 16);

		note(&history, whole, REASON_RULE);
		history.entries[0].blocks = rows[i].was;
		prune(&history, &whole, 1);
		assert_int_equal(history.entries[0].blocks.online, rows[i].was.online);
		assert_false(history.entries[0].changed);
		prune(&history, &left, 1);
		assert_int_equal(history.n, 1);
		assert_int_equal(history.entries[0].blocks.present, rows[i].present);
		assert_int_equal(history.entries[0].blocks.online, rows[i].online);
		assert_int_equal(history.entries[0].changed, rows[i].changed);
	}
}

/* When TDX appears: memory is decided again if its reason was tdx-absent or kernel-offline. */
static void test_reconsider_let_in(void **state)
{
	struct device device = run_of(0, 8);

	(void)state;
	for (enum reason reason = 0; reason < REASON_MAX; reason++) {
		CLEANUP(history_done) struct history history = {0};

		note(&history, device, reason);
		history_reconsider_let_in(&history);
		assert_int_equal(count_undecided(&history, &device, 1),
			reason == REASON_TDX_ABSENT || reason == REASON_KERNEL_OFFLINE);
	}
}

/* An entry that was only begun is decided again, and so is one that is marked. */
static void test_reconsider(void **state)
{
	struct device all[] = {run_of(0, 8), run_of(16, 24), run_of(32, 40)};
	CLEANUP(history_done) struct history history = {0};

	(void)state;
	note(&history, all[0], REASON_TDX_ABSENT);
	note(&history, all[1], REASON_RULE);
	note(&history, all[2], REASON_ALREADY_ONLINE);
	assert_int_equal(count_undecided(&history, all, 3), 0);
	history.entries[1].result = RESULT_BEGUN;
	assert_int_equal(count_undecided(&history, all, 3), 1);
	assert_int_equal(count_undecided(&history, &all[1], 1), 1);
	history.entries[1].result = RESULT_FAILED;
	history_reconsider_let_in(&history);
	assert_int_equal(count_undecided(&history, all, 3), 1);
	assert_int_equal(count_undecided(&history, all, 1), 1);
	history.entries[2].reconsider = true;
	history_reconsider_let_in(&history);
	assert_int_equal(count_undecided(&history, all, 3), 2);
	history_reconsider_all(&history);
	assert_int_equal(count_undecided(&history, all, 3), 3);
}

/* A driver has been loaded: only failed or begun dax devices without a driver are decided again. */
static void test_reconsider_failed(void **state)
{
	struct device dax = dax_of("dax0.0", 7, span(8, 16), span(32, 40)), dimm = dimm_of(48, 64);
	CLEANUP(history_done) struct history history = {0};

	(void)state;
	note(&history, dax, REASON_RULE);
	note(&history, dimm, REASON_RULE);
	for (enum result result = 0; result < RESULT_MAX; result++)
		for (enum dax_driver driver = 0; driver < DAX_DRIVER_MAX; driver++) {
			struct history_entry *entries = history.entries;

			entries[0].reconsider = entries[1].reconsider = false;
			entries[0].result = entries[1].result = result;
			entries[0].device.driver = driver;
			history_reconsider_failed(&history);
			assert_int_equal(entries[0].reconsider,
				(result == RESULT_FAILED || result == RESULT_BEGUN) &&
					driver == DAX_DRIVER_NONE);
			assert_false(entries[1].reconsider);
		}
	history.entries[0].reconsider = true;
	history_reconsider_failed(&history);
	assert_true(history.entries[0].reconsider);
}

/* The region of a device became known after its note: it is decided again, once. */
static void test_reconsider_placed(void **state)
{
	struct device items[] = {dax_of("dax0.0", 7, span(8, 16), span(0, 0)), dimm_of(48, 64),
		dax_of("dax1.0", 8, span(24, 32), span(0, 0))};
	const struct devices all = {items, ARRAY_SIZE(items)};
	CLEANUP(history_done) struct history history = {0};

	(void)state;
	for (size_t i = 0; i < all.n; i++)
		note(&history, items[i], REASON_RULE);
	history_find(&history, &items[2])->changed = true;
	history_reconsider_placed(&history, &all);
	assert_int_equal(count_undecided(&history, items, all.n), 0);
	strcpy(items[0].region, "region0");
	strcpy(items[2].region, "region1");
	history_reconsider_placed(&history, &all);
	assert_int_equal(count_undecided(&history, items, all.n), 1);
	assert_true(history.entries[0].reconsider);
	note(&history, items[0], REASON_RULE);
	history_reconsider_placed(&history, &all);
	assert_int_equal(count_undecided(&history, items, all.n), 0);
}

static int act(struct history *history, int action, struct devices *ret_undecided)
{
	struct device left[] = {
		run_of(0, 2), run_of(3, 8), dax_of("dax0.0", 7, span(16, 24), span(32, 40))};
	const struct devices all = {left, ARRAY_SIZE(left)};
	const struct device part = run_of(4, 5);
	const struct decision decision = {.reason = REASON_TDX_ABSENT};
	const struct outcome outcome = {.result = RESULT_DONE};

	switch (action) {
	case 0:
		return history_note(history, &part, &decision, &outcome, false);
	case 1:
		return history_prune(history, &all);
	default:
		return history_undecided(history, &all, ret_undecided);
	}
}

/* If an allocation fails, the history is as it was. */
static void test_short_memory(void **state)
{
	(void)state;
	for (int action = 0; action < 3; action++) {
		int r = -ENOMEM;

		for (int allowed = 0; r < 0; allowed++) {
			CLEANUP(history_done) struct history history = {0};
			CLEANUP(devices_done) struct devices undecided = {0};
			struct device run = run_of(0, 8);
			struct device dax = dax_of("dax0.0", 7, span(16, 24), span(32, 40));

			note(&history, run, REASON_RULE);
			note(&history, dax, REASON_RULE);
			allocations_left = allowed;
			r = act(&history, action, &undecided);
			allocations_left = -1;
			assert_true(r == 0 || r == -ENOMEM);
			assert_non_null(history_find(&history, &dax));
			if (r < 0) {
				assert_int_equal(history.n, 2);
				assert_int_equal(entry_at(&history, 0, 8)->reason, REASON_RULE);
			}
			assert_int_equal(undecided.n, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_note_clears_flags),
		cmocka_unit_test(test_not_configured),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_other_devices),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_cut_blocks),
		cmocka_unit_test(test_reconsider),
		cmocka_unit_test(test_reconsider_let_in),
		cmocka_unit_test(test_reconsider_failed),
		cmocka_unit_test(test_reconsider_placed),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
