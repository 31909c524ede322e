/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts with the values of a record.
 */
#include "tdxo/record/remedy.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "tdxo/base/string_table.h"

static const char variable[] = "@TDXO_";

static const char *const names[] = {
	[RECORD_TARGET] = "target",
	[RECORD_MATCH] = "match",
	[RECORD_REMOVAL] = "removal",
	[RECORD_EFFECT] = "effect",
};
DEFINE_TO_STRING(record_value, enum record_value, names, RECORD_VALUES)

static void append_target(struct strbuf *text, const struct record *record)
{
	if (device_is_dax(&record->facts->device))
		strbuf_append(text, "%s", record->facts->device.name);
	else
		strbuf_append(text, "0x%" PRIx64, record->range.start);
}

static void append_match(struct strbuf *text, const struct record *record)
{
	if (device_is_dax(&record->facts->device))
		strbuf_append(text, "Device=%s", record->facts->device.name);
	else
		strbuf_append(text, "Range=0x%" PRIx64 "-0x%" PRIx64, record->range.start,
			record->range.end - 1);
}

static void append_removal(struct strbuf *text, const struct record *record)
{
	if (device_is_dax(&record->facts->device))
		strbuf_append(text, "daxctl reconfigure-device -m devdax -f %s",
			record->facts->device.name);
	else
		strbuf_append(text, "chmem -d 0x%" PRIx64 "-0x%" PRIx64, record->range.start,
			record->range.end - 1);
}

static void append_effect(struct strbuf *text, const struct record *record)
{
	static const char *const effects[] = {
		[VERDICT_ONLINE] = "the memory is system RAM",
		[VERDICT_DEVDAX] = "programs can map the memory, and the kernel does not use it",
		[VERDICT_OFFLINE] = "neither the kernel nor a program uses the memory",
		[VERDICT_IGNORE] = "tdx-onlined leaves the memory as it is",
	};
	static_assert(ARRAY_SIZE(effects) == VERDICT_MAX, "an effect of each verdict");

	strbuf_append(text, "%s", effects[record->decision->verdict]);
}

void record_append_value(struct strbuf *text, const struct record *record, enum record_value value)
{
	static void (*const appenders[])(struct strbuf * text, const struct record *record) = {
		[RECORD_TARGET] = append_target,
		[RECORD_MATCH] = append_match,
		[RECORD_REMOVAL] = append_removal,
		[RECORD_EFFECT] = append_effect,
	};
	static_assert(ARRAY_SIZE(appenders) == RECORD_VALUES, "a function for each value");

	appenders[value](text, record);
}

static bool is_named(const char *name, const char *as, size_t length)
{
	return strlen(name) == length && strncasecmp(name, as, length) == 0;
}

static void append_field(struct strbuf *text, const struct field *field)
{
	if (field->kind == FIELD_TEXT)
		strbuf_append(text, "%s", field->text);
	else
		strbuf_append(text, "%" PRIu64, field->number);
}

/* A field that the record does not have leaves its name, as in journalctl. */
static void append_named(
	struct strbuf *text, const struct record *record, const char *name, size_t length)
{
	struct field fields[RECORD_FIELDS];
	size_t n = record_fields(record, fields);

	for (enum record_value value = 0; value < RECORD_VALUES; value++)
		if (is_named(names[value], name, length)) {
			record_append_value(text, record, value);
			return;
		}
	for (size_t i = 0; i < n; i++)
		if (fields[i].kind && is_named(fields[i].name, name, length)) {
			append_field(text, &fields[i]);
			return;
		}
	strbuf_append(text, "%.*s", (int)length, name);
}

void record_append_text(struct strbuf *text, const struct record *record, const char *from)
{
	const char *found;

	while ((found = strstr(from, variable))) {
		const char *name = found + strlen(variable);
		size_t length = strcspn(name, "@");

		strbuf_append(text, "%.*s", (int)(found - from), from);
		append_named(text, record, name, length);
		from = name + length + (name[length] == '@');
	}
	strbuf_append(text, "%s", from);
}
