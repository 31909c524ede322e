/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation of a range: what it is, and who brought it.
 */
#include "explain_topics.h"

#include <assert.h>
#include <inttypes.h>

static void tell_device(struct text *text, const struct arrival *arrival)
{
	text_append(text, ", dax device %s ", arrival->device);
	if (arrival->driver == DAX_DRIVER_NONE)
		text_append(text, "without a driver");
	else if (arrival->driver == DAX_DRIVER_OTHER)
		text_append(text, "with a driver that is not known here");
	else
		text_append(text, "with driver %s", dax_driver_to_string(arrival->driver));
}

void explain_what(struct text *text, const struct story *story)
{
	static const char *const kinds[] = {
		[CARRIER_UNKNOWN] = "memory of unknown kind",
		[CARRIER_CXL] = "CXL memory",
		[CARRIER_HMEM] = "soft-reserved memory",
		[CARRIER_PMEM] = "persistent memory",
		[CARRIER_DIMM] = "memory on a DIMM",
		[CARRIER_VIRTIO_MEM] = "memory of a virtio-mem device",
	};
	static_assert(ARRAY_SIZE(kinds) == CARRIER_MAX, "words for each carrier");
	const struct arrival *arrival = &story->record->arrival;
	char size[SIZE_TEXT], range[RANGE_TEXT];

	text_append(text, "%s of %s", size_format(arrival->size, size), kinds[arrival->carrier]);
	if (arrival->fault == FAULT_UNREADABLE)
		text_append(text, " at an address that cannot be read");
	else
		text_append(text, " at %s", range_format(arrival->range, range));
	if (arrival_is_dax(arrival))
		tell_device(text, arrival);
	if (arrival->node != NODE_UNKNOWN)
		text_append(text, ", node %d", arrival->node);
	text_append(text, ".");
}

static void tell_memdevs(struct text *text, const struct arrival *arrival)
{
	for (size_t i = 0; i < arrival->n_memdevs; i++) {
		const struct memdev *memdev = &arrival->memdevs[i];

		text_append(text, "%s %s (serial 0x%" PRIx64 ", %s%s%s)",
			i ? "," : " Behind it:", memdev->name, memdev->serial, memdev->pci_address,
			memdev->firmware[0] ? ", firmware " : "", memdev->firmware);
	}
	if (arrival->n_memdevs)
		text_append(text, ".");
}

static void tell_region(struct text *text, const struct arrival *arrival)
{
	const struct origin *origin = &arrival->origin;
	char range[RANGE_TEXT];

	text_append(text, "It is CXL %s%s%s", arrival->region, origin->mode[0] ? " of mode " : "",
		origin->mode);
	if (origin->decoder[0])
		text_append(text, ", decoded by %s", origin->decoder);
	if (!range_is_empty(origin->window))
		text_append(text, " in its window %s", range_format(origin->window, range));
	text_append(text, ".");
	tell_memdevs(text, arrival);
}

static void tell_carrier(struct text *text, const struct arrival *arrival)
{
	static const char *const origins[] = {
		[CARRIER_UNKNOWN] = "Nothing tells what brought it.",
		[CARRIER_CXL] = "A CXL device brought it; its region is not known.",
		[CARRIER_HMEM] = "Firmware or the kernel command line set it aside at boot as "
				 "soft-reserved memory, so it is not RAM until a driver adds it.",
		[CARRIER_PMEM] = "A persistent memory namespace has it.",
		[CARRIER_DIMM] = "The firmware memmap gained it after boot, as it does when a "
				 "DIMM is plugged in.",
		[CARRIER_VIRTIO_MEM] = "A hypervisor gives and takes it.",
	};
	static_assert(ARRAY_SIZE(origins) == CARRIER_MAX, "words for each carrier");

	if (arrival->region[0])
		tell_region(text, arrival);
	else
		text_append(text, "%s", origins[arrival->carrier]);
}

void explain_origin(struct text *text, const struct story *story)
{
	const struct arrival *arrival = &story->record->arrival;
	const struct origin *origin = &arrival->origin;
	char range[RANGE_TEXT];

	tell_carrier(text, arrival);
	if (origin->in_srat)
		text_append(text, " The SRAT has it as %smemory of proximity domain %" PRIu32 ".",
			origin->hot_pluggable ? "hot-pluggable " : "", origin->srat_node);
	if (!arrival->region[0] && !range_is_empty(origin->window))
		text_append(text, " The CEDT has it in the CXL window %s.",
			range_format(origin->window, range));
	if (story->facts->ran)
		text_append(text, " It was %s the daemon first started in this boot.",
			arrival->present ? "there before" : "not there when");
}
