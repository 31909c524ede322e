/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenes: the whole space of what policy and plan can meet, one point of it at a time.
 *
 * A scene is one range of eight blocks, [8 GiB, 9 GiB), its carrier, and the host around it.
 */
#pragma once

#include "fixture.h"
#include "tdxo/arrival.h"
#include "tdxo/policy.h"

#define SCENE_START (8 * GIB)
#define SCENE_END   (9 * GIB)

enum place {
	PLACE_OUTSIDE,
	PLACE_STRADDLES, /* its first half was there at boot */
	PLACE_ACROSS,	 /* all of it was, but a block lies across two regions */
	PLACE_INSIDE,
	PLACE_UNKNOWN, /* no boot map */
	PLACE_MAX,
};

enum presence {
	PRESENCE_NONE, /* not a block */
	PRESENCE_OFFLINE,
	PRESENCE_ONLINE,
	PRESENCE_ONE_ONLINE,
	PRESENCE_ONE_GOING, /* one block is on its way offline, and may come back online */
	PRESENCE_ONE_UNREAD,
	PRESENCE_MAX,
};

struct scene {
	enum carrier carrier;
	bool dax;
	enum dax_driver driver;
	enum fault fault;
	enum gate_state gate;
	enum place place;
	enum presence presence;
	bool guarded;
};

/* Only the configuration can say of a dax device that TDX accepts it. */
static inline void scene_add_place(struct snapshot *snapshot, enum place place, bool dax)
{
	enum boot_source source = dax ? BOOT_SOURCE_CONFIGURATION : BOOT_SOURCE_BOOT_PARAMS;

	const uint64_t middle = SCENE_START + 4 * BLOCK, odd = middle + BLOCK / 2;

	snapshot->boot_map.known = place != PLACE_UNKNOWN;
	if (place == PLACE_UNKNOWN)
		return;
	add_region(snapshot, span(MIB, 4 * GIB), BOOT_SOURCE_BOOT_PARAMS);
	if (place == PLACE_STRADDLES)
		add_region(snapshot, span(SCENE_START, middle), source);
	if (place == PLACE_ACROSS) {
		add_region(snapshot, span(SCENE_START, odd), source);
		add_region(snapshot, span(odd, SCENE_END), source);
	}
	if (place == PLACE_INSIDE)
		add_region(snapshot, span(SCENE_START, SCENE_END), source);
}

static inline void scene_add_blocks(struct snapshot *snapshot, enum presence presence)
{
	static const enum block_state odd_one[] = {
		[PRESENCE_ONE_ONLINE] = BLOCK_ONLINE,
		[PRESENCE_ONE_GOING] = BLOCK_GOING_OFFLINE,
		[PRESENCE_ONE_UNREAD] = BLOCK_UNREAD,
	};

	if (presence == PRESENCE_NONE)
		return;
	add_blocks(snapshot, span(SCENE_START, SCENE_END),
		presence == PRESENCE_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE);
	if (presence > PRESENCE_ONLINE)
		blocks_find(&snapshot->blocks, SCENE_START / BLOCK + 3)->state = odd_one[presence];
}

static inline void scene_build(
	const struct scene *scene, struct snapshot *snapshot, struct arrival *arrival)
{
	*snapshot = (struct snapshot){.block_size = BLOCK, .gate.state = scene->gate};
	snapshot->dax_autoprobe = scene->guarded ? DAX_AUTOPROBE_OFF : DAX_AUTOPROBE_ON;
	scene_add_place(snapshot, scene->place, scene->dax);
	scene_add_blocks(snapshot, scene->presence);
	*arrival = (struct arrival){
		.range = span(SCENE_START, SCENE_END),
		.size = SCENE_END - SCENE_START,
		.carrier = scene->carrier,
		.fault = scene->fault,
		.driver = scene->driver,
		.node = scene->dax && scene->fault != FAULT_NO_NODE ? 1 : NODE_UNKNOWN,
	};
	if (scene->fault == FAULT_UNREADABLE)
		arrival->range = span(0, 0);
	if (scene->dax) {
		struct dax_device *dax = add_dax(snapshot, "dax0.0", scene->carrier);

		dax->driver = scene->driver;
		dax->target_node = arrival->node;
		dax->size = arrival->size;
		if (scene->fault != FAULT_UNREADABLE)
			add_mapping(dax, arrival->range);
		dax->size = arrival->size;
		snprintf(arrival->device, sizeof(arrival->device), "dax0.0");
	}
}

/* Take the last digit, of base `base`, off a number. */
static inline unsigned int scene_digit(unsigned int *number, unsigned int base)
{
	unsigned int digit = *number % base;

	*number /= base;
	return digit;
}

/* Call `check` for each scene; a driver and a fault are only of a dax device. */
static inline void scene_each(void (*check)(const struct scene *scene))
{
	for (unsigned int number = 0;; number++) {
		unsigned int n = number;
		const struct scene scene = {
			.carrier = scene_digit(&n, CARRIER_MAX),
			.dax = scene_digit(&n, 2),
			.driver = scene_digit(&n, DAX_DRIVER_MAX),
			.fault = scene_digit(&n, FAULT_MAX),
			.gate = scene_digit(&n, GATE_STATE_MAX),
			.place = scene_digit(&n, PLACE_MAX),
			.presence = scene_digit(&n, PRESENCE_MAX),
			.guarded = scene_digit(&n, 2),
		};

		if (n)
			return;
		if (scene.dax || (scene.driver == DAX_DRIVER_NONE && scene.fault == FAULT_NONE))
			check(&scene);
	}
}

/* The scene in words, for the test that fails. */
#define SCENE_FORMAT "carrier %d dax %d driver %d fault %d gate %d place %d presence %d guarded %d"
#define SCENE_ARGS(s)                                                                              \
	(s)->carrier, (s)->dax, (s)->driver, (s)->fault, (s)->gate, (s)->place, (s)->presence,     \
		(s)->guarded
