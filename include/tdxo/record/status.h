/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The status: what the daemon has recorded in this boot, next to what is true now.
 *
 * A decision is that of the record, not one that would be made now. A device that the daemon has
 * kept out, because it lies outside the boot map, is in devdax mode since then. A decision made now
 * would have that mode as its reason.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/memory/facts.h"
#include "tdxo/memory/rejected.h"
#include "tdxo/policy/guard.h"
#include "tdxo/record/history.h"
#include "tdxo/tdx/state.h"

struct device_status {
	struct device device;		   /* as it is now, or as it was recorded */
	const struct history_entry *entry; /* borrowed; NULL: no decision is recorded */
	struct block_count blocks;
	uint64_t missing;     /* whole blocks that kmem has and that are not in the kernel */
	uint64_t stranded;    /* bytes in blocks that are offline or missing */
	enum answer expected; /* of the kernel now; ANSWER_NONE: not known */
	bool changed;	      /* by another program since the decision */
	bool disagrees;	      /* the answer of the kernel was not the expected one */
};

/* The daemon and one of the switches of the guard. */
enum switch_use {
	SWITCH_MISSING, /* the kernel does not have it, or it cannot be read */
	SWITCH_FREE,
	SWITCH_HELD,
	SWITCH_CHANGED,	 /* held, and another program has changed it */
	SWITCH_GIVEN_UP, /* not held any more, because other programs changed it too often */
	SWITCH_USE_MAX,
};

struct switch_status {
	const char *name;
	const char *path;
	enum switch_use use;
	char now[SYSFS_NAME]; /* what it reads; empty: SWITCH_MISSING */
	const char *was;      /* what it read before it was held; "": it is not */
	unsigned int changes; /* by other programs since the start of the daemon */
};

/* All texts and lists are borrowed, except the devices. */
struct status {
	bool captured; /* a captured tree: there is no daemon that could run */
	uint64_t pid;  /* of the daemon; 0: it does not run */
	bool ran;      /* there is a state file of this boot */
	bool observe;  /* Act=no is in effect */
	uint64_t last_look, events, overflows, disagreements;

	const struct tdx *tdx;
	struct switch_status guard[GUARD_SWITCHES];

	const char *const *files; /* of the configuration in effect */
	size_t n_files;
	const char *mistake;	 /* of the configuration that the daemon did not use, or NULL */
	const char *mistake_now; /* of the files as they are now, or NULL */
	bool unusable;		 /* there is no other configuration, so nothing is decided */
	bool outdated;		 /* the files have changed since the daemon read them */

	struct device_status *devices; /* by ascending address, those without one last */
	size_t n_devices;
	const struct rejections *rejected;

	const char **unread; /* what could not be read, and why */
	size_t n_unread;
	size_t n_unread_own; /* the first of them: files of this program */
};

#define STATUS_TEXT 512

/*
 * The status of a device by its facts, whose device it takes over, and by its entry, or NULL. The
 * second is for a device of which only the entry is known: 0 or -ENOMEM.
 */
struct device_status device_status_of(struct facts *facts, const struct history_entry *entry);
int device_status_recorded(
	const struct history_entry *entry, struct device_status *ret_status) MUST_CHECK;

/* Add a device and take it over. 0 or -ENOMEM, and then it is freed. */
int status_add(struct status *status, struct device_status *device) MUST_CHECK;
void status_sort(struct status *status);
void status_done(struct status *status);

/* The result of the decision: "undecided" without one, "changed" if it does not hold. */
const char *device_status_result(const struct device_status *status);

uint64_t status_stranded(const struct status *status);

/* The name of a device, or its first address; "" if none is known. Returns buf. */
const char *device_status_name(const struct device_status *status, char buf[SYSFS_NAME]);

/* A sentence about what to do next, with the command for it; false: nothing needs attention. */
bool status_append_next(struct strbuf *text, const struct status *status);

/* By what it reads, by what the daemon sets it to, and by what it read before. */
enum switch_use switch_use_of(const struct switch_status *status, const char *held, bool given_up);

const char *switch_use_to_string(enum switch_use use);
