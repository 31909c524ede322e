/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions to systemd over its private socket, as systemctl(1) asks them: while the system starts
 * there is no message bus yet. org.freedesktop.systemd1(5) has the names, of systemd 252.
 */
#include "daemon/host/manager.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "daemon/host/cleanup.h"
#include "tdxo/base/compiler.h"

#define SOCKET	      "unix:path=/run/systemd/private"
#define MANAGER_PATH  "/org/freedesktop/systemd1"
#define MANAGER	      "org.freedesktop.systemd1.Manager"
#define PATIENCE_USEC (300 * 1000) /* for each of at most three answers */

static void unref_bus(sd_bus **bus)
{
	sd_bus_close_unref(*bus);
}

static void unref_message(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}

static int connect_manager(sd_bus **ret_bus)
{
	CLEANUP(unref_bus) sd_bus *bus = NULL;
	int r;

	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, SOCKET);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, PATIENCE_USEC);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret_bus = bus;
	bus = NULL;
	return 0;
}

bool manager_is_starting(void)
{
	CLEANUP(unref_bus) sd_bus *bus = NULL;
	CLEANUP(free_text) char *state = NULL;
	int r;

	r = connect_manager(&bus);
	if (r >= 0)
		r = sd_bus_get_property_string(
			bus, NULL, MANAGER_PATH, MANAGER, "SystemState", NULL, &state);
	return r >= 0 && strcmp(state, "initializing") == 0;
}

/* The path of the job of this process's unit; NULL: it has none. The caller frees it. */
static int find_job(sd_bus *bus, char **ret_path)
{
	CLEANUP(unref_message) sd_bus_message *unit = NULL, *job = NULL;
	const char *path;
	uint32_t id;
	int r;

	r = sd_bus_call_method(bus, NULL, MANAGER_PATH, MANAGER, "GetUnitByPID", NULL, &unit, "u",
		(uint32_t)getpid());
	if (r >= 0)
		r = sd_bus_message_read(unit, "o", &path);
	if (r >= 0)
		r = sd_bus_get_property(bus, NULL, path, "org.freedesktop.systemd1.Unit", "Job",
			NULL, &job, "(uo)");
	if (r >= 0)
		r = sd_bus_message_read(job, "(uo)", &id, &path);
	if (r < 0)
		return r;
	*ret_path = id ? strdup(path) : NULL;
	return 0;
}

bool manager_restarts_us(void)
{
	CLEANUP(unref_bus) sd_bus *bus = NULL;
	CLEANUP(free_text) char *path = NULL, *type = NULL;
	int r;

	r = connect_manager(&bus);
	if (r >= 0)
		r = find_job(bus, &path);
	if (r < 0 || !path)
		return false;
	r = sd_bus_get_property_string(
		bus, NULL, path, "org.freedesktop.systemd1.Job", "JobType", NULL, &type);
	return r >= 0 && strcmp(type, "restart") == 0;
}
