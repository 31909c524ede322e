/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layers: which files make up a configuration.
 *
 * As in the UAPI configuration files specification: the vendor's in /usr/lib, then those of
 * run time in /run, then the administrator's in /etc. Of one name the strongest counts alone,
 * so an empty file, or a link to /dev/null, masks a weaker one.
 */
#pragma once

#include <stddef.h>

#include "tdxo/base/compiler.h"

struct layers {
	struct layered_file {
		char *name;
		char *path;
	} * files; /* in the order of their names */
	size_t n;
};

void layers_done(struct layers *layers);

/* Append the strongest file of a name such as "tdx-onlined.conf". 0 or -ENOMEM. */
int layers_add_file(struct layers *layers, const char *name) MUST_CHECK;

/*
 * Append the files in a trusted directory such as "tdx-onlined/rules.d" whose names end in `suffix`
 * and are printable ASCII. `stray` is called for those whose names are not like that; and, with
 * a mistake, for directories that cannot be used. 0 or -ENOMEM.
 */
int layers_add_directory(struct layers *layers, const char *directory, const char *suffix,
	void (*stray)(const char *path, const char *mistake, void *userdata),
	void *userdata) MUST_CHECK;

/*
 * The same in directories of other programs, trusted or not, which read files of any name: the
 * strongest first, NULL after the last.
 */
int layers_add_directories(struct layers *layers, const char *const *directories,
	const char *suffix, void (*stray)(const char *path, const char *mistake, void *userdata),
	void *userdata) MUST_CHECK;
