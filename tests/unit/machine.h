/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine that takes steps: what the kernel and the executor make of them, played on the
 * snapshot of a stage. A driver switch makes blocks come and go and costs or frees the memory
 * map; unbinding is refused while anybody uses what the driver makes of the device.
 */
#pragma once

#include <errno.h>

#include "tdxo/policy/plan.h"
#include "tests/unit/scene.h"

static inline void machine_set_driver(struct stage *m, enum dax_driver driver)
{
	m->arrival.driver = m->second.driver = driver;
	m->snapshot.dax[0].driver = driver;
}

static inline size_t machine_online(const struct stage *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->snapshot.blocks.n; i++)
		n += m->snapshot.blocks.blocks[i].state == BLOCK_ONLINE ||
		     m->snapshot.blocks.blocks[i].state == BLOCK_GOING_OFFLINE;
	return n;
}

static inline uint64_t machine_devdax_map(const struct stage *m)
{
	return zoneinfo_devdax_map(m->snapshot.dax[0].size, m->snapshot.dax[0].align);
}

static inline int machine_unbind(struct stage *m)
{
	switch (m->arrival.driver) {
	case DAX_DRIVER_KMEM:
		for (size_t i = 0; i < m->snapshot.blocks.n; i++)
			if (m->snapshot.blocks.blocks[i].state != BLOCK_OFFLINE)
				return -EBUSY;
		m->snapshot.zones.spare += zoneinfo_memory_map(m->snapshot.dax[0].size);
		blocks_done(&m->snapshot.blocks);
		break;
	case DAX_DRIVER_DEVICE_DAX:
		if (m->snapshot.devdax_use != DEVDAX_UNUSED)
			return -EBUSY;
		m->snapshot.zones.spare += machine_devdax_map(m);
		break;
	default:
		fail_scene(&m->scene, "unbound for nothing, or from its owner");
	}
	machine_set_driver(m, DAX_DRIVER_NONE);
	return 0;
}

/* kmem adds the whole blocks of each mapping that are not there yet. */
static inline void machine_bind_kmem(struct stage *m)
{
	const struct dax_device *dax = &m->snapshot.dax[0];

	for (size_t i = 0; i < dax->n_mappings; i++) {
		struct range whole = range_trim(dax->mappings[i], BLOCK);

		for (uint64_t at = whole.start; at < whole.end; at += BLOCK)
			if (!blocks_find(&m->snapshot.blocks, at / BLOCK))
				add_blocks(&m->snapshot, span(at, at + BLOCK), BLOCK_OFFLINE);
	}
	if (!dax->map_on_itself)
		m->snapshot.zones.spare -= zoneinfo_memory_map(m->snapshot.blocks.n * BLOCK);
}

/* Set the blocks of a step, of which so many change their state; note those in `changed`. */
static inline void machine_set_blocks(struct stage *m, const struct step *step,
	enum block_state state, size_t most, struct range_set *changed)
{
	for (uint64_t at = step->range.end; at > step->range.start && most > 0; at -= BLOCK) {
		struct block *block = blocks_find(&m->snapshot.blocks, at / BLOCK - 1);

		if (!block || block->state == state)
			continue;
		block->state = state;
		most--;
		if (changed)
			assert_int_equal(range_set_add(changed, span(at - BLOCK, at)), 0);
	}
}

/* 0, or -EBUSY: refused. */
static inline int machine_take(struct stage *m, const struct step *step)
{
	bool of_blocks = step->action == ACTION_ONLINE || step->action == ACTION_OFFLINE;

	if (range_is_empty(step->range) == of_blocks || step->range.start % BLOCK ||
		step->range.end % BLOCK)
		fail_scene(&m->scene, "a step with a range that is none of it");
	if (step->action == ACTION_UNBIND)
		return machine_unbind(m);
	if (of_blocks) {
		machine_set_blocks(m, step,
			step->action == ACTION_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE, SIZE_MAX,
			NULL);
		return 0;
	}
	if (!m->snapshot.n_dax || m->arrival.driver != DAX_DRIVER_NONE)
		fail_scene(&m->scene, "bound without a device, or over another driver");
	if (step->action == ACTION_BIND_KMEM)
		machine_bind_kmem(m);
	else
		m->snapshot.zones.spare -= machine_devdax_map(m);
	machine_set_driver(
		m, step->action == ACTION_BIND_KMEM ? DAX_DRIVER_KMEM : DAX_DRIVER_DEVICE_DAX);
	return 0;
}

static inline bool machine_equal(const struct stage *a, const struct stage *b)
{
	const struct blocks *x = &a->snapshot.blocks, *y = &b->snapshot.blocks;

	if (x->n != y->n || a->arrival.driver != b->arrival.driver)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (x->blocks[i].id != y->blocks[i].id || x->blocks[i].state != y->blocks[i].state)
			return false;
	return true;
}
