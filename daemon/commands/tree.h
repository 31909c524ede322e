/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree that is being written: files, directories and links beneath one directory.
 *
 * Paths are those that the tree has as "/". Each is walked part by part from the directory's
 * descriptor, and no part may be a link: so nothing is ever written outside, even
 * if the tree has links that lead there, and a file that exists is never written to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"

struct tree {
	int fd;
	size_t files;
	uint64_t bytes;
};

/*
 * Make the directory, or take one that is empty. 0; -ENOTEMPTY; another negative errno. A new
 * one is for its owner alone: what root can read is not for everybody.
 */
int tree_create(const char *directory, struct tree *ret_tree) MUST_CHECK;
void tree_done(struct tree *tree);

/* Is there something of that name? */
bool tree_has(const struct tree *tree, const char *path);

/*
 * These make the directories that lead there, too, with the modes that umask(2) leaves. 0, also if
 * there is something of that name; a negative errno, and perhaps half a file.
 */
int tree_add_file(struct tree *tree, const char *path, const void *bytes, size_t size) MUST_CHECK;
int tree_add_link(struct tree *tree, const char *path, const char *target) MUST_CHECK;
int tree_add_directory(struct tree *tree, const char *path) MUST_CHECK;
