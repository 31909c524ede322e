/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocations that fail on demand.
 *
 * lib/ allocates by reallocarray() only, so a definition in the test program replaces that of the C
 * library. Include this in one file of a program.
 */
#pragma once

#include <stdlib.h>

/* This many allocations succeed; negative: all do. */
static int allocations_left = -1;

void *reallocarray(void *array, size_t n, size_t size)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	return realloc(array, n * size);
}
