/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that only root can have written: the configuration, and what the daemon has kept.
 *
 * On the live system each directory that leads to the file, also by a symbolic link, and the file
 * itself must belong to root and be writable by root alone. The permissions of a group are also
 * the most that an access control list can grant (acl(5), mask), and a sticky bit does not help,
 * because with it others can still add files. In another root (root.h) everything is trusted.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "tdxo/base/compiler.h"

#define TRUSTED_MISTAKE 512

/*
 * Open a regular file (S_IFREG) or a directory (S_IFDIR) for reading. Returns a descriptor; or a
 * negative errno, and `mistake` has the reason, to be printed after the path: -EPERM if another
 * user can change it; -EOPNOTSUPP or -ENOTDIR if it is something else, which is not opened. Then
 * *ret_st is set, too.
 */
int trusted_open(const char *path, mode_t type, struct stat *ret_st,
	char mistake[TRUSTED_MISTAKE]) MUST_CHECK;

/* The text of a file, as sysfs_read_text() reads it. 0 or a negative errno, and the mistake. */
int trusted_read(const char *path, char **ret_text, size_t *ret_size,
	char mistake[TRUSTED_MISTAKE]) MUST_CHECK;
