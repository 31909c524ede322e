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
	struct arrivals decided;
};

/* What is there, if it is of this boot; else nothing. 0 or -ENOMEM; bad files are warned of. */
int state_load(struct state *ret_state) MUST_CHECK;
void state_done(struct state *state);

/* Replace the file in one go. 0, or a negative errno after a message. */
int state_save(const struct boot_map *boot_map, const struct guard *guard,
	const struct arrivals *decided) MUST_CHECK;
