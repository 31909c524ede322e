/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a configuration, and its checksum.
 */
#include "daemon/settings/in_effect.h"

#include <stdbool.h>
#include <string.h>

/* FNV-1a of 64 bits: no protection against an adversary, who could edit the files as well. */
#define CHECKSUM_START UINT64_C(0xcbf29ce484222325)
#define CHECKSUM_PRIME UINT64_C(0x100000001b3)

static bool has(const struct config_files *files, const char *path)
{
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->paths[i], path) == 0)
			return true;
	return false;
}

/* No two rules come from one file. */
int config_files_of(const struct settings *settings, struct config_files *ret_files)
{
	struct config_files files = {0};
	int r = 0;

	for (enum config_key key = 0; r == 0 && key < CONFIG_KEYS; key++)
		if (settings->keys[key].path && !has(&files, settings->keys[key].path))
			r = config_files_add(&files, settings->keys[key].path);
	for (size_t i = 0; r == 0 && i < settings->config.n_rules; i++)
		r = config_files_add(&files, settings->rules[i].path);
	if (r < 0) {
		config_files_done(&files);
		return r;
	}
	*ret_files = files;
	return 0;
}

/* With the NUL, so that two texts are not the same as one. */
static uint64_t add_text(uint64_t sum, const char *text)
{
	do
		sum = (sum ^ (unsigned char)*text) * CHECKSUM_PRIME;
	while (*text++);
	return sum;
}

uint64_t settings_checksum(const struct settings *settings)
{
	uint64_t sum = CHECKSUM_START;

	for (enum config_key key = 0; key < CONFIG_KEYS; key++)
		sum = add_text(sum, settings->keys[key].value ?: config_key_default(key));
	for (size_t i = 0; i < settings->config.n_rules; i++) {
		sum = add_text(sum, settings->rules[i].path);
		sum = add_text(sum, settings->rules[i].text);
	}
	return sum;
}
