/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What systemd, the manager of the system, is about. Without it, or if it does not answer within a
 * second, each answer is no.
 */
#pragma once

#include <stdbool.h>

/*
 * Has the system not reached basic.target yet? What the first start of a boot finds then is as
 * firmware has left it, and no program uses it; later, one may.
 */
bool manager_is_starting(void);

/* Is the service of this process to be started again when it has stopped: systemctl restart? */
bool manager_restarts_us(void);
