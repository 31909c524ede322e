/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy: what is to be done with a device, and why.
 *
 * policy_decide() is a pure function. It is total: every device gets a verdict. Memory that
 * TDX would refuse is never given to the page allocator; what is in doubt is left as it is.
 * A rule may ask for less than the facts allow, never for more.
 */
#pragma once

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/memory/boot_map.h"
#include "tdxo/memory/facts.h"
#include "tdxo/policy/config.h"
#include "tdxo/policy/reason.h"
#include "tdxo/policy/rule.h"
#include "tdxo/tdx/state.h"

/* Why a decision is only recorded, and nothing is done. */
enum withheld {
	WITHHELD_NOT,
	WITHHELD_OBSERVE, /* Act=no */
	WITHHELD_PRESENT, /* Present=, and it was there before the first start */
	WITHHELD_MAX,
};

/* How the kernel takes memory that is to go online. */
enum answer {
	ANSWER_NONE, /* not known, or no block was tried */
	ANSWER_ACCEPTS,
	ANSWER_REFUSES,
	ANSWER_MAX,
};

struct decision {
	enum verdict verdict;
	enum reason reason;
	enum zone zone;
	enum boot_source source; /* what says that it was there at boot */
	bool across; /* it straddles because a block lies across two ranges of the boot map */
	enum answer expected; /* of the kernel, for any verdict */

	char rule[RULE_NAME]; /* the rule that matched; empty: none did */
	bool unmatched;	      /* there are rules, but none matched */
	bool overruled;	      /* the rule asked for more than there was to have */
	enum verdict asked;   /* what it asked for, if it is overruled */
	enum on_failure on_failure;
	bool offline_blocks; /* blocks that are online may go offline for this verdict */
	struct access access;
	enum withheld withheld;

	bool zone_overruled;	/* a rule asked for movable, and the ratio forbids it */
	uint64_t movable_ratio; /* what movable makes, or would make, the ratio; 0: not asked */
	uint64_t map_needed; /* bytes of memory map that it, or what was denied, costs; 0: none */
	uint64_t map_spare;  /* bytes that the kernel's zones can spare for it */
};

struct decision policy_decide(const struct config *config, const struct facts *facts);

/*
 * Was one range of the device there at boot? A dax device never was, unless the
 * configuration asserts it. ret_source as of boot_map_contains().
 */
enum containment policy_containment(
	const struct facts *facts, struct range range, enum boot_source *ret_source);

/* Is TDX not absent, and does it not accept all of the range? */
bool policy_refuses(const struct facts *facts, struct range range);

/*
 * What the kernel is expected to answer. That is by the TDX state as found: the configuration may
 * make another one of it, but does not make the kernel refuse, or accept.
 */
enum answer policy_expects(const struct facts *facts);

/*
 * The decision after what policy_decide() allowed came to nothing and has been undone; the
 * reason is REASON_KERNEL_REFUSED or REASON_ROLLED_BACK.
 */
struct decision policy_undone(
	const struct decision *was, const struct device *device, enum reason reason);

/* Is what has been done to be undone, after the kernel has refused or failed? */
bool policy_rolls_back(const struct decision *decision, const struct device *device, bool refused);

/*
 * Append why, without a full stop, with the values that the decision rests on: the TDX state as it
 * is now, and of the range the part that TDX accepts.
 */
void decision_append_clause(struct strbuf *text, const struct decision *decision,
	const struct facts *facts, struct range range);

const char *answer_to_string(enum answer answer); /* NULL for ANSWER_NONE */
int answer_from_string(const char *text, enum answer *ret_answer) MUST_CHECK;
const char *withheld_to_string(enum withheld withheld); /* NULL for WITHHELD_NOT */
