/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon: owns everything, and the event loop.
 */
#pragma once

#include "tdxo/compiler.h"
#include "tdxo/policy.h"

/* Runs until it is told to stop. 0; a negative errno: -ENODEV without memory hotplug. */
int daemon_run(const struct config *config) MUST_CHECK;
