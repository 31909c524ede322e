/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The executor: takes the steps of a plan, one at a time.
 *
 * One turn is one driver switch or one memory block, so the event loop, its signals and the
 * watchdog stay alive through a plan of hundreds of blocks. What may take long, to take a block
 * offline, is waited for between two turns, and for no longer than the configuration says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/actuator/writer.h"
#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/memory/device.h"
#include "tdxo/policy/plan.h"
#include "tdxo/policy/verdict.h"

enum turn {
	TURN_MORE,   /* call again */
	TURN_LATER,  /* call again after execution.delay_ms */
	TURN_WAIT,   /* call again when execution.writer.fd is readable, or after delay_ms */
	TURN_UNDO,   /* of a job: the steps are to be taken back; call again */
	TURN_DONE,   /* every step has been taken */
	TURN_FAILED, /* a step failed for good: see execution.error */
};

struct sensor;

struct execution {
	const struct device *device;
	const struct plan *plan;
	enum zone zone;
	struct sensor *sensor;
	uint64_t timeout; /* seconds for taking a block offline */

	size_t step;
	uint64_t next;	   /* the block that is next ends here; 0: the step has not begun */
	uint64_t deadline; /* of taking it offline, in ms of the monotonic clock; 0: none yet */
	struct writer writer;
	unsigned int tries;
	unsigned int retries; /* in all */
	unsigned int delay_ms;
	struct range_set onlined; /* what this execution has brought online */
	int error;		  /* positive errno */
	uint64_t failed_at;	  /* address of the block, or 0 */
};

/* Interrupt what is going on. */
void execution_done(struct execution *execution);

/* Begin again with another plan; what has been brought online is remembered. */
void execution_restart(struct execution *execution, const struct plan *plan);

enum turn executor_turn(struct execution *execution);

/* Wait until it is to be called again after this turn, where there is no event loop. */
void executor_wait(const struct execution *execution, enum turn turn);

/* Milliseconds of the monotonic clock. */
uint64_t executor_now_ms(void);
