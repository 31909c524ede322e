/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernel attributes: one open, one transfer, one close.
 */
#include "daemon/host/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/paths.h"

#define READ_FIRST (16 * 1024)
#define READ_MOST  (16 * 1024 * 1024) /* /proc/zoneinfo grows with processors and nodes */
#define IN_TIME_MS 1000

const char *path_of(struct path *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(path->text, sizeof(path->text), format, args);
	va_end(args);
	return path->text;
}

/* A FIFO or a device, as a captured tree may have, is not waited for, and not read. */
static int open_for_reading(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && !S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EOPNOTSUPP;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Read until `size` bytes are there or the file ends. Returns how many. */
static ssize_t read_up_to(int fd, char *buf, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t r = read(fd, buf + n, size - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

static ssize_t read_file(const char *path, char *buf, size_t size)
{
	CLEANUP(close_fd) int fd = open_for_reading(path);

	return fd < 0 ? fd : read_up_to(fd, buf, size);
}

int sysfs_read_head(const char *path, char *ret_text, size_t size)
{
	ssize_t n = read_file(path, ret_text, size - 1);

	if (n < 0)
		return (int)n;
	ret_text[n] = '\0';
	return 0;
}

/* End a text of n bytes, if it is one, as sysfs_read() does. */
static int end_text(ssize_t n, char *ret_text, size_t size)
{
	if (n < 0)
		return (int)n;
	if ((size_t)n == size)
		return -EOVERFLOW;
	if (n && ret_text[n - 1] == '\n')
		n--;
	ret_text[n] = '\0';
	return 0;
}

int sysfs_read(const char *path, char *ret_text, size_t size)
{
	return end_text(read_file(path, ret_text, size), ret_text, size);
}

/* Of a child: what it reads goes into the pipe, which takes all of it; an errno is its status. */
static int pass_on(const char *path, int pipe, size_t size)
{
	char text[SYSFS_TEXT];
	ssize_t n = read_file(path, text, size < sizeof(text) ? size : sizeof(text));

	if (n < 0)
		return (int)-n;
	return write(pipe, text, (size_t)n) == n ? 0 : EIO;
}

static bool has_ended(int pipe)
{
	struct pollfd fd = {.fd = pipe, .events = POLLIN};

	return poll(&fd, 1, IN_TIME_MS) > 0;
}

static pid_t left_behind; /* a child that did not end when it was killed, or 0 */

/* Before 6.9 a reader that waits for the kernel cannot be killed: then it is not waited for. */
static void kill_child(pid_t pid, int pipe)
{
	kill(pid, SIGKILL);
	if (!has_ended(pipe) || waitpid(pid, NULL, 0) < 0)
		left_behind = pid;
}

static ssize_t read_from_child(pid_t pid, int pipe, char *buf, size_t size)
{
	int status = 0;
	ssize_t n;

	if (!has_ended(pipe)) {
		kill_child(pid, pipe);
		return -ETIMEDOUT;
	}
	n = read_up_to(pipe, buf, size);
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status) ? -WEXITSTATUS(status) : n;
}

static ssize_t read_file_in_time(const char *path, char *buf, size_t size)
{
	int fds[2];
	ssize_t n;
	pid_t pid;

	/* At most one: processes are few, and the kernel is still at it. */
	if (left_behind && waitpid(left_behind, NULL, WNOHANG) == 0)
		return -ETIMEDOUT;
	left_behind = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	n = -errno;
	if (pid == 0)
		_exit(pass_on(path, fds[1], size));
	close(fds[1]);
	if (pid > 0)
		n = read_from_child(pid, fds[0], buf, size);
	close(fds[0]);
	return n;
}

int sysfs_read_in_time(const char *path, char *ret_text, size_t size)
{
	return end_text(read_file_in_time(path, ret_text, size), ret_text, size);
}

/* Read until the file ends, into a buffer that grows. Returns how many bytes; -EFBIG. */
static ssize_t read_all(int fd, char **text)
{
	size_t n = 0;

	for (size_t size = READ_FIRST; size <= READ_MOST; size *= 2) {
		char *bigger = realloc(*text, size + 1);
		ssize_t more;

		if (!bigger)
			return -ENOMEM;
		*text = bigger;
		more = read_up_to(fd, bigger + n, size - n);
		if (more < 0)
			return more;
		n += (size_t)more;
		if (n < size)
			return (ssize_t)n;
	}
	return -EFBIG;
}

int sysfs_read_open(int fd, char **ret_text, size_t *ret_size)
{
	CLEANUP(free_text) char *text = NULL;
	ssize_t n = read_all(fd, &text);

	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret_text = text;
	*ret_size = (size_t)n;
	text = NULL;
	return 0;
}

int sysfs_read_text(const char *path, char **ret_text, size_t *ret_size)
{
	CLEANUP(close_fd) int fd = open_for_reading(path);

	return fd < 0 ? fd : sysfs_read_open(fd, ret_text, ret_size);
}

static int parse_number(const char *text, int base, uint64_t *ret_number)
{
	uint64_t number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, base);
	if (errno || end == text || *end || strchr(text, '-'))
		return -EBADMSG;
	*ret_number = number;
	return 0;
}

int sysfs_read_number(const char *path, int base, uint64_t *ret_number)
{
	char text[SYSFS_TEXT];
	int r = sysfs_read(path, text, sizeof(text));

	return r < 0 ? r : parse_number(text, base, ret_number);
}

int sysfs_read_number_in_time(const char *path, int base, uint64_t *ret_number)
{
	char text[SYSFS_TEXT];
	int r = sysfs_read_in_time(path, text, sizeof(text));

	return r < 0 ? r : parse_number(text, base, ret_number);
}

int sysfs_write(const char *path, const char *text)
{
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}

int sysfs_send_change(const char *path, const char *word)
{
	char uuid[64], text[SYSFS_TEXT];
	int r = sysfs_read(PROC_UUID, uuid, sizeof(uuid));

	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "change %s " UEVENT_KEY "=%s", uuid, word);
	return sysfs_write(path, text);
}

int sysfs_try(const char *path)
{
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR)
		return access(path, W_OK) < 0 ? -errno : 0;
	return -errno;
}

int sysfs_link_name(const char *path, unsigned int above, char *ret_name, size_t size)
{
	char target[PATH_MAX] = "", *slash, *name;

	if (readlink(path, target, sizeof(target) - 1) < 0)
		return -errno;
	for (slash = strrchr(target, '/'); slash && above; above--) {
		*slash = '\0';
		slash = strrchr(target, '/');
	}
	name = slash ? slash + 1 : target;
	if (strlen(name) >= size)
		return -EOVERFLOW;
	memcpy(ret_name, name, strlen(name) + 1);
	return 0;
}

/* NULL: it could not be opened, and errno has the cause. */
static int list(DIR *opened, int (*each)(const char *name, void *userdata), void *userdata)
{
	CLEANUP(close_directory) DIR *directory = opened;
	const struct dirent *entry;
	int r;

	if (!directory)
		return -errno;
	for (errno = 0; (entry = readdir(directory)); errno = 0) {
		if (entry->d_name[0] == '.')
			continue;
		r = each(entry->d_name, userdata);
		if (r < 0)
			return r;
	}
	return -errno;
}

int sysfs_list(const char *path, int (*each)(const char *name, void *userdata), void *userdata)
{
	return list(opendir(path), each, userdata);
}

int sysfs_list_open(int fd, int (*each)(const char *name, void *userdata), void *userdata)
{
	DIR *directory = fdopendir(fd);
	int r = list(directory, each, userdata);

	if (!directory)
		close(fd);
	return r;
}
