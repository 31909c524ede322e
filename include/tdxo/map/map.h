/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map of the physical address space: what lies where, as nested segments.
 *
 * Items are added in any order: RAM at boot, CXL windows, CXL regions, devices. map_lay_out() cuts
 * the address space wherever an item begins or ends, and makes segments of it, outermost first:
 *
 *   depth 0   window            RAM at boot   hole
 *   depth 1     region  free
 *   depth 2       device
 *
 * The segments at depth 0 cover everything from the first item to the end of the last one. The
 * segments directly below another one cover all of it. Segments of one depth do not overlap. An
 * item that crosses the end of an item that contains a part of it has several segments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/memory/boot_map.h"
#include "tdxo/memory/device.h"
#include "tdxo/memory/rejected.h"
#include "tdxo/policy/reason.h"
#include "tdxo/policy/verdict.h"
#include "tdxo/record/history.h"
#include "tdxo/record/record.h"

enum map_kind {
	MAP_WINDOW,   /* a CXL window */
	MAP_REGION,   /* a CXL region */
	MAP_BOOT,     /* RAM at boot */
	MAP_DEVICE,   /* a range of a device */
	MAP_REJECTED, /* memory that the kernel did not add */
	MAP_FREE, /* a hole, or a part of a window or region without memory; only as a segment */
	MAP_KIND_MAX,
};

struct map_item {
	enum map_kind kind;
	struct range range;    /* empty: not known */
	char name[SYSFS_NAME]; /* of the root decoder, region or device; empty: it has none */

	/* Of RAM at boot: ranges with small gaps between them are one item. */
	enum boot_source source;
	size_t parts;
	uint64_t gaps; /* bytes between them */

	/* Of a device. */
	enum device_type type;
	int node; /* or NODE_UNKNOWN */
	uint64_t device_size;
	enum verdict verdict;
	enum reason reason;
	enum result result;

	enum rejection_cause cause; /* of rejected memory */
};

struct map_segment {
	struct range range;
	unsigned int depth;
	const struct map_item *item; /* NULL: MAP_FREE */
};

struct map {
	struct map_item *items;
	size_t n_items;
	struct map_item *unplaced; /* whose range is not known */
	size_t n_unplaced;
	struct map_segment *segments; /* a segment comes before those below it */
	size_t n_segments;
	uint64_t row; /* bytes of memory for one more row of a segment */
};

/* How a segment with memory is drawn. */
enum map_look {
	MAP_LOOK_BOOT,
	MAP_LOOK_CAPABLE, /* there may be no memory there */
	MAP_LOOK_ONLINE,
	MAP_LOOK_DEVDAX,
	MAP_LOOK_OFFLINE,
	MAP_LOOK_IGNORE,
	MAP_LOOK_FAILED,
	MAP_LOOK_MAX,
};

/* Gaps in RAM at boot that are smaller, and that no other item touches, are left out. */
#define MAP_SMALL_GAP (UINT64_C(1) << 30)

#define MAP_DEPTHS     4
#define MAP_LABEL      256
#define MAP_SUMMARY    512
#define MAP_FREE_LABEL "free"

void map_done(struct map *map);

/* These return 0 or -ENOMEM. */
int map_add(struct map *map, const struct map_item *item) MUST_CHECK;
int map_add_boot_map(struct map *map, const struct boot_map *boot_map) MUST_CHECK;

/* The record is that of a dry run; the entry what the daemon decided and did, or NULL. */
int map_add_record(
	struct map *map, const struct record *record, const struct history_entry *entry) MUST_CHECK;

/*
 * Make the segments, once, after all has been added. Where two items of a kind overlap, the one
 * that begins first has what they share. 0 or -ENOMEM.
 */
int map_lay_out(struct map *map) MUST_CHECK;

/*
 * How many segments from i on are drawn as one: windows and regions that have the same range, or
 * RAM at boot and a device in it. 1 or 2.
 */
size_t map_group(const struct map *map, size_t i);

/* Is it a window or a region? */
static inline bool map_is_container(const struct map_segment *segment)
{
	return segment->item && segment->item->kind < MAP_BOOT;
}

static inline enum map_kind map_kind(const struct map_segment *segment)
{
	return segment->item ? segment->item->kind : MAP_FREE;
}

/* Of RAM at boot without the gaps. */
static inline uint64_t map_item_bytes(const struct map_item *item)
{
	return range_size(item->range) - item->gaps;
}

/* Is no segment below this one? */
bool map_is_leaf(const struct map *map, size_t i);

/* Bytes of the segment, of RAM at boot without the gaps. */
uint64_t map_bytes(const struct map_segment *segment);

/* How many rows a segment with memory gets for its size, besides those for its texts. */
unsigned int map_extra_rows(const struct map *map, const struct map_segment *segment);

/* The looks that the map has: a set of 1 << look. */
unsigned int map_looks(const struct map *map);

/* The last address; 0 of an empty map. */
uint64_t map_last(const struct map *map);

enum map_look map_look(const struct map_item *item);
const char *map_look_label(enum map_look look);

/* What a group is: "dax0.0 (cxl, node 1)", "CXL window decoder0.0, region0". Returns buf. */
const char *map_label(const struct map_segment *segments, size_t n, char buf[MAP_LABEL]);

/* Of a segment without an item; inside of windows and regions it is MAP_FREE_LABEL. */
const char *map_free_label(const struct map_segment *segment);

/* What more there is about it: "devdax: outside-boot-map (planned)", or nothing. Returns buf. */
const char *map_detail(const struct map_segment *segment, char buf[MAP_LABEL]);

/* An item whose range is not known, with the size and verdict of a device. Returns buf. */
const char *map_unplaced(const struct map_item *item, char buf[MAP_LABEL]);

/* "TDX active; RAM at boot: 64 GiB; …". Returns buf. */
const char *map_summary(const struct map *map, const struct tdx *tdx, char buf[MAP_SUMMARY]);

const char *map_kind_to_string(enum map_kind kind);
