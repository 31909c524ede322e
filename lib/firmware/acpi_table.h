/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What SRAT and CEDT have in common: a header, a checksum, and a chain of entries.
 */
#pragma once

#include "tdxo/base/cursor.h"
#include "tdxo/firmware/acpi.h"

#define ACPI_HEADER_SIZE 36

/* How the entries of a table are chained. */
struct acpi_layout {
	char signature[5];
	size_t first_entry; /* its offset in the table */
	size_t length_at;   /* where an entry has its length, in bytes from its start */
	size_t length_size; /* 1 or 2 */
};

struct acpi_table {
	const struct acpi_layout *layout;
	struct cursor entries; /* what of them is not taken yet */
	uint8_t revision;
};

struct acpi_entry {
	struct cursor bytes; /* exactly the entry; its position is that of the type */
	uint8_t type;
};

/* Check a table and go to its first entry. ret_table is written if it is sound. */
enum acpi_fault acpi_open(const void *data, size_t size, const struct acpi_layout *layout,
	struct acpi_table *ret_table) MUST_CHECK;

/*
 * Take the next entry. 1; 0: there is no more; -EBADMSG: its length leads nowhere.
 */
int acpi_take(struct acpi_table *table, struct acpi_entry *ret_entry) MUST_CHECK;

/* Firmware's base and size as a range; false if it would wrap around. */
static inline bool acpi_range(uint64_t base, uint64_t size, struct range *ret_range)
{
	if (size > UINT64_MAX - base)
		return false;
	*ret_range = (struct range){base, base + size};
	return true;
}
