/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bounded reads.
 *
 * Read every width at every position of every short buffer. A read that fits returns the
 * little-endian value and advances. A read that does not fit returns 0, and so do all later reads,
 * also after a seek. The bytes are in a heap block of exactly their length, so that a sanitizer
 * reports a read beyond the end.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tdxo/base/cursor.h"

#define LONGEST 20

static const uint8_t bytes[LONGEST] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
	0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x80, 0x01, 0xfe, 0x00, 0x7f};

static uint64_t read_width(struct cursor *c, size_t width)
{
	return width == 1   ? cursor_u8(c)
	       : width == 2 ? cursor_u16(c)
	       : width == 4 ? cursor_u32(c)
			    : cursor_u64(c);
}

static void test_values(void **state)
{
	struct cursor c = cursor_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cursor_u8(&c), 0x11);
	assert_int_equal(cursor_u32(&c), 0x55443322);
	assert_int_equal(cursor_u64(&c), UINT64_C(0xddccbbaa99887766));
	assert_int_equal(cursor_left(&c), LONGEST - 13);
	assert_false(c.failed);
	cursor_seek(&c, 12);
	assert_int_equal(cursor_u32(&c), UINT32_C(0x80ffeedd));
	cursor_seek(&c, 0);
	assert_int_equal(cursor_u64(&c), UINT64_C(0x8877665544332211));
	assert_int_equal(cursor_u16(&c), 0xaa99);
}

static void check_read(const uint8_t *data, size_t size, size_t position, size_t width)
{
	struct cursor c = cursor_of(data, size);
	bool fits = position + width <= size;
	uint64_t want = 0, got;

	for (size_t i = width; fits && i-- > 0;)
		want = want << 8 | bytes[position + i];
	cursor_seek(&c, position);
	assert_int_equal(c.failed, position > size);
	got = read_width(&c, width);
	assert_int_equal(got, want);
	assert_int_equal(c.failed, !fits);
	assert_int_equal(cursor_left(&c), fits ? size - position - width : 0);
	if (fits)
		return;
	cursor_seek(&c, 0);
	assert_true(c.failed);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(cursor_u16(&c), 0);
	assert_int_equal(cursor_u32(&c), 0);
	assert_int_equal(cursor_u64(&c), 0);
}

static void test_every_position(void **state)
{
	static const size_t widths[] = {1, 2, 4, 8};

	(void)state;
	for (size_t size = 0; size <= LONGEST; size++) {
		uint8_t *data = malloc(size ? size : 1);

		assert_non_null(data);
		memcpy(data, bytes, size);
		for (size_t position = 0; position <= size + 2; position++)
			for (size_t w = 0; w < ARRAY_SIZE(widths); w++)
				check_read(data, size, position, widths[w]);
		free(data);
	}
}

static void check_take(size_t size, size_t position, size_t wanted)
{
	struct cursor c = cursor_of(bytes, size), taken;
	bool fits = wanted <= size - position;

	cursor_seek(&c, position);
	taken = cursor_take(&c, wanted);
	assert_int_equal(c.failed, !fits);
	assert_int_equal(taken.failed, !fits);
	assert_int_equal(cursor_left(&taken), fits ? wanted : 0);
	assert_int_equal(cursor_left(&c), fits ? size - position - wanted : 0);
	if (fits && wanted)
		assert_int_equal(cursor_u8(&taken), bytes[position]);
	cursor_seek(&taken, wanted + 1);
	assert_true(taken.failed);
	assert_int_equal(c.failed, !fits);
}

/* The cursor that is taken has the requested length, and the rest begins where it ends. */
static void test_take(void **state)
{
	(void)state;
	for (size_t size = 0; size <= LONGEST; size++)
		for (size_t position = 0; position <= size; position++) {
			for (size_t wanted = 0; wanted <= size + 2; wanted++)
				check_take(size, position, wanted);
			check_take(size, position, SIZE_MAX - 1);
		}
}

static void test_empty(void **state)
{
	struct cursor c = cursor_of(NULL, 0);

	(void)state;
	assert_int_equal(cursor_left(&c), 0);
	cursor_seek(&c, 0);
	assert_false(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(c.failed);
}

/* A seek to any 64-bit offset, since offsets come from firmware. */
static void test_far_seek(void **state)
{
	struct cursor c = cursor_of(bytes, sizeof(bytes));

	(void)state;
	cursor_seek(&c, SIZE_MAX);
	assert_true(c.failed);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_u64(&c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_every_position),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_far_seek),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
