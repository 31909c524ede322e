/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What CLEANUP() calls for things of the C library, where a type has no function of its own.
 */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* Negative: there is none. */
static inline void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static inline void free_text(char **text)
{
	free(*text);
}
