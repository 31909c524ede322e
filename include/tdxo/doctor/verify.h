/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparisons of verify: what the program expects, and what the kernel shows or answers.
 *
 * The edge gathers what is there and onlines memory blocks as a trial; which blocks, and what is
 * expected of each, is decided here, and so is whether it was as expected.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/memory/facts.h"
#include "tdxo/memory/snapshot.h"
#include "tdxo/policy/config.h"
#include "tdxo/policy/policy.h"
#include "tdxo/record/history.h"

enum verify_check {
	VERIFY_TDX_STATE,
	VERIFY_TDX_SOURCE,
	VERIFY_BOOT_MAP,
	VERIFY_BOOT_MEMORY,	/* the boot map has its memory blocks */
	VERIFY_ONLINE_MEMORY,	/* no other memory is online */
	VERIFY_GUARD,		/* its switches */
	VERIFY_RECORDED_ANSWER, /* what the kernel has answered the daemon */
	VERIFY_CAPABLE_RANGES,	/* what the kernel has answered to memory in a window */
	VERIFY_MEMORY_BLOCK,	/* what the kernel answers now */
	VERIFY_CHECK_MAX,
};

enum verify_result {
	VERIFY_AGREES,
	VERIFY_DIFFERS,
	VERIFY_NOT_COMPARED,
	VERIFY_RESULT_MAX,
};

#define VERIFY_TEXT 192

struct comparison {
	enum verify_check check;
	enum verify_result result;
	char subject[VERIFY_TEXT];
	char expected[VERIFY_TEXT];
	char found[VERIFY_TEXT]; /* or why it is not compared */
};

struct comparisons {
	struct comparison *items; /* in the order of the checks */
	size_t n;
};

/* A device that arrived after boot. */
struct verify_device {
	struct facts facts;
	const struct history_entry *entry; /* NULL: it has no decision */
};

/* A memory block that is onlined as a trial. */
struct trial {
	struct range range;
	const char *obstacle; /* why it is not, or NULL */
	enum answer expected;
	enum answer answer; /* ANSWER_NONE: it gave none, as it failed, or the block had changed */
	int error;	    /* of putting it online, positive */
	int stuck;	    /* of taking it offline again, positive: it is online now */
};

struct trials {
	struct trial *items;
	size_t n;
};

/* All that is compared. */
struct verify_facts {
	const struct snapshot *snapshot;
	const struct config *config; /* in effect, with the rules of the files */
	bool observe;		     /* Act=no, in effect or in the files */
	bool mistake;		     /* the files have one: no rule is known */
	bool outdated;		     /* the daemon has not read the files as they are now */
	bool captured;		     /* another root: no kernel answers */
	bool running;		     /* the daemon is */
	bool idle;		     /* and has nothing to do */
	bool older;		     /* and does not save whether it is idle */
	const struct verify_device *devices;
	size_t n_devices;
	struct trials trials; /* of verify_choose(), with their answers */
};

void comparisons_done(struct comparisons *comparisons);

/*
 * Why no memory block may be tried; NULL: they may. While TDX can still start, memory
 * that goes online can prevent that.
 */
const char *verify_obstacle(const struct verify_facts *facts);

/*
 * One offline block of each range that arrived after boot: the highest one outside the boot map, or
 * else in CapableRanges=. 0 or -ENOMEM.
 */
int verify_choose(const struct verify_facts *facts, struct trials *ret_trials) MUST_CHECK;

/* Compare. 0 or -ENOMEM. */
int verify_compare(const struct verify_facts *facts, struct comparisons *ret) MUST_CHECK;

/*
 * The version of the TDX module in a message of the kernel, "virt/tdx: Module version: 1.5.08"
 * (arch/x86/virt/vmx/tdx/tdx_global_metadata.c, 7.1); NULL: it is another message.
 */
const char *verify_module_version(const char *message);

const char *verify_check_to_string(enum verify_check check);
const char *verify_result_to_string(enum verify_result result);
