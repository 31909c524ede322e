/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A walk: the ranges that are there, one device after the other, by the same jobs as the daemon's.
 */
#pragma once

#include "daemon/host/sensor.h"
#include "daemon/state/state.h"
#include "tdxo/base/compiler.h"
#include "tdxo/record/record.h"

struct walk {
	struct state state; /* what the daemon has kept in this boot */
	struct sensor sensor;
};

/* What becomes of each range. The record is valid during the call only. 0 or a negative errno. */
typedef int (*walk_fn)(const struct record *record, void *userdata);

/* 0; -ENODEV without memory hotplug; -ENOMEM. The configuration must stay where it is. */
int walk_init(struct walk *walk, const struct config *config) MUST_CHECK;
void walk_done(struct walk *walk);

/*
 * Decide, and act unless it is to be dry. Returns how many ranges there
 * were, or a negative errno.
 */
int walk_all(struct walk *walk, bool dry, walk_fn each, void *userdata) MUST_CHECK;
