/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration: what the administrator said, and the default of what he did not.
 *
 * Every key is in one table, with its default and what it wants. The default of every key is
 * safe on a host of any kind.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/policy/rule.h"
#include "tdxo/tdx/state.h"

/* What may be done with devices that were there before the first start of this boot. */
enum present {
	PRESENT_SAFE,	/* what can be undone, with memory that no program uses */
	PRESENT_ACT,	/* the same as with any other */
	PRESENT_RECORD, /* nothing */
	PRESENT_MAX,
};

/* When the daemon holds switches of the kernel: see tdxo/policy/guard.h. */
enum guard_mode {
	GUARD_MODE_AUTO, /* while TDX may refuse memory, or for the rules */
	GUARD_MODE_ALWAYS,
	GUARD_MODE_NEVER,
	GUARD_MODE_MAX,
};

#define MOVABLE_RATIO_KERNEL UINT64_MAX /* as the kernel advises */

struct config {
	bool observe; /* Act=no */
	enum tdx_mode tdx;
	enum guard_mode guard;
	struct range_set capable; /* windows asserted to be TDX memory */
	enum present present;
	uint64_t movable_ratio;	  /* percent of kernel memory that may be movable */
	uint64_t offline_timeout; /* seconds for a block; at least 1 */
	struct rule *rules;	  /* the first that matches counts */
	size_t n_rules;
};

/* The keys of tdx-onlined.conf, in the order of the manual page. */
enum config_key {
	CONFIG_ACT,
	CONFIG_TDX,
	CONFIG_GUARD,
	CONFIG_CAPABLE_RANGES,
	CONFIG_PRESENT,
	CONFIG_MAX_MOVABLE_RATIO,
	CONFIG_OFFLINE_TIMEOUT,
	CONFIG_KEYS,
};

#define CONFIG_SECTION "Daemon"

/* All defaults, no rules. */
void config_init(struct config *config);
void config_done(struct config *config);

/* The key of a name. 0, or -ENOKEY. */
int config_find_key(const char *name, enum config_key *ret_key) MUST_CHECK;

/*
 * Set a key; an empty value is its default. 0; 1: the value holds two ranges that overlap;
 * -EINVAL: the value is bad, and the key is as it was; -ENOMEM.
 */
int config_set(struct config *config, enum config_key key, const char *value) MUST_CHECK;

/* Add a rule after those that are there, and take it over: *rule is empty then. 0 or -ENOMEM. */
int config_add_rule(struct config *config, struct rule *rule) MUST_CHECK;

/* The first rule that matches, or NULL. */
const struct rule *config_find_rule(const struct config *config, const struct facts *facts);

const char *config_key_name(enum config_key key);
const char *config_key_default(enum config_key key);
const char *config_key_wanted(enum config_key key);
