/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The items of the map, and its segments.
 */
#include "tdxo/map/map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"

#define ROWS	 24 /* that all memory shares, beyond the rows of the texts */
#define ROWS_MAX 3  /* of them for one segment */

static const char *const kinds[] = {
	[MAP_WINDOW] = "window",
	[MAP_REGION] = "region",
	[MAP_BOOT] = "boot",
	[MAP_DEVICE] = "device",
	[MAP_REJECTED] = "rejected",
	[MAP_FREE] = "free",
};
DEFINE_TO_STRING(map_kind, enum map_kind, kinds, MAP_KIND_MAX)

/* Items of one level do not overlap; those of a higher level are drawn in those of a lower one. */
enum { LEVEL_WINDOW, LEVEL_REGION, LEVEL_BOOT, LEVEL_DEVICE, LEVELS };
static_assert(LEVELS == MAP_DEPTHS, "a depth for each level");

static unsigned int level_of(const struct map_item *item)
{
	static const unsigned int levels[] = {
		[MAP_WINDOW] = LEVEL_WINDOW,
		[MAP_REGION] = LEVEL_REGION,
		[MAP_BOOT] = LEVEL_BOOT,
		[MAP_DEVICE] = LEVEL_DEVICE,
		[MAP_REJECTED] = LEVEL_DEVICE,
	};
	static_assert(ARRAY_SIZE(levels) == MAP_FREE, "a level for each kind of item");

	return levels[item->kind];
}

void map_done(struct map *map)
{
	free(map->items);
	free(map->unplaced);
	free(map->segments);
	*map = (struct map){0};
}

/* --- items --- */

int map_add(struct map *map, const struct map_item *item)
{
	if (range_is_empty(item->range))
		return array_append(map->unplaced, map->n_unplaced, *item);
	return array_append(map->items, map->n_items, *item);
}

int map_add_boot_map(struct map *map, const struct boot_map *boot_map)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < boot_map->n; i++) {
		const struct boot_region *region = &boot_map->regions[i];
		const struct map_item item = {
			.kind = MAP_BOOT,
			.range = region->range,
			.source = region->source,
			.parts = 1,
		};

		r = map_add(map, &item);
	}
	return r;
}

/* Not what the daemon has not finished, or will do again, or what was changed since. */
static bool holds(const struct history_entry *entry, const struct facts *facts)
{
	return entry && entry->result != RESULT_BEGUN && entry->result != RESULT_CHANGED &&
	       !entry->reconsider && !history_entry_was_changed(entry, facts);
}

int map_add_record(struct map *map, const struct record *record, const struct history_entry *entry)
{
	const struct device *device = &record->facts->device;
	struct map_item item = {
		.kind = MAP_DEVICE,
		.range = record->range,
		.type = device->type,
		.node = device->node,
		.device_size = device->size,
		.verdict = record->decision->verdict,
		.reason = record->decision->reason,
		.result = record->outcome.result,
	};

	if (holds(entry, record->facts)) {
		item.verdict = entry->verdict;
		item.reason = entry->reason;
		item.result = entry->result;
	}
	snprintf(item.name, sizeof(item.name), "%s", device->name);
	return map_add(map, &item);
}

/* By level and address; of two that begin together, first the one that is kept. */
static int compare_items(const void *a, const void *b)
{
	const struct map_item *x = a, *y = b;
	unsigned int level_x = level_of(x), level_y = level_of(y);

	if (level_x != level_y)
		return level_x > level_y ? 1 : -1;
	if (x->range.start != y->range.start)
		return x->range.start > y->range.start ? 1 : -1;
	if (x->kind != y->kind)
		return x->kind > y->kind ? 1 : -1;
	if (!x->name[0] != !y->name[0])
		return x->name[0] ? -1 : 1;
	if (x->range.end != y->range.end)
		return x->range.end < y->range.end ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int find_others(const struct map *map, struct range_set *ret_others)
{
	CLEANUP(range_list_done) struct range_list list = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < map->n_items; i++)
		if (map->items[i].kind != MAP_BOOT)
			r = range_list_add(&list, map->items[i].range);
	return r < 0 ? r : range_set_of(&list, ret_others);
}

/* Can two neighbours be drawn as one? Not if another item touches what is between them. */
static bool can_join(
	const struct map_item *a, const struct map_item *b, const struct range_set *others)
{
	return a->kind == MAP_BOOT && b->kind == MAP_BOOT && a->source == b->source &&
	       b->range.start - a->range.end < MAP_SMALL_GAP &&
	       !range_set_overlaps(others, (struct range){a->range.end - 1, b->range.start + 1});
}

/* Firmware leaves many small gaps in RAM, which would hide all else. 0 or -ENOMEM. */
static int join_boot(struct map *map)
{
	CLEANUP(range_set_done) struct range_set others = {0};
	int r = find_others(map, &others);
	size_t n = 0;

	for (size_t i = 0; r == 0 && i < map->n_items; i++) {
		struct map_item *last = n ? &map->items[n - 1] : NULL;
		const struct map_item *item = &map->items[i];

		if (!last || !can_join(last, item, &others)) {
			map->items[n++] = *item;
			continue;
		}
		last->gaps += item->range.start - last->range.end;
		last->range.end = item->range.end;
		last->parts += item->parts;
	}
	if (r == 0)
		map->n_items = n;
	return r;
}

/* --- segments --- */

struct sweep {
	struct map *map;
	size_t next[LEVELS], end[LEVELS];    /* the items of each level that are still to come */
	const struct map_item *open[LEVELS]; /* what the segments made last are of, or NULL */
	size_t segment[LEVELS];		     /* of `open` */
};

static void sweep_begin(struct sweep *sweep, struct map *map)
{
	size_t i = 0;

	*sweep = (struct sweep){.map = map};
	for (unsigned int level = 0; level < LEVELS; level++) {
		sweep->next[level] = i;
		while (i < map->n_items && level_of(&map->items[i]) == level)
			i++;
		sweep->end[level] = i;
	}
}

/* The item of a level that holds a slice, or NULL. Slices come by ascending address. */
static const struct map_item *find_item(struct sweep *sweep, unsigned int level, struct range slice)
{
	const struct map_item *items = sweep->map->items;
	size_t *i = &sweep->next[level];

	while (*i < sweep->end[level] && items[*i].range.end <= slice.start)
		++*i;
	return *i < sweep->end[level] && items[*i].range.start <= slice.start ? &items[*i] : NULL;
}

/* The first level where a segment begins. RAM at boot is cut where a device begins or ends. */
static unsigned int first_change(
	const struct sweep *sweep, const struct map_item *const items[LEVELS])
{
	unsigned int level = 0;

	while (level < LEVELS && items[level] == sweep->open[level])
		level++;
	return level == LEVEL_DEVICE ? LEVEL_BOOT : level;
}

static int add_segment(
	struct map *map, struct range range, unsigned int depth, const struct map_item *item)
{
	const struct map_segment segment = {range, depth, item};

	return array_append(map->segments, map->n_segments, segment);
}

/*
 * A slice is a range in which no item begins or ends. Nothing changes in one that is bounded by an
 * item which another item of its level hides.
 */
static int add_slice(struct sweep *sweep, struct range slice)
{
	const struct map_item *items[LEVELS];
	struct map *map = sweep->map;
	unsigned int first, depth = 0;
	int r = 0;

	for (unsigned int level = 0; level < LEVELS; level++)
		items[level] = find_item(sweep, level, slice);
	first = first_change(sweep, items);
	for (unsigned int level = 0; r == 0 && level < LEVELS; level++) {
		sweep->open[level] = items[level];
		if (!items[level])
			continue;
		if (level < first) {
			map->segments[sweep->segment[level]].range.end = slice.end;
		} else {
			sweep->segment[level] = map->n_segments;
			r = add_segment(map, slice, depth, items[level]);
		}
		depth++;
	}
	if (r < 0 || items[LEVEL_BOOT] || items[LEVEL_DEVICE])
		return r;
	if (first < LEVELS)
		return add_segment(map, slice, depth, NULL);
	map->segments[map->n_segments - 1].range.end = slice.end;
	return 0;
}

static int compare_addresses(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Where items begin and end: two addresses for each, by ascending address. NULL: no memory. */
static uint64_t *list_bounds(const struct map *map)
{
	size_t n = 2 * map->n_items;
	uint64_t *bounds = reallocarray(NULL, n, sizeof(*bounds));

	if (!bounds)
		return NULL;
	for (size_t i = 0; i < map->n_items; i++) {
		bounds[2 * i] = map->items[i].range.start;
		bounds[2 * i + 1] = map->items[i].range.end;
	}
	qsort(bounds, n, sizeof(*bounds), compare_addresses);
	return bounds;
}

static int make_segments(struct map *map)
{
	uint64_t *bounds = list_bounds(map);
	struct sweep sweep;
	int r = bounds ? 0 : -ENOMEM;

	sweep_begin(&sweep, map);
	for (size_t i = 1; r == 0 && i < 2 * map->n_items; i++) {
		const struct range slice = {bounds[i - 1], bounds[i]};

		if (!range_is_empty(slice))
			r = add_slice(&sweep, slice);
	}
	free(bounds);
	return r;
}

/* A window or region that is free as a whole has no segment below it. */
static void drop_free(struct map *map)
{
	size_t n = 0;

	for (size_t i = 0; i < map->n_segments; i++) {
		const struct map_segment *segment = &map->segments[i];
		bool whole = n && map->segments[n - 1].depth < segment->depth &&
			     range_equal(map->segments[n - 1].range, segment->range);

		if (segment->item || !whole)
			map->segments[n++] = *segment;
	}
	map->n_segments = n;
}

/* The largest segment has ROWS_MAX rows, or less if there are many. */
static void share_rows(struct map *map)
{
	uint64_t all = 0, largest = 0;

	for (size_t i = 0; i < map->n_segments; i++) {
		const struct map_segment *segment = &map->segments[i];
		uint64_t bytes = map_bytes(segment);

		if (!segment->item || map_is_container(segment) || !map_is_leaf(map, i))
			continue;
		all += bytes;
		largest = bytes > largest ? bytes : largest;
	}
	map->row = all / ROWS > largest / ROWS_MAX ? all / ROWS : largest / ROWS_MAX;
}

int map_lay_out(struct map *map)
{
	int r;

	if (!map->n_items)
		return 0;
	qsort(map->items, map->n_items, sizeof(*map->items), compare_items);
	r = join_boot(map);
	if (r == 0)
		r = make_segments(map);
	if (r < 0)
		return r;
	drop_free(map);
	share_rows(map);
	return 0;
}

size_t map_group(const struct map *map, size_t i)
{
	const struct map_segment *first = &map->segments[i], *second = first + 1;

	return !map_is_leaf(map, i) && range_equal(first->range, second->range) &&
			       map_is_container(first) == map_is_container(second)
		       ? 2
		       : 1;
}

bool map_is_leaf(const struct map *map, size_t i)
{
	return i + 1 == map->n_segments || map->segments[i + 1].depth <= map->segments[i].depth;
}

uint64_t map_bytes(const struct map_segment *segment)
{
	const struct map_item *item = segment->item;
	bool whole = item && range_equal(item->range, segment->range);

	return whole ? map_item_bytes(item) : range_size(segment->range);
}

unsigned int map_extra_rows(const struct map *map, const struct map_segment *segment)
{
	uint64_t rows = map->row ? map_bytes(segment) / map->row : 0;

	return rows < ROWS_MAX ? (unsigned int)rows : ROWS_MAX;
}

unsigned int map_looks(const struct map *map)
{
	unsigned int looks = 0;

	for (size_t i = 0; i < map->n_segments; i++) {
		const struct map_segment *segment = &map->segments[i];

		if (segment->item && !map_is_container(segment) && map_is_leaf(map, i))
			looks |= 1U << map_look(segment->item);
	}
	return looks;
}

uint64_t map_last(const struct map *map)
{
	uint64_t end = 1;

	for (size_t i = 0; i < map->n_segments; i++)
		if (map->segments[i].range.end > end)
			end = map->segments[i].range.end;
	return end - 1;
}
