/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history of random runs of blocks, compared with an array of one cell for each block.
 */
#include "tests/unit/histories.h"

#include <string.h>

#define CELLS 32

/* The reason of the block's entry, or one of these. */
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
		const struct history_entry *entry = &history->entries[i];

		assert_int_equal(entry->device.n_ranges, 1);
		assert_int_equal(entry->device.size, range_size(entry->device.ranges[0]));
		assert_int_equal(entry->blocks.present, entry->device.size);
		assert_true(entry->device.size);
		for (uint64_t c = entry->device.ranges[0].start; c < entry->device.ranges[0].end;
			c++) {
			assert_int_equal(got[c], CELL_NONE);
			got[c] = entry->reconsider ? CELL_OPEN : (int)entry->reason;
		}
	}
	assert_memory_equal(got, cells, sizeof(got));
}

static void note_cells(struct history *history, int cells[CELLS], uint64_t *seed)
{
	uint64_t start = below(seed, CELLS), end = start + 1 + below(seed, CELLS - start);
	const struct device run = run_of(start, end);
	const struct decision decision = {.reason = (enum reason)below(seed, REASON_MAX)};
	const struct outcome outcome = {.result = RESULT_DONE, .blocks.present = end - start};

	assert_int_equal(history_note(history, &run, &decision, &outcome, false), 0);
	for (uint64_t c = start; c < end; c++)
		cells[c] = (int)decision.reason;
}

/* Runs that do not touch, as devices_find() finds them. */
static size_t random_runs(struct device runs[CELLS], bool there[CELLS], uint64_t *seed)
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
	struct device runs[CELLS];
	bool there[CELLS];

	prune(history, runs, random_runs(runs, there, seed));
	for (size_t c = 0; c < CELLS; c++)
		if (!there[c])
			cells[c] = CELL_NONE;
}

static void assert_undecided(const struct history *history, const int cells[CELLS], uint64_t *seed)
{
	CLEANUP(devices_done) struct devices undecided = {0};
	struct device runs[CELLS];
	bool there[CELLS], open[CELLS] = {false};

	const struct devices all = {runs, random_runs(runs, there, seed)};
	assert_int_equal(history_undecided(history, &all, &undecided), 0);
	for (size_t i = 0; i < undecided.n; i++)
		memset(open + undecided.items[i].ranges[0].start, 1, undecided.items[i].size);
	for (size_t c = 0; c < CELLS; c++)
		assert_int_equal(
			open[c], there[c] && (cells[c] == CELL_NONE || cells[c] == CELL_OPEN));
}

static void open_cells(struct history *history, int cells[CELLS], uint64_t *seed)
{
	struct history_entry *entry;

	if (!history->n)
		return;
	entry = &history->entries[below(seed, history->n)];
	entry->reconsider = true;
	for (uint64_t c = entry->device.ranges[0].start; c < entry->device.ranges[0].end; c++)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algebra),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
