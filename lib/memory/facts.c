/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The facts of one device.
 */
#include "tdxo/memory/facts.h"

void facts_done(struct facts *facts)
{
	device_done(&facts->device);
	blocks_done(&facts->blocks);
}

struct block_count facts_count(const struct facts *facts)
{
	return blocks_count(&facts->blocks, (struct range){0, UINT64_MAX}, facts->block_size);
}

uint64_t facts_room(const struct facts *facts)
{
	uint64_t room = 0;

	for (size_t i = 0; i < facts->device.n_ranges; i++)
		room += block_room(facts->device.ranges[i], facts->block_size);
	return room;
}
