/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report: a look at everything as one JSON object of schema 1, through json-c.
 */
#pragma once

#include "firmware.h"
#include "tdxo/compiler.h"
#include "tdxo/doctor.h"
#include "tdxo/explain.h"
#include "tdxo/record.h"
#include "tdxo/snapshot.h"
#include "tdxo/target.h"

struct report {
	struct json_object *ranges;
	uint64_t disagreements; /* of the kernel, in this boot */
};

int report_init(struct report *report, uint64_t disagreements) MUST_CHECK;
void report_done(struct report *report);
int report_add(struct report *report, const struct record *record) MUST_CHECK;

/* Explanations, in place of ranges; the record is that of the range, if it is about one. */
int report_add_explanation(struct report *report, const struct record *record,
	const struct explanation *explanation) MUST_CHECK;
int report_print_explanations(struct report *report, const struct target *target) MUST_CHECK;

/* The state of TDX, and the findings. */
int report_print_findings(const struct findings *findings, const struct gate *gate) MUST_CHECK;

/* Print the object to stdout. 0 or a negative errno. */
int report_print(struct report *report, const struct snapshot *snapshot,
	const struct firmware *firmware) MUST_CHECK;
