/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drift. The states of blocks are read only where an event said that some have changed.
 */
#include "daemon/service/drift.h"

#include <stdio.h>

/* The range of an entry as it is now; false: it is not there. */
static bool find_now(const struct entry *entry, const struct arrivals *all, struct arrival *ret_now)
{
	for (size_t i = 0; i < all->n; i++) {
		if (!arrival_is_within(&entry->arrival, &all->items[i]))
			continue;
		*ret_now = all->items[i];
		ret_now->range = entry->arrival.range;
		ret_now->size = entry->arrival.size;
		return true;
	}
	return false;
}

static bool blocks_changed(const struct drift *drift, struct range range)
{
	uint64_t size = drift->sensor->snapshot.block_size;

	return range.start / size < drift->end_block &&
	       (range.end + size - 1) / size > drift->first_block;
}

static void record_drift(
	const struct drift *drift, struct entry *entry, const struct record *record)
{
	entry->changed = true;
	if (record->outcome.answer)
		entry->answer = record->outcome.answer;
	work_record(drift->work, record);
	work_save(drift->work);
}

static void check_entry(const struct drift *drift, struct entry *entry, const struct arrival *now)
{
	const struct snapshot *snapshot = &drift->sensor->snapshot;
	struct record record = {
		.arrival = *now,
		.decision = {.verdict = entry->verdict,
			.reason = entry->reason,
			.expected = policy_expects(drift->sensor->config, snapshot, now)},
		.outcome = {.result = RESULT_CHANGED, .blocks = entry->blocks},
		.tdx = snapshot->tdx,
	};

	if (now->driver != entry->arrival.driver || blocks_changed(drift, now->range)) {
		sensor_review(drift->sensor, &record.arrival);
		record.outcome.blocks = snapshot_count(snapshot, now->range);
	}
	/* Whoever put more of it online has asked the kernel. */
	if (record.outcome.blocks.online > entry->blocks.online)
		record.outcome.answer = ANSWER_ACCEPTS;
	/* kmem is still making blocks of it: each of them is news. */
	if (record.arrival.driver == DAX_DRIVER_KMEM && !record.outcome.blocks.present)
		return;
	if (!entry_is_changed(entry, &record.arrival, &record.outcome.blocks))
		return;
	snprintf(record.decision.rule, sizeof(record.decision.rule), "%s", entry->rule);
	sensor_describe(drift->sensor, &record.arrival);
	record_drift(drift, entry, &record);
}

void drift_check(const struct drift *drift, const struct arrivals *all)
{
	struct history *history = &drift->work->state->history;

	if (!drift->drivers && drift->first_block == drift->end_block)
		return;
	for (size_t i = 0; i < history->n; i++) {
		struct entry *entry = &history->entries[i];
		struct arrival now;

		if (!entry->changed && find_now(entry, all, &now) && !work_holds(drift->work, &now))
			check_entry(drift, entry, &now);
	}
}
