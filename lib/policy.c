/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy: a table of predicates, the first that holds decides.
 *
 * All mappings of a dax device share one driver, so a device is judged as a whole: it goes
 * online only if every one of its mappings may, and it counts as online if any block of it is.
 */
#include "tdxo/policy.h"

#include <assert.h>
#include <stdlib.h>

static const char *const verdicts[] = {
	[VERDICT_ONLINE] = "online",
	[VERDICT_DEVDAX] = "devdax",
	[VERDICT_OFFLINE] = "offline",
	[VERDICT_IGNORE] = "ignore",
};
static_assert(ARRAY_SIZE(verdicts) == VERDICT_MAX, "a name for each verdict");

static const struct {
	const char *name;
	const char *clause;
} reasons[] = {
	[REASON_IN_BOOT_MAP] = {"in-boot-map", "TDX accepts it, it was there at boot"},
	[REASON_OUTSIDE_BOOT_MAP] = {"outside-boot-map",
		"TDX refuses it, it was not there at boot"},
	[REASON_STRADDLES_BOOT_MAP] = {"straddles-boot-map",
		"TDX refuses it, only a part of it was there at boot"},
	[REASON_GATE_ABSENT] = {"gate-absent", "there is no TDX here to refuse it"},
	[REASON_PERSISTENT_MEMORY] = {"persistent-memory", "it holds persistent data"},
	[REASON_ALREADY_DEVDAX] = {"already-devdax", "it is in devdax mode already"},
	[REASON_ALREADY_ONLINE] = {"already-online",
		"TDX refuses such memory, but it is online already"},
	[REASON_TOO_SMALL] = {"too-small", "it holds no whole memory block"},
	[REASON_NO_TARGET_NODE] = {"no-target-node", "its device has no target node"},
	[REASON_UNREADABLE] = {"unreadable", "a part of its state cannot be read"},
	[REASON_FOREIGN_DRIVER] = {"foreign-driver", "another driver has its device"},
	[REASON_UNKNOWN_DEVICE] = {"unknown-device", "nobody knows what its device is"},
	[REASON_BOOT_MAP_UNKNOWN] = {"boot-map-unknown",
		"nothing tells which memory was there at boot"},
	[REASON_KERNEL_REFUSED] = {"kernel-refused", "the kernel refused what policy allowed"},
};
static_assert(ARRAY_SIZE(reasons) == REASON_MAX, "a name for each reason");

static const char *const zones[] = {
	[ZONE_NONE] = NULL,
	[ZONE_AUTO] = "auto",
	[ZONE_KERNEL] = "kernel",
};
static_assert(ARRAY_SIZE(zones) == ZONE_MAX, "a name for each zone");

/* What the predicates look at. */
struct question {
	const struct snapshot *snapshot;
	const struct arrival *arrival;
	enum containment containment;
	enum boot_source source;
	struct block_count blocks;
	uint64_t room; /* whole blocks that it could be */
};

static void ask_range(struct question *q, struct range range)
{
	struct block_count blocks = snapshot_count(q->snapshot, range);
	enum boot_source source;
	enum containment containment =
		boot_map_contains(&q->snapshot->boot_map, range, q->snapshot->block_size, &source);

	/* A dax device was never boot RAM, whatever firmware said: e820 may still call it so. */
	if (arrival_is_dax(q->arrival) && source != BOOT_SOURCE_CONFIGURATION)
		containment = CONTAINMENT_OUTSIDE;
	q->blocks.present += blocks.present;
	q->blocks.online += blocks.online;
	q->blocks.unread += blocks.unread;
	q->room += snapshot_block_room(q->snapshot, range);
	if (source > q->source)
		q->source = source;
	if (range_equal(range, q->arrival->range) && containment != CONTAINMENT_INSIDE)
		q->containment = containment;
	else if (containment != CONTAINMENT_INSIDE && q->containment == CONTAINMENT_INSIDE)
		q->containment = CONTAINMENT_STRADDLES;
}

static struct question ask(const struct snapshot *snapshot, const struct arrival *arrival)
{
	const struct dax_device *dax = snapshot_find_dax(snapshot, arrival->device);
	bool asked = false;
	struct question q = {
		.snapshot = snapshot, .arrival = arrival, .containment = CONTAINMENT_INSIDE};

	for (size_t i = 0; dax && i < dax->n_mappings; i++) {
		ask_range(&q, dax->mappings[i]);
		asked |= range_equal(dax->mappings[i], arrival->range);
	}
	/* Memory without a device; or with one that has moved on meanwhile. */
	if (!asked)
		ask_range(&q, arrival->range);
	return q;
}

static bool persistent(const struct question *q)
{
	return q->arrival->carrier == CARRIER_PMEM;
}

static bool foreign_driver(const struct question *q)
{
	return q->arrival->driver == DAX_DRIVER_OTHER;
}

static bool already_devdax(const struct question *q)
{
	return q->arrival->driver == DAX_DRIVER_DEVICE_DAX;
}

static bool unreadable(const struct question *q)
{
	return q->arrival->fault == FAULT_UNREADABLE || q->blocks.unread;
}

static bool no_target_node(const struct question *q)
{
	return q->arrival->fault == FAULT_NO_NODE;
}

static bool unknown_device(const struct question *q)
{
	return arrival_is_dax(q->arrival) && q->arrival->carrier == CARRIER_UNKNOWN;
}

static bool too_small(const struct question *q)
{
	return arrival_is_dax(q->arrival) && !q->room;
}

static bool gate_absent(const struct question *q)
{
	return !gate_refuses(&q->snapshot->gate);
}

static bool boot_map_unknown(const struct question *q)
{
	return !q->snapshot->boot_map.known && q->source != BOOT_SOURCE_CONFIGURATION;
}

static bool inside(const struct question *q)
{
	return q->containment == CONTAINMENT_INSIDE;
}

static bool already_online(const struct question *q)
{
	return q->blocks.online;
}

static bool straddles(const struct question *q)
{
	return q->containment == CONTAINMENT_STRADDLES;
}

static bool always(const struct question *q)
{
	(void)q;
	return true;
}

static const struct {
	bool (*holds)(const struct question *q);
	enum verdict dax; /* of a range that a dax device carries */
	enum verdict blocks;
	enum reason reason;
} rows[] = {
	{persistent, VERDICT_IGNORE, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY},
	{foreign_driver, VERDICT_IGNORE, VERDICT_IGNORE, REASON_FOREIGN_DRIVER},
	{already_devdax, VERDICT_DEVDAX, VERDICT_IGNORE, REASON_ALREADY_DEVDAX},
	{unreadable, VERDICT_IGNORE, VERDICT_IGNORE, REASON_UNREADABLE},
	{no_target_node, VERDICT_IGNORE, VERDICT_IGNORE, REASON_NO_TARGET_NODE},
	{unknown_device, VERDICT_IGNORE, VERDICT_IGNORE, REASON_UNKNOWN_DEVICE},
	{too_small, VERDICT_DEVDAX, VERDICT_OFFLINE, REASON_TOO_SMALL},
	{gate_absent, VERDICT_ONLINE, VERDICT_ONLINE, REASON_GATE_ABSENT},
	{boot_map_unknown, VERDICT_IGNORE, VERDICT_OFFLINE, REASON_BOOT_MAP_UNKNOWN},
	{inside, VERDICT_ONLINE, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{already_online, VERDICT_IGNORE, VERDICT_IGNORE, REASON_ALREADY_ONLINE},
	{straddles, VERDICT_DEVDAX, VERDICT_OFFLINE, REASON_STRADDLES_BOOT_MAP},
	{always, VERDICT_DEVDAX, VERDICT_OFFLINE, REASON_OUTSIDE_BOOT_MAP},
};

void config_done(struct config *config)
{
	range_set_done(&config->capable);
}

struct decision policy_decide(const struct snapshot *snapshot, const struct arrival *arrival)
{
	struct question q = ask(snapshot, arrival);
	struct decision decision = {.zone = ZONE_NONE, .source = BOOT_SOURCE_NONE};
	size_t row = 0;

	while (!rows[row].holds(&q))
		row++;
	decision.verdict = arrival_is_dax(arrival) ? rows[row].dax : rows[row].blocks;
	decision.reason = rows[row].reason;
	/* TDX guest memory is not movable: ZONE_MOVABLE can never back a confidential VM. */
	if (decision.verdict == VERDICT_ONLINE)
		decision.zone = gate_refuses(&snapshot->gate) ? ZONE_KERNEL : ZONE_AUTO;
	if (decision.reason == REASON_IN_BOOT_MAP)
		decision.source = q.source;
	return decision;
}

struct decision policy_refused(const struct arrival *arrival)
{
	return (struct decision){
		.verdict = arrival_is_dax(arrival) ? VERDICT_DEVDAX : VERDICT_OFFLINE,
		.reason = REASON_KERNEL_REFUSED,
		.zone = ZONE_NONE,
		.source = BOOT_SOURCE_NONE,
	};
}

const char *verdict_to_string(enum verdict verdict)
{
	return verdicts[verdict];
}

const char *reason_to_string(enum reason reason)
{
	return reasons[reason].name;
}

const char *reason_explain(enum reason reason)
{
	return reasons[reason].clause;
}

const char *zone_to_string(enum zone zone)
{
	return zones[zone];
}
