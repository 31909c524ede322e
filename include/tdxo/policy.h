/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy: what is to be done with a range, and why.
 *
 * policy_decide() is a pure function. It is total: every range gets a verdict. A range that
 * TDX would refuse is never given to the page allocator; what is in doubt is left as it is.
 */
#pragma once

#include "tdxo/arrival.h"
#include "tdxo/boot_map.h"
#include "tdxo/compiler.h"
#include "tdxo/gate.h"
#include "tdxo/range.h"
#include "tdxo/snapshot.h"

enum verdict {
	VERDICT_ONLINE,	 /* into the page allocator */
	VERDICT_DEVDAX,	 /* not; usable as a devdax device */
	VERDICT_OFFLINE, /* not, and there is no dax device to fall back to */
	VERDICT_IGNORE,	 /* none of our business, or in doubt */
	VERDICT_MAX,
};

enum reason {
	REASON_IN_BOOT_MAP,
	REASON_OUTSIDE_BOOT_MAP,
	REASON_STRADDLES_BOOT_MAP,
	REASON_GATE_ABSENT,
	REASON_PERSISTENT_MEMORY,
	REASON_ALREADY_DEVDAX,
	REASON_ALREADY_ONLINE,
	REASON_TOO_SMALL,
	REASON_NO_TARGET_NODE,
	REASON_UNREADABLE,
	REASON_FOREIGN_DRIVER,
	REASON_UNKNOWN_DEVICE,
	REASON_BOOT_MAP_UNKNOWN,
	REASON_KERNEL_REFUSED,
	REASON_MAX,
};

enum zone {
	ZONE_NONE, /* not to be onlined */
	ZONE_AUTO, /* the kernel's default */
	ZONE_KERNEL,
	ZONE_MAX,
};

/* What the administrator said. */
struct config {
	enum gate_mode gate;
	struct range_set capable; /* windows asserted to be TDX memory: CapableRanges= */
};

struct decision {
	enum verdict verdict;
	enum reason reason;
	enum zone zone;
	enum boot_source source; /* what says that it was there at boot */
};

void config_done(struct config *config);

struct decision policy_decide(const struct snapshot *snapshot, const struct arrival *arrival);

/* The decision after the kernel refused what policy_decide() allowed. */
struct decision policy_refused(const struct arrival *arrival);

const char *verdict_to_string(enum verdict verdict);
const char *reason_to_string(enum reason reason);
const char *reason_explain(enum reason reason); /* a clause: "it was not there at boot" */
const char *zone_to_string(enum zone zone);	/* NULL for ZONE_NONE */
