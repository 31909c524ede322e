/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture in disguise: what people have written, as this program has read it.
 *
 * Layers, masks and comments are gone: there is one file for all keys, and one for each rule, whose
 * name is a number, in the same order. Files that only the doctor reads are left out.
 */
#include "daemon/commands/capture_texts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/settings/config_file.h"
#include "daemon/state/state.h"
#include "tdxo/base/array.h"

#define MAIN_FILE "/etc/tdx-onlined/tdx-onlined.conf"
#define RULES	  "/etc/tdx-onlined/rules.d"
#define MISTAKE	  "?\n"
#define RULE_FILE "%05zu.rule" /* sorts like the number */

/* Add the file and free the text. 0 or a negative errno. */
static int add_file(struct capture *capture, const char *path, struct bytes *text, bool public)
{
	int r = tree_add_file(&capture->tree, path, text->bytes, text->n, public);

	bytes_done(text);
	return r;
}

/* --- the configuration --- */

static int add_keys(struct capture *capture, const struct settings *settings)
{
	CLEANUP(bytes_done) struct bytes text = {0};
	bool public = true;
	int r = 0;

	for (enum config_key key = 0; r == 0 && key < CONFIG_KEYS; key++) {
		const char *const parts[] = {text.n ? "" : "[" CONFIG_SECTION "]\n",
			config_key_name(key), "=", settings->keys[key].value, "\n"};

		if (!settings->keys[key].path)
			continue;
		public &= tree_is_public(settings->keys[key].path);
		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
			r = bytes_append(&text, parts[i], strlen(parts[i]));
	}
	return r == 0 && text.n ? add_file(capture, MAIN_FILE, &text, public) : r;
}

static int add_rules(struct capture *capture, const struct settings *settings)
{
	struct path path;
	int r = 0;

	for (size_t i = 0; r == 0 && i < settings->config.n_rules; i++) {
		CLEANUP(bytes_done) struct bytes text = {0};
		const char *rule = settings->rules[i].text;

		path_of(&path, RULES "/" RULE_FILE, i + 1);
		r = disguise_rule(&capture->disguise, rule, strlen(rule), &text);
		if (r == 0)
			r = add_file(
				capture, path.text, &text, tree_is_public(settings->rules[i].path));
	}
	return r;
}

/* --- the state --- */

static bool is_lower_name(const void *item, const void *name)
{
	return strcmp(((const struct rule *)item)->name, name) < 0;
}

/* Rules are in the order of their names. */
static void rename_rule(struct history_entry *entry, const struct config *config)
{
	size_t i = array_search(
		config->rules, config->n_rules, sizeof(*config->rules), entry->rule, is_lower_name);

	if (i < config->n_rules && strcmp(config->rules[i].name, entry->rule) == 0)
		snprintf(entry->rule, sizeof(entry->rule), RULE_FILE, i + 1);
	else if (entry->rule[0])
		snprintf(entry->rule, sizeof(entry->rule), "gone.rule");
}

/* People chose the names of these files, and a mistake quotes what they wrote. */
static void hide_files(struct state *state)
{
	config_files_done(&state->files);
	state->checksum = 0;
	free(state->mistake);
	state->mistake = NULL;
}

/* A state of another boot, or one that cannot be used, is as good as none. */
static int add_state(struct capture *capture, const struct config *config)
{
	CLEANUP(bytes_done) struct bytes text = {0};
	CLEANUP(state_done) struct state state = {0};
	struct bytes hidden = {0};
	int r = state_load(&state);

	if (r == 0 && !state.earlier)
		return 0;
	for (size_t i = 0; i < state.history.n; i++)
		rename_rule(&state.history.entries[i], config);
	for (size_t i = 0; i < state.placeless.n; i++)
		rename_rule(&state.placeless.entries[i], config);
	hide_files(&state);
	if (r == 0)
		r = state_print(&state, &text.bytes, &text.n);
	if (r == 0)
		r = disguise_text(&capture->disguise, DISGUISE_PLAIN, &text, &hidden);
	if (r < 0)
		return r;
	return state.public ? add_file(capture, STATUS_USUAL_PATH, &hidden, true)
			    : add_file(capture, STATE_USUAL_PATH, &hidden, false);
}

static int add_cmdline(struct capture *capture)
{
	CLEANUP(free_text) char *cmdline = NULL;
	struct bytes text = {0};
	size_t size;
	int r = sysfs_read_text(PROC_CMDLINE, &cmdline, &size);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = disguise_cmdline(cmdline, &text);
	return r == 0 ? add_file(capture, PROC_CMDLINE, &text, true) : r;
}

int capture_texts(struct capture *capture)
{
	CLEANUP(settings_done) struct settings settings = {0};
	char mistake[SETTINGS_MISTAKE];
	int r = settings_load(&settings, mistake, NULL);

	/* A configuration that cannot be used cannot be used there either. */
	if (r == -EINVAL || r == -EACCES)
		r = tree_add_file(&capture->tree, MAIN_FILE, MISTAKE, strlen(MISTAKE), true);
	else if (r == 0)
		r = add_keys(capture, &settings);
	if (r == 0)
		r = add_rules(capture, &settings);
	if (r == 0)
		r = add_state(capture, &settings.config);
	return r == 0 ? add_cmdline(capture) : r;
}
