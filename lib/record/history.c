/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: a list of entries, one for each range.
 */
#include "tdxo/record/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"

void history_done(struct history *history)
{
	free(history->entries);
	*history = (struct history){0};
}

int history_append(struct history *history, const struct entry *entry)
{
	return array_append(history->entries, history->n, *entry);
}

/* How many blocks a part of a run has. If they are not all alike, that cannot be told. */
static void cut_blocks(struct entry *part, uint64_t whole)
{
	uint64_t present = part->blocks.present;
	bool all = present && part->blocks.online == present;

	if (part->arrival.size == whole || !whole)
		return;
	part->changed |= part->blocks.online && !all;
	part->blocks.present = present * part->arrival.size / whole;
	part->blocks.online = all ? part->blocks.present : 0;
}

/* Append the parts of an entry. */
static int append_parts(
	struct history *history, const struct entry *entry, const struct arrivals *parts)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < parts->n; i++) {
		struct entry part = *entry;

		part.arrival.range = parts->items[i].range;
		part.arrival.size = parts->items[i].size;
		cut_blocks(&part, entry->arrival.size);
		r = history_append(history, &part);
	}
	return r;
}

/* What `select` leaves of each entry, when it is held against the others; and one entry more. */
static int filter(struct history *history, const struct arrivals *others,
	int (*select)(const struct arrivals *from, const struct arrivals *others,
		struct arrivals *ret_selected),
	const struct entry *more)
{
	CLEANUP(history_done) struct history kept = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < history->n; i++) {
		const struct arrivals one = {&history->entries[i].arrival, 1};
		CLEANUP(arrivals_done) struct arrivals parts = {0};

		r = select(&one, others, &parts);
		if (r == 0)
			r = append_parts(&kept, &history->entries[i], &parts);
	}
	if (r == 0 && more)
		r = history_append(&kept, more);
	if (r < 0)
		return r;
	history_done(history);
	*history = kept;
	kept = (struct history){0};
	return 0;
}

int history_note(struct history *history, const struct record *record)
{
	struct entry entry = {
		.arrival = record->arrival,
		.verdict = record->decision.verdict,
		.reason = record->decision.reason,
		.zone = record->decision.zone,
		.answer = record->outcome.answer,
		.result = record->outcome.result,
		.blocks = record->outcome.blocks,
	};
	const struct arrivals one = {&entry.arrival, 1};

	snprintf(entry.rule, sizeof(entry.rule), "%s", record->decision.rule);
	return filter(history, &one, arrivals_undecided, &entry);
}

int history_prune(struct history *history, const struct arrivals *all)
{
	return filter(history, all, arrivals_remaining, NULL);
}

int history_undecided(
	const struct history *history, const struct arrivals *all, struct arrivals *ret_undecided)
{
	CLEANUP(arrivals_done) struct arrivals decided = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < history->n; i++) {
		const struct entry *entry = &history->entries[i];

		if (!entry->reconsider && entry->result != RESULT_BEGUN)
			r = arrivals_append(&decided, &entry->arrival);
	}
	return r < 0 ? r : arrivals_undecided(all, &decided, ret_undecided);
}

struct entry *history_find(const struct history *history, const struct arrival *arrival)
{
	for (size_t i = 0; i < history->n; i++)
		if (arrival_is_within(arrival, &history->entries[i].arrival))
			return &history->entries[i];
	return NULL;
}

void history_reconsider_all(struct history *history)
{
	for (size_t i = 0; i < history->n; i++)
		history->entries[i].reconsider = true;
}

void history_reconsider_let_in(struct history *history)
{
	for (size_t i = 0; i < history->n; i++)
		history->entries[i].reconsider |= history->entries[i].reason == REASON_TDX_ABSENT;
}

void history_reconsider_failed(struct history *history)
{
	for (size_t i = 0; i < history->n; i++) {
		struct entry *entry = &history->entries[i];

		entry->reconsider |= entry->result == RESULT_FAILED &&
				     arrival_is_dax(&entry->arrival) &&
				     entry->arrival.driver == DAX_DRIVER_NONE;
	}
}

bool entry_is_changed(
	const struct entry *entry, const struct arrival *arrival, const struct block_count *blocks)
{
	if (entry->changed || entry->result == RESULT_BEGUN || entry->reconsider ||
		arrival->type == TYPE_VIRTIO_MEM)
		return false;
	return arrival->driver != entry->arrival.driver || blocks->online != entry->blocks.online;
}

bool entry_differs(const struct entry *entry, const struct record *record)
{
	const struct decision *decision = &record->decision;

	if ((entry->result == RESULT_WITHHELD) != (record->outcome.result == RESULT_WITHHELD))
		return true;
	if (entry->reason != decision->reason && decision->reason != REASON_ALREADY_DEVDAX)
		return true;
	return entry->verdict != decision->verdict || entry->zone != decision->zone ||
	       strcmp(entry->rule, decision->rule) != 0;
}

void entry_confirm(struct entry *entry, const struct record *record)
{
	entry->arrival = record->arrival;
	entry->blocks = record->outcome.blocks;
	entry->result = record->outcome.result;
	entry->reconsider = false;
	entry->changed = false;
}
