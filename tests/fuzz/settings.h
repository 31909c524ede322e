/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parse configuration files into values, key by key, as daemon/settings does.
 */
#pragma once

#include <errno.h>

#include "tdxo/policy/config.h"
#include "tdxo/policy/ini.h"
#include "tests/fuzz/fuzz.h"

/* The value of a key as a string; the caller frees it. */
static inline char *value_of(const struct ini_item *item)
{
	return text_of((const uint8_t *)item->value, item->value_size);
}

static inline void check_item(const struct ini *ini, const struct ini_item *item)
{
	require(item->line == ini->line && ini->position <= ini->size);
	require(is_string(item->section) && is_string(item->key));
	require((item->kind == INI_MISTAKE) == (item->mistake != NULL));
	if (item->kind == INI_KEY)
		require(item->value >= ini->text &&
			item->value + item->value_size <= ini->text + ini->size);
}

/* Returns the number of lines with mistakes. */
static inline size_t read_config(struct config *config, const char *text, size_t size)
{
	struct ini_item item;
	size_t mistakes = 0;
	struct ini ini;

	ini_init(&ini, text, size);
	while ((item = ini_next(&ini)).kind != INI_END) {
		CLEANUP(free_text_of) char *value = NULL;
		enum config_key key;
		int r;

		check_item(&ini, &item);
		mistakes += item.kind == INI_MISTAKE;
		if (item.kind != INI_KEY || config_find_key(item.key, &key) < 0)
			continue;
		value = value_of(&item);
		r = config_set(config, key, value);
		require(r == 0 || r == 1 || r == -EINVAL);
		mistakes += r < 0;
	}
	return mistakes;
}

/* The same for a rule. */
static inline size_t read_rule(struct rule *rule, const char *text, size_t size)
{
	struct ini_item item;
	size_t mistakes = 0;
	struct ini ini;

	ini_init(&ini, text, size);
	while ((item = ini_next(&ini)).kind != INI_END) {
		CLEANUP(free_text_of) char *value = NULL;
		int r;

		check_item(&ini, &item);
		mistakes += item.kind == INI_MISTAKE;
		if (item.kind != INI_KEY)
			continue;
		value = value_of(&item);
		r = rule_set(rule, item.section, item.key, value);
		require((r == -ENOENT || r == -ENOKEY) == !rule_wanted(item.section, item.key));
		mistakes += r < 0;
	}
	return mistakes + (rule_mistake(rule) != NULL);
}
