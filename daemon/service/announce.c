/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Announcements: a "change" uevent of each dax device that has been decided. The rules of udev then
 * set its properties, its group and its mode. An "add" or "bind" comes before there is a decision.
 */
#include "daemon/service/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "tdxo/base/array.h"

int service_announce_later(struct service *service, const struct device *device)
{
	struct announcement announcement;

	if (!device_may_be_announced(device) || service->settings->config.observe)
		return 0;
	snprintf(announcement.name, sizeof(announcement.name), "%s", device->name);
	return array_append(service->announcements, service->n_announcements, announcement);
}

void service_announce(struct service *service)
{
	struct path path;
	int r = 0;

	for (size_t i = 0; i < service->n_announcements; i++) {
		path_of(&path, SYS_DAX_UEVENT, service->announcements[i].name);
		r = sysfs_send_change(path.text, UEVENT_DECIDED);
		if (r == 0)
			service->unannounced = false;
		/*
		 * It may have gone. Before Linux 7.3 the sandbox has no directory that holds the
		 * devices of hmem and little else: they wait for their next event.
		 */
		if (r == 0 || r == -ENOENT || r == -ENODEV || r == -EROFS)
			continue;
		if (!service->unannounced)
			log_print(LOG_WARNING,
				"%s: %s: udev does not set properties and access of %s", path.text,
				strerror(-r), service->announcements[i].name);
		service->unannounced = true;
	}
	service_forget_announcements(service);
}

void service_forget_announcements(struct service *service)
{
	free(service->announcements);
	service->announcements = NULL;
	service->n_announcements = 0;
}
