/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Announcements: a "change" uevent of each dax device that has been decided. The rules of udev then
 * give it its links, properties and group. An "add" comes before there is a decision.
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

	if (!device_has_links(device) || service->settings->config.observe)
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
		/* It may have gone. */
		if (r == 0 || r == -ENOENT)
			continue;
		if (!service->unannounced)
			log_print(LOG_WARNING,
				"%s: %s: udev does not learn what has been decided on %s",
				path.text, strerror(-r), service->announcements[i].name);
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
