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

static int parse(
	struct firmware *firmware, enum firmware_table table, const void *data, size_t size)
{
	return table == FIRMWARE_SRAT ? srat_read(data, size, &firmware->srat)
				      : cedt_read(data, size, &firmware->cedt);
}

/* 0 or -ENOMEM. */
static int load(struct firmware *firmware, enum firmware_table table)
{
	CLEANUP(free_bytes) void *bytes = NULL;
	struct firmware_state *state = &firmware->states[table];
	size_t size;
	int r;

	state->error = sysfs_read_bytes(paths[table], &bytes, &size);
	if (state->error)
		return state->error == -ENOMEM ? -ENOMEM : 0;
	r = parse(firmware, table, bytes, size);
	if (r < 0)
		return r;
	state->fault = (enum acpi_fault)r;
	state->passed_over =
		table == FIRMWARE_SRAT ? firmware->srat.passed_over : firmware->cedt.passed_over;
	return 0;
}

int firmware_load(struct firmware *ret_firmware)
{
	CLEANUP(firmware_done) struct firmware firmware = {0};
	int r = 0;

	for (enum firmware_table table = 0; r == 0 && table < FIRMWARE_TABLE_MAX; table++)
		r = load(&firmware, table);
	if (r < 0)
		return r;
	*ret_firmware = firmware;
	firmware = (struct firmware){0};
	return 0;
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

	if (state->error == -ENOENT)
		return NULL;
	if (state->error)
		snprintf(buf, FIRMWARE_TEXT, "%s", strerror(-state->error));
	else if (state->fault)
		snprintf(buf, FIRMWARE_TEXT, "%s", acpi_fault_to_string(state->fault));
	else if (state->passed_over)
		snprintf(buf, FIRMWARE_TEXT, "%zu of its entries cannot be used",
			state->passed_over);
	else
		return NULL;
	return buf;
}

const char *firmware_path(enum firmware_table table)
{
	return paths[table];
}
