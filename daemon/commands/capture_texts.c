/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture in disguise: what people have written, as this program has read it.
 *
 * Layers, masks and comments are gone: there is one file for all keys, and one for each rule, whose
 * name is a number, in the same order. Files that only the doctor reads are left out.
 */
#include "daemon/commands/capture_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"
#include "daemon/settings/config_file.h"
#include "daemon/state/state.h"

#define MAIN_FILE "/etc/tdx-onlined.conf"
#define RULES	  "/etc/tdx-onlined/rules.d"
#define MISTAKE	  "?\n"
#define RULE_FILE "%05zu.rule" /* sorts like the number */

static int add_string(struct bytes *text, const char *string)
{
	return bytes_append(text, string, strlen(string));
}

/* Add the file and free the text. 0 or a negative errno. */
static int add_file(struct capture *capture, const char *path, struct bytes *text)
{
	int r = tree_add_file(&capture->tree, path, text->bytes, text->n);

	bytes_done(text);
	return capture_failed(capture, path, r);
}

/* --- the configuration --- */

static int add_keys(struct capture *capture, const struct settings *settings)
{
	CLEANUP(bytes_done) struct bytes text = {0};
	int r = 0;

	for (enum config_key key = 0; r == 0 && key < CONFIG_KEYS; key++) {
		const char *const parts[] = {text.n ? "" : "[" CONFIG_SECTION "]\n",
			config_key_name(key), "=", settings->keys[key].value, "\n"};

		for (size_t i = 0; r == 0 && settings->keys[key].path && i < ARRAY_SIZE(parts); i++)
			r = add_string(&text, parts[i]);
	}
	if (r == 0 && text.n)
		return add_file(capture, MAIN_FILE, &text);
	return capture_failed(capture, MAIN_FILE, r);
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
		r = r == 0 ? add_file(capture, path.text, &text)
			   : capture_failed(capture, path.text, r);
	}
	return r;
}

/* A configuration that cannot be used cannot be used there either. */
static int add_mistake(struct capture *capture)
{
	int r = tree_add_file(&capture->tree, MAIN_FILE, MISTAKE, strlen(MISTAKE));

	return capture_failed(capture, MAIN_FILE, r);
}

/* --- the state --- */

static void rename_rule(struct entry *entry, const struct config *config)
{
	size_t i = 0;

	while (i < config->n_rules && strcmp(config->rules[i].name, entry->rule) != 0)
		i++;
	if (i < config->n_rules)
		snprintf(entry->rule, sizeof(entry->rule), RULE_FILE, i + 1);
	else if (entry->rule[0])
		snprintf(entry->rule, sizeof(entry->rule), "gone.rule");
}

/* A state of another boot, or one that cannot be used, is as good as none. */
static int add_state(struct capture *capture, const struct config *config)
{
	CLEANUP(state_done) struct state state = {0};
	struct bytes text = {0};
	int r = state_load(&state);

	if (r == 0 && !state.earlier)
		return 0;
	for (size_t i = 0; i < state.history.n; i++)
		rename_rule(&state.history.entries[i], config);
	if (r == 0)
		r = state_print_portable(&state, &text.bytes, &text.n);
	if (r == 0)
		r = capture_text(capture, STATE_USUAL_PATH, &text, DISGUISE_PLAIN);
	bytes_done(&text);
	return capture_failed(capture, STATE_USUAL_PATH, r);
}

static int add_cmdline(struct capture *capture)
{
	CLEANUP(bytes_done) struct bytes text = {0};
	CLEANUP(free_text) char *cmdline = NULL;
	size_t size;
	int r = sysfs_read_text(PROC_CMDLINE, &cmdline, &size);

	capture_note_unreadable(capture, r);
	if (r < 0)
		return r == -ENOMEM ? capture_failed(capture, PROC_CMDLINE, r) : 0;
	r = disguise_cmdline(cmdline, &text);
	return r == 0 ? add_file(capture, PROC_CMDLINE, &text)
		      : capture_failed(capture, PROC_CMDLINE, r);
}

int capture_texts(struct capture *capture)
{
	CLEANUP(settings_done) struct settings settings = {0};
	int r = settings_load(&settings);

	if (r == -EINVAL)
		r = add_mistake(capture);
	else if (r == 0)
		r = add_keys(capture, &settings);
	if (r == 0)
		r = add_rules(capture, &settings);
	if (r == 0)
		r = add_state(capture, &settings.config);
	if (r == 0)
		r = add_cmdline(capture);
	return capture_failed(capture, "/etc", r);
}
