/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a reload would change: one line for each key and each range.
 */
#include "daemon/commands/config_diff.h"

#include <stdbool.h>
#include <string.h>

#include "daemon/log/print.h"

void diff_config(struct diff *diff, const struct settings *settings)
{
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		const char *is = diff->state->in_effect[key];
		const char *will = settings->keys[key].value ?: config_key_default(key);

		if (!is || strcmp(is, will) == 0)
			continue;
		print("%s=%s -> %s=%s\n", config_key_name(key), is, config_key_name(key), will);
		diff->n++;
	}
}

static void print_decision(
	enum verdict verdict, enum reason reason, enum zone zone, const char *rule)
{
	print("%s (%s)", verdict_to_string(verdict), reason_to_string(reason));
	if (zone)
		print(", zone %s", zone_to_string(zone));
	if (*rule)
		print(", rule %s", rule);
}

void diff_range(struct diff *diff, const struct record *record)
{
	const struct device *device = &record->facts->device;
	const struct decision *decision = record->decision;
	const struct history_entry *entry;
	char subject[RECORD_SENTENCE];
	bool same;

	if (record->facts != diff->facts)
		diff->entry = history_find(&diff->state->history, device);
	diff->facts = record->facts;
	entry = diff->entry;
	same = entry && !history_entry_differs(entry, decision, record->outcome.result);
	if (same && record->outcome.result != RESULT_PLANNED)
		return;
	print("%s: ", record_subject(record, subject));
	if (same)
		print("not as decided, ");
	if (entry)
		print_decision(entry->verdict, entry->reason, entry->zone, entry->rule);
	else if (diff->state->earlier && diff->state->public && !device_is_dax(device))
		print("not known (run it as root)");
	else
		print("not decided yet");
	print(" -> ");
	print_decision(decision->verdict, decision->reason, decision->zone, decision->rule);
	print("%s\n", record->outcome.result == RESULT_WITHHELD ? ", withheld" : "");
	diff->n++;
}

void diff_end(const struct diff *diff)
{
	if (!diff->state->earlier)
		print("The daemon has not run in this boot: no configuration is in effect.\n");
	else if (!diff->n)
		print("A reload would change nothing.\n");
}
