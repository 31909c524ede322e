/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The probe: a plan of one block that is taken online, and one that takes it offline.
 */
#include "daemon/actuator/probe.h"

#include <errno.h>
#include <signal.h>

#include "daemon/actuator/executor.h"
#include "tdxo/base/array.h"

/* TURN_DONE or TURN_FAILED. */
static enum turn run(struct execution *execution)
{
	enum turn turn;

	while ((turn = executor_turn(execution)) != TURN_DONE && turn != TURN_FAILED)
		executor_wait(execution, turn);
	return turn;
}

static void probe(struct execution *execution, const struct plan *back, struct trial *trial)
{
	if (run(execution) == TURN_FAILED) {
		trial->error = execution->error;
		trial->answer = trial->error == EPERM ? ANSWER_REFUSES : ANSWER_NONE;
		return;
	}
	/* Otherwise it was online already, or has gone. */
	if (!execution->onlined.n)
		return;
	trial->answer = ANSWER_ACCEPTS;
	execution_restart(execution, back);
	if (run(execution) == TURN_FAILED)
		trial->stuck = execution->error;
}

void probe_block(struct sensor *sensor, uint64_t timeout, struct trial *trial)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
	struct step online = {ACTION_ONLINE, trial->range},
		    offline = {ACTION_OFFLINE, trial->range};
	const struct plan there = {&online, 1}, back = {&offline, 1};
	CLEANUP(execution_done)
	struct execution execution = {
		.plan = &there,
		.zone = ZONE_MOVABLE,
		.sensor = sensor,
		.timeout = timeout,
	};
	sigset_t later, before;

	sigemptyset(&later);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaddset(&later, ending[i]);
	sigprocmask(SIG_BLOCK, &later, &before);
	probe(&execution, &back, trial);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
