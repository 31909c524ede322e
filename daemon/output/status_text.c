/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The status for people: a line for each thing, a row for each device, and what to do next.
 */
#include "daemon/output/status.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/log/print.h"
#include "daemon/output/table.h"
#include "daemon/output/wrap.h"
#include "tdxo/base/array.h"
#include "tdxo/base/time.h"

#define LABEL	   15 /* columns of a label, with the blanks after it */
#define LINE_TEXT  1024
#define NAMES_MOST 8 /* so many devices of a kind are named */

static void print_line(const char *label, const char *text)
{
	print("%-*s", LABEL, label);
	wrap_print(text, LABEL);
}

static struct strbuf begin(char buf[LINE_TEXT])
{
	return strbuf_in(buf, LINE_TEXT);
}

static void append_last_look(struct strbuf *text, const struct status *status)
{
	char time[TIME_TEXT];

	if (status->last_look)
		strbuf_append(text, ", last look at %s", time_format(status->last_look, time));
}

static void print_daemon(const struct status *status)
{
	char buf[LINE_TEXT];
	struct strbuf text = begin(buf);

	if (status->captured)
		strbuf_append(&text, "of a captured machine");
	else if (status->pid)
		strbuf_append(&text, "running, process %" PRIu64, status->pid);
	else
		strbuf_append(&text, "not running");
	append_last_look(&text, status);
	if (!status->ran)
		strbuf_append(&text, "; there is no state file of this boot");
	else if (status->unusable)
		strbuf_append(&text, "; it decides nothing, because it has no configuration");
	else if (status->observe)
		strbuf_append(&text, "; it records decisions and changes nothing (Act=no)");
	print_line("Daemon", buf);
}

static void print_tdx(const struct tdx *tdx)
{
	static const char *const meanings[] = {
		[TDX_ABSENT] = "the kernel refuses no memory",
		[TDX_ARMED] = ("memory that was not RAM at boot is kept out, because it can "
			       "prevent TDX from starting"),
		[TDX_ACTIVE] = "the kernel refuses to online memory that was not RAM at boot",
		[TDX_UNKNOWN] = "it is handled as active",
	};
	static_assert(ARRAY_SIZE(meanings) == TDX_STATE_MAX, "words for each state");
	const char *line = tdx_evidence_line(tdx);
	char buf[LINE_TEXT];
	struct strbuf text = begin(buf);

	tdx_append(&text, tdx);
	strbuf_append(&text, ": %s.",
		tdx_overridden(tdx) ? "TDX= or --tdx= sets it, and does not change what the "
				      "kernel refuses"
				    : meanings[tdx->state]);
	if (tdx->cause)
		strbuf_append(
			&text, " %s%s%s.", tdx_cause_explain(tdx->cause), *line ? ": " : "", line);
	print_line("TDX", buf);
}

/* Of the guard as a whole: the use of its switches that matters most. */
static enum switch_use worst_use(const struct status *status)
{
	enum switch_use worst = SWITCH_MISSING;

	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		if (status->guard[i].use > worst)
			worst = status->guard[i].use;
	return worst;
}

static void print_switch(const struct switch_status *status)
{
	char buf[LINE_TEXT];
	struct strbuf text = begin(buf);

	strbuf_append(&text, "%s: ", status->path);
	if (status->use == SWITCH_MISSING)
		strbuf_append(&text, "does not exist, or cannot be read");
	else
		strbuf_append(&text, "%s", status->now);
	if (*status->was)
		strbuf_append(&text, ", before %s", status->was);
	if (status->changes)
		strbuf_append(&text, ", changed %u time%s by other programs", status->changes,
			status->changes == 1 ? "" : "s");
	print_line("", buf);
}

static void print_guard(const struct status *status)
{
	static const char *const words[] = {
		[SWITCH_MISSING] = "not held",
		[SWITCH_FREE] = "not held",
		[SWITCH_HELD] = "held, so new memory waits until it is decided",
		[SWITCH_CHANGED] = "lowered by another program: memory can go online before it is "
				   "decided",
		[SWITCH_GIVEN_UP] = "given up, because other programs lowered it too often: memory "
				    "can go online before it is decided",
	};
	static_assert(ARRAY_SIZE(words) == SWITCH_USE_MAX, "words for each use");

	print_line("Guard", words[worst_use(status)]);
	for (enum guard_switch i = 0; i < GUARD_SWITCHES; i++)
		print_switch(&status->guard[i]);
}

/* A path is not broken into lines. */
static void print_configuration(const struct status *status)
{
	if (!status->n_files)
		print_line("Configuration",
			status->unusable ? "none can be used" : "defaults, from no file");
	for (size_t i = 0; i < status->n_files; i++)
		print("%-*s%s\n", LABEL, i ? "" : "Configuration", status->files[i]);
	if (status->outdated)
		print_line("", "The files were changed since the daemon read them.");
	if (status->mistake)
		print("%-*sNot used by the daemon: %s\n", LABEL, "", status->mistake);
	if (status->mistake_now)
		print("%-*sNot usable now: %s\n", LABEL, "", status->mistake_now);
}

static bool is_stranded(const struct device_status *status)
{
	return status->stranded;
}

static bool disagrees(const struct device_status *status)
{
	return status->disagrees;
}

/* ": dax0.0, 0x100000000 and 3 more" */
static void append_names(struct strbuf *text, const struct status *status,
	bool (*is)(const struct device_status *status))
{
	const char *before = ": ";
	size_t n = 0;

	for (size_t i = 0; i < status->n_devices; i++) {
		const struct device_status *device = &status->devices[i];
		char name[SYSFS_NAME];

		if (!is(device) || n++ >= NAMES_MOST)
			continue;
		device_status_name(device, name);
		strbuf_append(text, "%s%s", before,
			*name ? name : device_type_to_string(device->device.type));
		before = ", ";
	}
	if (n > NAMES_MOST)
		strbuf_append(text, " and %zu more", n - NAMES_MOST);
}

static void print_stranded(const struct status *status)
{
	uint64_t stranded = status_stranded(status);
	char buf[LINE_TEXT], size[SIZE_TEXT];
	struct strbuf text = begin(buf);

	strbuf_append(&text, "%s", stranded ? size_format(stranded, size) : "none");
	append_names(&text, status, is_stranded);
	print_line("Stranded", buf);
}

/* Nothing is printed of what has not happened. */
static void print_counts(const struct status *status)
{
	char buf[LINE_TEXT];
	struct strbuf text = begin(buf);

	if (status->disagreements) {
		strbuf_append(&text, "%" PRIu64, status->disagreements);
		append_names(&text, status, disagrees);
		print_line("Disagreements", buf);
	}
	if (status->overflows) {
		text = begin(buf);
		strbuf_append(&text,
			"%" PRIu64 ", after each of which the daemon looked at all devices",
			status->overflows);
		print_line("Overflows", buf);
	}
	for (size_t i = 0; i < status->rejected->n; i++) {
		text = begin(buf);
		rejection_append(&text, &status->rejected->items[i]);
		print_line(i ? "" : "Rejected", buf);
	}
}

/* Each file of this program, and of the others at most the first. */
static void print_unread(const struct status *status)
{
	size_t most = status->n_unread_own ?: 1;
	char buf[LINE_TEXT];

	for (size_t i = 0; i < most && i < status->n_unread; i++) {
		struct strbuf text = begin(buf);

		strbuf_append(&text, "%s", status->unread[i]);
		if (i + 1 == most && status->n_unread > most)
			strbuf_append(&text, "; and %zu more, which --json prints",
				status->n_unread - most);
		print_line(i ? "" : "Not read", buf);
	}
}

static int print_devices(const struct status *status)
{
	const struct table_options options = {.status = true};
	struct table table;
	int r;

	print("\n");
	if (!status->n_devices) {
		print("No memory arrived after boot.\n");
		return 0;
	}
	r = table_init(&table, &options);
	for (size_t i = 0; r == 0 && i < status->n_devices; i++)
		r = table_add_status(&table, &status->devices[i]);
	if (r == 0)
		r = table_print(&table);
	table_done(&table);
	return r;
}

static void print_next(const struct status *status)
{
	char buf[LINE_TEXT];
	struct strbuf text = begin(buf);

	if (!status_append_next(&text, status))
		return;
	print("\n");
	wrap_print(buf, 0);
}

int status_print_text(const struct status *status)
{
	int r;

	print_daemon(status);
	print_tdx(status->tdx);
	print_guard(status);
	print_configuration(status);
	print_stranded(status);
	print_counts(status);
	print_unread(status);
	r = print_devices(status);
	if (r == 0)
		print_next(status);
	return r;
}
