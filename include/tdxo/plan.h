/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan: a decision to the steps that make it true, in order.
 *
 * What is true already is no step, so a plan for a machine that agrees is empty, and planning
 * again after an interruption finds what is left. A step is a driver switch of one device, or
 * one range of blocks to bring online or offline.
 */
#pragma once

#include "tdxo/arrival.h"
#include "tdxo/compiler.h"
#include "tdxo/policy.h"
#include "tdxo/snapshot.h"

enum action {
	ACTION_UNBIND, /* take kmem off the device; only with every block offline */
	ACTION_BIND_KMEM,
	ACTION_BIND_DEVICE_DAX,
	ACTION_ONLINE,	/* descending addresses; the first block is the canary */
	ACTION_OFFLINE, /* descending addresses */
	ACTION_MAX,
};

struct step {
	enum action action;
	struct range range; /* of blocks, whole; for the driver switches empty */
};

#define PLAN_STEPS 4

struct plan {
	struct step steps[PLAN_STEPS];
	size_t n;
};

struct plan plan_make(const struct snapshot *snapshot, const struct arrival *arrival,
	const struct decision *decision);

/*
 * The steps back after the kernel refused. `onlined` is what the refused plan had brought
 * online until then, empty if nothing. The device, if there is one, ends as devdax.
 */
struct plan plan_undo(const struct arrival *arrival, bool kmem_bound, struct range onlined);

const char *action_to_string(enum action action);
