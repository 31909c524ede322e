/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts of the table of reasons with the values of a record, and what their commands need besides
 * the record's fields: fields of the journal as well, so that the catalog has the same commands.
 */
#pragma once

#include "tdxo/record/record.h"

enum record_value {
	RECORD_TARGET, /* what "tdx-onlinectl decide" and "explain" take: "dax0.0", "0x100000000" */
	RECORD_MATCH,  /* a line of a rule that matches it: "Device=dax0.0" */
	RECORD_REMOVAL, /* the command that takes it out of the page allocator */
	RECORD_EFFECT,	/* what the verdict means for it: "the memory stays offline" */
	RECORD_VALUES,
};

const char *record_value_to_string(enum record_value value); /* "target" */
void record_append_value(struct strbuf *text, const struct record *record, enum record_value value);

/* Append a text, and in the place of each @TDXO_NAME@ that value or field of the record. */
void record_append_text(struct strbuf *text, const struct record *record, const char *from);
