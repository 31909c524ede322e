/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rejected memory: what arrived and the kernel did not add. Only the kernel log has it: there is no
 * memory block, no device and no uevent of it.
 *
 *   Block size [0x8000000] unaligned hotplug range: start 0x100000000, size 0xc000000
 *   acpi PNP0C80:00: add_memory failed
 *
 * The second line comes if nothing of a DIMM was added, and the first if that is the reason
 * (drivers/acpi/acpi_memhotplug.c, mm/memory_hotplug.c, 6.12 and 7.3). Both come again whenever
 * ACPI looks for DIMMs, so a range, or a device without one, is the same rejection each time. A dax
 * device is there although kmem cannot add it, and has a record of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/memory/device.h"

enum rejection_cause {
	REJECTION_UNALIGNED,	 /* not a multiple of the block size */
	REJECTION_UNADDRESSABLE, /* beyond what the kernel can map */
	REJECTION_NO_METADATA,	 /* no memory for its page metadata */
	REJECTION_NOT_LOGGED,	 /* any other, which the kernel does not log */
	REJECTION_MAX,
};

/*
 * So many are kept, because each line of the log is compared with all of them. It is some times the
 * slots of a large machine; QEMU has 256 at most.
 */
#define REJECTIONS_MOST 1024
#define REJECTION_LINE	192
#define REJECTION_TEXT	640

struct rejection {
	struct range range; /* empty: not logged */
	enum rejection_cause cause;
	char device[SYSFS_NAME];   /* of ACPI; empty: not logged */
	char line[REJECTION_LINE]; /* of the kernel log */
	bool recorded;
};

struct rejections {
	struct rejection *items;
	size_t n;
};

/* Takes in the messages of the kernel log, from the first on. */
struct rejection_reader {
	struct rejections *rejections;
	struct range range; /* of the last line with one, until a line names its device */
	bool no_metadata;   /* memory was short, since a line last named a device */
	bool full;	    /* some have been left out: there were more than REJECTIONS_MOST */
	int error;	    /* 0 or -ENOMEM: not all could be kept */
};

void rejections_done(struct rejections *rejections);

/* Add one, unless it is there. 0; 1: there are REJECTIONS_MOST, and it is left out; -ENOMEM. */
int rejections_add(struct rejections *rejections, const struct rejection *rejection) MUST_CHECK;
void rejections_remove(struct rejections *rejections, size_t i);

/* Take in a message of the kernel's own, without a header. */
void rejection_read(struct rejection_reader *reader, const char *message);

/* Is the message one of those that rejection_read() looks for? */
bool rejection_is_about(const char *message);

/* "192 MiB of memory ([mem 0x…-0x…], PNP0C80:00) was rejected …: why", without a full stop. */
void rejection_append(struct strbuf *text, const struct rejection *rejection);

/* What can be done, in whole sentences. */
const char *rejection_remedy(enum rejection_cause cause);

const char *rejection_cause_to_string(enum rejection_cause cause);
int rejection_cause_from_string(const char *text, enum rejection_cause *ret_cause) MUST_CHECK;
