/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record as text and as named fields.
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

/* So many memory devices are named in a sentence; the fields name all. */
#define MEMDEVS_TOLD 4

/* One more name in the parentheses, if there is one. */
static void append_name(struct strbuf *text, const char **before, const char *name)
{
	if (!*name)
		return;
	strbuf_append(text, "%s%s", *before, name);
	*before = ", ";
}

/* "64 GiB cxl [mem 0x…-0x…] (dax0.0, region0, mem0, node 1)" */
static void append_subject(struct strbuf *text, const struct record *record)
{
	const struct device *device = &record->facts->device;
	const struct cxl_origin *cxl = &record->facts->cxl;
	char size[SIZE_TEXT], range[RANGE_TEXT];
	const char *const first = " (", *before = first;

	strbuf_append(text, "%s %s", size_format(record_size(record), size),
		device_type_to_string(device->type));
	if (!range_is_empty(record->range))
		strbuf_append(text, " %s", range_format(record->range, range));
	append_name(text, &before, device->name);
	append_name(text, &before, device->region);
	for (size_t i = 0; i < cxl->n_memdevs && i < MEMDEVS_TOLD; i++)
		append_name(text, &before, cxl->memdevs[i].name);
	if (cxl->n_memdevs > MEMDEVS_TOLD)
		strbuf_append(text, " and %zu more", cxl->n_memdevs - MEMDEVS_TOLD);
	if (device->node != NODE_UNKNOWN)
		strbuf_append(text, "%snode %d", before, device->node);
	if (before != first || device->node != NODE_UNKNOWN)
		strbuf_append(text, ")");
}

/* How the verdict reads, by what has come of it. */
static const char *phrase(const struct record *record)
{
	static const struct {
		const char *done, *planned, *failed, *changed;
	} phrases[] = {
		[VERDICT_ONLINE] = {"online", "to be onlined", "not wholly online",
			"was to be online"},
		[VERDICT_DEVDAX] = {"kept as devdax", "to be kept as devdax", "not made devdax",
			"was kept as devdax"},
		[VERDICT_OFFLINE] = {"left offline", "to be left offline", "not wholly offline",
			"was left offline"},
		[VERDICT_IGNORE] = {"left as it is", "to be left as it is", "left as it is",
			"was left as it was"},
	};
	static_assert(ARRAY_SIZE(phrases) == VERDICT_MAX, "phrases for each verdict");
	enum verdict verdict = record->decision->verdict;

	switch (record->outcome.result) {
	case RESULT_PLANNED:
	case RESULT_WITHHELD:
		return phrases[verdict].planned;
	case RESULT_PARTIAL:
	case RESULT_FAILED:
		return phrases[verdict].failed;
	case RESULT_CHANGED:
		return phrases[verdict].changed;
	default:
		return phrases[verdict].done;
	}
}

/* Those that are missing too. */
static uint64_t all_blocks(const struct outcome *outcome)
{
	return outcome->blocks.present + outcome->missing;
}

static void append_verdict(struct strbuf *text, const struct record *record)
{
	enum result result = record->outcome.result;

	strbuf_append(text, "%s", phrase(record));
	if (record->decision->verdict == VERDICT_ONLINE && result != RESULT_PLANNED &&
		result != RESULT_WITHHELD && result != RESULT_CHANGED)
		strbuf_append(text, ", %" PRIu64 " of %" PRIu64 " blocks",
			record->outcome.blocks.online, all_blocks(&record->outcome));
	strbuf_append(text, ": %s (%s)", decision_clause(record->decision),
		reason_to_string(record->decision->reason));
}

/* What the administrator's word had to do with it. */
static void append_rule(struct strbuf *text, const struct record *record)
{
	const struct decision *decision = record->decision;

	static const char *const withheld[] = {
		[WITHHELD_OBSERVE] = "nothing is done, Act=no",
		[WITHHELD_PRESENT] = "nothing is done, it was there at first start (Present=)",
	};

	if (record->outcome.result == RESULT_WITHHELD)
		strbuf_append(text, "; %s", withheld[decision->withheld]);
	if (record->facts->device.unguarded)
		strbuf_append(text, "; it came while another program had lowered the guard");
	if (decision->unmatched)
		strbuf_append(text, "; no rule matches");
	if (!decision->rule[0])
		return;
	strbuf_append(text, "; rule %s", decision->rule);
	if (decision->overruled)
		strbuf_append(
			text, " asks for %s and is overruled", verdict_to_string(decision->asked));
}

/* A block that is online already stays in its zone, whatever is wanted. */
static bool zone_differs(const struct record *record)
{
	bool movable = strcmp(record->outcome.zone_now, "Movable") == 0;

	if (!record->outcome.zone_now[0])
		return false;
	return record->decision->zone == ZONE_MOVABLE
		       ? !movable
		       : record->decision->zone == ZONE_KERNEL && movable;
}

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

/* The numbers that a decision rests on. */
static void append_numbers(struct strbuf *text, const struct record *record)
{
	const struct decision *decision = record->decision;
	char a[SIZE_TEXT], b[SIZE_TEXT];

	if (decision->reason == REASON_NO_HEAD_ROOM)
		strbuf_append(text, "; it takes %s, and %s can be spared",
			size_format(decision->map_needed, a), size_format(decision->map_spare, b));
	if (decision->zone_overruled && !decision->movable_ratio)
		strbuf_append(text, "; not movable: the sizes of the zones are not known");
	else if (decision->zone_overruled)
		strbuf_append(text,
			"; not movable: movable memory would be %" PRIu64 " %% of the kernel's",
			decision->movable_ratio);
	else if (decision->zone == ZONE_MOVABLE && decision->movable_ratio)
		strbuf_append(text, "; movable memory is %" PRIu64 " %% of the kernel's",
			decision->movable_ratio);
	if (zone_differs(record))
		strbuf_append(text, "; its blocks are in zone %s", record->outcome.zone_now);
	if (record_unaligned(record))
		strbuf_append(text, "; %s at its edges are lost, they make no whole block",
			size_format(record_unaligned(record), a));
}

static void append_failure(struct strbuf *text, enum action failed, uint64_t at, int error)
{
	strbuf_append(text, "%s", action_to_string(failed));
	if (at)
		strbuf_append(text, " at 0x%" PRIx64, at);
	strbuf_append(text, ": %s", strerror(error));
}

static void append_failures(struct strbuf *text, const struct outcome *outcome)
{
	if (outcome->error) {
		strbuf_append(text, "; ");
		append_failure(text, outcome->failed, outcome->failed_at, outcome->error);
	}
	if (outcome->undo_error) {
		strbuf_append(text, "; undoing it failed: ");
		append_failure(
			text, outcome->undo_failed, outcome->undo_failed_at, outcome->undo_error);
	}
	if (outcome->retries)
		strbuf_append(text, "%s %u %s", outcome->error ? " after" : ";", outcome->retries,
			outcome->retries == 1 ? "retry" : "retries");
}

static void append_outcome(struct strbuf *text, const struct record *record)
{
	const struct outcome *outcome = &record->outcome;
	char size[SIZE_TEXT];

	append_failures(text, outcome);
	if (outcome->result == RESULT_CHANGED)
		strbuf_append(text, "; somebody changed it");
	if (outcome->result == RESULT_CHANGED && device_is_dax(&record->facts->device))
		strbuf_append(text, ", its driver is now %s",
			dax_driver_to_string(outcome->driver) ?: "none");
	if (outcome->result == RESULT_CHANGED ||
		(outcome->blocks.online && record->decision->verdict != VERDICT_ONLINE))
		strbuf_append(text, "; %" PRIu64 " of %" PRIu64 " blocks online",
			outcome->blocks.online, all_blocks(outcome));
	if (outcome->bypassed)
		strbuf_append(text, "; another process bound its driver while the guard was up");
	if (outcome->missing)
		strbuf_append(text, "; %" PRIu64 " block%s not in the kernel", outcome->missing,
			outcome->missing == 1 ? " is" : "s are");
	if (record_disagrees(record) && record->decision->reason != REASON_KERNEL_REFUSED)
		strbuf_append(text, "; the kernel %s it, and was expected not to",
			outcome->answer == ANSWER_ACCEPTS ? "accepted" : "refused");
	if (outcome->stranded)
		strbuf_append(text, "; %s stranded", size_format(outcome->stranded, size));
}

void record_append_removal(struct strbuf *text, const struct record *record)
{
	const struct device *device = &record->facts->device;

	if (device_is_dax(device))
		strbuf_append(text, "daxctl reconfigure-device -m devdax -f %s", device->name);
	else
		strbuf_append(text, "chmem -d 0x%" PRIx64 "-0x%" PRIx64, record->range.start,
			record->range.end - 1);
}

/* How the administrator gets rid of memory that should not be there. */
static void append_remedy(struct strbuf *text, const struct record *record)
{
	if (record->decision->reason != REASON_ALREADY_ONLINE || !tdx_refuses(&record->facts->tdx))
		return;
	/* Somebody has just done so. */
	if (record->outcome.result == RESULT_CHANGED && !record->outcome.blocks.online)
		return;
	if (record->facts->tdx.state == TDX_ARMED)
		strbuf_append(text, "; it keeps TDX from initializing");
	strbuf_append(text, "; take it out with: ");
	record_append_removal(text, record);
}

const char *record_subject(const struct record *record, char buf[RECORD_SENTENCE])
{
	struct strbuf text = strbuf_in(buf, RECORD_SENTENCE);

	append_subject(&text, record);
	return buf;
}

const char *record_sentence(const struct record *record, char buf[RECORD_SENTENCE])
{
	struct strbuf text = strbuf_in(buf, RECORD_SENTENCE);

	append_subject(&text, record);
	strbuf_append(&text, " ");
	append_verdict(&text, record);
	append_rule(&text, record);
	append_numbers(&text, record);
	append_outcome(&text, record);
	append_remedy(&text, record);
	strbuf_append(&text, "; TDX ");
	tdx_append(&text, &record->facts->tdx);
	return buf;
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

/* A number that is there only if something is said by it. */
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
