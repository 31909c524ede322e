/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * properties: one dax device, what the state file has decided on it, and its stable names.
 *
 * It runs for each event of a dax device, and reads no more than it needs. The names do not depend
 * on the daemon; verdict and access are those of the last decision.
 */
#include "daemon/commands/properties.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/commands/exit_status.h"
#include "daemon/host/cleanup.h"
#include "daemon/host/cxl.h"
#include "daemon/host/dax.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/state/state.h"
#include "tdxo/memory/links.h"

static void print_property(const char *key, const char *value)
{
	if (value && *value)
		print("TDX_ONLINED_%s=%s\n", key, value);
}

static void print_links(const struct device *device)
{
	static const char *const keys[LINK_MAX] = {
		[LINK_BY_PATH] = "BY_PATH",
		[LINK_BY_REGION] = "BY_REGION",
		[LINK_BY_SERIAL] = "BY_SERIAL",
	};
	CLEANUP(cxl_done) struct cxl cxl = {0};
	struct cxl_origin origin = {0};

	if (device->region[0])
		cxl_describe(&cxl, device->region, &origin);
	for (enum link link = 0; link < LINK_MAX; link++) {
		char buf[LINK_NAME];
		struct strbuf name = strbuf_in(buf, sizeof(buf));

		link_append_name(&name, link, device, &origin);
		/* A name that was cut off could be that of another device. */
		if (name.n + 1 < sizeof(buf))
			print_property(keys[link], buf);
	}
}

/* Not if nothing was done, with Act=no for example: then the node keeps its access too. */
static void print_access(const struct history_entry *entry)
{
	char mode[16] = "";

	if (!device_may_be_announced(&entry->device) || entry->verdict != VERDICT_DEVDAX ||
		(entry->result != RESULT_DONE && entry->result != RESULT_NOTHING))
		return;
	print_property("GROUP", entry->access.group);
	if (entry->access.mode)
		snprintf(mode, sizeof(mode), "0%o", entry->access.mode);
	print_property("MODE", mode);
}

/* What has been begun may still end otherwise. */
static void print_decision(const struct history_entry *entry)
{
	if (!entry || entry->result == RESULT_BEGUN)
		return;
	print_property("VERDICT", verdict_to_string(entry->verdict));
	print_property("REASON", reason_to_string(entry->reason));
	print_access(entry);
}

/* The identity suffices: where it lies is not known here. */
static const struct history_entry *find_entry(
	const struct history *history, const struct device *device)
{
	for (size_t i = 0; i < history->n; i++) {
		const struct device *decided = &history->entries[i].device;

		if (strcmp(decided->name, device->name) == 0 &&
			decided->identity == device->identity)
			return &history->entries[i];
	}
	return NULL;
}

static int print_device(const struct device *device)
{
	CLEANUP(state_done) struct state state = {0};
	int r = state_load(&state);

	if (r < 0)
		return r;
	print_property("TYPE", device_type_to_string(device->type));
	print_decision(find_entry(&state.history, device));
	print_links(device);
	return EXIT_DONE;
}

int properties_run(const char *chardev)
{
	struct device device;

	if (dax_glance(chardev, &device) == 0)
		return print_device(&device);
	log_print(LOG_ERR, "properties %s: there is no such dax device", chardev);
	return EXIT_FAILED;
}
