/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The queue of udevd: uevents that it has received and not finished, through libudev.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/base/compiler.h"

struct udev_queue;

/* NULL: there is no memory. */
struct udev_queue *udevd_queue_new(void) MUST_CHECK;
void udevd_queue_free(struct udev_queue **queue);

/* True also if udevd does not run. */
bool udevd_queue_is_empty(struct udev_queue *queue) MUST_CHECK;

/* A descriptor that is readable after the queue has run empty; -1: udevd does not run. */
int udevd_queue_fd(struct udev_queue *queue);

/* Make the descriptor unreadable again. */
void udevd_queue_flush(struct udev_queue *queue);
