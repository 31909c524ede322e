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

int matches_add_offline_boot(struct matches *matches, const struct range_set *offline)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < offline->n; i++) {
		struct matched_range match = {.words = 1U << FAIL_ON_OFFLINE_BOOT};
		char size[SIZE_TEXT], range[RANGE_TEXT];

		snprintf(match.subject, sizeof(match.subject), "%s boot memory %s",
			size_format(range_size(offline->ranges[i]), size),
			range_format(offline->ranges[i], range));
		r = array_append(matches->items, matches->n, match);
	}
	return r;
}

static void tell(const struct matched_range *match)
{
	char words[128] = "";
	size_t n = 0;

	for (unsigned int word = 0; word < FAIL_ON_MAX && n < sizeof(words); word++)
		if (fail_on_has(match->words, word))
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
