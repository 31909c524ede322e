/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two rules with a NUL between them.
 *
 * A rule that covers another one matches each device that the other one matches. A valid rule is
 * still valid after it was anonymised.
 */
#include "tdxo/anonymise/anonymise.h"
#include "tests/fuzz/settings.h"

static struct range ranges[] = {{0x100000000, 0x180000000}, {0x200000000, 0x240000000}};

static const struct facts devices[] = {
	{.device = {.type = TYPE_CXL,
		 .name = "dax0.0",
		 .region = "region0",
		 .size = 0x80000000,
		 .node = 1,
		 .ranges = ranges,
		 .n_ranges = 1},
		.cxl = {.region_uuid = "6f2c8d6a-93a4-4d5e-9b1a-0123456789ab",
			.memdevs = {{.name = "mem0", .host = "0000:35:00.0", .serial = 42}},
			.n_memdevs = 1}},
	{.device = {.type = TYPE_HMEM,
		 .name = "dax12.1",
		 .driver = DAX_DRIVER_KMEM,
		 .size = 0xc0000000,
		 .present = true,
		 .ranges = ranges,
		 .n_ranges = 2}},
	{.device = {.type = TYPE_PMEM,
		 .name = "dax1.0",
		 .driver = DAX_DRIVER_DEVICE_DAX,
		 .node = NODE_UNKNOWN,
		 .size = 4096}},
	{.device = {.type = TYPE_DIMM,
		 .node = 1,
		 .size = 0x40000000,
		 .ranges = ranges + 1,
		 .n_ranges = 1}},
};

static void check_cover(const struct rule *earlier, const struct rule *later)
{
	if (!rule_covers(earlier, later))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		require(!rule_matches(later, &devices[i]) || rule_matches(earlier, &devices[i]));
}

static void check_disguise(const char *text, size_t size)
{
	CLEANUP(disguise_done) struct disguise disguise = {0};
	CLEANUP(bytes_done) struct bytes disguised = {0};
	CLEANUP(rule_done) struct rule rule;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		require(disguise_add_device(&disguise, devices[i].device.name) == 0);
	require(disguise_rule(&disguise, text, size, &disguised) == 0);
	rule_init(&rule, "10-a.rule");
	require(read_rule(&rule, disguised.bytes, disguised.n) == 0);
}

/* Returns the size of the text. */
static size_t read_next(struct rule *rule, const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	size_t mistakes;

	rule_init(rule, "10-a.rule");
	mistakes = read_rule(rule, text, length);
	require(rule->verdict < VERDICT_MAX && rule->zone < ZONE_MAX);
	if (!mistakes)
		check_disguise(text, length);
	return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(rule_done) struct rule first = {0};
	CLEANUP(rule_done) struct rule second = {0};
	const char *text = (const char *)data;
	size_t length;

	if (!size)
		return 0;
	length = read_next(&first, text, size);
	if (length < size)
		read_next(&second, text + length + 1, size - length - 1);
	check_cover(&first, &second);
	check_cover(&second, &first);
	return 0;
}
