/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor's view of firmware's tables: evidence, on which no decision rests.
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
