/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the topics of an explanation use, and those that have a file of their own.
 */
#pragma once

#include "tdxo/base/strbuf.h"
#include "tdxo/explain/explain.h"

#define MAP_UNKNOWN "It is not known which memory was RAM at boot."

struct story {
	const struct explain_world *world;
	const struct record *record;
	const struct history_entry *entry;
};

/* A process that is not root cannot read what the daemon noted of the device. */
static inline bool story_is_hidden(const struct story *story)
{
	return story->world->public && !device_is_dax(&story->record->facts->device);
}

void explain_what(struct strbuf *text, const struct story *story);
/* What would be decided of memory that arrives at a place, which is not empty. */
void explain_arrival(struct strbuf *text, const struct explain_world *world, struct range place);

void explain_origin(struct strbuf *text, const struct story *story);
