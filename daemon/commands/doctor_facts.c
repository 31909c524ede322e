/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host: files of others, processes, the kernel log, and what can be written.
 */
#include "daemon/commands/doctor_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/commands/doctor_writers.h"
#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"
#include "daemon/host/sensor.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/array.h"

#define UNIT	    "tdx-onlined.service"
#define SERVICE	    "/sys/fs/cgroup/system.slice/" UNIT "/cgroup.procs"
#define GUEST_AGENT "qemu-ga"

/* From strong to weak: udev(7), modprobe.d(5), daxctl-reconfigure-device(1). */
static const char *const udev_rules[] = {"/etc/udev/rules.d", "/run/udev/rules.d",
	"/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d", NULL};
static const char *const modprobe_d[] = {"/etc/modprobe.d", "/run/modprobe.d",
	"/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d", NULL};
static const char *const daxctl_conf[] = {"/etc/daxctl.conf.d", NULL};

/* The paths are those of the scripts. */
static void free_nothing(void *path)
{
	(void)path;
}

void host_done(struct host *host)
{
	tdestroy(host->script_paths, free_nothing);
	for (size_t i = 0; i < host->n_scripts; i++)
		free(host->scripts[i].path);
	free(host->scripts);
	free(host->writers);
	layers_done(&host->files);
	free(host->udev);
	free(host->modprobe);
	free(host->daxctl);
	free(host->agents);
	free(host->cmdline);
	*host = (struct host){0};
}

/* --- files --- */

/* Its name does not count, as for those whose files they are; a directory should be readable. */
static void note_stray(const char *path, const char *mistake, void *userdata)
{
	struct host *host = userdata;

	if (mistake)
		complain(host->complaints, "%s: %s", path, mistake);
}

/* A link to /dev/null masks a file, also where the captured tree has no such device. */
static bool is_masked(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(target, "/dev/null") == 0;
}

/* An empty file masks a unit as well: systemd.unit(5). */
static bool is_unit_masked(const char *path)
{
	struct stat st;

	return is_masked(path) || (stat(path, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size);
}

static bool is_missing(const char *path)
{
	return access(path, F_OK) < 0;
}

/* 0; -EINVAL: it cannot be read, which has been said; -ENOMEM. */
static int read_file(struct host *host, const char *path, char **ret_text, size_t *ret_size)
{
	struct stat st;
	int r;

	r = stat(path, &st) < 0 ? -errno : 0;
	if (r == 0 && !S_ISREG(st.st_mode)) {
		complain(host->complaints, "%s: not a file", path);
		return -EINVAL;
	}
	if (r == 0)
		r = sysfs_read_text(path, ret_text, ret_size);
	if (r < 0 && r != -ENOMEM) {
		complain(host->complaints, "%s: %s", path, strerror(-r));
		return -EINVAL;
	}
	return r;
}

/* Rules that are being read. */
struct rules {
	struct host *host;
	const char *path;
	int error; /* -ENOMEM, or 0 */
};

static void note_command(const char *command, const struct udev_write *where, void *userdata)
{
	struct rules *file = userdata;
	const struct doctor_lines from = {
		PLACE_UDEV, file->path, where->first_line, where->last_line};

	if (file->error == 0)
		file->error = writers_note_rule(file->host, command, &from);
}

static int read_udev(struct host *host, const char *path, const char *text, size_t size)
{
	struct rules file = {host, path, 0};
	struct udev_text rules = {
		.text = text, .size = size, .run = note_command, .userdata = &file};
	struct udev_write write;
	int r = 0;

	while (r == 0 && udev_next(&rules, &write))
		r = array_append(host->udev, host->n_udev, (struct doctor_udev){path, write});
	return r == 0 ? file.error : r;
}

static int read_modprobe(struct host *host, const char *path, const char *text, size_t size)
{
	struct conf_text conf = {.text = text, .size = size};
	struct modprobe_line line;
	int r = 0;

	while (r == 0 && modprobe_next(&conf, &line))
		r = array_append(
			host->modprobe, host->n_modprobe, (struct doctor_modprobe){path, line});
	return r;
}

static int read_daxctl(struct host *host, const char *path, const char *text, size_t size)
{
	struct conf_text conf = {.text = text, .size = size};
	struct daxctl_section section;
	int r = 0;

	while (r == 0 && daxctl_next(&conf, &section))
		r = array_append(
			host->daxctl, host->n_daxctl, (struct doctor_daxctl){path, section});
	return r;
}

/* Files of one kind. */
struct kind {
	const char *const *directories;
	const char *suffix;
	bool (*skip)(const char *path);
	int (*read)(struct host *host, const char *path, const char *text, size_t size);
};

static int read_if_there(struct host *host, const struct kind *kind, const char *path)
{
	CLEANUP(free_text) char *text = NULL;
	size_t size;
	int r;

	if (kind->skip(path))
		return 0;
	r = read_file(host, path, &text, &size);
	if (r == 0)
		r = kind->read(host, path, text, size);
	return r == -EINVAL ? 0 : r;
}

static int read_kind(struct host *host, const struct kind *kind)
{
	size_t n = host->files.n;
	int r = layers_add_directories(
		&host->files, kind->directories, kind->suffix, note_stray, host);

	for (; r == 0 && n < host->files.n; n++)
		r = read_if_there(host, kind, host->files.files[n].path);
	return r;
}

/* Of each directory of drop-ins there can be one in every directory of units. */
static int read_drop_ins(struct host *host)
{
	CLEANUP(layers_done) struct layers units = {0};
	int r = writers_list_drop_ins(&units, host);

	for (size_t i = 0; r == 0 && i < units.n; i++) {
		struct path paths[UNIT_DIRECTORIES];
		const char *directories[UNIT_DIRECTORIES + 1] = {NULL};
		const struct kind kind = {directories, ".conf", is_masked, writers_read_unit};

		for (size_t j = 0; j < UNIT_DIRECTORIES; j++)
			directories[j] = path_of(
				&paths[j], "%s/%s", unit_directories[j], units.files[i].name);
		r = read_kind(host, &kind);
	}
	return r;
}

static int read_kinds(struct host *host, const struct kind *kinds, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_kind(host, &kinds[i]);
	return r;
}

/* 0 or -ENOMEM. */
static int read_files(struct host *host)
{
	static const struct kind rules[] = {
		{udev_rules, ".rules", is_masked, read_udev},
		{modprobe_d, ".conf", is_masked, read_modprobe},
		{daxctl_conf, ".conf", is_masked, read_daxctl},
	};
	static const struct kind kinds[] = {
		{tmpfiles_d, ".conf", is_masked, writers_read_tmpfiles},
		{sysfs_d, ".conf", is_masked, writers_read_sysfs},
		{unit_directories, ".service", writers_is_alias, writers_read_unit},
		{unit_directories, ".socket", writers_is_alias, writers_read_unit},
	};
	static const struct kind sysfs = {NULL, NULL, is_missing, writers_read_sysfs};
	int r = read_kinds(host, rules, ARRAY_SIZE(rules));

	host->n_rules = host->files.n;
	if (r == 0)
		r = read_if_there(host, &sysfs, "/etc/sysfs.conf");
	if (r == 0)
		r = read_kinds(host, kinds, ARRAY_SIZE(kinds));
	if (r == 0)
		r = read_drop_ins(host);
	return r == 0 ? writers_read_scripts(host) : r;
}

/* --- processes --- */

static int add_process(const char *name, void *userdata)
{
	struct host *host = userdata;
	struct doctor_process process = {0};
	struct path path;
	char *end;

	process.pid = strtoull(name, &end, 10);
	if (*end || !process.pid)
		return 0;
	path_of(&path, PROC "/%s/comm", name);
	if (sysfs_read(path.text, process.name, sizeof(process.name)) < 0 ||
		strcmp(process.name, GUEST_AGENT) != 0)
		return 0;
	return array_append(host->agents, host->n_agents, process);
}

/* 0 or -ENOMEM. */
static int list_processes(struct host *host)
{
	char text[SYSFS_TEXT];
	int r;

	/* While the service runs its control group is there, with its first process first. */
	if (sysfs_read_head(SERVICE, text, sizeof(text)) == 0)
		host->daemon = strtoull(text, NULL, 10);
	r = sysfs_list(PROC, add_process, host);
	return r == -ENOMEM ? r : 0;
}

/* --- what can be written --- */

static int note_block(const char *name, void *userdata)
{
	char *block = userdata;

	if (!block[0] && strncmp(name, "memory", strlen("memory")) == 0)
		snprintf(block, SYSFS_NAME, "%s", name);
	return 0;
}

/* As seen by the process, or by this one if it is 0. */
static void check_writable(struct host *host, uint64_t pid, const char *file)
{
	struct doctor_unwritable *unwritable = &host->unwritable[host->n_unwritable];
	char root[SYSFS_NAME] = "";
	struct path path;

	if (pid)
		snprintf(root, sizeof(root), PROC "/%" PRIu64 "/root", pid);
	path_of(&path, "%s%s", root, file);
	if (faccessat(AT_FDCWD, path.text, F_OK, AT_EACCESS) < 0 ||
		faccessat(AT_FDCWD, path.text, W_OK, AT_EACCESS) == 0)
		return;
	*unwritable = (struct doctor_unwritable){.error = errno, .pid = pid};
	snprintf(unwritable->path, sizeof(unwritable->path), "%s", file);
	host->n_unwritable++;
}

/* If the daemon runs, its sandbox counts; a user other than root cannot write any of them. */
static void check_all_writable(struct host *host)
{
	char block[SYSFS_NAME] = "";
	struct path path;

	if (geteuid() != 0)
		return;
	check_writable(host, host->daemon, SYS_AUTO_ONLINE);
	check_writable(host, host->daemon, SYS_DAX_AUTOPROBE);
	if (sysfs_list(SYS_MEMORY, note_block, block) == 0 && block[0])
		check_writable(host, host->daemon, path_of(&path, SYS_MEMORY "/%s/state", block));
}

/* --- all of it --- */

int host_examine(struct host *host, struct complaints *complaints, bool captured)
{
	size_t size;
	int r;

	*host = (struct host){.complaints = complaints};
	host->kvm_loaded = access(SYS_KVM_INTEL, F_OK) == 0;
	host->masked = is_unit_masked("/etc/systemd/system/" UNIT) ||
		       is_unit_masked("/run/systemd/system/" UNIT);
	r = sysfs_read_text(PROC_CMDLINE, &host->cmdline, &size);
	if (r < 0)
		complain(complaints, PROC_CMDLINE ": %s", strerror(-r));
	r = read_files(host);
	if (r == 0)
		r = list_processes(host);
	if (r == 0 && !captured)
		check_all_writable(host);
	return r;
}
