/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bounded little-endian reads: one range check for everything.
 */
#include "tdxo/base/cursor.h"

void cursor_seek(struct cursor *c, size_t offset)
{
	if (offset > c->size)
		c->failed = true;
	else
		c->position = offset;
}

struct cursor cursor_take(struct cursor *c, size_t size)
{
	struct cursor taken = {.failed = true};

	if (cursor_left(c) < size) {
		c->failed = true;
		return taken;
	}
	taken = cursor_of(c->data + c->position, size);
	c->position += size;
	return taken;
}

static uint64_t read_le(struct cursor *c, size_t bytes)
{
	uint64_t value = 0;

	if (cursor_left(c) < bytes) {
		c->failed = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)c->data[c->position++] << (8 * i);
	return value;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)read_le(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)read_le(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)read_le(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return read_le(c, 8);
}
