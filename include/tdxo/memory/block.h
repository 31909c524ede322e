/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory blocks: what the kernel brings online and takes offline. Block N spans
 * [N * block_size, (N + 1) * block_size).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"

enum block_state {
	BLOCK_UNREAD, /* it is there, but its state could not be read */
	BLOCK_OFFLINE,
	BLOCK_ONLINE,
	BLOCK_GOING_OFFLINE,
	BLOCK_STATE_MAX,
};

/* Which blocks there are, by ascending number. */
struct block_ids {
	uint64_t *ids;
	size_t n;
};

struct block {
	uint64_t id;
	enum block_state state;
};

/* Those of a device that there are, with their states, by ascending number. */
struct blocks {
	struct block *blocks;
	size_t n;
	int error; /* why the first of those with BLOCK_UNREAD cannot be read: an errno, positive */
};

struct block_count {
	uint64_t present;
	uint64_t online;
	uint64_t unread;
};

static inline struct range block_range(uint64_t id, uint64_t block_size)
{
	return (struct range){id * block_size, (id + 1) * block_size};
}

/* Can another try to write to a block's state succeed? (drivers/base/memory.c, 6.12) */
bool block_error_may_pass(int error);

void block_ids_done(struct block_ids *ids);
int block_ids_append(struct block_ids *ids, uint64_t id) MUST_CHECK; /* 0 or -ENOMEM */
void block_ids_sort(struct block_ids *ids);
bool block_ids_have(const struct block_ids *ids, uint64_t id);

/* Those with a byte in the range: a part of the list, borrowed from it. */
struct block_ids block_ids_in(const struct block_ids *ids, struct range range, uint64_t block_size);

void blocks_done(struct blocks *blocks);
int blocks_append(struct blocks *blocks, uint64_t id, enum block_state state) MUST_CHECK;

/* Those wholly within a range: a part of the list, borrowed from it. */
struct blocks blocks_within(const struct blocks *blocks, struct range range, uint64_t block_size);

/* The blocks wholly within a range. One that is going offline may yet fail to: it is online. */
struct block_count blocks_count(
	const struct blocks *blocks, struct range range, uint64_t block_size);

/* From the first to the last block within a range that is there; empty: there is none. */
struct range blocks_span(const struct blocks *blocks, struct range range, uint64_t block_size);

/* How many blocks the range would be, were all of it in the kernel. */
uint64_t block_room(struct range range, uint64_t block_size);
