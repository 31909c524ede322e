/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * udev rules.
 */
#include "tdxo/doctor/udev_rule.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct udev_text text = {.text = (const char *)data, .size = size};
	struct udev_write write;
	unsigned int last = 0;

	while (udev_next(&text, &write)) {
		require(write.first_line > last && write.last_line >= write.first_line);
		require(is_string(write.what));
		last = write.last_line;
	}
	require(text.position <= size);
	require(!udev_next(&text, &write));
	return 0;
}
