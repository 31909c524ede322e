/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another root, and a look at what is in it.
 */
#include "root.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

#define SIZE_MOST (16 * 1024 * 1024) /* of /proc/iomem, a kernel log, a state */

/*
 * What is opened where a machine is judged: by the sensor, and by libdaxctl, libcxl, libkmod and
 * sd-journal.
 */
static const struct place {
	const char *pattern;
	bool closed; /* no link leads out */
	bool any_size;
} places[] = {
	/* A file of PCI memory, say, is large; nobody reads it. */
	{.pattern = "/sys", .closed = true, .any_size = true},
	{.pattern = "/proc", .closed = true},
	{.pattern = "/dev/{kmsg,cxl,dax*}"},
	{.pattern = "/run/tdx-onlined/state.json"},
	{.pattern = "/{etc,run,usr/local/lib,usr/lib,lib}/modprobe.d"},
	{.pattern = "/lib/modules", .any_size = true},
	{.pattern = "/etc/machine-id"},
	{.pattern = "/etc/udev/udev.conf"},
};

static void close_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

/* What is wrong with this kind of file, or NULL. */
static const char *mistake_of(const struct stat *st, const struct place *place)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFREG:
		return st->st_size > SIZE_MOST && !place->any_size ? "too large" : NULL;
	default:
		return NULL;
	}
}

/* As for the file that a link leads to. One that leads nowhere is as good as nothing. */
static const char *mistake_of_link(const char *path, const struct place *place)
{
	char target[PATH_MAX];
	struct stat st;

	if (!realpath(path, target) || stat(target, &st) < 0)
		return NULL;
	if (place->closed && strncmp(target, "/sys/", strlen("/sys/")) != 0 &&
		strncmp(target, "/proc/", strlen("/proc/")) != 0)
		return "a link to elsewhere";
	return mistake_of(&st, place);
}

static const char *mistake_of_entry(const FTSENT *entry, const struct place *place)
{
	switch (entry->fts_info) {
	case FTS_SL:
	case FTS_SLNONE:
		return mistake_of_link(entry->fts_accpath, place);
	case FTS_F:
	case FTS_DEFAULT:
		return mistake_of(entry->fts_statp, place);
	default:
		return NULL;
	}
}

/* 0; -EINVAL after a message; another negative errno. */
static int check_below(char *path, const struct place *place)
{
	char *const paths[] = {path, NULL};
	CLEANUP(close_fts) FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *entry;
	const char *mistake;

	if (!fts)
		return -errno;
	for (errno = 0; (entry = fts_read(fts)); errno = 0) {
		mistake = mistake_of_entry(entry, place);
		if (!mistake)
			continue;
		journal_say(LOG_ERR, "Not a captured machine: %s is %s", entry->fts_path, mistake);
		return -EINVAL;
	}
	return -errno;
}

static int check_place(const struct place *place)
{
	CLEANUP(globfree) glob_t found = {0};
	int r = glob(place->pattern, GLOB_BRACE, NULL, &found);

	if (r == GLOB_NOSPACE)
		return -ENOMEM;
	r = 0;
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
		r = check_below(found.gl_pathv[i], place);
	return r;
}

static int check_all(void)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
		r = check_place(&places[i]);
	return r;
}

int root_enter(const char *directory, bool judge)
{
	int r = 0;

	if (chdir(directory) < 0)
		r = -errno;
	/* In a user namespace of its own, anybody may change root. */
	if (r == 0 && geteuid() != 0 && unshare(CLONE_NEWUSER) < 0)
		r = -errno;
	if (r == 0 && chroot(".") < 0)
		r = -errno;
	if (r < 0)
		journal_say(LOG_ERR, "--root=%s: %s", directory, strerror(-r));
	if (r == 0 && judge && (r = check_all()) < 0 && r != -EINVAL)
		journal_say(LOG_ERR, "--root=%s: %s", directory, strerror(-r));
	return r;
}
