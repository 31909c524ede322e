/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of the host: lines of other programs' files that may online memory.
 */
#include <assert.h>

#include "lib/doctor/checks.h"

static const struct {
	enum finding_code code;
	const char *clause;
} kinds[] = {
	[WRITER_TMPFILES] = {FINDING_TMPFILES_CONFIG, "systemd-tmpfiles applies"},
	[WRITER_SYSFS] = {FINDING_SYSFS_CONFIG, "sysfsutils.service applies"},
	[WRITER_UNIT] = {FINDING_SYSTEMD_UNIT, "systemd runs"},
	[WRITER_SCRIPT] = {FINDING_SCRIPT, NULL},
};
static_assert(ARRAY_SIZE(kinds) == WRITER_MAX, "a finding for each kind");

static void note_writer(struct examination *examination, const struct doctor_writer *writer)
{
	const char *clause = kinds[writer->kind].clause;
	struct note note;

	/* Nothing is known of its conditions: it may have no effect on this machine. */
	note_begin(&note, kinds[writer->kind].code, SEVERITY_NOTICE);
	note_source(&note, "%s:%u", writer->path, writer->line);
	strbuf_append(&note.message, "%s:%u may online memory: ", writer->path, writer->line);
	if (clause)
		strbuf_append(&note.message, "%s %s", clause, writer->what);
	else
		strbuf_append(&note.message, "%s:%u runs this script, which has the line %s",
			writer->edit.path, writer->edit.first, writer->what);
	note_comment_out(&note, &writer->edit);
	note_end(examination, &note);
}

void doctor_check_writers(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;

	for (enum writer_kind kind = 0; kind < WRITER_MAX; kind++)
		for (size_t i = 0; i < facts->n_writers; i++)
			if (facts->writers[i].kind == kind)
				note_writer(examination, &facts->writers[i]);
}
