/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory blocks.
 */
#include "tdxo/memory/block.h"

#include <stdlib.h>

#include "tdxo/base/array.h"

void block_ids_done(struct block_ids *ids)
{
	free(ids->ids);
	*ids = (struct block_ids){0};
}

int block_ids_append(struct block_ids *ids, uint64_t id)
{
	return array_append(ids->ids, ids->n, id);
}

static int compare_ids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void block_ids_sort(struct block_ids *ids)
{
	if (ids->n)
		qsort(ids->ids, ids->n, sizeof(*ids->ids), compare_ids);
}

bool block_ids_have(const struct block_ids *ids, uint64_t id)
{
	return ids->n && bsearch(&id, ids->ids, ids->n, sizeof(id), compare_ids);
}

void blocks_done(struct blocks *blocks)
{
	free(blocks->blocks);
	*blocks = (struct blocks){0};
}

int blocks_append(struct blocks *blocks, uint64_t id, enum block_state state)
{
	return array_append(blocks->blocks, blocks->n, (struct block){id, state});
}

struct block_count blocks_count(
	const struct blocks *blocks, struct range range, uint64_t block_size)
{
	struct block_count count = {0};

	for (size_t i = 0; i < blocks->n; i++) {
		const struct block *block = &blocks->blocks[i];

		if (!range_contains(range, block_range(block->id, block_size)))
			continue;
		count.present++;
		count.online += block->state == BLOCK_ONLINE || block->state == BLOCK_GOING_OFFLINE;
		count.unread += block->state == BLOCK_UNREAD;
	}
	return count;
}

struct range blocks_span(const struct blocks *blocks, struct range range, uint64_t block_size)
{
	struct range span = {0};

	for (size_t i = 0; i < blocks->n; i++) {
		struct range block = block_range(blocks->blocks[i].id, block_size);

		if (!range_contains(range, block))
			continue;
		if (range_is_empty(span))
			span.start = block.start;
		span.end = block.end;
	}
	return span;
}

uint64_t block_room(struct range range, uint64_t block_size)
{
	return range_size(range_trim(range, block_size)) / block_size;
}
