/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory blocks.
 */
#include "tdxo/memory/block.h"

#include <errno.h>
#include <stdlib.h>

#include "tdxo/base/array.h"

bool block_error_may_pass(int error)
{
	return error == EBUSY || error == EAGAIN || error == ENOMEM || error == EINTR;
}

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

static bool is_lower_id(const void *item, const void *id)
{
	return *(const uint64_t *)item < *(const uint64_t *)id;
}

struct block_ids block_ids_in(const struct block_ids *ids, struct range range, uint64_t block_size)
{
	const uint64_t first = range.start / block_size, beyond = (range.end - 1) / block_size + 1;
	size_t start, end;

	if (range_is_empty(range))
		return (struct block_ids){0};
	start = array_search(ids->ids, ids->n, sizeof(*ids->ids), &first, is_lower_id);
	end = array_search(ids->ids, ids->n, sizeof(*ids->ids), &beyond, is_lower_id);
	return start < end ? (struct block_ids){ids->ids + start, end - start}
			   : (struct block_ids){0};
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

static bool is_lower_block(const void *item, const void *id)
{
	return ((const struct block *)item)->id < *(const uint64_t *)id;
}

struct blocks blocks_within(const struct blocks *blocks, struct range range, uint64_t block_size)
{
	const uint64_t first = range.start / block_size + (range.start % block_size != 0);
	const uint64_t beyond = range.end / block_size;
	size_t start, end;

	start = array_search(
		blocks->blocks, blocks->n, sizeof(*blocks->blocks), &first, is_lower_block);
	end = array_search(
		blocks->blocks, blocks->n, sizeof(*blocks->blocks), &beyond, is_lower_block);
	return start < end ? (struct blocks){blocks->blocks + start, end - start}
			   : (struct blocks){0};
}

struct block_count blocks_count(
	const struct blocks *blocks, struct range range, uint64_t block_size)
{
	const struct blocks within = blocks_within(blocks, range, block_size);
	struct block_count count = {.present = within.n};

	for (size_t i = 0; i < within.n; i++) {
		enum block_state state = within.blocks[i].state;

		count.online += state == BLOCK_ONLINE || state == BLOCK_GOING_OFFLINE;
		count.unread += state == BLOCK_UNREAD;
	}
	return count;
}

struct range blocks_span(const struct blocks *blocks, struct range range, uint64_t block_size)
{
	const struct blocks within = blocks_within(blocks, range, block_size);

	if (!within.n)
		return (struct range){0};
	return (struct range){block_range(within.blocks[0].id, block_size).start,
		block_range(within.blocks[within.n - 1].id, block_size).end};
}

uint64_t block_room(struct range range, uint64_t block_size)
{
	return range_size(range_trim(range, block_size)) / block_size;
}
