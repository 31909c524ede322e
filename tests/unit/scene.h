/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenes: the space of all inputs of policy and plan, one point at a time.
 *
 * A scene is one device with a range of eight blocks, [8 GiB, 9 GiB), the host, the configuration
 * and a rule: a number for each dimension. The dimensions of the device come first and those of the
 * rule last, because a walk changes the last one most often and builds only what has changed. The
 * whole space is too large for one walk. So a walk takes all values of some dimensions, and the
 * others from a base; scene_sample() takes random scenes from the whole space.
 */
#pragma once

#include "tdxo/policy/config.h"
#include "tdxo/policy/policy.h"
#include "tests/unit/fixture.h"
#include "tests/unit/verdicts.h"

#define SCENE_START (8 * GIB)
#define SCENE_END   (9 * GIB)
#define SECOND	    ((struct range){16 * GIB, 17 * GIB}) /* a second range of the device */

/* Unknown facts of a dax device. */
enum fault {
	FAULT_NONE,
	FAULT_UNREADABLE, /* its addresses: it has a size and no ranges */
	FAULT_NO_NODE,
	FAULT_BOTH,
	FAULT_MAX,
};

enum place {
	PLACE_OUTSIDE,
	PLACE_INSIDE,
	PLACE_STRADDLES, /* the first half was RAM at boot */
	PLACE_ACROSS,	 /* all of it was RAM at boot; a block lies across two regions */
	PLACE_CLAIMED,	 /* firmware lists it as RAM; for a dax device it is not asserted */
	PLACE_UNKNOWN,	 /* no boot map */
	PLACE_MAX,
};

enum presence {
	PRESENCE_NONE, /* no blocks */
	PRESENCE_OFFLINE,
	PRESENCE_ONLINE,
	PRESENCE_ONE_ONLINE,
	PRESENCE_ONE_GOING, /* one block is going offline, which may fail */
	PRESENCE_ONE_UNREAD,
	PRESENCE_TOO_SMALL, /* a part of the first block */
	PRESENCE_MAX,
};

enum second {
	SECOND_NONE,
	SECOND_OUTSIDE,
	SECOND_INSIDE,
	SECOND_ONE_ONLINE, /* inside, with blocks, one of which is online */
	SECOND_ONE_UNREAD,
	SECOND_MAX,
};

enum head {
	HEAD_UNKNOWN,
	HEAD_PLENTY,
	HEAD_DEVDAX, /* enough for the page metadata of a devdax device */
	HEAD_NONE,
	HEAD_MAX,
};

enum ratio {
	RATIO_ADVICE, /* allowed by the kernel's advice */
	RATIO_NO_ADVICE,
	RATIO_OWN, /* allowed by the configuration, against the advice */
	RATIO_NOT_OWN,
	RATIO_MAX,
};

/* Why a device has no blocks. */
enum left {
	LEFT_NOT,
	LEFT_HALF_DONE, /* the daemon has begun with it */
	LEFT_UNPLUGGED,
	LEFT_UNPLUGGED_HALF_DONE,
	LEFT_MAX,
};

enum asks {
	ASKS_NO_RULES,
	ASKS_NO_MATCH,
	ASKS_NO_VERDICT,
	ASKS_VERDICT, /* one value for each verdict */
	ASKS_MAX = ASKS_VERDICT + VERDICT_MAX,
};

#define ASKS(verdict) (ASKS_VERDICT + (int)VERDICT_##verdict)

/* The dimensions and their numbers of values. */
#define SCENE_DEVICE(X)                                                                            \
	X(type, TYPE_MAX)                                                                          \
	X(dax, 2)                                                                                  \
	X(created, 2)                                                                              \
	X(driver, DAX_DRIVER_MAX)                                                                  \
	X(fault, FAULT_MAX)                                                                        \
	X(place, PLACE_MAX)                                                                        \
	X(presence, PRESENCE_MAX)                                                                  \
	X(second, SECOND_MAX)
#define SCENE_HOST(X)                                                                              \
	X(tdx, TDX_STATE_MAX)                                                                      \
	X(guarded, 2)                                                                              \
	X(guard, GUARD_MODE_MAX)                                                                   \
	X(auto_online, AUTO_ONLINE_MAX)                                                            \
	X(auto_online_held, 2)                                                                     \
	X(use, 3)                                                                                  \
	X(head, HEAD_MAX)                                                                          \
	X(small_pages, 2)                                                                          \
	X(itself, 2)                                                                               \
	X(ratio, RATIO_MAX)                                                                        \
	X(present, 2)                                                                              \
	X(may_present, PRESENT_MAX)                                                                \
	X(observe, 2)                                                                              \
	X(left, LEFT_MAX)
#define SCENE_RULE(X)                                                                              \
	X(zone, ZONE_MAX)                                                                          \
	X(on_failure, ON_FAILURE_MAX)                                                              \
	X(match_present, 2)                                                                        \
	X(convert, 2)                                                                              \
	X(offline, 2)                                                                              \
	X(asks, ASKS_MAX)
#define SCENE_ALL(X) SCENE_DEVICE(X) SCENE_HOST(X) SCENE_RULE(X)

#define SCENE_MEMBER(name, n) unsigned int name;
#define SCENE_ONE(name, n)    +1
#define SCENE_NAME(name, n)   #name,
#define SCENE_VALUES(name, n) .name = (n),

enum {
	SCENE_DEVICE_N = 0 SCENE_DEVICE(SCENE_ONE),
	SCENE_RULE_AT = SCENE_DEVICE_N SCENE_HOST(SCENE_ONE),
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

/* Fail, and print all values of the scene that are not zero. */
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

static inline bool scene_is_unreadable(const struct scene *scene)
{
	return scene->fault == FAULT_UNREADABLE || scene->fault == FAULT_BOTH;
}

static inline bool scene_has_no_node(const struct scene *scene)
{
	return scene->fault == FAULT_NO_NODE || scene->fault == FAULT_BOTH;
}

/*
 * A scene and the objects built from it. It owns them, and they refer to it: it must not be moved.
 */
struct stage {
	struct scene scene;
	struct boot_map boot_map;
	struct facts facts;
	struct config config;
	struct rule rule;
};

/* TDX accepts a dax device only if the configuration asserts it. */
static inline void stage_add_place(struct stage *stage)
{
	const uint64_t middle = SCENE_START + 4 * BLOCK, odd = middle + BLOCK / 2;
	enum place place = stage->scene.place;
	enum boot_source source = stage->scene.dax && place != PLACE_CLAIMED
					  ? BOOT_SOURCE_CONFIGURATION
					  : BOOT_SOURCE_BOOT_PARAMS;
	struct boot_map *map = &stage->boot_map;

	map->known = place != PLACE_UNKNOWN;
	if (place != PLACE_UNKNOWN)
		add_region(map, span(MIB, 4 * GIB), BOOT_SOURCE_BOOT_PARAMS);
	if (place == PLACE_STRADDLES)
		add_region(map, span(SCENE_START, middle), source);
	if (place == PLACE_ACROSS) {
		add_region(map, span(SCENE_START, odd), source);
		add_region(map, span(odd, SCENE_END), source);
	}
	if (place == PLACE_INSIDE || place == PLACE_CLAIMED)
		add_region(map, span(SCENE_START, SCENE_END), source);
	if (stage->scene.second > SECOND_OUTSIDE)
		add_region(map, SECOND, BOOT_SOURCE_CONFIGURATION);
}

static inline void stage_add_blocks(struct stage *stage)
{
	static const enum block_state odd_one[] = {
		[PRESENCE_ONE_ONLINE] = BLOCK_ONLINE,
		[PRESENCE_ONE_GOING] = BLOCK_GOING_OFFLINE,
		[PRESENCE_ONE_UNREAD] = BLOCK_UNREAD,
	};
	enum presence presence = stage->scene.presence;
	struct blocks *blocks = &stage->facts.blocks;

	if (presence != PRESENCE_NONE && presence != PRESENCE_TOO_SMALL)
		add_blocks(blocks, span(SCENE_START, SCENE_END),
			presence == PRESENCE_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE);
	if (presence > PRESENCE_ONLINE && presence < PRESENCE_TOO_SMALL)
		set_block(blocks, SCENE_START / BLOCK + 3, odd_one[presence]);
	if (stage->scene.second < SECOND_ONE_ONLINE)
		return;
	add_blocks(blocks, SECOND, BLOCK_OFFLINE);
	set_block(blocks, SECOND.start / BLOCK,
		stage->scene.second == SECOND_ONE_ONLINE ? BLOCK_ONLINE : BLOCK_UNREAD);
}

static inline void stage_add_device(struct stage *stage)
{
	const struct scene *scene = &stage->scene;
	struct device *device = &stage->facts.device;

	*device = device_of(!scene->dax ? "" : scene->created ? "dax0.1" : "dax0.0", scene->type);
	device->driver = scene->driver;
	if (scene_has_no_node(scene))
		device->node = NODE_UNKNOWN;
	stage_add_place(stage);
	if (scene_is_unreadable(scene)) {
		device->size = SCENE_END - SCENE_START;
		return;
	}
	add_mapping(device, scene->presence == PRESENCE_TOO_SMALL
				    ? span(SCENE_START + MIB, SCENE_START + BLOCK)
				    : span(SCENE_START, SCENE_END));
	if (scene->second)
		add_mapping(device, SECOND);
	stage_add_blocks(stage);
}

/*
 * The device needs 16 MiB of page metadata for each GiB, or 4 MiB as a devdax device with large
 * pages. Its one or two GiB, if movable, make 25 % to 38 % of kernel memory movable.
 */
static inline void stage_set_host(struct stage *stage)
{
	static const uint64_t spare[] = {
		[HEAD_UNKNOWN] = 0, [HEAD_PLENTY] = GIB, [HEAD_DEVDAX] = 8 * MIB, [HEAD_NONE] = 0};
	const struct scene *scene = &stage->scene;
	struct facts *facts = &stage->facts;

	facts->block_size = BLOCK;
	facts->boot_map = &stage->boot_map;
	facts->tdx.state = scene->tdx;
	facts->guarded = scene->guarded;
	facts->auto_online = scene->auto_online;
	facts->auto_online_held = scene->auto_online_held;
	facts->devdax_use = scene->use;
	facts->map_on_itself = scene->itself;
	facts->align = !scene->dax ? 0 : scene->small_pages ? 4 * KIB : 2 * MIB;
	facts->zones = (struct zoneinfo){
		.known = scene->head != HEAD_UNKNOWN,
		.kernel = 16 * GIB,
		.movable = 4 * GIB,
		.spare = spare[scene->head],
	};
	facts->movable_advice =
		scene->ratio == RATIO_ADVICE || scene->ratio == RATIO_NOT_OWN ? 301 : 20;
	facts->device.present = scene->present;
	facts->half_done = scene->left == LEFT_HALF_DONE || scene->left == LEFT_UNPLUGGED_HALF_DONE;
	facts->unplugged = scene->left >= LEFT_UNPLUGGED;
	stage->config.movable_ratio = scene->ratio == RATIO_OWN	      ? 50
				      : scene->ratio == RATIO_NOT_OWN ? 10
								      : MOVABLE_RATIO_KERNEL;
	stage->config.present = scene->may_present;
	stage->config.observe = scene->observe;
	stage->config.guard = scene->guard;
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
	facts_done(&stage->facts);
	boot_map_done(&stage->boot_map);
	*stage = (struct stage){0};
}

/* Build a scene. A stage of zeros is valid. */
static inline void stage_set(struct stage *stage, const struct scene *scene)
{
	size_t kept = sizeof(scene->at[0]) * SCENE_DEVICE_N;

	if (!stage->facts.block_size || memcmp(stage->scene.at, scene->at, kept) != 0) {
		stage_done(stage);
		stage->scene = *scene;
		stage_add_device(stage);
	}
	stage->scene = *scene;
	stage_set_host(stage);
	stage_set_rule(stage);
}

static inline struct decision stage_decide(const struct stage *stage)
{
	const struct decision decision = policy_decide(&stage->config, &stage->facts);

	assert_true(reason_fits(decision.reason, decision.verdict));
	assert_true(reason_has_text(decision.reason, &stage->facts.device));
	return decision;
}

/*
 * Facts of a dax device do not exist without one, a device without known addresses has no blocks,
 * and only kmem can unplug a device, as a whole.
 */
static inline bool scene_exists(const struct scene *s)
{
	if (!s->dax &&
		(s->created || s->driver || s->fault || s->second || s->itself || s->small_pages))
		return false;
	if (s->left >= LEFT_UNPLUGGED &&
		(s->driver != DAX_DRIVER_KMEM || s->presence || s->second > SECOND_INSIDE))
		return false;
	return !scene_is_unreadable(s) || (!s->second && !s->presence);
}

typedef void (*scene_check)(struct stage *stage);

/*
 * All scenes with `values` values in each dimension; a dimension with 0 has the value of the base.
 */
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

/* n random scenes. */
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
