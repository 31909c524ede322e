/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What would be decided of memory that arrives at a place where there is none.
 */
#include <stdio.h>

#include "lib/explain/topics.h"

/* Of a device there, new and whole, on a host that has room for its page metadata. */
static struct decision decide(const struct explain_world *world, struct device *device)
{
	const struct facts facts = {
		.device = *device,
		.devdax_use = DEVDAX_UNUSED,
		.block_size = world->snapshot->block_size,
		.boot_map = &world->snapshot->boot_map,
		.tdx = world->snapshot->tdx,
	};

	return policy_decide(world->config, &facts);
}

/* Memory arrives in whole blocks; the last address belongs to none. */
static struct range whole_blocks(struct range place, uint64_t block_size)
{
	uint64_t most = UINT64_MAX / block_size - 1;
	uint64_t first = place.start / block_size, last = (place.end - 1) / block_size;

	return (struct range){(first < most ? first : most) * block_size,
		((last < most ? last : most) + 1) * block_size};
}

void explain_arrival(struct strbuf *text, const struct explain_world *world, struct range place)
{
	static const struct {
		const char *words, *name;
		enum device_type type;
	} arrivals[] = {
		{"CXL memory", "dax0.0", TYPE_CXL},
		{"A DIMM", "", TYPE_DIMM},
	};
	struct range range = whole_blocks(place, world->snapshot->block_size);

	for (size_t i = 0; i < ARRAY_SIZE(arrivals); i++) {
		struct device device = {
			.type = arrivals[i].type,
			.size = range_size(range),
			.ranges = &range,
			.n_ranges = 1,
		};
		struct decision decision;

		snprintf(device.name, sizeof(device.name), "%s", arrivals[i].name);
		decision = decide(world, &device);
		strbuf_append(text, "%s%s that arrived here would get the verdict %s: %s (%s).",
			i ? " " : "", arrivals[i].words, verdict_to_string(decision.verdict),
			decision_clause(&decision), reason_to_string(decision.reason));
	}
}
