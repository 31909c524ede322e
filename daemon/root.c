/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another root.
 */
#include "root.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"

int root_enter(const char *directory)
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
	return r;
}
