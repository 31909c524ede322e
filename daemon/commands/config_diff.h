/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The difference between what is in effect and what the configuration files say now.
 */
#pragma once

#include "daemon/settings/config_file.h"
#include "daemon/state/state.h"
#include "tdxo/record/record.h"

struct diff {
	const struct state *state; /* of the daemon */
	size_t n;		   /* differences printed */

	/* Of the last device with a range: a device can have many. */
	const struct facts *facts;
	const struct history_entry *entry;
};

/* Print the keys whose values differ. */
void diff_config(struct diff *diff, const struct settings *settings);

/* Print a range if it would be decided differently. */
void diff_range(struct diff *diff, const struct record *record);

/* Say so if nothing differs, or if there is nothing in effect to differ from. */
void diff_end(const struct diff *diff);
