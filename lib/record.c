/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record as text and as named fields.
 */
#include "tdxo/record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const results[] = {
	[RESULT_NOTHING] = "nothing-to-do",
	[RESULT_PLANNED] = "planned",
	[RESULT_BEGUN] = "begun",
	[RESULT_DONE] = "done",
	[RESULT_PARTIAL] = "partial",
	[RESULT_FAILED] = "failed",
};
static_assert(ARRAY_SIZE(results) == RESULT_MAX, "a name for each result");

const char *result_to_string(enum result result)
{
	return results[result];
}

/* So many memory devices are named in a sentence; the fields name all. */
#define MEMDEVS_TOLD 4

/* A sentence under construction: what does not fit is cut off. */
struct text {
	char *buf;
	size_t n;
};

static void PRINTF(2, 3) append(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->buf + text->n, RECORD_SENTENCE - text->n, format, args);
	va_end(args);
	if (n > 0)
		text->n += (size_t)n < RECORD_SENTENCE - text->n ? (size_t)n
								 : RECORD_SENTENCE - 1 - text->n;
}

/* "64 GiB cxl [mem 0x…-0x…] (dax0.0, region0, mem0, node 1)" */
static void append_subject(struct text *text, const struct arrival *arrival)
{
	char size[SIZE_TEXT], range[RANGE_TEXT];
	const char *comma = "";

	append(text, "%s %s", size_format(arrival->size, size),
		carrier_to_string(arrival->carrier));
	if (arrival->fault != FAULT_UNREADABLE)
		append(text, " %s", range_format(arrival->range, range));
	if (!arrival_is_dax(arrival) && arrival->node == NODE_UNKNOWN)
		return;
	append(text, " (");
	if (arrival_is_dax(arrival)) {
		append(text, "%s", arrival->device);
		comma = ", ";
	}
	if (arrival->region[0])
		append(text, "%s%s", comma, arrival->region);
	for (size_t i = 0; i < arrival->n_memdevs && i < MEMDEVS_TOLD; i++)
		append(text, "%s%s", comma, arrival->memdevs[i].name);
	if (arrival->n_memdevs > MEMDEVS_TOLD)
		append(text, " and %zu more", arrival->n_memdevs - MEMDEVS_TOLD);
	if (arrival->node != NODE_UNKNOWN)
		append(text, "%snode %d", comma, arrival->node);
	append(text, ")");
}

static void append_verdict(struct text *text, const struct record *record)
{
	static const struct {
		const char *done, *planned, *failed;
	} phrases[] = {
		[VERDICT_ONLINE] = {"online", "to be onlined", "not wholly online"},
		[VERDICT_DEVDAX] = {"kept as devdax", "to be kept as devdax", "not made devdax"},
		[VERDICT_OFFLINE] = {"left offline", "to be left offline", "not wholly offline"},
		[VERDICT_IGNORE] = {"left as it is", "to be left as it is", "left as it is"},
	};
	static_assert(ARRAY_SIZE(phrases) == VERDICT_MAX, "phrases for each verdict");
	enum verdict verdict = record->decision.verdict;
	enum result result = record->outcome.result;
	const struct block_count *blocks = &record->outcome.blocks;

	append(text, "%s",
		result == RESULT_PLANNED			      ? phrases[verdict].planned
		: result == RESULT_PARTIAL || result == RESULT_FAILED ? phrases[verdict].failed
								      : phrases[verdict].done);
	if (verdict == VERDICT_ONLINE && result != RESULT_PLANNED)
		append(text, ", %" PRIu64 " of %" PRIu64 " blocks", blocks->online,
			blocks->present);
	append(text, ": %s (%s)", reason_explain(record->decision.reason),
		reason_to_string(record->decision.reason));
}

static void append_error(struct text *text, const struct outcome *outcome)
{
	if (!outcome->error)
		return;
	append(text, "; %s", action_to_string(outcome->failed));
	if (outcome->failed_at)
		append(text, " at 0x%" PRIx64, outcome->failed_at);
	append(text, ": %s", strerror(outcome->error));
}

const char *record_sentence(const struct record *record, char buf[RECORD_SENTENCE])
{
	struct text text = {.buf = buf};

	append_subject(&text, record->arrival);
	append(&text, " ");
	append_verdict(&text, record);
	append_error(&text, &record->outcome);
	append(&text, "; TDX gate %s", gate_state_to_string(record->gate.state));
	if (gate_overridden(&record->gate))
		append(&text, " as configured, %s as found",
			gate_state_to_string(record->gate.detected));
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

size_t record_fields(const struct record *record, struct field fields[RECORD_FIELDS])
{
	const struct arrival *arrival = record->arrival;
	const struct decision *decision = &record->decision;
	const struct outcome *outcome = &record->outcome;
	enum field_kind address = arrival->fault == FAULT_UNREADABLE ? FIELD_NULL : FIELD_ADDRESS;
	const char *source = decision->source ? boot_source_to_string(decision->source) : NULL;
	const struct field all[] = {
		number_field("start", address, arrival->range.start),
		number_field("end", address, arrival->range.end - 1),
		number_field("size", FIELD_NUMBER, arrival->size),
		text_field("carrier", carrier_to_string(arrival->carrier)),
		text_field("device", arrival->device),
		text_field("region", arrival->region),
		number_field("node", arrival->node == NODE_UNKNOWN ? FIELD_NULL : FIELD_NUMBER,
			(uint64_t)arrival->node),
		number_field("blocks", FIELD_NUMBER, outcome->blocks.present),
		number_field("blocks_online", FIELD_NUMBER, outcome->blocks.online),
		text_field("driver", dax_driver_to_string(arrival->driver)),
		text_field("verdict", verdict_to_string(decision->verdict)),
		text_field("zone", zone_to_string(decision->zone)),
		text_field("reason", reason_to_string(decision->reason)),
		text_field("rule", NULL),
		text_field("source", source),
		text_field("result", result_to_string(outcome->result)),
		number_field("errno", outcome->error ? FIELD_NUMBER : FIELD_NULL,
			(uint64_t)outcome->error),
		text_field("failed", outcome->error ? action_to_string(outcome->failed) : NULL),
		number_field("failed_at", outcome->failed_at ? FIELD_ADDRESS : FIELD_NULL,
			outcome->failed_at),
		text_field("gate", gate_state_to_string(record->gate.state)),
		text_field("gate_detected", gate_state_to_string(record->gate.detected)),
		text_field("gate_mode", gate_mode_to_string(record->gate.mode)),
	};

	static_assert(ARRAY_SIZE(all) <= RECORD_FIELDS, "room for all fields");
	memcpy(fields, all, sizeof(all));
	return ARRAY_SIZE(all);
}
