/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The e820 memory map: entries of firmware, and the RAM among them.
 *
 * Entries are taken as they stand: unsorted and overlapping. e820_ram() sanitises them as
 * Linux does (arch/x86/kernel/e820.c, e820__update_table(), 6.12): where entries overlap the
 * higher type wins. What is left of type RAM or RESERVED_KERN is what e820__memblock_setup()
 * gives to memblock, trimmed inward to whole pages; the first MiB is left out because
 * build_tdx_memlist() leaves it out (arch/x86/virt/vmx/tdx/tdx.c, 6.12).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"

enum e820_type {
	E820_RAM = 1,
	E820_RESERVED_KERN = 128,
};

struct e820_entry {
	struct range range;
	uint32_t type;
};

struct e820_table {
	struct e820_entry *entries;
	size_t n;
};

void e820_table_done(struct e820_table *table);

/*
 * Append the entries of boot_params (Documentation/arch/x86/zero-page.rst, 6.12: the count is
 * a byte at 0x1e8, up to 128 packed entries of 20 bytes start at 0x2d0).
 * 0; a positive count of entries passed over because they are empty or wrap around; -EBADMSG
 * if the bytes are too few for what they claim or claim more than fit; -ENOMEM.
 */
int e820_add_boot_params(struct e820_table *table, const void *data, size_t size) MUST_CHECK;

/* Is the byte at this offset of boot_params read for that? */
bool e820_in_boot_params(size_t offset);

/* The same for the payload of a setup_data node of type 1, SETUP_E820_EXT: only entries. */
int e820_add_extension(struct e820_table *table, const void *data, size_t size) MUST_CHECK;

/* The RAM of a table, as described above. 0 or -ENOMEM. */
int e820_ram(const struct e820_table *table, struct range_set *ret_ram) MUST_CHECK;
