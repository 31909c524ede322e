/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ACPI tables: the header (ACPI 6.5, section 5.2.6) and the chain of entries.
 */
#include "tdxo/firmware/acpi.h"

#include <assert.h>
#include <errno.h>

#include "lib/firmware/acpi_table.h"
#include "tdxo/base/string_table.h"

#define LENGTH_AT   4
#define REVISION_AT 8

static const char *const faults[] = {
	[ACPI_SOUND] = NULL,
	[ACPI_TRUNCATED] = "it is cut off",
	[ACPI_WRONG_SIGNATURE] = "it is another table",
	[ACPI_BAD_LENGTH] = "its length is less than that of its header",
	[ACPI_BAD_CHECKSUM] = "its checksum is wrong",
	[ACPI_BAD_ENTRY] = "the length of an entry is wrong",
	[ACPI_SHORT_ENTRY] = "an entry is too short for its type",
	[ACPI_TOO_MANY] = "it has more than 2048 entries",
};
static_assert(SRAT_MOST == 2048 && CEDT_MOST == 2048, "the number in its clause");
DEFINE_TO_STRING(acpi_fault, enum acpi_fault, faults, ACPI_FAULT_MAX)

static bool has_signature(struct cursor c, const char *signature)
{
	bool same = true;

	for (size_t i = 0; signature[i]; i++)
		same &= cursor_u8(&c) == (uint8_t)signature[i];
	return same && !c.failed;
}

/* All bytes of a table add up to 0, in 8 bits. */
static bool has_checksum(struct cursor c)
{
	uint8_t sum = 0;

	while (cursor_left(&c))
		sum = (uint8_t)(sum + cursor_u8(&c));
	return sum == 0;
}

enum acpi_fault acpi_open(const void *data, size_t size, const struct acpi_layout *layout,
	struct acpi_table *ret_table)
{
	struct cursor c = cursor_of(data, size);
	struct acpi_table table = {.layout = layout};
	uint32_t length;

	if (size < ACPI_HEADER_SIZE)
		return ACPI_TRUNCATED;
	if (!has_signature(c, layout->signature))
		return ACPI_WRONG_SIGNATURE;
	cursor_seek(&c, LENGTH_AT);
	length = cursor_u32(&c);
	if (length < layout->first_entry)
		return ACPI_BAD_LENGTH;
	if (length > size)
		return ACPI_TRUNCATED;
	/* What follows the length is no part of the table. */
	table.entries = cursor_of(data, length);
	if (!has_checksum(table.entries))
		return ACPI_BAD_CHECKSUM;
	cursor_seek(&c, REVISION_AT);
	table.revision = cursor_u8(&c);
	cursor_seek(&table.entries, layout->first_entry);
	*ret_table = table;
	return ACPI_SOUND;
}

int acpi_take(struct acpi_table *table, struct acpi_entry *ret_entry)
{
	const struct acpi_layout *layout = table->layout;
	size_t header = layout->length_at + layout->length_size, length;
	struct cursor peek = table->entries;
	struct acpi_entry entry;

	if (cursor_left(&peek) <= header)
		return 0;
	entry.type = cursor_u8(&peek);
	cursor_seek(&peek, table->entries.position + layout->length_at);
	length = layout->length_size == 1 ? cursor_u8(&peek) : cursor_u16(&peek);
	if (length < header || length > cursor_left(&table->entries))
		return -EBADMSG;
	entry.bytes = cursor_take(&table->entries, length);
	*ret_entry = entry;
	return 1;
}
