/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Booting: whether the system is still starting.
 *
 * The first start of a boot finds memory. While the system is starting, the firmware has left
 * it so and nobody uses it yet; on a system that is up, somebody may.
 */
#pragma once

#include <stdbool.h>

/* Does systemd say that it has not reached basic.target yet? Without systemd: no. */
bool booting(void);
