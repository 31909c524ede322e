/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture in disguise: what people have written, as this program has read it.
 *
 * Layers, masks and comments are gone: there is one file for all keys, one for each rule, and one
 * for each foreign file of which the doctor reports something. A number takes the place of a
 * file's name, in the same order.
 */
#include "capture_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "config_file.h"
#include "host.h"
#include "state.h"

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

/* --- files of others --- */

/* A file that is being written; the lines of one file come one after another. */
struct foreign {
	struct capture *capture;
	const char *path; /* its own; NULL: there is none yet */
	size_t number;
	struct bytes text;
	unsigned int lines;
};

static void foreign_done(struct foreign *foreign)
{
	bytes_done(&foreign->text);
}

static int end_file(struct foreign *foreign)
{
	const char *path = foreign->path;
	struct path place;

	if (!path)
		return 0;
	foreign->path = NULL;
	foreign->lines = 0;
	path_of(&place, "%.*s/%05zu%s", (int)(strrchr(path, '/') - path), path, ++foreign->number,
		strrchr(path, '.'));
	return add_file(foreign->capture, place.text, &foreign->text);
}

/* Add a line with a number, after empty ones. */
static int add_line(struct foreign *foreign, const char *path, unsigned int line, const char *text)
{
	int r = foreign->path && strcmp(foreign->path, path) != 0 ? end_file(foreign) : 0;

	foreign->path = path;
	for (; r == 0 && foreign->lines + 1 < line; foreign->lines++)
		r = add_string(&foreign->text, "\n");
	if (r == 0)
		r = add_string(&foreign->text, text);
	if (r == 0)
		r = add_string(&foreign->text, "\n");
	foreign->lines++;
	return capture_failed(foreign->capture, path, r);
}

static int add_udev(struct foreign *foreign, const struct host *host)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->n_udev; i++)
		r = add_line(foreign, host->udev[i].path, host->udev[i].write.first_line,
			disguise_udev(&host->udev[i].write));
	return r;
}

static int add_modprobe(struct foreign *foreign, const struct host *host)
{
	char text[DISGUISE_LINE];
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->n_modprobe; i++)
		if (disguise_modprobe(&host->modprobe[i].line, text))
			r = add_line(foreign, host->modprobe[i].path, host->modprobe[i].line.first,
				text);
	return r;
}

/* A section that has a mode is at least two lines long. */
static int add_daxctl(struct foreign *foreign, const struct host *host)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->n_daxctl; i++) {
		const struct daxctl_section *section = &host->daxctl[i].section;
		const char *path = host->daxctl[i].path;

		if (!section->system_ram || section->stays_offline)
			continue;
		r = add_line(foreign, path, section->line, "[reconfigure-device hidden]");
		if (r == 0)
			r = add_line(foreign, path, section->line + 1, "mode = system-ram");
	}
	return r;
}

static int add_cmdline(struct capture *capture, const char *cmdline)
{
	CLEANUP(bytes_done) struct bytes text = {0};
	int r = cmdline ? disguise_cmdline(cmdline, &text) : 0;

	if (r < 0 || !cmdline)
		return r;
	return add_file(capture, "/proc/cmdline", &text);
}

static int add_foreign(struct capture *capture)
{
	static int (*const kinds[])(struct foreign * foreign, const struct host *host) = {
		add_udev, add_modprobe, add_daxctl};
	CLEANUP(foreign_done) struct foreign foreign = {.capture = capture};
	CLEANUP(complaints_done) struct complaints complaints = {0};
	CLEANUP(host_done) struct host host = {0};
	int r = host_examine(&host, &complaints, true);

	capture->unreadable += complaints.n;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++) {
		r = kinds[i](&foreign, &host);
		if (r == 0)
			r = end_file(&foreign);
	}
	return r == 0 ? add_cmdline(capture, host.cmdline) : r;
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
		r = add_foreign(capture);
	return capture_failed(capture, "/etc", r);
}
