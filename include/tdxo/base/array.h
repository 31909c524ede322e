/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Growing arrays: a pointer and a count, nothing else.
 *
 * The capacity is not stored: it is the smallest power of two that holds the count, so an
 * array is reallocated exactly when its count is zero or a power of two. An array that has shrunk
 * may have room for more.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "tdxo/base/compiler.h"

/*
 * Make room for item n of an array that holds n items of `size` bytes. Returns the array,
 * which may have moved; or NULL if memory is short, and then the old one is as it was.
 */
static inline MUST_CHECK void *array_room(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, size);
}

/*
 * Append a value to an array that holds n items, and count it. 0, or -ENOMEM: then array and count
 * are as they were. `items` and `n` are variables.
 */
#define array_append(items, n, ...)                                                                \
	({                                                                                         \
		typeof(items) room_ = array_room(items, n, sizeof(*(items)));                      \
                                                                                                   \
		if (room_) {                                                                       \
			(items) = room_;                                                           \
			(items)[(n)++] = (__VA_ARGS__);                                            \
		}                                                                                  \
		room_ ? 0 : -ENOMEM;                                                               \
	})

/*
 * Search n sorted items of `size` bytes by bisection: the index of the first one that is not before
 * the key; n if all are.
 */
static inline size_t array_search(const void *items, size_t n, size_t size, const void *key,
	bool (*is_before)(const void *item, const void *key))
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before((const char *)items + middle * size, key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
