/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the program says: sd-journal, or stderr.
 */
#include "journal.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "tdxo/array.h"

/* Each has its entry in systemd/tdx-onlined.catalog.in. */
#define MESSAGE_GATE                                                                               \
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

struct complaint {
	char text[256];
	bool fresh; /* complained about in this look */
};

static bool to_journal;

void journal_init(void)
{
	unsigned long long device, inode;
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;

	/* systemd.exec(5), "$JOURNAL_STREAM": stderr is the journal's if the numbers agree. */
	to_journal = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
		     fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static void say(int priority, const char *text)
{
	if (to_journal)
		sd_journal_print(priority, "%s", text);
	else
		fprintf(stderr, "tdx-onlined: %s\n", text);
}

void journal_say(int priority, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(priority, text);
}

static void close_journal(sd_journal **journal)
{
	sd_journal_close(*journal);
}

/* The kernel's own messages of this boot: programs that write to /dev/kmsg have a facility. */
static int match_kernel_messages(sd_journal *journal)
{
	char boot[SD_ID128_STRING_MAX], match[64];
	sd_id128_t id;
	int r;

	r = sd_id128_get_boot(&id);
	if (r < 0)
		return r;
	snprintf(match, sizeof(match), "_BOOT_ID=%s", sd_id128_to_string(id, boot));
	r = sd_journal_add_match(journal, match, 0);
	if (r == 0)
		r = sd_journal_add_match(journal, "_TRANSPORT=kernel", 0);
	return r == 0 ? sd_journal_add_match(journal, "SYSLOG_FACILITY=0", 0) : r;
}

int journal_kernel_messages(void (*each)(const char *message, void *userdata), void *userdata)
{
	static const char key[] = "MESSAGE=";
	CLEANUP(close_journal) sd_journal *journal = NULL;
	char message[1024];
	bool any = false;
	const void *data;
	size_t size;
	int r;

	r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
	if (r == 0)
		r = match_kernel_messages(journal);
	if (r < 0)
		return r;
	while ((r = sd_journal_next(journal)) > 0) {
		if (sd_journal_get_data(journal, "MESSAGE", &data, &size) < 0 || size < strlen(key))
			continue;
		snprintf(message, sizeof(message), "%.*s", (int)(size - strlen(key)),
			(const char *)data + strlen(key));
		each(message, userdata);
		any = true;
	}
	return r == 0 && !any ? -ENODATA : r;
}

/* Message, id and priority; the record's fields; four of each memory device; the gate's. */
#define ENTRY_FIELDS (3 + RECORD_FIELDS + 4 * MEMDEVS_MAX + GATE_SOURCE_MAX + 1)

/* A journal entry under construction. */
struct entry {
	char texts[ENTRY_FIELDS][RECORD_SENTENCE + 32];
	struct iovec fields[ENTRY_FIELDS];
	int n;
};

static void PRINTF(2, 3) add(struct entry *entry, const char *format, ...)
{
	char *text = entry->texts[entry->n];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(entry->texts[0]), format, args);
	va_end(args);
	entry->fields[entry->n++] = (struct iovec){text, strlen(text)};
}

/* TDXO_NAME=value; a field that is absent has no line. */
static void add_field(struct entry *entry, const struct field *field)
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
static void add_evidence(struct entry *entry, const struct gate *gate)
{
	for (enum gate_source source = 0; source < GATE_SOURCE_MAX; source++)
		add(entry, "TDXO_EVIDENCE=%s: %s", gate_source_to_string(source),
			fact_to_string(source, gate->evidence.facts[source]));
	if (*gate_log_line(gate))
		add(entry, "TDXO_KERNEL_LOG=%s", gate_log_line(gate));
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
	return record->decision.reason == REASON_KERNEL_REFUSED ? MESSAGE_REFUSED
								: ids[record->decision.verdict];
}

static int priority_of(const struct record *record)
{
	if (record->outcome.result == RESULT_FAILED || record->outcome.result == RESULT_PARTIAL)
		return LOG_ERR;
	if (record->decision.overruled || record_disagrees(record))
		return LOG_WARNING;
	switch (record->decision.reason) {
	case REASON_KERNEL_REFUSED:
	case REASON_ROLLED_BACK:
	case REASON_NO_HEAD_ROOM:
	case REASON_ALREADY_ONLINE:
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
	struct entry entry = {0};
	size_t n;

	record_sentence(record, sentence);
	if (!to_journal) {
		say(LOG_NOTICE, sentence);
		return;
	}
	add(&entry, "MESSAGE=%s", sentence);
	add(&entry, "MESSAGE_ID=%s", message_id(record));
	add(&entry, "PRIORITY=%d", priority_of(record));
	n = record_fields(record, fields);
	for (size_t i = 0; i < n; i++)
		add_field(&entry, &fields[i]);
	for (size_t i = 0; i < record->arrival.n_memdevs; i++) {
		const struct memdev *memdev = &record->arrival.memdevs[i];

		add(&entry, "TDXO_MEMDEV=%s", memdev->name);
		add(&entry, "TDXO_SERIAL=0x%" PRIx64, memdev->serial);
		add(&entry, "TDXO_PCI_ADDRESS=%s", memdev->pci_address);
		if (memdev->firmware[0])
			add(&entry, "TDXO_FIRMWARE=%s", memdev->firmware);
	}
	add_evidence(&entry, &record->gate);
	sd_journal_sendv(entry.fields, entry.n);
}

void journal_gate(const struct gate *gate)
{
	struct field fields[GATE_FIELDS];
	struct entry entry = {0};
	char state[RECORD_SENTENCE];
	struct text text = text_in(state, sizeof(state));

	gate_append(&text, gate);
	if (gate->cause > GATE_CAUSE_NOT_ENABLED)
		text_append(&text, ": %s", gate_cause_explain(gate->cause));
	if (*gate_log_line(gate))
		text_append(&text, ": %s", gate_log_line(gate));
	if (gate->detected == GATE_UNKNOWN) {
		text_append(&text, ": ");
		gate_append_sources(&text, gate);
	}
	add(&entry, "MESSAGE=TDX gate %s", state);
	if (!to_journal) {
		say(LOG_INFO, entry.texts[0] + strlen("MESSAGE="));
		return;
	}
	add(&entry, "MESSAGE_ID=%s", MESSAGE_GATE);
	add(&entry, "PRIORITY=%d", LOG_INFO);
	gate_fields(gate, fields);
	for (size_t i = 0; i < GATE_FIELDS; i++)
		add_field(&entry, &fields[i]);
	add_evidence(&entry, gate);
	sd_journal_sendv(entry.fields, entry.n);
}

void complaints_done(struct complaints *complaints)
{
	free(complaints->items);
	*complaints = (struct complaints){0};
}

void complaints_begin(struct complaints *complaints)
{
	size_t kept = 0;

	for (size_t i = 0; i < complaints->n; i++) {
		if (!complaints->items[i].fresh)
			continue;
		complaints->items[kept] = complaints->items[i];
		complaints->items[kept++].fresh = false;
	}
	complaints->n = kept;
}

/* Is it known already? Then it is fresh again. */
static bool known(struct complaints *complaints, const char *text)
{
	for (size_t i = 0; i < complaints->n; i++) {
		if (strcmp(complaints->items[i].text, text) != 0)
			continue;
		complaints->items[i].fresh = true;
		return true;
	}
	return false;
}

void complain(struct complaints *complaints, const char *format, ...)
{
	struct complaint complaint = {.fresh = true};
	va_list args;

	va_start(args, format);
	vsnprintf(complaint.text, sizeof(complaint.text), format, args);
	va_end(args);
	if (known(complaints, complaint.text))
		return;
	say(LOG_WARNING, complaint.text);
	/* Short of memory it is said, and perhaps said again. */
	(void)array_append(complaints->items, complaints->n, complaint);
}
