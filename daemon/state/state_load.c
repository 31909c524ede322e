/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Read state.json, or status.json where that is not allowed. A file of another boot is ignored.
 */
#include "daemon/state/state_file.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/dax.h"
#include "daemon/host/paths.h"
#include "daemon/host/root.h"
#include "daemon/host/sysfs.h"
#include "daemon/host/trusted.h"
#include "daemon/log/log.h"
#include "tdxo/base/array.h"
#include "tdxo/base/parse.h"

/* settle loads the state again and again: a warning that is the same as the last is not logged. */
static void PRINTF(1, 2) warn(const char *format, ...)
{
	static char last[PATH_MAX + 1024];
	char text[sizeof(last)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (strcmp(text, last) == 0)
		return;
	memcpy(last, text, sizeof(last));
	log_line(LOG_WARNING, text);
}

static int load_boot_map(struct state *state, struct json object)
{
	struct json ranges = json_get_array(object, KEY_RANGES);
	uint64_t end = 0;
	int r = 0;

	json_need(object, KEY_KNOWN);
	json_need(object, KEY_RANGES);
	state->boot_map.known = json_get_bool(object, KEY_KNOWN);
	for (size_t i = 0; r == 0 && i < json_length(ranges); i++) {
		struct json item = json_item_object(ranges, i);
		struct boot_region region = {.range = json_get_range(item)};

		json_expect(item, KEY_SOURCE,
			boot_source_from_string(json_get_text(item, KEY_SOURCE), &region.source));
		/* By ascending address, and no two overlap. */
		if (range_is_empty(region.range) || region.range.start < end)
			json_expect(object, KEY_RANGES, -EINVAL);
		end = region.range.end;
		r = boot_map_append(&state->boot_map, region);
	}
	return r;
}

/*
 * Only a dax device can be without ranges, because they could not be read; or memory that has a
 * place in the other file.
 */
static int load_device(struct json item, bool placeless, struct device *ret_device)
{
	struct json ranges = json_get_array(item, KEY_RANGES);
	struct device *device = ret_device;
	uint64_t end = 0;
	int r = 0;

	device->node = NODE_UNKNOWN;
	device->size = json_get_number(item, KEY_SIZE);
	device->identity = json_get_number(item, KEY_IDENTITY);
	snprintf(device->name, sizeof(device->name), "%s", json_get_text(item, KEY_CHARDEV));
	snprintf(device->region, sizeof(device->region), "%s", json_get_text(item, KEY_REGION));
	/* In a captured tree inode numbers tell nothing: it is the one of that name. */
	if (device_is_dax(device) && root_is_another())
		device->identity = dax_identity(device->name);
	json_expect(item, KEY_TYPE,
		device_type_from_string(json_get_text(item, KEY_TYPE), &device->type));
	if (json_has(item, KEY_MODE))
		json_expect(item, KEY_MODE,
			dax_mode_from_string(json_get_text(item, KEY_MODE), &device->driver));
	for (size_t i = 0; r == 0 && i < json_length(ranges); i++) {
		struct range range = json_get_range(json_item_object(ranges, i));

		if (range_is_empty(range) || range.start < end)
			json_expect(item, KEY_RANGES, -EINVAL);
		end = range.end;
		r = array_append(device->ranges, device->n_ranges, range);
	}
	if (!device_is_dax(device) && !placeless && device->n_ranges != 1)
		json_expect(item, KEY_RANGES, -EINVAL);
	return r < 0 ? r : json_error(item.document);
}

/* Without its addresses only a dax device is known again. */
static bool is_placeless(const struct state *state, struct json item)
{
	return state->public && !json_has(item, KEY_CHARDEV);
}

static int load_present(struct state *state, struct json object)
{
	struct json devices = json_get_array(object, KEY_PRESENT);
	int r = 0;

	state->present_known = json_has(object, KEY_PRESENT);
	for (size_t i = 0; r == 0 && i < json_length(devices); i++) {
		CLEANUP(device_done) struct device device = {0};
		struct json item = json_item_object(devices, i);

		if (is_placeless(state, item))
			continue;
		r = load_device(item, false, &device);
		if (r == 0)
			r = devices_add(&state->present, &device);
	}
	return r;
}

static void load_failed_step(struct json item, struct history_entry *entry)
{
	uint64_t error = json_get_number(item, KEY_ERRNO);

	if (!json_has(item, KEY_ERRNO))
		return;
	json_expect(item, KEY_ERRNO, error && error <= ERRNO_MOST ? 0 : -EINVAL);
	entry->error = (int)error;
	json_expect(item, KEY_FAILED,
		action_from_string(json_get_text(item, KEY_FAILED), &entry->failed));
	entry->failed_at = json_get_number(item, KEY_FAILED_AT);
}

static void load_access(struct json item, struct access *access)
{
	const char *group = json_get_text(item, KEY_GROUP);
	uint64_t mode = json_get_number(item, KEY_PERMISSIONS);

	json_expect(item, KEY_GROUP, strlen(group) < GROUP_NAME ? 0 : -EINVAL);
	json_expect(item, KEY_PERMISSIONS, mode & ~(uint64_t)0666 ? -EINVAL : 0);
	snprintf(access->group, GROUP_NAME, "%s", group);
	access->mode = (unsigned int)mode;
}

static int load_entry(struct json item, bool placeless, struct history_entry *ret_entry)
{
	struct history_entry *entry = ret_entry;
	int r = load_device(item, placeless, &entry->device);

	entry->blocks.present = json_get_number(item, KEY_TOTAL);
	entry->blocks.online = json_get_number(item, KEY_ONLINE);
	entry->own_known = json_has(item, KEY_OWN);
	entry->own_online = json_get_number(item, KEY_OWN);
	entry->recorded = json_get_bool(item, KEY_RECORDED);
	entry->reconsider = json_get_bool(item, KEY_RECONSIDER);
	entry->changed = json_get_bool(item, KEY_CHANGED);
	entry->since = json_get_number(item, KEY_SINCE);
	snprintf(entry->rule, sizeof(entry->rule), "%s", json_get_text(item, KEY_RULE));
	load_access(item, &entry->access);
	json_expect(item, KEY_VERDICT,
		verdict_from_string(json_get_text(item, KEY_VERDICT), &entry->verdict));
	json_expect(item, KEY_REASON,
		reason_from_string(json_get_text(item, KEY_REASON), &entry->reason));
	json_expect(item, KEY_RESULT,
		result_from_string(json_get_text(item, KEY_RESULT), &entry->result));
	load_failed_step(item, entry);
	if (json_has(item, KEY_ZONE))
		json_expect(item, KEY_ZONE,
			zone_from_string(json_get_text(item, KEY_ZONE), &entry->zone));
	if (json_has(item, KEY_ANSWER))
		json_expect(item, KEY_ANSWER,
			answer_from_string(json_get_text(item, KEY_ANSWER), &entry->answer));
	return r;
}

/* They cannot be sorted by address. 0 or -ENOMEM. */
static int add_placeless(struct history *placeless, struct history_entry *entry)
{
	int r = array_append(placeless->entries, placeless->n, *entry);

	if (r == 0)
		*entry = (struct history_entry){0};
	return r;
}

static int load_history(struct state *state, struct json object)
{
	struct json devices = json_get_array(object, KEY_DEVICES);
	int r = 0;

	json_need(object, KEY_DEVICES);
	for (size_t i = 0; r == 0 && i < json_length(devices); i++) {
		CLEANUP(history_entry_done) struct history_entry entry = {0};
		struct json item = json_item_object(devices, i);

		bool placeless = is_placeless(state, item);

		r = load_entry(item, placeless, &entry);
		if (r == 0 && placeless)
			r = add_placeless(&state->placeless, &entry);
		else if (r == 0)
			r = history_add(&state->history, &entry);
	}
	return r;
}

static int load_config(struct state *state, struct json object)
{
	for (enum config_key key = 0; key < CONFIG_KEYS; key++) {
		const char *name = config_key_name(key);

		if (!json_has(object, name))
			continue;
		state->in_effect[key] = strdup(json_get_text(object, name));
		if (!state->in_effect[key])
			return -ENOMEM;
	}
	return 0;
}

static int load_config_files(struct state *state, struct json object)
{
	struct json files = json_get_array(object, KEY_CONFIG_FILES);
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_length(files); i++)
		r = config_files_add(&state->files, json_item_text(files, i));
	state->checksum = json_get_number(object, KEY_CONFIG_SUM);
	state->unusable = json_get_bool(object, KEY_UNUSABLE);
	if (r == 0 && json_has(object, KEY_MISTAKE))
		r = state_set_mistake(state, json_get_text(object, KEY_MISTAKE));
	return r;
}

static void load_guard(struct state *state, struct json object)
{
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		snprintf(state->guard.was[i], GUARD_VALUE, "%s",
			json_get_text(object, guard_switch_to_string(i)));
}

static void load_lowered(struct state *state, struct json object)
{
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++) {
		uint64_t falls = json_get_number(object, guard_switch_to_string(i));

		state->guard.falls[i] = falls < GUARD_FALLS ? (unsigned int)falls : GUARD_FALLS;
	}
}

static void load_failure(struct state *state, struct json messages)
{
	for (size_t i = 0; i < json_length(messages); i++)
		tdx_log_read(&state->tdx_failure, json_item_text(messages, i));
}

static int load_rejected(struct state *state, struct json array)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_length(array); i++) {
		struct json item = json_item_object(array, i);
		struct rejection rejection = {.recorded = json_get_bool(item, KEY_RECORDED)};

		if (json_has(item, KEY_RANGE))
			rejection.range = json_get_range(json_get_object(item, KEY_RANGE));
		json_expect(item, KEY_CAUSE,
			rejection_cause_from_string(
				json_get_text(item, KEY_CAUSE), &rejection.cause));
		snprintf(rejection.device, sizeof(rejection.device), "%s",
			json_get_text(item, KEY_ACPI_DEVICE));
		snprintf(rejection.line, sizeof(rejection.line), "%s",
			json_get_text(item, KEY_KERNEL_LOG));
		r = rejections_add(&state->rejected, &rejection);
	}
	return r < 0 ? r : 0;
}

/* What an older version did not count yet is 0. */
static void load_counters(struct state *state, struct json object)
{
	state->events = json_get_number(object, KEY_EVENTS);
	state->overflows = json_get_number(object, KEY_OVERFLOWS);
	state->disagreements = json_get_number(object, KEY_DISAGREEMENTS);
	state->last_look = json_get_number(object, KEY_LAST_LOOK);
}

static void load_daemon(struct state *state, struct json object)
{
	uint64_t pid = json_get_number(object, KEY_PID);

	json_expect(object, KEY_PID, pid <= INT32_MAX ? 0 : -EINVAL);
	state->pid = (pid_t)pid;
	state->idle = json_get_bool(object, KEY_IDLE);
	state->older =
		!json_has(object, KEY_IDLE) || json_get_number(object, KEY_SCHEMA) < STATE_SCHEMA;
}

/* What another version has decided may mean something else; the rest is as good as ours. */
static int load_decisions(struct state *state, struct json object)
{
	int r;

	r = load_config(state, json_get_object(object, KEY_CONFIG));
	if (r == 0)
		r = load_config_files(state, object);
	if (r == 0)
		r = load_present(state, object);
	return r == 0 ? load_history(state, object) : r;
}

static int load(struct state *state, struct json_document *document, const char *boot_id)
{
	struct json object = json_root(document);
	int r = 0;

	if (!*boot_id || strcmp(json_get_text(object, KEY_BOOT_ID), boot_id) != 0)
		return 0;
	if (!state->public)
		r = load_boot_map(state, json_get_object(object, KEY_BOOT_MAP));
	load_guard(state, json_get_object(object, KEY_GUARD));
	load_lowered(state, json_get_object(object, KEY_LOWERED));
	state->tdx_active = json_get_bool(object, KEY_TDX_ACTIVE);
	load_failure(state, json_get_array(object, KEY_TDX_FAILURE));
	load_counters(state, object);
	load_daemon(state, object);
	if (r == 0)
		r = load_rejected(state, json_get_array(object, KEY_REJECTED));
	if (r == 0)
		r = json_error(document);
	if (r == 0 && json_get_number(object, KEY_SCHEMA) == STATE_SCHEMA)
		r = load_decisions(state, object) ?: json_error(document);
	else if (r == 0)
		warn("%s was written by another version: all devices are decided again",
			state->public ? STATUS_NAME : STATE_NAME);
	state->earlier = r == 0;
	/* A boot map that could not be built then may be built now. */
	state->kept = r == 0 && state->boot_map.known;
	return r;
}

/* 0 or a negative errno: -EBADMSG if it is not JSON, else there is a mistake. */
static int read_document(
	const char *path, struct json_document **ret_document, char mistake[TRUSTED_MISTAKE])
{
	CLEANUP(free_text) char *text = NULL;
	size_t size;
	int r = trusted_read(path, &text, &size, mistake);

	return r < 0 ? r : json_parse(text, size, ret_document);
}

/* May this process read only what everybody may read, or was that all that could be captured? */
static bool needs_public(int error)
{
	return root_is_another() ? error == -ENOENT : error == -EACCES && geteuid() != 0;
}

static const char *mistake_in(const struct json_document *document, int error, const char *mistake)
{
	if (document)
		return json_mistake(document);
	return error == -EBADMSG ? "not JSON" : mistake;
}

static void ignore_file(struct state *state, const char *path, const char *mistake)
{
	/* What could be read of the guard is its way back. */
	const struct guard guard = state->guard;

	state_done(state);
	state->guard = guard;
	warn("%s: not a state file (%s): it is ignored", path, mistake);
}

int state_load(struct state *ret_state)
{
	CLEANUP(json_free) struct json_document *document = NULL;
	char boot_id[SYSFS_NAME] = "", mistake[TRUSTED_MISTAKE];
	struct state state = {0};
	struct path path;
	int r;

	r = sysfs_read(PROC_BOOT_ID, boot_id, sizeof(boot_id));
	if (r < 0)
		warn(PROC_BOOT_ID ": %s: the state of an earlier run is not used", strerror(-r));
	r = read_document(state_path(&path, STATE_NAME), &document, mistake);
	state.public = needs_public(r);
	if (state.public)
		r = read_document(state_path(&path, STATUS_NAME), &document, mistake);
	if (r == 0)
		r = load(&state, document, boot_id);
	if (r == -ENOMEM) {
		state_done(&state);
		return r;
	}
	if (r < 0 && r != -ENOENT)
		ignore_file(&state, path.text, mistake_in(document, r, mistake));
	*ret_state = state;
	return 0;
}
