/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arrivals.
 *
 * Three explanations are tried for each block that was not there at boot: a dax device spans
 * it, a DIMM spans it, or it belongs to a run. Dax devices and DIMMs are found without their
 * blocks, so a device whose memory was never added is a range like any other.
 */
#include "tdxo/memory/arrival.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"

void arrivals_done(struct arrivals *arrivals)
{
	free(arrivals->items);
	*arrivals = (struct arrivals){0};
}

int arrivals_append(struct arrivals *arrivals, const struct arrival *arrival)
{
	return array_append(arrivals->items, arrivals->n, *arrival);
}

static int compare_arrivals(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	if (x->range.start != y->range.start)
		return x->range.start > y->range.start ? 1 : -1;
	return strcmp(x->device, y->device);
}

static int append_device(
	struct arrivals *found, const struct dax_device *dax, struct range_set *explained)
{
	struct arrival arrival = {
		.size = dax->size,
		.type = dax->type,
		.identity = dax->identity,
		.node = dax->target_node,
		.driver = dax->driver,
	};
	int r = 0;

	snprintf(arrival.device, sizeof(arrival.device), "%s", dax->name);
	snprintf(arrival.region, sizeof(arrival.region), "%s", dax->region);
	if (!dax->n_mappings) {
		arrival.fault = FAULT_UNREADABLE;
		return arrivals_append(found, &arrival);
	}
	if (dax->target_node == NODE_UNKNOWN)
		arrival.fault = FAULT_NO_NODE;
	for (size_t i = 0; r == 0 && i < dax->n_mappings; i++) {
		arrival.range = dax->mappings[i];
		arrival.size = range_size(arrival.range);
		r = arrivals_append(found, &arrival);
		if (r == 0)
			r = range_set_add(explained, arrival.range);
	}
	return r;
}

static int append_devices(
	struct arrivals *found, const struct snapshot *now, struct range_set *explained)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < now->n_dax; i++)
		if (now->dax[i].size)
			r = append_device(found, &now->dax[i], explained);
	return r;
}

static int append_range(struct arrivals *found, struct range range, enum device_type type)
{
	const struct arrival arrival = {
		.range = range,
		.size = range_size(range),
		.type = type,
		.node = NODE_UNKNOWN,
	};

	return arrivals_append(found, &arrival);
}

static int append_dimms(
	struct arrivals *found, const struct snapshot *now, struct range_set *explained)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < now->n_dimms; i++) {
		r = append_range(found, now->dimms[i], TYPE_DIMM);
		if (r == 0)
			r = range_set_add(explained, now->dimms[i]);
	}
	return r;
}

static bool was_there_at_boot(
	const struct snapshot *now, const struct blocks *before, const struct block *block)
{
	/* Without a boot map nothing can be said of a block that nothing else explains. */
	if (!now->boot_map.known)
		return true;
	return boot_map_had(&now->boot_map, block_range(block->id, now->block_size)) &&
	       (!before || blocks_find(before, block->id));
}

/* Where a device that kmem has lies is not known: any block may be one of its. */
static bool some_blocks_unexplained(const struct snapshot *now)
{
	for (size_t i = 0; i < now->n_dax; i++)
		if (now->dax[i].driver == DAX_DRIVER_KMEM && !now->dax[i].n_mappings)
			return true;
	return now->dax_incomplete;
}

static int append_runs(struct arrivals *found, const struct snapshot *now,
	const struct blocks *before, const struct range_set *explained)
{
	CLEANUP(range_set_done) struct range_set runs = {0};
	int r = 0;

	if (some_blocks_unexplained(now))
		return 0;
	for (size_t i = 0; r == 0 && i < now->blocks.n; i++) {
		const struct block *block = &now->blocks.blocks[i];
		struct range range = block_range(block->id, now->block_size);

		if (!range_set_overlaps(explained, range) && !was_there_at_boot(now, before, block))
			r = range_set_add(&runs, range);
	}
	for (size_t i = 0; r == 0 && i < runs.n; i++)
		r = append_range(
			found, runs.ranges[i], now->virtio_mem ? TYPE_VIRTIO_MEM : TYPE_UNKNOWN);
	return r;
}

int arrivals_find(
	const struct snapshot *now, const struct blocks *before, struct arrivals *ret_arrivals)
{
	CLEANUP(arrivals_done) struct arrivals found = {0};
	CLEANUP(range_set_done) struct range_set explained = {0};
	int r;

	r = append_devices(&found, now, &explained);
	if (r == 0)
		r = append_dimms(&found, now, &explained);
	if (r == 0)
		r = append_runs(&found, now, before, &explained);
	if (r < 0)
		return r;
	if (found.n)
		qsort(found.items, found.n, sizeof(*found.items), compare_arrivals);
	*ret_arrivals = found;
	found = (struct arrivals){0};
	return 0;
}

/* A run of blocks grows and shrinks; any other range is there as a whole or is not. */
static bool is_run(const struct arrival *arrival)
{
	return !arrival_is_dax(arrival) && arrival->type != TYPE_DIMM;
}

static bool same_device(const struct arrival *a, const struct arrival *b)
{
	return strcmp(a->device, b->device) == 0 && a->identity == b->identity;
}

const struct dax_device *arrival_find_dax(
	const struct arrival *arrival, const struct snapshot *snapshot)
{
	const struct dax_device *dax = snapshot_find_dax(snapshot, arrival->device);

	for (size_t i = 0; dax && i < dax->n_mappings; i++)
		if (range_equal(dax->mappings[i], arrival->range))
			return dax;
	return NULL;
}

bool arrival_is_within(const struct arrival *arrival, const struct arrival *other)
{
	if (is_run(arrival) && is_run(other))
		return range_contains(other->range, arrival->range);
	return is_run(arrival) == is_run(other) && range_equal(arrival->range, other->range) &&
	       same_device(arrival, other);
}

int arrivals_take_device(struct arrivals *arrivals, struct arrivals *ret_device)
{
	CLEANUP(arrivals_done) struct arrivals device = {0}, others = {0};
	const struct arrival *first = &arrivals->items[0];
	int r = 0;

	for (size_t i = 0; r == 0 && i < arrivals->n; i++) {
		const struct arrival *item = &arrivals->items[i];
		bool same = i == 0 || (arrival_is_dax(first) && same_device(first, item));

		r = arrivals_append(same ? &device : &others, item);
	}
	if (r < 0)
		return r;
	arrivals_done(arrivals);
	*arrivals = others;
	*ret_device = device;
	others = device = (struct arrivals){0};
	return 0;
}

/* The parts of `arrival` that are (or, if `among` is false, are not) among the others. */
static int append_parts(struct arrivals *found, const struct arrival *arrival,
	const struct arrivals *others, bool among)
{
	CLEANUP(range_set_done) struct range_set rest = {0}, common = {0};
	bool equal = false;
	int r;

	r = range_set_add(&rest, arrival->range);
	for (size_t i = 0; r == 0 && i < others->n; i++) {
		const struct arrival *other = &others->items[i];

		if (is_run(arrival) && is_run(other)) {
			r = range_set_add(&common, range_intersect(arrival->range, other->range));
			if (r == 0)
				r = range_set_subtract(&rest, other->range);
		} else if (range_equal(arrival->range, other->range)) {
			equal |= same_device(arrival, other);
		}
	}
	if (r == 0 && !is_run(arrival))
		return equal == among ? arrivals_append(found, arrival) : 0;
	for (size_t i = 0; r == 0 && i < (among ? &common : &rest)->n; i++) {
		struct arrival part = *arrival;

		part.range = (among ? &common : &rest)->ranges[i];
		part.size = range_size(part.range);
		r = arrivals_append(found, &part);
	}
	return r;
}

static int select_parts(const struct arrivals *from, const struct arrivals *others, bool among,
	struct arrivals *ret_selected)
{
	CLEANUP(arrivals_done) struct arrivals selected = {0};
	int r;

	for (size_t i = 0; i < from->n; i++) {
		r = append_parts(&selected, &from->items[i], others, among);
		if (r < 0)
			return r;
	}
	*ret_selected = selected;
	selected = (struct arrivals){0};
	return 0;
}

int arrivals_undecided(
	const struct arrivals *all, const struct arrivals *decided, struct arrivals *ret_undecided)
{
	return select_parts(all, decided, false, ret_undecided);
}

int arrivals_remaining(
	const struct arrivals *decided, const struct arrivals *all, struct arrivals *ret_remaining)
{
	return select_parts(decided, all, true, ret_remaining);
}
