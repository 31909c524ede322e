/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Firmware: /sys/firmware/acpi/tables, as acpi_tables_sysfs_init() in drivers/acpi/sysfs.c (6.12)
 * lays them out. Only root may read them.
 */
#include "daemon/host/firmware.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"

static const char *const paths[] = {
	[FIRMWARE_SRAT] = SYS_ACPI_TABLES "/SRAT",
	[FIRMWARE_CEDT] = SYS_ACPI_TABLES "/CEDT",
};
static_assert(ARRAY_SIZE(paths) == FIRMWARE_TABLE_MAX, "a path for each table");

static void load(struct firmware *firmware, enum firmware_table table)
{
	CLEANUP(free_text) char *bytes = NULL;
	struct firmware_state *state = &firmware->states[table];
	size_t size;
	int r;

	r = sysfs_read_text(paths[table], &bytes, &size);
	if (r == 0)
		r = table == FIRMWARE_SRAT ? srat_read(bytes, size, &firmware->srat)
					   : cedt_read(bytes, size, &firmware->cedt);
	if (r < 0)
		state->error = r;
	else
		state->fault = (enum acpi_fault)r;
}

void firmware_load(struct firmware *firmware)
{
	for (enum firmware_table table = 0; table < FIRMWARE_TABLE_MAX; table++)
		load(firmware, table);
}

void firmware_done(struct firmware *firmware)
{
	srat_done(&firmware->srat);
	cedt_done(&firmware->cedt);
}

const char *firmware_trouble(
	const struct firmware *firmware, enum firmware_table table, char buf[FIRMWARE_TEXT])
{
	const struct firmware_state *state = &firmware->states[table];
	size_t passed_over =
		table == FIRMWARE_SRAT ? firmware->srat.passed_over : firmware->cedt.passed_over;

	if (state->error == -ENOENT)
		return NULL;
	if (state->error)
		snprintf(buf, FIRMWARE_TEXT, "%s", strerror(-state->error));
	else if (state->fault)
		snprintf(buf, FIRMWARE_TEXT, "%s", acpi_fault_to_string(state->fault));
	else if (passed_over)
		snprintf(buf, FIRMWARE_TEXT, "%zu of its entries cannot be used", passed_over);
	else
		return NULL;
	return buf;
}

const char *firmware_path(enum firmware_table table)
{
	return paths[table];
}
