/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules from text: "Type=cxl;Device=dax0.* dax1.0" for the keys of [Match].
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "tdxo/policy/rule.h"
#include "tests/unit/unit.h"

static inline void rule_of(struct rule *rule, const char *match)
{
	char text[512], *next = text, *key, *value;

	assert_true(strlen(match) < sizeof(text));
	strcpy(text, match);
	rule_init(rule, match);
	while ((value = strsep(&next, ";")) && *value) {
		key = strsep(&value, "=");
		assert_non_null(value);
		if (rule_set(rule, "Match", key, value) != 0)
			fail_msg("%s=%s is refused", key, value);
	}
}
