/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table: one row per range, one column per thing that was asked for.
 *
 * As a tree it has further lines, for what ranges have in common. The branches of a line are
 * found again by its name, which is unique below its parent.
 */
#include "daemon/output/table.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols.h>

#include "daemon/host/cleanup.h"
#include "daemon/output/terminal.h"

static const char *colour_of(enum verdict verdict, enum result result)
{
	static const char *const colours[] = {
		[VERDICT_ONLINE] = "green",
		[VERDICT_DEVDAX] = "cyan",
		[VERDICT_OFFLINE] = "brown",
		[VERDICT_IGNORE] = NULL,
	};
	static_assert(ARRAY_SIZE(colours) == VERDICT_MAX, "a colour or none for each verdict");

	if (result == RESULT_PARTIAL || result == RESULT_FAILED || result == RESULT_CHANGED)
		return "red";
	return colours[verdict];
}

static const char *colour_of_line(const struct line *line)
{
	const struct history_entry *entry = line->status ? line->status->entry : NULL;

	if (!line->status)
		return colour_of(line->record->decision->verdict, line->record->outcome.result);
	if (!entry)
		return NULL;
	return colour_of(entry->verdict, line->status->changed ? RESULT_CHANGED : entry->result);
}

static int add_column(struct table *table, const struct column *column)
{
	bool branches = table->options.tree && column->flags & COLUMN_NAME;
	int flags = (column->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
		    (branches ? SCOLS_FL_TREE : 0);

	return scols_table_new_column(table->table, column->title, 0, flags) ? 0 : -ENOMEM;
}

int table_init(struct table *table, const struct table_options *options)
{
	int r = 0;

	*table = (struct table){.options = *options, .table = scols_new_table()};
	if (!table->table)
		return -ENOMEM;
	table->n_columns = columns_shown(options, table->columns);
	for (size_t i = 0; r == 0 && i < table->n_columns; i++)
		r = add_column(table, table->columns[i]);
	if (r == 0)
		r = scols_table_enable_raw(table->table, options->raw);
	/* Of cells that are printable it would write "\x" as "\x5cx". */
	if (r == 0)
		r = scols_table_enable_noencoding(table->table, !options->raw);
	if (r == 0)
		r = scols_table_enable_colors(
			table->table, !options->raw && terminal_has_colours());
	return r;
}

void table_done(struct table *table)
{
	scols_unref_table(table->table);
	tdestroy(table->branches, free);
	*table = (struct table){0};
}

/*
 * Printable text, which has the same width everywhere. Raw output needs all bytes: libsmartcols
 * writes a backslash as \x5c, and in the C locale all bytes but printable ASCII in the same form.
 */
static const char *cell_text(const struct table *table, const struct column *column,
	const struct line *line, char buf[COLUMN_TEXT])
{
	struct strbuf printable = strbuf_in(buf, COLUMN_TEXT);
	char raw[COLUMN_TEXT];
	const char *text = column_text(column, line, table->options.bytes, raw);

	if (table->options.raw)
		strbuf_append(&printable, "%s", text);
	else
		strbuf_append_printable(&printable, text);
	return buf;
}

static int fill(struct table *table, struct libscols_line *row, const struct line *line)
{
	char buf[COLUMN_TEXT];
	int r = 0;

	for (size_t i = 0; r == 0 && i < table->n_columns; i++) {
		const struct column *column = table->columns[i];
		struct libscols_cell *cell = scols_line_get_cell(row, i);

		r = scols_cell_set_data(cell, cell_text(table, column, line, buf));
		if (r == 0 && column->flags & COLUMN_VERDICT && line->level == LEVEL_RANGE)
			r = scols_cell_set_color(cell, colour_of_line(line));
	}
	return r;
}

static size_t name_column(const struct table *table)
{
	size_t i = 0;

	while (!(table->columns[i]->flags & COLUMN_NAME))
		i++;
	return i;
}

struct branch {
	const struct libscols_line *parent; /* or NULL */
	char name[COLUMN_TEXT];
	struct libscols_line *row; /* NULL: there is none yet */
};

static int compare_branches(const void *a, const void *b)
{
	const struct branch *x = a, *y = b;
	uintptr_t x_parent = (uintptr_t)x->parent, y_parent = (uintptr_t)y->parent;

	if (x_parent != y_parent)
		return x_parent > y_parent ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* The branch of that name below the parent; NULL: there was no memory for it. */
static struct branch *find_branch(
	struct table *table, const struct libscols_line *parent, const char *name)
{
	struct branch *new = calloc(1, sizeof(*new)), **node;

	if (!new)
		return NULL;
	new->parent = parent;
	snprintf(new->name, sizeof(new->name), "%s", name);
	node = tsearch(new, &table->branches, compare_branches);
	if (!node || *node != new)
		free(new);
	return node ? *node : NULL;
}

/* Add the line below a parent or find it, and be the parent of what follows. */
static int add_branch(struct table *table, struct line *line, struct libscols_line **parent)
{
	const struct column *column = table->columns[name_column(table)];
	struct branch *branch;
	char buf[COLUMN_TEXT];
	const char *name = cell_text(table, column, line, buf);

	if (!*name)
		return 0;
	branch = find_branch(table, *parent, name);
	if (branch && !branch->row)
		branch->row = scols_table_new_line(table->table, *parent);
	if (!branch || !branch->row)
		return -ENOMEM;
	*parent = branch->row;
	return fill(table, branch->row, line);
}

static int add_branches(
	struct table *table, const struct record *record, struct libscols_line **parent)
{
	struct range window = record_window(record);
	struct line lines[] = {
		{LEVEL_WINDOW, record, window, range_size(window), NULL},
		{LEVEL_REGION, record, {0}, 0, NULL},
		{LEVEL_DEVICE, record, {0}, record->facts->device.size, NULL},
	};
	static_assert(ARRAY_SIZE(lines) == LEVEL_RANGE, "a line for all but the range itself");
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lines); i++)
		r = add_branch(table, &lines[i], parent);
	return r;
}

int table_add(struct table *table, const struct record *record)
{
	struct line line = {LEVEL_RANGE, record, record->range, record_size(record), NULL};
	struct libscols_line *parent = NULL, *row;
	int r = 0;

	if (table->options.tree)
		r = add_branches(table, record, &parent);
	if (r < 0)
		return r;
	row = scols_table_new_line(table->table, parent);
	return row ? fill(table, row, &line) : -ENOMEM;
}

int table_add_status(struct table *table, const struct device_status *status)
{
	struct line line = {.level = LEVEL_RANGE, .size = status->device.size, .status = status};
	struct libscols_line *row = scols_table_new_line(table->table, NULL);

	return row ? fill(table, row, &line) : -ENOMEM;
}

/* Without the blanks up to where a last column would be. */
static void print_lines(const char *text)
{
	while (*text) {
		int n = (int)strcspn(text, "\n"), kept = n;

		while (kept && text[kept - 1] == ' ')
			kept--;
		printf("%.*s\n", kept, text);
		text += n + (text[n] == '\n');
	}
}

/*
 * libsmartcols prints the heading in any case, because without one the widths of the columns depend
 * on its version: 2.38 makes room for the titles, 2.41 does not.
 */
static const char *after_heading(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? end + 1 : text;
}

int table_print(struct table *table)
{
	CLEANUP(free_text) char *text = NULL;
	locale_t locale = table->options.raw ? (locale_t)0 : table->options.locale,
		 before = uselocale((locale_t)0);
	int r;

	if (locale)
		uselocale(locale);
	r = scols_print_table_to_string(table->table, &text);
	uselocale(before);
	if (r == 0 && text)
		print_lines(table->options.noheadings ? after_heading(text) : text);
	return r;
}
