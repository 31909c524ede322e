/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The e820 memory map.
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

/* Add what the entries of a type cover and those of no higher type do. 0 or -ENOMEM. */
static int add_type(const struct e820_table *table, uint32_t type, struct range_list *ram)
{
	CLEANUP(range_list_done) struct range_list own = {0}, higher = {0};
	CLEANUP(range_set_done) struct range_set covered = {0}, others = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < table->n; i++)
		if (table->entries[i].type >= type)
			r = range_list_add(table->entries[i].type == type ? &own : &higher,
				table->entries[i].range);
	if (r == 0)
		r = range_set_of(&own, &covered);
	if (r == 0)
		r = range_set_of(&higher, &others);
	if (r == 0)
		r = range_set_subtract_set(&covered, &others);
	for (size_t i = 0; r == 0 && i < covered.n; i++)
		r = range_list_add(ram, covered.ranges[i]);
	return r;
}

int e820_ram(const struct e820_table *table, struct range_set *ret_ram)
{
	CLEANUP(range_set_done) struct range_set ram = {0}, pages = {0};
	CLEANUP(range_list_done) struct range_list list = {0};
	int r;

	r = add_type(table, E820_RAM, &list);
	if (r == 0)
		r = add_type(table, E820_RESERVED_KERN, &list);
	if (r == 0)
		r = range_set_of(&list, &ram);
	if (r == 0)
		r = range_set_subtract(&ram, (struct range){0, ONE_MIB});
	for (size_t i = 0; r == 0 && i < ram.n; i++)
		r = range_set_add(&pages, range_trim(ram.ranges[i], PAGE));
	if (r < 0)
		return r;
	*ret_ram = pages;
	pages = (struct range_set){0};
	return 0;
}
