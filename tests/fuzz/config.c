/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration file tdx-onlined.conf.
 */
#include "tests/fuzz/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(config_done) struct config config;

	config_init(&config);
	(void)read_config(&config, (const char *)data, size);
	require(config.tdx < TDX_MODE_MAX && config.guard < GUARD_MODE_MAX);
	require(config.present < PRESENT_MAX && config.offline_timeout);
	for (size_t i = 0; i < config.capable.n; i++)
		require(!range_is_empty(config.capable.ranges[i]) &&
			(i == 0 ||
				config.capable.ranges[i - 1].end < config.capable.ranges[i].start));
	/* the line number is at most the size of the text */
	require(ini_find((const char *)data, size, CONFIG_SECTION, NULL) <= size);
	return 0;
}
