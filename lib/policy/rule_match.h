/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of the room rule that knows [Match].
 */
#pragma once

#include "tdxo/policy/rule.h"

/* As rule_set() and rule_wanted(), for a key of [Match]. */
int rule_match_set(struct rule *rule, const char *key, const char *value) MUST_CHECK;
const char *rule_match_wanted(const char *key);

/* No key is given. */
bool rule_match_nothing(const struct rule *rule);

/* MinSize= is larger than MaxSize=. */
bool rule_match_sizes_crossed(const struct rule *rule);
