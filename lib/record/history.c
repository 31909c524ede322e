/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: entries in the order of device_compare(), one for each device.
 */
#include "tdxo/record/history.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/memory/device_index.h"

void history_entry_done(struct history_entry *entry)
{
	device_done(&entry->device);
}

void history_done(struct history *history)
{
	for (size_t i = 0; i < history->n; i++)
		history_entry_done(&history->entries[i]);
	free(history->entries);
	*history = (struct history){0};
}

static_assert(offsetof(struct history_entry, device) == 0, "device_search() finds it there");

static bool is_below(const void *item, const void *device)
{
	return device_compare(item, device) < 0;
}

/* Make room for n entries more. 0 or -ENOMEM, and then the history is as it was. */
static int reserve(struct history *history, size_t n)
{
	for (size_t i = history->n; i < history->n + n; i++) {
		void *room = array_room(history->entries, i, sizeof(*history->entries));

		if (!room)
			return -ENOMEM;
		history->entries = room;
	}
	return 0;
}

/* There is room. */
static void insert(struct history *history, struct history_entry *entry)
{
	struct history_entry *entries = history->entries;
	size_t i = array_search(entries, history->n, sizeof(*entries), &entry->device, is_below);

	memmove(entries + i + 1, entries + i, (history->n++ - i) * sizeof(*entries));
	entries[i] = *entry;
	*entry = (struct history_entry){0};
}

int history_add(struct history *history, struct history_entry *entry)
{
	int r = reserve(history, 1);

	if (r == 0)
		insert(history, entry);
	return r;
}

/* How many blocks a part of a run has. If they are not all alike, that is not known. */
static void cut_blocks(struct history_entry *part, uint64_t whole)
{
	uint64_t present = part->blocks.present;
	bool all = present && part->blocks.online == present;

	if (part->device.size == whole || !whole)
		return;
	part->changed |= part->blocks.online && !all;
	part->blocks.present = present * part->device.size / whole;
	part->blocks.online = all ? part->blocks.present : 0;
}

/* Add what of an entry is (or, if `among` is false, is not) among other devices. 0 or -ENOMEM. */
static int add_parts(struct history *history, const struct history_entry *entry,
	const struct device_index *others, bool among)
{
	CLEANUP(devices_done) struct devices parts = {0};
	int r = device_index_select(others, &entry->device, among, &parts);

	for (size_t i = 0; r == 0 && i < parts.n; i++) {
		CLEANUP(history_entry_done) struct history_entry part = *entry;

		part.device = parts.items[i];
		parts.items[i] = (struct device){0};
		cut_blocks(&part, entry->device.size);
		r = history_add(history, &part);
	}
	return r;
}

static bool ends_before(const void *item, const void *device)
{
	const struct device *one = item, *other = device;

	return device_compare(one, other) < 0 && !device_shares(one, other);
}

struct history history_in(const struct history *history, const struct device *device)
{
	struct history_entry *entries = history->entries;
	size_t first = array_search(entries, history->n, sizeof(*entries), device, ends_before);
	size_t end = first;

	while (end < history->n && device_shares(&entries[end].device, device))
		end++;
	return first < end ? (struct history){entries + first, end - first} : (struct history){0};
}

/* Add an entry in place of all that is there of its device. On an error nothing has changed. */
static int replace(struct history *history, struct history_entry *entry)
{
	const struct devices one = {&entry->device, 1};
	const struct history old = history_in(history, &entry->device);
	size_t first = old.n ? (size_t)(old.entries - history->entries) : history->n;
	CLEANUP(device_index_done) struct device_index index = {0};
	CLEANUP(history_done) struct history rest = {0};
	int r = device_index_of(&one, &index);

	for (size_t i = 0; r == 0 && i < old.n; i++)
		r = add_parts(&rest, &old.entries[i], &index, false);
	if (r == 0)
		r = reserve(history, rest.n + 1);
	if (r < 0)
		return r;
	for (size_t i = first; i < first + old.n; i++)
		history_entry_done(&history->entries[i]);
	history->n -= old.n;
	memmove(history->entries + first, history->entries + first + old.n,
		(history->n - first) * sizeof(*history->entries));
	for (size_t i = 0; i < rest.n; i++)
		insert(history, &rest.entries[i]);
	insert(history, entry);
	return 0;
}

int history_note(struct history *history, const struct device *device,
	const struct decision *decision, const struct outcome *outcome, bool recorded)
{
	CLEANUP(history_entry_done)
	struct history_entry entry = {
		.verdict = decision->verdict,
		.reason = decision->reason,
		.zone = decision->zone,
		.access = decision->access,
		.answer = outcome->answer,
		.error = outcome->error,
		.failed = outcome->failed,
		.failed_at = outcome->failed_at,
		.result = outcome->result,
		.blocks = outcome->blocks,
		.recorded = recorded,
	};
	int r;

	snprintf(entry.rule, sizeof(entry.rule), "%s", decision->rule);
	r = device_copy(device, &entry.device);
	entry.device.driver = outcome->driver;
	return r < 0 ? r : replace(history, &entry);
}

int history_prune(struct history *history, const struct devices *all)
{
	CLEANUP(device_index_done) struct device_index index = {0};
	CLEANUP(history_done) struct history kept = {0};
	int r = device_index_of(all, &index);

	for (size_t i = 0; r == 0 && i < history->n; i++)
		r = add_parts(&kept, &history->entries[i], &index, true);
	if (r < 0)
		return r;
	history_done(history);
	*history = kept;
	kept = (struct history){0};
	return 0;
}

/* Has a device got the driver that was waited for? */
static bool is_configured_now(const struct history_entry *entry, const struct device_index *all)
{
	const struct device *now = entry->reason == REASON_NOT_CONFIGURED
					   ? device_index_find(all, &entry->device)
					   : NULL;

	return now && now->driver != DAX_DRIVER_NONE;
}

/* Add what is decided, and is not to be decided again. 0 or -ENOMEM. */
static int find_decided(
	const struct history *history, const struct device_index *all, struct device_index *decided)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < history->n; i++) {
		const struct history_entry *entry = &history->entries[i];

		if (!entry->reconsider && entry->result != RESULT_BEGUN &&
			!is_configured_now(entry, all))
			r = device_index_add(decided, &entry->device);
	}
	return r < 0 ? r : device_index_make(decided);
}

int history_undecided(
	const struct history *history, const struct devices *all, struct devices *ret_undecided)
{
	CLEANUP(device_index_done) struct device_index index = {0}, decided = {0};
	CLEANUP(devices_done) struct devices undecided = {0};
	int r = device_index_of(all, &index);

	if (r == 0)
		r = find_decided(history, &index, &decided);
	for (size_t i = 0; r == 0 && i < all->n; i++)
		r = device_index_select(&decided, &all->items[i], false, &undecided);
	if (r < 0)
		return r;
	*ret_undecided = undecided;
	undecided = (struct devices){0};
	return 0;
}

struct history_entry *history_find(const struct history *history, const struct device *device)
{
	size_t i = device_search(history->entries, history->n, sizeof(*history->entries), device);

	return i < history->n ? &history->entries[i] : NULL;
}

void history_reconsider_all(struct history *history)
{
	for (size_t i = 0; i < history->n; i++)
		history->entries[i].reconsider = true;
}

void history_reconsider_asked(struct history *history, const struct device *device)
{
	for (size_t i = 0; i < history->n; i++) {
		struct history_entry *entry = &history->entries[i];

		if (!device_is_within(&entry->device, device))
			continue;
		entry->reconsider = true;
		entry->asked = true;
	}
}

void history_reconsider_let_in(struct history *history)
{
	for (size_t i = 0; i < history->n; i++) {
		enum reason reason = history->entries[i].reason;

		history->entries[i].reconsider |=
			reason == REASON_TDX_ABSENT || reason == REASON_KERNEL_OFFLINE;
	}
}

void history_reconsider_placed(struct history *history, const struct devices *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct device *now = &all->items[i];
		struct history_entry *entry = history_find(history, now);

		if (entry && device_is_dax(now) && now->region[0] && !entry->device.region[0] &&
			now->driver == entry->device.driver && !entry->changed)
			entry->reconsider = true;
	}
}

void history_reconsider_failed(struct history *history)
{
	for (size_t i = 0; i < history->n; i++) {
		struct history_entry *entry = &history->entries[i];
		bool failed = entry->result == RESULT_FAILED || entry->result == RESULT_BEGUN;

		entry->reconsider |= failed && device_is_dax(&entry->device) &&
				     entry->device.driver == DAX_DRIVER_NONE;
	}
}

bool history_entry_is_half_done(const struct history_entry *entry)
{
	if (entry->result == RESULT_BEGUN)
		return true;
	if (entry->result != RESULT_FAILED || entry->changed || !device_is_dax(&entry->device))
		return false;
	return entry->device.driver == DAX_DRIVER_NONE ||
	       (entry->device.driver == DAX_DRIVER_KMEM && !entry->blocks.present);
}

static bool is_undone(const struct history_entry *entry)
{
	return entry->reason == REASON_KERNEL_REFUSED || entry->reason == REASON_ROLLED_BACK;
}

bool history_entry_is_undoing(const struct history_entry *entry)
{
	return entry->result == RESULT_BEGUN && is_undone(entry);
}

/* If others had brought a block online, all of it was to be left as it is. */
bool history_entry_is_partly_undone(const struct history_entry *entry)
{
	return entry->result == RESULT_PARTIAL && is_undone(entry) &&
	       entry->verdict != VERDICT_IGNORE;
}

bool history_entry_is_changed(
	const struct history_entry *entry, enum dax_driver driver, const struct block_count *blocks)
{
	if (entry->changed || entry->result == RESULT_BEGUN || entry->reconsider ||
		entry->reason == REASON_NOT_CONFIGURED || entry->device.type == TYPE_VIRTIO_MEM)
		return false;
	return driver != entry->device.driver || blocks->online != entry->blocks.online;
}

bool history_entry_was_changed(const struct history_entry *entry, const struct facts *facts)
{
	const struct block_count blocks = facts_count(facts);

	return entry->changed ||
	       (facts->device.size == entry->device.size &&
		       history_entry_is_changed(entry, facts->device.driver, &blocks));
}

bool history_entry_differs(
	const struct history_entry *entry, const struct decision *decision, enum result result)
{
	if ((entry->result == RESULT_WITHHELD) != (result == RESULT_WITHHELD))
		return true;
	if (entry->reason != decision->reason && decision->reason != REASON_ALREADY_DEVDAX)
		return true;
	return entry->verdict != decision->verdict || entry->zone != decision->zone ||
	       strcmp(entry->rule, decision->rule) != 0;
}

void history_entry_confirm(
	struct history_entry *entry, const struct device *device, const struct outcome *outcome)
{
	memcpy(entry->device.region, device->region, sizeof(entry->device.region));
	entry->device.driver = outcome->driver;
	entry->blocks = outcome->blocks;
	entry->result = outcome->result;
	entry->reconsider = false;
	entry->asked = false;
	entry->changed = false;
}
