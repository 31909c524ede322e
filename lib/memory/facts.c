/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The facts of one device.
 */
#include "tdxo/memory/facts.h"

#include "tdxo/base/string_table.h"

/* online_type_to_str[], drivers/base/memory.c, 6.12. */
static const char *const auto_onlines[] = {
	[AUTO_ONLINE_UNKNOWN] = NULL,
	[AUTO_ONLINE_OFFLINE] = "offline",
	[AUTO_ONLINE_ONLINE] = "online",
	[AUTO_ONLINE_KERNEL] = "online_kernel",
	[AUTO_ONLINE_MOVABLE] = "online_movable",
};
static_assert(ARRAY_SIZE(auto_onlines) == AUTO_ONLINE_MAX, "a word for each");

enum auto_online auto_online_from_string(const char *text)
{
	int i = string_table_find(auto_onlines, ARRAY_SIZE(auto_onlines), text);

	return i < 0 ? AUTO_ONLINE_UNKNOWN : (enum auto_online)i;
}

void facts_done(struct facts *facts)
{
	device_done(&facts->device);
	blocks_done(&facts->blocks);
}

struct block_count facts_count(const struct facts *facts)
{
	return blocks_count(&facts->blocks, (struct range){0, UINT64_MAX}, facts->block_size);
}

uint64_t facts_room(const struct facts *facts)
{
	return device_room(&facts->device, facts->block_size);
}
