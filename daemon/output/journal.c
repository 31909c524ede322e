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
#include <systemd/sd-journal.h>

#include "daemon/log/log.h"
#include "tdxo/record/remedy.h"

/* Of what is not the record of a plain decision; each has its entry in the catalog's template. */
#define MESSAGE_TDX	 "f0f932eed9d246158611e14b0aae614d"
#define MESSAGE_FAILED	 "b8b14b9536944312ac039820225f504b"
#define MESSAGE_OBSERVED "2c290ea2fcf342efa6eeeae5e3a617f8"
#define MESSAGE_PRESENT	 "e7e3c0cc62a84da1925f1aaa4430fee3"
#define MESSAGE_CHANGED	 "0949ecdcf2f24ee7a4e4ffd72340b862"
#define MESSAGE_REFUSED	 "709444d334474091b20734dab1da8510"
#define MESSAGE_ACCEPTED "755252a65bc54f7d8021498d745c8f81"
#define MESSAGE_GUARD	 "7e932113010f4f11bbbabbfa1611080e"
#define MESSAGE_UNUSABLE "ac8556eee2e841b8b2e3bec0e064b1b9"
#define MESSAGE_REJECTED "346976d981cf489986b0f2130aaee5e0"

/*
 * Message, id and priority; the record's fields and values; four of each memory device; the TDX
 * state's.
 */
#define ENTRY_FIELDS (3 + RECORD_FIELDS + RECORD_VALUES + 4 * MEMDEVS_MAX + TDX_SOURCE_MAX + 1)

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

#define FIELD_NAME 32

static void to_upper(const char *text, char buf[FIELD_NAME])
{
	size_t i;

	for (i = 0; text[i] && i + 1 < FIELD_NAME; i++)
		buf[i] = (char)toupper((unsigned char)text[i]);
	buf[i] = '\0';
}

/* TDXO_NAME=value; a field that is absent has no line. */
static void add_field(struct journal_entry *entry, const struct field *field)
{
	char name[FIELD_NAME];

	to_upper(field->name, name);
	if (field->kind == FIELD_TEXT)
		add(entry, "TDXO_%s=%s", name, field->text);
	else if (field->kind == FIELD_NUMBER)
		add(entry, "TDXO_%s=%" PRIu64, name, field->number);
	else if (field->kind == FIELD_BOOL)
		add(entry, "TDXO_%s=%s", name, field->number ? "yes" : "no");
	else if (field->kind == FIELD_ADDRESS)
		add(entry, "TDXO_%s=0x%" PRIx64, name, field->number);
}

/* What the commands of the catalog use. */
static void add_values(struct journal_entry *entry, const struct record *record)
{
	for (enum record_value value = 0; value < RECORD_VALUES; value++) {
		char name[FIELD_NAME], buf[RECORD_SENTENCE];
		struct strbuf text = strbuf_in(buf, sizeof(buf));

		to_upper(record_value_to_string(value), name);
		record_append_value(&text, record, value);
		add(entry, "TDXO_%s=%s", name, buf);
	}
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
	static const char *const of_result[RESULT_MAX] = {
		[RESULT_CHANGED] = MESSAGE_CHANGED,
		[RESULT_PARTIAL] = MESSAGE_FAILED,
		[RESULT_FAILED] = MESSAGE_FAILED,
	};

	if (record_disagrees(record))
		return record->outcome.answer == ANSWER_REFUSES ? MESSAGE_REFUSED
								: MESSAGE_ACCEPTED;
	if (record->outcome.result == RESULT_WITHHELD)
		return record->decision->withheld == WITHHELD_PRESENT ? MESSAGE_PRESENT
								      : MESSAGE_OBSERVED;
	return of_result[record->outcome.result]
		       ?: reason_message_id(
				  record->decision->reason, device_is_dax(&record->facts->device));
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
	add_values(&entry, record);
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

static void append_detected(struct strbuf *text, const struct tdx *tdx)
{
	tdx_append_detected(text, tdx);
	if (tdx->detected == TDX_ARMED && !tdx->cause)
		strbuf_append(text, " (enabled in firmware, not initialized yet)");
	if (tdx->cause > TDX_CAUSE_NOT_ENABLED)
		strbuf_append(text, ": %s", tdx_cause_explain(tdx->cause));
	if (*tdx_evidence_line(tdx))
		strbuf_append(text, ": %s", tdx_evidence_line(tdx));
}

static void append_state(struct strbuf *text, const struct tdx *tdx)
{
	bool unverified = tdx_overridden(tdx) && tdx->detected == TDX_UNKNOWN;

	if (tdx_overridden(tdx))
		strbuf_append(text, "%s, because TDX=%s is set; %s",
			tdx_state_to_string(tdx->state), tdx_mode_to_string(tdx->mode),
			unverified ? "whether that is right cannot be verified"
				   : "by what this machine shows it is ");
	if (!unverified)
		append_detected(text, tdx);
	if (tdx->detected == TDX_UNKNOWN) {
		strbuf_append(text, ": ");
		tdx_append_sources(text, tdx);
	}
}

void journal_tdx(const struct tdx *tdx)
{
	struct field fields[TDX_FIELDS];
	struct journal_entry entry = {0};
	char state[RECORD_SENTENCE];
	struct strbuf text = strbuf_in(state, sizeof(state));

	append_state(&text, tdx);
	add(&entry, "MESSAGE=The TDX state is %s", state);
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
		"MESSAGE=Another program set %s to %s: memory may have gone online before "
		"tdx-onlined checked whether TDX accepts it. %s",
		name, value,
		taken	   ? "tdx-onlined has set it back"
		: given_up ? "This has happened too often: tdx-onlined leaves it so until the next "
			     "reload. Find the program with 'tdx-onlinectl doctor'"
			   : "tdx-onlined cannot set it back now");
	add(&entry, "TDXO_GUARD_SWITCH=%s", name);
	add(&entry, "TDXO_GUARD_VALUE=%s", value);
	add(&entry, "TDXO_GUARD_TAKEN=%s", taken ? "yes" : "no");
	send_plain(&entry, LOG_WARNING, MESSAGE_GUARD);
}

void journal_unusable(const char *mistake)
{
	struct journal_entry entry = {0};

	add(&entry,
		"MESSAGE=The configuration cannot be used: %s. Until it is corrected, new memory "
		"stays offline, and tdx-onlined does nothing with any memory: see 'tdx-onlinectl "
		"config check'",
		mistake);
	add(&entry, "TDXO_MISTAKE=%s", mistake);
	send_plain(&entry, LOG_ERR, MESSAGE_UNUSABLE);
}
