/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verify: gather what is there, online some memory blocks as a trial, compare, and print.
 */
#include "daemon/commands/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/actuator/probe.h"
#include "daemon/commands/exit_status.h"
#include "daemon/host/paths.h"
#include "daemon/host/readonly.h"
#include "daemon/host/root.h"
#include "daemon/host/sensor.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/output/report.h"
#include "daemon/state/lock.h"
#include "daemon/state/state.h"
#include "tdxo/anonymise/anonymise.h"
#include "tdxo/base/array.h"
#include "tdxo/doctor/verify.h"

struct verifier {
	struct state state;
	struct sensor sensor;
	struct verify_device *devices;
	struct verify_facts facts;
	struct comparisons comparisons;
	pid_t daemon; /* 0: it does not run */
	bool locked;  /* it cannot start until this process ends */
	char release[DISGUISED_RELEASE];
	char module_version[SYSFS_NAME];
};

static void verifier_done(struct verifier *verifier)
{
	for (size_t i = 0; i < verifier->facts.n_devices; i++)
		facts_done(&verifier->devices[i].facts);
	free(verifier->devices);
	free(verifier->facts.trials.items);
	comparisons_done(&verifier->comparisons);
	sensor_done(&verifier->sensor);
	state_done(&verifier->state);
}

/* --- what is there --- */

static void note_version(const char *message, void *userdata)
{
	struct verifier *verifier = userdata;
	const char *version = verify_module_version(message);

	if (version)
		snprintf(verifier->module_version, sizeof(verifier->module_version), "%.*s",
			(int)strcspn(version, "\n"), version);
}

/*
 * What cannot be read stays empty. The name of a local build is not for a report that others read.
 * The version of the module is in sysfs from Linux 7.2 on.
 */
static void read_versions(struct verifier *verifier)
{
	char release[SYSFS_NAME], buf[DISGUISED_RELEASE];

	if (sysfs_read(PROC_OSRELEASE, release, sizeof(release)) == 0)
		snprintf(verifier->release, sizeof(verifier->release), "%s",
			disguise_release(release, buf));
	if (sysfs_read(SYS_TDX_VERSION, verifier->module_version,
		    sizeof(verifier->module_version)) < 0)
		(void)!sensor_kernel_log(note_version, verifier);
}

static int add_device(struct verifier *verifier, const struct device *device)
{
	struct verify_device one = {0};
	int r = sensor_complete(&verifier->sensor, device, &one.facts);

	/* 1: it has gone. */
	if (r != 0)
		return r < 0 ? r : 0;
	one.entry = history_find(&verifier->state.history, &one.facts.device);
	r = array_append(verifier->devices, verifier->facts.n_devices, one);
	if (r < 0)
		facts_done(&one.facts);
	verifier->facts.devices = verifier->devices;
	return r;
}

static bool is_idle(const struct state *state, pid_t daemon)
{
	return state->idle && state->pid == daemon;
}

/* The values in effect are those of the daemon while it runs. */
static int find_config(struct verifier *verifier, struct settings *settings, const char *mistake)
{
	struct verify_facts *facts = &verifier->facts;
	const struct state *state = &verifier->state;
	int r;

	facts->config = &settings->config;
	facts->mistake = mistake != NULL;
	facts->observe = settings->config.observe;
	if (!facts->running)
		return 0;
	facts->outdated = mistake || state->checksum != settings_checksum(settings);
	r = state_use_config(state, false, &settings->config);
	facts->observe |= settings->config.observe;
	return r;
}

static int gather(struct verifier *verifier, struct settings *settings, const char *mistake)
{
	CLEANUP(devices_done) struct devices all = {0};
	struct earlier earlier;
	int r;

	verifier->daemon = lock_owner();
	r = state_load(&verifier->state);
	verifier->facts.snapshot = &verifier->sensor.snapshot;
	verifier->facts.captured = root_is_another();
	verifier->facts.running = verifier->daemon != 0;
	verifier->facts.idle = is_idle(&verifier->state, verifier->daemon);
	verifier->facts.older = verifier->state.older;
	if (r == 0)
		r = find_config(verifier, settings, mistake);
	if (r < 0)
		return r;
	earlier = state_earlier(&verifier->state);
	r = sensor_init(&verifier->sensor, &settings->config, &earlier);
	if (r == 0)
		r = sensor_devices(&verifier->sensor, &all);
	for (size_t i = 0; r == 0 && i < all.n; i++)
		r = add_device(verifier, &all.items[i]);
	if (r == 0)
		read_versions(verifier);
	return r;
}

/* --- the memory blocks --- */

/* A block that could not go offline again is left alone (ABI/testing/sysfs-devices-memory). */
static bool is_removable(const struct verifier *verifier, struct range block)
{
	uint64_t removable;
	struct path path;

	path_of(&path, SYS_BLOCK_REMOVABLE, block.start / verifier->facts.snapshot->block_size);
	return sysfs_read_number(path.text, 10, &removable) == 0 && removable;
}

/*
 * The daemon may have begun to work since the last block. If it does not run, it is kept from
 * starting.
 */
static const char *obstacle_by_daemon(struct verifier *verifier)
{
	CLEANUP(state_done) struct state state = {0};
	pid_t other;

	if (!verifier->daemon && !verifier->locked)
		verifier->locked = lock_take(&other) == 0;
	if (verifier->locked)
		return NULL;
	if (!verifier->daemon || lock_owner() != verifier->daemon)
		return "the daemon was started or stopped at the same time";
	return state_load(&state) == 0 && is_idle(&state, verifier->daemon)
		       ? NULL
		       : "the daemon has begun to work";
}

static void try_block(struct verifier *verifier, uint64_t timeout, struct trial *trial)
{
	if (!trial->obstacle && !is_removable(verifier, trial->range))
		trial->obstacle = "the kernel could not take it offline again";
	if (!trial->obstacle)
		trial->obstacle = obstacle_by_daemon(verifier);
	if (!trial->obstacle)
		probe_block(&verifier->sensor, timeout, trial);
}

/* A block that stays online is one too many: no other one is tried after it. */
static int try_blocks(struct verifier *verifier, uint64_t timeout)
{
	struct trials *trials = &verifier->facts.trials;
	bool stuck = false;
	int r;

	if (verify_obstacle(&verifier->facts))
		return 0;
	r = verify_choose(&verifier->facts, trials);
	for (size_t i = 0; r == 0 && i < trials->n; i++) {
		if (stuck && !trials->items[i].obstacle)
			trials->items[i].obstacle = "the block before it could not be taken "
						    "offline again";
		try_block(verifier, timeout, &trials->items[i]);
		stuck |= trials->items[i].stuck != 0;
	}
	return r;
}

/* --- the report --- */

static void print_table(const struct firmware *firmware, enum firmware_table table)
{
	char trouble[FIRMWARE_TEXT];

	print("%s: %s\n", firmware_path(table),
		firmware_trouble(firmware, table, trouble)
			?: (firmware_usable(firmware, table) ? "readable" : "not present"));
}

static void print_header(struct verifier *verifier)
{
	const struct snapshot *snapshot = verifier->facts.snapshot;
	const struct firmware *firmware = sensor_firmware(&verifier->sensor);
	char range[RANGE_TEXT], size[SIZE_TEXT];

	print("tdx-onlined " VERSION ", Linux %s\n", verifier->release);
	print("TDX module: %s\n", *verifier->module_version ? verifier->module_version : "unknown");
	print("Memory blocks: %s\n", size_format(snapshot->block_size, size));
	for (size_t i = 0; i < snapshot->boot_map.n; i++)
		print("Boot map: %s %s\n", range_format(snapshot->boot_map.regions[i].range, range),
			boot_source_to_string(snapshot->boot_map.regions[i].source));
	for (enum firmware_table table = 0; table < FIRMWARE_TABLE_MAX; table++)
		print_table(firmware, table);
	print("\n");
}

static size_t count(const struct comparisons *comparisons, enum verify_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < comparisons->n; i++)
		n += comparisons->items[i].result == result;
	return n;
}

static void print_comparisons(const struct comparisons *comparisons)
{
	for (size_t i = 0; i < comparisons->n; i++) {
		const struct comparison *comparison = &comparisons->items[i];

		print("%-12s  %-15s  %s: %s", verify_result_to_string(comparison->result),
			verify_check_to_string(comparison->check), comparison->subject,
			comparison->found);
		if (comparison->result != VERIFY_NOT_COMPARED &&
			strcmp(comparison->expected, comparison->found) != 0)
			print("; expected: %s", comparison->expected);
		print("\n");
	}
	print("\n");
	print("%zu agree, %zu differ, %zu not compared\n", count(comparisons, VERIFY_AGREES),
		count(comparisons, VERIFY_DIFFERS), count(comparisons, VERIFY_NOT_COMPARED));
}

static int print_report(struct verifier *verifier, bool json)
{
	const struct verification verification = {
		.program_version = VERSION,
		.kernel_release = verifier->release,
		.module_version = verifier->module_version,
		.snapshot = verifier->facts.snapshot,
		.firmware = sensor_firmware(&verifier->sensor),
		.comparisons = &verifier->comparisons,
	};

	if (json)
		return report_print_verification(&verification);
	print_header(verifier);
	print_comparisons(&verifier->comparisons);
	return 0;
}

/* Only root may write to the kernel. Nothing is written while a captured directory is the root. */
static int enter(void)
{
	int r = root_is_another() ? readonly_enter() : sysfs_try(SYS_AUTO_ONLINE);

	if (r != -EACCES)
		return r;
	log_print(LOG_ERR, "verify: only root can online a memory block as a trial");
	return EXIT_FAILED;
}

int verify_run(struct settings *settings, const char *mistake, bool json)
{
	CLEANUP(verifier_done) struct verifier verifier = {0};
	int r = enter();

	if (r == 0)
		r = gather(&verifier, settings, mistake);
	if (r == 0)
		r = try_blocks(&verifier, settings->config.offline_timeout);
	if (r == 0)
		r = verify_compare(&verifier.facts, &verifier.comparisons);
	if (r == 0)
		r = print_report(&verifier, json);
	if (r != 0)
		return r;
	return count(&verifier.comparisons, VERIFY_DIFFERS) ? EXIT_FOUND : EXIT_DONE;
}
