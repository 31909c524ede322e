/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan: a decision to the steps that make it true, in order.
 *
 * What is true already is no step, so a plan for a machine that agrees is empty, and planning
 * again after an interruption finds what is left. A step is a driver switch of one device, or
 * one range of blocks to bring online or offline; ranges come from the highest address down.
 */
#pragma once

#include "tdxo/base/compiler.h"
#include "tdxo/memory/facts.h"
#include "tdxo/policy/policy.h"

enum action {
	ACTION_UNBIND, /* take its driver off the device; only if no program uses it */
	ACTION_BIND_KMEM,
	ACTION_BIND_DEVICE_DAX,
	ACTION_ONLINE,	/* descending addresses; the first block is a trial */
	ACTION_OFFLINE, /* descending addresses */
	ACTION_MAX,
};

struct step {
	enum action action;
	struct range range; /* of blocks, whole; for the driver switches empty */
};

struct plan {
	struct step *steps;
	size_t n;
};

void plan_done(struct plan *plan);

/* The steps for a device, whose driver and blocks are those of the facts. 0 or -ENOMEM. */
int plan_make(const struct facts *facts, const struct decision *decision,
	struct plan *ret_plan) MUST_CHECK;

/*
 * The steps back. `onlined` is what the plan had brought online until then. The device ends as
 * devdax if it is a dax device and `driver`, what it has now, is none or kmem. 0 or -ENOMEM.
 */
int plan_undo(const struct device *device, enum dax_driver driver, const struct range_set *onlined,
	struct plan *ret_plan) MUST_CHECK;

const char *action_to_string(enum action action);
int action_from_string(const char *text, enum action *ret_action) MUST_CHECK;
