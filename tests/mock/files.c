/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mock kernel: files that umockdev does not redirect, directories that cannot be listed, and
 * the journal.
 *
 * The configuration files of the daemon and of libkmod, udevd's queue, the daemon's state and paths
 * that are walked from "/" are redirected to the testbed. The connection to systemd is refused: the
 * daemon would take the state of the real machine for that of the mock machine.
 *
 * Listing a directory fails while there is a file faults/DIR:NAME: an errno, and optionally how
 * many times. A file arrivals/DIR:NAME has lines "FROM TO": these files are renamed, once, just
 * before that directory is listed or just after access() to that file. The change thus lies between
 * two reads of the daemon.
 */
#include <dirent.h>
#include <errno.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "preload.h"

#define PATH (2 * PATH_MAX)
/* Replaces the function of the C library. */
#define EXPORT __attribute__((visibility("default")))

/* The path in the testbed, if it has one of the prefixes; any other path as it is. */
static const char *redirected(const char *path, char buf[PATH])
{
	static const char *const prefixes[] = {"/etc/tdx-onlined", "/run/tdx-onlined", "/run/udev",
		"/usr/lib/tdx-onlined", "/etc/modprobe.d", "/run/modprobe.d",
		"/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"};
	const char *root = getenv("UMOCKDEV_DIR");

	if (root && strcmp(path, "/") == 0)
		return root;
	for (size_t i = 0; root && i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(path, prefixes[i], strlen(prefixes[i])) != 0)
			continue;
		snprintf(buf, PATH, "%s%s", root, path);
		return buf;
	}
	return path;
}

EXPORT int open64(const char *path, int flags, ...)
{
	char buf[PATH];
	mode_t mode = 0;
	va_list args;
	typeof(&open64) next = (typeof(&open64))dlsym(RTLD_NEXT, "open64");

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	if ((flags & O_ACCMODE) == O_WRONLY)
		kernel_open_for_writing(path);
	return next(redirected(path, buf), flags, mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode)
{
	char buf[PATH];
	typeof(&fopen64) next = (typeof(&fopen64))dlsym(RTLD_NEXT, "fopen64");

	return next(redirected(path, buf), mode);
}

EXPORT int stat64(const char *path, struct stat64 *st)
{
	char buf[PATH];
	typeof(&stat64) next = (typeof(&stat64))dlsym(RTLD_NEXT, "stat64");

	return next(redirected(path, buf), st);
}

EXPORT int lstat64(const char *path, struct stat64 *st)
{
	char buf[PATH];
	typeof(&lstat64) next = (typeof(&lstat64))dlsym(RTLD_NEXT, "lstat64");

	return next(redirected(path, buf), st);
}

/*
 * Files of the user who runs the tests appear as root's, and those with a set-group-ID bit as
 * another user's.
 */
EXPORT int fstat64(int fd, struct stat64 *st)
{
	typeof(&fstat64) next = (typeof(&fstat64))dlsym(RTLD_NEXT, "fstat64");
	int r = next(fd, st);

	if (r == 0 && st->st_uid == getuid())
		st->st_uid = st->st_mode & S_ISGID ? 1000 : 0;
	return r;
}

/* The programs run as root, or as another user if MOCK_USER is set. */
EXPORT uid_t geteuid(void)
{
	return getenv("MOCK_USER") ? 1000 : 0;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	char buf[PATH];
	typeof(&mkdir) next = (typeof(&mkdir))dlsym(RTLD_NEXT, "mkdir");

	return next(redirected(path, buf), mode);
}

EXPORT int unlink(const char *path)
{
	char buf[PATH];
	typeof(&unlink) next = (typeof(&unlink))dlsym(RTLD_NEXT, "unlink");

	return next(redirected(path, buf));
}

EXPORT int inotify_add_watch(int fd, const char *path, uint32_t events)
{
	char buf[PATH];
	typeof(&inotify_add_watch) next =
		(typeof(&inotify_add_watch))dlsym(RTLD_NEXT, "inotify_add_watch");

	return next(fd, redirected(path, buf), events);
}

EXPORT int rename(const char *from, const char *to)
{
	char moved_from[PATH], moved_to[PATH];
	typeof(&rename) next = (typeof(&rename))dlsym(RTLD_NEXT, "rename");

	return next(redirected(from, moved_from), redirected(to, moved_to));
}

EXPORT int faccessat(int fd, const char *path, int mode, int flags)
{
	char buf[PATH];
	typeof(&faccessat) next = (typeof(&faccessat))dlsym(RTLD_NEXT, "faccessat");

	return next(fd, redirected(path, buf), mode, flags);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	static const char systemd[] = "/run/systemd/private";
	const struct sockaddr_un *un = (const void *)address;
	typeof(&connect) next = (typeof(&connect))dlsym(RTLD_NEXT, "connect");

	if (un->sun_family != AF_UNIX || strncmp(un->sun_path, systemd, strlen(systemd)) != 0)
		return next(fd, address, size);
	errno = ENOENT;
	return -1;
}

static void write_fault(const char *path, int error, unsigned int times)
{
	FILE *file = fopen64(path, "we");

	if (!file)
		return;
	fprintf(file, "%d %u\n", error, times);
	fclose(file);
}

/* sd-journal.h: an entry is written to the testbed's file `journal`, one field a line. */
int sd_journal_sendv(const struct iovec *fields, int n);
int __attribute__((format(printf, 2, 3))) sd_journal_print(int priority, const char *format, ...);

EXPORT int sd_journal_sendv(const struct iovec *fields, int n)
{
	const char *root = getenv("UMOCKDEV_DIR");
	char path[PATH];
	FILE *file;

	snprintf(path, sizeof(path), "%s/journal", root ? root : "");
	file = fopen64(path, "ae");
	if (!file)
		return -errno;
	for (int i = 0; i < n; i++)
		fprintf(file, "%.*s\n", (int)fields[i].iov_len, (const char *)fields[i].iov_base);
	return fclose(file) == 0 ? 0 : -errno;
}

EXPORT int sd_journal_print(int priority, const char *format, ...)
{
	char text[PATH] = "MESSAGE=";
	va_list args;

	(void)priority;
	va_start(args, format);
	vsnprintf(text + strlen(text), sizeof(text) - strlen(text), format, args);
	va_end(args);
	return sd_journal_sendv(&(struct iovec){text, strlen(text)}, 1);
}

/* Open the file ROOT/KIND/DIR:NAME of a directory. NULL if there is none. */
static FILE *open_order(const char *kind, const char *directory, char path[PATH])
{
	const char *root = getenv("UMOCKDEV_DIR"), *name = strrchr(directory, '/'), *above = name;

	while (above && above > directory && above[-1] != '/')
		above--;
	if (!root || !above || above == directory)
		return NULL;
	snprintf(path, PATH, "%s/%s/%.*s:%s", root, kind, (int)(name - above), above, name + 1);
	return fopen64(path, "re");
}

static void rename_arrivals(const char *directory)
{
	const char *root = getenv("UMOCKDEV_DIR");
	char path[PATH], from[PATH], to[PATH], words[2][PATH_MAX];
	FILE *file = open_order("arrivals", directory, path);

	if (!file)
		return;
	/* Remove it first: the next file of this name may be among the arrivals. */
	unlink(path);
	while (fscanf(file, "%4095s %4095s", words[0], words[1]) == 2) {
		snprintf(from, sizeof(from), "%s%s", root, words[0]);
		snprintf(to, sizeof(to), "%s%s", root, words[1]);
		if (rename(from, to) < 0)
			perror(from);
	}
	fclose(file);
}

EXPORT int access(const char *path, int mode)
{
	char buf[PATH];
	typeof(&access) next = (typeof(&access))dlsym(RTLD_NEXT, "access");
	int r = next(redirected(path, buf), mode), after = errno;

	rename_arrivals(path);
	errno = after;
	return r;
}

/* The errno to fail with, or 0. */
static int fault_of(const char *directory)
{
	char path[PATH];
	unsigned int times = 1;
	int error = 0, n;
	FILE *file = open_order("faults", directory, path);

	if (!file)
		return 0;
	n = fscanf(file, "%d %u", &error, &times);
	fclose(file);
	if (n == 2 && times)
		write_fault(path, error, times - 1);
	return times ? error : 0;
}

EXPORT DIR *opendir(const char *path)
{
	int before = errno, error = fault_of(path);
	char buf[PATH];
	typeof(&opendir) next = (typeof(&opendir))dlsym(RTLD_NEXT, "opendir");

	rename_arrivals(path);
	errno = error ? error : before;
	return error ? NULL : next(redirected(path, buf));
}
