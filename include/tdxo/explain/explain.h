/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation: the whole chain from firmware to verdict, in plain sentences.
 *
 * A range is explained topic by topic. A place where nothing arrived has fewer topics.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/firmware/acpi.h"
#include "tdxo/memory/snapshot.h"
#include "tdxo/record/history.h"
#include "tdxo/record/record.h"

enum topic {
	TOPIC_WHAT,
	TOPIC_ORIGIN,
	TOPIC_BOOT_MAP,
	TOPIC_TDX,
	TOPIC_RULE,
	TOPIC_VERDICT,
	TOPIC_DONE,
	TOPIC_KERNEL,
	TOPIC_CHANGE,
	TOPIC_MAX,
};

#define EXPLANATION_TEXT 5120 /* sixteen memory devices, all names at their longest, fit */

struct explanation {
	char texts[TOPIC_MAX][EXPLANATION_TEXT]; /* whole sentences, or empty */
};

/* The boot map as a whole. */
struct map_sum {
	uint64_t bytes;
	bool has_source[BOOT_SOURCE_MAX];
};

struct map_sum explain_sum_map(const struct boot_map *map);

/* What there is to go by, besides the record. */
struct explain_world {
	const struct snapshot *snapshot;
	struct map_sum map;	 /* of the snapshot */
	const struct srat *srat; /* empty where firmware has none */
	const struct cedt *cedt;
	const struct config *config;
	bool ran;			      /* the daemon has run in this boot */
	bool public;			      /* its notes lack what is not a dax device */
	const struct range_set *offline_boot; /* blocks of the place that is explained, or NULL */
};

/*
 * Explain a range: the record is that of a dry run, the entry what the daemon has noted of its
 * device, or NULL.
 */
void explain_range(const struct explain_world *world, const struct record *record,
	const struct history_entry *entry, struct explanation *ret_explanation);

/*
 * Explain addresses where nothing arrived: what boot map, tables and blocks have there, and if that
 * is nothing, what would be decided of memory that arrives there. False: nothing has them there.
 */
bool explain_place(const struct explain_world *world, struct range place,
	struct explanation *ret_explanation) MUST_CHECK;

const char *topic_to_string(enum topic topic);
