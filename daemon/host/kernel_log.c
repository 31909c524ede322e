/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's messages in the journal, through sd-journal.
 */
#include "daemon/host/kernel_log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

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

int kernel_log_from_journal(void (*each)(const char *message, void *userdata), void *userdata)
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
