/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table: one row per range, one column per thing that people ask for first.
 */
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libsmartcols.h>

static const struct {
	const char *title;
	const char *field; /* of the record; NULL: made here */
	int flags;
} columns[] = {
	{"RANGE", NULL, 0},
	{"SIZE", NULL, SCOLS_FL_RIGHT},
	{"CARRIER", "carrier", 0},
	{"DEVICE", "device", 0},
	{"NODE", "node", SCOLS_FL_RIGHT},
	{"VERDICT", "verdict", 0},
	{"REASON", "reason", 0},
	{"RESULT", "result", 0},
};

int table_init(struct table *table)
{
	table->table = scols_new_table();
	if (!table->table)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (!scols_table_new_column(table->table, columns[i].title, 0, columns[i].flags))
			return -ENOMEM;
	return 0;
}

void table_done(struct table *table)
{
	scols_unref_table(table->table);
	table->table = NULL;
}

static const struct field *find_field(const struct field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static int set_field(struct libscols_line *line, size_t column, const struct field *field)
{
	char number[24];

	if (!field || field->kind == FIELD_NULL)
		return scols_line_set_data(line, column, "-");
	if (field->kind == FIELD_TEXT)
		return scols_line_set_data(line, column, field->text);
	snprintf(number, sizeof(number), "%" PRIu64, field->number);
	return scols_line_set_data(line, column, number);
}

int table_add(struct table *table, const struct record *record)
{
	struct libscols_line *line = scols_table_new_line(table->table, NULL);
	char range[RANGE_TEXT] = "-", size[SIZE_TEXT];
	struct field fields[RECORD_FIELDS];
	size_t n = record_fields(record, fields);
	int r;

	if (!line)
		return -ENOMEM;
	if (record->arrival.fault != FAULT_UNREADABLE)
		snprintf(range, sizeof(range), "0x%" PRIx64 "-0x%" PRIx64,
			record->arrival.range.start, record->arrival.range.end - 1);
	r = scols_line_set_data(line, 0, range);
	if (r == 0)
		r = scols_line_set_data(line, 1, size_format(record->arrival.size, size));
	for (size_t i = 2; r == 0 && i < ARRAY_SIZE(columns); i++)
		r = set_field(line, i, find_field(fields, n, columns[i].field));
	return r;
}

int table_print(struct table *table)
{
	return scols_print_table(table->table);
}
