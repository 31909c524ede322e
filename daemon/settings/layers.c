/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a configuration.
 */
#include "daemon/settings/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/sysfs.h"
#include "daemon/host/trusted.h"
#include "tdxo/base/array.h"
#include "tdxo/base/strbuf.h"

/* From weak to strong. */
static const char *const roots[] = {"/usr/lib", "/run", "/etc"};

void layers_done(struct layers *layers)
{
	for (size_t i = 0; i < layers->n; i++) {
		free(layers->files[i].name);
		free(layers->files[i].path);
	}
	free(layers->files);
	*layers = (struct layers){0};
}

static int append(struct layers *layers, const char *name, const char *path)
{
	struct layered_file file = {.name = strdup(name), .path = strdup(path)};

	if (!file.name || !file.path || array_append(layers->files, layers->n, file) < 0) {
		free(file.name);
		free(file.path);
		return -ENOMEM;
	}
	return 0;
}

int layers_add_file(struct layers *layers, const char *name)
{
	struct path path;

	for (size_t i = ARRAY_SIZE(roots); i > 0; i--) {
		path_of(&path, "%s/%s", roots[i - 1], name);
		if (faccessat(AT_FDCWD, path.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return append(layers, name, path.text);
	}
	return 0;
}

/* A directory that is being listed. */
struct listing {
	struct layers found;
	const char *directory; /* with its root */
	const char *suffix;
	bool printable; /* other names are stray */
	bool trusted;	/* only a directory that only root can write is listed */
	void (*stray)(const char *path, const char *mistake, void *userdata);
	void *userdata;
};

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && strcmp(name + length - tail, suffix) == 0;
}

static int add_entry(const char *name, void *userdata)
{
	struct listing *listing = userdata;
	struct path path;

	path_of(&path, "%s/%s", listing->directory, name);
	if (ends_with(name, listing->suffix) && (!listing->printable || is_printable_text(name)))
		return append(&listing->found, name, path.text);
	if (strcmp(name, "README") != 0)
		listing->stray(path.text, NULL, listing->userdata);
	return 0;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(
		((const struct layered_file *)a)->name, ((const struct layered_file *)b)->name);
}

static bool has_name(const struct layers *layers, const char *name)
{
	return layers->n && bsearch(&(struct layered_file){.name = (char *)name}, layers->files,
				    layers->n, sizeof(*layers->files), compare_files);
}

static void sort(struct layers *layers)
{
	if (layers->n)
		qsort(layers->files, layers->n, sizeof(*layers->files), compare_files);
}

/* Add to `strong` what it has no file of that name for yet. */
static int merge(struct layers *strong, const struct layers *weak)
{
	size_t n = strong->n;
	int r = 0;

	for (size_t i = 0; r == 0 && i < weak->n; i++) {
		const struct layers those = {strong->files, n};

		if (!has_name(&those, weak->files[i].name))
			r = append(strong, weak->files[i].name, weak->files[i].path);
	}
	sort(strong);
	return r;
}

static void listing_done(struct listing *listing)
{
	layers_done(&listing->found);
}

/* 0 or a negative errno, and the mistake. */
static int list(struct listing *listing, char mistake[TRUSTED_MISTAKE])
{
	struct stat st;
	int r;

	if (listing->trusted) {
		r = trusted_open(listing->directory, S_IFDIR, &st, mistake);
		if (r < 0)
			return r;
		r = sysfs_list_open(r, add_entry, listing);
	} else {
		r = sysfs_list(listing->directory, add_entry, listing);
	}
	if (r < 0)
		snprintf(mistake, TRUSTED_MISTAKE, "%s", strerror(-r));
	return r;
}

static int add_layer(struct layers *merged, const char *directory, const struct listing *how)
{
	CLEANUP(listing_done) struct listing listing = *how;
	char mistake[TRUSTED_MISTAKE];
	int r;

	listing.directory = directory;
	r = list(&listing, mistake);
	if (r == -ENOMEM)
		return r;
	if (r < 0 && r != -ENOENT)
		how->stray(directory, mistake, how->userdata);
	return merge(merged, &listing.found);
}

static int add_layers(
	struct layers *layers, const char *const *directories, const struct listing *how)
{
	CLEANUP(layers_done) struct layers merged = {0};
	int r = 0;

	for (; r == 0 && *directories; directories++)
		r = add_layer(&merged, *directories, how);
	for (size_t i = 0; r == 0 && i < merged.n; i++)
		r = append(layers, merged.files[i].name, merged.files[i].path);
	return r;
}

int layers_add_directories(struct layers *layers, const char *const *directories,
	const char *suffix, void (*stray)(const char *path, const char *mistake, void *userdata),
	void *userdata)
{
	const struct listing how = {.suffix = suffix, .stray = stray, .userdata = userdata};

	return add_layers(layers, directories, &how);
}

int layers_add_directory(struct layers *layers, const char *directory, const char *suffix,
	void (*stray)(const char *path, const char *mistake, void *userdata), void *userdata)
{
	/* The name of a rule is a value of records, and people type it. */
	const struct listing how = {.suffix = suffix,
		.printable = true,
		.trusted = true,
		.stray = stray,
		.userdata = userdata};
	const char *directories[ARRAY_SIZE(roots) + 1] = {NULL};
	struct path paths[ARRAY_SIZE(roots)];

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		directories[i] =
			path_of(&paths[i], "%s/%s", roots[ARRAY_SIZE(roots) - 1 - i], directory);
	return add_layers(layers, directories, &how);
}
