/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where memory comes from.
 */
#include "tdxo/memory/origin.h"

struct firmware_origin firmware_origin_find(
	const struct srat *srat, const struct cedt *cedt, struct range range)
{
	const struct cedt_window *window = cedt_find(cedt, range);
	const struct srat_memory *memory = srat_find(srat, range);
	struct firmware_origin origin = {0};

	if (window)
		origin.window = window->range;
	if (memory) {
		origin.in_srat = true;
		origin.proximity_domain = memory->node;
		origin.hot_pluggable = memory->hot_pluggable;
	}
	return origin;
}
