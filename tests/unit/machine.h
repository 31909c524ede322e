/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A model of the kernel and of the executor that applies steps to the facts of a stage. Binding and
 * unbinding a driver adds and removes blocks, and takes and frees memory for page metadata. A
 * driver whose blocks or device are in use cannot be unbound.
 */
#pragma once

#include <errno.h>

#include "tdxo/policy/plan.h"
#include "tests/unit/scene.h"

static inline size_t machine_online(const struct stage *m)
{
	const struct blocks *blocks = &m->facts.blocks;
	size_t n = 0;

	for (size_t i = 0; i < blocks->n; i++)
		n += blocks->blocks[i].state == BLOCK_ONLINE ||
		     blocks->blocks[i].state == BLOCK_GOING_OFFLINE;
	return n;
}

static inline uint64_t machine_devdax_map(const struct stage *m)
{
	return zoneinfo_devdax_map(m->facts.device.size, m->facts.align);
}

static inline int machine_unbind(struct stage *m)
{
	struct facts *facts = &m->facts;

	switch (facts->device.driver) {
	case DAX_DRIVER_KMEM:
		for (size_t i = 0; i < facts->blocks.n; i++)
			if (facts->blocks.blocks[i].state != BLOCK_OFFLINE)
				return -EBUSY;
		facts->zones.spare += zoneinfo_memory_map(facts->device.size);
		blocks_done(&facts->blocks);
		break;
	case DAX_DRIVER_DEVICE_DAX:
		if (facts->devdax_use != DEVDAX_UNUSED)
			return -EBUSY;
		facts->zones.spare += machine_devdax_map(m);
		break;
	default:
		fail_scene(&m->scene, "no driver to unbind, or that of another program");
	}
	facts->device.driver = DAX_DRIVER_NONE;
	return 0;
}

/* kmem adds the whole blocks of each range that are not present yet. */
static inline void machine_bind_kmem(struct stage *m)
{
	struct facts *facts = &m->facts;
	struct blocks all = {0};

	for (size_t i = 0; i < facts->device.n_ranges; i++) {
		struct range whole = range_trim(facts->device.ranges[i], BLOCK);

		for (uint64_t at = whole.start; at < whole.end; at += BLOCK) {
			const struct block *old = find_block(&facts->blocks, at / BLOCK);

			add_blocks(&all, span(at, at + BLOCK), old ? old->state : BLOCK_OFFLINE);
		}
	}
	blocks_done(&facts->blocks);
	facts->blocks = all;
	if (!facts->map_on_itself)
		facts->zones.spare -= zoneinfo_memory_map(all.n * BLOCK);
}

/*
 * Apply the step to at most this many blocks that are not in its state, and add them to `changed`.
 */
static inline void machine_set_blocks(struct stage *m, const struct step *step,
	enum block_state state, size_t most, struct range_set *changed)
{
	for (uint64_t at = step->range.end; at > step->range.start && most > 0; at -= BLOCK) {
		struct block *block = find_block(&m->facts.blocks, at / BLOCK - 1);

		if (!block || block->state == state)
			continue;
		block->state = state;
		most--;
		if (changed)
			assert_int_equal(range_set_add(changed, span(at - BLOCK, at)), 0);
	}
}

/* -EBUSY: the kernel refuses the step. */
static inline int machine_take(struct stage *m, const struct step *step)
{
	bool of_blocks = step->action == ACTION_ONLINE || step->action == ACTION_OFFLINE;

	if (range_is_empty(step->range) == of_blocks || step->range.start % BLOCK ||
		step->range.end % BLOCK)
		fail_scene(
			&m->scene, "a range in a step on the driver, or none in a step on blocks");
	if (step->action == ACTION_UNBIND)
		return machine_unbind(m);
	if (of_blocks) {
		machine_set_blocks(m, step,
			step->action == ACTION_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE, SIZE_MAX,
			NULL);
		return 0;
	}
	if (!m->scene.dax || m->facts.device.driver != DAX_DRIVER_NONE)
		fail_scene(&m->scene, "bound without a device, or over another driver");
	if (step->action == ACTION_BIND_KMEM)
		machine_bind_kmem(m);
	else
		m->facts.zones.spare -= machine_devdax_map(m);
	m->facts.device.driver =
		step->action == ACTION_BIND_KMEM ? DAX_DRIVER_KMEM : DAX_DRIVER_DEVICE_DAX;
	return 0;
}

static inline bool machine_equal(const struct stage *a, const struct stage *b)
{
	const struct blocks *x = &a->facts.blocks, *y = &b->facts.blocks;

	if (x->n != y->n || a->facts.device.driver != b->facts.device.driver)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (x->blocks[i].id != y->blocks[i].id || x->blocks[i].state != y->blocks[i].state)
			return false;
	return true;
}
