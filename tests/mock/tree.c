/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of the mock machine.
 */
#include "mock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file that was read last. */
static char all_of_it[65536];

static void check(bool ok, const char *what, const char *path)
{
	if (!ok)
		fail_msg("%s %s: %s", what, path, strerror(errno));
}

void mock_path(char path[MOCK_PATH], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(path, MOCK_PATH, format, args);
	va_end(args);
}

const char *mock_real_path(const struct mock *mock, const char *path, char buf[MOCK_PATH])
{
	assert_true(snprintf(buf, MOCK_PATH, "%s%s", mock->root, path) < MOCK_PATH);
	return buf;
}

/* Make all directories above `real`, which is below the testbed's root. */
static void make_parents(const struct mock *mock, char *real)
{
	for (char *at = real + strlen(mock->root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		check(mkdir(real, 0755) == 0 || errno == EEXIST, "mkdir", real);
		*at = '/';
	}
}

void mock_make_directory(const struct mock *mock, const char *path)
{
	char real[MOCK_PATH];

	mock_real_path(mock, path, real);
	make_parents(mock, real);
	check(mkdir(real, 0755) == 0 || errno == EEXIST, "mkdir", real);
}

/* Atomically: the daemon may read the file at any time, and attributes are never half written. */
void mock_put_bytes(const struct mock *mock, const char *path, const void *bytes, size_t size)
{
	char real[MOCK_PATH], aside[MOCK_PATH];
	int fd;

	mock_real_path(mock, path, real);
	mock_real_path(mock, "/aside", aside);
	make_parents(mock, real);
	fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	check(fd >= 0, "open", aside);
	check(write(fd, bytes, size) == (ssize_t)size, "write", aside);
	close(fd);
	check(rename(aside, real) == 0, "rename", real);
}

void mock_put(const struct mock *mock, const char *path, const char *text)
{
	mock_put_bytes(mock, path, text, strlen(text));
}

void mock_link(const struct mock *mock, const char *path, const char *target)
{
	char real[MOCK_PATH];

	mock_real_path(mock, path, real);
	make_parents(mock, real);
	check(symlink(target, real) == 0, "symlink", real);
}

void mock_move(const struct mock *mock, const char *from, const char *to)
{
	char real_from[MOCK_PATH], real_to[MOCK_PATH];

	mock_real_path(mock, from, real_from);
	mock_real_path(mock, to, real_to);
	make_parents(mock, real_to);
	check(rename(real_from, real_to) == 0, "rename", real_to);
}

void mock_remove(const struct mock *mock, const char *path)
{
	char real[MOCK_PATH];

	mock_real_path(mock, path, real);
	check(unlink(real) == 0 || rmdir(real) == 0, "remove", real);
}

void mock_set_mode(const struct mock *mock, const char *path, mode_t mode)
{
	char real[MOCK_PATH];

	check(chmod(mock_real_path(mock, path, real), mode) == 0, "chmod", real);
}

void mock_expect_mode(const struct mock *mock, const char *path, mode_t mode)
{
	char real[MOCK_PATH];
	struct stat st = {0};

	check(stat(mock_real_path(mock, path, real), &st) == 0, "stat", real);
	assert_int_equal(st.st_mode & ALLPERMS, mode);
}

void mock_read(const struct mock *mock, const char *path, char *text, size_t size)
{
	char real[MOCK_PATH];
	ssize_t n;
	int fd;

	fd = open(mock_real_path(mock, path, real), O_RDONLY | O_CLOEXEC);
	check(fd >= 0, "open", real);
	n = read(fd, text, size - 1);
	check(n >= 0, "read", real);
	close(fd);
	text[n] = '\0';
}

/* They are the last keys. */
void mock_make_state_older(const struct mock *mock)
{
	static char text[65536];
	char *last;

	kill(mock->daemon, SIGSTOP);
	mock_read(mock, STATE, text, sizeof(text));
	last = strstr(text, ",\"pid\":");
	assert_non_null(last);
	strcpy(last, "}\n");
	mock_put(mock, STATE, text);
}

static bool is_as_required(const struct mock *mock, const char *path,
	bool (*is)(const char *text, const void *userdata), const void *userdata)
{
	char real[MOCK_PATH];

	if (access(mock_real_path(mock, path, real), F_OK) < 0)
		return false;
	mock_read(mock, path, all_of_it, sizeof(all_of_it));
	return is(all_of_it, userdata);
}

/* Wait for the next change in the watched directories, or take those since the last call. */
static bool wait_for_change(int fd, int64_t deadline)
{
	char events[4096];
	bool changed = mock_wait_for(fd, deadline);

	while (read(fd, events, sizeof(events)) > 0)
		;
	return changed;
}

/* One descriptor for all calls: closing it costs an RCU grace period of some 20 ms. */
void mock_await(const struct mock *mock, const char *path,
	bool (*is)(const char *text, const void *userdata), const void *userdata)
{
	static int fd = -1;
	int64_t deadline = mock_now_ms() + DEADLINE_MS;
	char real[MOCK_PATH];
	bool found;

	if (fd < 0)
		fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	mock_real_path(mock, path, real);
	*strrchr(real, '/') = '\0';
	check(inotify_add_watch(fd, real, IN_CLOSE_WRITE | IN_MOVED_TO) >= 0, "watch", real);
	/* Watch before the first read: no change between read and wait is missed. */
	while (!(found = is_as_required(mock, path, is, userdata)) && wait_for_change(fd, deadline))
		;
	if (found)
		return;
	mock_read(mock, path, all_of_it, sizeof(all_of_it));
	fail_msg("%s: not as expected before the deadline: %s", path, all_of_it);
}

static bool has_text(const char *text, const void *userdata)
{
	return strstr(text, userdata);
}

void mock_await_text(const struct mock *mock, const char *path, const char *text)
{
	mock_await(mock, path, has_text, text);
}

void mock_expect_file(const struct mock *mock, const char *path, const char *text)
{
	char got[256];

	mock_read(mock, path, got, sizeof(got));
	got[strcspn(got, "\n")] = '\0';
	if (strcmp(got, text) != 0)
		fail_msg("%s reads \"%s\" and not \"%s\"", path, got, text);
}
