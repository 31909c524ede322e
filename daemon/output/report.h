/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report: a look at everything as one JSON object of schema 2.
 */
#pragma once

#include "daemon/host/firmware.h"
#include "daemon/output/json.h"
#include "tdxo/base/compiler.h"
#include "tdxo/doctor/doctor.h"
#include "tdxo/doctor/verify.h"
#include "tdxo/explain/explain.h"
#include "tdxo/explain/target.h"
#include "tdxo/map/map.h"
#include "tdxo/memory/snapshot.h"
#include "tdxo/policy/guard.h"
#include "tdxo/record/record.h"

struct report {
	struct json_document *ranges;
	uint64_t disagreements; /* of the kernel, in this boot */
};

/* A report that there was no memory for cannot be printed. */
void report_init(struct report *report, uint64_t disagreements);
void report_done(struct report *report);
void report_add(struct report *report, const struct record *record);

/* Explanations, in place of ranges; the record is that of the range, if it is about one. */
void report_add_explanation(
	struct report *report, const struct record *record, const struct explanation *explanation);
int report_print_explanations(const struct report *report, const struct target *target) MUST_CHECK;

/* The state of TDX, and the findings. */
int report_print_findings(const struct findings *findings, const struct tdx *tdx) MUST_CHECK;

/* The state of TDX, and the segments of the map. */
int report_print_map(const struct map *map, const struct tdx *tdx) MUST_CHECK;

/* What was compared on which host; a version is NULL where it is not known. */
struct verification {
	const char *program_version;
	const char *kernel_release;
	const char *module_version; /* of the TDX module */
	const struct snapshot *snapshot;
	const struct firmware *firmware;
	const struct comparisons *comparisons;
};

int report_print_verification(const struct verification *verification) MUST_CHECK;

/* Print the object to stdout. 0 or a negative errno. */
int report_print(const struct report *report, const struct snapshot *snapshot,
	const struct firmware *firmware) MUST_CHECK;

/* Parts of other documents of the same schema. A text that is empty or NULL is null. */
struct json_document *report_new(void);
int report_print_document(const struct json_document *document) MUST_CHECK;
void report_add_text(struct json parent, const char *key, const char *text);
/* What a switch of the guard reads: a boolean, or the text where it has more than two values. */
void report_add_switch(struct json parent, const char *key, enum guard_switch i, const char *value);
void report_add_tdx(struct json parent, const struct tdx *tdx);
void report_add_rejected(struct json parent, const struct rejections *rejected);
