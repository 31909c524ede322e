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
DEFINE_STRING_TABLE(action, enum action, actions, ACTION_MAX)

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

/* Blocks that are in the kernel, if one of them is not as wanted. */
static int add_present_blocks(struct plan *plan, const struct facts *facts, enum action action)
{
	const struct device *device = &facts->device;
	int r = 0;

	for (size_t i = device->n_ranges; r == 0 && i > 0; i--) {
		struct range range = device->ranges[i - 1];
		struct block_count blocks = blocks_count(&facts->blocks, range, facts->block_size);
		uint64_t right =
			action == ACTION_ONLINE ? blocks.online : blocks.present - blocks.online;

		/* Only as far as there are blocks: firmware may claim any size. */
		if (right < blocks.present)
			r = add(plan, action,
				blocks_span(&facts->blocks, range, facts->block_size));
	}
	return r;
}

/* Blocks that kmem will have made by then. */
static int add_coming_blocks(struct plan *plan, const struct facts *facts)
{
	int r = 0;

	for (size_t i = facts->device.n_ranges; r == 0 && i > 0; i--) {
		struct range whole = range_trim(facts->device.ranges[i - 1], facts->block_size);

		if (!range_is_empty(whole))
			r = add(plan, ACTION_ONLINE, whole);
	}
	return r;
}

/* kmem makes blocks when it is bound, and at no other time unless its dax state is written. */
static bool must_bind_again(const struct facts *facts)
{
	return facts->half_done && !facts->blocks.n;
}

static int plan_online(struct plan *plan, const struct facts *facts)
{
	enum dax_driver driver = facts->device.driver;
	int r = 0;

	if (!device_is_dax(&facts->device) ||
		(driver == DAX_DRIVER_KMEM && !must_bind_again(facts)))
		return add_present_blocks(plan, facts, ACTION_ONLINE);
	if (driver == DAX_DRIVER_DEVICE_DAX || driver == DAX_DRIVER_KMEM)
		r = add_switch(plan, ACTION_UNBIND);
	if (r == 0)
		r = add_switch(plan, ACTION_BIND_KMEM);
	return r < 0 ? r : add_coming_blocks(plan, facts);
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

/* Bind the driver that the kernel would have bound without the guard. */
static int plan_kernels_driver(struct plan *plan, const struct facts *facts, enum reason reason)
{
	if (reason == REASON_PERSISTENT_MEMORY)
		return add_switch(plan, ACTION_BIND_DEVICE_DAX);
	if (reason == REASON_KERNEL_OFFLINE && device_is_dax(&facts->device))
		return add_switch(plan, ACTION_BIND_KMEM);
	return 0;
}

static int plan_steps(struct plan *plan, const struct facts *facts, const struct decision *decision)
{
	enum dax_driver driver = facts->device.driver;
	int r = 0;

	if (decision->verdict == VERDICT_ONLINE)
		return plan_online(plan, facts);
	if (decision->offline_blocks)
		r = add_present_blocks(plan, facts, ACTION_OFFLINE);
	if (r == 0 && decision->verdict == VERDICT_DEVDAX)
		r = plan_devdax(plan, driver);
	if (r == 0 && facts->guarded && driver == DAX_DRIVER_NONE)
		r = plan_kernels_driver(plan, facts, decision->reason);
	return r;
}

int plan_make(const struct facts *facts, const struct decision *decision, struct plan *ret_plan)
{
	CLEANUP(plan_done) struct plan plan = {0};
	int r = plan_steps(&plan, facts, decision);

	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct plan){0};
	return 0;
}

int plan_undo(const struct device *device, enum dax_driver driver, const struct range_set *onlined,
	struct plan *ret_plan)
{
	CLEANUP(plan_done) struct plan plan = {0};
	int r = 0;

	for (size_t i = onlined->n; r == 0 && i > 0; i--)
		r = add(&plan, ACTION_OFFLINE, onlined->ranges[i - 1]);
	if (r == 0 && device_is_dax(device))
		r = plan_devdax(&plan, driver);
	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct plan){0};
	return 0;
}
