/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that runs short on demand.
 *
 * The core allocates by reallocarray() alone, so a definition of it in the test's executable
 * takes the place of the C library's and can refuse. Included by one file of an executable.
 */
#pragma once

#include <stdlib.h>

/* How many allocations still succeed; negative: all. */
static int allocations_left = -1;

void *reallocarray(void *array, size_t n, size_t size)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	return realloc(array, n * size);
}
