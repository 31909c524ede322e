/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation of a place where nothing arrived.
 */
#include "tdxo/explain.h"

#include <inttypes.h>
#include <string.h>

#include "tdxo/text.h"

static const struct boot_region *find_region(const struct boot_map *map, struct range place)
{
	for (size_t i = 0; i < map->n; i++)
		if (range_overlaps(map->regions[i].range, place))
			return &map->regions[i];
	return NULL;
}

static bool is_boot_ram(const struct boot_region *region)
{
	return region && region->source != BOOT_SOURCE_CONFIGURATION;
}

/* The first memory block that has a part of the place, or NULL; and how many have. */
static const struct block *find_blocks(
	const struct snapshot *snapshot, struct range place, size_t *ret_n)
{
	const struct block *first = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < snapshot->blocks.n; i++) {
		const struct block *block = &snapshot->blocks.blocks[i];

		if (!range_overlaps(block_range(block->id, snapshot->block_size), place))
			continue;
		first = first ?: block;
		++*ret_n;
	}
	return first;
}

static void tell_region(struct text *text, const struct snapshot *snapshot, struct range place)
{
	const struct boot_region *region = find_region(&snapshot->boot_map, place);
	char range[RANGE_TEXT];

	if (!region) {
		text_append(text, "%s",
			snapshot->boot_map.known ? "The boot map does not hold it."
						 : "Nothing tells whether it was there at boot.");
		return;
	}
	text_append(text, "%s in %s, which ",
		range_contains(region->range, place) ? "It is" : "A part of it is",
		range_format(region->range, range));
	if (is_boot_ram(region))
		text_append(
			text, "was there at boot, says %s.", boot_source_to_string(region->source));
	else
		text_append(text, "CapableRanges= asserts.");
}

static void tell_blocks(struct text *text, const struct snapshot *snapshot, struct range place)
{
	size_t n;
	const struct block *block = find_blocks(snapshot, place, &n);

	if (!block)
		text_append(text, " The kernel has no memory there now.");
	else if (n == 1)
		text_append(
			text, " The kernel has memory block memory%" PRIu64 " there.", block->id);
	else
		text_append(text,
			" The kernel has %zu memory blocks there, from memory%" PRIu64 " on.", n,
			block->id);
}

static void tell_window(struct text *text, const struct cedt_window *window, bool boot_ram)
{
	char range[RANGE_TEXT];

	text_append(
		text, "The CEDT has it in the CXL window %s.", range_format(window->range, range));
	if (boot_ram)
		text_append(text, " Firmware hands out CXL memory as ordinary RAM there, and that "
				  "keeps TDX from initializing.");
}

static void tell_affinity(struct text *text, const struct srat_memory *memory)
{
	char range[RANGE_TEXT];

	text_append(text, "The SRAT has it in %s, %smemory of proximity domain %" PRIu32 ".",
		range_format(memory->range, range), memory->hot_pluggable ? "hot-pluggable " : "",
		memory->node);
}

bool explain_place(
	const struct explain_facts *facts, struct range place, struct explanation *ret_explanation)
{
	const struct snapshot *snapshot = facts->snapshot;
	const struct boot_region *region = find_region(&snapshot->boot_map, place);
	const struct cedt_window *window = cedt_find(facts->cedt, place);
	const struct srat_memory *memory = srat_find(facts->srat, place);
	struct text texts[TOPIC_MAX];
	size_t n;

	for (enum topic topic = 0; topic < TOPIC_MAX; topic++)
		texts[topic] = text_in(ret_explanation->texts[topic], EXPLANATION_TEXT);
	if (!region && !window && !memory && !find_blocks(snapshot, place, &n))
		return false;
	tell_region(&texts[TOPIC_WHAT], snapshot, place);
	tell_blocks(&texts[TOPIC_WHAT], snapshot, place);
	if (window)
		tell_window(&texts[TOPIC_ORIGIN], window, is_boot_ram(region));
	if (window && memory)
		text_append(&texts[TOPIC_ORIGIN], " ");
	if (memory)
		tell_affinity(&texts[TOPIC_ORIGIN], memory);
	text_append(&texts[TOPIC_VERDICT],
		"There is nothing to decide: only memory that arrives after boot is decided.");
	return true;
}
