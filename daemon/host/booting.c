/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether the system is still starting, asked of systemd as systemctl(1) asks it: there is no
 * message bus yet.
 */
#include "daemon/host/booting.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "daemon/host/cleanup.h"
#include "tdxo/base/compiler.h"

#define SYSTEMD	      "unix:path=/run/systemd/private"
#define PATIENCE_USEC (2 * 1000 * 1000)

static void unref_bus(sd_bus **bus)
{
	sd_bus_close_unref(*bus);
}

bool booting(void)
{
	CLEANUP(unref_bus) sd_bus *bus = NULL;
	CLEANUP(free_text) char *state = NULL;
	int r;

	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, SYSTEMD);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, PATIENCE_USEC);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, NULL, "/org/freedesktop/systemd1",
			"org.freedesktop.systemd1.Manager", "SystemState", NULL, &state);
	if (r < 0)
		return false;
	return strcmp(state, "initializing") == 0;
}
