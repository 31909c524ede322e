/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Physical address ranges, and sets of them.
 *
 * A range is half-open, [start, end), in bytes. A set is an array of ranges that is sorted,
 * disjoint and coalesced: two neighbours that touch are one range. Every operation keeps that
 * shape, so two sets hold the same bytes exactly if their arrays are equal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"

struct range {
	uint64_t start;
	uint64_t end;
};

/* All addresses. */
#define EVERYWHERE ((struct range){0, UINT64_MAX})

struct range_set {
	struct range *ranges;
	size_t n;
};

/* Ranges in any order, which may overlap. Starts as {0}. */
struct range_list {
	struct range *ranges;
	size_t n;
};

/* Long enough for range_format() and size_format(). */
#define RANGE_TEXT 48
#define SIZE_TEXT  32

static inline uint64_t range_size(struct range r)
{
	return r.end - r.start;
}

static inline bool range_is_empty(struct range r)
{
	return r.start >= r.end;
}

static inline bool range_equal(struct range a, struct range b)
{
	return a.start == b.start && a.end == b.end;
}

static inline bool range_overlaps(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end && !range_is_empty(a) && !range_is_empty(b);
}

static inline bool range_contains(struct range outer, struct range inner)
{
	return outer.start <= inner.start && inner.end <= outer.end;
}

struct range range_intersect(struct range a, struct range b);

/* Trimmed inward to multiples of `unit` (a power of two); empty if nothing is left. */
struct range range_trim(struct range r, uint64_t unit);

/* "[mem 0x100000000-0x1ffffffff]", end inclusive, as the kernel prints it. Returns buf. */
const char *range_format(struct range r, char buf[RANGE_TEXT]);

/* "64 GiB", "1.5 GiB", "4 KiB": the largest unit, one decimal at most. Returns buf. */
const char *size_format(uint64_t bytes, char buf[SIZE_TEXT]);

/* object */
void range_set_done(struct range_set *set);
int range_set_copy(const struct range_set *set, struct range_set *ret_copy) MUST_CHECK;

void range_list_done(struct range_list *list);
int range_list_add(struct range_list *list, struct range r) MUST_CHECK; /* 0 or -ENOMEM */

/* The set of the ranges of a list, which is sorted. 0 or -ENOMEM. */
int range_set_of(struct range_list *list, struct range_set *ret_set) MUST_CHECK;

/* operations; each returns 0 or -ENOMEM, and then the set is as it was */
int range_set_add(struct range_set *set, struct range r) MUST_CHECK;
int range_set_subtract(struct range_set *set, struct range r) MUST_CHECK;
int range_set_subtract_set(struct range_set *set, const struct range_set *minus) MUST_CHECK;
int range_set_intersect(const struct range_set *a, const struct range_set *b,
	struct range_set *ret_both) MUST_CHECK;

/* questions */
bool range_set_contains(const struct range_set *set, struct range r);
bool range_set_overlaps(const struct range_set *set, struct range r);
uint64_t range_set_size(const struct range_set *set);
