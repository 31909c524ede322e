/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records as a table for people, through libsmartcols.
 */
#pragma once

#include "tdxo/compiler.h"
#include "tdxo/record.h"

struct table {
	struct libscols_table *table;
};

int table_init(struct table *table) MUST_CHECK;
void table_done(struct table *table);
int table_add(struct table *table, const struct record *record) MUST_CHECK;
int table_print(struct table *table) MUST_CHECK;
