/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock: a lock of fcntl(2) on a file of its own, which is left there when the process ends.
 */
#include "daemon/state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"
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

pid_t lock_owner(void)
{
	struct path path;
	CLEANUP(close_fd) int fd = open(lock_path(&path), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? 0 : owner_of(fd);
}
