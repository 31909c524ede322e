/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record: its counts and its named fields.
 */
#include "tdxo/record/record.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "tdxo/base/strbuf.h"
#include "tdxo/base/string_table.h"

static const char *const results[] = {
	[RESULT_NOTHING] = "nothing-to-do",
	[RESULT_PLANNED] = "planned",
	[RESULT_WITHHELD] = "withheld",
	[RESULT_BEGUN] = "begun",
	[RESULT_DONE] = "done",
	[RESULT_PARTIAL] = "partial",
	[RESULT_FAILED] = "failed",
	[RESULT_CHANGED] = "changed",
};
DEFINE_STRING_TABLE(result, enum result, results, RESULT_MAX)

void record_count_blocks(struct record *record, const struct blocks *blocks)
{
	struct outcome *outcome = &record->outcome;
	uint64_t block_size = record->facts->block_size;
	uint64_t room = block_room(record->range, block_size);

	outcome->blocks = blocks_count(blocks, record->range, block_size);
	outcome->missing = 0;
	if (outcome->driver == DAX_DRIVER_KMEM && outcome->blocks.present < room)
		outcome->missing = room - outcome->blocks.present;
}

bool record_has_step(const struct record *record, const struct step *step)
{
	return range_is_empty(step->range) || range_is_empty(record->range) ||
	       range_overlaps(step->range, record->range);
}

uint64_t record_lost(const struct record *record)
{
	const struct block_count *blocks = &record->outcome.blocks;

	/* The administrator of the host wants them so, and can bring them online. */
	if (record->decision->reason == REASON_KERNEL_OFFLINE)
		return 0;
	return (blocks->present - blocks->online - blocks->unread + record->outcome.missing) *
	       record->facts->block_size;
}

uint64_t record_unaligned(const struct record *record)
{
	if (record->decision->verdict != VERDICT_ONLINE)
		return 0;
	return range_size(record->range) -
	       range_size(range_trim(record->range, record->facts->block_size));
}

const char *record_driver(const struct record *record)
{
	enum dax_driver driver = record->outcome.driver;
	const char *name = record->facts->driver_name;

	return driver == DAX_DRIVER_OTHER && *name ? name : dax_driver_to_string(driver);
}

static struct field text_field(const char *name, const char *text)
{
	bool there = text && *text;

	return (struct field){
		.name = name, .kind = there ? FIELD_TEXT : FIELD_NULL, .text = there ? text : NULL};
}

static struct field number_field(const char *name, enum field_kind kind, uint64_t number)
{
	return (struct field){.name = name, .kind = kind, .number = number};
}

/* A number that is there only if it has a meaning. */
static struct field optional_field(const char *name, bool there, uint64_t number)
{
	return number_field(name, there ? FIELD_NUMBER : FIELD_NULL, number);
}

void tdx_fields(const struct tdx *tdx, struct field fields[TDX_FIELDS])
{
	fields[0] = text_field("tdx_state", tdx_state_to_string(tdx->state));
	fields[1] = text_field("tdx_detected", tdx_state_to_string(tdx->detected));
	fields[2] = text_field("tdx_mode", tdx_mode_to_string(tdx->mode));
	fields[3] = text_field("tdx_cause", tdx_cause_to_string(tdx->cause));
}

size_t record_fields(const struct record *record, struct field fields[RECORD_FIELDS])
{
	const struct device *device = &record->facts->device;
	const struct cxl_origin *cxl = &record->facts->cxl;
	const struct firmware_origin *origin = &record->origin;
	const struct decision *decision = record->decision;
	const struct outcome *outcome = &record->outcome;
	const struct range window = record_window(record);
	enum field_kind in_window = range_is_empty(window) ? FIELD_NULL : FIELD_ADDRESS;
	enum field_kind address = range_is_empty(record->range) ? FIELD_NULL : FIELD_ADDRESS;
	const char *source = decision->source ? boot_source_to_string(decision->source) : NULL;
	const struct field all[] = {
		number_field("start", address, record->range.start),
		number_field("end", address, record->range.end - 1),
		number_field("size", FIELD_NUMBER, record_size(record)),
		text_field("type", device_type_to_string(device->type)),
		text_field("chardev", device->name),
		text_field("region", device->region),
		text_field("region_mode", cxl->region_mode),
		text_field("decoder", cxl->window.decoder),
		number_field("window_start", in_window, window.start),
		number_field(
			"window_size", in_window ? FIELD_NUMBER : FIELD_NULL, range_size(window)),
		optional_field("proximity_domain", origin->in_srat, origin->proximity_domain),
		number_field("hot_pluggable", origin->in_srat ? FIELD_BOOL : FIELD_NULL,
			origin->hot_pluggable),
		optional_field("qos_class", cxl->window.has_qos_class, cxl->window.qos_class),
		optional_field("target_node", device->node != NODE_UNKNOWN, (uint64_t)device->node),
		number_field("present", FIELD_BOOL, device->present),
		number_field("unguarded", FIELD_BOOL, device->unguarded),
		number_field("total_memblocks", FIELD_NUMBER, outcome->blocks.present),
		number_field("online_memblocks", FIELD_NUMBER, outcome->blocks.online),
		optional_field("missing_memblocks", outcome->missing, outcome->missing),
		text_field("mode", outcome->driver ? dax_mode_to_string(outcome->driver) : NULL),
		number_field("guard_bypassed", outcome->bypassed ? FIELD_BOOL : FIELD_NULL,
			outcome->bypassed),
		text_field("verdict", verdict_to_string(decision->verdict)),
		text_field("zone", zone_to_string(decision->zone)),
		number_field("zone_overruled", decision->zone_overruled ? FIELD_BOOL : FIELD_NULL,
			decision->zone_overruled),
		text_field("reason", reason_to_string(decision->reason)),
		text_field("rule", decision->rule),
		text_field("overruled",
			decision->overruled ? verdict_to_string(decision->asked) : NULL),
		text_field("withheld", outcome->result == RESULT_WITHHELD
					       ? withheld_to_string(decision->withheld)
					       : NULL),
		text_field("source", source),
		text_field("result", result_to_string(outcome->result)),
		text_field("zone_now", outcome->zone_now),
		text_field("expected", answer_to_string(decision->expected)),
		text_field("answer", answer_to_string(outcome->answer)),
		number_field("disagreement", FIELD_BOOL, record_disagrees(record)),
		optional_field("movable_ratio", decision->movable_ratio, decision->movable_ratio),
		optional_field("metadata_needed", decision->map_needed, decision->map_needed),
		optional_field("metadata_available", decision->map_needed, decision->map_spare),
		optional_field("unaligned", record_unaligned(record), record_unaligned(record)),
		optional_field("errno", outcome->error, (uint64_t)outcome->error),
		text_field("failed", outcome->error ? action_to_string(outcome->failed) : NULL),
		number_field("failed_at", outcome->failed_at ? FIELD_ADDRESS : FIELD_NULL,
			outcome->failed_at),
		optional_field("undo_errno", outcome->undo_error, (uint64_t)outcome->undo_error),
		text_field("undo_failed",
			outcome->undo_error ? action_to_string(outcome->undo_failed) : NULL),
		number_field("undo_failed_at", outcome->undo_failed_at ? FIELD_ADDRESS : FIELD_NULL,
			outcome->undo_failed_at),
		optional_field("retries", outcome->retries, outcome->retries),
		optional_field("stranded", outcome->stranded, outcome->stranded),
	};

	static_assert(ARRAY_SIZE(all) + TDX_FIELDS <= RECORD_FIELDS, "room for all fields");
	memcpy(fields, all, sizeof(all));
	tdx_fields(&record->facts->tdx, fields + ARRAY_SIZE(all));
	return ARRAY_SIZE(all) + TDX_FIELDS;
}
