/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Read the configuration files to struct config.
 *
 * tdx-onlined.conf, its drop-ins tdx-onlined/conf.d/NAME.conf, and tdx-onlined/rules.d/NAME.rule,
 * each in the layers of layers.h. Every mistake of every file is logged before it is given up, so
 * that one run prints them all; and a configuration with a mistake is not used in part.
 */
#pragma once

#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/policy/config.h"

/* Where the value of a key comes from. */
struct setting {
	char *value;
	char *path; /* NULL: it is the default */
	unsigned int line;
};

struct rule_file {
	char *path;
	char *text;
};

struct settings {
	struct config config;
	struct setting keys[CONFIG_KEYS];
	struct rule_file *rules; /* as many as config.rules, in their order */
	size_t warnings;	 /* what is odd, but no mistake */
};

void settings_done(struct settings *settings);

struct config_files {
	char **paths;
	size_t n;
};

void config_files_done(struct config_files *files);

/* 0 or -ENOMEM. */
int config_files_add(struct config_files *files, const char *path) MUST_CHECK;

#define SETTINGS_MISTAKE 512

/*
 * 0; -EINVAL after a message for each mistake, with file and line, and the first of them is in
 * `mistake`; -EACCES likewise if all of them are files that this process may not read; -ENOMEM.
 * `unread` gets those files, each with the error, also on failure. It can be NULL.
 */
int settings_load(struct settings *ret_settings, char mistake[SETTINGS_MISTAKE],
	struct config_files *unread) MUST_CHECK;

/* What is used where there is no file at all. */
void settings_default(struct settings *ret_settings);

/*
 * Warn of rules that an earlier one covers: they are dead, and hardly meant to be. It holds
 * every rule against every other, so it is for who asks.
 */
void settings_check_rules(struct settings *settings);

/* Print the values of the files, and which file each comes from. */
void settings_print(const struct settings *settings);
