/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration files.
 *
 * Every mistake is reported before the function gives up, so that one run tells them all.
 */
#include "config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libeconf.h>

#include "journal.h"
#include "sysfs.h"
#include "tdxo/array.h"

#define MAIN_FILE "tdx-onlined.conf"
#define DROP_INS  "tdx-onlined.conf.d"
#define SECTION	  "Daemon"

/* From weak to strong. */
static const char *const layers[] = {"/usr/lib", "/run", "/etc"};

/* Paths to read, each stronger than the one before. */
struct files {
	struct file {
		char *name; /* what it is sorted by */
		char *path;
	} * items;
	size_t n;
	const char *layer; /* being listed */
};

static void files_done(struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		free(files->items[i].name);
		free(files->items[i].path);
	}
	free(files->items);
}

static struct file *find_file(struct files *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->items[i].name, name) == 0)
			return &files->items[i];
	return NULL;
}

static int add_file(struct files *files, const char *name, const char *path)
{
	struct file *items, *same = find_file(files, name);
	char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	if (same) {
		free(same->path);
		same->path = copy;
		return 0;
	}
	items = array_room(files->items, files->n, sizeof(*items));
	if (items) {
		files->items = items;
		items[files->n] = (struct file){.name = strdup(name), .path = copy};
	}
	if (!items || !items[files->n].name) {
		free(copy);
		return -ENOMEM;
	}
	files->n++;
	return 0;
}

static int add_drop_in(const char *name, void *userdata)
{
	struct files *files = userdata;
	size_t length = strlen(name);
	struct path path;

	if (length < 6 || strcmp(name + length - 5, ".conf") != 0)
		return 0;
	return add_file(files, name, path_of(&path, "%s/" DROP_INS "/%s", files->layer, name));
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

/* The main file sorts first: its name is kept empty. */
static int find_files(struct files *files)
{
	struct path path;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(layers); i++) {
		path_of(&path, "%s/" MAIN_FILE, layers[i]);
		if (faccessat(AT_FDCWD, path.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			r = add_file(files, "", path.text);
		if (r < 0)
			return r;
		files->layer = layers[i];
		r = sysfs_list(path_of(&path, "%s/" DROP_INS, layers[i]), add_drop_in, files);
		if (r == -ENOENT)
			r = 0;
		if (r < 0)
			journal_say(LOG_ERR, "%s: %s", path.text, strerror(-r));
	}
	if (r == 0 && files->n)
		qsort(files->items, files->n, sizeof(*files->items), compare_files);
	return r;
}

static int set_gate(struct config *config, const char *value)
{
	return gate_mode_from_string(value, &config->gate);
}

/* Ranges with blanks between them. */
static int set_capable_ranges(struct config *config, const char *value)
{
	char text[SYSFS_TEXT], *rest = NULL;
	struct range range;
	int r = 0;

	if ((size_t)snprintf(text, sizeof(text), "%s", value) >= sizeof(text))
		return -EINVAL;
	range_set_done(&config->capable);
	for (char *word = strtok_r(text, " \t\n", &rest); r == 0 && word;
		word = strtok_r(NULL, " \t\n", &rest)) {
		r = range_parse(word, &range);
		if (r == 0)
			r = range_set_add(&config->capable, range);
	}
	return r;
}

static const struct {
	const char *name;
	int (*set)(struct config *config, const char *value);
	const char *wanted;
} keys[] = {
	{"Gate", set_gate, "auto, active or absent"},
	{"CapableRanges", set_capable_ranges, "ranges such as 0x1000000000-0x1fffffffff"},
};

/* The line of a key in a file: libeconf does not tell. 0 if it cannot be found. */
static unsigned int line_of(const char *path, const char *key)
{
	char line[SYSFS_TEXT];
	unsigned int number = 0, found = 0;
	FILE *file = fopen(path, "re");

	while (file && !found && fgets(line, sizeof(line), file)) {
		const char *start = line + strspn(line, " \t");

		number++;
		if (strncmp(start, key, strlen(key)) == 0 && strchr(" \t=\n", start[strlen(key)]))
			found = number;
	}
	if (file)
		fclose(file);
	return found;
}

static int set_key(struct config *config, econf_file *file, const char *path, const char *section,
	const char *key)
{
	char *value = NULL;
	int r = -EINVAL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!section || strcmp(section, SECTION) != 0 || strcmp(key, keys[i].name) != 0)
			continue;
		if (econf_getStringValue(file, section, key, &value) == ECONF_SUCCESS)
			r = keys[i].set(config, value ?: "");
		if (r == -EINVAL)
			journal_say(LOG_ERR, "%s:%u: %s=%s: not %s", path, line_of(path, key), key,
				value ?: "", keys[i].wanted);
		free(value);
		return r;
	}
	journal_say(LOG_ERR, "%s:%u: unknown key %s= in section [%s]", path, line_of(path, key),
		key, section ?: "");
	return r;
}

static int set_section(
	struct config *config, econf_file *file, const char *path, const char *section)
{
	char **names = NULL;
	size_t n = 0;
	int first = 0, r;

	if (econf_getKeys(file, section, &n, &names) != ECONF_SUCCESS)
		return 0;
	for (size_t i = 0; i < n; i++) {
		r = set_key(config, file, path, section, names[i]);
		if (first == 0)
			first = r;
	}
	econf_free(names);
	return first;
}

static int set_sections(struct config *config, econf_file *file, const char *path)
{
	char **sections = NULL;
	size_t n = 0;
	int first, r;

	/* Keys before any section header have none. */
	first = set_section(config, file, path, NULL);
	if (econf_getGroups(file, &n, &sections) != ECONF_SUCCESS)
		return first;
	for (size_t i = 0; i < n; i++) {
		r = set_section(config, file, path, sections[i]);
		if (first == 0)
			first = r;
	}
	econf_free(sections);
	return first;
}

/* 1 if there is something to read in it; 0: it is masked by a link to /dev/null; -EINVAL. */
static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		journal_say(LOG_ERR, "%s: %s", path, strerror(errno));
	else if (S_ISREG(st.st_mode))
		return 1;
	else if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0;
	else
		journal_say(LOG_ERR, "%s: not a file", path);
	return -EINVAL;
}

static int load_file(struct config *config, const char *path)
{
	econf_file *file = NULL;
	char *where = NULL;
	uint64_t line = 0;
	econf_err error;
	int r;

	r = check_file(path);
	if (r <= 0)
		return r;
	error = econf_readFile(&file, path, "=", "#");
	if (error != ECONF_SUCCESS) {
		econf_errLocation(&where, &line);
		journal_say(LOG_ERR, "%s:%" PRIu64 ": %s", path, line, econf_errString(error));
		free(where);
		return error == ECONF_NOMEM ? -ENOMEM : -EINVAL;
	}
	r = set_sections(config, file, path);
	econf_free(file);
	return r;
}

int config_load(struct config *ret_config)
{
	CLEANUP(files_done) struct files files = {0};
	CLEANUP(config_done) struct config config = {0};
	int first, r;

	first = find_files(&files);
	for (size_t i = 0; first != -ENOMEM && i < files.n; i++) {
		r = load_file(&config, files.items[i].path);
		if (first == 0)
			first = r;
	}
	if (first < 0)
		return first;
	*ret_config = config;
	config = (struct config){0};
	return 0;
}
