/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The executor: takes the steps of a plan, one at a time.
 *
 * One turn is one driver switch or one memory block, so the event loop, its signals and the
 * watchdog stay alive through a plan of hundreds of blocks. The dry twin takes no step at all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tdxo/arrival.h"
#include "tdxo/compiler.h"
#include "tdxo/plan.h"
#include "tdxo/policy.h"

enum turn {
	TURN_MORE,   /* call again */
	TURN_LATER,  /* call again after execution.delay_ms */
	TURN_DONE,   /* every step has been taken */
	TURN_FAILED, /* a step failed for good: see execution.error */
};

struct sensor;

struct execution {
	const struct arrival *arrival;
	struct plan plan;
	enum zone zone;
	struct sensor *sensor;

	size_t step;
	uint64_t next; /* the block that is next ends here; 0: the step has not begun */
	unsigned int tries;
	unsigned int delay_ms;
	struct range onlined; /* what this execution has brought online */
	int error;	      /* positive errno */
	uint64_t failed_at;   /* address of the block, or 0 */
};

typedef enum turn (*executor_fn)(struct execution *execution);

/* The real one. */
enum turn executor_turn(struct execution *execution);

/* Its dry twin: does nothing, and is done. */
enum turn executor_dry_turn(struct execution *execution);
