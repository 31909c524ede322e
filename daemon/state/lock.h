/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One service: a lock that its process holds as long as it lives. Its children do not have it, so
 * one that hangs in the kernel keeps no other start away.
 */
#pragma once

#include <sys/types.h>

#include "tdxo/base/compiler.h"

/*
 * Take it. 0; 1 if another process has it, whose number is in *ret_owner; a negative errno if
 * it is not known.
 */
int lock_take(pid_t *ret_owner) MUST_CHECK;

/*
 * Which other process has it; 0: none, as far as that is known. Not for the one that has it: to ask
 * gives it up.
 */
pid_t lock_owner(void);
