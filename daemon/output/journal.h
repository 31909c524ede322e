/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records: entries of the journal with fields, or lines on stderr.
 */
#pragma once

#include "tdxo/memory/rejected.h"
#include "tdxo/record/record.h"

/* The record of a range. */
void journal_record(const struct record *record);

/* Memory that the kernel rejected. */
void journal_rejection(const struct rejection *rejection);

/* The TDX state, when it is first known and when it changes. */
void journal_tdx(const struct tdx *tdx);

/* Another program has set a switch of the guard to a value; what has become of it since. */
void journal_guard(const char *name, const char *value, bool taken, bool given_up);

/* The configuration cannot be used; `mistake` is the first, with file and line. */
void journal_unusable(const char *mistake);
