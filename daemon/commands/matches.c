/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What --fail-on= has found.
 */
#include "daemon/commands/matches.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/log/log.h"
#include "tdxo/base/array.h"

void matches_done(struct matches *matches)
{
	free(matches->items);
	*matches = (struct matches){0};
}

int matches_add(struct matches *matches, const struct record *record)
{
	struct matched_range match = {.words = fail_on_matches(matches->wanted, record)};

	if (!match.words)
		return 0;
	record_subject(record, match.subject);
	return array_append(matches->items, matches->n, match);
}

static void tell(const struct matched_range *match)
{
	char words[128] = "";
	size_t n = 0;

	for (unsigned int word = 0; word < FAIL_ON_MAX && n < sizeof(words); word++)
		if (match->words & 1U << word)
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? "," : "",
				fail_on_to_string(word));
	log_print(LOG_WARNING, "--fail-on=%s: %s", words, match->subject);
}

void matches_tell(const struct matches *matches)
{
	/* On a terminal, or in a file that has both, this comes last. */
	fflush(stdout);
	for (size_t i = 0; i < matches->n; i++)
		tell(&matches->items[i]);
}
