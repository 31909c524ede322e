/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: sd-journal, or stderr.
 */
#include "daemon/log/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "tdxo/base/strbuf.h"

#define LOG_LINE 8192 /* longer than a path and what is logged of it */

static const char *program = "tdx-onlined";
static bool to_journal;

void log_init(const char *name)
{
	unsigned long long device, inode;
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;

	program = name;
	/* systemd.exec(5), "$JOURNAL_STREAM": stderr is the journal's if the numbers agree. */
	to_journal = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
		     fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_line(int priority, const char *text)
{
	char line[LOG_LINE];
	struct strbuf printable = strbuf_in(line, sizeof(line));

	strbuf_append_printable(&printable, text);
	if (to_journal)
		sd_journal_print(priority, "%s", line);
	else
		fprintf(stderr, "%s: %s\n", program, line);
}

void log_print(int priority, const char *format, ...)
{
	char text[LOG_LINE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_line(priority, text);
}

bool log_has_fields(void)
{
	return to_journal;
}
