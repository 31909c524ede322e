/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ACPI tables: what firmware says of memory that may come later.
 *
 * The SRAT (ACPI 6.5, section 5.2.16) tells which proximity domain memory belongs to, and where
 * memory may be hot-added. The CEDT (CXL 3.1, section 9.18.1) tells which windows of the physical
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

#include "tdxo/boot_map.h"
#include "tdxo/compiler.h"
#include "tdxo/range.h"

enum acpi_fault {
	ACPI_SOUND,
	ACPI_TRUNCATED,	      /* fewer bytes than a header, or than the header claims */
	ACPI_WRONG_SIGNATURE, /* it is another table */
	ACPI_BAD_LENGTH,      /* the header claims less than a header */
	ACPI_BAD_CHECKSUM,
	ACPI_BAD_ENTRY,	  /* an entry of a length that leads nowhere */
	ACPI_SHORT_ENTRY, /* an entry that lacks fields of its type */
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
 * Fixed memory windows and host bridges in the order of the table. A window that Linux does not
 * use (cxl_acpi_cfmws_verify() in drivers/cxl/acpi.c, 6.12) is passed over, and the others are
 * kept: one of an encoding that is not defined, of less entry than it has targets, or not in
 * multiples of 256 MiB. So is what wraps around, is empty, or is too short for its fields.
 */
#define CEDT_TARGETS_MAX 16

enum cedt_restriction {
	CEDT_DEVICE_COHERENT, /* type 2 devices, HDM-D */
	CEDT_HOST_ONLY,	      /* type 3 devices, HDM-H */
	CEDT_VOLATILE,
	CEDT_PERSISTENT,
	CEDT_FIXED,	      /* the configuration of the devices behind it must stay */
	CEDT_BACK_INVALIDATE, /* since CXL 3.0: HDM-DB */
	CEDT_RESTRICTION_MAX,
};

enum cedt_arithmetic {
	CEDT_MODULO,
	CEDT_XOR,
	CEDT_ARITHMETIC_MAX,
};

struct cedt_window {
	struct range range;
	uint64_t granularity; /* bytes that go to a target before it is the next one's turn */
	unsigned int ways;
	enum cedt_arithmetic arithmetic;
	uint16_t restrictions; /* bit (1 << enum cedt_restriction): what the window may carry */
	uint16_t qtg_id;       /* QoS throttling group */
	uint32_t targets[CEDT_TARGETS_MAX]; /* `ways` host bridges, by their uid */
};

/* The version field of a host bridge. */
enum cedt_version {
	CEDT_CXL_1_1, /* restricted CXL host: the registers are an RCRB */
	CEDT_CXL_2_0, /* or later: the registers are component registers */
	CEDT_VERSION_MAX,
};

struct cedt_host_bridge {
	uint32_t uid;
	uint32_t version; /* enum cedt_version, or a number that has no meaning yet */
	struct range registers;
};

struct cedt {
	struct cedt_window *windows;
	size_t n_windows;
	struct cedt_host_bridge *host_bridges;
	size_t n_host_bridges;
	size_t passed_over; /* windows and host bridges that cannot be used */
};

void cedt_done(struct cedt *cedt);

/* 0; a positive enum acpi_fault, and the table is not to be used; -ENOMEM. */
int cedt_read(const void *data, size_t size, struct cedt *ret_cedt) MUST_CHECK;

/* The window that holds all of the range, or NULL. */
const struct cedt_window *cedt_find(const struct cedt *cedt, struct range range);

/*
 * What of the memory at boot lies in a window: firmware hands out CXL memory as ordinary RAM.
 * What the configuration asserts does not count. 0 or -ENOMEM.
 */
int cedt_find_boot_ram(const struct cedt *cedt, const struct boot_map *map,
	struct range_set *ret_parts) MUST_CHECK;

static inline bool cedt_window_has(const struct cedt_window *window, enum cedt_restriction bit)
{
	return window->restrictions >> bit & 1;
}

const char *cedt_restriction_to_string(enum cedt_restriction restriction);
const char *cedt_arithmetic_to_string(enum cedt_arithmetic arithmetic);
const char *cedt_version_to_string(uint32_t version); /* NULL: it has no meaning yet */
