/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A record with the facts, the decision and the plan that it refers to.
 */
#pragma once

#include "tdxo/record/record.h"
#include "tests/unit/fixture.h"

struct own_record {
	struct facts facts;
	struct decision decision;
	struct plan plan;
	struct record record;
};

/*
 * Complete a record. Facts, decision, range and outcome are set by the caller. Blocks have 128 MiB,
 * a device without ranges gets the range of the record, and no memory was RAM at boot. The result
 * is valid while *own stays in its place.
 */
static inline const struct record *own_record_of(struct own_record *own)
{
	static const struct boot_map empty_map = {.known = true};
	struct device *device = &own->facts.device;

	own->record.facts = &own->facts;
	own->record.decision = &own->decision;
	own->record.plan = &own->plan;
	own->facts.block_size = BLOCK;
	if (!own->facts.boot_map)
		own->facts.boot_map = &empty_map;
	if (!device->n_ranges && !range_is_empty(own->record.range)) {
		device->ranges = &own->record.range;
		device->n_ranges = 1;
		device->size = range_size(own->record.range);
	}
	return &own->record;
}
