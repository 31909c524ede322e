/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records as entries of the journal.
 */
#include "daemon/output/journal.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "daemon/log/log.h"

/* Each has its entry in systemd/tdx-onlined.catalog.in. */
#define MESSAGE_TDX                                                                                \
	SD_ID128_MAKE_STR(f0, f9, 32, ee, d9, d2, 46, 15, 86, 11, e1, 4b, 0a, ae, 61, 4d)
#define MESSAGE_ONLINE                                                                             \
	SD_ID128_MAKE_STR(11, 59, f2, 47, f6, 03, 48, f2, b2, a2, f5, 9f, 5c, 3c, 58, 53)
#define MESSAGE_DEVDAX                                                                             \
	SD_ID128_MAKE_STR(da, dd, 0c, 54, 28, 0f, 42, 20, b0, 9f, 76, b2, f8, 76, e9, 68)
#define MESSAGE_OFFLINE                                                                            \
	SD_ID128_MAKE_STR(d1, b4, f1, a0, 99, 20, 46, 6e, a3, 8c, dd, a1, 07, d5, de, 10)
#define MESSAGE_IGNORE                                                                             \
	SD_ID128_MAKE_STR(fb, 3d, 18, c7, 39, 93, 4c, 5e, 9c, 04, b0, 3e, f7, d2, cb, 7b)
#define MESSAGE_REFUSED                                                                            \
	SD_ID128_MAKE_STR(17, b4, fc, 5c, 13, b6, 41, f7, 9a, 24, b9, 6a, 00, 8e, 9e, 32)

#define MESSAGE_CHANGED                                                                            \
	SD_ID128_MAKE_STR(09, 49, ec, dc, f2, f2, 4e, e7, a4, e4, ff, d7, 23, 40, b8, 62)

#define MESSAGE_DISAGREEMENT                                                                       \
	SD_ID128_MAKE_STR(70, 94, 44, d3, 34, 47, 40, 91, b2, 07, 34, da, b1, da, 85, 10)

#define MESSAGE_GUARD                                                                              \
	SD_ID128_MAKE_STR(7e, 93, 21, 13, 01, 0f, 4f, 11, bb, ba, bb, fa, 16, 11, 08, 0e)
#define MESSAGE_UNUSABLE                                                                           \
	SD_ID128_MAKE_STR(ac, 85, 56, ee, e2, e8, 41, b8, b2, e3, be, c0, e0, 64, b1, b9)
#define MESSAGE_REJECTED                                                                           \
	SD_ID128_MAKE_STR(34, 69, 76, d9, 81, cf, 48, 99, 86, b0, f2, 13, 0a, ae, e5, e0)

/* Message, id and priority; the record's fields; four of each memory device; the TDX state's. */
#define ENTRY_FIELDS (3 + RECORD_FIELDS + 4 * MEMDEVS_MAX + TDX_SOURCE_MAX + 1)

/* A journal entry under construction. */
struct journal_entry {
	char texts[ENTRY_FIELDS][RECORD_SENTENCE + 32];
	struct iovec fields[ENTRY_FIELDS];
	int n;
};

/* Add a field, which may contain foreign text. */
static void PRINTF(2, 3) add(struct journal_entry *entry, const char *format, ...)
{
	char *text = entry->texts[entry->n], raw[sizeof(entry->texts[0])];
	struct strbuf printable = strbuf_in(text, sizeof(entry->texts[0]));
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	strbuf_append_printable(&printable, raw);
	entry->fields[entry->n++] = (struct iovec){text, printable.n};
}

/* TDXO_NAME=value; a field that is absent has no line. */
static void add_field(struct journal_entry *entry, const struct field *field)
{
	char name[32];
	size_t i;

	for (i = 0; field->name[i] && i + 1 < sizeof(name); i++)
		name[i] = (char)toupper((unsigned char)field->name[i]);
	name[i] = '\0';
	if (field->kind == FIELD_TEXT)
		add(entry, "TDXO_%s=%s", name, field->text);
	else if (field->kind == FIELD_NUMBER)
		add(entry, "TDXO_%s=%" PRIu64, name, field->number);
	else if (field->kind == FIELD_BOOL)
		add(entry, "TDXO_%s=%s", name, field->number ? "yes" : "no");
	else if (field->kind == FIELD_ADDRESS)
		add(entry, "TDXO_%s=0x%" PRIx64, name, field->number);
}

/* What the state of TDX was decided by. */
static void add_evidence(struct journal_entry *entry, const struct tdx *tdx)
{
	for (enum tdx_source source = 0; source < TDX_SOURCE_MAX; source++)
		add(entry, "TDXO_EVIDENCE=%s: %s", tdx_source_to_string(source),
			fact_to_string(source, tdx->evidence.facts[source]));
	if (*tdx_evidence_line(tdx))
		add(entry, "TDXO_KERNEL_LOG=%s", tdx_evidence_line(tdx));
}

static const char *message_id(const struct record *record)
{
	static const char *const ids[] = {
		[VERDICT_ONLINE] = MESSAGE_ONLINE,
		[VERDICT_DEVDAX] = MESSAGE_DEVDAX,
		[VERDICT_OFFLINE] = MESSAGE_OFFLINE,
		[VERDICT_IGNORE] = MESSAGE_IGNORE,
	};
	static_assert(ARRAY_SIZE(ids) == VERDICT_MAX, "an id for each verdict");

	if (record_disagrees(record))
		return MESSAGE_DISAGREEMENT;
	if (record->outcome.result == RESULT_CHANGED)
		return MESSAGE_CHANGED;
	return record->decision->reason == REASON_KERNEL_REFUSED ? MESSAGE_REFUSED
								 : ids[record->decision->verdict];
}

static int priority_of(const struct record *record)
{
	if (record->outcome.result == RESULT_FAILED || record->outcome.result == RESULT_PARTIAL)
		return LOG_ERR;
	if (record->decision->overruled || record_disagrees(record))
		return LOG_WARNING;
	switch (record->decision->reason) {
	case REASON_KERNEL_REFUSED:
	case REASON_ROLLED_BACK:
	case REASON_NO_HEAD_ROOM:
	case REASON_ALREADY_ONLINE:
	case REASON_UNPLUGGED:
	case REASON_UNREADABLE:
	case REASON_BOOT_MAP_UNKNOWN:
		return LOG_WARNING;
	default:
		return LOG_NOTICE;
	}
}

void journal_record(const struct record *record)
{
	char sentence[RECORD_SENTENCE];
	struct field fields[RECORD_FIELDS];
	struct journal_entry entry = {0};
	size_t n;

	record_sentence(record, sentence);
	if (!log_has_fields()) {
		log_line(LOG_NOTICE, sentence);
		return;
	}
	add(&entry, "MESSAGE=%s", sentence);
	add(&entry, "MESSAGE_ID=%s", message_id(record));
	add(&entry, "PRIORITY=%d", priority_of(record));
	n = record_fields(record, fields);
	for (size_t i = 0; i < n; i++)
		add_field(&entry, &fields[i]);
	for (size_t i = 0; i < record->facts->cxl.n_memdevs; i++) {
		const struct memdev *memdev = &record->facts->cxl.memdevs[i];

		add(&entry, "TDXO_MEMDEV=%s", memdev->name);
		add(&entry, "TDXO_SERIAL=0x%" PRIx64, memdev->serial);
		add(&entry, "TDXO_HOST=%s", memdev->host);
		if (memdev->firmware[0])
			add(&entry, "TDXO_FIRMWARE_VERSION=%s", memdev->firmware);
	}
	add_evidence(&entry, &record->facts->tdx);
	sd_journal_sendv(entry.fields, entry.n);
}

void journal_rejection(const struct rejection *rejection)
{
	const struct range range = rejection->range;
	struct journal_entry entry = {0};
	char sentence[REJECTION_TEXT];
	struct strbuf text = strbuf_in(sentence, sizeof(sentence));

	rejection_append(&text, rejection);
	strbuf_append(&text, ". %s", rejection_remedy(rejection->cause));
	if (!log_has_fields()) {
		log_line(LOG_WARNING, sentence);
		return;
	}
	add(&entry, "MESSAGE=%s", sentence);
	add(&entry, "MESSAGE_ID=%s", MESSAGE_REJECTED);
	add(&entry, "PRIORITY=%d", LOG_WARNING);
	if (!range_is_empty(range)) {
		add(&entry, "TDXO_START=0x%" PRIx64, range.start);
		add(&entry, "TDXO_END=0x%" PRIx64, range.end - 1);
		add(&entry, "TDXO_SIZE=%" PRIu64, range_size(range));
	}
	add(&entry, "TDXO_CAUSE=%s", rejection_cause_to_string(rejection->cause));
	if (rejection->device[0])
		add(&entry, "TDXO_ACPI_DEVICE=%s", rejection->device);
	add(&entry, "TDXO_KERNEL_LOG=%s", rejection->line);
	sd_journal_sendv(entry.fields, entry.n);
}

void journal_tdx(const struct tdx *tdx)
{
	struct field fields[TDX_FIELDS];
	struct journal_entry entry = {0};
	char state[RECORD_SENTENCE];
	struct strbuf text = strbuf_in(state, sizeof(state));

	tdx_append(&text, tdx);
	if (tdx->cause > TDX_CAUSE_NOT_ENABLED)
		strbuf_append(&text, ": %s", tdx_cause_explain(tdx->cause));
	if (*tdx_evidence_line(tdx))
		strbuf_append(&text, ": %s", tdx_evidence_line(tdx));
	if (tdx->detected == TDX_UNKNOWN) {
		strbuf_append(&text, ": ");
		tdx_append_sources(&text, tdx);
	}
	add(&entry, "MESSAGE=TDX %s", state);
	if (!log_has_fields()) {
		log_line(LOG_INFO, entry.texts[0] + strlen("MESSAGE="));
		return;
	}
	add(&entry, "MESSAGE_ID=%s", MESSAGE_TDX);
	add(&entry, "PRIORITY=%d", LOG_INFO);
	tdx_fields(tdx, fields);
	for (size_t i = 0; i < TDX_FIELDS; i++)
		add_field(&entry, &fields[i]);
	add_evidence(&entry, tdx);
	sd_journal_sendv(entry.fields, entry.n);
}

/* An entry without a record's fields; on stderr only its sentence. */
static void send_plain(struct journal_entry *entry, int priority, const char *id)
{
	if (!log_has_fields()) {
		log_line(priority, entry->texts[0] + strlen("MESSAGE="));
		return;
	}
	add(entry, "MESSAGE_ID=%s", id);
	add(entry, "PRIORITY=%d", priority);
	sd_journal_sendv(entry->fields, entry->n);
}

void journal_guard(const char *name, const char *value, bool taken, bool given_up)
{
	struct journal_entry entry = {0};

	add(&entry,
		"MESSAGE=The guard was lowered: another program set %s to %s, so memory can have "
		"gone online before it was decided. %s",
		name, value,
		taken	   ? "It is taken again"
		: given_up ? "This has happened too often, and it is left so until the next reload"
			   : "It cannot be taken again now");
	add(&entry, "TDXO_GUARD_SWITCH=%s", name);
	add(&entry, "TDXO_GUARD_VALUE=%s", value);
	add(&entry, "TDXO_GUARD_TAKEN=%s", taken ? "yes" : "no");
	send_plain(&entry, LOG_WARNING, MESSAGE_GUARD);
}

void journal_unusable(const char *mistake)
{
	struct journal_entry entry = {0};

	add(&entry,
		"MESSAGE=The configuration cannot be used: %s. The guard is held, and nothing is "
		"decided until a reload finds no mistake: see 'tdx-onlined --check-config'",
		mistake);
	add(&entry, "TDXO_MISTAKE=%s", mistake);
	send_plain(&entry, LOG_ERR, MESSAGE_UNUSABLE);
}
