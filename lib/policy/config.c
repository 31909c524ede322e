/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration: one table of keys, and the rules.
 */
#include "tdxo/policy/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/base/parse.h"
#include "tdxo/base/string_table.h"

#define MOVABLE_RATIO_MOST 10000
#define TIMEOUT_MOST	   3600

static const char *const presents[] = {
	[PRESENT_SAFE] = "safe",
	[PRESENT_ACT] = "act",
	[PRESENT_RECORD] = "record",
};
static_assert(ARRAY_SIZE(presents) == PRESENT_MAX, "a name for each");

static const char *const guard_modes[] = {
	[GUARD_MODE_AUTO] = "auto",
	[GUARD_MODE_ALWAYS] = "always",
	[GUARD_MODE_NEVER] = "never",
};
static_assert(ARRAY_SIZE(guard_modes) == GUARD_MODE_MAX, "a name for each");

static int set_act(struct config *config, const char *value)
{
	bool act;
	int r = parse_bool(value, &act);

	if (r == 0)
		config->observe = !act;
	return r;
}

static int set_tdx(struct config *config, const char *value)
{
	return tdx_mode_from_string(value, &config->tdx);
}

static int set_guard(struct config *config, const char *value)
{
	int i = string_table_find(guard_modes, ARRAY_SIZE(guard_modes), value);

	if (i < 0)
		return i;
	config->guard = (enum guard_mode)i;
	return 0;
}

static int set_capable_ranges(struct config *config, const char *value)
{
	return parse_ranges(value, &config->capable);
}

static int set_present(struct config *config, const char *value)
{
	int i = string_table_find(presents, ARRAY_SIZE(presents), value);

	if (i < 0)
		return i;
	config->present = (enum present)i;
	return 0;
}

/* Percent, with or without the sign. */
static int set_max_movable_ratio(struct config *config, const char *value)
{
	char text[WORD_TEXT];
	size_t length = strlen(value);
	uint64_t ratio;
	int r;

	if (strcmp(value, "kernel") == 0) {
		config->movable_ratio = MOVABLE_RATIO_KERNEL;
		return 0;
	}
	if (!length || length >= sizeof(text))
		return -EINVAL;
	memcpy(text, value, length + 1);
	if (text[length - 1] == '%')
		text[length - 1] = '\0';
	r = parse_number(text, &ratio);
	if (r < 0 || ratio > MOVABLE_RATIO_MOST)
		return -EINVAL;
	config->movable_ratio = ratio;
	return 0;
}

static int set_offline_timeout(struct config *config, const char *value)
{
	uint64_t seconds;
	int r = parse_number(value, &seconds);

	if (r < 0 || !seconds || seconds > TIMEOUT_MOST)
		return -EINVAL;
	config->offline_timeout = seconds;
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct config *config, const char *value);
	const char *preset;
	const char *wanted;
} keys[] = {
	[CONFIG_ACT] = {"Act", set_act, "yes", "yes or no"},
	[CONFIG_TDX] = {"TDX", set_tdx, "auto", "auto, active or absent"},
	[CONFIG_GUARD] = {"Guard", set_guard, "auto", "auto, always or never"},
	[CONFIG_CAPABLE_RANGES] = {"CapableRanges", set_capable_ranges, "",
		"ranges such as 0x1000000000-0x1fffffffff"},
	[CONFIG_PRESENT] = {"Present", set_present, "safe", "safe, act or record"},
	[CONFIG_MAX_MOVABLE_RATIO] = {"MaxMovableRatio", set_max_movable_ratio, "kernel",
		"kernel, or percent from 0 to 10000"},
	[CONFIG_OFFLINE_TIMEOUT] = {"OfflineTimeoutSec", set_offline_timeout, "60",
		"seconds from 1 to 3600"},
};
static_assert(ARRAY_SIZE(keys) == CONFIG_KEYS, "a row for each key");

void config_init(struct config *config)
{
	*config = (struct config){0};
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		int r = keys[key].set(config, keys[key].preset);

		/* The one list among them is empty. */
		assert(r == 0);
		(void)r;
	}
}

void config_done(struct config *config)
{
	range_set_done(&config->capable);
	for (size_t i = 0; i < config->n_rules; i++)
		rule_done(&config->rules[i]);
	free(config->rules);
	*config = (struct config){0};
}

int config_find_key(const char *name, enum config_key *ret_key)
{
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		if (strcmp(keys[key].name, name) != 0)
			continue;
		*ret_key = key;
		return 0;
	}
	return -ENOKEY;
}

int config_set(struct config *config, enum config_key key, const char *value)
{
	return keys[key].set(config, *value ? value : keys[key].preset);
}

int config_add_rule(struct config *config, struct rule *rule)
{
	int r = array_append(config->rules, config->n_rules, *rule);

	if (r == 0)
		*rule = (struct rule){0};
	return r;
}

const struct rule *config_find_rule(const struct config *config, const struct facts *facts)
{
	for (size_t i = 0; i < config->n_rules; i++)
		if (rule_matches(&config->rules[i], facts))
			return &config->rules[i];
	return NULL;
}

const char *config_key_name(enum config_key key)
{
	return keys[key].name;
}

const char *config_key_default(enum config_key key)
{
	return keys[key].preset;
}

const char *config_key_wanted(enum config_key key)
{
	return keys[key].wanted;
}
