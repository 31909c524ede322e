/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An index of devices: sorted, so that a device is found among many by bisection.
 *
 * Runs come after all other devices, each of the two by ascending address. No two runs overlap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/memory/device.h"

struct device_index {
	struct devices sorted; /* copies, whose ranges are borrowed */
	struct range_set runs; /* where the runs among them lie */
};

void device_index_done(struct device_index *index);

/* Starts as {0}: add devices, then make the index of them. 0 or -ENOMEM. */
int device_index_add(struct device_index *index, const struct device *device) MUST_CHECK;
int device_index_make(struct device_index *index) MUST_CHECK;

/* Both in one. 0 or -ENOMEM. */
int device_index_of(const struct devices *devices, struct device_index *ret_index) MUST_CHECK;

/* The one that a device is within, as of device_is_within(); NULL: there is none. */
const struct device *device_index_find(
	const struct device_index *index, const struct device *device);

/*
 * A device of an earlier look as it is now; of a run only the part that was there then, whose
 * ranges are borrowed. False: it has gone.
 */
bool device_index_find_now(
	const struct device_index *index, const struct device *earlier, struct device *ret_now);

/*
 * Append the device if it is (or, if `among` is false, is not) among the others; of a run, the
 * parts that are. 0 or -ENOMEM.
 */
int device_index_select(const struct device_index *others, const struct device *device, bool among,
	struct devices *selected) MUST_CHECK;

/* The order of the index: less than, equal to or greater than 0. */
int device_compare(const struct device *a, const struct device *b);

/* Do two runs overlap? Of other devices: have they the same place in the order? */
bool device_shares(const struct device *a, const struct device *b);

/*
 * Search n items of `size` bytes that begin with a device and are in that order: the index of the
 * one that a device is within; n: there is none.
 */
size_t device_search(const void *items, size_t n, size_t size, const struct device *device);
