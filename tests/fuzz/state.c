/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state file: the parsed state is saved again, and the saved one is parsed to the same state.
 */
#include "daemon/host/paths.h"
#include "daemon/state/state.h"
#include "tests/fuzz/files.h"

#define BOOT_ID "6f2c8d6a-93a4-4d5e-9b1a-0123456789ab"

static void set_files(const uint8_t *data, size_t size)
{
	files[0] = (struct file){PROC_BOOT_ID, (const uint8_t *)BOOT_ID, strlen(BOOT_ID)};
	files[1] = (struct file){STATE_USUAL_PATH, data, size};
	n_files = 2;
}

static void check_state(const struct state *state)
{
	require(!state->kept || (state->earlier && state->boot_map.known));
	for (size_t i = 0; i < state->boot_map.n; i++)
		require(!range_is_empty(state->boot_map.regions[i].range));
	for (size_t i = 0; i < state->history.n; i++) {
		const struct history_entry *entry = &state->history.entries[i];

		require(is_string(entry->rule) && is_string(entry->device.name));
		require(device_is_dax(&entry->device) || entry->device.n_ranges == 1);
		require(entry->error >= 0);
		for (size_t j = 0; j < entry->device.n_ranges; j++)
			require(!range_is_empty(entry->device.ranges[j]));
	}
}

/* Use the state as the next start does, on a machine with the devices that were present. */
static void use_state(struct state *state)
{
	CLEANUP(devices_done) struct devices there = {0}, undecided = {0};

	for (size_t i = 0; i < state->present.n; i++)
		require(devices_add_copy(&there, &state->present.items[i]) == 0);
	require(state_mark_present(state, &there) == 0);
	for (size_t i = 0; i < there.n; i++)
		require(there.items[i].present);
	require(history_prune(&state->history, &there) == 0);
	require(history_undecided(&state->history, &there, &undecided) == 0);
	for (size_t i = 0; i < state->history.n; i++)
		(void)history_entry_is_half_done(&state->history.entries[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state state, again;
	char *text;

	set_files(data, size);
	require(state_load(&state) == 0);
	check_state(&state);
	require(state_print(&state, &text, &size) == 0);
	set_files((const uint8_t *)text, size);
	require(state_load(&again) == 0);
	require(again.earlier && again.tdx_active == state.tdx_active);
	require(again.boot_map.n == state.boot_map.n && again.history.n == state.history.n);
	require(again.present.n == state.present.n && again.rejected.n == state.rejected.n);
	use_state(&again);
	state_done(&again);
	state_done(&state);
	free(text);
	return 0;
}
