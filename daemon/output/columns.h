/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Columns: what a table can tell of a range, and which of it was asked for.
 *
 * A line of a table is about a range, or in a tree about what ranges have in common: a CXL
 * window, a region, a device. Such a line has only what is true of all that is below it.
 */
#pragma once

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/record/record.h"
#include "tdxo/record/status.h"

/* From the root of a tree to its leaves. */
enum level {
	LEVEL_WINDOW, /* what a CXL root decoder decodes */
	LEVEL_REGION,
	LEVEL_DEVICE,
	LEVEL_RANGE,
	LEVEL_MAX,
};

struct line {
	enum level level;
	const struct record *record;	    /* of the range, or of one that is below the line */
	struct range range;		    /* empty: not known, or there are several */
	uint64_t size;			    /* 0: not known */
	const struct device_status *status; /* in place of a record */
};

/* Long enough for one value of each memory device. */
#define COLUMN_TEXT (MEMDEVS_MAX * (SYSFS_NAME + 1))
#define COLUMNS_MAX 32

enum {
	COLUMN_RIGHT = 1 << 0,	 /* numbers */
	COLUMN_SIZE = 1 << 1,	 /* bytes; for people with a unit */
	COLUMN_IN_LIST = 1 << 2, /* shown unless others are chosen */
	COLUMN_IN_TREE = 1 << 3, /* the same in a tree */
	COLUMN_NAME = 1 << 4,	 /* has the branches of a tree */
	COLUMN_VERDICT = 1 << 5, /* has colours */
};

struct column {
	const char *title;
	const char *field; /* of the record; NULL: put() has it, or it is the line's size */
	void (*put)(struct strbuf *text, const struct line *line);
	enum level level; /* not known of lines nearer to the root */
	int flags;
	const char *help;
};

struct table_options {
	bool only_chosen; /* without those that are shown by default */
	bool noheadings;
	bool raw;
	bool bytes; /* sizes are plain numbers */
	bool tree;
	bool status; /* a row for each device, with columns of its own */
	size_t chosen[COLUMNS_MAX];
	size_t n_chosen;
	locale_t locale; /* of the output, borrowed; 0: "C" */
};

/* Choose the column of this title, n characters long, in any case. 0 or -EINVAL: none. */
int columns_choose(struct table_options *options, const char *title, size_t n) MUST_CHECK;

/* Choose all, in place of what was chosen. */
void columns_choose_all(struct table_options *options);

/* The columns to be shown, each once, in order. Returns how many. */
size_t columns_shown(const struct table_options *options, const struct column *shown[COLUMNS_MAX]);

/* What a line has in a column: "-" if a range has no such thing, "" if another line has none. */
const char *column_text(
	const struct column *column, const struct line *line, bool bytes, char buf[COLUMN_TEXT]);

/* Print what columns there are, a line for each. */
void columns_help(void);
