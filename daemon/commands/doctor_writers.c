/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of other programs that may online memory.
 */
#include "daemon/commands/doctor_writers.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/array.h"

#define UDEV_BIN    "/usr/lib/udev" /* of a command without a directory: udev(7) */
#define SCRIPTS_MAX 4096
#define WRITERS_MAX 1000
#define SCRIPT_SIZE (1 << 20) /* what is larger is not a script */

/* systemd-tmpfiles(8), sysfs.conf(5), systemd.unit(5) */
const char *const tmpfiles_d[] = {"/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d",
	"/usr/lib/tmpfiles.d", NULL};
const char *const sysfs_d[] = {"/etc/sysfs.d", NULL};
const char *const unit_directories[UNIT_DIRECTORIES + 1] = {"/etc/systemd/system",
	"/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late", NULL};

/* --- scripts to be searched --- */

static int compare_paths(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int add_script(struct host *host, const char *path, const struct doctor_lines *from)
{
	struct host_script script = {.path = strdup(path), .from = *from};
	int r = script.path ? array_append(host->scripts, host->n_scripts, script) : -ENOMEM;

	if (r < 0) {
		free(script.path);
		return r;
	}
	return tsearch(script.path, &host->script_paths, compare_paths) ? 0 : -ENOMEM;
}

static int note_script(struct host *host, const char *path, const struct doctor_lines *from)
{
	if (tfind(path, &host->script_paths, compare_paths))
		return 0;
	if (host->n_scripts < SCRIPTS_MAX)
		return add_script(host, path, from);
	if (!host->scripts_left_out)
		complain(host->complaints,
			"scripts: Units and udev rules run more than %d programs: the others "
			"are not searched",
			SCRIPTS_MAX);
	host->scripts_left_out = true;
	return 0;
}

static int note_scripts(struct host *host, const char *command, const struct doctor_lines *from)
{
	char program[PROGRAM_PATH];
	int r = 0;

	while (r == 0 && program_next(&command, program))
		r = note_script(host, program, from);
	return r;
}

int writers_note_rule(struct host *host, const char *command, const struct doctor_lines *from)
{
	struct path path;
	int r = 0;

	if (*command != '/')
		r = note_script(host,
			path_of(&path, UDEV_BIN "/%.*s", (int)strcspn(command, " \t"), command),
			from);
	return r == 0 ? note_scripts(host, command, from) : r;
}

/* --- files --- */

static int add_writer(struct host *host, enum writer_kind kind, const char *path,
	const struct writer_line *line, const struct doctor_lines *edit)
{
	struct doctor_writer writer = {
		.kind = kind, .path = path, .line = line->first, .edit = *edit};

	if (host->n_writers == WRITERS_MAX)
		return 0;
	snprintf(writer.what, sizeof(writer.what), "%.*s", WRITER_WHAT - 1, line->text);
	return array_append(host->writers, host->n_writers, writer);
}

/* Search a file of configuration: what is found is to be edited in it, or in a copy. */
static int search(struct host *host, const char *path, struct writer_text *lines)
{
	static const enum place places[] = {
		[WRITER_TMPFILES] = PLACE_TMPFILES,
		[WRITER_SYSFS] = PLACE_SYSFS,
		[WRITER_UNIT] = PLACE_SYSTEMD,
	};
	struct writer_line line;
	int r = 0;

	while (r == 0 && writer_next(lines, &line)) {
		const struct doctor_lines edit = {places[lines->kind], path, line.first, line.last};

		if (line.onlines)
			r = add_writer(host, lines->kind, path, &line, &edit);
		if (r == 0 && lines->kind == WRITER_UNIT)
			r = note_scripts(host, line.text, &edit);
	}
	return r;
}

int writers_read_tmpfiles(struct host *host, const char *path, const char *text, size_t size)
{
	return search(host, path,
		&(struct writer_text){
			.conf = {.text = text, .size = size}, .kind = WRITER_TMPFILES});
}

int writers_read_sysfs(struct host *host, const char *path, const char *text, size_t size)
{
	return search(host, path,
		&(struct writer_text){.conf = {.text = text, .size = size}, .kind = WRITER_SYSFS});
}

int writers_read_unit(struct host *host, const char *path, const char *text, size_t size)
{
	return search(host, path,
		&(struct writer_text){.conf = {.text = text, .size = size}, .kind = WRITER_UNIT});
}

bool writers_is_alias(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(basename(target), basename(path)) != 0;
}

/* What is below the directories of units for another reason: *.wants, other types of unit. */
static void pass_over(const char *path, const char *mistake, void *userdata)
{
	(void)path;
	(void)mistake;
	(void)userdata;
}

int writers_list_drop_ins(struct layers *directories, struct host *host)
{
	return layers_add_directories(directories, unit_directories, ".d", pass_over, host);
}

/* --- scripts --- */

/* True if there is a file that can be a script. Programs are not searched. */
static bool is_script(const char *path)
{
	static const char elf[] = "\177ELF";
	char head[sizeof(elf)];
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= SCRIPT_SIZE &&
	       sysfs_read_head(path, head, sizeof(head)) == 0 && strcmp(head, elf) != 0;
}

static int read_script(struct host *host, const struct host_script *script)
{
	CLEANUP(free_text) char *text = NULL;
	struct writer_text lines = {.kind = WRITER_SCRIPT};
	struct writer_line line;
	int r;

	if (!is_script(script->path))
		return 0;
	r = sysfs_read_text(script->path, &text, &lines.conf.size);
	lines.conf.text = text;
	while (r == 0 && writer_next(&lines, &line))
		r = add_writer(host, WRITER_SCRIPT, script->path, &line, &script->from);
	return r == -ENOMEM ? r : 0;
}

int writers_read_scripts(struct host *host)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->n_scripts; i++)
		r = read_script(host, &host->scripts[i]);
	return r;
}
