/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For every unit test: cmocka and the headers that it needs first, a generator of reproducible
 * random numbers, and short names for sizes.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tdxo/base/range.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* splitmix64: the same seed gives the same numbers on any machine. */
static inline uint64_t prng(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number in [0, n). */
static inline size_t below(uint64_t *state, size_t n)
{
	return (size_t)(prng(state) % n);
}

static inline struct range span(uint64_t start, uint64_t end)
{
	return (struct range){start, end};
}

#define assert_range_equal(got, want)                                                              \
	do {                                                                                       \
		struct range got_ = (got), want_ = (want);                                         \
		assert_int_equal(got_.start, want_.start);                                         \
		assert_int_equal(got_.end, want_.end);                                             \
	} while (0)

/* The set holds exactly the ranges that follow, in this order. */
#define assert_set_equal(set, ...)                                                                 \
	do {                                                                                       \
		const struct range wants_[] = {__VA_ARGS__};                                       \
		assert_int_equal((set)->n, ARRAY_SIZE(wants_));                                    \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(wants_); i_++)                                 \
			assert_range_equal((set)->ranges[i_], wants_[i_]);                         \
	} while (0)
