/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock: a lock of fcntl(2) on a file of its own, which is left there when the process ends.
 */
#include "daemon/state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/state/state_file.h"

static struct flock whole_file(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static pid_t owner_of(int fd)
{
	struct flock lock = whole_file();

	/* A lock that belongs to no process has the number -1. */
	return fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK || lock.l_pid < 0
		       ? 0
		       : lock.l_pid;
}

int lock_take(pid_t *ret_owner)
{
	struct flock lock = whole_file();
	struct path path;
	int fd;

	state_make_directory();
	/* It stays open until the process ends: to close it gives the lock up. */
	fd = open(lock_path(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return 0;
	if (errno != EACCES && errno != EAGAIN)
		return -errno;
	*ret_owner = owner_of(fd);
	close(fd);
	return 1;
}

/*
 * What a process without privileges can read: "1: POSIX  ADVISORY  WRITE 1234 00:19:56 0 EOF", with
 * the numbers of the device in hexadecimal (lock_get_status(), fs/locks.c, 6.12).
 */
static pid_t listed_owner(const char *path)
{
	CLEANUP(free_text) char *text = NULL;
	unsigned int device[2];
	unsigned long inode;
	struct stat st;
	size_t size;
	pid_t owner;

	if (stat(path, &st) < 0 || sysfs_read_text(PROC_LOCKS, &text, &size) < 0)
		return 0;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n");
		if (sscanf(line, "%*u: POSIX ADVISORY WRITE %d %x:%x:%lu", &owner, &device[0],
			    &device[1], &inode) == 4 &&
			makedev(device[0], device[1]) == st.st_dev && inode == st.st_ino)
			return owner > 0 ? owner : 0;
	}
	return 0;
}

pid_t lock_owner(void)
{
	struct path path;
	CLEANUP(close_fd) int fd = open(lock_path(&path), O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES)
		return listed_owner(path.text);
	return fd < 0 ? 0 : owner_of(fd);
}
