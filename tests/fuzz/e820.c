/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The e820 of boot_params and setup_data. Bytes that are too short for boot_params are read as the
 * number of entries and the entries of such a table, and as the entries of a setup_data.
 */
#include <errno.h>

#include "tdxo/firmware/e820.h"
#include "tests/fuzz/fuzz.h"

#define COUNT 0x1e8
#define TABLE 0x2d0
#define ENTRY 20
#define PAGE  0x1000

static int add_short(struct e820_table *table, const uint8_t *data, size_t size)
{
	uint8_t *boot_params = calloc(1, TABLE + size);
	int r;

	require(boot_params);
	if (size) {
		boot_params[COUNT] = data[0];
		memcpy(boot_params + TABLE, data + 1, size - 1);
	}
	r = e820_add_boot_params(table, boot_params, TABLE + size);
	free(boot_params);
	return r;
}

/* Is the highest type of all entries with a byte in the page RAM? */
static bool is_ram(const struct e820_table *table, uint64_t page)
{
	const struct range range = {page, page + PAGE};
	uint32_t highest = 0;

	for (size_t i = 0; i < table->n; i++)
		if (range_overlaps(table->entries[i].range, range) &&
			table->entries[i].type > highest)
			highest = table->entries[i].type;
	return highest == E820_RAM || highest == E820_RESERVED_KERN;
}

static void check_ram(const struct e820_table *table, const struct range_set *ram)
{
	for (size_t i = 0; i < ram->n; i++) {
		struct range range = ram->ranges[i];

		require(range.start < range.end && range.start >= 0x100000);
		require(range.start % PAGE == 0 && range.end % PAGE == 0);
		require(i == 0 || ram->ranges[i - 1].end < range.start);
		require(is_ram(table, range.start) && is_ram(table, range.end - PAGE));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(e820_table_done) struct e820_table table = {0};
	CLEANUP(range_set_done) struct range_set ram = {0};
	int r = size < TABLE ? add_short(&table, data, size)
			     : e820_add_boot_params(&table, data, size);

	require(r >= -EBADMSG);
	if (size < TABLE && size)
		require(e820_add_extension(&table, data + 1, size - 1) >= -EBADMSG);
	require(e820_ram(&table, &ram) == 0);
	check_ram(&table, &ram);
	return 0;
}
