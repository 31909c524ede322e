/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The CEDT: fixed memory windows (CXL 3.1, section 9.18.1.3). Every other structure is skipped.
 */
#include "tdxo/firmware/acpi.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/firmware/acpi_table.h"
#include "tdxo/base/array.h"

#define TYPE_WINDOW 1

/* Offsets in a window. */
#define BASE_AT	   8
#define WAYS_AT	   24
#define TARGETS_AT 36

static const struct acpi_layout layout = {
	.signature = "CEDT", .first_entry = ACPI_HEADER_SIZE, .length_at = 2, .length_size = 2};

/* Encoded ways (9.18.1.3) to the number of targets; 0: not defined */
static const uint8_t ways_of[] = {1, 2, 4, 8, 16, 0, 0, 0, 3, 6, 12};

void cedt_done(struct cedt *cedt)
{
	free(cedt->windows);
	*cedt = (struct cedt){0};
}

static int append_window(struct cedt *cedt, const struct cedt_window *window)
{
	return array_append(cedt->windows, cedt->n_windows, *window);
}

/* Returns whether the entry has a range of its own, and all of its targets. */
static bool read_window(struct cursor c, struct cedt_window *window)
{
	uint64_t base, size;
	uint8_t ways;

	cursor_seek(&c, BASE_AT);
	base = cursor_u64(&c);
	size = cursor_u64(&c);
	cursor_seek(&c, WAYS_AT);
	ways = cursor_u8(&c);
	window->n_targets = ways < ARRAY_SIZE(ways_of) ? ways_of[ways] : 0;
	cursor_seek(&c, TARGETS_AT);
	for (size_t i = 0; i < window->n_targets; i++)
		window->targets[i] = cursor_u32(&c);
	return !c.failed && window->n_targets && size && acpi_range(base, size, &window->range);
}

/* 0, ACPI_TOO_MANY or -ENOMEM. */
static int add_window(struct cedt *cedt, struct cursor c)
{
	struct cedt_window window = {0};

	if (read_window(c, &window))
		return cedt->n_windows < CEDT_MOST ? append_window(cedt, &window) : ACPI_TOO_MANY;
	cedt->passed_over++;
	return 0;
}

int cedt_read(const void *data, size_t size, struct cedt *ret_cedt)
{
	CLEANUP(cedt_done) struct cedt cedt = {0};
	struct acpi_table table;
	struct acpi_entry entry;
	int r;

	r = (int)acpi_open(data, size, &layout, &table);
	if (r != ACPI_SOUND)
		return r;
	while ((r = acpi_take(&table, &entry)) > 0) {
		r = entry.type == TYPE_WINDOW ? add_window(&cedt, entry.bytes) : 0;
		if (r != 0)
			return r;
	}
	if (r < 0)
		return ACPI_BAD_ENTRY;
	*ret_cedt = cedt;
	cedt = (struct cedt){0};
	return 0;
}

const struct cedt_window *cedt_find(const struct cedt *cedt, struct range range)
{
	for (size_t i = 0; i < cedt->n_windows; i++)
		if (range_contains(cedt->windows[i].range, range))
			return &cedt->windows[i];
	return NULL;
}
