/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan: steps that are not needed are not there.
 */
#include "tdxo/plan.h"

#include <assert.h>

static const char *const actions[] = {
	[ACTION_UNBIND] = "unbind",
	[ACTION_BIND_KMEM] = "bind-kmem",
	[ACTION_BIND_DEVICE_DAX] = "bind-device_dax",
	[ACTION_ONLINE] = "online",
	[ACTION_OFFLINE] = "offline",
};
static_assert(ARRAY_SIZE(actions) == ACTION_MAX, "a name for each action");

static void add(struct plan *plan, enum action action, struct range range)
{
	assert(plan->n < PLAN_STEPS);
	plan->steps[plan->n++] = (struct step){action, range};
}

/* From the first to the last block of a range that is there: firmware may claim any size. */
static struct range present_span(const struct snapshot *snapshot, struct range range)
{
	struct range span = {0};

	for (size_t i = 0; i < snapshot->blocks.n; i++) {
		struct range block =
			block_range(snapshot->blocks.blocks[i].id, snapshot->block_size);

		if (!range_contains(range, block))
			continue;
		if (range_is_empty(span))
			span.start = block.start;
		span.end = block.end;
	}
	return span;
}

static void plan_online(
	struct plan *plan, const struct snapshot *snapshot, const struct arrival *arrival)
{
	struct range whole = range_trim(arrival->range, snapshot->block_size);
	struct block_count blocks = snapshot_count(snapshot, whole);
	bool bind = arrival_is_dax(arrival) && arrival->driver == DAX_DRIVER_NONE;

	if (bind)
		add(plan, ACTION_BIND_KMEM, (struct range){0});
	else
		whole = present_span(snapshot, whole);
	if (!range_is_empty(whole) && (bind || blocks.online < blocks.present))
		add(plan, ACTION_ONLINE, whole);
}

static void plan_devdax(struct plan *plan, enum dax_driver driver)
{
	if (driver == DAX_DRIVER_KMEM)
		add(plan, ACTION_UNBIND, (struct range){0});
	if (driver == DAX_DRIVER_KMEM || driver == DAX_DRIVER_NONE)
		add(plan, ACTION_BIND_DEVICE_DAX, (struct range){0});
}

struct plan plan_make(const struct snapshot *snapshot, const struct arrival *arrival,
	const struct decision *decision)
{
	struct plan plan = {0};

	if (decision->verdict == VERDICT_ONLINE)
		plan_online(&plan, snapshot, arrival);
	if (decision->verdict == VERDICT_DEVDAX)
		plan_devdax(&plan, arrival->driver);
	/* The guard kept pmem's driver away too: bind what the kernel would have bound. */
	if (decision->reason == REASON_PERSISTENT_MEMORY && snapshot_guarded(snapshot) &&
		arrival->driver == DAX_DRIVER_NONE)
		add(&plan, ACTION_BIND_DEVICE_DAX, (struct range){0});
	return plan;
}

struct plan plan_undo(const struct arrival *arrival, bool kmem_bound, struct range onlined)
{
	struct plan plan = {0};

	if (!range_is_empty(onlined))
		add(&plan, ACTION_OFFLINE, onlined);
	if (arrival_is_dax(arrival))
		plan_devdax(&plan, kmem_bound ? DAX_DRIVER_KMEM : DAX_DRIVER_NONE);
	return plan;
}

const char *action_to_string(enum action action)
{
	return actions[action];
}
