/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that only root can have written.
 *
 * A path is walked from "/", name by name. Each directory is checked on its descriptor before the
 * next name is looked up in it, and no call follows a link: so another user cannot put something
 * else in the place of what has been checked.
 */
#include "daemon/host/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/root.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/strbuf.h"

#define LINKS_MOST 40 /* as path_resolution(7) */

struct walk {
	const char *path;  /* where it is to end */
	mode_t type;	   /* what it is to find there */
	int fd;		   /* of the directory that it has come to */
	struct path place; /* the path of that directory, without links; "" for "/" */
	struct path left;  /* what is to be walked from there */
	unsigned int links;
	char *mistake;
};

static void walk_done(struct walk *walk)
{
	close_fd(&walk->fd);
}

/* 0; -EPERM after it has noted the mistake. */
static int check_owner(const struct walk *walk, const char *place, const struct stat *st)
{
	struct strbuf text = strbuf_in(walk->mistake, TRUSTED_MISTAKE);
	bool foreign = st->st_uid != 0, open = st->st_mode & (S_IWGRP | S_IWOTH);
	bool leads = strcmp(place, walk->path) != 0;

	if (root_is_another() || (!foreign && !open))
		return 0;
	if (leads)
		strbuf_append(&text, "%s, which leads to it, is ", place);
	if (foreign)
		strbuf_append(&text, "owned by user %ju", (uintmax_t)st->st_uid);
	if (open)
		strbuf_append(&text, "%swritable by others than root (mode %04o)",
			foreign ? " and " : "", st->st_mode & ALLPERMS);
	strbuf_append(&text, ": check its content, then run %s%s%s on %s",
		foreign ? "'chown root'" : "", foreign && open ? " and " : "",
		open ? "'chmod go-w'" : "", leads ? place : "it");
	return -EPERM;
}

/* Go on in a directory that was opened, if it is a trusted one. 0 or a negative errno. */
static int go_on(struct walk *walk, int fd)
{
	struct stat st;

	if (fd < 0)
		return -errno;
	close_fd(&walk->fd);
	walk->fd = fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return check_owner(walk, walk->place.text[0] ? walk->place.text : "/", &st);
}

static int go_to_root(struct walk *walk)
{
	walk->place.text[0] = '\0';
	return go_on(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* The path of a name in the directory. "." and ".." lead to directories. */
static int append_name(struct path *place, const char *name)
{
	size_t n = strlen(place->text);
	char *slash = strrchr(place->text, '/');

	if (strcmp(name, "..") == 0 && slash)
		*slash = '\0';
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (snprintf(place->text + n, sizeof(place->text) - n, "/%s", name) >=
		(int)(sizeof(place->text) - n))
		return -ENAMETOOLONG;
	return 0;
}

static int enter(struct walk *walk, const char *name)
{
	int r = append_name(&walk->place, name);

	if (r < 0)
		return r;
	return go_on(walk, openat(walk->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* Take the next name off the path: "." if there is none any more. 0 or -ENAMETOOLONG. */
static int next_name(struct walk *walk, char ret_name[NAME_MAX + 1])
{
	const char *left = walk->left.text + strspn(walk->left.text, "/");
	size_t length = strcspn(left, "/");

	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	snprintf(ret_name, NAME_MAX + 1, "%.*s", (int)(length ?: 1), length ? left : ".");
	left += length + strspn(left + length, "/");
	memmove(walk->left.text, left, strlen(left) + 1);
	return 0;
}

/* Put what a link points to before what is left of the path. */
static int follow(struct walk *walk, const char *target)
{
	struct path left = walk->left;

	if (++walk->links > LINKS_MOST)
		return -ELOOP;
	if (strlen(target) + 1 + strlen(left.text) >= sizeof(left.text))
		return -ENAMETOOLONG;
	path_of(&walk->left, "%s%s%s", target, left.text[0] ? "/" : "", left.text);
	return target[0] == '/' ? go_to_root(walk) : 0;
}

/* The end of the path. A file or directory is opened as what it was; nothing else is touched. */
static int open_end(struct walk *walk, const char *name, struct stat *ret_st)
{
	struct path place = walk->place;
	int fd, r = append_name(&place, name);

	if (r < 0)
		return r;
	if (fstatat(walk->fd, name, ret_st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if ((ret_st->st_mode & S_IFMT) != walk->type)
		return walk->type == S_IFDIR ? -ENOTDIR : -EOPNOTSUPP;
	fd = openat(walk->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fstat(fd, ret_st) < 0 ? -errno
				  : check_owner(walk, place.text[0] ? place.text : "/", ret_st);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Returns the descriptor, or a negative errno. */
static int walk_on(struct walk *walk, struct stat *ret_st)
{
	char name[NAME_MAX + 1], target[PATH_MAX];
	ssize_t n;
	int r = go_to_root(walk);

	while (r == 0) {
		r = next_name(walk, name);
		if (r < 0)
			return r;
		n = readlinkat(walk->fd, name, target, sizeof(target) - 1);
		if (n >= 0) {
			target[n] = '\0';
			r = follow(walk, target);
		} else if (errno != EINVAL) {
			return -errno;
		} else if (walk->left.text[0]) {
			r = enter(walk, name);
		} else {
			return open_end(walk, name, ret_st);
		}
	}
	return r;
}

int trusted_open(const char *path, mode_t type, struct stat *ret_st, char mistake[TRUSTED_MISTAKE])
{
	CLEANUP(walk_done)
	struct walk walk = {.path = path, .type = type, .fd = -1, .mistake = mistake};
	int r;

	path_of(&walk.left, "%s", path);
	mistake[0] = '\0';
	r = walk_on(&walk, ret_st);
	if (r < 0 && !mistake[0])
		snprintf(mistake, TRUSTED_MISTAKE, "%s",
			r == -EOPNOTSUPP ? "not a file" : strerror(-r));
	return r;
}

int trusted_read(const char *path, char **ret_text, size_t *ret_size, char mistake[TRUSTED_MISTAKE])
{
	struct stat st;
	CLEANUP(close_fd) int fd = trusted_open(path, S_IFREG, &st, mistake);
	int r = fd < 0 ? fd : sysfs_read_open(fd, ret_text, ret_size);

	if (fd >= 0 && r < 0)
		snprintf(mistake, TRUSTED_MISTAKE, "%s", strerror(-r));
	return r;
}
