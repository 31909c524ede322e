/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree that is being written.
 */
#include "daemon/commands/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"

#define DIRECTORY_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* 0 or -ENOTEMPTY, or another negative errno. */
static int check_empty(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	CLEANUP(close_directory) DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!directory)
		return -errno;
	for (errno = 0; (entry = readdir(directory)); errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return -ENOTEMPTY;
	return -errno;
}

/* What others could put there while the tree is written would become a part of it. */
static int check_own(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

int tree_create(const char *directory, struct tree *ret_tree)
{
	CLEANUP(free_text) char *path = strdup(directory);
	CLEANUP(close_fd) int place = -1;
	struct tree tree = {0};
	int r;

	if (!path)
		return -ENOMEM;
	/* With a slash behind it the kernel would follow a link. */
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (place < 0)
		return -errno;
	r = check_own(place);
	if (r < 0)
		return r;
	tree.fd = openat(place, ".", O_RDONLY | DIRECTORY_FLAGS);
	if (tree.fd < 0)
		return -errno;
	r = check_empty(tree.fd);
	if (r < 0)
		tree_done(&tree);
	else
		*ret_tree = tree;
	return r;
}

const char *tree_mistake(int error)
{
	switch (error) {
	case -ENOTEMPTY:
		return "it is not empty";
	case -ELOOP:
		return "it is a symbolic link: name the directory itself";
	case -EPERM:
		return "another user owns it or can write to it: name one that does not exist";
	default:
		return strerror(-error);
	}
}

void tree_done(struct tree *tree)
{
	close_fd(&tree->fd);
	*tree = (struct tree){.fd = -1};
}

/* Take the next part off a path: false if there is none before the last. */
static bool next_part(const char **path, char part[NAME_MAX + 1])
{
	size_t length = strcspn(*path, "/");

	if (!(*path)[length] || length > NAME_MAX)
		return false;
	memcpy(part, *path, length);
	part[length] = '\0';
	*path += length + 1;
	return true;
}

/* Returns a descriptor of a directory in another one, which is made if it is not there. */
static int enter(int fd, const char *name)
{
	int inner;

	if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	inner = openat(fd, name, O_PATH | DIRECTORY_FLAGS);
	return inner < 0 ? -errno : inner;
}

/*
 * Returns a new descriptor of the directory that a path lies in, and the last part of it. As in the
 * root directory of the system, ".." does not lead out of the tree.
 */
static int open_parent(const struct tree *tree, const char *path, const char **ret_name)
{
	int fd = openat(tree->fd, ".", O_PATH | DIRECTORY_FLAGS);
	char part[NAME_MAX + 1];
	size_t depth = 0;

	if (fd < 0)
		return -errno;
	while (fd >= 0 && next_part(&path, part)) {
		bool up = strcmp(part, "..") == 0;
		int outer = fd;

		if (!part[0] || strcmp(part, ".") == 0 || (up && !depth))
			continue;
		fd = enter(outer, part);
		depth = up ? depth - 1 : depth + 1;
		close(outer);
	}
	*ret_name = path;
	return fd;
}

bool tree_has(const struct tree *tree, const char *path)
{
	/* The directories before "..", which need not be there, are made when it is added. */
	if (strstr(path, "/../"))
		return false;
	return faccessat(tree->fd, path + strspn(path, "/"), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

bool tree_is_public(const char *source)
{
	char path[PATH_MAX];
	struct stat st;

	if (!realpath(source, path) || stat(path, &st) < 0 || !(st.st_mode & S_IROTH))
		return false;
	for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (stat(path[0] ? path : "/", &st) < 0 || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

int tree_add_file(struct tree *tree, const char *path, const void *bytes, size_t size, bool public)
{
	const mode_t mode = public ? 0644 : 0600;
	const char *name;
	CLEANUP(close_fd) int parent = open_parent(tree, path, &name);
	int fd, r;

	if (parent < 0)
		return parent;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	r = write_all(fd, bytes, size);
	/* Some file systems report only now that they are full. */
	if (close(fd) < 0 && r == 0)
		r = -errno;
	tree->files++;
	tree->bytes += size;
	return r;
}

int tree_add_link(struct tree *tree, const char *path, const char *target)
{
	const char *name;
	CLEANUP(close_fd) int parent = open_parent(tree, path, &name);

	if (parent < 0)
		return parent;
	return symlinkat(target, parent, name) < 0 && errno != EEXIST ? -errno : 0;
}

int tree_add_directory(struct tree *tree, const char *path)
{
	const char *name;
	CLEANUP(close_fd) int parent = open_parent(tree, path, &name);

	if (parent < 0)
		return parent;
	return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
}
