/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernel attributes: read, write and list.
 *
 * Every function returns 0 or a negative errno unless it says otherwise. Only regular files are
 * read: -EOPNOTSUPP for a FIFO or a device, which is not waited for. sysfs_write() and sysfs_try()
 * are the only functions of the program that open a kernel file for writing.
 */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"

struct path {
	char text[PATH_MAX];
};

#define SYSFS_TEXT 4096 /* the most that an attribute can hold */

/* A formatted path, cut off at PATH_MAX. Returns path->text. */
const char *path_of(struct path *path, const char *format, ...) PRINTF(2, 3);

/*
 * The text of a file, NUL-terminated, without its trailing newline. -EOVERFLOW if it is
 * longer than size - 1 bytes.
 */
int sysfs_read(const char *path, char *ret_text, size_t size) MUST_CHECK;

/*
 * The same by a child process, which is killed if it takes more than a second: for attributes whose
 * readers the kernel can block for good. -ETIMEDOUT if it does.
 */
int sysfs_read_in_time(const char *path, char *ret_text, size_t size) MUST_CHECK;

/* The first size - 1 bytes of a file, however long it is. */
int sysfs_read_head(const char *path, char *ret_text, size_t size) MUST_CHECK;

/* A file of less than 16 MiB, with a NUL after it; the caller frees it. -EFBIG if it is longer. */
int sysfs_read_text(const char *path, char **ret_text, size_t *ret_size) MUST_CHECK;
int sysfs_read_open(int fd, char **ret_text, size_t *ret_size) MUST_CHECK;

/* A number, whole and nothing but it; base as for strtoull(). -EBADMSG if it is none. */
int sysfs_read_number(const char *path, int base, uint64_t *ret_number) MUST_CHECK;
int sysfs_read_number_in_time(const char *path, int base, uint64_t *ret_number) MUST_CHECK;

/* Write a text in one go, once. -EIO if the kernel took only a part of it; -EINTR is possible. */
int sysfs_write(const char *path, const char *text) MUST_CHECK;

/* Send a "change" of a device, by its attribute "uevent": see UEVENT_KEY. */
int sysfs_send_change(const char *path, const char *word) MUST_CHECK;

/* Can a file be opened for writing, or a directory be written? 0 also if it does not exist. */
int sysfs_try(const char *path) MUST_CHECK;

/*
 * The last part of what a link points to, or one so far above it: of a link to a device, its
 * parent. -EOVERFLOW if it is too long.
 */
int sysfs_link_name(const char *path, unsigned int above, char *ret_name, size_t size) MUST_CHECK;

/*
 * Call `each` for every name in a directory but the hidden ones, in no order. Stops at the
 * first negative return value and returns it.
 */
int sysfs_list(
	const char *path, int (*each)(const char *name, void *userdata), void *userdata) MUST_CHECK;

/* The same of a directory that is open. The descriptor is taken over. */
int sysfs_list_open(
	int fd, int (*each)(const char *name, void *userdata), void *userdata) MUST_CHECK;
