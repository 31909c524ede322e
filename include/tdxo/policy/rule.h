/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules: which devices the administrator means, and what he wants of them.
 *
 * A rule is one file, as in systemd.link(5): [Match] says which devices, [Policy] what. A device
 * matches if every key of [Match] that is given does; a key with several words matches if one
 * of them does. Names are patterns as of glob(7), and their case does not matter. Of several
 * rules that match the first counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/memory/facts.h"
#include "tdxo/policy/verdict.h"

/* What becomes of the blocks that are online already when another one fails. */
enum on_failure {
	ON_FAILURE_DEFAULT, /* in a rule: not given */
	ON_FAILURE_ROLLBACK,
	ON_FAILURE_KEEP,
	ON_FAILURE_MAX,
};

/* The keys of [Match]. */
enum match {
	MATCH_TYPE,
	MATCH_DEVICE,
	MATCH_SERIAL,
	MATCH_PCI_ADDRESS,
	MATCH_REGION,
	MATCH_TARGET_NODE,
	MATCH_MIN_SIZE,
	MATCH_MAX_SIZE,
	MATCH_RANGE,
	MATCH_PRESENT,
	MATCH_MODE,
	MATCH_MAX,
};

#define RULE_NAME  256 /* a file's name, with its NUL */
#define GROUP_NAME 33  /* as useradd(8) allows, with its NUL */

/* Who may open the device node of a device in devdax mode. */
struct access {
	char group[GROUP_NAME]; /* empty: not given */
	unsigned int mode;	/* permissions as of chmod(2); 0: not given */
};

struct rule {
	char name[RULE_NAME];
	char *match[MATCH_MAX]; /* checked lists of words; NULL: not given */
	bool has_verdict;
	enum verdict verdict;
	enum zone zone;
	enum on_failure on_failure;
	bool convert_devdax; /* a device in devdax mode may become memory */
	bool offline_blocks; /* blocks that are online may go offline */
	struct access access;
};

/* The name is cut off at RULE_NAME. */
void rule_init(struct rule *rule, const char *name);
void rule_done(struct rule *rule);

/*
 * Take one key of the file; an empty value is as good as none. 0; -ENOENT: there is no such
 * section; -ENOKEY: no such key in it; -EINVAL: the value is bad; -ENOMEM. 1: the value holds
 * two ranges that overlap. On an error the key is as it was.
 */
int rule_set(struct rule *rule, const char *section, const char *key, const char *value) MUST_CHECK;

/* What a key wants to have as its value, or NULL if there is no such key. */
const char *rule_wanted(const char *section, const char *key);

/* What is wrong with the rule as a whole, or NULL. */
const char *rule_mistake(const struct rule *rule);

/* Does nothing in its Type= exclude devices of this type? */
bool rule_may_match(const struct rule *rule, enum device_type type);

bool rule_matches(const struct rule *rule, const struct facts *facts);

/* How many words its keys of [Match] have. */
size_t rule_words(const struct rule *rule);

/*
 * True only if all that matches `later` also matches `earlier`, so that it never counts. Not
 * all such rules are found out: not one that two earlier ones cover only together, for example.
 */
bool rule_covers(const struct rule *earlier, const struct rule *later);
