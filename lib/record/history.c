/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: a list of entries, one for each device.
 */
#include "tdxo/record/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"

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

int history_add(struct history *history, struct history_entry *entry)
{
	int r = array_append(history->entries, history->n, *entry);

	if (r == 0)
		*entry = (struct history_entry){0};
	return r;
}

/* How many blocks a part of a run has. If they are not all alike, that cannot be told. */
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

/* Add the parts of an entry. */
static int add_parts(
	struct history *history, const struct history_entry *entry, struct devices *parts)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < parts->n; i++) {
		CLEANUP(history_entry_done) struct history_entry part = *entry;

		part.device = parts->items[i];
		parts->items[i] = (struct device){0};
		cut_blocks(&part, entry->device.size);
		r = history_add(history, &part);
	}
	return r;
}

/*
 * Leave of each entry what `select` leaves of its device, when it is held against the others, and
 * take over one entry more, unless it is NULL. On an error the history is as it was.
 */
static int filter(struct history *history, const struct devices *others,
	int (*select)(const struct devices *from, const struct devices *others,
		struct devices *ret_selected),
	struct history_entry *more)
{
	CLEANUP(history_done) struct history kept = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < history->n; i++) {
		const struct devices one = {&history->entries[i].device, 1};
		CLEANUP(devices_done) struct devices parts = {0};

		r = select(&one, others, &parts);
		if (r == 0)
			r = add_parts(&kept, &history->entries[i], &parts);
	}
	if (r == 0 && more)
		r = history_add(&kept, more);
	if (r < 0)
		return r;
	history_done(history);
	*history = kept;
	kept = (struct history){0};
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
		.answer = outcome->answer,
		.error = outcome->error,
		.failed = outcome->failed,
		.failed_at = outcome->failed_at,
		.result = outcome->result,
		.blocks = outcome->blocks,
		.recorded = recorded,
	};
	const struct devices one = {&entry.device, 1};
	int r;

	snprintf(entry.rule, sizeof(entry.rule), "%s", decision->rule);
	entry.own_known = history_entry_is_partly_undone(&entry);
	if (entry.own_known)
		entry.own_online = entry.blocks.online;
	r = device_copy(device, &entry.device);
	entry.device.driver = outcome->driver;
	return r < 0 ? r : filter(history, &one, devices_undecided, &entry);
}

int history_prune(struct history *history, const struct devices *all)
{
	return filter(history, all, devices_remaining, NULL);
}

/* Has a device got the driver that was waited for? */
static bool is_configured_now(const struct history_entry *entry, const struct devices *all)
{
	for (size_t i = 0; entry->reason == REASON_NOT_CONFIGURED && i < all->n; i++)
		if (device_is_within(&entry->device, &all->items[i]))
			return all->items[i].driver != DAX_DRIVER_NONE;
	return false;
}

int history_undecided(
	const struct history *history, const struct devices *all, struct devices *ret_undecided)
{
	CLEANUP(devices_done) struct devices decided = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < history->n; i++) {
		const struct history_entry *entry = &history->entries[i];

		if (!entry->reconsider && entry->result != RESULT_BEGUN &&
			!is_configured_now(entry, all))
			r = devices_add_copy(&decided, &entry->device);
	}
	return r < 0 ? r : devices_undecided(all, &decided, ret_undecided);
}

struct history_entry *history_find(const struct history *history, const struct device *device)
{
	for (size_t i = 0; i < history->n; i++)
		if (device_is_within(device, &history->entries[i].device))
			return &history->entries[i];
	return NULL;
}

void history_reconsider_all(struct history *history)
{
	for (size_t i = 0; i < history->n; i++)
		history->entries[i].reconsider = true;
}

void history_reconsider_asked(struct history *history, const char *name, struct range place)
{
	for (size_t i = 0; i < history->n; i++) {
		struct history_entry *entry = &history->entries[i];

		if (strcmp(entry->device.name, name) != 0 &&
			!device_overlaps(&entry->device, place))
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

		entry->reconsider |= entry->result == RESULT_FAILED &&
				     device_is_dax(&entry->device) &&
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
