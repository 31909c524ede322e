/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenes: the whole space of what policy and plan can meet, one point of it at a time.
 *
 * A scene is one range of eight blocks, [8 GiB, 9 GiB), its device, the host around it, and the
 * words of the administrator: a number for each dimension. Those of the range come first and
 * those of the rule last, because a walk turns the last one fastest and builds only what has
 * changed. The space is far too large for one walk. So there are walks of all values of some
 * dimensions, the others being as in a base; and samples of everything.
 */
#pragma once

#include "tdxo/memory/arrival.h"
#include "tdxo/policy/config.h"
#include "tdxo/policy/policy.h"
#include "tests/unit/fixture.h"

#define SCENE_START (8 * GIB)
#define SCENE_END   (9 * GIB)
#define SECOND	    ((struct range){16 * GIB, 17 * GIB}) /* a second mapping of the device */

enum place {
	PLACE_OUTSIDE,
	PLACE_INSIDE,
	PLACE_STRADDLES, /* its first half was there at boot */
	PLACE_ACROSS,	 /* all of it was, but a block lies across two regions */
	PLACE_CLAIMED,	 /* firmware calls it RAM, and it is not asserted to be capable */
	PLACE_UNKNOWN,	 /* no boot map */
	PLACE_MAX,
};

enum presence {
	PRESENCE_NONE, /* not a block */
	PRESENCE_OFFLINE,
	PRESENCE_ONLINE,
	PRESENCE_ONE_ONLINE,
	PRESENCE_ONE_GOING, /* one block is on its way offline, and may come back online */
	PRESENCE_ONE_UNREAD,
	PRESENCE_TOO_SMALL, /* the range is only a part of its first block, without edges */
	PRESENCE_MAX,
};

enum second {
	SECOND_NONE,
	SECOND_OUTSIDE,
	SECOND_INSIDE,
	SECOND_ONE_ONLINE, /* inside, with blocks, one of them online */
	SECOND_ONE_UNREAD,
	SECOND_MAX,
};

enum head {
	HEAD_UNKNOWN,
	HEAD_PLENTY,
	HEAD_DEVDAX, /* enough for the memory map of a devdax device */
	HEAD_NONE,
	HEAD_MAX,
};

enum ratio {
	RATIO_ADVICE, /* movable memory is allowed by the kernel's advice */
	RATIO_NO_ADVICE,
	RATIO_OWN, /* by the configuration, against the advice */
	RATIO_NOT_OWN,
	RATIO_MAX,
};

enum asks {
	ASKS_NO_RULES,
	ASKS_NO_MATCH,
	ASKS_NO_VERDICT,
	ASKS_VERDICT, /* and so on for each verdict */
	ASKS_MAX = ASKS_VERDICT + VERDICT_MAX,
};

#define ASKS(verdict) (ASKS_VERDICT + (int)VERDICT_##verdict)

/* Each dimension, and how many values it has. */
#define SCENE_RANGE(X)                                                                             \
	X(type, TYPE_MAX)                                                                          \
	X(dax, 2)                                                                                  \
	X(driver, DAX_DRIVER_MAX)                                                                  \
	X(fault, FAULT_MAX)                                                                        \
	X(place, PLACE_MAX)                                                                        \
	X(presence, PRESENCE_MAX)                                                                  \
	X(second, SECOND_MAX)
#define SCENE_HOST(X)                                                                              \
	X(tdx, TDX_STATE_MAX)                                                                      \
	X(guarded, 2)                                                                              \
	X(use, 3)                                                                                  \
	X(head, HEAD_MAX)                                                                          \
	X(small_pages, 2)                                                                          \
	X(itself, 2)                                                                               \
	X(ratio, RATIO_MAX)                                                                        \
	X(present, 2)                                                                              \
	X(may_present, PRESENT_MAX)                                                                \
	X(observe, 2)
#define SCENE_RULE(X)                                                                              \
	X(zone, ZONE_MAX)                                                                          \
	X(on_failure, ON_FAILURE_MAX)                                                              \
	X(match_present, 2)                                                                        \
	X(convert, 2)                                                                              \
	X(offline, 2)                                                                              \
	X(asks, ASKS_MAX)
#define SCENE_ALL(X) SCENE_RANGE(X) SCENE_HOST(X) SCENE_RULE(X)

#define SCENE_MEMBER(name, n) unsigned int name;
#define SCENE_ONE(name, n)    +1
#define SCENE_NAME(name, n)   #name,
#define SCENE_VALUES(name, n) .name = (n),

enum {
	SCENE_RANGE_N = 0 SCENE_RANGE(SCENE_ONE),
	SCENE_RULE_AT = SCENE_RANGE_N SCENE_HOST(SCENE_ONE),
	SCENE_N = SCENE_RULE_AT SCENE_RULE(SCENE_ONE),
};

struct scene {
	union {
		struct {
			SCENE_ALL(SCENE_MEMBER)
		};
		unsigned int at[SCENE_N];
	};
};

static const struct scene scene_values = {SCENE_ALL(SCENE_VALUES)};

/* Fail, with all of the scene that is not zero. */
static inline void fail_scene(const struct scene *scene, const char *what)
{
	static const char *const names[] = {SCENE_ALL(SCENE_NAME)};

	print_error("%s:", what);
	for (size_t i = 0; i < SCENE_N; i++)
		if (scene->at[i])
			print_error(" %s %u", names[i], scene->at[i]);
	print_error("\n");
	fail();
}

/* A scene that is set up; all of it belongs to the stage. */
struct stage {
	struct scene scene;
	struct snapshot snapshot;
	struct arrival arrival, second;
	struct config config;
	struct rule rule;
};

/* Only the configuration can say of a dax device that TDX accepts it. */
static inline void stage_add_place(struct stage *stage)
{
	const uint64_t middle = SCENE_START + 4 * BLOCK, odd = middle + BLOCK / 2;
	enum place place = stage->scene.place;
	enum boot_source source = stage->scene.dax && place != PLACE_CLAIMED
					  ? BOOT_SOURCE_CONFIGURATION
					  : BOOT_SOURCE_BOOT_PARAMS;

	stage->snapshot.boot_map.known = place != PLACE_UNKNOWN;
	if (place != PLACE_UNKNOWN)
		add_region(&stage->snapshot, span(MIB, 4 * GIB), BOOT_SOURCE_BOOT_PARAMS);
	if (place == PLACE_STRADDLES)
		add_region(&stage->snapshot, span(SCENE_START, middle), source);
	if (place == PLACE_ACROSS) {
		add_region(&stage->snapshot, span(SCENE_START, odd), source);
		add_region(&stage->snapshot, span(odd, SCENE_END), source);
	}
	if (place == PLACE_INSIDE || place == PLACE_CLAIMED)
		add_region(&stage->snapshot, span(SCENE_START, SCENE_END), source);
	if (stage->scene.second > SECOND_OUTSIDE)
		add_region(&stage->snapshot, SECOND, BOOT_SOURCE_CONFIGURATION);
}

static inline void stage_add_blocks(struct stage *stage)
{
	static const enum block_state odd_one[] = {
		[PRESENCE_ONE_ONLINE] = BLOCK_ONLINE,
		[PRESENCE_ONE_GOING] = BLOCK_GOING_OFFLINE,
		[PRESENCE_ONE_UNREAD] = BLOCK_UNREAD,
	};
	enum presence presence = stage->scene.presence;
	struct blocks *blocks = &stage->snapshot.blocks;

	if (presence != PRESENCE_NONE && presence != PRESENCE_TOO_SMALL)
		add_blocks(&stage->snapshot, span(SCENE_START, SCENE_END),
			presence == PRESENCE_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE);
	if (presence > PRESENCE_ONLINE && presence < PRESENCE_TOO_SMALL)
		blocks_find(blocks, SCENE_START / BLOCK + 3)->state = odd_one[presence];
	if (stage->scene.second < SECOND_ONE_ONLINE)
		return;
	add_blocks(&stage->snapshot, SECOND, BLOCK_OFFLINE);
	blocks_find(blocks, SECOND.start / BLOCK)->state =
		stage->scene.second == SECOND_ONE_ONLINE ? BLOCK_ONLINE : BLOCK_UNREAD;
}

static inline void stage_add_device(struct stage *stage)
{
	struct arrival *arrival = &stage->arrival;
	struct dax_device *dax = add_dax(&stage->snapshot, "dax0.0", arrival->type);

	dax->driver = arrival->driver;
	dax->target_node = arrival->node;
	dax->size = arrival->size;
	snprintf(arrival->device, sizeof(arrival->device), "dax0.0");
	if (arrival->fault == FAULT_UNREADABLE)
		return;
	dax->size = 0;
	add_mapping(dax, arrival->range);
	stage->second = *arrival;
	stage->second.range = SECOND;
	stage->second.size = range_size(SECOND);
	if (stage->scene.second)
		add_mapping(dax, SECOND);
}

static inline void stage_add_range(struct stage *stage)
{
	const struct scene *scene = &stage->scene;
	struct range range = scene->presence == PRESENCE_TOO_SMALL
				     ? span(SCENE_START + MIB, SCENE_START + BLOCK)
				     : span(SCENE_START, SCENE_END);

	stage->arrival = (struct arrival){
		.range = scene->fault == FAULT_UNREADABLE ? span(0, 0) : range,
		.size = range_size(range),
		.type = scene->type,
		.fault = scene->fault,
		.driver = scene->driver,
		.node = scene->dax && scene->fault != FAULT_NO_NODE ? 1 : NODE_UNKNOWN,
	};
	stage_add_place(stage);
	stage_add_blocks(stage);
	if (scene->dax)
		stage_add_device(stage);
}

/*
 * All of the device costs 16 MiB of memory map for each GiB, or 4 MiB as a devdax device, if
 * that is not mapped by small pages. Its one or two GiB make 25 % to 38 % of kernel memory movable.
 */
static inline void stage_set_host(struct stage *stage)
{
	static const uint64_t spare[] = {
		[HEAD_UNKNOWN] = 0, [HEAD_PLENTY] = GIB, [HEAD_DEVDAX] = 8 * MIB, [HEAD_NONE] = 0};
	const struct scene *scene = &stage->scene;
	struct snapshot *snapshot = &stage->snapshot;

	snapshot->tdx.state = scene->tdx;
	snapshot->dax_autoprobe = scene->guarded ? DAX_AUTOPROBE_OFF : DAX_AUTOPROBE_ON;
	snapshot->devdax_use = scene->use;
	snapshot->zones = (struct zoneinfo){
		.known = scene->head != HEAD_UNKNOWN,
		.kernel = 16 * GIB,
		.movable = 4 * GIB,
		.spare = spare[scene->head],
	};
	snapshot->movable_advice =
		scene->ratio == RATIO_ADVICE || scene->ratio == RATIO_NOT_OWN ? 301 : 20;
	stage->config.movable_ratio = scene->ratio == RATIO_OWN	      ? 50
				      : scene->ratio == RATIO_NOT_OWN ? 10
								      : MOVABLE_RATIO_KERNEL;
	stage->arrival.present = stage->second.present = scene->present;
	stage->config.present = scene->may_present;
	stage->config.observe = scene->observe;
	if (!snapshot->n_dax)
		return;
	snapshot->dax[0].map_on_itself = scene->itself;
	snapshot->dax[0].align = scene->small_pages ? 4 * KIB : 2 * MIB;
}

static inline void stage_set_rule(struct stage *stage)
{
	static char any[] = "*", other[] = "dax9.*", yes[] = "yes", no[] = "no";
	const struct scene *scene = &stage->scene;
	struct rule *rule = &stage->rule;

	stage->config.rules = rule;
	stage->config.n_rules = scene->asks != ASKS_NO_RULES;
	strcpy(rule->name, "10-it.rule");
	rule->match[MATCH_TYPE] = any;
	rule->match[MATCH_DEVICE] = scene->asks == ASKS_NO_MATCH ? other : NULL;
	rule->match[MATCH_PRESENT] = !scene->match_present ? NULL : scene->present ? yes : no;
	rule->has_verdict = scene->asks >= ASKS_VERDICT;
	rule->verdict = rule->has_verdict ? scene->asks - ASKS_VERDICT : VERDICT_ONLINE;
	rule->zone = scene->zone;
	rule->on_failure = scene->on_failure;
	rule->convert_devdax = scene->convert;
	rule->offline_blocks = scene->offline;
}

static inline void stage_done(struct stage *stage)
{
	snapshot_done(&stage->snapshot);
	*stage = (struct stage){0};
}

/* Set up a scene; a stage that is all zero is a stage. */
static inline void stage_set(struct stage *stage, const struct scene *scene)
{
	size_t kept = sizeof(scene->at[0]) * SCENE_RANGE_N;

	if (!stage->snapshot.block_size || memcmp(stage->scene.at, scene->at, kept) != 0) {
		stage_done(stage);
		stage->snapshot.block_size = BLOCK;
		stage->scene = *scene;
		stage_add_range(stage);
	}
	stage->scene = *scene;
	stage_set_host(stage);
	stage_set_rule(stage);
}

static inline struct decision stage_decide(const struct stage *stage)
{
	const struct decision decision =
		policy_decide(&stage->config, &stage->snapshot, &stage->arrival);

	/* The catalog has the reason in the entry of this verdict. */
	assert_true(reason_has_verdict(decision.reason, decision.verdict));
	return decision;
}

/* What is only of a dax device is not there without one. */
static inline bool scene_exists(const struct scene *s)
{
	if (!s->dax && (s->driver || s->fault || s->second || s->itself || s->small_pages))
		return false;
	return s->fault != FAULT_UNREADABLE || !s->second;
}

typedef void (*scene_check)(struct stage *stage);

/* All scenes with so many values in each dimension; where 0 is given, as the base has it. */
static inline void scene_each(
	const struct scene *base, const struct scene *values, scene_check check)
{
	struct stage stage = {0};
	struct scene scene = *base;
	size_t i;

	do {
		if (scene_exists(&scene)) {
			stage_set(&stage, &scene);
			check(&stage);
		}
		for (i = SCENE_N; i > 0; i--) {
			if (++scene.at[i - 1] < base->at[i - 1] + values->at[i - 1])
				break;
			scene.at[i - 1] = base->at[i - 1];
		}
	} while (i);
	stage_done(&stage);
}

/* So many scenes from anywhere. */
static inline void scene_sample(int n, uint64_t seed, scene_check check)
{
	struct stage stage = {0};

	while (n > 0) {
		struct scene scene;

		for (size_t i = 0; i < SCENE_N; i++)
			scene.at[i] = (unsigned int)below(&seed, scene_values.at[i]);
		if (!scene_exists(&scene))
			continue;
		stage_set(&stage, &scene);
		check(&stage);
		n--;
	}
	stage_done(&stage);
}
