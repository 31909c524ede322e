/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record: one range, what was decided, and what came of it.
 *
 * The one source for the journal entry, the JSON object and the table row of a range, so that
 * the three cannot disagree.
 */
#pragma once

#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/memory/facts.h"
#include "tdxo/policy/plan.h"
#include "tdxo/policy/policy.h"
#include "tdxo/tdx/state.h"

enum result {
	RESULT_NOTHING,	 /* what was decided is true already */
	RESULT_PLANNED,	 /* a dry run: nothing was done */
	RESULT_WITHHELD, /* nothing was done: the configuration wants it so */
	RESULT_BEGUN,	 /* the verdict stands; of the rest only a failure is recorded */
	RESULT_DONE,
	RESULT_PARTIAL, /* some blocks are not as decided */
	RESULT_FAILED,
	RESULT_CHANGED, /* another program has changed it since it was decided */
	RESULT_MAX,
};

#define ZONE_NAME 16

/* What came of a decision: for the whole device, or for one range. */
struct outcome {
	enum result result;
	int error;	    /* the first errno that counted, positive; 0: none */
	enum action failed; /* what failed, if error */
	uint64_t failed_at; /* address of the block that failed, or 0 */
	int undo_error;	    /* and the same of a step that was to undo it */
	enum action undo_failed;
	uint64_t undo_failed_at;
	unsigned int retries;	   /* how often a step was tried again */
	enum answer answer;	   /* the kernel's, when blocks were to go online */
	uint64_t stranded;	   /* bytes that are in the kernel, but of no use to anybody */
	enum dax_driver driver;	   /* as it is now */
	bool bypassed;		   /* another process bound it, although the guard was up */
	struct block_count blocks; /* as they are now */
	uint64_t missing;	   /* whole blocks that kmem has, and that are not in the kernel */
	char zone_now[ZONE_NAME];  /* the kernel's name of the zone they are in; empty: not known */
};

/* One range of a device. The facts, decision and plan are those of the device, and borrowed. */
struct record {
	const struct facts *facts;
	const struct decision *decision;
	const struct plan *plan;
	struct range range; /* empty: where the device lies is not known */
	struct firmware_origin origin;
	struct outcome outcome;
};

enum field_kind {
	FIELD_NULL,
	FIELD_TEXT,
	FIELD_NUMBER,
	FIELD_BOOL,
	FIELD_ADDRESS, /* a number that people read in hexadecimal */
};

struct field {
	const char *name; /* lower case */
	enum field_kind kind;
	const char *text; /* borrowed from the record or static */
	uint64_t number;
};

#define RECORD_FIELDS	51
#define TDX_FIELDS	4
#define RECORD_SENTENCE 1536

/* Has the kernel answered something else than it was expected to? */
static inline bool record_disagrees(const struct record *record)
{
	return record->decision->expected && record->outcome.answer &&
	       record->decision->expected != record->outcome.answer;
}

/* Bytes of the range, or of a device of which only the size is known. */
static inline uint64_t record_size(const struct record *record)
{
	return range_is_empty(record->range) ? record->facts->device.size
					     : range_size(record->range);
}

/*
 * Count the blocks of the range of a record, and those that are missing, from all that the device
 * has. The driver is known by then.
 */
void record_count_blocks(struct record *record, const struct blocks *blocks);

/* Is a step about the range of the record: a switch of its device's driver, or blocks in it? */
bool record_has_step(const struct record *record, const struct step *step);

/* Bytes that are in the hands of the kernel, or of kmem, and of no use to anybody. */
uint64_t record_lost(const struct record *record);

/* Bytes of a range to be online that are lost because they make no whole block. */
uint64_t record_unaligned(const struct record *record);

/* The CXL window that holds the range: the kernel's word counts before firmware's. */
static inline struct range record_window(const struct record *record)
{
	const struct range window = record->facts->cxl.window.range;

	return range_is_empty(window) ? record->origin.window : window;
}

/* The name of the driver that its device has now; NULL: none. */
const char *record_driver(const struct record *record);

/* A sentence without a full stop. Returns buf. */
const char *record_sentence(const struct record *record, char buf[RECORD_SENTENCE]);

/* Its subject: "64 GiB of CXL memory (dax0.0, [mem 0x…-0x…], node 1)". Returns buf. */
const char *record_subject(const struct record *record, char buf[RECORD_SENTENCE]);

/*
 * The named fields, and at their end those of the TDX state; absent things are there with
 * FIELD_NULL. Returns how many.
 */
size_t record_fields(const struct record *record, struct field fields[RECORD_FIELDS]);
void tdx_fields(const struct tdx *tdx, struct field fields[TDX_FIELDS]);

const char *result_to_string(enum result result);
int result_from_string(const char *text, enum result *ret_result) MUST_CHECK;
