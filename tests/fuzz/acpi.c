/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SRAT and CEDT: the bytes as they are, and with a valid signature, length and checksum.
 */
#include "tdxo/firmware/acpi.h"
#include "tests/fuzz/fuzz.h"

#define LENGTH	 4
#define CHECKSUM 9
#define HEADER	 36

static void check_result(int r)
{
	require(r >= 0 && r < ACPI_FAULT_MAX);
	require((r == 0) == !acpi_fault_to_string((enum acpi_fault)r));
}

static void read_srat(const uint8_t *data, size_t size)
{
	CLEANUP(srat_done) struct srat srat = {0};
	const struct srat_memory *found;

	check_result(srat_read(data, size, &srat));
	for (size_t i = 0; i < srat.n; i++) {
		require(srat.items[i].range.start <= srat.items[i].range.end);
		found = srat_find(&srat, srat.items[i].range);
		/* srat_find() does not return an empty entry. */
		require(!srat.items[i].enabled || range_is_empty(srat.items[i].range) ||
			(found && range_contains(found->range, srat.items[i].range)));
	}
	for (found = NULL; (found = srat_next(&srat, EVERYWHERE, found));)
		require(found->enabled);
}

static void read_cedt(const uint8_t *data, size_t size)
{
	CLEANUP(cedt_done) struct cedt cedt = {0};

	check_result(cedt_read(data, size, &cedt));
	for (size_t i = 0; i < cedt.n_windows; i++) {
		require(!range_is_empty(cedt.windows[i].range));
		require(cedt.windows[i].n_targets && cedt.windows[i].n_targets <= CEDT_TARGETS_MAX);
		require(cedt_find(&cedt, cedt.windows[i].range));
	}
}

static void repair(uint8_t *table, uint32_t size, const char *signature)
{
	uint8_t sum = 0;

	memcpy(table, signature, LENGTH);
	for (unsigned int i = 0; i < 4; i++)
		table[LENGTH + i] = (uint8_t)(size >> 8 * i);
	table[CHECKSUM] = 0;
	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[CHECKSUM] = (uint8_t)-sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *table;

	read_srat(data, size);
	read_cedt(data, size);
	if (size < HEADER)
		return 0;
	table = malloc(size);
	require(table);
	memcpy(table, data, size);
	repair(table, (uint32_t)size, "SRAT");
	read_srat(table, size);
	repair(table, (uint32_t)size, "CEDT");
	read_cedt(table, size);
	free(table);
	return 0;
}
