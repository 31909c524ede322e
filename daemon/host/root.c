/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another root, and a look at what libraries read in it.
 */
#include "daemon/host/root.h"

#include <errno.h>
#include <glob.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/log.h"

#define SIZE_MOST (16 * 1024 * 1024) /* of a kernel log, or an index of modules */

/*
 * What libdaxctl, libcxl, libkmod and sd-journal open, and what may be a device on a live system.
 */
static const char *const patterns[] = {
	"/sys/bus/{dax,cxl}/devices/*/{*,{ram,pmem}/*}",
	"/sys/bus/dax/devices/*/../dax_region/*",
	"/{etc,run,usr/local/lib,usr/lib,lib}/modprobe.d/*",
	"/lib/modules/*/modules.*",
	"/proc/{cmdline,sys/kernel/random/boot_id}",
	"/etc/machine-id",
	"/dev/kmsg",
};

static bool another;

/* What is wrong with it as a file to be read, or NULL. A link that leads nowhere is no file. */
static const char *mistake_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return NULL;
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	return st.st_size > SIZE_MOST ? "too large" : NULL;
}

/* 0; -EINVAL after a message; -ENOMEM. */
static int check(const char *pattern)
{
	CLEANUP(globfree) glob_t found = {0};
	const char *mistake;

	if (glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &found) == GLOB_NOSPACE)
		return -ENOMEM;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		mistake = mistake_of(found.gl_pathv[i]);
		if (!mistake)
			continue;
		log_print(LOG_ERR, "Not a captured machine: %s is %s", found.gl_pathv[i], mistake);
		return -EINVAL;
	}
	return 0;
}

/* 0 or a negative errno. */
static int change_root(const char *directory)
{
	if (chdir(directory) < 0)
		return -errno;
	/* In a user namespace of its own, anybody may change root. */
	if (geteuid() != 0 && unshare(CLONE_NEWUSER) < 0)
		return -errno;
	return chroot(".") < 0 ? -errno : 0;
}

int root_enter(const char *directory, bool examine)
{
	int r = change_root(directory);

	another = r == 0;
	if (r < 0)
		log_print(LOG_ERR, "--root=%s: %s", directory, strerror(-r));
	for (size_t i = 0; examine && r == 0 && i < ARRAY_SIZE(patterns); i++)
		r = check(patterns[i]);
	return r;
}

bool root_is_another(void)
{
	return another;
}
