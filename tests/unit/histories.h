/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices for histories.
 */
#pragma once

#include "tdxo/record/history.h"
#include "tests/unit/unit.h"

#define DEVICES 1024

/* The ranges are valid until device_at() was called for this many other devices. */
static inline struct device device_at(size_t n, struct range first, struct range second)
{
	static struct range ranges[DEVICES][2];
	static size_t next;
	struct device device = {.ranges = ranges[next++ % DEVICES],
		.n_ranges = n,
		.size = range_size(first) + range_size(second),
		.node = NODE_UNKNOWN};

	device.ranges[0] = first;
	device.ranges[1] = second;
	return device;
}

static inline struct device run_of(uint64_t start, uint64_t end)
{
	return device_at(1, span(start, end), span(0, 0));
}

static inline void prune(struct history *history, struct device *left, size_t n)
{
	const struct devices all = {left, n};

	assert_int_equal(history_prune(history, &all), 0);
}
