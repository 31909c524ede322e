/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The e820 memory map.
 *
 * To sanitise, all starts and ends are sorted; between two neighbours nothing changes, so the
 * highest type that covers one such stretch is its type. That is quadratic in the number of
 * entries, of which a machine has some dozens.
 */
#include "tdxo/firmware/e820.h"

#include <errno.h>
#include <stdlib.h>

#include "tdxo/base/array.h"
#include "tdxo/base/cursor.h"

#define BOOT_PARAMS_E820_COUNT 0x1e8
#define BOOT_PARAMS_E820_TABLE 0x2d0
#define BOOT_PARAMS_E820_MAX   128
#define E820_ENTRY_SIZE	       20

#define PAGE	0x1000
#define ONE_MIB 0x100000

void e820_table_done(struct e820_table *table)
{
	free(table->entries);
	*table = (struct e820_table){0};
}

static int append(struct e820_table *table, struct e820_entry entry)
{
	return array_append(table->entries, table->n, entry);
}

/* Append `n` packed entries. Returns how many were passed over, or -EBADMSG, -ENOMEM. */
static int append_packed(struct e820_table *table, struct cursor *c, size_t n)
{
	int passed_over = 0, r;

	if (cursor_left(c) / E820_ENTRY_SIZE < n)
		return -EBADMSG;
	while (n--) {
		uint64_t start = cursor_u64(c), size = cursor_u64(c);
		struct e820_entry entry = {.range = {start, start + size}, .type = cursor_u32(c)};

		if (range_is_empty(entry.range)) {
			passed_over++;
			continue;
		}
		r = append(table, entry);
		if (r < 0)
			return r;
	}
	return passed_over;
}

int e820_add_boot_params(struct e820_table *table, const void *data, size_t size)
{
	struct cursor c = cursor_of(data, size);
	size_t n;

	cursor_seek(&c, BOOT_PARAMS_E820_COUNT);
	n = cursor_u8(&c);
	cursor_seek(&c, BOOT_PARAMS_E820_TABLE);
	if (c.failed || n > BOOT_PARAMS_E820_MAX)
		return -EBADMSG;
	return append_packed(table, &c, n);
}

bool e820_in_boot_params(size_t offset)
{
	return offset == BOOT_PARAMS_E820_COUNT ||
	       (offset >= BOOT_PARAMS_E820_TABLE &&
		       offset < BOOT_PARAMS_E820_TABLE + BOOT_PARAMS_E820_MAX * E820_ENTRY_SIZE);
}

int e820_add_extension(struct e820_table *table, const void *data, size_t size)
{
	struct cursor c = cursor_of(data, size);

	if (size % E820_ENTRY_SIZE)
		return -EBADMSG;
	return append_packed(table, &c, size / E820_ENTRY_SIZE);
}

static int compare_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The type of a stretch that no entry begins or ends within; 0 if no entry covers it. */
static uint32_t type_of(const struct e820_table *table, struct range stretch)
{
	uint32_t type = 0;

	for (size_t i = 0; i < table->n; i++)
		if (range_contains(table->entries[i].range, stretch) &&
			table->entries[i].type > type)
			type = table->entries[i].type;
	return type;
}

static int add_stretches(
	const struct e820_table *table, const uint64_t *borders, struct range_set *ram)
{
	int r;

	for (size_t i = 0; i + 1 < 2 * table->n; i++) {
		struct range stretch = {borders[i], borders[i + 1]};
		uint32_t type = range_is_empty(stretch) ? 0 : type_of(table, stretch);

		if (type != E820_RAM && type != E820_RESERVED_KERN)
			continue;
		r = range_set_add(ram, stretch);
		if (r < 0)
			return r;
	}
	return range_set_subtract(ram, (struct range){0, ONE_MIB});
}

static void free_borders(uint64_t **borders)
{
	free(*borders);
}

int e820_ram(const struct e820_table *table, struct range_set *ret_ram)
{
	CLEANUP(range_set_done) struct range_set ram = {0}, pages = {0};
	CLEANUP(free_borders) uint64_t *borders = NULL;
	int r;

	if (!table->n) {
		*ret_ram = (struct range_set){0};
		return 0;
	}
	borders = reallocarray(NULL, table->n, 2 * sizeof(*borders));
	if (!borders)
		return -ENOMEM;
	for (size_t i = 0; i < table->n; i++) {
		borders[2 * i] = table->entries[i].range.start;
		borders[2 * i + 1] = table->entries[i].range.end;
	}
	qsort(borders, 2 * table->n, sizeof(*borders), compare_addresses);
	r = add_stretches(table, borders, &ram);
	for (size_t i = 0; r == 0 && i < ram.n; i++)
		r = range_set_add(&pages, range_trim(ram.ranges[i], PAGE));
	if (r < 0)
		return r;
	*ret_ram = pages;
	pages = (struct range_set){0};
	return 0;
}
