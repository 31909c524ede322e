/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that is in the machine and that nobody can use, although TDX does not refuse it.
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
		strbuf_append(&note.message, ". It logged: %s", rejection->line);
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
			"%s at %s were RAM at boot, and are offline: nobody can use them.",
			size_format(range_size(run), size), range_format(run, range));
		/* Each block goes online by itself: one that fails prevents no other. */
		strbuf_append(
			&note.remedy, "chmem -e 0x%" PRIx64 "-0x%" PRIx64, run.start, run.end - 1);
		note_end(examination, &note);
	}
}
