/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map: its items are the boot map, the CXL windows of the kernel and of the CEDT, CXL regions,
 * devices and what the kernel rejected.
 */
#include "daemon/commands/map.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/commands/decide.h"
#include "daemon/commands/exit_status.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "daemon/output/map_svg.h"
#include "daemon/output/map_text.h"
#include "daemon/output/report.h"
#include "tdxo/map/map.h"

struct mapper {
	struct decider decider;
	struct map map;
	bool what_if;
};

static void mapper_done(struct mapper *mapper)
{
	map_done(&mapper->map);
	decider_done(&mapper->decider);
}

/*
 * To a process without CAP_SYS_ADMIN the kernel shows 0 for each address of /proc/iomem
 * (kernel/resource.c, r_show(), 6.12).
 */
static bool addresses_are_hidden(void)
{
	unsigned long long start, end;
	char head[SYSFS_TEXT];

	return sysfs_read_head(PROC_IOMEM, head, sizeof(head)) == 0 &&
	       sscanf(head, "%llx-%llx", &start, &end) == 2 && !start && !end;
}

static int add(struct map *map, enum map_kind kind, struct range range, const char *name)
{
	struct map_item item = {.kind = kind, .range = range};

	snprintf(item.name, sizeof(item.name), "%s", name);
	return range_is_empty(range) ? 0 : map_add(map, &item);
}

/* The kernel has no decoder for a window that it could not set up. */
static int add_windows(struct map *map, struct sensor *sensor)
{
	const struct cedt *cedt = &sensor_firmware(sensor)->cedt;
	const struct cxl *cxl = &sensor->cxl;
	int r = 0;

	cxl_refresh(&sensor->cxl);
	for (size_t i = 0; r == 0 && i < cxl->n_roots; i++)
		r = add(map, MAP_WINDOW, cxl->roots[i].range, cxl->roots[i].decoder);
	for (size_t i = 0; r == 0 && i < cedt->n_windows; i++)
		r = add(map, MAP_WINDOW, cedt->windows[i].range, "");
	return r;
}

static int add_regions(struct map *map, const struct regions *regions)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < regions->n; i++)
		r = add(map, MAP_REGION, regions->items[i].range, regions->items[i].name);
	return r;
}

static int add_rejected(struct map *map, const struct rejections *rejected)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rejected->n; i++) {
		const struct rejection *rejection = &rejected->items[i];
		struct map_item item = {
			.kind = MAP_REJECTED,
			.range = rejection->range,
			.cause = rejection->cause,
		};

		snprintf(item.name, sizeof(item.name), "%s", rejection->device);
		r = map_add(map, &item);
	}
	return r;
}

static int add_record(const struct record *record, void *userdata)
{
	struct mapper *mapper = userdata;
	const struct history_entry *entry = NULL;

	if (!mapper->what_if)
		entry = history_find(&mapper->decider.state.history, &record->facts->device);
	return map_add_record(&mapper->map, record, entry);
}

static int fill(struct mapper *mapper)
{
	struct sensor *sensor = &mapper->decider.sensor;
	const struct snapshot *snapshot = &sensor->snapshot;
	int r = decide_all(&mapper->decider, true, add_record, mapper);

	if (r >= 0)
		r = map_add_boot_map(&mapper->map, &snapshot->boot_map);
	if (r == 0)
		r = add_windows(&mapper->map, sensor);
	if (r == 0)
		r = add_regions(&mapper->map, &snapshot->regions);
	if (r == 0)
		r = add_rejected(&mapper->map, &snapshot->rejected);
	return r < 0 ? r : map_lay_out(&mapper->map);
}

static int map_print(const struct mapper *mapper, const struct map_options *options)
{
	const struct tdx *tdx = &mapper->decider.sensor.snapshot.tdx;

	if (options->format == MAP_JSON)
		return report_print_map(&mapper->map, tdx);
	if (options->format == MAP_SVG)
		map_print_svg(&mapper->map, tdx);
	else
		map_print_text(&mapper->map, tdx, options->locale);
	return 0;
}

int map_run(struct settings *settings, const struct map_options *options)
{
	CLEANUP(mapper_done) struct mapper mapper = {.what_if = options->what_if};
	int r;

	if (addresses_are_hidden()) {
		log_print(LOG_ERR,
			"map: the kernel shows physical addresses only to a process with "
			"CAP_SYS_ADMIN: run it as root");
		return EXIT_FAILED;
	}
	settings->config.present = PRESENT_ACT;
	r = decider_init(&mapper.decider, &settings->config);
	if (r == 0)
		r = fill(&mapper);
	return r < 0 ? r : map_print(&mapper, options);
}
