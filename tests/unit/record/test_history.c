/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: what is noted replaces what was there of its range, what is gone is forgotten,
 * and what is settled is not decided again; for devices and DIMMs as a whole, for runs of
 * blocks part by part. The last is also tried on random runs, against one cell for each block.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tdxo/record/history.h"
#include "tests/unit/short_memory.h"

static struct arrival run_of(uint64_t start, uint64_t end)
{
	return (struct arrival){.range = {start, end}, .size = end - start, .node = NODE_UNKNOWN};
}

static struct arrival dimm_of(uint64_t start, uint64_t end)
{
	struct arrival dimm = run_of(start, end);

	dimm.type = TYPE_DIMM;
	return dimm;
}

static struct arrival device_of(const char *name, uint64_t identity, uint64_t start, uint64_t end)
{
	struct arrival device = run_of(start, end);

	device.type = TYPE_CXL;
	device.identity = identity;
	device.driver = DAX_DRIVER_DEVICE_DAX;
	snprintf(device.device, sizeof(device.device), "%s", name);
	return device;
}

static void note(struct history *history, struct arrival arrival, enum reason reason)
{
	const struct record record = {.arrival = arrival,
		.decision = {.verdict = VERDICT_DEVDAX, .reason = reason},
		.outcome = {.result = RESULT_DONE}};

	assert_int_equal(history_note(history, &record), 0);
}

static const struct entry *entry_at(const struct history *history, uint64_t start, uint64_t end)
{
	size_t i = 0;

	while (i < history->n && !range_equal(history->entries[i].arrival.range, span(start, end)))
		i++;
	assert_in_range(i, 0, history->n - 1);
	return &history->entries[i];
}

static void prune(struct history *history, struct arrival *left, size_t n)
{
	const struct arrivals all = {left, n};

	assert_int_equal(history_prune(history, &all), 0);
}

static size_t count_undecided(const struct history *history, struct arrival *items, size_t n)
{
	const struct arrivals all = {items, n};
	CLEANUP(arrivals_done) struct arrivals undecided = {0};

	assert_int_equal(history_undecided(history, &all, &undecided), 0);
	return undecided.n;
}

/* All of a record that lasts is in its entry, and a second record is in place of the first. */
static void test_note(void **state)
{
	CLEANUP(history_done) struct history history = {0};
	struct record record = {.arrival = device_of("dax0.0", 7, 8, 16),
		.decision = {.verdict = VERDICT_ONLINE,
			.reason = REASON_RULE,
			.zone = ZONE_MOVABLE,
			.rule = "a.rule"},
		.outcome = {.result = RESULT_PARTIAL, .blocks = {8, 7, 0}}};
	const struct entry *entry;

	(void)state;
	assert_int_equal(history_note(&history, &record), 0);
	record.decision.verdict = VERDICT_DEVDAX;
	assert_int_equal(history_note(&history, &record), 0);
	assert_int_equal(history.n, 1);
	entry = &history.entries[0];
	assert_string_equal(entry->arrival.device, "dax0.0");
	assert_int_equal(entry->arrival.driver, DAX_DRIVER_DEVICE_DAX);
	assert_int_equal(entry->verdict, VERDICT_DEVDAX);
	assert_int_equal(entry->reason, REASON_RULE);
	assert_int_equal(entry->zone, ZONE_MOVABLE);
	assert_int_equal(entry->result, RESULT_PARTIAL);
	assert_string_equal(entry->rule, "a.rule");
	assert_int_equal(entry->blocks.present, 8);
	assert_int_equal(entry->blocks.online, 7);
	assert_false(entry->reconsider || entry->changed);
}

/* A new record also settles what was to be reconsidered, and what has been said. */
static void test_note_settles(void **state)
{
	CLEANUP(history_done) struct history history = {0};
	struct arrival device = device_of("dax0.0", 7, 8, 16);

	(void)state;
	note(&history, device, REASON_RULE);
	history.entries[0].reconsider = history.entries[0].changed = true;
	assert_int_equal(count_undecided(&history, &device, 1), 1);
	note(&history, device, REASON_RULE);
	assert_int_equal(count_undecided(&history, &device, 1), 0);
	assert_false(history.entries[0].reconsider || history.entries[0].changed);
}

/* Two mappings of a device, and another device where the first one was, are ranges of their own. */
static void test_devices(void **state)
{
	struct arrival all[] = {
		device_of("dax0.0", 7, 8, 16), device_of("dax0.0", 7, 32, 40), dimm_of(48, 64)};
	struct arrival reborn = device_of("dax0.0", 9, 8, 16),
		       moved = device_of("dax0.0", 7, 8, 24);
	CLEANUP(history_done) struct history history = {0};

	(void)state;
	assert_int_equal(count_undecided(&history, all, 3), 3);
	for (size_t i = 0; i < 3; i++)
		note(&history, all[i], REASON_RULE);
	assert_int_equal(history.n, 3);
	assert_int_equal(count_undecided(&history, all, 3), 0);
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(history_find(&history, &all[i]), &history.entries[i]);
	/* One that comes back under its name is another one. */
	assert_int_equal(count_undecided(&history, &reborn, 1), 1);
	assert_int_equal(count_undecided(&history, &moved, 1), 1);
	assert_null(history_find(&history, &reborn));
	assert_null(history_find(&history, &moved));
	all[0] = reborn;
	prune(&history, all, 3);
	assert_int_equal(history.n, 2);
	assert_null(history_find(&history, &reborn));
	note(&history, reborn, REASON_RULE);
	assert_int_equal(count_undecided(&history, all, 3), 0);
	prune(&history, NULL, 0);
	assert_int_equal(history.n, 0);
}

/* A device that nobody knows where it is has a place in the history, by its name. */
static void test_unreadable(void **state)
{
	struct arrival lost = device_of("dax0.0", 7, 0, 0), other = device_of("dax1.0", 7, 0, 0);
	CLEANUP(history_done) struct history history = {0};

	(void)state;
	lost.fault = other.fault = FAULT_UNREADABLE;
	note(&history, lost, REASON_UNREADABLE);
	assert_int_equal(count_undecided(&history, &lost, 1), 0);
	assert_int_equal(count_undecided(&history, &other, 1), 1);
	prune(&history, &lost, 1);
	assert_non_null(history_find(&history, &lost));
	assert_null(history_find(&history, &other));
}

/* A run grows at both ends, shrinks in its middle, and a part of it is decided anew. */
static void test_runs(void **state)
{
	struct arrival run = run_of(8, 16), grown = run_of(6, 20);
	struct arrival left[] = {run_of(6, 10), run_of(12, 20)}, across = run_of(5, 7);
	CLEANUP(history_done) struct history history = {0};
	CLEANUP(arrivals_done) struct arrivals fresh = {0};

	(void)state;
	note(&history, run, REASON_RULE);
	assert_int_equal(history_undecided(&history, &(struct arrivals){&grown, 1}, &fresh), 0);
	assert_int_equal(fresh.n, 2);
	assert_range_equal(fresh.items[0].range, span(6, 8));
	assert_range_equal(fresh.items[1].range, span(16, 20));
	note(&history, fresh.items[0], REASON_RULE);
	note(&history, fresh.items[1], REASON_RULE);
	assert_int_equal(history.n, 3);
	assert_int_equal(count_undecided(&history, &grown, 1), 0);
	/* Nothing holds all of it. */
	assert_null(history_find(&history, &grown));
	assert_null(history_find(&history, &across));
	assert_ptr_equal(history_find(&history, &run), entry_at(&history, 8, 16));
	prune(&history, left, 2);
	assert_int_equal(history.n, 4);
	assert_int_equal(entry_at(&history, 8, 10)->arrival.size, 2);
	assert_int_equal(entry_at(&history, 12, 16)->arrival.size, 4);
	entry_at(&history, 6, 8);
	entry_at(&history, 16, 20);
	/* One record of several old parts, and of the middle of another. */
	note(&history, run_of(6, 9), REASON_IN_BOOT_MAP);
	note(&history, run_of(13, 14), REASON_IN_BOOT_MAP);
	assert_int_equal(history.n, 6);
	assert_int_equal(entry_at(&history, 6, 9)->reason, REASON_IN_BOOT_MAP);
	assert_int_equal(entry_at(&history, 9, 10)->reason, REASON_RULE);
	assert_int_equal(entry_at(&history, 12, 13)->reason, REASON_RULE);
	assert_int_equal(entry_at(&history, 14, 16)->reason, REASON_RULE);
}

/* What is left of a run has its share of the blocks; which ones were online, only if all were. */
static void test_cut_blocks(void **state)
{
	static const struct {
		struct block_count was;
		uint64_t present, online;
		bool changed;
	} rows[] = {
		{{8, 8, 0}, 2, 2, false},
		{{8, 0, 0}, 2, 0, false},
		{{8, 5, 0}, 2, 0, true}, /* nothing can be said of it, so nothing will be */
		{{0, 0, 0}, 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(history_done) struct history history = {0};
		struct arrival left = run_of(10, 12), whole = run_of(8, 16);

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

/* What was only begun when the daemon ended is decided again; and so is what is to be. */
static void test_reconsider(void **state)
{
	struct arrival all[] = {run_of(0, 8), run_of(16, 24), run_of(32, 40)};
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

#define CELLS 32

/* One cell for each block: its entry's reason, or one of these. */
enum {
	CELL_NONE = -1,
	CELL_OPEN = REASON_MAX, /* to be reconsidered */
};

static void assert_cells(const struct history *history, const int cells[CELLS])
{
	int got[CELLS];

	for (size_t c = 0; c < CELLS; c++)
		got[c] = CELL_NONE;
	for (size_t i = 0; i < history->n; i++) {
		const struct entry *entry = &history->entries[i];

		assert_int_equal(entry->arrival.size, range_size(entry->arrival.range));
		assert_int_equal(entry->blocks.present, entry->arrival.size);
		assert_true(entry->arrival.size);
		for (uint64_t c = entry->arrival.range.start; c < entry->arrival.range.end; c++) {
			assert_int_equal(got[c], CELL_NONE);
			got[c] = entry->reconsider ? CELL_OPEN : (int)entry->reason;
		}
	}
	assert_memory_equal(got, cells, sizeof(got));
}

static void note_cells(struct history *history, int cells[CELLS], uint64_t *seed)
{
	uint64_t start = below(seed, CELLS), end = start + 1 + below(seed, CELLS - start);
	struct record record = {.arrival = run_of(start, end),
		.decision.reason = (enum reason)below(seed, REASON_MAX),
		.outcome = {.result = RESULT_DONE, .blocks.present = end - start}};

	assert_int_equal(history_note(history, &record), 0);
	for (uint64_t c = start; c < end; c++)
		cells[c] = (int)record.decision.reason;
}

/* Runs that do not touch, as arrivals_find() finds them. */
static size_t random_runs(struct arrival runs[CELLS], bool there[CELLS], uint64_t *seed)
{
	size_t n = 0;

	memset(there, 0, CELLS);
	for (uint64_t at = below(seed, 4); at < CELLS;) {
		uint64_t end = at + 1 + below(seed, CELLS - at);

		runs[n++] = run_of(at, end);
		memset(there + at, 1, end - at);
		at = end + 1 + below(seed, 4);
	}
	return n;
}

static void prune_cells(struct history *history, int cells[CELLS], uint64_t *seed)
{
	struct arrival runs[CELLS];
	bool there[CELLS];

	prune(history, runs, random_runs(runs, there, seed));
	for (size_t c = 0; c < CELLS; c++)
		if (!there[c])
			cells[c] = CELL_NONE;
}

static void assert_undecided(const struct history *history, const int cells[CELLS], uint64_t *seed)
{
	CLEANUP(arrivals_done) struct arrivals undecided = {0};
	struct arrival runs[CELLS];
	bool there[CELLS], open[CELLS] = {false};

	const struct arrivals all = {runs, random_runs(runs, there, seed)};
	assert_int_equal(history_undecided(history, &all, &undecided), 0);
	for (size_t i = 0; i < undecided.n; i++)
		memset(open + undecided.items[i].range.start, 1, undecided.items[i].size);
	for (size_t c = 0; c < CELLS; c++)
		assert_int_equal(
			open[c], there[c] && (cells[c] == CELL_NONE || cells[c] == CELL_OPEN));
}

static void open_cells(struct history *history, int cells[CELLS], uint64_t *seed)
{
	struct entry *entry;

	if (!history->n)
		return;
	entry = &history->entries[below(seed, history->n)];
	entry->reconsider = true;
	for (uint64_t c = entry->arrival.range.start; c < entry->arrival.range.end; c++)
		cells[c] = CELL_OPEN;
}

static void test_algebra(void **state)
{
	uint64_t seed = 13;

	(void)state;
	for (int round = 0; round < 400; round++) {
		CLEANUP(history_done) struct history history = {0};
		int cells[CELLS];

		for (size_t c = 0; c < CELLS; c++)
			cells[c] = CELL_NONE;
		for (int i = 0; i < 12; i++) {
			size_t what = below(&seed, 4);

			if (what < 2)
				note_cells(&history, cells, &seed);
			else if (what == 2)
				prune_cells(&history, cells, &seed);
			else
				open_cells(&history, cells, &seed);
			assert_cells(&history, cells);
			assert_undecided(&history, cells, &seed);
		}
	}
}

static int act(struct history *history, int action, struct arrivals *ret_undecided)
{
	struct arrival left[] = {run_of(0, 2), run_of(3, 8), device_of("dax0.0", 7, 16, 24)};
	const struct arrivals all = {left, ARRAY_SIZE(left)};
	const struct record record = {.arrival = run_of(4, 5)};

	switch (action) {
	case 0:
		return history_note(history, &record);
	case 1:
		return history_prune(history, &all);
	default:
		return history_undecided(history, &all, ret_undecided);
	}
}

/* Short of memory, a history keeps what it has of all other ranges. */
static void test_short_memory(void **state)
{
	(void)state;
	for (int action = 0; action < 3; action++) {
		int r = -ENOMEM;

		for (int allowed = 0; r < 0; allowed++) {
			CLEANUP(history_done) struct history history = {0};
			CLEANUP(arrivals_done) struct arrivals undecided = {0};
			struct arrival run = run_of(0, 3), dax = device_of("dax0.0", 7, 16, 24);

			note(&history, run_of(0, 8), REASON_RULE);
			note(&history, dax, REASON_RULE);
			allocations_left = allowed;
			r = act(&history, action, &undecided);
			allocations_left = -1;
			assert_true(r == 0 || r == -ENOMEM);
			assert_non_null(history_find(&history, &dax));
			if (r < 0)
				assert_non_null(history_find(&history, &run));
			assert_int_equal(undecided.n, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_note_settles),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_cut_blocks),
		cmocka_unit_test(test_reconsider),
		cmocka_unit_test(test_algebra),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
