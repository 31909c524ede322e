/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state file: JSON, written anew and renamed into its place.
 */
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "journal.h"
#include "sysfs.h"

#define STATE	"state.json"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* The directory of systemd.exec(5), RuntimeDirectory=; its usual place without systemd. */
static const char *state_path(struct path *path, const char *suffix)
{
	return path_of(
		path, "%s/" STATE "%s", getenv("RUNTIME_DIRECTORY") ?: "/run/tdx-onlined", suffix);
}

static void put(struct json_object **object)
{
	json_object_put(*object);
}

/* A value of a type, or NULL. */
static struct json_object *get(struct json_object *object, const char *key, json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

static const char *get_text(struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key, json_type_string);

	return value ? json_object_get_string(value) : "";
}

static uint64_t get_number(struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key, json_type_int);

	return value ? json_object_get_uint64(value) : 0;
}

static struct range get_range(struct json_object *object)
{
	uint64_t start = get_number(object, "start");

	return (struct range){start, start + get_number(object, "size")};
}

static int load_boot_map(struct state *state, struct json_object *object)
{
	struct json_object *ranges = get(object, "ranges", json_type_array);
	struct json_object *known = get(object, "known", json_type_boolean);
	int r = 0;

	if (!ranges || !known)
		return -EBADMSG;
	state->boot_map.known = json_object_get_boolean(known);
	for (size_t i = 0; r == 0 && i < json_object_array_length(ranges); i++) {
		struct json_object *item = json_object_array_get_idx(ranges, i);
		struct boot_region region = {.range = get_range(item)};

		r = boot_source_from_string(get_text(item, "source"), &region.source);
		if (r < 0 || range_is_empty(region.range))
			return -EBADMSG;
		r = boot_map_append(&state->boot_map, region);
	}
	return r;
}

static int load_ranges(struct arrivals *arrivals, struct json_object *ranges)
{
	int r = 0;

	if (!ranges)
		return -EBADMSG;
	for (size_t i = 0; r == 0 && i < json_object_array_length(ranges); i++) {
		struct json_object *item = json_object_array_get_idx(ranges, i);
		struct arrival arrival = {.range = get_range(item), .node = NODE_UNKNOWN};

		arrival.size = range_size(arrival.range);
		arrival.identity = get_number(item, "identity");
		snprintf(arrival.device, sizeof(arrival.device), "%s", get_text(item, "device"));
		r = carrier_from_string(get_text(item, "carrier"), &arrival.carrier);
		if (r < 0)
			return -EBADMSG;
		r = arrivals_append(arrivals, &arrival);
	}
	return r;
}

static void load_guard(struct state *state, struct json_object *object)
{
	for (unsigned int i = 0; object && i < GUARD_SWITCHES; i++)
		snprintf(state->guard.was[i], GUARD_VALUE, "%s",
			get_text(object, guard_switch_name(i)));
}

static int load(struct state *state, struct json_object *object, const char *boot_id)
{
	int r;

	if (strcmp(get_text(object, "boot_id"), boot_id) != 0)
		return 0;
	r = load_boot_map(state, get(object, "boot_map", json_type_object));
	if (r == 0)
		r = load_ranges(&state->begun, get(object, "begun", json_type_array));
	if (r == 0)
		r = load_ranges(&state->decided, get(object, "decided", json_type_array));
	load_guard(state, get(object, "guard", json_type_object));
	/* A boot map that could not be built then may be built now. */
	state->kept = r == 0 && state->boot_map.known;
	return r;
}

int state_load(struct state *ret_state)
{
	CLEANUP(put) struct json_object *object = NULL;
	char boot_id[SYSFS_NAME] = "";
	struct state state = {0};
	struct path path;
	int r;

	r = sysfs_read(BOOT_ID, boot_id, sizeof(boot_id));
	if (r < 0)
		journal_say(LOG_WARNING, BOOT_ID ": %s", strerror(-r));
	errno = 0;
	object = json_object_from_file(state_path(&path, ""));
	if (object)
		r = load(&state, object, boot_id);
	else
		r = errno == ENOENT ? 0 : -EBADMSG;
	if (r < 0)
		state_done(&state);
	if (r == -ENOMEM)
		return r;
	if (r == -EBADMSG) {
		journal_say(LOG_WARNING, "%s: not a state file, starting anew", path.text);
		guard_guess(&state.guard);
	}
	*ret_state = state;
	return 0;
}

void state_done(struct state *state)
{
	boot_map_done(&state->boot_map);
	arrivals_done(&state->begun);
	arrivals_done(&state->decided);
	*state = (struct state){0};
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

static struct json_object *ranges_array(const struct arrivals *arrivals)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < arrivals->n; i++) {
		const struct arrival *arrival = &arrivals->items[i];
		struct json_object *item = range_object(arrival->range);

		json_object_object_add(item, "carrier",
			json_object_new_string(carrier_to_string(arrival->carrier)));
		json_object_object_add(item, "device", json_object_new_string(arrival->device));
		json_object_object_add(item, "identity", json_object_new_uint64(arrival->identity));
		json_object_array_add(array, item);
	}
	return array;
}

int state_save(const struct state *state, const struct boot_map *boot_map)
{
	CLEANUP(put) struct json_object *object = json_object_new_object();
	char boot_id[SYSFS_NAME];
	struct path path, new;
	int r;

	state_path(&path, "");
	state_path(&new, ".new");
	r = sysfs_read(BOOT_ID, boot_id, sizeof(boot_id));
	if (r == 0) {
		json_object_object_add(object, "schema", json_object_new_int(1));
		json_object_object_add(object, "boot_id", json_object_new_string(boot_id));
		json_object_object_add(object, "boot_map", boot_map_object(boot_map));
		json_object_object_add(object, "guard", guard_object(&state->guard));
		json_object_object_add(object, "begun", ranges_array(&state->begun));
		json_object_object_add(object, "decided", ranges_array(&state->decided));
		if (json_object_to_file_ext(new.text, object, JSON_C_TO_STRING_PLAIN) < 0)
			r = errno ? -errno : -EIO;
	}
	if (r == 0 && rename(new.text, path.text) < 0)
		r = -errno;
	if (r < 0)
		journal_say(LOG_ERR, "%s: cannot be written: %s", path.text, strerror(-r));
	return r;
}
