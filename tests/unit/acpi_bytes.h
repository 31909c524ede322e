/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Build ACPI tables byte by byte. A table is built in a larger buffer and copied to a heap block of
 * exactly its length before it is read, so that a sanitizer reports a read beyond its end.
 */
#pragma once

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tdxo/firmware/acpi.h"

#define ACPI_LENGTH_AT	 4
#define ACPI_REVISION_AT 8
#define ACPI_CHECKSUM_AT 9

struct bytes {
	uint8_t data[1024];
	size_t n;
};

/* Append a little-endian number of n bytes. Bytes after the eighth are zero. */
static inline void put(struct bytes *bytes, uint64_t value, size_t n)
{
	assert_true(bytes->n + n <= sizeof(bytes->data));
	for (; n > 0; n--, value >>= 8)
		bytes->data[bytes->n++] = (uint8_t)value;
}

static inline void poke(struct bytes *bytes, size_t at, uint64_t value, size_t n)
{
	struct bytes part = {.n = 0};

	put(&part, value, n);
	memcpy(bytes->data + at, part.data, n);
}

static inline struct bytes table_begin(const char *signature, uint8_t revision)
{
	struct bytes table = {.n = 0};

	memcpy(table.data, signature, 4);
	table.data[ACPI_REVISION_AT] = revision;
	memcpy(table.data + 10, "TDXO  TDXONLIN", 14); /* OEM id, OEM table id */
	table.n = 36;
	return table;
}

/* Set the checksum so that the first `n` bytes sum to zero. */
static inline void sign(struct bytes *table, size_t n)
{
	uint8_t sum = 0;

	table->data[ACPI_CHECKSUM_AT] = 0;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + table->data[i]);
	table->data[ACPI_CHECKSUM_AT] = (uint8_t)-sum;
}

static inline void table_end(struct bytes *table)
{
	poke(table, ACPI_LENGTH_AT, table->n, 4);
	sign(table, table->n);
}

/* Copy the first `size` bytes to a heap block of that length. */
static inline uint8_t *block_of(const struct bytes *table, size_t size)
{
	uint8_t *block = malloc(size ? size : 1);

	assert_non_null(block);
	memcpy(block, table->data, size);
	return block;
}

static inline int read_srat(const struct bytes *table, size_t size, struct srat *ret_srat)
{
	uint8_t *block = block_of(table, size);
	int r = srat_read(block, size, ret_srat);

	free(block);
	return r;
}

static inline int read_cedt(const struct bytes *table, size_t size, struct cedt *ret_cedt)
{
	uint8_t *block = block_of(table, size);
	int r = cedt_read(block, size, ret_cedt);

	free(block);
	return r;
}
