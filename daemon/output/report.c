/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report. Integers are integers, except serial numbers, and an absent thing is null.
 */
#include "daemon/output/report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/print.h"

#define SERIAL_TEXT 19 /* 0x, 16 digits and the NUL */

void report_init(struct report *report, uint64_t disagreements)
{
	*report = (struct report){.ranges = json_new_array(), .disagreements = disagreements};
}

void report_done(struct report *report)
{
	json_free(&report->ranges);
}

void report_add_text(struct json parent, const char *key, const char *text)
{
	if (text && *text)
		json_add_text(parent, key, text);
	else
		json_add_null(parent, key);
}

void report_add_switch(struct json parent, const char *key, enum guard_switch i, const char *value)
{
	if (i == GUARD_DAX && *value)
		json_add_bool(parent, key, strcmp(value, guard_switch_value(i)) != 0);
	else
		report_add_text(parent, key, value);
}

static void add_memdevs(struct json parent, const struct cxl_origin *cxl)
{
	struct json array = json_add_array(parent, "memdevs");

	for (size_t i = 0; i < cxl->n_memdevs; i++) {
		const struct memdev *memdev = &cxl->memdevs[i];
		struct json object = json_add_object(array, NULL);
		char serial[SERIAL_TEXT];

		snprintf(serial, sizeof(serial), "0x%" PRIx64, memdev->serial);
		report_add_text(object, "memdev", memdev->name);
		report_add_text(object, "host", memdev->host);
		json_add_text(object, "serial", serial);
		report_add_text(object, "firmware_version", memdev->firmware);
	}
}

static void add_steps(struct json parent, const struct record *record)
{
	struct json array = json_add_array(parent, "steps");

	for (size_t i = 0; i < record->plan->n; i++) {
		const struct step *step = &record->plan->steps[i];
		struct json object;

		if (!record_has_step(record, step))
			continue;
		object = json_add_object(array, NULL);
		report_add_text(object, "action", action_to_string(step->action));
		if (range_is_empty(step->range))
			json_add_no_range(object);
		else
			json_add_range(object, step->range);
	}
}

static void add_field(struct json parent, const struct field *field)
{
	switch (field->kind) {
	case FIELD_NULL:
		json_add_null(parent, field->name);
		break;
	case FIELD_TEXT:
		report_add_text(parent, field->name, field->text);
		break;
	case FIELD_BOOL:
		json_add_bool(parent, field->name, field->number != 0);
		break;
	default:
		json_add_number(parent, field->name, field->number);
	}
}

/*
 * A range has its start and size; its end, and the TDX state of the whole report, are not repeated.
 */
static void fill_range(struct json object, const struct record *record)
{
	struct field fields[RECORD_FIELDS];
	size_t n = record_fields(record, fields) - TDX_FIELDS;

	for (size_t i = 0; i < n; i++) {
		const struct field *field = &fields[i];

		if (strcmp(field->name, "end") == 0)
			continue;
		add_field(object, field);
		if (strcmp(field->name, "qos_class") == 0)
			add_memdevs(object, &record->facts->cxl);
	}
	add_steps(object, record);
}

void report_add(struct report *report, const struct record *record)
{
	fill_range(json_add_object(json_root(report->ranges), NULL), record);
}

void report_add_explanation(
	struct report *report, const struct record *record, const struct explanation *explanation)
{
	struct json object = json_add_object(json_root(report->ranges), NULL);
	struct json topics = json_add_object(object, "topics");

	for (enum topic topic = 0; topic < TOPIC_MAX; topic++)
		report_add_text(topics, topic_to_string(topic), explanation->texts[topic]);
	if (record)
		fill_range(json_add_object(object, "range"), record);
	else
		json_add_null(object, "range");
}

static void add_evidence(struct json parent, const struct tdx *tdx)
{
	struct json array = json_add_array(parent, "evidence");

	for (enum tdx_source source = 0; source < TDX_SOURCE_MAX; source++) {
		struct json item = json_add_object(array, NULL);

		report_add_text(item, "source", tdx_source_to_string(source));
		report_add_text(item, "says", fact_to_string(source, tdx->evidence.facts[source]));
	}
}

void report_add_tdx(struct json parent, const struct tdx *tdx)
{
	struct json object = json_add_object(parent, "tdx");

	report_add_text(object, "state", tdx_state_to_string(tdx->state));
	report_add_text(object, "mode", tdx_mode_to_string(tdx->mode));
	report_add_text(object, "detected", tdx_state_to_string(tdx->detected));
	report_add_text(object, "cause", tdx_cause_to_string(tdx->cause));
	report_add_text(object, "kernel_log", tdx_evidence_line(tdx));
	add_evidence(object, tdx);
}

static void add_guard(struct json parent, const struct snapshot *snapshot)
{
	struct json object = json_add_object(parent, "guard");

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		report_add_switch(
			object, guard_switch_to_string(i), i, guard_switch_read(snapshot, i));
}

static void add_boot_map(struct json parent, const struct boot_map *map)
{
	struct json array = json_add_array(json_add_object(parent, "boot_map"), "ranges");

	for (size_t i = 0; i < map->n; i++) {
		struct json item = json_add_object(array, NULL);

		json_add_range(item, map->regions[i].range);
		report_add_text(item, "source", boot_source_to_string(map->regions[i].source));
	}
}

void report_add_rejected(struct json parent, const struct rejections *rejected)
{
	struct json array = json_add_array(parent, "rejected");

	for (size_t i = 0; i < rejected->n; i++) {
		const struct rejection *rejection = &rejected->items[i];
		struct json item = json_add_object(array, NULL);

		if (range_is_empty(rejection->range))
			json_add_no_range(item);
		else
			json_add_range(item, rejection->range);
		report_add_text(item, "cause", rejection_cause_to_string(rejection->cause));
		report_add_text(item, "acpi_device", rejection->device);
		report_add_text(item, "kernel_log", rejection->line);
	}
}

static void add_srat(struct json parent, const struct srat *srat)
{
	struct json array = json_add_array(parent, "srat");

	for (size_t i = 0; i < srat->n; i++) {
		const struct srat_memory *memory = &srat->items[i];
		struct json item = json_add_object(array, NULL);

		json_add_range(item, memory->range);
		json_add_number(item, "proximity_domain", memory->node);
		json_add_bool(item, "enabled", memory->enabled);
		json_add_bool(item, "hot_pluggable", memory->hot_pluggable);
		json_add_bool(item, "non_volatile", memory->non_volatile);
	}
}

static void add_window(struct json array, const struct cedt_window *window)
{
	struct json object = json_add_object(array, NULL), targets;

	json_add_range(object, window->range);
	targets = json_add_array(object, "targets");
	for (size_t i = 0; i < window->n_targets; i++)
		json_add_number(targets, NULL, window->targets[i]);
}

static void add_cedt(struct json parent, const struct cedt *cedt)
{
	struct json object = json_add_object(parent, "cedt");
	struct json windows = json_add_array(object, "windows");

	for (size_t i = 0; i < cedt->n_windows; i++)
		add_window(windows, &cedt->windows[i]);
}

static void add_firmware(struct json parent, const struct firmware *firmware)
{
	struct json object = json_add_object(parent, "firmware");
	char buf[FIRMWARE_TEXT];

	if (firmware_usable(firmware, FIRMWARE_SRAT))
		add_srat(object, &firmware->srat);
	else
		json_add_null(object, "srat");
	report_add_text(object, "srat_fault", firmware_trouble(firmware, FIRMWARE_SRAT, buf));
	if (firmware_usable(firmware, FIRMWARE_CEDT))
		add_cedt(object, &firmware->cedt);
	else
		json_add_null(object, "cedt");
	report_add_text(object, "cedt_fault", firmware_trouble(firmware, FIRMWARE_CEDT, buf));
}

struct json_document *report_new(void)
{
	struct json_document *document = json_new_object();

	json_add_number(json_root(document), "schema", 2);
	return document;
}

int report_print_document(const struct json_document *document)
{
	int r = json_print(document, JSON_PRETTY, stdout);

	if (r == 0)
		print("\n");
	return r;
}

int report_print_explanations(const struct report *report, const struct target *target)
{
	CLEANUP(json_free) struct json_document *document = report_new();
	struct json object = json_root(document);

	report_add_text(object, "target", target->name);
	report_add_text(object, "kind", target_kind_to_string(target->kind));
	json_add_document(object, "explanations", report->ranges);
	return report_print_document(document);
}

int report_print_findings(const struct findings *findings, const struct tdx *tdx)
{
	CLEANUP(json_free) struct json_document *document = report_new();
	struct json object = json_root(document), array;

	report_add_tdx(object, tdx);
	array = json_add_array(object, "findings");
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->items[i];
		struct json item = json_add_object(array, NULL);

		report_add_text(item, "code", finding_code_to_string(finding->code));
		report_add_text(item, "severity", severity_to_string(finding->severity));
		report_add_text(item, "message", finding->message);
		report_add_text(item, "remedy", finding->remedy);
		report_add_text(item, "source", finding->source);
	}
	return report_print_document(document);
}

static void add_map_device(struct json object, const struct map_item *item)
{
	bool device = item && item->kind == MAP_DEVICE;

	report_add_text(object, "type", device ? device_type_to_string(item->type) : NULL);
	if (device && item->node != NODE_UNKNOWN)
		json_add_number(object, "target_node", (uint64_t)item->node);
	else
		json_add_null(object, "target_node");
	report_add_text(object, "verdict", device ? verdict_to_string(item->verdict) : NULL);
	report_add_text(object, "reason", device ? reason_to_string(item->reason) : NULL);
	report_add_text(object, "result", device ? result_to_string(item->result) : NULL);
}

static void add_map_item(struct json object, const struct map_item *item)
{
	bool boot = item && item->kind == MAP_BOOT, rejected = item && item->kind == MAP_REJECTED;

	report_add_text(object, "kind", map_kind_to_string(item ? item->kind : MAP_FREE));
	report_add_text(object, "name", item ? item->name : NULL);
	report_add_text(object, "source", boot ? boot_source_to_string(item->source) : NULL);
	add_map_device(object, item);
	report_add_text(object, "cause", rejected ? rejection_cause_to_string(item->cause) : NULL);
}

static void add_segment(struct json array, const struct map_segment *segment)
{
	struct json object = json_add_object(array, NULL);

	json_add_range(object, segment->range);
	json_add_number(object, "depth", segment->depth);
	if (segment->item && !map_is_container(segment))
		json_add_number(object, "memory", map_bytes(segment));
	else
		json_add_null(object, "memory");
	add_map_item(object, segment->item);
}

static void add_unplaced(struct json array, const struct map_item *item)
{
	struct json object = json_add_object(array, NULL);

	json_add_no_range(object);
	json_add_null(object, "depth");
	if (item->device_size)
		json_add_number(object, "memory", item->device_size);
	else
		json_add_null(object, "memory");
	add_map_item(object, item);
}

int report_print_map(const struct map *map, const struct tdx *tdx)
{
	CLEANUP(json_free) struct json_document *document = report_new();
	struct json object = json_root(document), array;

	report_add_tdx(object, tdx);
	array = json_add_array(object, "segments");
	for (size_t i = 0; i < map->n_segments; i++)
		add_segment(array, &map->segments[i]);
	for (size_t i = 0; i < map->n_unplaced; i++)
		add_unplaced(array, &map->unplaced[i]);
	return report_print_document(document);
}

int report_print_verification(const struct verification *verification)
{
	CLEANUP(json_free) struct json_document *document = report_new();
	const struct comparisons *comparisons = verification->comparisons;
	struct json object = json_root(document), array;

	report_add_text(object, "program_version", verification->program_version);
	report_add_text(object, "kernel_release", verification->kernel_release);
	report_add_text(object, "module_version", verification->module_version);
	report_add_tdx(object, &verification->snapshot->tdx);
	add_boot_map(object, &verification->snapshot->boot_map);
	json_add_number(object, "block_size", verification->snapshot->block_size);
	add_firmware(object, verification->firmware);
	array = json_add_array(object, "comparisons");
	for (size_t i = 0; i < comparisons->n; i++) {
		const struct comparison *comparison = &comparisons->items[i];
		struct json item = json_add_object(array, NULL);

		report_add_text(item, "check", verify_check_to_string(comparison->check));
		report_add_text(item, "result", verify_result_to_string(comparison->result));
		report_add_text(item, "subject", comparison->subject);
		report_add_text(item, "expected", comparison->expected);
		report_add_text(item, "found", comparison->found);
	}
	return report_print_document(document);
}

int report_print(const struct report *report, const struct snapshot *snapshot,
	const struct firmware *firmware)
{
	CLEANUP(json_free) struct json_document *document = report_new();
	struct json object = json_root(document);

	report_add_tdx(object, &snapshot->tdx);
	add_guard(object, snapshot);
	add_boot_map(object, &snapshot->boot_map);
	json_add_number(object, "block_size", snapshot->block_size);
	json_add_number(object, "disagreements", report->disagreements);
	add_firmware(object, firmware);
	json_add_document(object, "ranges", report->ranges);
	report_add_rejected(object, &snapshot->rejected);
	return report_print_document(document);
}
