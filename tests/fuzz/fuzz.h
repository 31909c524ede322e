/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fuzz targets have in common. A target is one file that defines LLVMFuzzerTestOneInput();
 * libFuzzer calls it with bytes of its own, and replay.c with the files that it is given.
 *
 * The bytes end where the memory does, so a sanitizer sees each read beyond them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the target does not hold: the input is kept as a crash. */
#define require(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The bytes as a string, up to the first NUL among them, in memory of just its size. */
static inline char *text_of(const uint8_t *data, size_t size)
{
	size_t length = size ? strnlen((const char *)data, size) : 0;
	char *text = malloc(length + 1);

	require(text);
	if (length)
		memcpy(text, data, length);
	text[length] = '\0';
	return text;
}

static inline void free_text_of(char **text)
{
	free(*text);
}

/* Is there a NUL in the buffer? */
#define is_string(buffer) (memchr(buffer, '\0', sizeof(buffer)) != NULL)
