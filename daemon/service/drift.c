/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drift: changes by other programs to a device that has been decided.
 *
 * One record has the change, and nothing is done about it until the next reload. The
 * states of blocks are read only where an event said that some have changed.
 */
#include "daemon/service/loop.h"

#include <stdio.h>
#include <time.h>

#include "tdxo/memory/device_index.h"

static bool blocks_changed(const struct service *service, struct range range)
{
	uint64_t size = service->sensor.snapshot.block_size;

	return range.start / size < service->monitor.end_block &&
	       (range.end + size - 1) / size > service->monitor.first_block;
}

static bool may_have_changed(
	const struct service *service, const struct history_entry *entry, const struct device *now)
{
	if (entry->changing || now->driver != entry->device.driver)
		return true;
	if (service->blocks_changed && entry->blocks.online < entry->blocks.present)
		return true;
	for (size_t i = 0; i < now->n_ranges; i++)
		if (blocks_changed(service, now->ranges[i]))
			return true;
	return false;
}

/* A change takes its time, block by block: it is complete if it is the same at two looks. */
static bool is_complete(
	struct history_entry *entry, enum dax_driver driver, const struct block_count *count)
{
	bool same = entry->changing && entry->driver_seen == driver &&
		    entry->online_seen == count->online;

	entry->changing = !same;
	entry->driver_seen = driver;
	entry->online_seen = count->online;
	return same;
}

/* A record for each range of which something has changed. */
static void write_changes(
	struct service *service, const struct history_entry *entry, const struct facts *facts)
{
	struct decision decision = {.verdict = entry->verdict,
		.reason = entry->reason,
		.expected = policy_expects(facts)};
	const struct firmware *firmware = sensor_firmware(&service->sensor);
	const struct device *device = &facts->device;

	snprintf(decision.rule, sizeof(decision.rule), "%s", entry->rule);
	for (size_t i = 0; i < device->n_ranges; i++) {
		struct range range = device->ranges[i];
		struct record record = {
			.facts = facts,
			.decision = &decision,
			.range = range,
			.origin = firmware_origin_find(&firmware->srat, &firmware->cedt, range),
			.outcome = {.result = RESULT_CHANGED,
				.answer = entry->answer,
				.driver = device->driver,
				.bypassed = service_is_bypassed(service, device, entry)},
		};

		record_count_blocks(&record, &facts->blocks);
		record.outcome.stranded = record_lost(&record);
		if (device->driver != entry->device.driver || device->n_ranges == 1 ||
			service->blocks_changed || blocks_changed(service, range))
			service_write_record(service, &record);
	}
}

/* 0; 1 if it is still changing; -ENOMEM. */
static int check(struct service *service, struct history_entry *entry, const struct device *device)
{
	CLEANUP(facts_done) struct facts facts = {0};
	struct block_count count;
	int r;

	r = sensor_complete(&service->sensor, device, &facts);
	/* It has gone, and the next look sees that. */
	if (r != 0)
		return r < 0 ? r : 0;
	count = facts_count(&facts);
	/* kmem is still making blocks of it: each of them is news. */
	if (facts.device.driver == DAX_DRIVER_KMEM && !count.present && !facts.unplugged)
		return 0;
	if (!history_entry_is_changed(entry, facts.device.driver, &count)) {
		entry->changing = false;
		return 0;
	}
	if (!is_complete(entry, facts.device.driver, &count))
		return 1;
	/* Another program put more of it online, and so has the answer of the kernel. */
	if (count.online > entry->blocks.online)
		entry->answer = ANSWER_ACCEPTS;
	write_changes(service, entry, &facts);
	entry->changed = true;
	entry->since = (uint64_t)time(NULL);
	service_save_later(service);
	return 0;
}

int service_record_drift(struct service *service, const struct devices *all)
{
	CLEANUP(device_index_done) struct device_index index = {0};
	struct history *history = &service->state.history;
	bool changing = false;
	int r = device_index_of(all, &index);

	for (size_t i = 0; r >= 0 && i < history->n; i++) {
		struct history_entry *entry = &history->entries[i];
		struct device now;

		if (entry->changed || !device_index_find_now(&index, &entry->device, &now) ||
			service_is_busy_with(service, &now) ||
			!may_have_changed(service, entry, &now))
			continue;
		r = check(service, entry, &now);
		changing |= r > 0;
	}
	if (service->pending)
		service_save(service);
	return r < 0 ? r : changing;
}
