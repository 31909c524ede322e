/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor's view of memory that the kernel rejected: which of it is still so.
 *
 * The kernel log is read with the sources of the TDX state; a line in it stays when the
 * memory changes.
 */
#include "daemon/host/sensor.h"

#include <unistd.h>

#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"

/*
 * An empty slot has the status 0, and a DIMM that was added is linked with its memory blocks
 * (acpi_bind_memblk(), drivers/acpi/acpi_memhotplug.c, 6.12).
 */
static bool is_settled(const char *device)
{
	struct path path;
	uint64_t status;

	if (sysfs_read_number(path_of(&path, SYS_ACPI_DEVICE "/status", device), 10, &status) ==
			0 &&
		!status)
		return true;
	return access(path_of(&path, SYS_ACPI_DEVICE "/physical_node", device), F_OK) == 0;
}

void sensor_prune_rejected(struct sensor *sensor)
{
	struct rejections *rejected = &sensor->snapshot.rejected;

	for (size_t i = rejected->n; i > 0; i--) {
		const struct rejection *rejection = &rejected->items[i - 1];

		if (snapshot_has_memory_in(&sensor->snapshot, rejection->range) ||
			(rejection->device[0] && is_settled(rejection->device)))
			rejections_remove(rejected, i - 1);
	}
}
