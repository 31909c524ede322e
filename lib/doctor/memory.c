/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of memory: what is in the machine and cannot be used, by all or by confidential VMs.
 */
#include "lib/doctor/checks.h"

#include <inttypes.h>

void doctor_check_rejected(struct examination *examination)
{
	const struct snapshot *snapshot = examination->facts->snapshot;
	struct note note;

	for (size_t i = 0; snapshot && i < snapshot->rejected.n; i++) {
		const struct rejection *rejection = &snapshot->rejected.items[i];

		note_begin(&note, FINDING_MEMORY_REJECTED, SEVERITY_PROBLEM);
		note_source(&note, "kernel log");
		rejection_append(&note.message, rejection);
		strbuf_append(&note.message, ". The kernel logged: %s", rejection->line);
		strbuf_append(&note.remedy, "%s", rejection_remedy(rejection->cause));
		note_end(examination, &note);
	}
}

void doctor_check_boot_memory(struct examination *examination)
{
	const struct range_set *offline = examination->facts->offline_boot;
	char range[RANGE_TEXT], size[SIZE_TEXT];
	struct note note;

	for (size_t i = 0; offline && i < offline->n; i++) {
		const struct range run = offline->ranges[i];

		note_begin(&note, FINDING_BOOT_MEMORY_OFFLINE, SEVERITY_NOTICE);
		note_source(&note, MEMORY);
		strbuf_append(&note.message,
			"%s at %s were RAM at boot, and are offline: nothing can use them.",
			size_format(range_size(run), size), range_format(run, range));
		/* Each block goes online by itself: one that fails prevents no other. */
		strbuf_append(
			&note.remedy, "chmem -e 0x%" PRIx64 "-0x%" PRIx64, run.start, run.end - 1);
		note_end(examination, &note);
	}
}

static void append_stranded_remedy(struct strbuf *text, const struct record *record)
{
	if (device_is_dax(&record->facts->device))
		record_append_value(text, record, RECORD_REMOVAL);
	else if (record->facts->device.type == TYPE_VIRTIO_MEM)
		strbuf_append(
			text, "At the hypervisor, set requested-size=0 of the virtio-mem device.");
	else
		strbuf_append(text,
			"Leave the DIMM in its slot and reboot: firmware then reports it "
			"as RAM, and TDX accepts it.");
}

static void note_offline(struct examination *examination, const struct record *record)
{
	const struct block_count *blocks = &record->outcome.blocks;
	uint64_t offline = blocks->present - blocks->online - blocks->unread;
	char subject[RECORD_SENTENCE], size[SIZE_TEXT];
	struct note note;

	if (!offline)
		return;
	note_begin(&note, FINDING_STRANDED, SEVERITY_PROBLEM);
	note_source(&note, MEMORY);
	strbuf_append(&note.message,
		"%s: %s of it, in %" PRIu64 " memory block%s, must stay offline. The kernel "
		"has allocated page metadata for them, and nothing can use them.",
		record_subject(record, subject),
		size_format(offline * record->facts->block_size, size), offline,
		offline == 1 ? "" : "s");
	append_stranded_remedy(&note.remedy, record);
	note_end(examination, &note);
}

/* In each TDX state this memory is neither online nor a devdax device. */
static void note_missing(struct examination *examination, const struct record *record)
{
	uint64_t missing = record->outcome.missing;
	char subject[RECORD_SENTENCE], size[SIZE_TEXT];
	struct note note;

	if (!missing)
		return;
	note_begin(&note, FINDING_STRANDED, SEVERITY_PROBLEM);
	note_source(&note, "/sys/bus/dax/devices/%s", record->facts->device.name);
	strbuf_append(&note.message,
		"%s: its driver is kmem, and %s of it, %" PRIu64 " memory block%s, %s not in the "
		"kernel%s. Programs cannot use this memory.",
		record_subject(record, subject),
		size_format(missing * record->facts->block_size, size), missing,
		missing == 1 ? "" : "s", missing == 1 ? "is" : "are",
		record->facts->unplugged ? ": the device is unplugged" : "");
	/* 'daxctl reconfigure-device' fails where there is no block (tried on Debian 13). */
	if (record->facts->unplugged) {
		strbuf_append(&note.remedy, "echo %s >/sys/bus/dax/drivers/kmem/unbind && ",
			record->facts->device.name);
		doctor_append_decide(&note.remedy, examination->facts, &record->facts->device);
	} else {
		append_stranded_remedy(&note.remedy, record);
	}
	note_end(examination, &note);
}

void doctor_check_stranded(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;

	for (size_t i = 0; i < facts->n_records; i++) {
		const struct record *record = &facts->records[i];

		/* Persistent memory is not ours to give advice on. */
		if (record->facts->device.type == TYPE_PMEM)
			continue;
		if (doctor_keeps_out(facts) && record->decision->verdict != VERDICT_ONLINE)
			note_offline(examination, record);
		note_missing(examination, record);
	}
}

/* Memory that must not be online anyway: other findings tell what to do with it. 0 or -ENOMEM. */
static int find_to_stay_out(const struct doctor_facts *facts, struct range_set *ret_set)
{
	CLEANUP(range_list_done) struct range_list ranges = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < facts->n_records; i++)
		if (facts->records[i].decision->verdict != VERDICT_ONLINE)
			r = range_list_add(&ranges, facts->records[i].range);
	return r < 0 ? r : range_set_of(&ranges, ret_set);
}

/*
 * chmem(8) takes what it can offline, then exits with a failure if a block is in use, so nothing
 * may depend on its exit status. The last command brings back all that is offline, in any zone.
 */
static void append_rezoning(struct strbuf *text, struct range range)
{
	static const char *const commands[] = {"chmem -d", "; chmem -e -z Normal", "; chmem -e"};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		strbuf_append(text, "%s 0x%" PRIx64 "-0x%" PRIx64, commands[i], range.start,
			range.end - 1);
}

void doctor_check_movable(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	CLEANUP(range_set_done) struct range_set to_stay_out = {0};
	char range[RANGE_TEXT], size[SIZE_TEXT];
	struct note note;

	if (!doctor_concerns_tdx(facts))
		return;
	examination->error = find_to_stay_out(facts, &to_stay_out);
	for (size_t i = 0; i < facts->n_movable; i++) {
		const struct doctor_movable *movable = &facts->movable[i];

		if (range_set_overlaps(&to_stay_out, movable->range))
			continue;
		note_begin(&note, FINDING_MOVABLE_ZONE, SEVERITY_NOTICE);
		note_source(&note, MEMORY);
		strbuf_append(&note.message, "%s at %s",
			size_format(range_size(movable->range), size),
			range_format(movable->range, range));
		if (movable->node != NODE_UNKNOWN)
			strbuf_append(&note.message, " (node %d)", movable->node);
		strbuf_append(
			&note.message, " are in ZONE_MOVABLE: no confidential VM can use them.");
		append_rezoning(&note.remedy, movable->range);
		note_end(examination, &note);
	}
}
