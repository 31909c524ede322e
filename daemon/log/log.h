/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: a service writes to the journal, any other process writes plain text to stderr.
 */
#pragma once

#include <stdbool.h>
#include <syslog.h>

#include "tdxo/base/compiler.h"

/*
 * Decide once where messages go; before that they go to stderr. There they begin with the name of
 * the program, which is borrowed.
 */
void log_init(const char *name);

/* Log one line, which may contain foreign text. The priority is that of syslog(3). */
void log_print(int priority, const char *format, ...) PRINTF(2, 3);
void log_line(int priority, const char *text);

/* True if messages go to the journal, where an entry can have fields. */
bool log_has_fields(void);
