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
		"The kernel added it to /sys/firmware/memmap after boot, as it does when a DIMM is "
		"plugged in."},
	[TYPE_VIRTIO_MEM] = {"Memory of a virtio-mem device",
		"The hypervisor adds and removes it."},
};
static_assert(ARRAY_SIZE(types) == TYPE_MAX, "words for each type");

void explain_what(struct strbuf *text, const struct story *story)
{
	const struct device *device = &story->record->facts->device;
	enum dax_driver driver = story->record->outcome.driver;

	strbuf_append(text, "%s", types[device->type].kind);
	if (device_is_dax(device))
		strbuf_append(text, ", dax device %s", device->name);
	if (device_is_dax(device) && driver == DAX_DRIVER_NONE)
		strbuf_append(text, " without a driver");
	else if (device_is_dax(device))
		strbuf_append(text, " with driver %s", record_driver(story->record));
	strbuf_append(text, ".");
}

/* A device of another type lies in a region by its address. */
static void append_region(
	struct strbuf *text, const struct device *device, const struct cxl_origin *cxl)
{
	strbuf_append(text, "It %s CXL %s%s%s", device->type == TYPE_CXL ? "is" : "lies in",
		device->region, cxl->region_mode[0] ? " of mode " : "", cxl->region_mode);
	if (cxl->window.decoder[0])
		strbuf_append(text, ", decoded by %s", cxl->window.decoder);
	strbuf_append(text, ".");
	for (size_t i = 0; i < cxl->n_memdevs; i++) {
		const struct memdev *memdev = &cxl->memdevs[i];

		strbuf_append(text, "%s %s (serial 0x%" PRIx64 ", %s%s%s)",
			i ? "," : " Its memory devices:", memdev->name, memdev->serial,
			memdev->host, memdev->firmware[0] ? ", firmware " : "", memdev->firmware);
	}
	if (cxl->n_memdevs)
		strbuf_append(text, ".");
}

static void append_tables(
	struct strbuf *text, const struct firmware_origin *origin, struct range window)
{
	char range[RANGE_TEXT];

	if (origin->in_srat)
		strbuf_append(text,
			"%sThe SRAT lists it as %smemory of proximity domain %" PRIu32 ".",
			text->n ? " " : "", origin->hot_pluggable ? "hot-pluggable " : "",
			origin->proximity_domain);
	if (!range_is_empty(window))
		strbuf_append(text, "%sThe CEDT lists it in the CXL window %s.", text->n ? " " : "",
			range_format(window, range));
}

void explain_origin(struct strbuf *text, const struct story *story)
{
	const struct record *record = story->record;
	const struct device *device = &record->facts->device;

	if (!device->region[0] || device->type != TYPE_CXL)
		strbuf_append(
			text, "%s%s", types[device->type].origin, device->region[0] ? " " : "");
	if (device->region[0])
		append_region(text, device, &record->facts->cxl);
	append_tables(text, &record->origin, record_window(record));
	if (story->world->ran && !story_is_hidden(story))
		strbuf_append(text, " It arrived %s the daemon first started in this boot.",
			device->present ? "before" : "after");
}

/* The blocks of the place that were taken offline after boot. */
static void append_offline_boot(
	struct strbuf *what, struct strbuf *change, const struct range_set *offline)
{
	for (size_t i = 0; offline && i < offline->n; i++) {
		const struct range run = offline->ranges[i];
		char range[RANGE_TEXT], size[SIZE_TEXT];

		strbuf_append(what, " %s of it at %s are offline.",
			size_format(range_size(run), size), range_format(run, range));
		strbuf_append(change, "%sTo online %s: 'chmem -e 0x%" PRIx64 "-0x%" PRIx64 "'.",
			change->n ? " " : "", range, run.start, run.end - 1);
	}
}

static void append_sentence(struct strbuf *text, const char *sentence)
{
	strbuf_append(text, "%s%s", text->n ? " " : "", sentence);
}

/* Returns how many rejections have a part of the place. */
static size_t append_rejected(
	struct strbuf texts[TOPIC_MAX], const struct rejections *rejected, struct range place)
{
	size_t n = 0;

	for (size_t i = 0; i < rejected->n; i++) {
		const struct rejection *rejection = &rejected->items[i];

		if (!range_overlaps(rejection->range, place))
			continue;
		n++;
		rejection_append(&texts[TOPIC_WHAT], rejection);
		strbuf_append(&texts[TOPIC_WHAT], ". ");
		append_sentence(&texts[TOPIC_KERNEL], "The kernel logged: ");
		strbuf_append(&texts[TOPIC_KERNEL], "%s", rejection->line);
		append_sentence(&texts[TOPIC_CHANGE], rejection_remedy(rejection->cause));
	}
	return n;
}

bool explain_place(
	const struct explain_world *world, struct range place, struct explanation *ret_explanation)
{
	const struct snapshot *snapshot = world->snapshot;
	const struct boot_region *region = boot_map_find(&snapshot->boot_map, place);
	const struct block_ids blocks =
		block_ids_in(&snapshot->blocks, place, snapshot->block_size);
	const struct firmware_origin origin = firmware_origin_find(world->srat, world->cedt, place);
	bool in_window = !range_is_empty(origin.window);
	struct strbuf texts[TOPIC_MAX];
	char range[RANGE_TEXT];
	size_t n_rejected;

	for (enum topic topic = 0; topic < TOPIC_MAX; topic++)
		texts[topic] = strbuf_in(ret_explanation->texts[topic], EXPLANATION_TEXT);
	n_rejected = append_rejected(texts, &snapshot->rejected, place);
	if (region)
		strbuf_append(&texts[TOPIC_WHAT], "%s in %s of the boot map, from %s.",
			range_contains(region->range, place) ? "It is" : "A part of it is",
			range_format(region->range, range), boot_source_to_string(region->source));
	else
		strbuf_append(&texts[TOPIC_WHAT], "%s",
			snapshot->boot_map.known ? "It is not in the boot map." : MAP_UNKNOWN);
	if (blocks.n)
		strbuf_append(&texts[TOPIC_WHAT],
			" Memory blocks: %zu, the first is memory%" PRIu64 ".", blocks.n,
			blocks.ids[0]);
	else
		strbuf_append(&texts[TOPIC_WHAT], " It has no memory blocks.");
	append_tables(&texts[TOPIC_ORIGIN], &origin, origin.window);
	if (in_window && region && region->source != BOOT_SOURCE_CONFIGURATION)
		strbuf_append(&texts[TOPIC_ORIGIN],
			" Firmware reported CXL memory as ordinary RAM there, and that "
			"keeps TDX from initializing.");
	append_offline_boot(&texts[TOPIC_WHAT], &texts[TOPIC_CHANGE], world->offline_boot);
	if (region || blocks.n)
		strbuf_append(&texts[TOPIC_VERDICT], "There is no verdict: only memory that "
						     "arrives after boot gets one.");
	else
		explain_arrival(&texts[TOPIC_VERDICT], world, place);
	return region || in_window || origin.in_srat || blocks.n || n_rejected;
}
