/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/zoneinfo.
 */
#include <errno.h>

#include "tdxo/memory/zoneinfo.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_text_of) char *text = text_of(data, size);
	struct zoneinfo zones = {0};
	int r = zoneinfo_read(text, 4096, &zones);

	require(r == 0 || r == -EBADMSG);
	require(zones.known == (r == 0) && !zones.unreadable);
	require(r < 0 || zones.kernel);
	require(zoneinfo_movable_ratio(&zones, size) >= zoneinfo_movable_ratio(&zones, 0));
	return 0;
}
