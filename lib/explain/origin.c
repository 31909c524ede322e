/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation: what a range is and where it comes from, and what is at a place where nothing
 * arrived.
 */
#include "lib/explain/topics.h"

#include <assert.h>
#include <inttypes.h>

static const struct {
	const char *kind, *origin;
} types[] = {
	[TYPE_UNKNOWN] = {"Memory of unknown type", "Its origin is not known."},
	[TYPE_CXL] = {"CXL memory", "It is on a CXL device; the region is not known."},
	[TYPE_HMEM] = {"Soft-reserved memory",
		"Firmware or the kernel command line set it aside at boot as soft-reserved memory, "
		"so it is not RAM until a driver adds it."},
	[TYPE_PMEM] = {"Persistent memory", "It is a persistent memory namespace."},
	[TYPE_DIMM] = {"Memory on a DIMM",
		"The firmware memmap gained it after boot, as it does when a DIMM is plugged in."},
	[TYPE_VIRTIO_MEM] = {"Memory of a virtio-mem device",
		"The hypervisor adds and removes it."},
};
static_assert(ARRAY_SIZE(types) == TYPE_MAX, "words for each type");

void explain_what(struct strbuf *text, const struct story *story)
{
	const struct arrival *arrival = &story->record->arrival;

	strbuf_append(text, "%s", types[arrival->type].kind);
	if (arrival_is_dax(arrival))
		strbuf_append(text, ", dax device %s", arrival->device);
	if (arrival_is_dax(arrival) && arrival->driver == DAX_DRIVER_NONE)
		strbuf_append(text, " without a driver");
	else if (arrival_is_dax(arrival))
		strbuf_append(text, " with driver %s", dax_driver_to_string(arrival->driver));
	strbuf_append(text, ".");
}

static void append_region(struct strbuf *text, const struct arrival *arrival)
{
	const struct origin *origin = &arrival->origin;

	strbuf_append(text, "It is CXL %s%s%s", arrival->region, origin->mode[0] ? " of mode " : "",
		origin->mode);
	if (origin->decoder[0])
		strbuf_append(text, ", decoded by %s", origin->decoder);
	strbuf_append(text, ".");
	for (size_t i = 0; i < arrival->n_memdevs; i++) {
		const struct memdev *memdev = &arrival->memdevs[i];

		strbuf_append(text, "%s %s (serial 0x%" PRIx64 ", %s%s%s)",
			i ? "," : " Its memory devices:", memdev->name, memdev->serial,
			memdev->pci_address, memdev->firmware[0] ? ", firmware " : "",
			memdev->firmware);
	}
	if (arrival->n_memdevs)
		strbuf_append(text, ".");
}

static void append_tables(struct strbuf *text, const struct origin *origin)
{
	char range[RANGE_TEXT];

	if (origin->in_srat)
		strbuf_append(text,
			"%sThe SRAT lists it as %smemory of proximity domain %" PRIu32 ".",
			text->n ? " " : "", origin->hot_pluggable ? "hot-pluggable " : "",
			origin->srat_node);
	if (!range_is_empty(origin->window))
		strbuf_append(text, "%sThe CEDT lists it in the CXL window %s.", text->n ? " " : "",
			range_format(origin->window, range));
}

void explain_origin(struct strbuf *text, const struct story *story)
{
	const struct arrival *arrival = &story->record->arrival;

	if (arrival->region[0])
		append_region(text, arrival);
	else
		strbuf_append(text, "%s", types[arrival->type].origin);
	append_tables(text, &arrival->origin);
	if (story->facts->ran)
		strbuf_append(text, " It was %s the daemon first started in this boot.",
			arrival->present ? "there before" : "not there when");
}

static const struct boot_region *find_region(const struct boot_map *map, struct range place)
{
	for (size_t i = 0; i < map->n; i++)
		if (range_overlaps(map->regions[i].range, place))
			return &map->regions[i];
	return NULL;
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

static struct origin find_origin(const struct explain_facts *facts, struct range place)
{
	const struct cedt_window *window = cedt_find(facts->cedt, place);
	const struct srat_memory *memory = srat_find(facts->srat, place);
	struct origin origin = {0};

	if (window)
		origin.window = window->range;
	if (memory) {
		origin.in_srat = true;
		origin.srat_node = memory->node;
		origin.hot_pluggable = memory->hot_pluggable;
	}
	return origin;
}

bool explain_place(
	const struct explain_facts *facts, struct range place, struct explanation *ret_explanation)
{
	const struct snapshot *snapshot = facts->snapshot;
	const struct boot_region *region = find_region(&snapshot->boot_map, place);
	const struct origin origin = find_origin(facts, place);
	bool in_window = !range_is_empty(origin.window);
	struct strbuf texts[TOPIC_MAX];
	char range[RANGE_TEXT];
	size_t n;
	const struct block *block = find_blocks(snapshot, place, &n);

	for (enum topic topic = 0; topic < TOPIC_MAX; topic++)
		texts[topic] = strbuf_in(ret_explanation->texts[topic], EXPLANATION_TEXT);
	if (!region && !in_window && !origin.in_srat && !block)
		return false;
	if (region)
		strbuf_append(&texts[TOPIC_WHAT], "%s in %s of the boot map, from %s.",
			range_contains(region->range, place) ? "It is" : "A part of it is",
			range_format(region->range, range), boot_source_to_string(region->source));
	else
		strbuf_append(&texts[TOPIC_WHAT], "%s",
			snapshot->boot_map.known ? "It is not in the boot map." : MAP_UNKNOWN);
	if (block)
		strbuf_append(&texts[TOPIC_WHAT],
			" Memory blocks: %zu, the first is memory%" PRIu64 ".", n, block->id);
	else
		strbuf_append(&texts[TOPIC_WHAT], " It has no memory blocks.");
	append_tables(&texts[TOPIC_ORIGIN], &origin);
	if (in_window && region && region->source != BOOT_SOURCE_CONFIGURATION)
		strbuf_append(&texts[TOPIC_ORIGIN],
			" Firmware hands out CXL memory as ordinary RAM there, and that "
			"keeps TDX from initializing.");
	strbuf_append(&texts[TOPIC_VERDICT],
		"There is nothing to decide: only memory that arrives after boot is decided.");
	return true;
}
