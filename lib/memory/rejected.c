/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rejected memory: the kernel's lines, and what they mean.
 */
#include "tdxo/memory/rejected.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"

#define ACPI	    "acpi "
#define FAILED	    ": add_memory failed"
#define KMEM	    "kmem "
#define NO_METADATA ": vmemmap alloc failure: order:" /* after the name of a task */
#define TASK_NAME   16 /* TASK_COMM_LEN, include/linux/sched.h, 6.12 */
#define NAME_CHARS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:"

static const char *const causes[] = {
	[REJECTION_UNALIGNED] = "unaligned",
	[REJECTION_UNADDRESSABLE] = "unaddressable",
	[REJECTION_NO_METADATA] = "no-metadata",
	[REJECTION_NOT_LOGGED] = "not-logged",
};
DEFINE_STRING_TABLE(rejection_cause, enum rejection_cause, causes, REJECTION_MAX)

static const struct {
	const char *clause, *remedy;
} texts[] = {
	[REJECTION_UNALIGNED] = {"its start or size is not a multiple of the memory block size",
		"Unplug it, then plug in memory whose start and size are multiples of the size in "
		"/sys/devices/system/memory/block_size_bytes. The kernel also takes memory of any "
		"size that firmware lists as RAM at boot."},
	[REJECTION_UNADDRESSABLE] = {"its addresses are beyond those that the kernel can map",
		"Unplug it, then plug it in at a lower address: in a virtual machine reduce the "
		"maximum of its memory, else update the firmware."},
	[REJECTION_NO_METADATA] = {"the kernel had too little free memory for its page metadata",
		"Free 1/64 of its size, then unplug it and plug it in again; or boot with "
		"memory_hotplug.memmap_on_memory=1 on the kernel command line, which places the "
		"page metadata of a DIMM in that DIMM."},
	[REJECTION_NOT_LOGGED] = {"the kernel did not log why",
		"Read the lines before this one with 'journalctl -b -k'. A lack of memory for page "
		"metadata is logged once in a boot only: free 1/64 of the size of the DIMM, then "
		"unplug it and plug it in again."},
};
static_assert(ARRAY_SIZE(texts) == REJECTION_MAX, "texts for each cause");

void rejections_done(struct rejections *rejections)
{
	free(rejections->items);
	*rejections = (struct rejections){0};
}

static struct rejection *find(const struct rejections *rejections, const struct rejection *like)
{
	for (size_t i = 0; i < rejections->n; i++) {
		struct rejection *item = &rejections->items[i];

		if (range_is_empty(like->range) ? range_is_empty(item->range) &&
							  strcmp(item->device, like->device) == 0
						: range_equal(item->range, like->range))
			return item;
	}
	return NULL;
}

int rejections_add(struct rejections *rejections, const struct rejection *rejection)
{
	if (find(rejections, rejection))
		return 0;
	if (rejections->n == REJECTIONS_MOST)
		return 1;
	return array_append(rejections->items, rejections->n, *rejection);
}

void rejections_remove(struct rejections *rejections, size_t i)
{
	rejections->n--;
	memmove(&rejections->items[i], &rejections->items[i + 1],
		(rejections->n - i) * sizeof(*rejections->items));
}

/* --- the kernel log --- */

/* Both lines print the end of the range as the first address behind it, or its size. */
static bool read_range(const char *line, struct rejection *rejection)
{
	uint64_t start, size, end;
	int n = 0;

	if (sscanf(line,
		    "Block size [0x%*x] unaligned hotplug range: start 0x%" SCNx64
		    ", size 0x%" SCNx64 "%n",
		    &start, &size, &n) == 2 &&
		n && !line[n] && size && size <= UINT64_MAX - start) {
		rejection->cause = REJECTION_UNALIGNED;
		rejection->range = (struct range){start, start + size};
		return true;
	}
	if (sscanf(line,
		    "Hotplug memory [0x%" SCNx64 "-0x%" SCNx64
		    "] exceeds maximum addressable range [%n",
		    &start, &end, &n) == 2 &&
		n && start < end) {
		rejection->cause = REJECTION_UNADDRESSABLE;
		rejection->range = (struct range){start, end};
		return true;
	}
	return false;
}

static bool read_device(const char *line, struct rejection *rejection)
{
	const char *name = line + strlen(ACPI);
	size_t length;

	if (strncmp(line, ACPI, strlen(ACPI)) != 0)
		return false;
	length = strlen(name);
	if (length <= strlen(FAILED) || length - strlen(FAILED) >= SYSFS_NAME ||
		strcmp(name + length - strlen(FAILED), FAILED) != 0)
		return false;
	length -= strlen(FAILED);
	/* It becomes part of a path. */
	if (strspn(name, NAME_CHARS) < length)
		return false;
	snprintf(rejection->device, sizeof(rejection->device), "%.*s", (int)length, name);
	rejection->cause = REJECTION_NOT_LOGGED;
	return true;
}

/* A task can have any name, but not one that is so long. */
static bool is_short_of_memory(const char *line)
{
	const char *found = strstr(line, NO_METADATA);

	return found && found - line < TASK_NAME;
}

static void add(struct rejection_reader *reader, const struct rejection *rejection)
{
	int r = rejections_add(reader->rejections, rejection);

	if (r < 0)
		reader->error = r;
	reader->full |= r > 0;
}

/* A DIMM of which the kernel logged the range, or one of which it did not. */
static void add_device(struct rejection_reader *reader, struct rejection *rejection)
{
	const struct rejection ranged = {.range = reader->range};
	struct rejection *item =
		range_is_empty(ranged.range) ? NULL : find(reader->rejections, &ranged);

	if (reader->no_metadata)
		rejection->cause = REJECTION_NO_METADATA;
	if (item)
		snprintf(item->device, sizeof(item->device), "%s", rejection->device);
	else
		add(reader, rejection);
	reader->range = (struct range){0};
	reader->no_metadata = false;
}

void rejection_read(struct rejection_reader *reader, const char *message)
{
	struct rejection rejection = {0};

	snprintf(rejection.line, sizeof(rejection.line), "%.*s", (int)strcspn(message, "\r\n"),
		message);
	if (read_range(rejection.line, &rejection)) {
		add(reader, &rejection);
		reader->range = rejection.range;
	} else if (read_device(rejection.line, &rejection)) {
		add_device(reader, &rejection);
	} else if (is_short_of_memory(rejection.line)) {
		reader->no_metadata = true;
	} else if (strncmp(rejection.line, KMEM, strlen(KMEM)) == 0) {
		/* What was short, or the range, was that of a dax device. */
		reader->range = (struct range){0};
		reader->no_metadata = false;
	}
}

bool rejection_is_about(const char *message)
{
	CLEANUP(rejections_done) struct rejections rejections = {0};
	struct rejection_reader reader = {.rejections = &rejections};

	rejection_read(&reader, message);
	return rejections.n || reader.no_metadata;
}

/* --- texts --- */

void rejection_append(struct strbuf *text, const struct rejection *rejection)
{
	const struct range range = rejection->range;
	char size[SIZE_TEXT], addresses[RANGE_TEXT];

	if (range_is_empty(range))
		strbuf_append(text, "Memory of unknown size (%s)", rejection->device);
	else
		strbuf_append(text, "%s of memory (%s%s%s)", size_format(range_size(range), size),
			range_format(range, addresses), rejection->device[0] ? ", " : "",
			rejection->device);
	strbuf_append(text, " was rejected by the kernel and cannot be used: %s",
		texts[rejection->cause].clause);
}

const char *rejection_remedy(enum rejection_cause cause)
{
	return texts[cause].remedy;
}
