/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * explain: a dry run, and an explanation of each range that the target names. If no memory of it
 * arrived after boot, the explanation is of what is there instead.
 */
#include "daemon/commands/explain.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/commands/decide.h"
#include "daemon/commands/exit_status.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/output/report.h"
#include "daemon/output/wrap.h"
#include "tdxo/explain/explain.h"

struct explainer {
	const struct target *target;
	struct decider decider;
	struct explain_world world;
	struct range_set offline_boot;
	bool json;
	struct report report;
	size_t n; /* explanations that were given */

	/* Of the last device with a record: a device can have many ranges. */
	const struct facts *facts;
	const struct history_entry *entry;
};

static void explainer_done(struct explainer *explainer)
{
	range_set_done(&explainer->offline_boot);
	decider_done(&explainer->decider);
	if (explainer->json)
		report_done(&explainer->report);
}

static void print_explanation(const char *subject, const struct explanation *explanation)
{
	print("%s\n", subject);
	for (enum topic topic = 0; topic < TOPIC_MAX; topic++) {
		if (!explanation->texts[topic][0])
			continue;
		print("  %-10s", topic_to_string(topic));
		wrap_print(explanation->texts[topic], 12);
	}
}

static void give(struct explainer *explainer, const struct record *record,
	const struct explanation *explanation)
{
	char subject[RECORD_SENTENCE];
	bool first = explainer->n++ == 0;

	if (explainer->json) {
		report_add_explanation(&explainer->report, record, explanation);
		return;
	}
	if (!first)
		print("\n");
	print_explanation(
		record ? record_subject(record, subject) : explainer->target->name, explanation);
}

static int explain_record(const struct record *record, void *userdata)
{
	struct explainer *explainer = userdata;
	struct explanation explanation;

	if (!target_matches(explainer->target, record))
		return 0;
	if (record->facts != explainer->facts)
		explainer->entry =
			history_find(&explainer->decider.state.history, &record->facts->device);
	explainer->facts = record->facts;
	explain_range(&explainer->world, record, explainer->entry, &explanation);
	give(explainer, record, &explanation);
	return 0;
}

/* Is there such a thing, although no memory has arrived of it? */
static bool is_there(const struct target *target)
{
	static const char *const directories[TARGET_MAX] = {
		[TARGET_BLOCK] = SYS_MEMORY,
		[TARGET_DAX] = SYS_DAX_DEVICES,
		[TARGET_REGION] = SYS_CXL_DEVICES,
		[TARGET_MEMDEV] = SYS_CXL_DEVICES,
		[TARGET_PCI_ADDRESS] = SYS_PCI_DEVICES,
		[TARGET_NODE] = SYS_NODES,
	};
	struct path path;

	if (!directories[target->kind])
		return false;
	path_of(&path, "%s/%s", directories[target->kind], target->name);
	return access(path.text, F_OK) == 0;
}

/* Nothing that arrived is meant. */
static int explain_other(struct explainer *explainer)
{
	const struct target *target = explainer->target;
	struct range place = target_place(target, explainer->world.snapshot->block_size);
	struct explanation explanation = {0};
	bool known;
	int r;

	r = sensor_find_offline_boot(&explainer->decider.sensor, place, &explainer->offline_boot);
	if (r < 0)
		return r;
	explainer->world.offline_boot = &explainer->offline_boot;
	known = !range_is_empty(place) && explain_place(&explainer->world, place, &explanation);
	if (known || target->kind == TARGET_ADDRESS) {
		give(explainer, NULL, &explanation);
		return 0;
	}
	if (!is_there(target)) {
		log_print(LOG_ERR, "explain %s: no such device exists here", target->name);
		return EXIT_FAILED;
	}
	explanation = (struct explanation){0};
	snprintf(explanation.texts[TOPIC_WHAT], EXPLANATION_TEXT,
		"It exists, and no memory of it arrived after boot.");
	give(explainer, NULL, &explanation);
	return 0;
}

static int explain_all(struct explainer *explainer)
{
	int r;

	r = decide_all(&explainer->decider, true, explain_record, explainer);
	if (r < 0)
		return r;
	return explainer->n ? 0 : explain_other(explainer);
}

int explain_run(struct settings *settings, const struct target *target, bool json)
{
	CLEANUP(explainer_done) struct explainer explainer = {.target = target, .json = json};
	const struct firmware *firmware;
	int r;

	settings->config.present = PRESENT_ACT;
	r = decider_init(&explainer.decider, &settings->config);
	if (r < 0)
		return r;
	if (json)
		report_init(&explainer.report, 0);
	firmware = sensor_firmware(&explainer.decider.sensor);
	explainer.world = (struct explain_world){
		.snapshot = &explainer.decider.sensor.snapshot,
		.map = explain_sum_map(&explainer.decider.sensor.snapshot.boot_map),
		.srat = &firmware->srat,
		.cedt = &firmware->cedt,
		.config = &settings->config,
		.ran = explainer.decider.state.earlier,
		.public = explainer.decider.state.public,
	};
	r = explain_all(&explainer);
	if (r == 0 && json)
		r = report_print_explanations(&explainer.report, target);
	return r;
}
