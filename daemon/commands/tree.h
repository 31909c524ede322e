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
 * Make the directory, for its owner alone; or take one that is empty, and that the caller owns and
 * no other user can write to. 0 or a negative errno, which tree_mistake() puts in words.
 */
int tree_create(const char *directory, struct tree *ret_tree) MUST_CHECK;
const char *tree_mistake(int error);
void tree_done(struct tree *tree);

/* Is there something of that name? Of a path with ".." that is not known: false. */
bool tree_has(const struct tree *tree, const char *path);

/* May everybody read this file of the system, and enter the directories that lead to it? */
bool tree_is_public(const char *source);

/*
 * These make the directories that lead there, too, also those before "..", which does not lead out
 * of the tree. Modes are 0755, and of a file 0644 or, if it is not public, 0600; umask(2) can take
 * more away. 0, also if there is something of that name; a negative errno, and perhaps half a file.
 */
int tree_add_file(struct tree *tree, const char *path, const void *bytes, size_t size,
	bool public) MUST_CHECK;
int tree_add_link(struct tree *tree, const char *path, const char *target) MUST_CHECK;
int tree_add_directory(struct tree *tree, const char *path) MUST_CHECK;
