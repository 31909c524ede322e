/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host: files of others, processes, the kernel log, and what can be written.
 */
#include "daemon/commands/doctor_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

void host_done(struct host *host)
{
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
static void note_stray(const char *path, int error, void *userdata)
{
	struct host *host = userdata;

	if (error)
		complain(host->complaints, "%s: %s", path, strerror(-error));
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

/* 0; -EINVAL: there is nothing to read in it, which has been said if it is no mask; -ENOMEM. */
static int read_file(struct host *host, const char *path, char **ret_text, size_t *ret_size)
{
	struct stat st;
	int r;

	if (is_masked(path))
		return -EINVAL;
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

static int read_udev(struct host *host, const char *path, const char *text, size_t size)
{
	struct udev_text rules = {.text = text, .size = size};
	struct udev_write write;
	int r = 0;

	while (r == 0 && udev_next(&rules, &write))
		r = array_append(host->udev, host->n_udev, (struct doctor_udev){path, write});
	return r;
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

/* 0 or -ENOMEM. */
static int read_files(struct host *host)
{
	static const struct {
		const char *const *directories;
		const char *suffix;
		int (*read)(struct host *host, const char *path, const char *text, size_t size);
	} kinds[] = {
		{udev_rules, ".rules", read_udev},
		{modprobe_d, ".conf", read_modprobe},
		{daxctl_conf, ".conf", read_daxctl},
	};
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++) {
		r = layers_add_directories(
			&host->files, kinds[i].directories, kinds[i].suffix, note_stray, host);
		for (; r == 0 && n < host->files.n; n++) {
			CLEANUP(free_text) char *text = NULL;
			const char *path = host->files.files[n].path;
			size_t size;

			r = read_file(host, path, &text, &size);
			if (r == 0)
				r = kinds[i].read(host, path, text, size);
			if (r == -EINVAL)
				r = 0;
		}
	}
	return r;
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

/* The daemon is what counts, if it runs; whoever is not root can write none of them anyway. */
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
