/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the parts of the preloaded mock kernel.
 */
#pragma once

/* kernel.c: a fault may remove the file before it is opened. The path is the daemon's. */
void kernel_open_for_writing(const char *path);

/* clock.c: how many times faster than real time the daemon's clock runs. */
unsigned int clock_speed(void);
