/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Complaints: messages about files that cannot be read. Each is logged once, as long as it lasts.
 */
#pragma once

#include <stddef.h>

#include "tdxo/base/compiler.h"

struct complaint;

struct complaints {
	struct complaint *items;
	size_t n;
};

void complaints_done(struct complaints *complaints);

/* Log it, unless the last look logged it too, or there are 200 others already. */
void complain(struct complaints *complaints, const char *format, ...) PRINTF(2, 3);

/* From now on complaints are only kept: complaint_text() has them. */
void complaints_collect(void);

/* The text of complaint `i`, borrowed. */
const char *complaint_text(const struct complaints *complaints, size_t i);

/* A new look begins: what is not complained about in it will be forgotten at the next. */
void complaints_begin(struct complaints *complaints);
