/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state file is written: anew each time, and renamed into its place.
 */
#include "state_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "journal.h"

static void put(struct json_object **object)
{
	json_object_put(*object);
}

static struct json_object *range_object(struct range range)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "start", json_object_new_uint64(range.start));
	json_object_object_add(object, "size", json_object_new_uint64(range_size(range)));
	return object;
}

/* The configuration's windows are not kept: they are read anew at each start. */
static struct json_object *boot_map_object(const struct boot_map *map)
{
	struct json_object *object = json_object_new_object(), *ranges = json_object_new_array();

	for (size_t i = 0; i < map->n; i++) {
		struct json_object *range;

		if (map->regions[i].source == BOOT_SOURCE_CONFIGURATION)
			continue;
		range = range_object(map->regions[i].range);
		json_object_object_add(range, "source",
			json_object_new_string(boot_source_to_string(map->regions[i].source)));
		json_object_array_add(ranges, range);
	}
	json_object_object_add(object, "known", json_object_new_boolean(map->known));
	json_object_object_add(object, "ranges", ranges);
	return object;
}

static struct json_object *guard_object(const struct guard *guard)
{
	struct json_object *object = json_object_new_object();

	for (unsigned int i = 0; i < GUARD_SWITCHES; i++)
		if (guard->was[i][0])
			json_object_object_add(object, guard_switch_name(i),
				json_object_new_string(guard->was[i]));
	return object;
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static struct json_object *gate_object(const struct gate *gate)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "state", gate_state_to_string(gate->state));
	add_text(object, "detected", gate_state_to_string(gate->detected));
	add_text(object, "mode", gate_mode_to_string(gate->mode));
	add_text(object, "cause", gate_cause_to_string(gate->cause));
	return object;
}

static struct json_object *arrival_object(const struct arrival *arrival)
{
	struct json_object *object = range_object(arrival->range);

	add_text(object, "carrier", carrier_to_string(arrival->carrier));
	add_text(object, "device", arrival->device);
	add_text(object, "driver", dax_driver_to_string(arrival->driver));
	add_number(object, "identity", arrival->identity);
	return object;
}

static struct json_object *present_array(const struct arrivals *present)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < present->n; i++)
		json_object_array_add(array, arrival_object(&present->items[i]));
	return array;
}

static struct json_object *entry_object(const struct entry *entry)
{
	struct json_object *object = arrival_object(&entry->arrival);

	add_text(object, "verdict", verdict_to_string(entry->verdict));
	add_text(object, "reason", reason_to_string(entry->reason));
	add_text(object, "zone", zone_to_string(entry->zone));
	add_text(object, "rule", entry->rule);
	add_text(object, "answer", answer_to_string(entry->answer));
	add_text(object, "result", result_to_string(entry->result));
	add_number(object, "blocks", entry->blocks.present);
	add_number(object, "blocks_online", entry->blocks.online);
	add_bool(object, "reconsider", entry->reconsider);
	add_bool(object, "changed", entry->changed);
	return object;
}

static struct json_object *history_array(const struct history *history)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < history->n; i++)
		json_object_array_add(array, entry_object(&history->entries[i]));
	return array;
}

static struct json_object *config_object(const struct state *state)
{
	struct json_object *object = json_object_new_object();

	for (enum config_key key = 0; key < CONFIG_KEYS; key++)
		if (state->in_force[key])
			json_object_object_add(object, config_key_name(key),
				json_object_new_string(state->in_force[key]));
	return object;
}

static struct json_object *failure_array(const struct tdx_log *failure)
{
	struct json_object *array = json_object_new_array();

	for (enum tdx_trouble trouble = 0; trouble < TDX_TROUBLE_MAX; trouble++)
		if (failure->lines[trouble][0])
			json_object_array_add(
				array, json_object_new_string(failure->lines[trouble]));
	return array;
}

static struct json_object *state_object(
	const struct state *state, const struct snapshot *snapshot, const char *boot_id)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "schema", STATE_SCHEMA);
	add_text(object, "boot_id", boot_id);
	json_object_object_add(object, "gate", gate_object(&snapshot->gate));
	add_bool(object, "gate_active", state->gate_active);
	json_object_object_add(object, "tdx_failure", failure_array(&state->tdx_failure));
	json_object_object_add(object, "boot_map", boot_map_object(&snapshot->boot_map));
	json_object_object_add(object, "guard", guard_object(&state->guard));
	json_object_object_add(object, "config", config_object(state));
	if (state->present_known)
		json_object_object_add(object, "present", present_array(&state->present));
	json_object_object_add(object, "ranges", history_array(&state->history));
	add_number(object, "events", state->events);
	add_number(object, "overflows", state->overflows);
	add_number(object, "disagreements", state->disagreements);
	add_number(object, "last_look", state->last_look);
	return object;
}

int state_save(const struct state *state, const struct snapshot *snapshot)
{
	CLEANUP(put) struct json_object *object = NULL;
	char boot_id[SYSFS_NAME];
	struct path path, new;
	int r;

	state_path(&path, "");
	state_path(&new, ".new");
	r = sysfs_read(STATE_BOOT_ID, boot_id, sizeof(boot_id));
	if (r == 0) {
		object = state_object(state, snapshot, boot_id);
		if (json_object_to_file_ext(new.text, object, JSON_C_TO_STRING_PLAIN) < 0)
			r = errno ? -errno : -EIO;
	}
	if (r == 0 && rename(new.text, path.text) < 0)
		r = -errno;
	if (r < 0)
		journal_say(LOG_ERR, "%s: cannot be written: %s", path.text, strerror(-r));
	return r;
}
