/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The status for programs: one JSON object, as in report.schema.json.
 */
#include "daemon/output/status.h"

#include "daemon/output/json.h"
#include "daemon/output/report.h"

static void add_optional(struct json parent, const char *key, bool there, uint64_t number)
{
	if (there)
		json_add_number(parent, key, number);
	else
		json_add_null(parent, key);
}

static void add_daemon(struct json parent, const struct status *status)
{
	struct json object = json_add_object(parent, "daemon");

	if (status->captured)
		json_add_null(object, "running");
	else
		json_add_bool(object, "running", status->pid != 0);
	add_optional(object, "pid", status->pid, status->pid);
	json_add_bool(object, "ran", status->ran);
	json_add_bool(object, "decides", status->ran && !status->unusable);
	json_add_bool(object, "acts", !status->observe);
	add_optional(object, "last_look", status->last_look, status->last_look);
	json_add_number(object, "events", status->events);
	json_add_number(object, "overflows", status->overflows);
	json_add_number(object, "disagreements", status->disagreements);
}

static void add_switch(struct json array, enum guard_switch i, const struct switch_status *status)
{
	struct json object = json_add_object(array, NULL);

	report_add_text(object, "switch", status->name);
	report_add_text(object, "use", switch_use_to_string(status->use));
	report_add_switch(object, "now", i, status->now);
	report_add_switch(object, "before", i, status->was);
	json_add_number(object, "changes", status->changes);
}

static void add_configuration(struct json parent, const struct status *status)
{
	struct json object = json_add_object(parent, "configuration");
	struct json files = json_add_array(object, "files");

	for (size_t i = 0; i < status->n_files; i++)
		json_add_text(files, NULL, status->files[i]);
	json_add_bool(object, "outdated", status->outdated);
	report_add_text(object, "mistake", status->mistake);
	report_add_text(object, "mistake_now", status->mistake_now);
}

static void add_ranges(struct json parent, const struct device *device)
{
	struct json array = json_add_array(parent, "ranges");

	for (size_t i = 0; i < device->n_ranges; i++)
		json_add_range(json_add_object(array, NULL), device->ranges[i]);
}

/* What is recorded; all of it is null if nothing is. */
static void add_decision(struct json object, const struct history_entry *entry)
{
	static const struct history_entry none;
	const struct history_entry *e = entry ?: &none;

	report_add_text(object, "verdict", entry ? verdict_to_string(e->verdict) : NULL);
	report_add_text(object, "reason", entry ? reason_to_string(e->reason) : NULL);
	report_add_text(object, "zone", zone_to_string(e->zone));
	report_add_text(object, "rule", e->rule);
	report_add_text(object, "answer", answer_to_string(e->answer));
	add_optional(object, "errno", e->error, (uint64_t)e->error);
	report_add_text(object, "failed", e->error ? action_to_string(e->failed) : NULL);
	add_optional(object, "failed_at", e->error && e->failed_at, e->failed_at);
	add_optional(object, "since", e->since, e->since);
}

static void add_device(struct json array, const struct device_status *status)
{
	const struct device *device = &status->device;
	struct json object = json_add_object(array, NULL);

	add_ranges(object, device);
	json_add_number(object, "size", device->size);
	report_add_text(object, "type", device_type_to_string(device->type));
	report_add_text(object, "chardev", device->name);
	report_add_text(object, "region", device->region);
	add_optional(object, "target_node", device->node != NODE_UNKNOWN, (uint64_t)device->node);
	report_add_text(object, "mode", device->driver ? dax_mode_to_string(device->driver) : NULL);
	json_add_number(object, "total_memblocks", status->blocks.present);
	json_add_number(object, "online_memblocks", status->blocks.online);
	add_optional(object, "missing_memblocks", status->missing, status->missing);
	add_optional(object, "stranded", status->stranded, status->stranded);
	report_add_text(object, "result", device_status_result(status));
	add_decision(object, status->entry);
	json_add_bool(object, "disagreement", status->disagrees);
}

static void add_next(struct json parent, const struct status *status)
{
	char buf[STATUS_TEXT];
	struct strbuf text = strbuf_in(buf, sizeof(buf));

	report_add_text(parent, "next", status_append_next(&text, status) ? buf : NULL);
}

int status_print_json(const struct status *status)
{
	CLEANUP(json_free) struct json_document *document = report_new();
	struct json object = json_root(document), array;

	add_daemon(object, status);
	report_add_tdx(object, status->tdx);
	array = json_add_array(object, "guard");
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		add_switch(array, i, &status->guard[i]);
	add_configuration(object, status);
	array = json_add_array(object, "devices");
	for (size_t i = 0; i < status->n_devices; i++)
		add_device(array, &status->devices[i]);
	json_add_number(object, "stranded", status_stranded(status));
	report_add_rejected(object, status->rejected);
	array = json_add_array(object, "unread");
	for (size_t i = 0; i < status->n_unread; i++)
		json_add_text(array, NULL, status->unread[i]);
	add_next(object, status);
	return report_print_document(document);
}
