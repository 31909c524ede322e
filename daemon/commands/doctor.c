/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * doctor: a dry run, an examination of the host, and the findings.
 */
#include "daemon/commands/doctor.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/commands/decide.h"
#include "daemon/commands/doctor_facts.h"
#include "daemon/commands/exit_status.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/print.h"
#include "daemon/output/report.h"
#include "daemon/output/wrap.h"
#include "tdxo/base/array.h"
#include "tdxo/doctor/doctor.h"
#include "tdxo/policy/guard.h"

/* All that is looked at. */
struct visit {
	struct decider decider;
	struct host host;
	struct record *records;
	size_t n_records;
	struct doctor_movable *movable;
	size_t n_movable;
	struct range_set offline_boot;
	struct devices bypassed;
	struct range_set boot_ram_in_cxl;
	struct findings findings;
};

static void visit_done(struct visit *visit)
{
	findings_done(&visit->findings);
	range_set_done(&visit->boot_ram_in_cxl);
	range_set_done(&visit->offline_boot);
	devices_done(&visit->bypassed);
	free(visit->movable);
	free(visit->records);
	host_done(&visit->host);
	decider_done(&visit->decider);
}

static int keep_record(const struct record *record, void *userdata)
{
	struct visit *visit = userdata;

	return array_append(visit->records, visit->n_records, *record);
}

/* Neighbours of one node make one run. 0 or -ENOMEM. */
static int add_movable(struct visit *visit, struct range range, int node)
{
	struct doctor_movable *movable = visit->movable;

	if (visit->n_movable && movable[visit->n_movable - 1].range.end == range.start &&
		movable[visit->n_movable - 1].node == node) {
		movable[visit->n_movable - 1].range.end = range.end;
		return 0;
	}
	return array_append(visit->movable, visit->n_movable, (struct doctor_movable){range, node});
}

/* Of a block that is online valid_zones names the one zone (memory-hotplug.rst, 6.12). */
static bool is_movable(uint64_t id)
{
	char zone[SYSFS_TEXT];
	enum block_state state;
	struct path path;

	path_of(&path, SYS_BLOCK_ZONES, id);
	return sensor_block_state(id, &state) == 0 && state == BLOCK_ONLINE &&
	       sysfs_read(path.text, zone, sizeof(zone)) == 0 && strcmp(zone, "Movable") == 0;
}

static int find_movable(struct visit *visit)
{
	const struct snapshot *snapshot = &visit->decider.sensor.snapshot;
	int r = 0;

	for (size_t i = 0; r == 0 && i < snapshot->blocks.n; i++) {
		uint64_t id = snapshot->blocks.ids[i];

		if (is_movable(id))
			r = add_movable(visit, block_range(id, snapshot->block_size),
				sensor_block_node(id));
	}
	return r;
}

/*
 * DRAM that caches a region lies in the region's range, and so in a CXL window, but is DRAM
 * (Documentation/ABI/testing/sysfs-bus-cxl, extended_linear_cache_size, 6.19). 0 or -ENOMEM.
 */
static int subtract_cached_region(const char *name, void *userdata)
{
	struct range_set *ranges = userdata;
	uint64_t cache, start, size;
	struct path path;

	if (sysfs_read_number(path_of(&path, SYS_CXL_DEVICE "/extended_linear_cache_size", name), 0,
		    &cache) < 0 ||
		!cache ||
		sysfs_read_number(path_of(&path, SYS_CXL_DEVICE "/resource", name), 0, &start) <
			0 ||
		sysfs_read_number(path_of(&path, SYS_CXL_DEVICE "/size", name), 0, &size) < 0 ||
		size > UINT64_MAX - start)
		return 0;
	return range_set_subtract(ranges, (struct range){start, start + size});
}

static int find_boot_ram_in_cxl(struct visit *visit)
{
	struct sensor *sensor = &visit->decider.sensor;
	int r;

	r = boot_map_find_in_windows(&sensor->snapshot.boot_map, &sensor_firmware(sensor)->cedt,
		&visit->boot_ram_in_cxl);
	if (r < 0 || !visit->boot_ram_in_cxl.n)
		return r;
	r = sysfs_list(SYS_CXL_DEVICES, subtract_cached_region, &visit->boot_ram_in_cxl);
	return r == -ENOMEM ? r : 0;
}

/* The daemon left it without a driver, and nothing but another process has bound one since. */
static bool is_bypassed(const struct state *state, const struct device *device)
{
	const struct history_entry *entry = history_find(&state->history, device);

	return device->driver != DAX_DRIVER_NONE && entry && entry->result != RESULT_BEGUN &&
	       entry->device.driver == DAX_DRIVER_NONE;
}

static int find_bypassed(struct visit *visit)
{
	const struct snapshot *snapshot = &visit->decider.sensor.snapshot;
	int r = 0;

	for (size_t i = 0; r == 0 && snapshot_guarded(snapshot) && i < snapshot->dax.n; i++)
		if (is_bypassed(&visit->decider.state, &snapshot->dax.items[i]))
			r = devices_add_copy(&visit->bypassed, &snapshot->dax.items[i]);
	return r;
}

static int look_at_memory(struct visit *visit)
{
	int r;

	r = decide_all(&visit->decider, true, keep_record, visit);
	if (r >= 0)
		r = find_movable(visit);
	if (r >= 0)
		r = sensor_find_offline_boot(
			&visit->decider.sensor, EVERYWHERE, &visit->offline_boot);
	if (r == 0)
		r = find_bypassed(visit);
	return r == 0 ? find_boot_ram_in_cxl(visit) : r;
}

static int examine(struct visit *visit, const struct config *config, bool hotplug)
{
	const struct host *host = &visit->host;
	const struct doctor_facts facts = {
		.tdx = &visit->decider.sensor.snapshot.tdx,
		.snapshot = hotplug ? &visit->decider.sensor.snapshot : NULL,
		.records = visit->records,
		.n_records = visit->n_records,
		.observe = config->observe,
		.guard_never = config->guard == GUARD_MODE_NEVER,
		.guard = guard_wanted(config, &visit->decider.sensor.snapshot.tdx),
		.running = host->daemon != 0,
		.masked = host->masked,
		.log = &visit->decider.sensor.log,
		.kvm_loaded = host->kvm_loaded,
		.cmdline = host->cmdline,
		.boot_ram_in_cxl = &visit->boot_ram_in_cxl,
		.udev = host->udev,
		.n_udev = host->n_udev,
		.writers = host->writers,
		.n_writers = host->n_writers,
		.modprobe = host->modprobe,
		.n_modprobe = host->n_modprobe,
		.daxctl = host->daxctl,
		.n_daxctl = host->n_daxctl,
		.agents = host->agents,
		.n_agents = host->n_agents,
		.bypassed = visit->bypassed.items,
		.n_bypassed = visit->bypassed.n,
		.movable = visit->movable,
		.n_movable = visit->n_movable,
		.offline_boot = &visit->offline_boot,
		.unwritable = host->unwritable,
		.n_unwritable = host->n_unwritable,
	};

	return doctor_examine(&facts, &visit->findings);
}

static void print_tdx(const struct tdx *tdx)
{
	char line[1024];
	struct strbuf text = strbuf_in(line, sizeof(line));

	tdx_append_meaning(&text, tdx);
	if (tdx->cause)
		strbuf_append(&text, " %s.", tdx_cause_explain(tdx->cause));
	strbuf_append(&text, " Sources: ");
	tdx_append_sources(&text, tdx);
	strbuf_append(&text, ".");
	wrap_print(line, 0);
	print("\n");
}

static void print_findings(const struct findings *findings)
{
	if (!findings->n)
		print("Nothing was found that conflicts with hot-added memory or TDX.\n");
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->items[i];
		const char *code = finding_code_to_string(finding->code);

		if (i)
			print("\n");
		print("%s: ", code);
		wrap_print(finding->message, (unsigned int)strlen(code) + 2);
		print("    remedy: ");
		/* A command that is broken into lines cannot be copied. */
		if (islower(finding->remedy[0]))
			print("%s\n", finding->remedy);
		else
			wrap_print(finding->remedy, 12);
	}
}

int doctor_run(struct settings *settings, bool json, bool captured)
{
	CLEANUP(visit_done) struct visit visit = {0};
	bool hotplug;
	int r;

	/* What should be done is not what is withheld. */
	settings->config.present = PRESENT_ACT;
	r = decider_init(&visit.decider, &settings->config);
	hotplug = r == 0;
	if (r == 0)
		r = look_at_memory(&visit);
	if (visit.decider.sensor.log_error < 0 && visit.decider.sensor.log_error != -EBADMSG)
		complain(&visit.decider.sensor.complaints, "kernel log: %s",
			strerror(-visit.decider.sensor.log_error));
	if (r == 0 || r == -ENODEV)
		r = host_examine(&visit.host, &visit.decider.sensor.complaints, captured);
	if (r == 0)
		r = examine(&visit, &settings->config, hotplug);
	if (r < 0)
		return r;
	if (json) {
		r = report_print_findings(&visit.findings, &visit.decider.sensor.snapshot.tdx);
	} else {
		print_tdx(&visit.decider.sensor.snapshot.tdx);
		print_findings(&visit.findings);
	}
	if (r < 0)
		return r;
	return visit.findings.n ? EXIT_FOUND : EXIT_DONE;
}
