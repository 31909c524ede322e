/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ACPI tables: what firmware says of memory that may come later.
 *
 * The SRAT (ACPI 6.5, section 5.2.16) lists which proximity domain memory belongs to, and where
 * memory may be hot-added. The CEDT (CXL 3.1, section 9.18.1) lists which windows of the physical
 * address space lead to CXL, and through which host bridges. They are evidence, never permission.
 *
 * A table is used whole or not at all: with a wrong checksum, or with entries that cannot be
 * followed from one to the next, nothing in it is believed. Of a wrong checksum Linux only warns
 * (acpi_ut_verify_checksum(), 6.12): here the table is no evidence then. At an entry of length 0
 * the walk of Linux fails (acpi_parse_entries_array() in lib/fw_table.c), and its users do without
 * the table; here also where an entry ends within its own header or beyond the table. A few bytes
 * at the end that are no more than such a header are passed over, as Linux does, and so is every
 * entry of another type.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"

/*
 * Each is searched from its start, for every range. Linux takes no more than 2048 memory ranges of
 * the SRAT (NR_NODE_MEMBLKS with MAX_NUMNODES = 1024, include/linux/numa_memblks.h, 6.12).
 */
#define SRAT_MOST 2048 /* entries about memory */
#define CEDT_MOST 2048 /* windows */

enum acpi_fault {
	ACPI_SOUND,
	ACPI_TRUNCATED,	      /* fewer bytes than a header, or than the header claims */
	ACPI_WRONG_SIGNATURE, /* it is another table */
	ACPI_BAD_LENGTH,      /* the header claims less than a header */
	ACPI_BAD_CHECKSUM,
	ACPI_BAD_ENTRY,	  /* an entry of a length that leads nowhere */
	ACPI_SHORT_ENTRY, /* an entry that lacks fields of its type */
	ACPI_TOO_MANY,	  /* more entries of a type than any machine has */
	ACPI_FAULT_MAX,
};

/* A clause for people: "the checksum is wrong". NULL if the table is sound. */
const char *acpi_fault_to_string(enum acpi_fault fault);

/*
 * srat
 *
 * Memory affinity entries in the order of the table, those that are not enabled too. Up to
 * revision 1 a proximity domain has 8 bits: the other 24 are reserved and not looked at. Linux
 * numbers its nodes as it meets proximity domains, so on most machines, not on all, a node has
 * the number of its domain.
 */
struct srat_memory {
	struct range range;
	uint32_t node; /* proximity domain */
	bool enabled;
	bool hot_pluggable;
	bool non_volatile;
};

struct srat {
	struct srat_memory *items;
	size_t n;
	size_t passed_over; /* memory that would wrap around */
};

void srat_done(struct srat *srat);

/* 0; a positive enum acpi_fault, and the table is not to be used; -ENOMEM. */
int srat_read(const void *data, size_t size, struct srat *ret_srat) MUST_CHECK;

/* The first enabled entry that holds all of the range, or NULL. Entries may overlap. */
const struct srat_memory *srat_find(const struct srat *srat, struct range range);

/*
 * The next enabled entry that shares a byte with the range, or NULL; `previous` is NULL at
 * first, and then what was returned last.
 */
const struct srat_memory *srat_next(
	const struct srat *srat, struct range range, const struct srat_memory *previous);

/*
 * cedt
 *
 * Fixed memory windows in the order of the table. A window that is empty or wraps around, whose
 * number of targets is encoded as none that is defined, or that lacks targets, is passed over, and
 * the others are kept.
 */
#define CEDT_TARGETS_MAX 16

struct cedt_window {
	struct range range;
	size_t n_targets;
	uint32_t targets[CEDT_TARGETS_MAX]; /* host bridges, by the _UID of their ACPI devices */
};

struct cedt {
	struct cedt_window *windows;
	size_t n_windows;
	size_t passed_over; /* windows that cannot be used */
};

void cedt_done(struct cedt *cedt);

/* 0; a positive enum acpi_fault, and the table is not to be used; -ENOMEM. */
int cedt_read(const void *data, size_t size, struct cedt *ret_cedt) MUST_CHECK;

/* The window that holds all of the range, or NULL. */
const struct cedt_window *cedt_find(const struct cedt *cedt, struct range range);
