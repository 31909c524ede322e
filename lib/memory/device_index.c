/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices in order, and two lists of them compared.
 */
#include "tdxo/memory/device_index.h"

#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"

static int compare_devices(const void *a, const void *b)
{
	const struct device *x = a, *y = b;
	uint64_t x_start = x->n_ranges ? x->ranges[0].start : 0;
	uint64_t y_start = y->n_ranges ? y->ranges[0].start : 0;

	if (x_start != y_start)
		return x_start > y_start ? 1 : -1;
	return strcmp(x->name, y->name);
}

void devices_sort(struct devices *devices)
{
	if (devices->n)
		qsort(devices->items, devices->n, sizeof(*devices->items), compare_devices);
}

static bool is_run(const struct device *device)
{
	return !device_is_dax(device) && device->type != TYPE_DIMM;
}

bool device_is_within(const struct device *device, const struct device *other)
{
	if (is_run(device) && is_run(other))
		return range_contains(other->ranges[0], device->ranges[0]);
	return is_run(device) == is_run(other) && strcmp(device->name, other->name) == 0 &&
	       device->identity == other->identity &&
	       device_lies_at(device, other->ranges, other->n_ranges);
}

int device_compare(const struct device *a, const struct device *b)
{
	return is_run(a) != is_run(b) ? is_run(a) - is_run(b) : compare_devices(a, b);
}

bool device_shares(const struct device *a, const struct device *b)
{
	return is_run(a) && is_run(b) ? range_overlaps(a->ranges[0], b->ranges[0])
				      : device_compare(a, b) == 0;
}

static bool is_not_above(const void *item, const void *device)
{
	return device_compare(item, device) <= 0;
}

size_t device_search(const void *items, size_t n, size_t size, const struct device *device)
{
	size_t i = array_search(items, n, size, device, is_not_above);

	/* Of runs that are disjoint only the last one that begins there or below can hold it. */
	while (i--) {
		const struct device *item = (const void *)((const char *)items + i * size);

		if (device_is_within(device, item))
			return i;
		if (is_run(device) || device_compare(item, device) != 0)
			break;
	}
	return n;
}

static int compare_all(const void *a, const void *b)
{
	return device_compare(a, b);
}

void device_index_done(struct device_index *index)
{
	free(index->sorted.items);
	range_set_done(&index->runs);
}

/* The copies borrow their ranges. */
int device_index_add(struct device_index *index, const struct device *device)
{
	return array_append(index->sorted.items, index->sorted.n, *device);
}

int device_index_make(struct device_index *index)
{
	struct devices *sorted = &index->sorted;
	int r = 0;

	if (sorted->n)
		qsort(sorted->items, sorted->n, sizeof(*sorted->items), compare_all);
	for (size_t i = 0; r == 0 && i < sorted->n; i++)
		if (is_run(&sorted->items[i]))
			r = range_set_add(&index->runs, sorted->items[i].ranges[0]);
	return r;
}

int device_index_of(const struct devices *devices, struct device_index *ret_index)
{
	CLEANUP(device_index_done) struct device_index index = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->n; i++)
		r = device_index_add(&index, &devices->items[i]);
	if (r == 0)
		r = device_index_make(&index);
	if (r < 0)
		return r;
	*ret_index = index;
	index = (struct device_index){0};
	return 0;
}

const struct device *device_index_find(
	const struct device_index *index, const struct device *device)
{
	const struct devices *sorted = &index->sorted;
	size_t i = device_search(sorted->items, sorted->n, sizeof(*sorted->items), device);

	return i < sorted->n ? &sorted->items[i] : NULL;
}

/* Add a run for each part. */
static int add_parts(struct devices *found, const struct device *run, const struct range_set *parts)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < parts->n; i++) {
		struct device part = *run;

		part.ranges = &parts->ranges[i];
		part.size = range_size(parts->ranges[i]);
		r = devices_add_copy(found, &part);
	}
	return r;
}

/* The parts of a run that are (or, if `among` is false, are not) among the others. */
static int select_run(struct devices *found, const struct device *run,
	const struct device_index *others, bool among)
{
	const struct range_set whole = {run->ranges, 1};
	CLEANUP(range_set_done) struct range_set parts = {0};
	int r;

	if (among)
		r = range_set_intersect(&whole, &others->runs, &parts);
	else
		r = range_set_copy(&whole, &parts) ?: range_set_subtract_set(&parts, &others->runs);
	return r < 0 ? r : add_parts(found, run, &parts);
}

bool device_index_find_now(
	const struct device_index *index, const struct device *earlier, struct device *ret_now)
{
	const struct device *found = device_index_find(index, earlier);

	if (!found)
		return false;
	*ret_now = *found;
	if (!device_is_dax(found)) {
		ret_now->ranges = earlier->ranges;
		ret_now->n_ranges = earlier->n_ranges;
		ret_now->size = earlier->size;
	}
	return true;
}

int device_index_select(const struct device_index *others, const struct device *device, bool among,
	struct devices *selected)
{
	if (is_run(device))
		return select_run(selected, device, others, among);
	if ((device_index_find(others, device) != NULL) != among)
		return 0;
	return devices_add_copy(selected, device);
}

static int select_devices(const struct devices *from, const struct devices *others, bool among,
	struct devices *ret_selected)
{
	CLEANUP(device_index_done) struct device_index index = {0};
	CLEANUP(devices_done) struct devices selected = {0};
	int r = device_index_of(others, &index);

	for (size_t i = 0; r == 0 && i < from->n; i++)
		r = device_index_select(&index, &from->items[i], among, &selected);
	if (r < 0)
		return r;
	*ret_selected = selected;
	selected = (struct devices){0};
	return 0;
}

int devices_undecided(
	const struct devices *all, const struct devices *decided, struct devices *ret_undecided)
{
	return select_devices(all, decided, false, ret_undecided);
}

int devices_remaining(
	const struct devices *decided, const struct devices *all, struct devices *ret_remaining)
{
	return select_devices(decided, all, true, ret_remaining);
}
