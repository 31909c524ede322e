/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decide every device that is there, once, by the same jobs as the service's.
 */
#pragma once

#include "daemon/actuator/job.h"
#include "daemon/host/sensor.h"
#include "daemon/state/state.h"
#include "tdxo/base/compiler.h"
#include "tdxo/record/record.h"

struct decider {
	struct state state; /* what the service has kept in this boot */
	struct sensor sensor;
	struct job **jobs; /* that are done: the records borrow from them */
	size_t n_jobs;
	bool incomplete; /* a device was left out: it kept changing, or the service works on it */
};

/* What becomes of a record, which is valid until decider_done(). 0 or a negative errno. */
typedef int (*record_fn)(const struct record *record, void *userdata);

/* 0; -ENODEV without memory hotplug; -ENOMEM. The configuration must stay where it is. */
int decider_init(struct decider *decider, const struct config *config) MUST_CHECK;
void decider_done(struct decider *decider);

/* Decide, and act unless it is to be dry. Returns how many records there were; a negative errno. */
int decide_all(struct decider *decider, bool dry, record_fn each, void *userdata) MUST_CHECK;
