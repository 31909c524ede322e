/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plan must not do for any facts and rules, for the unit tests and the fuzz target of the
 * whole path. It is written from the behaviour of the kernel and must not be derived from the code:
 *
 * - While TDX is not absent the kernel onlines a memory block only if it lies within one region of
 *   the boot map (tdx_memory_notifier(), arch/x86/virt/vmx/tdx/tdx.c, 6.8 and later). The range of
 *   a dax device was never RAM at boot; it is accepted only if the configuration asserts it.
 * - kmem is not unbound while one of its blocks is online. device_dax is not unbound from a device
 *   that may be open, nor without ConvertDevdax=. No other driver is unbound.
 * - Persistent memory gets no other driver than device_dax, and no block of it goes online.
 */
#pragma once

#include "tdxo/policy/config.h"
#include "tdxo/policy/plan.h"

static inline bool safety_in_one_region(const struct boot_map *map, struct range block)
{
	for (size_t i = 0; i < map->n; i++)
		if (range_contains(map->regions[i].range, block))
			return true;
	return false;
}

/* A block that firmware also lists is still asserted. */
static inline bool safety_is_asserted(
	const struct config *config, const struct boot_map *map, struct range block)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->regions[i].source == BOOT_SOURCE_CONFIGURATION &&
			range_contains(map->regions[i].range, block))
			return true;
	return range_set_contains(&config->capable, block);
}

/* Would the kernel refuse any block of the range? */
static inline bool safety_is_refused(
	const struct config *config, const struct facts *facts, struct range range)
{
	const struct boot_map *map = facts->boot_map;

	for (uint64_t at = range.start; tdx_refuses(&facts->tdx) && at < range.end;
		at += facts->block_size) {
		const struct range block = {at, at + facts->block_size};

		if (!safety_in_one_region(map, block))
			return true;
		if (device_is_dax(&facts->device) && !safety_is_asserted(config, map, block))
			return true;
	}
	return false;
}

/* After this many steps, may a block be online that was present before the first one? */
static inline bool safety_may_be_online(
	const struct facts *facts, const struct plan *plan, size_t steps)
{
	for (size_t i = 0; i < facts->blocks.n; i++) {
		const struct block *block = &facts->blocks.blocks[i];
		struct range range = block_range(block->id, facts->block_size);
		bool online = block->state != BLOCK_OFFLINE;

		for (size_t step = 0; step < steps; step++)
			if (range_contains(plan->steps[step].range, range))
				online = plan->steps[step].action == ACTION_ONLINE;
		if (online)
			return true;
	}
	return false;
}

static inline const char *safety_unbind(const struct facts *facts, const struct rule *rule,
	enum dax_driver driver, bool may_be_online)
{
	if (driver == DAX_DRIVER_KMEM)
		return may_be_online ? "kmem is unbound while a block may be online" : NULL;
	if (driver != DAX_DRIVER_DEVICE_DAX)
		return "the driver of another program is unbound";
	if (facts->devdax_use != DEVDAX_UNUSED)
		return "a device that may be open is converted";
	return rule && rule->convert_devdax ? NULL : "a devdax device is converted without a rule";
}

static inline const char *safety_bind(
	const struct facts *facts, enum dax_driver driver, enum action action)
{
	if (!device_is_dax(&facts->device) || driver != DAX_DRIVER_NONE)
		return "a driver is bound without a device, or over another driver";
	return facts->device.type == TYPE_PMEM && action == ACTION_BIND_KMEM
		       ? "persistent memory becomes system memory"
		       : NULL;
}

static inline const char *safety_online(const struct config *config, const struct facts *facts,
	enum dax_driver driver, struct range range)
{
	if (facts->device.type == TYPE_PMEM)
		return "persistent memory goes online";
	if (device_is_dax(&facts->device) && driver != DAX_DRIVER_KMEM)
		return "blocks of a device go online without kmem";
	return safety_is_refused(config, facts, range)
		       ? "memory goes online that the kernel refuses"
		       : NULL;
}

/* What a step of the plan must not do, or NULL. */
static inline const char *safety_breach(const struct config *config, const struct facts *facts,
	const struct decision *decision, const struct plan *plan)
{
	const struct rule *rule = config_find_rule(config, facts);
	enum dax_driver driver = facts->device.driver;
	const char *breach = NULL;

	for (size_t i = 0; !breach && i < plan->n; i++) {
		const struct step *step = &plan->steps[i];

		switch (step->action) {
		case ACTION_UNBIND:
			breach = safety_unbind(
				facts, rule, driver, safety_may_be_online(facts, plan, i));
			driver = DAX_DRIVER_NONE;
			break;
		case ACTION_BIND_KMEM:
		case ACTION_BIND_DEVICE_DAX:
			breach = safety_bind(facts, driver, step->action);
			driver = step->action == ACTION_BIND_KMEM ? DAX_DRIVER_KMEM
								  : DAX_DRIVER_DEVICE_DAX;
			break;
		case ACTION_ONLINE:
			breach = decision->verdict == VERDICT_ONLINE
					 ? safety_online(config, facts, driver, step->range)
					 : "memory goes online against the verdict";
			break;
		default:
			if (!rule || !rule->offline_blocks)
				breach = "memory goes offline without a rule";
		}
	}
	return breach;
}
