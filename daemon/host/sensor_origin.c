/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor's view of where a range comes from: CXL topology and firmware's tables. No decision
 * rests on it, except where a rule asks for the topology.
 */
#include "daemon/host/sensor.h"

const struct firmware *sensor_firmware(struct sensor *sensor)
{
	char buf[FIRMWARE_TEXT];

	if (sensor->firmware_read)
		return &sensor->firmware;
	firmware_load(&sensor->firmware);
	sensor->firmware_read = true;
	for (enum firmware_table table = 0; table < FIRMWARE_TABLE_MAX; table++)
		if (firmware_trouble(&sensor->firmware, table, buf))
			complain(&sensor->complaints, "%s: %s", firmware_path(table), buf);
	return &sensor->firmware;
}

void sensor_describe(struct sensor *sensor, struct arrival *arrival)
{
	struct origin *origin = &arrival->origin;
	const struct firmware *firmware;
	const struct srat_memory *memory;
	const struct cedt_window *window;

	cxl_describe(&sensor->cxl, arrival);
	if (arrival->fault == FAULT_UNREADABLE)
		return;
	firmware = sensor_firmware(sensor);
	memory = srat_find(&firmware->srat, arrival->range);
	if (memory) {
		origin->in_srat = true;
		origin->srat_node = memory->node;
		origin->hot_pluggable = memory->hot_pluggable;
	}
	window = cedt_find(&firmware->cedt, arrival->range);
	if (window && range_is_empty(origin->window))
		origin->window = window->range;
}
