/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ranges and sets of ranges: the arithmetic that every decision rests on.
 *
 * A range of a set is found by binary search, and an operation on two sets is one pass over both
 * of them. Firmware can list ranges by the thousand in any order: those are sorted first, by
 * range_set_of(), because each range_set_add() in the middle of a set moves all that follow.
 */
#include "tdxo/base/range.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "tdxo/base/array.h"

struct range range_intersect(struct range a, struct range b)
{
	struct range both = {
		.start = a.start > b.start ? a.start : b.start,
		.end = a.end < b.end ? a.end : b.end,
	};

	return range_is_empty(both) ? (struct range){0} : both;
}

struct range range_trim(struct range r, uint64_t unit)
{
	struct range inner = {
		.start = (r.start + unit - 1) & ~(unit - 1), .end = r.end & ~(unit - 1)};

	if (inner.start < r.start || range_is_empty(inner))
		return (struct range){0};
	return inner;
}

const char *range_format(struct range r, char buf[RANGE_TEXT])
{
	snprintf(buf, RANGE_TEXT, "[mem 0x%" PRIx64 "-0x%" PRIx64 "]", r.start, r.end - 1);
	return buf;
}

const char *size_format(uint64_t bytes, char buf[SIZE_TEXT])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned int unit = 0;
	uint64_t tenths;

	while (unit + 1 < ARRAY_SIZE(units) && bytes >> (10 * (unit + 1)))
		unit++;
	tenths = unit ? (bytes >> (10 * (unit - 1))) * 10 / 1024 : bytes * 10;
	if (tenths % 10)
		snprintf(buf, SIZE_TEXT, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
			units[unit]);
	else
		snprintf(buf, SIZE_TEXT, "%" PRIu64 " %s", tenths / 10, units[unit]);
	return buf;
}

void range_set_done(struct range_set *set)
{
	free(set->ranges);
	*set = (struct range_set){0};
}

static int append(struct range_set *set, struct range r)
{
	return array_append(set->ranges, set->n, r);
}

int range_set_copy(const struct range_set *set, struct range_set *ret_copy)
{
	CLEANUP(range_set_done) struct range_set copy = {0};

	for (size_t i = 0; i < set->n; i++)
		if (append(&copy, set->ranges[i]) < 0)
			return -ENOMEM;
	*ret_copy = copy;
	copy = (struct range_set){0};
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void range_list_done(struct range_list *list)
{
	free(list->ranges);
	*list = (struct range_list){0};
}

int range_list_add(struct range_list *list, struct range r)
{
	return array_append(list->ranges, list->n, r);
}

int range_set_of(struct range_list *list, struct range_set *ret_set)
{
	CLEANUP(range_set_done) struct range_set set = {0};

	if (list->n)
		qsort(list->ranges, list->n, sizeof(*list->ranges), compare_ranges);
	for (size_t i = 0; i < list->n; i++)
		if (range_set_add(&set, list->ranges[i]) < 0)
			return -ENOMEM;
	*ret_set = set;
	set = (struct range_set){0};
	return 0;
}

static bool ends_below(const void *item, const void *address)
{
	return ((const struct range *)item)->end < *(const uint64_t *)address;
}

/* Index of the first range whose end is at or above `address`; n if there is none. */
static size_t first_ending_at_or_above(const struct range_set *set, uint64_t address)
{
	return array_search(set->ranges, set->n, sizeof(*set->ranges), &address, ends_below);
}

/* Put the n_new ranges of `new` where the ranges [first, last) of the set are now. */
static int replace(
	struct range_set *set, size_t first, size_t last, const struct range *new, size_t n_new)
{
	size_t n = set->n - (last - first) + n_new;
	struct range *ranges = set->ranges;

	/* One more at most: a range was added, or a hole made into one. */
	if (n > set->n) {
		ranges = array_room(ranges, set->n, sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		set->ranges = ranges;
	}
	if (set->n > last)
		memmove(ranges + first + n_new, ranges + last, (set->n - last) * sizeof(*ranges));
	if (n_new)
		memcpy(ranges + first, new, n_new * sizeof(*ranges));
	set->n = n;
	return 0;
}

int range_set_add(struct range_set *set, struct range r)
{
	size_t first = first_ending_at_or_above(set, r.start), last = first;

	if (range_is_empty(r))
		return 0;
	for (; last < set->n && set->ranges[last].start <= r.end; last++) {
		if (set->ranges[last].start < r.start)
			r.start = set->ranges[last].start;
		if (set->ranges[last].end > r.end)
			r.end = set->ranges[last].end;
	}
	return replace(set, first, last, &r, 1);
}

int range_set_subtract(struct range_set *set, struct range r)
{
	size_t first = first_ending_at_or_above(set, r.start), last = first, n = 0;
	struct range rest[2];

	if (range_is_empty(r))
		return 0;
	while (last < set->n && set->ranges[last].start < r.end)
		last++;
	if (first == last)
		return 0;
	if (set->ranges[first].start < r.start)
		rest[n++] = (struct range){set->ranges[first].start, r.start};
	else if (set->ranges[first].end == r.start)
		rest[n++] = set->ranges[first];
	if (set->ranges[last - 1].end > r.end)
		rest[n++] = (struct range){r.end, set->ranges[last - 1].end};
	return replace(set, first, last, rest, n);
}

/*
 * Append what is left of a range of a set. `at` is the first range of the others that may overlap
 * it. Returns the first that may overlap the next range of the set, or -ENOMEM.
 */
static ssize_t append_rest(
	struct range_set *rest, struct range r, const struct range_set *minus, size_t at)
{
	int error = 0;

	while (at < minus->n && minus->ranges[at].end <= r.start)
		at++;
	for (; error == 0 && at < minus->n && minus->ranges[at].start < r.end; at++) {
		struct range hole = minus->ranges[at];

		if (hole.start > r.start)
			error = append(rest, (struct range){r.start, hole.start});
		r.start = hole.end;
		/* It may overlap the next one, too. */
		if (hole.end >= r.end)
			break;
	}
	if (error == 0 && !range_is_empty(r))
		error = append(rest, r);
	return error < 0 ? error : (ssize_t)at;
}

int range_set_subtract_set(struct range_set *set, const struct range_set *minus)
{
	CLEANUP(range_set_done) struct range_set rest = {0};
	ssize_t at = set->n ? (ssize_t)first_ending_at_or_above(minus, set->ranges[0].start) : 0;

	for (size_t i = 0; i < set->n; i++) {
		at = append_rest(&rest, set->ranges[i], minus, (size_t)at);
		if (at < 0)
			return (int)at;
	}
	range_set_done(set);
	*set = rest;
	rest = (struct range_set){0};
	return 0;
}

int range_set_intersect(
	const struct range_set *a, const struct range_set *b, struct range_set *ret_both)
{
	CLEANUP(range_set_done) struct range_set both = {0};
	size_t i = b->n ? first_ending_at_or_above(a, b->ranges[0].start) : a->n;
	size_t j = a->n ? first_ending_at_or_above(b, a->ranges[0].start) : b->n;

	while (i < a->n && j < b->n) {
		struct range r = range_intersect(a->ranges[i], b->ranges[j]);

		if (!range_is_empty(r) && append(&both, r) < 0)
			return -ENOMEM;
		if (a->ranges[i].end < b->ranges[j].end)
			i++;
		else
			j++;
	}
	*ret_both = both;
	both = (struct range_set){0};
	return 0;
}

bool range_set_contains(const struct range_set *set, struct range r)
{
	size_t i = first_ending_at_or_above(set, r.end);

	return i < set->n && range_contains(set->ranges[i], r);
}

bool range_set_overlaps(const struct range_set *set, struct range r)
{
	size_t i = first_ending_at_or_above(set, r.start);

	for (; i < set->n && set->ranges[i].start < r.end; i++)
		if (range_overlaps(set->ranges[i], r))
			return true;
	return false;
}

uint64_t range_set_size(const struct range_set *set)
{
	uint64_t size = 0;

	for (size_t i = 0; i < set->n; i++)
		size += range_size(set->ranges[i]);
	return size;
}
