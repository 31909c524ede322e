/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan: steps that are not needed are not there.
 */
#include "tdxo/policy/plan.h"

#include <stdlib.h>

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"

static const char *const actions[] = {
	[ACTION_UNBIND] = "unbind",
	[ACTION_BIND_KMEM] = "bind-kmem",
	[ACTION_BIND_DEVICE_DAX] = "bind-device_dax",
	[ACTION_ONLINE] = "online",
	[ACTION_OFFLINE] = "offline",
};
DEFINE_TO_STRING(action, enum action, actions, ACTION_MAX)

void plan_done(struct plan *plan)
{
	free(plan->steps);
	*plan = (struct plan){0};
}

static int add(struct plan *plan, enum action action, struct range range)
{
	return array_append(plan->steps, plan->n, (struct step){action, range});
}

static int add_switch(struct plan *plan, enum action action)
{
	return add(plan, action, (struct range){0});
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

/* What is planned for: one range, or all mappings of its device. */
struct subject {
	const struct snapshot *snapshot;
	const struct arrival *arrival;
	const struct range *ranges;
	size_t n_ranges;
};

static struct subject subject_of(const struct snapshot *snapshot, const struct arrival *arrival)
{
	const struct dax_device *dax = arrival_find_dax(arrival, snapshot);

	if (dax)
		return (struct subject){snapshot, arrival, dax->mappings, dax->n_mappings};
	return (struct subject){snapshot, arrival, &arrival->range, 1};
}

/* Blocks that are in the kernel, if one of them is not as wanted. */
static int add_present_blocks(struct plan *plan, const struct subject *subject, enum action action)
{
	int r = 0;

	for (size_t i = subject->n_ranges; r == 0 && i > 0; i--) {
		struct range span = present_span(subject->snapshot, subject->ranges[i - 1]);
		struct block_count blocks = snapshot_count(subject->snapshot, span);
		uint64_t right =
			action == ACTION_ONLINE ? blocks.online : blocks.present - blocks.online;

		if (right < blocks.present)
			r = add(plan, action, span);
	}
	return r;
}

/* Blocks that kmem will have made by then. */
static int add_coming_blocks(struct plan *plan, const struct subject *subject)
{
	int r = 0;

	for (size_t i = subject->n_ranges; r == 0 && i > 0; i--) {
		struct range whole =
			range_trim(subject->ranges[i - 1], subject->snapshot->block_size);

		if (!range_is_empty(whole))
			r = add(plan, ACTION_ONLINE, whole);
	}
	return r;
}

static int plan_online(struct plan *plan, const struct subject *subject)
{
	enum dax_driver driver = subject->arrival->driver;
	int r = 0;

	if (!arrival_is_dax(subject->arrival) || driver == DAX_DRIVER_KMEM)
		return add_present_blocks(plan, subject, ACTION_ONLINE);
	if (driver == DAX_DRIVER_DEVICE_DAX)
		r = add_switch(plan, ACTION_UNBIND);
	if (r == 0)
		r = add_switch(plan, ACTION_BIND_KMEM);
	return r < 0 ? r : add_coming_blocks(plan, subject);
}

static int plan_devdax(struct plan *plan, enum dax_driver driver)
{
	int r = 0;

	if (driver == DAX_DRIVER_KMEM)
		r = add_switch(plan, ACTION_UNBIND);
	if (r == 0 && (driver == DAX_DRIVER_KMEM || driver == DAX_DRIVER_NONE))
		r = add_switch(plan, ACTION_BIND_DEVICE_DAX);
	return r;
}

static int plan_steps(
	struct plan *plan, const struct subject *subject, const struct decision *decision)
{
	enum dax_driver driver = subject->arrival->driver;
	int r = 0;

	if (decision->verdict == VERDICT_ONLINE)
		return plan_online(plan, subject);
	if (decision->offline_blocks)
		r = add_present_blocks(plan, subject, ACTION_OFFLINE);
	if (r == 0 && decision->verdict == VERDICT_DEVDAX)
		r = plan_devdax(plan, driver);
	/* The guard kept pmem's driver away too: bind what the kernel would have bound. */
	if (r == 0 && decision->reason == REASON_PERSISTENT_MEMORY &&
		snapshot_guarded(subject->snapshot) && driver == DAX_DRIVER_NONE)
		r = add_switch(plan, ACTION_BIND_DEVICE_DAX);
	return r;
}

int plan_make(const struct snapshot *snapshot, const struct arrival *arrival,
	const struct decision *decision, struct plan *ret_plan)
{
	const struct subject subject = subject_of(snapshot, arrival);
	CLEANUP(plan_done) struct plan plan = {0};
	int r = plan_steps(&plan, &subject, decision);

	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct plan){0};
	return 0;
}

int plan_undo(const struct arrival *arrival, enum dax_driver driver,
	const struct range_set *onlined, struct plan *ret_plan)
{
	CLEANUP(plan_done) struct plan plan = {0};
	int r = 0;

	for (size_t i = onlined->n; r == 0 && i > 0; i--)
		r = add(&plan, ACTION_OFFLINE, onlined->ranges[i - 1]);
	if (r == 0 && arrival_is_dax(arrival))
		r = plan_devdax(&plan, driver);
	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct plan){0};
	return 0;
}
