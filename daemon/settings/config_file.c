/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration files.
 *
 * A file is read twice, by tdxo/ini.h: first all lines are checked, and only if there is no mistake
 * among them, the values of the keys are set.
 */
#include "daemon/settings/config_file.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/sysfs.h"
#include "daemon/host/trusted.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/settings/layers.h"
#include "tdxo/base/array.h"
#include "tdxo/policy/ini.h"

#define MAIN_FILE     "tdx-onlined/tdx-onlined.conf"
#define DROP_INS      "tdx-onlined/conf.d"
#define RULES	      "tdx-onlined/rules.d"
#define MISTAKES_MOST 20       /* of one file */
#define WORK_MOST     10000000 /* comparisons of words; less than a second */
#define VALUE_TOLD    "200"    /* so many characters of a value that is wrong */

/* A configuration that is being read. */
struct loader {
	struct settings settings;
	size_t mistakes;
	struct config_files unread; /* the first of them: this process may not read these files */
	char *mistake;		    /* the first of the others */
	int error;		    /* -ENOMEM, or 0 */
};

/* A file that is being read. */
struct reader {
	struct loader *loader;
	const char *path;
	char *text;
	size_t size;
	size_t mistakes;
	struct rule *rule; /* NULL: it is no rule */
};

/* A warning is no mistake. Line 0: it is about the file as a whole. */
static void PRINTF(4, 5)
	say(struct reader *reader, int priority, unsigned int line, const char *format, ...)
{
	char text[PATH_MAX + 512], number[16] = "";
	int n;
	va_list args;

	if (line)
		snprintf(number, sizeof(number), ":%u", line);
	n = snprintf(text, sizeof(text), "%.*s%s: ", PATH_MAX, reader->path, number);
	va_start(args, format);
	vsnprintf(text + n, sizeof(text) - (size_t)n, format, args);
	va_end(args);
	log_line(priority, text);
	if (priority == LOG_WARNING) {
		reader->loader->settings.warnings++;
		return;
	}
	reader->mistakes++;
	if (reader->loader->mistakes++ == reader->loader->unread.n)
		snprintf(reader->loader->mistake, SETTINGS_MISTAKE, "%.*s", SETTINGS_MISTAKE - 1,
			text);
}

/* A file or directory that cannot be read, and why, as trusted_open() puts it. */
static void say_unread(struct reader *reader, const char *why)
{
	char text[PATH_MAX + TRUSTED_MISTAKE];

	say(reader, LOG_ERR, 0, "%s", why);
	if (strcmp(why, strerror(EACCES)) != 0)
		return;
	snprintf(text, sizeof(text), "%.*s: %s", PATH_MAX, reader->path, why);
	if (config_files_add(&reader->loader->unread, text) < 0)
		reader->loader->error = -ENOMEM;
}

static bool known_section(const struct reader *reader, const char *section)
{
	if (reader->rule)
		return strcmp(section, "Match") == 0 || strcmp(section, "Policy") == 0;
	return strcmp(section, CONFIG_SECTION) == 0;
}

/* What a key wants, or NULL if there is no such key. */
static const char *wanted(const struct reader *reader, const char *section, const char *key)
{
	enum config_key known;

	if (reader->rule)
		return rule_wanted(section, key);
	return config_find_key(key, &known) == 0 ? config_key_wanted(known) : NULL;
}

static void check_key(struct reader *reader, const struct ini_item *item)
{
	unsigned int first;

	if (item->orphan)
		return; /* said at the head */
	if (!item->section[0]) {
		say(reader, LOG_ERR, item->line, "%s= comes before any [Section]", item->key);
		return;
	}
	if (!known_section(reader, item->section))
		return; /* said at its head */
	if (!wanted(reader, item->section, item->key)) {
		say(reader, LOG_ERR, item->line, "unknown key %s= in section [%s]", item->key,
			item->section);
		return;
	}
	/* Only for keys that exist: any other one that comes again and again is a mistake. */
	first = ini_find(reader->text, reader->size, item->section, item->key);
	if (first != item->line)
		say(reader, LOG_ERR, item->line, "%s= is given twice, first in line %u", item->key,
			first);
}

static void check_section(struct reader *reader, const struct ini_item *item)
{
	unsigned int first = ini_find(reader->text, reader->size, item->section, NULL);

	if (!known_section(reader, item->section))
		say(reader, LOG_ERR, item->line, "unknown section [%s]", item->section);
	else if (first != item->line)
		say(reader, LOG_ERR, item->line, "section [%s] comes twice, first in line %u",
			item->section, first);
}

static void check_lines(struct reader *reader)
{
	struct ini_item item;
	struct ini ini;

	ini_init(&ini, reader->text, reader->size);
	while ((item = ini_next(&ini)).kind != INI_END) {
		if (item.kind == INI_MISTAKE)
			say(reader, LOG_ERR, item.line, "%s", item.mistake);
		else if (item.kind == INI_SECTION)
			check_section(reader, &item);
		else
			check_key(reader, &item);
		if (reader->mistakes < MISTAKES_MOST)
			continue;
		say(reader, LOG_ERR, item.line, "too many mistakes, the rest is not read");
		return;
	}
}

static int keep_setting(
	struct reader *reader, enum config_key key, const char *value, unsigned int line)
{
	struct setting *setting = &reader->loader->settings.keys[key];
	struct setting new = {.value = strdup(*value ? value : config_key_default(key)),
		.path = strdup(reader->path),
		.line = line};

	if (!new.value || !new.path) {
		free(new.value);
		free(new.path);
		return -ENOMEM;
	}
	free(setting->value);
	free(setting->path);
	*setting = new;
	return 0;
}

static int set(struct reader *reader, const struct ini_item *item, const char *value)
{
	struct config *config = &reader->loader->settings.config;
	enum config_key key;
	int r, kept;

	if (reader->rule)
		return rule_set(reader->rule, item->section, item->key, value);
	r = config_find_key(item->key, &key);
	if (r == 0)
		r = config_set(config, key, value);
	if (r < 0)
		return r;
	kept = keep_setting(reader, key, value, item->line);
	return kept < 0 ? kept : r;
}

static void set_key(struct reader *reader, const struct ini_item *item)
{
	CLEANUP(free_text) char *value = strndup(item->value, item->value_size);
	int r = value ? set(reader, item, value) : -ENOMEM;

	if (r == -ENOMEM)
		reader->loader->error = r;
	else if (r < 0)
		say(reader, LOG_ERR, item->line, "%s=%." VALUE_TOLD "s: not %s", item->key, value,
			wanted(reader, item->section, item->key));
	else if (r > 0)
		say(reader, LOG_WARNING, item->line, "%s=%." VALUE_TOLD "s: two ranges overlap",
			item->key, value);
}

static void set_keys(struct reader *reader)
{
	struct ini_item item;
	struct ini ini;

	ini_init(&ini, reader->text, reader->size);
	while ((item = ini_next(&ini)).kind != INI_END)
		if (item.kind == INI_KEY)
			set_key(reader, &item);
}

/* A link to /dev/null, which trusted_open() does not open, masks another file. */
static bool is_mask(int error, const struct stat *st)
{
	return error == -EOPNOTSUPP && S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/*
 * Take all bytes of the file, with a NUL after them. True if there is something to read; else it
 * masks another file, or is a mistake.
 */
static bool take_text(struct reader *reader)
{
	char mistake[TRUSTED_MISTAKE];
	struct stat st;
	CLEANUP(close_fd) int fd = trusted_open(reader->path, S_IFREG, &st, mistake);
	int r = 0;

	if (fd < 0 && !is_mask(fd, &st))
		say_unread(reader, mistake);
	else if (fd >= 0 && st.st_size > INI_TEXT)
		say(reader, LOG_ERR, 0, "longer than %d bytes", INI_TEXT);
	else if (fd >= 0)
		r = sysfs_read_open(fd, &reader->text, &reader->size);
	if (r == -ENOMEM)
		reader->loader->error = r;
	else if (r < 0)
		say(reader, LOG_ERR, 0, "%s", strerror(-r));
	return r == 0 && reader->size;
}

static void check_rule(struct reader *reader)
{
	const char *mistake = rule_mistake(reader->rule);
	unsigned int line = ini_find(reader->text, reader->size, "Policy", NULL);

	if (mistake)
		say(reader, LOG_ERR, line ?: 1, "%s", mistake);
}

/* True if there is something in the file, and no mistake. The text is the caller's to free. */
static bool read_file(struct reader *reader)
{
	if (!take_text(reader))
		return false;
	check_lines(reader);
	if (!reader->mistakes)
		set_keys(reader);
	if (!reader->mistakes && reader->rule)
		check_rule(reader);
	return !reader->mistakes && !reader->loader->error;
}

static void read_config(struct loader *loader, const char *path)
{
	struct reader reader = {.loader = loader, .path = path};

	(void)read_file(&reader);
	free(reader.text);
}

/* Take over the rule and the text of its file. 0 or -ENOMEM. */
static int keep_rule(struct reader *reader)
{
	struct settings *settings = &reader->loader->settings;
	size_t n = settings->config.n_rules;
	struct rule_file file = {.path = strdup(reader->path), .text = reader->text};

	if (!file.path || array_append(settings->rules, n, file) < 0 ||
		config_add_rule(&settings->config, reader->rule) < 0) {
		free(file.path);
		return -ENOMEM;
	}
	reader->text = NULL;
	return 0;
}

static void read_rule(struct loader *loader, const struct layered_file *file)
{
	CLEANUP(rule_done) struct rule rule;
	struct reader reader = {.loader = loader, .path = file->path, .rule = &rule};

	rule_init(&rule, file->name);
	if (read_file(&reader) && keep_rule(&reader) < 0)
		loader->error = -ENOMEM;
	free(reader.text);
}

static void say_stray(const char *path, const char *mistake, void *userdata)
{
	struct reader reader = {.loader = userdata, .path = path};

	if (mistake)
		say_unread(&reader, mistake);
	else
		say(&reader, LOG_WARNING, 0, "not read, because of its name");
}

void config_files_done(struct config_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct config_files){0};
}

int config_files_add(struct config_files *files, const char *path)
{
	char *copy = strdup(path);
	int r = copy ? array_append(files->paths, files->n, copy) : -ENOMEM;

	if (r < 0)
		free(copy);
	return r;
}

static int load(struct loader *loader)
{
	CLEANUP(layers_done) struct layers files = {0}, rules = {0};
	int r;

	config_init(&loader->settings.config);
	r = layers_add_file(&files, MAIN_FILE);
	if (r == 0)
		r = layers_add_directory(&files, DROP_INS, ".conf", say_stray, loader);
	if (r == 0)
		r = layers_add_directory(&rules, RULES, ".rule", say_stray, loader);
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		read_config(loader, files.files[i].path);
		r = loader->error;
	}
	for (size_t i = 0; r == 0 && i < rules.n; i++) {
		read_rule(loader, &rules.files[i]);
		r = loader->error;
	}
	if (r != 0 || !loader->mistakes)
		return r;
	if (loader->mistakes > loader->unread.n)
		return -EINVAL;
	snprintf(loader->mistake, SETTINGS_MISTAKE, "%s", loader->unread.paths[0]);
	return -EACCES;
}

void settings_default(struct settings *ret_settings)
{
	*ret_settings = (struct settings){0};
	config_init(&ret_settings->config);
}

int settings_load(
	struct settings *ret_settings, char mistake[SETTINGS_MISTAKE], struct config_files *unread)
{
	struct loader loader = {.mistake = mistake};
	int r = load(&loader);

	if (unread)
		*unread = loader.unread;
	else
		config_files_done(&loader.unread);
	if (r < 0) {
		settings_done(&loader.settings);
		return r;
	}
	*ret_settings = loader.settings;
	return 0;
}

/* Words of one are compared with words of the other. */
static uint64_t work_of(const struct settings *settings, size_t early, size_t late)
{
	return 1 + rule_words(&settings->config.rules[early]) *
			   rule_words(&settings->config.rules[late]);
}

void settings_check_rules(struct settings *settings)
{
	const struct config *config = &settings->config;
	uint64_t work = 0;

	for (size_t late = 1; late < config->n_rules; late++)
		for (size_t early = 0; early < late; early++) {
			work += work_of(settings, early, late);
			if (work > WORK_MOST) {
				log_print(LOG_WARNING,
					"%s:1: there are too many rules to compare this one and "
					"those after it with all that come before",
					settings->rules[late].path);
				settings->warnings++;
				return;
			}
			if (!rule_covers(&config->rules[early], &config->rules[late]))
				continue;
			log_print(LOG_WARNING,
				"%s:1: it has no effect, because %s matches all that it matches",
				settings->rules[late].path, settings->rules[early].path);
			settings->warnings++;
			break;
		}
}

void settings_done(struct settings *settings)
{
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		free(settings->keys[key].value);
		free(settings->keys[key].path);
	}
	for (size_t i = 0; i < settings->config.n_rules; i++) {
		free(settings->rules[i].path);
		free(settings->rules[i].text);
	}
	free(settings->rules);
	config_done(&settings->config);
	*settings = (struct settings){0};
}

void settings_print(const struct settings *settings)
{
	print("[" CONFIG_SECTION "]\n");
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		const struct setting *setting = &settings->keys[key];

		if (setting->path)
			print("# %s:%u\n", setting->path, setting->line);
		else
			print("# default\n");
		print("%s=", config_key_name(key));
		print_text(setting->value ?: config_key_default(key));
		print("\n");
	}
	for (size_t i = 0; i < settings->config.n_rules; i++) {
		const char *text = settings->rules[i].text;
		size_t length = strlen(text);

		print("\n");
		print("# %s\n", settings->rules[i].path);
		print_text(text);
		if (length && text[length - 1] != '\n')
			print("\n");
	}
}
