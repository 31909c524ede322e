/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The boot map: several sources to one list of regions.
 */
#include "tdxo/memory/boot_map.h"

#include <stdlib.h>

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"

static const char *const sources[] = {
	[BOOT_SOURCE_NONE] = "none",
	[BOOT_SOURCE_BOOT_PARAMS] = "boot-params",
	[BOOT_SOURCE_FIRMWARE_MEMMAP] = "firmware-memmap",
	[BOOT_SOURCE_MEMBLOCK] = "memblock",
	[BOOT_SOURCE_CONFIGURATION] = "configuration",
};
DEFINE_STRING_TABLE(boot_source, enum boot_source, sources, BOOT_SOURCE_MAX)

void boot_map_done(struct boot_map *map)
{
	free(map->regions);
	range_set_done(&map->asserted);
	*map = (struct boot_map){0};
}

int boot_map_append(struct boot_map *map, struct boot_region region)
{
	return array_append(map->regions, map->n, region);
}

static int compare_regions(const void *a, const void *b)
{
	const struct boot_region *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

static int append_set(struct boot_map *map, const struct range_set *set, enum boot_source source)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < set->n; i++)
		r = boot_map_append(map, (struct boot_region){set->ranges[i], source});
	return r;
}

/* The parts of `ram` within each memblock region, so that the regions' borders are kept. */
static int append_by_memblock(
	struct boot_map *map, const struct boot_evidence *evidence, const struct range_set *ram)
{
	for (size_t i = 0; i < evidence->n_memblock; i++) {
		CLEANUP(range_set_done) struct range_set part = {0};
		struct range region = evidence->memblock[i];
		const struct range_set one = {&region, 1};
		int r;

		r = range_set_intersect(&one, ram, &part);
		if (r == 0)
			r = append_set(map, &part, BOOT_SOURCE_MEMBLOCK);
		if (r < 0)
			return r;
	}
	return 0;
}

int boot_map_build(const struct boot_evidence *evidence, struct boot_map *ret_map)
{
	const struct range_set *first = evidence->boot_params ?: evidence->memmap;
	CLEANUP(boot_map_done) struct boot_map map = {.known = first != NULL};
	CLEANUP(range_set_done) struct range_set ram = {0};
	int r;

	if (first) {
		r = evidence->blocks ? range_set_intersect(first, evidence->blocks, &ram)
				     : range_set_copy(first, &ram);
		if (r < 0)
			return r;
		if (evidence->dax) {
			r = range_set_subtract_set(&ram, evidence->dax);
			if (r < 0)
				return r;
		}
		r = evidence->memblock
			    ? append_by_memblock(&map, evidence, &ram)
			    : append_set(&map, &ram,
				      evidence->boot_params ? BOOT_SOURCE_BOOT_PARAMS
							    : BOOT_SOURCE_FIRMWARE_MEMMAP);
		if (r < 0)
			return r;
	}
	*ret_map = map;
	map = (struct boot_map){0};
	return 0;
}

/* A copy of the map without what the configuration asserts. */
static int copy_found(const struct boot_map *map, struct boot_map *ret_found)
{
	CLEANUP(boot_map_done) struct boot_map found = {.known = map->known};
	int r = 0;

	for (size_t i = 0; r == 0 && i < map->n; i++)
		if (map->regions[i].source != BOOT_SOURCE_CONFIGURATION)
			r = boot_map_append(&found, map->regions[i]);
	if (r < 0)
		return r;
	*ret_found = found;
	found = (struct boot_map){0};
	return 0;
}

/* All that was found, as a set. */
static int found_set(const struct boot_map *map, struct range_set *ret_set)
{
	CLEANUP(range_set_done) struct range_set set = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < map->n; i++)
		if (map->regions[i].source != BOOT_SOURCE_CONFIGURATION)
			r = range_set_add(&set, map->regions[i].range);
	if (r < 0)
		return r;
	*ret_set = set;
	set = (struct range_set){0};
	return 0;
}

int boot_map_set_capable(struct boot_map *map, const struct range_set *capable)
{
	CLEANUP(range_set_done) struct range_set fresh = {0}, known = {0};
	CLEANUP(boot_map_done) struct boot_map found = {0};
	int r;

	r = copy_found(map, &found);
	if (r == 0)
		r = found_set(&found, &known);
	if (r == 0)
		r = range_set_copy(capable, &fresh);
	if (r == 0)
		r = range_set_subtract_set(&fresh, &known);
	if (r == 0)
		r = append_set(&found, &fresh, BOOT_SOURCE_CONFIGURATION);
	if (r == 0)
		r = range_set_copy(capable, &found.asserted);
	if (r < 0)
		return r;
	if (found.n)
		qsort(found.regions, found.n, sizeof(*found.regions), compare_regions);
	boot_map_done(map);
	*map = found;
	found = (struct boot_map){0};
	return 0;
}

static bool ends_before(const void *item, const void *address)
{
	return ((const struct boot_region *)item)->range.end <= *(const uint64_t *)address;
}

/* The regions that overlap a range, borrowed from the map. */
static struct boot_map regions_in(const struct boot_map *map, struct range range)
{
	size_t first = array_search(
		map->regions, map->n, sizeof(*map->regions), &range.start, ends_before);
	size_t end = first;

	while (end < map->n && range_overlaps(map->regions[end].range, range))
		end++;
	return first < end ? (struct boot_map){.regions = map->regions + first, .n = end - first}
			   : (struct boot_map){0};
}

/* Is the part of a region within the range from another source alone? */
static bool is_unasserted(
	const struct boot_map *map, const struct boot_region *region, struct range range)
{
	return region->source != BOOT_SOURCE_CONFIGURATION &&
	       !range_set_contains(&map->asserted, range_intersect(region->range, range));
}

enum containment boot_map_contains(const struct boot_map *map, struct range range,
	uint64_t block_size, enum boot_source *ret_source)
{
	enum boot_source source = BOOT_SOURCE_NONE;
	const struct range whole = range_trim(range, block_size);
	uint64_t covered = range.start;
	const struct boot_map in = regions_in(map, range);
	bool border_in_block = false;

	for (size_t i = 0; i < in.n; i++) {
		const struct boot_region *region = &in.regions[i];

		if (region->source > source)
			source = region->source;
		if (region->range.start > whole.start && region->range.start < whole.end &&
			region->range.start & (block_size - 1))
			border_in_block = true;
		if (region->range.start <= covered)
			covered = region->range.end;
	}
	if (ret_source)
		*ret_source = source;
	if (!in.n)
		return CONTAINMENT_OUTSIDE;
	return covered >= range.end && !border_in_block ? CONTAINMENT_INSIDE
							: CONTAINMENT_STRADDLES;
}

uint64_t boot_map_bytes(const struct boot_map *map, struct range range)
{
	const struct boot_map in = regions_in(map, range);
	uint64_t bytes = 0;

	for (size_t i = 0; i < in.n; i++)
		bytes += range_size(range_intersect(in.regions[i].range, range));
	return bytes;
}

bool boot_map_had(const struct boot_map *map, struct range range)
{
	const struct boot_map in = regions_in(map, range);

	for (size_t i = 0; i < in.n; i++)
		if (in.regions[i].source != BOOT_SOURCE_CONFIGURATION)
			return true;
	return false;
}

bool boot_map_had_unasserted(const struct boot_map *map, struct range range)
{
	const struct boot_map in = regions_in(map, range);

	for (size_t i = 0; i < in.n; i++)
		if (is_unasserted(map, &in.regions[i], range))
			return true;
	return false;
}

const struct boot_region *boot_map_find(const struct boot_map *map, struct range range)
{
	return regions_in(map, range).regions;
}

int boot_map_find_in_windows(
	const struct boot_map *map, const struct cedt *cedt, struct range_set *ret_parts)
{
	CLEANUP(range_set_done) struct range_set found = {0}, windows = {0};
	int r = found_set(map, &found);

	/* There are at most CEDT_MOST of them. */
	for (size_t i = 0; r == 0 && i < cedt->n_windows; i++)
		r = range_set_add(&windows, cedt->windows[i].range);
	return r < 0 ? r : range_set_intersect(&found, &windows, ret_parts);
}
