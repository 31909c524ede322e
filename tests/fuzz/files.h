/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files in memory, for targets that read several. The linker replaces functions of sysfs.c and
 * trusted.c in daemon/host/ by those here (--wrap), and messages are dropped. Include this in one
 * file of a program.
 */
#pragma once

#include <errno.h>
#include <stdarg.h>

#include "daemon/host/sysfs.h"
#include "daemon/host/trusted.h"
#include "daemon/log/log.h"
#include "tests/fuzz/fuzz.h"

struct file {
	const char *path;
	const uint8_t *data;
	size_t size;
};

#define FILES_MOST 64

static struct file files[FILES_MOST];
static size_t n_files;

int __wrap_sysfs_read(const char *path, char *ret_text, size_t size);
int __wrap_sysfs_read_text(const char *path, char **ret_text, size_t *ret_size);
int __wrap_sysfs_read_number(const char *path, int base, uint64_t *ret_number);
int __wrap_trusted_read(
	const char *path, char **ret_text, size_t *ret_size, char mistake[TRUSTED_MISTAKE]);
int __wrap_sysfs_list(
	const char *path, int (*each)(const char *name, void *userdata), void *userdata);
void __wrap_log_print(int priority, const char *format, ...) PRINTF(2, 3);

static inline const struct file *find_file(const char *path)
{
	for (size_t i = 0; i < n_files; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	return NULL;
}

int __wrap_sysfs_read(const char *path, char *ret_text, size_t size)
{
	const struct file *file = find_file(path);

	if (!file)
		return -ENOENT;
	if (file->size >= size)
		return -EOVERFLOW;
	memcpy(ret_text, file->data, file->size);
	ret_text[file->size] = '\0';
	if (file->size && ret_text[file->size - 1] == '\n')
		ret_text[file->size - 1] = '\0';
	return 0;
}

int __wrap_sysfs_read_text(const char *path, char **ret_text, size_t *ret_size)
{
	const struct file *file = find_file(path);
	char *text = file ? malloc(file->size + 1) : NULL;

	if (!file)
		return -ENOENT;
	require(text);
	memcpy(text, file->data, file->size);
	text[file->size] = '\0';
	*ret_text = text;
	*ret_size = file->size;
	return 0;
}

int __wrap_trusted_read(
	const char *path, char **ret_text, size_t *ret_size, char mistake[TRUSTED_MISTAKE])
{
	mistake[0] = '\0';
	return __wrap_sysfs_read_text(path, ret_text, ret_size);
}

int __wrap_sysfs_read_number(const char *path, int base, uint64_t *ret_number)
{
	char text[SYSFS_TEXT], *end;
	int r = __wrap_sysfs_read(path, text, sizeof(text));

	if (r < 0)
		return r;
	*ret_number = strtoull(text, &end, base);
	return end == text || *end ? -EBADMSG : 0;
}

/* List the first component of each path below the directory, once. */
int __wrap_sysfs_list(
	const char *path, int (*each)(const char *name, void *userdata), void *userdata)
{
	size_t length = strlen(path);
	char last[64] = "";
	bool found = false;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n_files; i++) {
		char name[64];

		if (strncmp(files[i].path, path, length) != 0 || files[i].path[length] != '/')
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(files[i].path + length + 1, "/"),
			files[i].path + length + 1);
		found = true;
		if (strcmp(name, last) != 0)
			r = each(name, userdata);
		memcpy(last, name, sizeof(last));
	}
	return found ? r : -ENOENT;
}

void __wrap_log_print(int priority, const char *format, ...)
{
	char text[4096];
	va_list args;

	(void)priority;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
}
