/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state file is read, and what it says of another boot is forgotten.
 */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "cleanup.h"
#include "dax.h"
#include "journal.h"
#include "sysfs.h"

#define NO_IDENTITY INT64_MAX /* of a device that is not there any more */

/* The directory of systemd.exec(5), RuntimeDirectory=; its usual place without systemd. */
const char *state_path(struct path *path, const char *suffix)
{
	return path_of(path, "%s/" STATE_NAME "%s",
		getenv("RUNTIME_DIRECTORY") ?: "/run/tdx-onlined", suffix);
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

static bool get_bool(struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key, json_type_boolean);

	return value && json_object_get_boolean(value);
}

static int load_arrival(struct json_object *item, struct arrival *ret_arrival)
{
	struct arrival arrival = {.range = get_range(item), .node = NODE_UNKNOWN};
	const char *driver = get_text(item, "driver");
	int r;

	arrival.size = range_size(arrival.range);
	snprintf(arrival.device, sizeof(arrival.device), "%s", get_text(item, "device"));
	arrival.identity = get_number(item, "identity");
	/* Of a captured tree: the one of that name. */
	if (arrival.device[0] && !arrival.identity)
		arrival.identity = dax_identity(arrival.device);
	r = carrier_from_string(get_text(item, "carrier"), &arrival.carrier);
	if (r == 0 && *driver)
		r = dax_driver_from_string(driver, &arrival.driver);
	if (r < 0)
		return -EBADMSG;
	*ret_arrival = arrival;
	return 0;
}

static int load_present(struct state *state, struct json_object *ranges)
{
	struct arrival arrival;
	int r = 0;

	state->present_known = ranges != NULL;
	for (size_t i = 0; r == 0 && ranges && i < json_object_array_length(ranges); i++) {
		r = load_arrival(json_object_array_get_idx(ranges, i), &arrival);
		if (r == 0)
			r = arrivals_append(&state->present, &arrival);
	}
	return r;
}

static int load_entry(struct json_object *item, struct entry *ret_entry)
{
	const char *zone = get_text(item, "zone"), *answer = get_text(item, "answer");
	struct entry entry = {
		.blocks.present = get_number(item, "blocks"),
		.blocks.online = get_number(item, "blocks_online"),
		.reconsider = get_bool(item, "reconsider"),
		.changed = get_bool(item, "changed"),
	};
	int r;

	snprintf(entry.rule, sizeof(entry.rule), "%s", get_text(item, "rule"));
	r = load_arrival(item, &entry.arrival);
	if (r == 0)
		r = verdict_from_string(get_text(item, "verdict"), &entry.verdict);
	if (r == 0)
		r = reason_from_string(get_text(item, "reason"), &entry.reason);
	if (r == 0)
		r = result_from_string(get_text(item, "result"), &entry.result);
	if (r == 0 && *zone)
		r = zone_from_string(zone, &entry.zone);
	if (r == 0 && *answer)
		r = answer_from_string(answer, &entry.answer);
	if (r < 0)
		return -EBADMSG;
	*ret_entry = entry;
	return 0;
}

static int load_history(struct state *state, struct json_object *ranges)
{
	struct entry entry;
	int r = ranges ? 0 : -EBADMSG;

	for (size_t i = 0; r == 0 && i < json_object_array_length(ranges); i++) {
		r = load_entry(json_object_array_get_idx(ranges, i), &entry);
		if (r == 0)
			r = history_append(&state->history, &entry);
	}
	return r;
}

static int load_config(struct state *state, struct json_object *object)
{
	for (enum config_key key = 0; object && key < CONFIG_KEYS; key++) {
		struct json_object *value = get(object, config_key_name(key), json_type_string);

		if (!value)
			continue;
		state->in_force[key] = strdup(json_object_get_string(value));
		if (!state->in_force[key])
			return -ENOMEM;
	}
	return 0;
}

static void load_guard(struct state *state, struct json_object *object)
{
	for (unsigned int i = 0; object && i < GUARD_SWITCHES; i++)
		snprintf(state->guard.was[i], GUARD_VALUE, "%s",
			get_text(object, guard_switch_name(i)));
}

static void load_failure(struct state *state, struct json_object *messages)
{
	for (size_t i = 0; messages && i < json_object_array_length(messages); i++) {
		struct json_object *message = json_object_array_get_idx(messages, i);

		if (json_object_is_type(message, json_type_string))
			tdx_log_read(&state->tdx_failure, json_object_get_string(message));
	}
}

/* What an older version did not count yet is 0. */
static void load_counters(struct state *state, struct json_object *object)
{
	state->events = get_number(object, "events");
	state->overflows = get_number(object, "overflows");
	state->disagreements = get_number(object, "disagreements");
	state->last_look = get_number(object, "last_look");
}

static int load(struct state *state, struct json_object *object, const char *boot_id)
{
	int r;

	if (!*boot_id || strcmp(get_text(object, "boot_id"), boot_id) != 0)
		return 0;
	r = load_boot_map(state, get(object, "boot_map", json_type_object));
	load_guard(state, get(object, "guard", json_type_object));
	state->gate_active = get_bool(object, "gate_active");
	load_failure(state, get(object, "tdx_failure", json_type_array));
	load_counters(state, object);
	if (r == 0 && get_number(object, "schema") != STATE_SCHEMA) {
		journal_say(
			LOG_WARNING, STATE_NAME " is of another version: ranges are decided anew");
		state->earlier = true;
		state->kept = state->boot_map.known;
		return 0;
	}
	if (r == 0)
		r = load_config(state, get(object, "config", json_type_object));
	if (r == 0)
		r = load_present(state, get(object, "present", json_type_array));
	if (r == 0)
		r = load_history(state, get(object, "ranges", json_type_array));
	state->earlier = r == 0;
	/* A boot map that could not be built then may be built now. */
	state->kept = r == 0 && state->boot_map.known;
	return r;
}

/* 0, also if there is no such file; -EBADMSG: it is not JSON, or no file at all. */
static int read_object(const char *path, struct json_object **ret_object)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -EBADMSG;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	*ret_object = json_object_from_fd(fd);
	return *ret_object ? 0 : -EBADMSG;
}

int state_load(struct state *ret_state)
{
	CLEANUP(put) struct json_object *object = NULL;
	char boot_id[SYSFS_NAME] = "";
	struct state state = {0};
	struct path path;
	int r;

	r = sysfs_read(STATE_BOOT_ID, boot_id, sizeof(boot_id));
	if (r < 0)
		journal_say(LOG_WARNING, STATE_BOOT_ID ": %s", strerror(-r));
	r = read_object(state_path(&path, ""), &object);
	if (object)
		r = load(&state, object, boot_id);
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

/* What is told of each range about the identity of its device, so that it holds elsewhere. */
static void make_ranges_portable(struct json_object *ranges)
{
	for (size_t i = 0; ranges && i < json_object_array_length(ranges); i++) {
		struct json_object *item = json_object_array_get_idx(ranges, i);
		const char *device = get_text(item, "device");

		if (!*device)
			continue;
		if (get_number(item, "identity") == dax_identity(device))
			json_object_object_del(item, "identity");
		else
			json_object_object_add(
				item, "identity", json_object_new_uint64(NO_IDENTITY));
	}
}

int state_read_portable(char **ret_text, size_t *ret_size)
{
	CLEANUP(put) struct json_object *object = NULL;
	struct path path;
	const char *printed;
	int r;

	r = read_object(state_path(&path, ""), &object);
	if (!object && access(path.text, R_OK) < 0)
		return -errno;
	if (!object) { /* what is no state file is none elsewhere, either */
		*ret_text = NULL;
		*ret_size = 0;
		return r < 0 ? 0 : -ENOENT;
	}
	make_ranges_portable(get(object, "present", json_type_array));
	make_ranges_portable(get(object, "ranges", json_type_array));
	printed = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	*ret_text = printed ? strdup(printed) : NULL;
	if (!*ret_text)
		return -ENOMEM;
	*ret_size = strlen(*ret_text);
	return 0;
}

void state_done(struct state *state)
{
	boot_map_done(&state->boot_map);
	for (enum config_key key = 0; key < CONFIG_KEYS; key++)
		free(state->in_force[key]);
	arrivals_done(&state->present);
	history_done(&state->history);
	*state = (struct state){0};
}

int state_set_config(struct state *state, const struct settings *settings)
{
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		char *copy = strdup(settings->keys[key].value ?: config_key_default(key));

		if (!copy)
			return -ENOMEM;
		free(state->in_force[key]);
		state->in_force[key] = copy;
	}
	return 0;
}

void state_mark_present(const struct state *state, struct arrivals *arrivals)
{
	for (size_t i = 0; i < arrivals->n; i++) {
		struct arrival *arrival = &arrivals->items[i];

		arrival->present = !state->present_known;
		for (size_t j = 0; j < state->present.n; j++)
			arrival->present |= arrival_is_within(arrival, &state->present.items[j]);
	}
}
