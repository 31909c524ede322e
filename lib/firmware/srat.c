/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The SRAT: memory affinity entries (ACPI 6.5, section 5.2.16.2).
 */
#include "tdxo/firmware/acpi.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/firmware/acpi_table.h"
#include "tdxo/base/array.h"

#define TYPE_MEMORY 1
#define MEMORY_SIZE 40

/* Offsets in an entry. */
#define DOMAIN_AT 2
#define BASE_AT	  8
#define FLAGS_AT  28

#define FLAG_ENABLED	   0x1
#define FLAG_HOT_PLUGGABLE 0x2
#define FLAG_NON_VOLATILE  0x4

static const struct acpi_layout layout = {
	.signature = "SRAT", .first_entry = 48, .length_at = 1, .length_size = 1};

void srat_done(struct srat *srat)
{
	free(srat->items);
	*srat = (struct srat){0};
}

static int append(struct srat *srat, const struct srat_memory *memory)
{
	return array_append(srat->items, srat->n, *memory);
}

/* 0, ACPI_SHORT_ENTRY, ACPI_TOO_MANY or -ENOMEM. */
static int add_memory(struct srat *srat, struct cursor c, uint8_t revision)
{
	struct srat_memory memory = {0};
	uint64_t base, size;
	uint32_t flags;

	if (cursor_left(&c) < MEMORY_SIZE)
		return ACPI_SHORT_ENTRY; /* Linux then uses no part of the table, see bad_srat() */
	cursor_seek(&c, DOMAIN_AT);
	memory.node = revision > 1 ? cursor_u32(&c) : cursor_u8(&c);
	cursor_seek(&c, BASE_AT);
	base = cursor_u64(&c);
	size = cursor_u64(&c);
	cursor_seek(&c, FLAGS_AT);
	flags = cursor_u32(&c);
	memory.enabled = flags & FLAG_ENABLED;
	memory.hot_pluggable = flags & FLAG_HOT_PLUGGABLE;
	memory.non_volatile = flags & FLAG_NON_VOLATILE;
	if (!acpi_range(base, size, &memory.range)) {
		srat->passed_over++;
		return 0;
	}
	return srat->n < SRAT_MOST ? append(srat, &memory) : ACPI_TOO_MANY;
}

int srat_read(const void *data, size_t size, struct srat *ret_srat)
{
	CLEANUP(srat_done) struct srat srat = {0};
	struct acpi_table table;
	struct acpi_entry entry;
	int r;

	r = (int)acpi_open(data, size, &layout, &table);
	if (r != ACPI_SOUND)
		return r;
	while ((r = acpi_take(&table, &entry)) > 0) {
		if (entry.type != TYPE_MEMORY)
			continue;
		r = add_memory(&srat, entry.bytes, table.revision);
		if (r != 0)
			return r;
	}
	if (r < 0)
		return ACPI_BAD_ENTRY;
	*ret_srat = srat;
	srat = (struct srat){0};
	return 0;
}

const struct srat_memory *srat_find(const struct srat *srat, struct range range)
{
	const struct srat_memory *memory = NULL;

	while ((memory = srat_next(srat, range, memory)))
		if (range_contains(memory->range, range))
			return memory;
	return NULL;
}

const struct srat_memory *srat_next(
	const struct srat *srat, struct range range, const struct srat_memory *previous)
{
	size_t i = previous ? (size_t)(previous - srat->items) + 1 : 0;

	for (; i < srat->n; i++)
		if (srat->items[i].enabled && range_overlaps(srat->items[i].range, range))
			return &srat->items[i];
	return NULL;
}
