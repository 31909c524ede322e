/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the preloaded mock kernel have in common.
 */
#pragma once

/* kernel.c: what is to be opened may be made to vanish. The path is that which the daemon uses. */
void kernel_open_for_writing(const char *path);

/* clock.c: so many times faster than real time the daemon's clock is. */
unsigned int clock_speed(void);
