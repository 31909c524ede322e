/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Firmware: its tables about memory, read once, when a command explains them.
 *
 * No decision rests on them, so the daemon does without. That a table is not there is no fault.
 */
#pragma once

#include "tdxo/base/compiler.h"
#include "tdxo/firmware/acpi.h"

enum firmware_table {
	FIRMWARE_SRAT,
	FIRMWARE_CEDT,
	FIRMWARE_TABLE_MAX,
};

struct firmware_state {
	int error; /* 0, or a negative errno; -ENOENT: there is no such table */
	enum acpi_fault fault;
};

struct firmware {
	struct firmware_state states[FIRMWARE_TABLE_MAX];
	struct srat srat; /* empty unless usable */
	struct cedt cedt; /* the same */
};

/* Long enough for firmware_trouble(). */
#define FIRMWARE_TEXT 128

/* What is wrong with a table is noted, not complained about. It is empty before. */
void firmware_load(struct firmware *firmware);
void firmware_done(struct firmware *firmware);

static inline bool firmware_usable(const struct firmware *firmware, enum firmware_table table)
{
	return !firmware->states[table].error && !firmware->states[table].fault;
}

/* What is wrong with a table, as a clause in buf; NULL if nothing is, or it is not there. */
const char *firmware_trouble(
	const struct firmware *firmware, enum firmware_table table, char buf[FIRMWARE_TEXT]);

/* The file it is read from. */
const char *firmware_path(enum firmware_table table);
