/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What would be decided of memory that arrives at a place where there is none.
 */
#include <stdio.h>

#include "lib/explain/topics.h"

/* What would be decided of a device there, new and whole, on a host with enough free memory. */
static void append_decision(
	struct strbuf *text, const struct explain_world *world, const struct device *device)
{
	const struct facts facts = {
		.device = *device,
		.devdax_use = DEVDAX_UNUSED,
		.block_size = world->snapshot->block_size,
		.boot_map = &world->snapshot->boot_map,
		.tdx = world->snapshot->tdx,
	};
	const struct decision decision = policy_decide(world->config, &facts);

	strbuf_append(text, "%s: ", verdict_to_string(decision.verdict));
	decision_append_clause(text, &decision, &facts, device->ranges[0]);
	strbuf_append(text, " (%s).", reason_to_string(decision.reason));
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

		snprintf(device.name, sizeof(device.name), "%s", arrivals[i].name);
		strbuf_append(text, "%s%s that arrived here would get the verdict ", i ? " " : "",
			arrivals[i].words);
		append_decision(text, world, &device);
	}
}
