/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Columns. Most are a field of the record as it is; the rest is put together here.
 */
#include "daemon/output/columns.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "daemon/log/print.h"
#include "tdxo/base/time.h"

/* "0x100000000-0x1ffffffff", as lsmem prints it; or nothing */
static void put_range(struct strbuf *text, struct range range)
{
	if (!range_is_empty(range))
		strbuf_append(text, "0x%" PRIx64 "-0x%" PRIx64, range.start, range.end - 1);
}

static void put_own_range(struct strbuf *text, const struct line *line)
{
	put_range(text, line->range);
}

static void put_window(struct strbuf *text, const struct line *line)
{
	put_range(text, record_window(line->record));
}

/* Firmware may tell of a window that the kernel has no decoder for. */
static void put_window_name(struct strbuf *text, const char *decoder, struct range window)
{
	bool known = !range_is_empty(window);

	strbuf_append(text, "%s%s", *decoder || !known ? decoder : "window", known ? " " : "");
	put_range(text, window);
}

static void put_name(struct strbuf *text, const struct line *line)
{
	const struct facts *facts = line->record->facts;

	switch (line->level) {
	case LEVEL_WINDOW:
		put_window_name(text, facts->cxl.window.decoder, line->range);
		break;
	case LEVEL_REGION:
		strbuf_append(text, "%s", facts->device.region);
		break;
	case LEVEL_DEVICE:
		strbuf_append(text, "%s", facts->device.name);
		break;
	default:
		put_range(text, line->range);
	}
}

/* One more value of a list; a memory device that has none keeps its place. */
static void put_item(struct strbuf *text, const char *item)
{
	strbuf_append(text, "%s%s", text->n ? "," : "", *item ? item : "-");
}

static void put_memdevs(struct strbuf *text, const struct line *line)
{
	for (size_t i = 0; i < line->record->facts->cxl.n_memdevs; i++)
		put_item(text, line->record->facts->cxl.memdevs[i].name);
}

static void put_serials(struct strbuf *text, const struct line *line)
{
	for (size_t i = 0; i < line->record->facts->cxl.n_memdevs; i++)
		strbuf_append(text, "%s0x%" PRIx64, i ? "," : "",
			line->record->facts->cxl.memdevs[i].serial);
}

static void put_hosts(struct strbuf *text, const struct line *line)
{
	for (size_t i = 0; i < line->record->facts->cxl.n_memdevs; i++)
		put_item(text, line->record->facts->cxl.memdevs[i].host);
}

#define BOTH   (COLUMN_IN_LIST | COLUMN_IN_TREE)
#define NUMBER COLUMN_RIGHT
#define SIZE   (COLUMN_RIGHT | COLUMN_SIZE)
#define WINDOW LEVEL_WINDOW
#define REGION LEVEL_REGION
#define DEVICE LEVEL_DEVICE
#define RANGE  LEVEL_RANGE

static const struct column columns[] = {
	{"NAME", NULL, put_name, WINDOW, COLUMN_IN_TREE | COLUMN_NAME, "object of the line"},
	{"RANGE", NULL, put_own_range, WINDOW, COLUMN_IN_LIST, "first and last address"},
	{"SIZE", NULL, NULL, WINDOW, SIZE | BOTH, "size"},
	{"TYPE", "type", NULL, REGION, BOTH, "type of the device"},
	{"CHARDEV", "chardev", NULL, DEVICE, COLUMN_IN_LIST, "dax device"},
	{"REGION", "region", NULL, REGION, 0, "CXL region"},
	{"WINDOW", NULL, put_window, WINDOW, 0, "first and last address of the CXL window"},
	{"MEMDEV", NULL, put_memdevs, REGION, 0, "CXL memory devices"},
	{"SERIAL", NULL, put_serials, REGION, 0, "their serial numbers"},
	{"HOST", NULL, put_hosts, REGION, 0, "their PCI addresses"},
	{"NODE", "target_node", NULL, DEVICE, NUMBER | BOTH, "NUMA node"},
	{"MEMBLOCKS", "total_memblocks", NULL, RANGE, NUMBER, "memory blocks in the kernel"},
	{"ONLINE", "online_memblocks", NULL, RANGE, NUMBER, "how many of them are online"},
	{"MODE", "mode", NULL, DEVICE, 0, "mode of the dax device"},
	{"VERDICT", "verdict", NULL, RANGE, BOTH | COLUMN_VERDICT, "the verdict"},
	{"ZONE", "zone", NULL, RANGE, 0, "intended zone"},
	{"REASON", "reason", NULL, RANGE, BOTH, "the reason"},
	{"RULE", "rule", NULL, RANGE, 0, "rule that matched"},
	{"RESULT", "result", NULL, RANGE, BOTH, "the result"},
	{"EXPECTED", "expected", NULL, RANGE, 0, "whether the kernel was expected to accept it"},
	{"ANSWER", "answer", NULL, RANGE, 0, "whether the kernel accepted it"},
	{"STRANDED", "stranded", NULL, RANGE, SIZE, "size of the memory that cannot be used"},
	{"TDX", "tdx_state", NULL, RANGE, 0, "TDX state in effect"},
};
static_assert(ARRAY_SIZE(columns) <= COLUMNS_MAX, "room for all columns");

/* Those of a device; with several ranges the first of them, and how many more there are. */
static void put_status_range(struct strbuf *text, const struct line *line)
{
	const struct device *device = &line->status->device;

	if (device->n_ranges)
		put_range(text, device->ranges[0]);
	if (device->n_ranges > 1)
		strbuf_append(text, " +%zu", device->n_ranges - 1);
}

static void put_status_type(struct strbuf *text, const struct line *line)
{
	strbuf_append(text, "%s", device_type_to_string(line->status->device.type));
}

static void put_status_chardev(struct strbuf *text, const struct line *line)
{
	strbuf_append(text, "%s", line->status->device.name);
}

static void put_status_node(struct strbuf *text, const struct line *line)
{
	if (line->status->device.node != NODE_UNKNOWN)
		strbuf_append(text, "%d", line->status->device.node);
}

static void put_status_blocks(struct strbuf *text, const struct line *line)
{
	const struct device_status *status = line->status;
	uint64_t total = status->blocks.present + status->missing;

	if (total)
		strbuf_append(text, "%" PRIu64 "/%" PRIu64, status->blocks.online, total);
}

static void put_status_verdict(struct strbuf *text, const struct line *line)
{
	if (line->status->entry)
		strbuf_append(text, "%s", verdict_to_string(line->status->entry->verdict));
}

static void put_status_reason(struct strbuf *text, const struct line *line)
{
	if (line->status->entry)
		strbuf_append(text, "%s", reason_to_string(line->status->entry->reason));
}

static void put_status_result(struct strbuf *text, const struct line *line)
{
	strbuf_append(text, "%s", device_status_result(line->status));
}

static void put_status_since(struct strbuf *text, const struct line *line)
{
	char since[TIME_TEXT];

	if (line->status->entry && line->status->entry->since)
		strbuf_append(text, "%s", time_format(line->status->entry->since, since));
}

static const struct column status_columns[] = {
	{"RANGE", NULL, put_status_range, RANGE, 0, NULL},
	{"SIZE", NULL, NULL, RANGE, SIZE, NULL},
	{"TYPE", NULL, put_status_type, RANGE, 0, NULL},
	{"CHARDEV", NULL, put_status_chardev, RANGE, 0, NULL},
	{"NODE", NULL, put_status_node, RANGE, NUMBER, NULL},
	{"ONLINE", NULL, put_status_blocks, RANGE, NUMBER, NULL},
	{"VERDICT", NULL, put_status_verdict, RANGE, COLUMN_VERDICT, NULL},
	{"REASON", NULL, put_status_reason, RANGE, 0, NULL},
	{"RESULT", NULL, put_status_result, RANGE, 0, NULL},
	{"SINCE", NULL, put_status_since, RANGE, 0, NULL},
};
static_assert(ARRAY_SIZE(status_columns) <= COLUMNS_MAX, "room for all columns");

#undef BOTH
#undef NUMBER
#undef SIZE
#undef WINDOW
#undef REGION
#undef DEVICE
#undef RANGE

static bool is_chosen(const struct table_options *options, size_t column)
{
	for (size_t i = 0; i < options->n_chosen; i++)
		if (options->chosen[i] == column)
			return true;
	return false;
}

int columns_choose(struct table_options *options, const char *title, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		if (strncasecmp(columns[i].title, title, n) != 0 || columns[i].title[n])
			continue;
		if (!is_chosen(options, i))
			options->chosen[options->n_chosen++] = i;
		return 0;
	}
	return -EINVAL;
}

void columns_choose_all(struct table_options *options)
{
	options->only_chosen = true;
	options->n_chosen = ARRAY_SIZE(columns);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		options->chosen[i] = i;
}

/* The name has the branches of the tree, so it is always there. */
static int default_flag(const struct table_options *options)
{
	if (!options->only_chosen)
		return options->tree ? COLUMN_IN_TREE : COLUMN_IN_LIST;
	return options->tree ? COLUMN_NAME : 0;
}

size_t columns_shown(const struct table_options *options, const struct column *shown[COLUMNS_MAX])
{
	int flag = default_flag(options);
	size_t n = 0;

	for (size_t i = 0; options->status && i < ARRAY_SIZE(status_columns); i++)
		shown[n++] = &status_columns[i];
	if (options->status)
		return n;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (columns[i].flags & flag && !(options->only_chosen && is_chosen(options, i)))
			shown[n++] = &columns[i];
	for (size_t i = 0; i < options->n_chosen; i++) {
		const struct column *column = &columns[options->chosen[i]];

		if (options->only_chosen || !(column->flags & flag))
			shown[n++] = column;
	}
	return n;
}

static void put_size(struct strbuf *text, uint64_t size, bool bytes)
{
	char buf[SIZE_TEXT];

	if (bytes)
		strbuf_append(text, "%" PRIu64, size);
	else
		strbuf_append(text, "%s", size_format(size, buf));
}

static struct field find_field(const struct record *record, const char *name)
{
	struct field fields[RECORD_FIELDS];
	size_t n = record_fields(record, fields);

	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return fields[i];
	return (struct field){0};
}

/* The field that a column shows; its own of a line is the size. */
static struct field field_of(const struct column *column, const struct line *line)
{
	if (column->field)
		return find_field(line->record, column->field);
	return (struct field){.kind = line->size ? FIELD_NUMBER : FIELD_NULL, .number = line->size};
}

static void put_value(
	struct strbuf *text, const struct column *column, const struct line *line, bool bytes)
{
	struct field field;

	if (column->put) {
		column->put(text, line);
		return;
	}
	field = field_of(column, line);
	if (field.kind == FIELD_TEXT)
		strbuf_append(text, "%s", field.text);
	else if (field.kind == FIELD_NUMBER && column->flags & COLUMN_SIZE)
		put_size(text, field.number, bytes);
	else if (field.kind == FIELD_NUMBER)
		strbuf_append(text, "%" PRIu64, field.number);
}

const char *column_text(
	const struct column *column, const struct line *line, bool bytes, char buf[COLUMN_TEXT])
{
	struct strbuf text = strbuf_in(buf, COLUMN_TEXT);

	if (line->level >= column->level)
		put_value(&text, column, line, bytes);
	return text.n || line->level != LEVEL_RANGE ? buf : "-";
}

void columns_help(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		print("  %-16s %s\n", columns[i].title, columns[i].help);
}
