/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A target: what a command is to explain or to decide.
 *
 *   0x140000000                              an address
 *   0x140000000-0x15fffffff, [mem 0x…-0x…]   a range of them, end inclusive, as it is printed
 *   memory40                                 a memory block
 *   dax0.0, /dev/dax0.0                      a dax device
 *   region0, mem0                            a CXL region, a CXL memory device
 *   0000:0d:00.0, 0d:00.0                    the PCI address of a CXL memory device
 *   node1                                    a NUMA node
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/record/record.h"

enum target_kind {
	TARGET_ADDRESS,
	TARGET_BLOCK,
	TARGET_DAX,
	TARGET_REGION,
	TARGET_MEMDEV,
	TARGET_PCI_ADDRESS,
	TARGET_NODE,
	TARGET_MAX,
};

struct target {
	enum target_kind kind;
	struct range range;    /* of an address */
	uint64_t number;       /* of a block or node */
	char name[SYSFS_NAME]; /* as the kernel writes it; of an address as it was given */
};

/* 0; -EDOM: an address without 0x, whose base is not known; -EINVAL: not a target. */
int target_parse(const char *text, struct target *ret_target) MUST_CHECK;

/* The addresses that it means; empty for what is not a place. The block size in bytes. */
struct range target_place(const struct target *target, uint64_t block_size);

/* Does the target mean the range of the record, or a part of it? */
bool target_matches(const struct target *target, const struct record *record);

const char *target_kind_to_string(enum target_kind kind);
