/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bounded little-endian reads. The only place that touches firmware bytes.
 *
 * A cursor is a view of borrowed bytes with a position and a sticky failure: a read beyond
 * the end returns 0 and marks the cursor failed, and every later read returns 0 too. So a
 * parser reads a whole entry and asks once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *data;
	size_t size;
	size_t position;
	bool failed;
};

static inline struct cursor cursor_of(const void *data, size_t size)
{
	return (struct cursor){.data = data, .size = size};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->failed ? 0 : c->size - c->position;
}

/* Move to an offset from the start of the bytes; beyond the end fails. */
void cursor_seek(struct cursor *c, size_t offset);

/*
 * The next `size` bytes, and move past them. If there are fewer, both fail: what is returned is
 * empty.
 */
struct cursor cursor_take(struct cursor *c, size_t size);

uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
