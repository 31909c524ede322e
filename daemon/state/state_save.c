/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Write the state files: new ones each time, renamed into their places.
 */
#include "daemon/state/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/host/paths.h"

/* What is absent has no key. */
static void add_text(struct json object, const char *key, const char *text)
{
	if (text && *text)
		json_add_text(object, key, text);
}

/* The configuration's windows are not kept: they are read again at each start. */
static void add_boot_map(struct json parent, const struct boot_map *map)
{
	struct json object = json_add_object(parent, KEY_BOOT_MAP), ranges;

	json_add_bool(object, KEY_KNOWN, map->known);
	ranges = json_add_array(object, KEY_RANGES);
	for (size_t i = 0; i < map->n; i++) {
		const struct boot_region *region = &map->regions[i];
		struct json item;

		if (region->source == BOOT_SOURCE_CONFIGURATION)
			continue;
		item = json_add_object(ranges, NULL);
		json_add_range(item, region->range);
		add_text(item, KEY_SOURCE, boot_source_to_string(region->source));
	}
}

static void add_guard(struct json parent, const struct guard *guard)
{
	struct json object = json_add_object(parent, KEY_GUARD);

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		add_text(object, guard_switch_to_string(i), guard->was[i]);
}

/* For readers of the file: a restart begins to count again. */
static void add_lowered(struct json parent, const struct guard *guard)
{
	struct json object = json_add_object(parent, KEY_LOWERED);

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		if (guard->falls[i])
			json_add_number(object, guard_switch_to_string(i), guard->falls[i]);
}

/* For readers of the file; the daemon finds out itself. */
static void add_tdx(struct json parent, const struct tdx *tdx)
{
	struct json object = json_add_object(parent, KEY_TDX);

	add_text(object, "state", tdx_state_to_string(tdx->state));
	add_text(object, "detected", tdx_state_to_string(tdx->detected));
	add_text(object, "mode", tdx_mode_to_string(tdx->mode));
	add_text(object, "cause", tdx_cause_to_string(tdx->cause));
}

static void add_device(struct json object, const struct device *device)
{
	struct json ranges;

	add_text(object, KEY_TYPE, device_type_to_string(device->type));
	add_text(object, KEY_CHARDEV, device->name);
	add_text(object, KEY_REGION, device->region);
	if (device->driver)
		add_text(object, KEY_MODE, dax_mode_to_string(device->driver));
	json_add_number(object, KEY_IDENTITY, device->identity);
	json_add_number(object, KEY_SIZE, device->size);
	ranges = json_add_array(object, KEY_RANGES);
	for (size_t i = 0; i < device->n_ranges; i++)
		json_add_range(json_add_object(ranges, NULL), device->ranges[i]);
}

static void add_present(struct json parent, const struct devices *present)
{
	struct json array = json_add_array(parent, KEY_PRESENT);

	for (size_t i = 0; i < present->n; i++)
		add_device(json_add_object(array, NULL), &present->items[i]);
}

static void add_failed_step(struct json object, const struct history_entry *entry)
{
	if (!entry->error)
		return;
	json_add_number(object, KEY_ERRNO, (uint64_t)entry->error);
	add_text(object, KEY_FAILED, action_to_string(entry->failed));
	json_add_number(object, KEY_FAILED_AT, entry->failed_at);
}

static void add_entry(struct json object, const struct history_entry *entry)
{
	add_device(object, &entry->device);
	add_text(object, KEY_VERDICT, verdict_to_string(entry->verdict));
	add_text(object, KEY_REASON, reason_to_string(entry->reason));
	add_text(object, KEY_ZONE, zone_to_string(entry->zone));
	add_text(object, KEY_RULE, entry->rule);
	add_text(object, KEY_GROUP, entry->access.group);
	if (entry->access.mode)
		json_add_number(object, KEY_PERMISSIONS, entry->access.mode);
	add_text(object, KEY_ANSWER, answer_to_string(entry->answer));
	add_text(object, KEY_RESULT, result_to_string(entry->result));
	add_failed_step(object, entry);
	json_add_number(object, KEY_TOTAL, entry->blocks.present);
	json_add_number(object, KEY_ONLINE, entry->blocks.online);
	if (entry->own_known)
		json_add_number(object, KEY_OWN, entry->own_online);
	json_add_bool(object, KEY_RECORDED, entry->recorded);
	json_add_bool(object, KEY_RECONSIDER, entry->reconsider);
	json_add_bool(object, KEY_CHANGED, entry->changed);
	if (entry->since)
		json_add_number(object, KEY_SINCE, entry->since);
}

static void add_history(struct json array, const struct history *history)
{
	for (size_t i = 0; i < history->n; i++)
		add_entry(json_add_object(array, NULL), &history->entries[i]);
}

/* The daemon never reads status.json, but a capture reads it and writes it again. */
static void add_devices(struct json parent, const struct state *state)
{
	struct json array = json_add_array(parent, KEY_DEVICES);

	add_history(array, &state->history);
	add_history(array, &state->placeless);
}

static void add_config(struct json parent, const struct state *state)
{
	struct json object = json_add_object(parent, KEY_CONFIG);

	for (enum config_key key = 0; key < CONFIG_KEYS; key++)
		if (state->in_effect[key])
			json_add_text(object, config_key_name(key), state->in_effect[key]);
}

static void add_config_files(struct json object, const struct state *state)
{
	struct json files = json_add_array(object, KEY_CONFIG_FILES);

	for (size_t i = 0; i < state->files.n; i++)
		json_add_text(files, NULL, state->files.paths[i]);
	if (state->checksum)
		json_add_number(object, KEY_CONFIG_SUM, state->checksum);
	add_text(object, KEY_MISTAKE, state->mistake);
	json_add_bool(object, KEY_UNUSABLE, state->unusable);
}

static void add_failure(struct json parent, const struct tdx_log *failure)
{
	struct json array = json_add_array(parent, KEY_TDX_FAILURE);

	for (enum tdx_trouble trouble = 0; trouble < TDX_TROUBLE_MAX; trouble++)
		if (failure->lines[trouble][0])
			json_add_text(array, NULL, failure->lines[trouble]);
}

static void add_rejected(struct json parent, const struct rejections *rejected)
{
	struct json array = json_add_array(parent, KEY_REJECTED);

	for (size_t i = 0; i < rejected->n; i++) {
		const struct rejection *rejection = &rejected->items[i];
		struct json item = json_add_object(array, NULL);

		if (!range_is_empty(rejection->range))
			json_add_range(json_add_object(item, KEY_RANGE), rejection->range);
		add_text(item, KEY_CAUSE, rejection_cause_to_string(rejection->cause));
		add_text(item, KEY_ACPI_DEVICE, rejection->device);
		add_text(item, KEY_KERNEL_LOG, rejection->line);
		json_add_bool(item, KEY_RECORDED, rejection->recorded);
	}
}

/* Of the snapshot is what changes; NULL: it is as the last start left it. */
static int to_json(struct json object, const struct state *state, const struct snapshot *snapshot)
{
	char boot_id[SYSFS_NAME];
	int r = sysfs_read(PROC_BOOT_ID, boot_id, sizeof(boot_id));

	if (r < 0)
		return r;
	json_add_number(object, KEY_SCHEMA, STATE_SCHEMA);
	add_text(object, KEY_BOOT_ID, boot_id);
	if (snapshot)
		add_tdx(object, &snapshot->tdx);
	json_add_bool(object, KEY_TDX_ACTIVE, state->tdx_active);
	add_failure(object, &state->tdx_failure);
	add_rejected(object, snapshot ? &snapshot->rejected : &state->rejected);
	add_boot_map(object, snapshot ? &snapshot->boot_map : &state->boot_map);
	add_guard(object, &state->guard);
	add_lowered(object, &state->guard);
	add_config(object, state);
	add_config_files(object, state);
	if (state->present_known)
		add_present(object, &state->present);
	add_devices(object, state);
	json_add_number(object, KEY_EVENTS, state->events);
	json_add_number(object, KEY_OVERFLOWS, state->overflows);
	json_add_number(object, KEY_DISAGREEMENTS, state->disagreements);
	json_add_number(object, KEY_LAST_LOOK, state->last_look);
	json_add_number(object, KEY_PID, (uint64_t)state->pid);
	json_add_bool(object, KEY_IDLE, state->pid && state->idle);
	return 0;
}

/* NULL: there was no memory for the stream. 0 or a negative errno. */
static int print_and_close(const struct json_document *document, FILE *file)
{
	bool spoilt;
	int r;

	if (!file)
		return -ENOMEM;
	errno = 0;
	r = json_print(document, JSON_PLAIN, file);
	spoilt = ferror(file);
	if ((fclose(file) == EOF || spoilt) && r == 0)
		r = -(errno ?: EIO);
	return r;
}

int state_print(const struct state *state, char **ret_text, size_t *ret_size)
{
	CLEANUP(json_free) struct json_document *document = json_new_object();
	int r = to_json(json_root(document), state, NULL);

	return r == 0 ? print_and_close(document, open_memstream(ret_text, ret_size)) : r;
}

/* One that an earlier version has left there may have another mode. */
static int write_document(const char *path, mode_t mode, const struct json_document *document)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	FILE *file = fd < 0 || fchmod(fd, mode) < 0 ? NULL : fdopen(fd, "w");
	int r = file ? 0 : -errno;

	if (!file && fd >= 0)
		close(fd);
	return r < 0 ? r : print_and_close(document, file);
}

static int replace(const char *name, mode_t mode, const struct json_document *document)
{
	struct path path, new;
	int r;

	state_path(&path, name);
	path_of(&new, "%s.new", path.text);
	r = write_document(new.text, mode, document);
	return r == 0 && rename(new.text, path.text) < 0 ? -errno : r;
}

/* An old one would be taken for what is true now. */
static int replace_public(struct json_document *document)
{
	const char *const addresses[] = {KEY_RANGE, KEY_RANGES, KEY_FAILED_AT, KEY_KERNEL_LOG,
		KEY_MISTAKE, config_key_name(CONFIG_CAPABLE_RANGES)};
	struct path path;
	int r;

	json_remove(json_root(document), addresses, ARRAY_SIZE(addresses));
	r = replace(STATUS_NAME, 0644, document);
	if (r < 0)
		(void)!unlink(state_path(&path, STATUS_NAME));
	return -r;
}

int state_save(const struct state *state, const struct snapshot *snapshot)
{
	CLEANUP(json_free) struct json_document *document = json_new_object();
	int r = to_json(json_root(document), state, snapshot);

	if (r == 0)
		r = replace(STATE_NAME, 0600, document);
	return r == 0 ? replace_public(document) : r;
}
