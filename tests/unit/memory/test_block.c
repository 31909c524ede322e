/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory blocks: ids, counts and spans of the blocks wholly within a range, and the number of
 * blocks that fit in a range.
 */
#include "tests/unit/fixture.h"

#include <errno.h>

#include "tests/unit/short_memory.h"

static void test_ids(void **state)
{
	static const uint64_t ids[] = {7, 3, UINT64_MAX, 0, 512, 4, 6};
	CLEANUP(block_ids_done) struct block_ids blocks = {0};

	(void)state;
	assert_false(block_ids_have(&blocks, 0));
	block_ids_sort(&blocks);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(block_ids_append(&blocks, ids[i]), 0);
	block_ids_sort(&blocks);
	assert_int_equal(blocks.n, ARRAY_SIZE(ids));
	for (size_t i = 1; i < blocks.n; i++)
		assert_true(blocks.ids[i - 1] < blocks.ids[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_true(block_ids_have(&blocks, ids[i]));
	assert_false(block_ids_have(&blocks, 5));
	assert_false(block_ids_have(&blocks, 513));
	block_ids_done(&blocks);
	assert_int_equal(blocks.n, 0);
	assert_null(blocks.ids);
	block_ids_done(&blocks);
}

static void test_short_memory(void **state)
{
	CLEANUP(block_ids_done) struct block_ids ids = {0};
	CLEANUP(blocks_done) struct blocks blocks = {0};

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		allocations_left = 0;
		assert_int_equal(block_ids_append(&ids, n), -ENOMEM);
		assert_int_equal(blocks_append(&blocks, n, BLOCK_ONLINE), -ENOMEM);
		allocations_left = -1;
		assert_int_equal(ids.n, n);
		assert_int_equal(blocks.n, n);
		assert_int_equal(block_ids_append(&ids, n), 0);
		assert_int_equal(blocks_append(&blocks, n, BLOCK_ONLINE), 0);
		assert_int_equal(ids.ids[n], n);
		assert_int_equal(blocks.blocks[n].id, n);
		assert_int_equal(blocks.blocks[n].state, BLOCK_ONLINE);
	}
	blocks_done(&blocks);
	assert_int_equal(blocks.n, 0);
	assert_null(blocks.blocks);
}

static void assert_count(const struct blocks *blocks, struct range range, uint64_t present,
	uint64_t online, uint64_t unread)
{
	struct block_count count = blocks_count(blocks, range, BLOCK);

	assert_int_equal(count.present, present);
	assert_int_equal(count.online, online);
	assert_int_equal(count.unread, unread);
}

/* Blocks 8 and 9 are offline, 10 is online, 12 cannot be read; 11 and 13 are not present. */
static void init(struct blocks *blocks)
{
	*blocks = (struct blocks){0};
	add_blocks(blocks, span(8 * BLOCK, 10 * BLOCK), BLOCK_OFFLINE);
	add_blocks(blocks, span(10 * BLOCK, 11 * BLOCK), BLOCK_ONLINE);
	add_blocks(blocks, span(12 * BLOCK, 13 * BLOCK), BLOCK_UNREAD);
}

static void test_count(void **state)
{
	CLEANUP(blocks_done) struct blocks blocks;

	(void)state;
	init(&blocks);
	assert_count(&blocks, span(0, UINT64_MAX), 4, 1, 1);
	/* A block that is going offline counts as online. */
	set_block(&blocks, 9, BLOCK_GOING_OFFLINE);
	assert_count(&blocks, span(0, UINT64_MAX), 4, 2, 1);
	set_block(&blocks, 9, BLOCK_OFFLINE);
	assert_count(&blocks, span(8 * BLOCK, 14 * BLOCK), 4, 1, 1);
	assert_count(&blocks, span(8 * BLOCK, 10 * BLOCK), 2, 0, 0);
	assert_count(&blocks, span(8 * BLOCK + 1, 11 * BLOCK), 2, 1, 0);
	assert_count(&blocks, span(8 * BLOCK, 11 * BLOCK - 1), 2, 0, 0);
	assert_count(&blocks, span(12 * BLOCK, 13 * BLOCK), 1, 0, 1);
	assert_count(&blocks, span(13 * BLOCK, 20 * BLOCK), 0, 0, 0);
	assert_count(&blocks, span(0, 0), 0, 0, 0);
}

/* Facts have only the blocks of the device: all of them are counted. */
static void test_count_of_facts(void **state)
{
	CLEANUP(facts_done) struct facts facts = facts_of("dax0.0", TYPE_CXL, NULL);
	struct block_count count;

	(void)state;
	count = facts_count(&facts);
	assert_int_equal(count.present + count.online + count.unread, 0);
	add_mapping(&facts.device, span(8 * BLOCK, 11 * BLOCK));
	add_mapping(&facts.device, span(12 * BLOCK, 14 * BLOCK));
	init(&facts.blocks);
	count = facts_count(&facts);
	assert_int_equal(count.present, 4);
	assert_int_equal(count.online, 1);
	assert_int_equal(count.unread, 1);
	facts_done(&facts);
	assert_null(facts.blocks.blocks);
	assert_null(facts.device.ranges);
}

static void test_span(void **state)
{
	static const struct {
		struct range range, span;
	} rows[] = {
		{{0, UINT64_MAX}, {8 * BLOCK, 13 * BLOCK}},
		{{8 * BLOCK, 13 * BLOCK}, {8 * BLOCK, 13 * BLOCK}},
		{{8 * BLOCK + 1, 13 * BLOCK - 1}, {9 * BLOCK, 11 * BLOCK}},
		{{11 * BLOCK, 14 * BLOCK}, {12 * BLOCK, 13 * BLOCK}},
		{{10 * BLOCK, 11 * BLOCK}, {10 * BLOCK, 11 * BLOCK}},
		{{10 * BLOCK, 12 * BLOCK}, {10 * BLOCK, 11 * BLOCK}},
	};
	static const struct range none[] = {{0, 8 * BLOCK}, {11 * BLOCK, 12 * BLOCK},
		{13 * BLOCK, UINT64_MAX}, {10 * BLOCK + 1, 11 * BLOCK}, {0, 0}};
	CLEANUP(blocks_done) struct blocks blocks;

	(void)state;
	init(&blocks);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_range_equal(blocks_span(&blocks, rows[i].range, BLOCK), rows[i].span);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_true(range_is_empty(blocks_span(&blocks, none[i], BLOCK)));
	blocks_done(&blocks);
	assert_true(range_is_empty(blocks_span(&blocks, span(0, UINT64_MAX), BLOCK)));
	/* The first block of the address space is a span, too. */
	add_blocks(&blocks, span(0, BLOCK), BLOCK_OFFLINE);
	assert_range_equal(blocks_span(&blocks, span(0, GIB), BLOCK), span(0, BLOCK));
	add_blocks(&blocks, span(BLOCK, 3 * BLOCK), BLOCK_OFFLINE);
	assert_range_equal(blocks_span(&blocks, span(0, GIB), BLOCK), span(0, 3 * BLOCK));
}

static void test_room(void **state)
{
	(void)state;
	assert_int_equal(block_room(span(0, BLOCK), BLOCK), 1);
	assert_int_equal(block_room(span(4 * GIB, 68 * GIB), BLOCK), 512);
	assert_int_equal(block_room(span(4 * GIB, 68 * GIB), 2 * GIB), 32);
	assert_int_equal(block_room(span(1, 2 * BLOCK), BLOCK), 1);
	assert_int_equal(block_room(span(1, 2 * BLOCK - 1), BLOCK), 0);
	assert_int_equal(block_room(span(BLOCK - 1, 2 * BLOCK + 1), BLOCK), 1);
	assert_int_equal(block_room(span(0, 0), BLOCK), 0);
	assert_int_equal(block_room(span(UINT64_MAX - 1, UINT64_MAX), BLOCK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_count_of_facts),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
