/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which switches of the kernel the guard holds. Each keeps the kernel from doing by itself what the
 * daemon decides first. While TDX may refuse memory that is both of them. Without TDX it is what
 * the rules need: memory that is online has its zone, and may be in use.
 */
#pragma once

#include "tdxo/memory/snapshot.h"
#include "tdxo/policy/config.h"
#include "tdxo/tdx/state.h"

enum guard_switch {
	GUARD_DAX,	   /* /sys/bus/dax/drivers_autoprobe: a new dax device gets a driver */
	GUARD_AUTO_ONLINE, /* auto_online_blocks: a new memory block goes online */
	GUARD_SWITCHES,
};

#define GUARD_SWITCH(i) (1U << (i))
#define GUARD_ALL	(GUARD_SWITCH(GUARD_SWITCHES) - 1)

/* The name of a switch in files, JSON and messages, and the value that the guard gives it. */
const char *guard_switch_to_string(enum guard_switch i);
const char *guard_switch_value(enum guard_switch i);

/* What a switch reads; "": it could not be read. */
const char *guard_switch_read(const struct snapshot *snapshot, enum guard_switch i);

/* A set of switches: GUARD_SWITCH() of each that is to be held. */
unsigned int guard_wanted(const struct config *config, const struct tdx *tdx);
