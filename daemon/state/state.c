/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the state is, what is noted in it, and which devices were there first.
 */
#include "daemon/state/state_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/host/paths.h"

const char *state_path(struct path *path, const char *name)
{
	return path_of(path, STATE_DIRECTORY "/%s", name);
}

const char *lock_path(struct path *path)
{
	return path_of(path, STATE_DIRECTORY "/lock");
}

void state_make_directory(void)
{
	/* If it cannot be made, what is written there later says so. */
	(void)!mkdir(STATE_DIRECTORY, 0755);
}

void state_done(struct state *state)
{
	boot_map_done(&state->boot_map);
	rejections_done(&state->rejected);
	for (enum config_key key = 0; key < CONFIG_KEYS; key++)
		free(state->in_effect[key]);
	config_files_done(&state->files);
	free(state->mistake);
	devices_done(&state->present);
	history_done(&state->history);
	history_done(&state->placeless);
	*state = (struct state){0};
}

int state_set_config(struct state *state, const struct settings *settings)
{
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		char *copy = strdup(settings->keys[key].value ?: config_key_default(key));

		if (!copy)
			return -ENOMEM;
		free(state->in_effect[key]);
		state->in_effect[key] = copy;
	}
	free(state->mistake);
	state->mistake = NULL;
	state->checksum = settings_checksum(settings);
	config_files_done(&state->files);
	return config_files_of(settings, &state->files);
}

int state_use_config(const struct state *state, bool keep_tdx, struct config *config)
{
	int r = 0;

	for (enum config_key key = 0; r != -ENOMEM && key < CONFIG_KEYS; key++)
		if (state->in_effect[key] && !(key == CONFIG_TDX && keep_tdx))
			r = config_set(config, key, state->in_effect[key]);
	return r == -ENOMEM ? r : 0;
}

int state_set_mistake(struct state *state, const char *mistake)
{
	char *copy = strdup(mistake);

	if (!copy)
		return -ENOMEM;
	free(state->mistake);
	state->mistake = copy;
	return 0;
}

/* Take over some of them, all marked or not. */
static int move_marked(struct devices *devices, struct devices *some, bool present)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < some->n; i++) {
		some->items[i].present = present;
		r = devices_add(devices, &some->items[i]);
	}
	return r;
}

int state_mark_present(const struct state *state, struct devices *devices)
{
	CLEANUP(devices_done) struct devices before = {0}, since = {0}, marked = {0};
	int r;

	if (!state->present_known) {
		for (size_t i = 0; i < devices->n; i++)
			devices->items[i].present = true;
		return 0;
	}
	r = devices_remaining(devices, &state->present, &before);
	if (r == 0)
		r = devices_undecided(devices, &state->present, &since);
	if (r == 0)
		r = move_marked(&marked, &before, true);
	if (r == 0)
		r = move_marked(&marked, &since, false);
	if (r < 0)
		return r;
	for (size_t i = 0; i < marked.n; i++)
		marked.items[i].present |= state->public && !device_is_dax(&marked.items[i]);
	devices_sort(&marked);
	devices_done(devices);
	*devices = marked;
	marked = (struct devices){0};
	return 0;
}
