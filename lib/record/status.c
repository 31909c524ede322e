/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The status of a device and of the guard, and what to do next.
 */
#include "tdxo/record/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"

static const char *const switch_uses[] = {
	[SWITCH_MISSING] = "missing",
	[SWITCH_FREE] = "free",
	[SWITCH_HELD] = "held",
	[SWITCH_CHANGED] = "changed",
	[SWITCH_GIVEN_UP] = "given-up",
};
static_assert(ARRAY_SIZE(switch_uses) == SWITCH_USE_MAX, "a word for each use");

const char *switch_use_to_string(enum switch_use use)
{
	return switch_uses[use];
}

enum switch_use switch_use_of(const struct switch_status *status, const char *held, bool given_up)
{
	if (!status->now[0])
		return SWITCH_MISSING;
	if (given_up)
		return SWITCH_GIVEN_UP;
	if (!status->was[0])
		return SWITCH_FREE;
	return strcmp(status->now, held) == 0 ? SWITCH_HELD : SWITCH_CHANGED;
}

/*
 * As record_lost(). The administrator wants some blocks offline, and can bring them online. Blocks
 * of a device with steps left may go online yet. A captured file can contain any numbers.
 */
static uint64_t count_stranded(const struct device_status *status, uint64_t block_size)
{
	const struct block_count *blocks = &status->blocks;

	const struct history_entry *entry = status->entry;
	uint64_t known = blocks->online + blocks->unread;

	if (entry && (entry->reason == REASON_KERNEL_OFFLINE || entry->result == RESULT_BEGUN))
		return 0;
	return ((blocks->present > known ? blocks->present - known : 0) + status->missing) *
	       block_size;
}

struct device_status device_status_of(struct facts *facts, const struct history_entry *entry)
{
	const struct block_count blocks = facts_count(facts);
	uint64_t room = facts_room(facts);
	struct device_status status = {.device = facts->device,
		.entry = entry,
		.blocks = blocks,
		.expected = policy_expects(facts)};

	if (facts->device.driver == DAX_DRIVER_KMEM && blocks.present < room)
		status.missing = room - blocks.present;
	status.stranded = count_stranded(&status, facts->block_size);
	status.changed = entry && history_entry_was_changed(entry, facts);
	status.disagrees =
		entry && entry->answer && status.expected && status.expected != entry->answer;
	facts->device = (struct device){0};
	return status;
}

int device_status_recorded(const struct history_entry *entry, struct device_status *ret_status)
{
	const struct block_count *blocks = &entry->blocks;
	struct device_status status = {
		.entry = entry, .blocks = entry->blocks, .changed = entry->changed};
	int r = device_copy(&entry->device, &status.device);

	if (r < 0)
		return r;
	if (blocks->present)
		status.stranded = count_stranded(&status, entry->device.size / blocks->present);
	*ret_status = status;
	return 0;
}

int status_add(struct status *status, struct device_status *device)
{
	int r = array_append(status->devices, status->n_devices, *device);

	if (r < 0)
		device_done(&device->device);
	return r;
}

void status_done(struct status *status)
{
	for (size_t i = 0; i < status->n_devices; i++)
		device_done(&status->devices[i].device);
	free(status->devices);
	free(status->unread);
	*status = (struct status){0};
}

static uint64_t address_of(const struct device_status *status)
{
	return status->device.n_ranges ? status->device.ranges[0].start : UINT64_MAX;
}

static int compare(const void *a, const void *b)
{
	const struct device_status *x = a, *y = b;
	uint64_t x_address = address_of(x), y_address = address_of(y);

	if (x_address != y_address)
		return x_address > y_address ? 1 : -1;
	return strcmp(x->device.name, y->device.name);
}

void status_sort(struct status *status)
{
	if (status->n_devices)
		qsort(status->devices, status->n_devices, sizeof(*status->devices), compare);
}

const char *device_status_result(const struct device_status *status)
{
	if (!status->entry)
		return "undecided";
	return result_to_string(status->changed ? RESULT_CHANGED : status->entry->result);
}

uint64_t status_stranded(const struct status *status)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < status->n_devices; i++)
		sum += status->devices[i].stranded;
	return sum;
}

const char *device_status_name(const struct device_status *status, char buf[SYSFS_NAME])
{
	const struct device *device = &status->device;

	if (device_is_dax(device) || !device->n_ranges)
		snprintf(buf, SYSFS_NAME, "%s", device->name);
	else
		snprintf(buf, SYSFS_NAME, "0x%" PRIx64, device->ranges[0].start);
	return buf;
}

/* --- what to do next --- */

static bool is_stopped(const struct status *status)
{
	return !status->captured && !status->pid;
}

static bool has_mistake(const struct status *status)
{
	return status->mistake_now;
}

static bool is_outdated(const struct status *status)
{
	return status->outdated || status->mistake;
}

/* A switch that was given up may have the right value: then doctor finds nothing. */
static bool is_switched(const struct status *status)
{
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		if (status->guard[i].use >= SWITCH_CHANGED &&
			strcmp(status->guard[i].now, guard_switch_value(i)) != 0)
			return true;
	return false;
}

/* As doctor_check_stranded(), by the recorded verdict. */
static bool is_stranded(const struct status *status, const struct device_status *device)
{
	bool kept_out = device->entry ? device->entry->verdict != VERDICT_ONLINE
				      : device->expected == ANSWER_REFUSES;

	if (device->device.type == TYPE_PMEM)
		return false;
	return device->missing || (device->stranded && kept_out && tdx_refuses(status->tdx));
}

/* Only what doctor reports. */
static bool has_findings(const struct status *status)
{
	for (size_t i = 0; i < status->n_devices; i++)
		if (is_stranded(status, &status->devices[i]))
			return true;
	return status->rejected->n || status->tdx->state == TDX_UNKNOWN || is_switched(status);
}

static bool disagrees(const struct device_status *status)
{
	return status->disagrees;
}

static bool has_failed(const struct device_status *status)
{
	return status->entry &&
	       (status->entry->result == RESULT_FAILED || status->entry->result == RESULT_PARTIAL);
}

static bool is_changed(const struct device_status *status)
{
	return status->changed;
}

static bool has_undecided(const struct status *status)
{
	for (size_t i = 0; i < status->n_devices; i++)
		if (!status->devices[i].entry)
			return true;
	return false;
}

/* The first that is true counts. That of a device needs a name for it between two texts. */
static const struct {
	bool (*is)(const struct status *status);
	bool (*is_device)(const struct device_status *status);
	const char *before, *after;
} advice[] = {
	{is_stopped, NULL,
		"The daemon does not run: 'systemctl start tdx-onlined.service' starts it.", NULL},
	{has_mistake, NULL,
		"'tdx-onlinectl config check' prints all mistakes in the configuration. Correct "
		"them, then run 'systemctl reload tdx-onlined.service'.",
		NULL},
	{is_outdated, NULL,
		"'tdx-onlinectl config diff' prints what the files would change now, and "
		"'systemctl reload tdx-onlined.service' makes the daemon read them.",
		NULL},
	{NULL, has_failed, "'tdx-onlinectl explain ", "' prints what failed, and what to do."},
	{has_findings, NULL, "'tdx-onlinectl doctor' prints causes and remedies.", NULL},
	{NULL, disagrees, "'tdx-onlinectl explain ",
		"' prints the decision about the device for which the kernel did not answer as "
		"expected."},
	{NULL, is_changed, "'tdx-onlinectl explain ",
		"' prints the decision about the device that was changed."},
	{has_undecided, NULL,
		"'tdx-onlinectl plan' prints what is to be done with devices that have no decision "
		"yet.",
		NULL},
};

/* Is there such a device that has a name? */
static bool find_device(const struct status *status, bool (*is)(const struct device_status *status),
	char name[SYSFS_NAME])
{
	for (size_t i = 0; i < status->n_devices; i++)
		if (is(&status->devices[i]) && *device_status_name(&status->devices[i], name))
			return true;
	return false;
}

bool status_append_next(struct strbuf *text, const struct status *status)
{
	char name[SYSFS_NAME] = "";

	for (size_t i = 0; i < ARRAY_SIZE(advice); i++) {
		if (advice[i].is ? !advice[i].is(status)
				 : !find_device(status, advice[i].is_device, name))
			continue;
		strbuf_append(text, "%s%s%s", advice[i].before, advice[i].is ? "" : name,
			advice[i].after ?: "");
		return true;
	}
	return false;
}
