/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the program says.
 *
 * A service writes to the journal, with fields; anybody else reads plain text on stderr.
 * Complaints are about files that cannot be read: each is said once, as long as it lasts.
 */
#pragma once

#include <stdbool.h>
#include <syslog.h>

#include "tdxo/compiler.h"
#include "tdxo/record.h"

/* Decide once where messages go; before it they go to stderr. */
void journal_init(void);

/* One line. The priority is that of syslog(3). */
void journal_say(int priority, const char *format, ...) PRINTF(2, 3);

/* The record of a range. */
void journal_record(const struct record *record);

/* The gate's state, when it is first known and when it changes. */
void journal_gate(const struct gate *gate);

/*
 * Call `each` for every message of the kernel's own in the journal of this boot. 0, or a negative
 * errno if the journal cannot be read: -ENODATA if none can be seen, as without privileges.
 */
int journal_kernel_messages(
	void (*each)(const char *message, void *userdata), void *userdata) MUST_CHECK;

struct complaint;

struct complaints {
	struct complaint *items;
	size_t n;
};

void complaints_done(struct complaints *complaints);

/* Say it, unless the last look said it too. */
void complain(struct complaints *complaints, const char *format, ...) PRINTF(2, 3);

/* A new look begins: what is not complained about in it will be forgotten at the next. */
void complaints_begin(struct complaints *complaints);
