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

/* The memory block that is there, or NULL. */
static const struct block *find_block(const struct snapshot *snapshot, struct range place)
{
	return blocks_find(&snapshot->blocks, place.start / snapshot->block_size);
}

static bool tell_what(struct text *text, const struct snapshot *snapshot, struct range place)
{
	const struct boot_region *region = find_region(&snapshot->boot_map, place);
	const struct block *block = find_block(snapshot, place);
	char range[RANGE_TEXT];

	if (region && region->source != BOOT_SOURCE_CONFIGURATION)
		text_append(text, "It is in %s, which was there at boot, says %s.",
			range_format(region->range, range), boot_source_to_string(region->source));
	else if (region)
		text_append(text, "It is in %s, which CapableRanges= asserts; nothing is there.",
			range_format(region->range, range));
	else if (block)
		text_append(text, "It is in no range that firmware called RAM at boot.");
	if (block)
		text_append(text, " The memory block memory%" PRIu64 " has been there since boot.",
			block->id);
	return region || block;
}

static bool tell_origin(
	struct text *text, const struct explain_facts *facts, struct range place, bool memory)
{
	const struct cedt_window *window = cedt_find(facts->cedt, place);
	const struct srat_memory *affinity = srat_find(facts->srat, place);
	char range[RANGE_TEXT];
	const char *space = "";

	if (window) {
		text_append(text, "The CEDT has it in the CXL window %s%s.",
			range_format(window->range, range),
			memory ? ": firmware hands out CXL memory as ordinary RAM, and TDX "
				 "cannot initialise"
			       : "; nothing has arrived there");
		space = " ";
	}
	if (affinity)
		text_append(text,
			"%sThe SRAT has it in %s, %smemory of proximity domain %" PRIu32 "%s.",
			space, range_format(affinity->range, range),
			affinity->hot_pluggable ? "hot-pluggable " : "", affinity->node,
			!memory && affinity->hot_pluggable ? "; nothing is plugged in there" : "");
	return window || affinity;
}

bool explain_place(
	const struct explain_facts *facts, struct range place, struct explanation *ret_explanation)
{
	struct text what = text_in(ret_explanation->texts[TOPIC_WHAT], EXPLANATION_TEXT);
	struct text origin = text_in(ret_explanation->texts[TOPIC_ORIGIN], EXPLANATION_TEXT);
	struct text verdict = text_in(ret_explanation->texts[TOPIC_VERDICT], EXPLANATION_TEXT);
	bool memory = tell_what(&what, facts->snapshot, place);
	bool known = tell_origin(&origin, facts, place, memory);

	for (enum topic topic = 0; topic < TOPIC_MAX; topic++)
		if (topic != TOPIC_WHAT && topic != TOPIC_ORIGIN && topic != TOPIC_VERDICT)
			ret_explanation->texts[topic][0] = '\0';
	if (!memory && !known)
		return false;
	if (!memory)
		text_append(&what, "There is no memory here now.");
	text_append(&verdict,
		"There is nothing to decide: only memory that arrives after boot is decided.");
	return true;
}
