/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records as a table for people, through libsmartcols.
 */
#pragma once

#include "daemon/output/columns.h"
#include "tdxo/base/compiler.h"
#include "tdxo/record/record.h"

struct table {
	struct libscols_table *table;
	struct table_options options;
	const struct column *columns[COLUMNS_MAX];
	size_t n_columns;
	void *branches; /* the root of a tree as of tsearch(3), by parent and name */
};

int table_init(struct table *table, const struct table_options *options) MUST_CHECK;
void table_done(struct table *table);

int table_add(struct table *table, const struct record *record) MUST_CHECK;
int table_add_status(struct table *table, const struct device_status *status) MUST_CHECK;

int table_print(struct table *table) MUST_CHECK;
