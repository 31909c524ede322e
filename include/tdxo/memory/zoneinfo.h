/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Zones: how much memory the kernel has for itself, and how much is movable.
 *
 * Memory that is added needs a memory map: 64 bytes for each page of 4 KiB, from zones that
 * the kernel may use itself (Documentation/admin-guide/mm/memory-hotplug.rst, "ZONE_MOVABLE
 * Sizing Considerations", 6.12). A host that cannot spare it would kill processes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"

struct zoneinfo {
	bool known;
	bool unreadable;  /* there is something to be known, but it makes no sense */
	uint64_t kernel;  /* bytes in the zones other than Movable and Device */
	uint64_t movable; /* bytes in ZONE_MOVABLE */
	uint64_t spare;	  /* bytes of the kernel's zones that are available without reclaim */
};

/* Read the text of /proc/zoneinfo. 0; -EBADMSG: it is none. */
int zoneinfo_read(const char *text, uint64_t page_size, struct zoneinfo *ret_zones) MUST_CHECK;

/* Bytes of memory map for so many bytes of memory. */
static inline uint64_t zoneinfo_memory_map(uint64_t size)
{
	return size / 64;
}

/*
 * The same for a devdax device. With pages of 2 MiB or more each has two pages of map of its
 * own at most (Documentation/mm/vmemmap_dedup.rst, 6.12; measured: 258 MiB for 64 GiB).
 */
static inline uint64_t zoneinfo_devdax_map(uint64_t size, uint64_t align)
{
	return align >= 2 * 1024 * 1024 ? size / 256 : zoneinfo_memory_map(size);
}

/* What the ratio of movable to kernel memory would be with so many bytes more, in percent. */
uint64_t zoneinfo_movable_ratio(const struct zoneinfo *zones, uint64_t more);
