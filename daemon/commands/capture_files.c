/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture: what of a file is wanted, and the disguise.
 *
 * Only regular files are opened, and only for reading. A file is read as a whole before anything
 * is written, so half an attribute is never in the tree.
 */
#include "daemon/commands/capture_files.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int capture_failed(struct capture *capture, const char *path, int error)
{
	if (error == -EEXIST)
		return 0;
	if (error < 0 && !capture->failed.text[0])
		path_of(&capture->failed, "%s", path);
	return error;
}

void capture_note_unreadable(struct capture *capture, int error)
{
	if (error == -EACCES || error == -EPERM || error == -EFBIG)
		capture->unreadable++;
}

static bool contains(const struct bytes *text, const char *word)
{
	return text->n && memmem(text->bytes, text->n, word, strlen(word));
}

static bool contains_one(const struct bytes *text, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (contains(text, words[i]))
			return true;
	return false;
}

static void keep_first_processor(struct bytes *text)
{
	const char *end = text->n ? memmem(text->bytes, text->n, "\n\n", 2) : NULL;

	if (end)
		text->n = (size_t)(end - text->bytes) + 2;
}

static void keep_dax_lines(struct bytes *text)
{
	size_t kept = 0, length;

	for (size_t i = 0; i < text->n; i += length) {
		char *line = text->bytes + i, *end = memchr(line, '\n', text->n - i);

		length = end ? (size_t)(end - line) + 1 : text->n - i;
		if (!memmem(line, length, "dax", 3))
			continue;
		memmove(text->bytes + kept, line, length);
		kept += length;
	}
	text->n = kept;
}

/* False: there is to be no such file. */
static bool keep_part(struct bytes *text, enum part part)
{
	static const char *const memory[] = {
		"memory", "{state}", "online", "system-ram", "daxctl", "chmem"};
	static const char *const modules[] = {
		"kmem", "device_dax", "dax_", "kvm_intel", "device-dax", "dax-", "kvm-intel"};

	switch (part) {
	case PART_FIRST_PROCESSOR:
		keep_first_processor(text);
		break;
	case PART_DAX_LINES:
		keep_dax_lines(text);
		break;
	case PART_IF_MEMORY:
		text->n = contains_one(text, memory, ARRAY_SIZE(memory)) ? text->n : 0;
		break;
	case PART_IF_MODULES:
		text->n = contains_one(text, modules, ARRAY_SIZE(modules)) ? text->n : 0;
		break;
	case PART_IF_AGENT:
		return text->n == 8 && memcmp(text->bytes, "qemu-ga\n", 8) == 0;
	default:
		break;
	}
	return true;
}

/* 0, or a negative errno: -ENODATA if it is no file that is to be read. */
static int read_source(const char *path, struct bytes *ret_text)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0444))
		return -ENODATA;
	return sysfs_read_text(path, &ret_text->bytes, &ret_text->n);
}

int capture_text(struct capture *capture, const char *path, const struct bytes *text,
	enum disguise_kind disguise)
{
	CLEANUP(bytes_done) struct bytes other = {0};
	int r;

	if (capture->anonymise) {
		r = disguise_text(&capture->disguise, disguise, text, &other);
		if (r < 0)
			return capture_failed(capture, path, r);
		text = &other;
	}
	r = tree_add_file(&capture->tree, path, text->bytes, text->n);
	return capture_failed(capture, path, r);
}

int capture_file(
	struct capture *capture, const char *path, enum part part, enum disguise_kind disguise)
{
	CLEANUP(bytes_done) struct bytes text = {0};
	int r;

	if (tree_has(&capture->tree, path))
		return 0;
	r = part == PART_NONE ? 0 : read_source(path, &text);
	if (r == -ENOMEM)
		return capture_failed(capture, path, r);
	capture_note_unreadable(capture, r);
	if (r < 0 || !keep_part(&text, part))
		return 0;
	return capture_text(capture, path, &text, disguise);
}

int capture_config(struct capture *capture, const char *path, enum part part)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		capture_note_unreadable(capture, -errno);
		/* A link, then: what it is called does not matter. */
		if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
			return 0;
		return capture_failed(
			capture, path, tree_add_link(&capture->tree, path, "nowhere/to/be/found"));
	}
	if (S_ISREG(st.st_mode))
		return capture_file(capture, path, part, DISGUISE_PLAIN);
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return capture_failed(capture, path, tree_add_file(&capture->tree, path, NULL, 0));
	return capture_failed(capture, path, tree_add_directory(&capture->tree, path));
}
