/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records: entries of the journal with fields, or lines on stderr.
 */
#pragma once

#include "tdxo/record/record.h"

/* The record of a range. */
void journal_record(const struct record *record);

/* The TDX state's state, when it is first known and when it changes. */
void journal_tdx(const struct tdx *tdx);
