/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The boot map: the memory that a TDX kernel accepts.
 *
 * It predicts tdx_memlist, the list that the kernel builds from memblock when it initializes
 * the TDX module and that user space cannot read (arch/x86/virt/vmx/tdx/tdx.c,
 * build_tdx_memlist(), 6.8 and later). Regions are sorted and disjoint, but two that touch
 * stay two: the kernel accepts a memory block only if it lies within one of them.
 */
#pragma once

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/firmware/acpi.h"

enum boot_source {
	BOOT_SOURCE_NONE,
	BOOT_SOURCE_BOOT_PARAMS,     /* /sys/kernel/boot_params */
	BOOT_SOURCE_FIRMWARE_MEMMAP, /* /sys/firmware/memmap */
	BOOT_SOURCE_MEMBLOCK,	     /* /sys/kernel/debug/memblock/memory */
	BOOT_SOURCE_CONFIGURATION,   /* CapableRanges= */
	BOOT_SOURCE_MAX,
};

enum containment {
	CONTAINMENT_OUTSIDE,   /* not a byte of it was there at boot */
	CONTAINMENT_STRADDLES, /* a part of it, or a block of it lies across two regions */
	CONTAINMENT_INSIDE,
};

struct boot_region {
	struct range range;
	enum boot_source source;
};

struct boot_map {
	struct boot_region *regions;
	size_t n;
	bool known; /* false: no source could be read, and an empty map proves nothing */
	struct range_set
		asserted; /* by the configuration, also where the map has a better source */
};

/*
 * What is known of the memory at boot. A pointer is NULL where a source could not be read.
 * boot_params is preferred to memmap; memblock and blocks only narrow it, because both also
 * hold what came later; what a dax device spans was never boot RAM.
 */
struct boot_evidence {
	const struct range_set *boot_params;
	const struct range_set *memmap;
	const struct range *memblock; /* its n_memblock regions, ascending; they may touch */
	size_t n_memblock;
	const struct range_set *blocks; /* memory blocks present at the first start */
	const struct range_set *dax;
};

void boot_map_done(struct boot_map *map);

/* 0 or -ENOMEM. */
int boot_map_build(const struct boot_evidence *evidence, struct boot_map *ret_map) MUST_CHECK;

/* Append a region above all others; for reading a kept map back. 0 or -ENOMEM. */
int boot_map_append(struct boot_map *map, struct boot_region region) MUST_CHECK;

/*
 * Make these the windows that the administrator asserts, where the map has nothing else; others
 * that he asserted before are dropped. 0 or -ENOMEM.
 */
int boot_map_set_capable(struct boot_map *map, const struct range_set *capable) MUST_CHECK;

/*
 * Is the range inside, for a kernel with memory blocks of block_size bytes? ret_source is the
 * least trusted source it rests on (BOOT_SOURCE_NONE if it is outside); it may be NULL.
 */
enum containment boot_map_contains(const struct boot_map *map, struct range range,
	uint64_t block_size, enum boot_source *ret_source);

/* How many bytes of the range are in the map. */
uint64_t boot_map_bytes(const struct boot_map *map, struct range range);

/* Was any byte of the range RAM at boot? What the configuration asserts does not count. */
bool boot_map_had(const struct boot_map *map, struct range range);

/*
 * Was a byte of the range, by another source, RAM at boot that the configuration does not assert
 * as well?
 */
bool boot_map_had_unasserted(const struct boot_map *map, struct range range);

/* The first region with a byte in the range, or NULL. */
const struct boot_region *boot_map_find(const struct boot_map *map, struct range range);

const char *boot_source_to_string(enum boot_source source);
int boot_source_from_string(const char *text, enum boot_source *ret_source) MUST_CHECK;

/*
 * The boot RAM that lies in CXL windows: firmware has handed out CXL memory as RAM. 0 or -ENOMEM.
 */
int boot_map_find_in_windows(const struct boot_map *map, const struct cedt *cedt,
	struct range_set *ret_parts) MUST_CHECK;
