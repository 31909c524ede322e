/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The queue of udevd.
 */
#include "daemon/host/udevd_queue.h"

#include <stddef.h>

#include <libudev.h>

struct udev_queue *udevd_queue_new(void)
{
	struct udev *udev = udev_new();
	struct udev_queue *queue = udev ? udev_queue_new(udev) : NULL;

	udev_unref(udev);
	return queue;
}

void udevd_queue_free(struct udev_queue **queue)
{
	udev_queue_unref(*queue);
}

bool udevd_queue_is_empty(struct udev_queue *queue)
{
	return udev_queue_get_queue_is_empty(queue);
}

int udevd_queue_fd(struct udev_queue *queue)
{
	int fd = udev_queue_get_fd(queue);

	return fd < 0 ? -1 : fd;
}

void udevd_queue_flush(struct udev_queue *queue)
{
	(void)udev_queue_flush(queue);
}
