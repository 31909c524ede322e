/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules: what they want of a range. What they match is in rule_match.c.
 */
#include "tdxo/policy/rule.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/policy/rule_match.h"
#include "tdxo/base/parse.h"
#include "tdxo/base/string_table.h"

static const char *const on_failures[] = {
	[ON_FAILURE_DEFAULT] = NULL,
	[ON_FAILURE_ROLLBACK] = "rollback",
	[ON_FAILURE_KEEP] = "keep",
};
static_assert(ARRAY_SIZE(on_failures) == ON_FAILURE_MAX, "a name for each");

static int set_verdict(struct rule *rule, const char *value)
{
	int r = *value ? verdict_from_string(value, &rule->verdict) : 0;

	if (r == 0)
		rule->has_verdict = *value != '\0';
	return r;
}

static int set_zone(struct rule *rule, const char *value)
{
	if (*value)
		return zone_from_string(value, &rule->zone);
	rule->zone = ZONE_NONE;
	return 0;
}

static int set_on_failure(struct rule *rule, const char *value)
{
	int i = *value ? string_table_find(on_failures, ARRAY_SIZE(on_failures), value) : 0;

	if (i < 0)
		return i;
	rule->on_failure = (enum on_failure)i;
	return 0;
}

static int set_bool(bool *target, const char *value)
{
	return parse_bool(*value ? value : "no", target);
}

static int set_convert_devdax(struct rule *rule, const char *value)
{
	return set_bool(&rule->convert_devdax, value);
}

static int set_offline_blocks(struct rule *rule, const char *value)
{
	return set_bool(&rule->offline_blocks, value);
}

/* A name as useradd(8) allows it, or a number. udevd warns of one that does not exist. */
static int set_group(struct rule *rule, const char *value)
{
	size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	if (value[n] || n >= GROUP_NAME || *value == '-')
		return -EINVAL;
	snprintf(rule->access.group, GROUP_NAME, "%s", value);
	return 0;
}

/* Three or four octal digits: a device node is not executed, and root keeps its access. */
static int set_mode(struct rule *rule, const char *value)
{
	const char *digits = *value == '0' ? value + 1 : value;
	unsigned int mode = 0;

	for (size_t i = 0; digits[i]; i++) {
		if (i == 3 || !strchr("0246", digits[i]))
			return -EINVAL;
		mode = 8 * mode + (unsigned int)(digits[i] - '0');
	}
	if (*value && (strlen(digits) != 3 || (mode & 0600) != 0600))
		return -EINVAL;
	rule->access.mode = mode;
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct rule *rule, const char *value);
	const char *wanted;
} policy_keys[] = {
	{"Verdict", set_verdict, "online, devdax, offline or ignore"},
	{"Zone", set_zone, "kernel, movable or auto"},
	{"OnFailure", set_on_failure, "rollback or keep"},
	{"ConvertDevdax", set_convert_devdax, "yes or no"},
	{"OfflineBlocks", set_offline_blocks, "yes or no"},
	{"Group", set_group, "the name of a group"},
	{"Mode", set_mode, "0600, 0660 or 0666, for example: octal digits, read and write only"},
};

void rule_init(struct rule *rule, const char *name)
{
	*rule = (struct rule){0};
	snprintf(rule->name, sizeof(rule->name), "%s", name);
}

void rule_done(struct rule *rule)
{
	for (enum match match = 0; match < MATCH_MAX; match++)
		free(rule->match[match]);
	*rule = (struct rule){0};
}

static int find_policy(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(policy_keys); i++)
		if (strcmp(policy_keys[i].name, key) == 0)
			return (int)i;
	return -ENOKEY;
}

int rule_set(struct rule *rule, const char *section, const char *key, const char *value)
{
	int i;

	if (strcmp(section, "Match") == 0)
		return rule_match_set(rule, key, value);
	if (strcmp(section, "Policy") != 0)
		return -ENOENT;
	i = find_policy(key);
	return i < 0 ? i : policy_keys[i].set(rule, value);
}

const char *rule_wanted(const char *section, const char *key)
{
	int i;

	if (strcmp(section, "Match") == 0)
		return rule_match_wanted(key);
	i = strcmp(section, "Policy") == 0 ? find_policy(key) : -ENOENT;
	return i < 0 ? NULL : policy_keys[i].wanted;
}

static bool wants_nothing(const struct rule *rule)
{
	return !rule->has_verdict && !rule->zone && !rule->on_failure && !rule->convert_devdax &&
	       !rule->offline_blocks && !rule->access.group[0] && !rule->access.mode;
}

static bool wants(const struct rule *rule, enum verdict verdict)
{
	return !rule->has_verdict || rule->verdict == verdict;
}

const char *rule_mistake(const struct rule *rule)
{
	if (rule_match_nothing(rule))
		return "there is no key in [Match], so it matches nothing (Type=* matches all)";
	if (wants_nothing(rule))
		return "there is no key in [Policy], so the rule has no effect";
	if (rule_match_sizes_crossed(rule))
		return "MinSize= is larger than MaxSize=, so it matches nothing";
	if (rule->zone && !wants(rule, VERDICT_ONLINE))
		return "Zone= has an effect only with Verdict=online";
	if (rule->on_failure && !wants(rule, VERDICT_ONLINE))
		return "OnFailure= has an effect only with Verdict=online";
	if (rule->convert_devdax && !wants(rule, VERDICT_ONLINE))
		return "ConvertDevdax= has an effect only with Verdict=online";
	if (rule->offline_blocks && rule->has_verdict &&
		(rule->verdict == VERDICT_ONLINE || rule->verdict == VERDICT_IGNORE))
		return "OfflineBlocks= has an effect only with Verdict=devdax or offline";
	if ((rule->access.group[0] || rule->access.mode) && !wants(rule, VERDICT_DEVDAX))
		return "Group= and Mode= have an effect only with Verdict=devdax";
	return NULL;
}
