/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The texts of the map, which are the same on a terminal and in SVG.
 */
#include <assert.h>
#include <inttypes.h>

#include "tdxo/map/map.h"

enum map_look map_look(const struct map_item *item)
{
	static const enum map_look looks[] = {
		[VERDICT_ONLINE] = MAP_LOOK_ONLINE,
		[VERDICT_DEVDAX] = MAP_LOOK_DEVDAX,
		[VERDICT_OFFLINE] = MAP_LOOK_OFFLINE,
		[VERDICT_IGNORE] = MAP_LOOK_IGNORE,
	};
	static_assert(ARRAY_SIZE(looks) == VERDICT_MAX, "a look for each verdict");

	if (item->kind == MAP_BOOT)
		return item->source == BOOT_SOURCE_CONFIGURATION ? MAP_LOOK_CAPABLE : MAP_LOOK_BOOT;
	if (item->kind == MAP_REJECTED || item->result == RESULT_PARTIAL ||
		item->result == RESULT_FAILED)
		return MAP_LOOK_FAILED;
	return looks[item->verdict];
}

const char *map_look_label(enum map_look look)
{
	static const char *const labels[] = {
		[MAP_LOOK_BOOT] = "RAM at boot",
		[MAP_LOOK_CAPABLE] = "CapableRanges=",
		[MAP_LOOK_ONLINE] = "online",
		[MAP_LOOK_DEVDAX] = "devdax",
		[MAP_LOOK_OFFLINE] = "offline",
		[MAP_LOOK_IGNORE] = "ignore",
		[MAP_LOOK_FAILED] = "failed or rejected",
	};
	static_assert(ARRAY_SIZE(labels) == MAP_LOOK_MAX, "a label for each look");

	return labels[look];
}

static void append_device(struct strbuf *text, const struct map_item *item)
{
	const char *type = device_type_to_string(item->type);

	if (item->name[0])
		strbuf_append(text, "%s (%s", item->name, type);
	else
		strbuf_append(text, "%s", type);
	if (item->node != NODE_UNKNOWN)
		strbuf_append(text, "%snode %d", item->name[0] ? ", " : " (", item->node);
	if (item->name[0] || item->node != NODE_UNKNOWN)
		strbuf_append(text, ")");
}

static void append_item(struct strbuf *text, const struct map_item *item)
{
	switch (item->kind) {
	case MAP_WINDOW:
		strbuf_append(text, "CXL window%s%s", item->name[0] ? " " : "", item->name);
		break;
	case MAP_REGION:
		strbuf_append(text, "%s", item->name);
		break;
	case MAP_BOOT:
		strbuf_append(text, "%s", map_look_label(map_look(item)));
		break;
	case MAP_DEVICE:
		append_device(text, item);
		break;
	default:
		strbuf_append(
			text, "rejected by the kernel%s%s", item->name[0] ? ": " : "", item->name);
	}
}

static void append_segment(struct strbuf *text, const struct map_segment *segment)
{
	append_item(text, segment->item);
	if (segment->item->kind != MAP_BOOT && !range_equal(segment->range, segment->item->range))
		strbuf_append(text, ", a part");
}

const char *map_label(const struct map_segment *segments, size_t n, char buf[MAP_LABEL])
{
	struct strbuf text = strbuf_in(buf, MAP_LABEL);

	append_segment(&text, &segments[map_is_container(&segments[0]) ? 0 : n - 1]);
	if (n > 1 && map_is_container(&segments[0])) {
		strbuf_append(&text, ", ");
		append_segment(&text, &segments[1]);
	} else if (n > 1) {
		strbuf_append(&text, " in ");
		append_segment(&text, &segments[0]);
	}
	return buf;
}

const char *map_free_label(const struct map_segment *segment)
{
	return segment->depth ? MAP_FREE_LABEL : "hole";
}

static void append_verdict(struct strbuf *text, const struct map_item *item)
{
	strbuf_append(
		text, "%s: %s", verdict_to_string(item->verdict), reason_to_string(item->reason));
	if (item->result != RESULT_NOTHING && item->result != RESULT_DONE)
		strbuf_append(text, " (%s)", result_to_string(item->result));
}

const char *map_detail(const struct map_segment *segment, char buf[MAP_LABEL])
{
	const struct map_item *item = segment->item;
	struct strbuf text = strbuf_in(buf, MAP_LABEL);

	if (item->kind == MAP_DEVICE)
		append_verdict(&text, item);
	else if (item->kind == MAP_REJECTED)
		strbuf_append(&text, "%s", rejection_cause_to_string(item->cause));
	else if (item->kind == MAP_BOOT && item->parts > 1)
		strbuf_append(&text, "%zu ranges", item->parts);
	return buf;
}

const char *map_unplaced(const struct map_item *item, char buf[MAP_LABEL])
{
	struct strbuf text = strbuf_in(buf, MAP_LABEL);
	char size[SIZE_TEXT];

	strbuf_append(&text, "Its address is not known: ");
	append_item(&text, item);
	if (item->kind != MAP_DEVICE)
		return buf;
	strbuf_append(&text, ", %s, ", size_format(item->device_size, size));
	append_verdict(&text, item);
	return buf;
}

const char *map_summary(const struct map *map, const struct tdx *tdx, char buf[MAP_SUMMARY])
{
	struct strbuf text = strbuf_in(buf, MAP_SUMMARY);
	uint64_t bytes[MAP_KIND_MAX] = {0};
	char size[SIZE_TEXT];

	for (size_t i = 0; i < map->n_items; i++)
		if (map->items[i].source != BOOT_SOURCE_CONFIGURATION)
			bytes[map->items[i].kind] += map_item_bytes(&map->items[i]);
	for (size_t i = 0; i < map->n_unplaced; i++)
		bytes[MAP_DEVICE] += map->unplaced[i].device_size;
	strbuf_append(&text, "TDX ");
	tdx_append(&text, tdx);
	if (bytes[MAP_BOOT])
		strbuf_append(&text, "; RAM at boot: %s", size_format(bytes[MAP_BOOT], size));
	else
		strbuf_append(&text, "; RAM at boot: not known");
	strbuf_append(&text, "; memory that arrived after boot: %s",
		bytes[MAP_DEVICE] ? size_format(bytes[MAP_DEVICE], size) : "none");
	return buf;
}
