/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a decision was made, as a clause with the values that it rests on.
 */
#include "tdxo/policy/policy.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* So many parts of a range are listed. */
#define PARTS_LISTED 3

/* What is absent now was not when such a decision was made. */
static const char *const refusals[] = {
	[TDX_ABSENT] = "TDX accepts only memory that was RAM at boot",
	[TDX_ARMED] = ("TDX is armed (enabled, but not initialized yet), and would fail to "
		       "initialize with memory that was not RAM at boot"),
	[TDX_ACTIVE] = "TDX is active and accepts only memory that was RAM at boot",
	[TDX_UNKNOWN] = "TDX may be active, and accepts only memory that was RAM at boot",
};
static_assert(ARRAY_SIZE(refusals) == TDX_STATE_MAX, "a refusal for each state");

static void append_refusal(struct strbuf *text, const struct facts *facts)
{
	strbuf_append(text, "%s", refusals[facts->tdx.state]);
}

/* What TDX accepts of a range: of a dax device, which was not RAM at boot, what is asserted. */
struct parts {
	struct range listed[PARTS_LISTED];
	size_t n;
	uint64_t bytes;
};

static void add_part(struct parts *parts, struct range accepted, struct range range)
{
	struct range part = range_intersect(accepted, range);

	if (range_is_empty(part))
		return;
	if (parts->n < PARTS_LISTED)
		parts->listed[parts->n] = part;
	parts->n++;
	parts->bytes += range_size(part);
}

static struct parts find_parts(const struct facts *facts, struct range range)
{
	const struct boot_map *map = facts->boot_map;
	struct parts parts = {0};

	if (device_is_dax(&facts->device)) {
		for (size_t i = 0; i < map->asserted.n; i++)
			add_part(&parts, map->asserted.ranges[i], range);
		return parts;
	}
	for (size_t i = 0; i < map->n; i++)
		add_part(&parts, map->regions[i].range, range);
	return parts;
}

static void append_parts(struct strbuf *text, const struct parts *parts, bool dax)
{
	char size[SIZE_TEXT], range[RANGE_TEXT];

	strbuf_append(text, ", and %sonly %s of it%s", dax ? "CapableRanges= names " : "",
		size_format(parts->bytes, size), dax ? "" : " was RAM at boot");
	for (size_t i = 0; i < parts->n && i < PARTS_LISTED; i++)
		strbuf_append(text, "%s%s", i ? ", " : ": ", range_format(parts->listed[i], range));
	if (parts->n > PARTS_LISTED)
		strbuf_append(text, " and %zu more", parts->n - PARTS_LISTED);
}

static void append_straddle(struct strbuf *text, const struct decision *decision,
	const struct facts *facts, struct range range)
{
	const struct parts parts = find_parts(facts, range);

	append_refusal(text, facts);
	if (decision->across) {
		strbuf_append(text,
			", and one of its memory blocks lies across two ranges of that memory");
	} else if (!parts.n) {
		strbuf_append(text, ", and only another range of its device was RAM at boot");
	} else if (parts.bytes == range_size(range)) {
		strbuf_append(text, ", and another range of its device was not RAM at boot");
	} else {
		append_parts(text, &parts, device_is_dax(&facts->device));
	}
}

/* TDX does not accept all of the range, or it is a rule that requires another verdict. */
static void append_online_already(struct strbuf *text, const struct decision *decision,
	const struct facts *facts, struct range range)
{
	strbuf_append(text, "it was online already, but it should not be: ");
	if (policy_refuses(facts, range) || !decision->rule[0])
		append_refusal(text, facts);
	else
		strbuf_append(text, "a rule requires something else");
}

/* The first block whose state cannot be read; or where the device lies cannot be read. */
static void append_unreadable(struct strbuf *text, const struct facts *facts)
{
	const struct blocks *blocks = &facts->blocks;
	size_t i = 0;

	while (i < blocks->n && blocks->blocks[i].state != BLOCK_UNREAD)
		i++;
	if (i == blocks->n)
		strbuf_append(text,
			"its addresses cannot be read in the files of /sys/bus/dax/devices/%s",
			facts->device.name);
	else
		strbuf_append(text,
			"/sys/devices/system/memory/memory%" PRIu64 "/state cannot be read: %s",
			blocks->blocks[i].id, strerror(blocks->error));
}

/* Why it was expected to accept, if that is still so. */
static void append_refused(struct strbuf *text, const struct facts *facts, struct range range)
{
	bool had = !device_is_dax(&facts->device) && boot_map_had(facts->boot_map, range);

	strbuf_append(text, "the kernel refused it, ");
	if (facts->tdx.state == TDX_ABSENT)
		strbuf_append(text, "although TDX is taken to be absent");
	else if (!find_parts(facts, range).n)
		strbuf_append(text, "against the prediction of tdx-onlined");
	else
		strbuf_append(text, "although %s",
			had ? "it was RAM at boot" : "CapableRanges= names it");
}

void decision_append_clause(struct strbuf *text, const struct decision *decision,
	const struct facts *facts, struct range range)
{
	char a[SIZE_TEXT], b[SIZE_TEXT];

	switch (decision->reason) {
	case REASON_IN_BOOT_MAP:
		strbuf_append(text, "%s",
			decision->source == BOOT_SOURCE_CONFIGURATION
				? "CapableRanges= names it as memory that TDX accepts"
				: "it was RAM at boot, so TDX accepts it");
		break;
	case REASON_OUTSIDE_BOOT_MAP:
		append_refusal(text, facts);
		break;
	case REASON_STRADDLES_BOOT_MAP:
		append_straddle(text, decision, facts, range);
		break;
	case REASON_ALREADY_ONLINE:
		append_online_already(text, decision, facts, range);
		break;
	case REASON_KERNEL_REFUSED:
		append_refused(text, facts, range);
		break;
	case REASON_RULE:
		strbuf_append(text, "rule %s requires it", decision->rule);
		break;
	case REASON_UNREADABLE:
		append_unreadable(text, facts);
		break;
	case REASON_FOREIGN_DRIVER:
		strbuf_append(text,
			"its driver%s%s is neither kmem nor device_dax, and may use the memory",
			facts->driver_name[0] ? " " : "", facts->driver_name);
		break;
	case REASON_TOO_SMALL:
		strbuf_append(text, "%s of %s", reason_clause(decision->reason),
			size_format(facts->block_size, a));
		break;
	case REASON_NO_HEAD_ROOM:
		strbuf_append(text,
			"it needs %s of free memory for page metadata, but only %s are available",
			size_format(decision->map_needed, a), size_format(decision->map_spare, b));
		break;
	default:
		strbuf_append(text, "%s", reason_clause(decision->reason));
	}
}
