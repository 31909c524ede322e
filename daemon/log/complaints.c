/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Complaints: a line is logged once, and again only after a look without it.
 */
#include "daemon/log/complaints.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/log.h"
#include "tdxo/base/array.h"

/*
 * Each complaint is compared with all others, and a broken tree can have one for every file. So
 * many are logged, and then one that there are more.
 */
#define COMPLAINTS_MOST 200

struct complaint {
	char text[256];
	bool fresh; /* complained about in this look */
};

static bool collecting;

void complaints_collect(void)
{
	collecting = true;
}

const char *complaint_text(const struct complaints *complaints, size_t i)
{
	return complaints->items[i].text;
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
	if (complaints->n >= COMPLAINTS_MOST) {
		snprintf(complaint.text, sizeof(complaint.text), "%s",
			"There are more files that cannot be used: they are not logged");
		if (known(complaints, complaint.text))
			return;
	}
	if (!collecting)
		log_line(LOG_WARNING, complaint.text);
	/* Without memory it is logged, and possibly logged again. */
	(void)array_append(complaints->items, complaints->n, complaint);
}
