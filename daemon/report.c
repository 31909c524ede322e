/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report. Integers are integers, an absent thing is null.
 */
#include "report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

int report_init(struct report *report, uint64_t disagreements)
{
	*report =
		(struct report){.ranges = json_object_new_array(), .disagreements = disagreements};
	return report->ranges ? 0 : -ENOMEM;
}

void report_done(struct report *report)
{
	json_object_put(report->ranges);
	*report = (struct report){0};
}

/* json-c 0.16 breaks the line in an empty array, 0.18 does not. */
static int print_empty_array(
	struct json_object *array, struct printbuf *buffer, int level, int flags)
{
	(void)array;
	(void)level;
	(void)flags;
	return printbuf_memappend(buffer, "[]", 2);
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	if (json_object_is_type(value, json_type_array) && !json_object_array_length(value))
		json_object_set_serializer(value, print_empty_array, NULL, NULL);
	json_object_object_add(object, key, value);
}

static struct json_object *text(const char *value)
{
	return value && *value ? json_object_new_string(value) : NULL;
}

static void add_range(struct json_object *object, struct range range)
{
	add(object, "start", json_object_new_uint64(range.start));
	add(object, "size", json_object_new_uint64(range_size(range)));
}

static struct json_object *memdevs_array(const struct arrival *arrival)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < arrival->n_memdevs; i++) {
		struct json_object *memdev = json_object_new_object();

		add(memdev, "name", text(arrival->memdevs[i].name));
		add(memdev, "pci_address", text(arrival->memdevs[i].pci_address));
		add(memdev, "serial", json_object_new_uint64(arrival->memdevs[i].serial));
		add(memdev, "firmware", text(arrival->memdevs[i].firmware));
		json_object_array_add(array, memdev);
	}
	return array;
}

static struct json_object *steps_array(const struct plan *plan)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < plan->n; i++) {
		const struct step *step = &plan->steps[i];
		bool blocks = !range_is_empty(step->range);
		struct json_object *object = json_object_new_object();

		add(object, "action", text(action_to_string(step->action)));
		add(object, "start", blocks ? json_object_new_uint64(step->range.start) : NULL);
		add(object, "size",
			blocks ? json_object_new_uint64(range_size(step->range)) : NULL);
		json_object_array_add(array, object);
	}
	return array;
}

/* A range has its start and size; its end, and the gate of the whole report, are not repeated. */
static bool in_range_object(const char *name)
{
	return strcmp(name, "end") != 0 && strncmp(name, "gate", 4) != 0;
}

static struct json_object *value_of(const struct field *field)
{
	switch (field->kind) {
	case FIELD_NULL:
		return NULL;
	case FIELD_TEXT:
		return text(field->text);
	case FIELD_BOOL:
		return json_object_new_boolean(field->number != 0);
	default:
		return json_object_new_uint64(field->number);
	}
}

static struct json_object *range_object(const struct record *record)
{
	struct json_object *object = json_object_new_object();
	struct field fields[RECORD_FIELDS];
	size_t n = record_fields(record, fields);

	for (size_t i = 0; i < n; i++) {
		const struct field *field = &fields[i];

		if (!in_range_object(field->name))
			continue;
		add(object, field->name, value_of(field));
		if (strcmp(field->name, "qos_class") == 0)
			add(object, "memdevs", memdevs_array(&record->arrival));
	}
	add(object, "steps", steps_array(record->plan));
	return object;
}

int report_add(struct report *report, const struct record *record)
{
	return json_object_array_add(report->ranges, range_object(record)) < 0 ? -ENOMEM : 0;
}

int report_add_explanation(
	struct report *report, const struct record *record, const struct explanation *explanation)
{
	struct json_object *object = json_object_new_object();
	struct json_object *topics = json_object_new_object();

	for (enum topic topic = 0; topic < TOPIC_MAX; topic++)
		add(topics, topic_to_string(topic), text(explanation->texts[topic]));
	add(object, "topics", topics);
	add(object, "range", record ? range_object(record) : NULL);
	return json_object_array_add(report->ranges, object) < 0 ? -ENOMEM : 0;
}

static struct json_object *gate_object(const struct gate *gate)
{
	struct json_object *object = json_object_new_object();
	struct json_object *evidence = json_object_new_array();

	for (enum gate_source source = 0; source < GATE_SOURCE_MAX; source++) {
		struct json_object *item = json_object_new_object();

		add(item, "source", text(gate_source_to_string(source)));
		add(item, "says", text(fact_to_string(source, gate->evidence.facts[source])));
		json_object_array_add(evidence, item);
	}
	add(object, "state", text(gate_state_to_string(gate->state)));
	add(object, "mode", text(gate_mode_to_string(gate->mode)));
	add(object, "detected", text(gate_state_to_string(gate->detected)));
	add(object, "cause", text(gate_cause_to_string(gate->cause)));
	add(object, "kernel_log", text(gate_log_line(gate)));
	add(object, "evidence", evidence);
	return object;
}

static struct json_object *guard_object(const struct snapshot *snapshot)
{
	static const char *const dax[] = {
		[DAX_AUTOPROBE_UNREAD] = NULL,
		[DAX_AUTOPROBE_OFF] = "off",
		[DAX_AUTOPROBE_ON] = "on",
	};
	struct json_object *object = json_object_new_object();

	add(object, "dax", text(dax[snapshot->dax_autoprobe]));
	add(object, "auto_online_blocks", text(snapshot->auto_online_blocks));
	return object;
}

static struct json_object *boot_map_object(const struct boot_map *map)
{
	struct json_object *object = json_object_new_object();
	struct json_object *ranges = json_object_new_array();

	for (size_t i = 0; i < map->n; i++) {
		const struct boot_region *region = &map->regions[i];
		struct json_object *item = json_object_new_object();

		add_range(item, region->range);
		add(item, "source", text(boot_source_to_string(region->source)));
		json_object_array_add(ranges, item);
	}
	add(object, "ranges", ranges);
	return object;
}

static struct json_object *srat_array(const struct srat *srat)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < srat->n; i++) {
		const struct srat_memory *memory = &srat->items[i];
		struct json_object *item = json_object_new_object();

		add_range(item, memory->range);
		add(item, "node", json_object_new_int64(memory->node));
		add(item, "enabled", json_object_new_boolean(memory->enabled));
		add(item, "hot_pluggable", json_object_new_boolean(memory->hot_pluggable));
		add(item, "non_volatile", json_object_new_boolean(memory->non_volatile));
		json_object_array_add(array, item);
	}
	return array;
}

static struct json_object *restrictions_array(const struct cedt_window *window)
{
	struct json_object *array = json_object_new_array();

	for (enum cedt_restriction bit = 0; bit < CEDT_RESTRICTION_MAX; bit++)
		if (cedt_window_has(window, bit))
			json_object_array_add(array, text(cedt_restriction_to_string(bit)));
	return array;
}

static struct json_object *window_object(const struct cedt_window *window)
{
	struct json_object *object = json_object_new_object();
	struct json_object *targets = json_object_new_array();

	for (unsigned int i = 0; i < window->ways; i++)
		json_object_array_add(targets, json_object_new_int64(window->targets[i]));
	add_range(object, window->range);
	add(object, "ways", json_object_new_int64(window->ways));
	add(object, "granularity", json_object_new_uint64(window->granularity));
	add(object, "arithmetic", text(cedt_arithmetic_to_string(window->arithmetic)));
	add(object, "restrictions", restrictions_array(window));
	add(object, "qtg_id", json_object_new_int64(window->qtg_id));
	add(object, "targets", targets);
	return object;
}

static struct json_object *cedt_object(const struct cedt *cedt)
{
	struct json_object *object = json_object_new_object();
	struct json_object *windows = json_object_new_array();
	struct json_object *host_bridges = json_object_new_array();

	for (size_t i = 0; i < cedt->n_windows; i++)
		json_object_array_add(windows, window_object(&cedt->windows[i]));
	for (size_t i = 0; i < cedt->n_host_bridges; i++) {
		const struct cedt_host_bridge *bridge = &cedt->host_bridges[i];
		struct json_object *item = json_object_new_object();

		add(item, "uid", json_object_new_int64(bridge->uid));
		add(item, "cxl_version", text(cedt_version_to_string(bridge->version)));
		add_range(item, bridge->registers);
		json_object_array_add(host_bridges, item);
	}
	add(object, "windows", windows);
	add(object, "host_bridges", host_bridges);
	return object;
}

static struct json_object *firmware_object(const struct firmware *firmware)
{
	struct json_object *object = json_object_new_object();
	char buf[FIRMWARE_TEXT];

	add(object, "srat",
		firmware_usable(firmware, FIRMWARE_SRAT) ? srat_array(&firmware->srat) : NULL);
	add(object, "srat_fault", text(firmware_trouble(firmware, FIRMWARE_SRAT, buf)));
	add(object, "cedt",
		firmware_usable(firmware, FIRMWARE_CEDT) ? cedt_object(&firmware->cedt) : NULL);
	add(object, "cedt_fault", text(firmware_trouble(firmware, FIRMWARE_CEDT, buf)));
	return object;
}

/* Print the object, and free it. */
static int print(struct json_object *object)
{
	const char *printed = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (printed)
		puts(printed);
	json_object_put(object);
	return printed ? 0 : -ENOMEM;
}

static struct json_object *schema_object(void)
{
	struct json_object *object = json_object_new_object();

	add(object, "schema", json_object_new_int(1));
	return object;
}

int report_print_explanations(struct report *report, const struct target *target)
{
	struct json_object *object = schema_object();

	add(object, "target", text(target->name));
	add(object, "kind", text(target_kind_to_string(target->kind)));
	add(object, "explanations", json_object_get(report->ranges));
	return print(object);
}

int report_print_findings(const struct findings *findings, const struct gate *gate)
{
	struct json_object *object = schema_object();
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->items[i];
		struct json_object *item = json_object_new_object();

		add(item, "code", text(finding_code_to_string(finding->code)));
		add(item, "severity", text(severity_to_string(finding->severity)));
		add(item, "message", text(finding->message));
		add(item, "remedy", text(finding->remedy));
		add(item, "source", text(finding->source));
		json_object_array_add(array, item);
	}
	add(object, "gate", gate_object(gate));
	add(object, "findings", array);
	return print(object);
}

int report_print(
	struct report *report, const struct snapshot *snapshot, const struct firmware *firmware)
{
	struct json_object *object = schema_object();

	add(object, "gate", gate_object(&snapshot->gate));
	add(object, "guard", guard_object(snapshot));
	add(object, "boot_map", boot_map_object(&snapshot->boot_map));
	add(object, "block_size", json_object_new_uint64(snapshot->block_size));
	add(object, "disagreements", json_object_new_uint64(report->disagreements));
	add(object, "firmware", firmware_object(firmware));
	add(object, "ranges", json_object_get(report->ranges));
	return print(object);
}
