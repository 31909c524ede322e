/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept in /run/tdx-onlined over restarts of the service, for this boot only: the boot
 * map, what the guard's switches read before, and the ranges that have had their record.
 */
#pragma once

#include "guard.h"
#include "tdxo/arrival.h"
#include "tdxo/boot_map.h"
#include "tdxo/compiler.h"

struct state {
	bool kept; /* an earlier start of this boot left something */
	struct boot_map boot_map;
	struct guard guard;
	struct arrivals begun;	 /* recorded, but not all steps have been taken */
	struct arrivals decided; /* recorded and done with */
};

/* What is there, if it is of this boot; else nothing. 0 or -ENOMEM; bad files are warned of. */
int state_load(struct state *ret_state) MUST_CHECK;
void state_done(struct state *state);

/*
 * Replace the file in one go, with this boot map in place of the state's. 0, or a negative errno
 * after a message.
 */
int state_save(const struct state *state, const struct boot_map *boot_map) MUST_CHECK;
