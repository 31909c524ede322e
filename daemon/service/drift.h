/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drift: what somebody changes by hand of a range that has been decided.
 *
 * It is his right. One record says so, and nothing is done about it until the next reload.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/host/sensor.h"
#include "daemon/service/queue.h"
#include "tdxo/memory/arrival.h"

/* What may have changed since the last silence. */
struct drift {
	struct sensor *sensor;
	struct work *work;
	bool drivers;			 /* drivers of dax devices */
	uint64_t first_block, end_block; /* states of memory blocks, [first, end) */
};

/* Hold what there is now against the history, and record what differs. */
void drift_check(const struct drift *drift, const struct arrivals *all);
