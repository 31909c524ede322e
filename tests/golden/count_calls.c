/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A preloaded object that counts the calls which open, look for and read files, and prints the
 * number to standard error at the end of the process.
 */

/* Else open() would be defined as open64(), and both are replaced here; so with the other names. */
#undef _FILE_OFFSET_BITS

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long calls;

/* Count a call, and return the function of the C library. */
static void *count(const char *name)
{
	calls++;
	return dlsym(RTLD_NEXT, name);
}

int open(const char *path, int flags, ...)
{
	int (*real)(const char *, int, ...) = count("open");
	unsigned int mode;
	va_list args;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, unsigned int) : 0;
	va_end(args);
	return real(path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int directory, const char *path, int flags, ...)
{
	int (*real)(int, const char *, int, ...) = count("openat");
	unsigned int mode;
	va_list args;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, unsigned int) : 0;
	va_end(args);
	return real(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) __attribute__((alias("openat")));

int stat(const char *path, struct stat *st)
{
	int (*real)(const char *, struct stat *) = count("stat");

	return real(path, st);
}

int stat64(const char *path, struct stat64 *st) __attribute__((alias("stat")));

int fstatat(int directory, const char *path, struct stat *st, int flags)
{
	int (*real)(int, const char *, struct stat *, int) = count("fstatat");

	return real(directory, path, st, flags);
}

int fstatat64(int directory, const char *path, struct stat64 *st, int flags)
	__attribute__((alias("fstatat")));

ssize_t read(int fd, void *buf, size_t size)
{
	ssize_t (*real)(int, void *, size_t) = count("read");

	return real(fd, buf, size);
}

int access(const char *path, int mode)
{
	int (*real)(const char *, int) = count("access");

	return real(path, mode);
}

struct dirent *readdir(DIR *directory)
{
	struct dirent *(*real)(DIR *) = count("readdir");

	return real(directory);
}

struct dirent64 *readdir64(DIR *directory)
{
	struct dirent64 *(*real)(DIR *) = count("readdir64");

	return real(directory);
}

__attribute__((destructor)) static void print(void)
{
	dprintf(STDERR_FILENO, "calls: %lu\n", calls);
}
