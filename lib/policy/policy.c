/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy: a table of predicates, the first that holds decides. Then the rule that matches
 * may change the verdict, as far as the row of the table lets it, and last comes what the host
 * can bear: the memory map, the share of movable memory.
 *
 * A device is decided as a whole: it goes online only if every one of its ranges may, and it counts
 * as online if any block of it is.
 */
#include "tdxo/policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "tdxo/base/string_table.h"
#include "tdxo/policy/guard.h"

static const char *const withholds[] = {
	[WITHHELD_NOT] = NULL,
	[WITHHELD_OBSERVE] = "observe",
	[WITHHELD_PRESENT] = "present",
};
DEFINE_TO_STRING(withheld, enum withheld, withholds, WITHHELD_MAX)

static const char *const answers[] = {
	[ANSWER_NONE] = NULL,
	[ANSWER_ACCEPTS] = "accepts",
	[ANSWER_REFUSES] = "refuses",
};
DEFINE_STRING_TABLE(answer, enum answer, answers, ANSWER_MAX)

/* What the predicates look at. */
struct question {
	const struct config *config;
	const struct facts *facts;
	const struct rule *rule; /* that matches, or NULL */
	enum containment containment;
	enum boot_source source;
	struct block_count blocks;
	uint64_t room; /* whole blocks that it could be */
};

/*
 * Firmware lists a part of a dax device as RAM, which none of it was at boot, and the configuration
 * does not assert that part.
 */
static bool is_listed_dax(const struct facts *facts, struct range range)
{
	return device_is_dax(&facts->device) && boot_map_had_unasserted(facts->boot_map, range);
}

enum containment policy_containment(
	const struct facts *facts, struct range range, enum boot_source *ret_source)
{
	enum containment containment =
		boot_map_contains(facts->boot_map, range, facts->block_size, ret_source);

	if (is_listed_dax(facts, range))
		return *ret_source == BOOT_SOURCE_CONFIGURATION ? CONTAINMENT_STRADDLES
								: CONTAINMENT_OUTSIDE;
	/* All that the map has of a dax device is asserted, also where firmware lists it. */
	if (device_is_dax(&facts->device) && containment != CONTAINMENT_OUTSIDE)
		*ret_source = BOOT_SOURCE_CONFIGURATION;
	return containment;
}

bool policy_refuses(const struct facts *facts, struct range range)
{
	enum boot_source source;

	return tdx_refuses(&facts->tdx) &&
	       policy_containment(facts, range, &source) != CONTAINMENT_INSIDE;
}

/* All of it inside or outside if all of its ranges are. */
static void look_up_ranges(struct question *q)
{
	const struct device *device = &q->facts->device;

	q->containment = CONTAINMENT_OUTSIDE;
	for (size_t i = 0; i < device->n_ranges; i++) {
		enum boot_source source;
		enum containment one = policy_containment(q->facts, device->ranges[i], &source);

		if (source > q->source)
			q->source = source;
		q->containment = i == 0 || one == q->containment ? one : CONTAINMENT_STRADDLES;
	}
}

static struct question ask(const struct facts *facts)
{
	struct question q = {
		.facts = facts,
		.blocks = facts_count(facts),
		.room = facts_room(facts),
	};

	look_up_ranges(&q);
	return q;
}

static bool persistent(const struct question *q)
{
	return q->facts->device.type == TYPE_PMEM;
}

static bool foreign_driver(const struct question *q)
{
	return q->facts->device.driver == DAX_DRIVER_OTHER;
}

static bool famfs(const struct question *q)
{
	return q->facts->device.driver == DAX_DRIVER_FSDEV;
}

/* The administrator names a devdax device as one that may become memory. */
static bool may_convert(const struct question *q)
{
	return q->rule && q->rule->convert_devdax;
}

static bool already_devdax(const struct question *q)
{
	return q->facts->device.driver == DAX_DRIVER_DEVICE_DAX && !may_convert(q);
}

static bool in_use(const struct question *q)
{
	return q->facts->device.driver == DAX_DRIVER_DEVICE_DAX &&
	       q->facts->devdax_use != DEVDAX_UNUSED;
}

/*
 * The program that made the device is about to bind a driver itself, so the daemon binds none:
 * then it does not matter which of the two is faster.
 */
static bool not_configured(const struct question *q)
{
	return q->facts->device.driver == DAX_DRIVER_NONE && device_is_created(&q->facts->device) &&
	       !q->facts->half_done;
}

static bool unreadable(const struct question *q)
{
	return !q->facts->device.n_ranges || q->blocks.unread;
}

static bool no_target_node(const struct question *q)
{
	return device_is_dax(&q->facts->device) && q->facts->device.node == NODE_UNKNOWN;
}

static bool unknown_device(const struct question *q)
{
	return device_is_dax(&q->facts->device) && q->facts->device.type == TYPE_UNKNOWN;
}

static bool too_small(const struct question *q)
{
	return device_is_dax(&q->facts->device) && !q->room;
}

/* By an administrator, who may be about to take the device away. */
static bool unplugged(const struct question *q)
{
	return q->facts->unplugged && !q->facts->half_done;
}

static bool tdx_absent(const struct question *q)
{
	return !tdx_refuses(&q->facts->tdx);
}

/*
 * The guard keeps the kernel from acting on such a device although there is no TDX. What no rule
 * asks for anything is treated as the kernel would have treated it.
 */
static bool stands_in(const struct question *q)
{
	const struct facts *facts = q->facts;
	unsigned int wanted = guard_wanted(q->config, &facts->tdx);

	if (!tdx_absent(q) || (q->rule && (q->rule->has_verdict || q->rule->zone)))
		return false;
	if (wanted & GUARD_SWITCH(GUARD_AUTO_ONLINE) && facts->auto_online_held)
		return true;
	return wanted & GUARD_SWITCH(GUARD_DAX) && device_is_dax(&facts->device) && facts->guarded;
}

/* A device of which every block is online was brought online by others. */
static bool kernel_leaves_offline(const struct question *q)
{
	bool all_online = q->blocks.online && q->blocks.online == q->blocks.present;

	return stands_in(q) && q->facts->auto_online == AUTO_ONLINE_OFFLINE && !all_online;
}

static bool boot_map_unknown(const struct question *q)
{
	return !q->facts->boot_map->known && q->source != BOOT_SOURCE_CONFIGURATION;
}

static bool inside(const struct question *q)
{
	return q->containment == CONTAINMENT_INSIDE;
}

static bool may_offline(const struct question *q)
{
	return q->rule && q->rule->offline_blocks;
}

static bool already_online(const struct question *q)
{
	return q->blocks.online && !may_offline(q);
}

static bool straddles(const struct question *q)
{
	return q->containment == CONTAINMENT_STRADDLES;
}

static bool always(const struct question *q)
{
	(void)q;
	return true;
}

#define MAY(verdict) (1U << VERDICT_##verdict)
#define MAY_STAY_OUT (MAY(DEVDAX) | MAY(OFFLINE) | MAY(IGNORE))

static const struct {
	bool (*holds)(const struct question *q);
	enum verdict dax; /* of a dax device */
	enum verdict blocks;
	enum reason reason;
	unsigned int may; /* what a rule may make of it */
} rows[] = {
	{persistent, VERDICT_IGNORE, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY, 0},
	{famfs, VERDICT_IGNORE, VERDICT_IGNORE, REASON_FAMFS, 0},
	{foreign_driver, VERDICT_IGNORE, VERDICT_IGNORE, REASON_FOREIGN_DRIVER, 0},
	{already_devdax, VERDICT_DEVDAX, VERDICT_IGNORE, REASON_ALREADY_DEVDAX, MAY_STAY_OUT},
	{in_use, VERDICT_DEVDAX, VERDICT_IGNORE, REASON_IN_USE, MAY_STAY_OUT},
	{not_configured, VERDICT_IGNORE, VERDICT_IGNORE, REASON_NOT_CONFIGURED, 0},
	{unreadable, VERDICT_IGNORE, VERDICT_IGNORE, REASON_UNREADABLE, 0},
	{no_target_node, VERDICT_IGNORE, VERDICT_IGNORE, REASON_NO_TARGET_NODE, MAY_STAY_OUT},
	{unknown_device, VERDICT_IGNORE, VERDICT_IGNORE, REASON_UNKNOWN_DEVICE, MAY_STAY_OUT},
	{too_small, VERDICT_DEVDAX, VERDICT_OFFLINE, REASON_TOO_SMALL, MAY_STAY_OUT},
	{unplugged, VERDICT_IGNORE, VERDICT_IGNORE, REASON_UNPLUGGED, MAY_STAY_OUT},
	{kernel_leaves_offline, VERDICT_IGNORE, VERDICT_IGNORE, REASON_KERNEL_OFFLINE, 0},
	{tdx_absent, VERDICT_ONLINE, VERDICT_ONLINE, REASON_TDX_ABSENT, MAY_STAY_OUT},
	{boot_map_unknown, VERDICT_IGNORE, VERDICT_OFFLINE, REASON_BOOT_MAP_UNKNOWN, MAY_STAY_OUT},
	{inside, VERDICT_ONLINE, VERDICT_ONLINE, REASON_IN_BOOT_MAP, MAY_STAY_OUT},
	{already_online, VERDICT_IGNORE, VERDICT_IGNORE, REASON_ALREADY_ONLINE, 0},
	{straddles, VERDICT_DEVDAX, VERDICT_OFFLINE, REASON_STRADDLES_BOOT_MAP, MAY_STAY_OUT},
	{always, VERDICT_DEVDAX, VERDICT_OFFLINE, REASON_OUTSIDE_BOOT_MAP, MAY_STAY_OUT},
};

static bool leaves_allocator(enum verdict verdict)
{
	return verdict == VERDICT_DEVDAX || verdict == VERDICT_OFFLINE;
}

/* There is no devdax without a dax device: such memory stays offline. */
static enum verdict wanted_verdict(const struct question *q)
{
	if (q->rule->verdict == VERDICT_DEVDAX && !device_is_dax(&q->facts->device))
		return VERDICT_OFFLINE;
	return q->rule->verdict;
}

static void apply_rule(struct decision *decision, const struct question *q, unsigned int may)
{
	enum verdict wanted;

	decision->unmatched = q->config->n_rules && !q->rule;
	if (!q->rule)
		return;
	snprintf(decision->rule, sizeof(decision->rule), "%s", q->rule->name);
	decision->on_failure = q->rule->on_failure;
	decision->access = q->rule->access;
	if (!q->rule->has_verdict)
		return;
	wanted = wanted_verdict(q);
	if (wanted == decision->verdict)
		return;
	if (!(may & 1U << wanted)) {
		decision->overruled = true;
		decision->asked = q->rule->verdict;
	} else if (leaves_allocator(wanted) && already_online(q)) {
		decision->overruled = true;
		decision->asked = q->rule->verdict;
		decision->verdict = VERDICT_IGNORE;
		decision->reason = REASON_ALREADY_ONLINE;
	} else {
		decision->verdict = wanted;
		decision->reason = REASON_RULE;
	}
}

static uint64_t room_bytes(const struct question *q)
{
	return q->room * q->facts->block_size;
}

/* The memory map that a driver has still to make; 0: it is there, or needs no kernel memory. */
static uint64_t map_needed(const struct question *q, enum verdict verdict, enum reason reason)
{
	enum dax_driver driver = q->facts->device.driver;
	bool kmem = verdict == VERDICT_ONLINE || reason == REASON_KERNEL_OFFLINE;

	if (!device_is_dax(&q->facts->device) || driver == DAX_DRIVER_KMEM)
		return 0;
	if (kmem && !q->facts->map_on_itself)
		return zoneinfo_memory_map(room_bytes(q));
	if (verdict == VERDICT_DEVDAX && driver == DAX_DRIVER_NONE)
		return zoneinfo_devdax_map(q->facts->device.size, q->facts->align);
	return 0;
}

/* A host that cannot spare the memory map would kill processes to have it. */
static void check_head_room(struct decision *decision, const struct question *q)
{
	const struct zoneinfo *zones = &q->facts->zones;
	uint64_t needed = map_needed(q, decision->verdict, decision->reason);

	if (!needed || (!zones->known && !zones->unreadable))
		return;
	decision->map_needed = needed;
	decision->map_spare = zones->spare;
	if (needed <= zones->spare)
		return;
	decision->reason = REASON_NO_HEAD_ROOM;
	if (decision->verdict == VERDICT_ONLINE && !q->blocks.online &&
		map_needed(q, VERDICT_DEVDAX, decision->reason) <= zones->spare)
		decision->verdict = VERDICT_DEVDAX;
	else
		decision->verdict = VERDICT_IGNORE;
}

/*
 * The zone of what no rule puts into another one. TDX guest memory is not movable: ZONE_MOVABLE can
 * never back a confidential VM.
 */
static enum zone preset_zone(const struct question *q)
{
	static const enum zone by_kernel[AUTO_ONLINE_MAX] = {
		[AUTO_ONLINE_UNKNOWN] = ZONE_AUTO,
		[AUTO_ONLINE_OFFLINE] = ZONE_AUTO,
		[AUTO_ONLINE_ONLINE] = ZONE_AUTO,
		[AUTO_ONLINE_KERNEL] = ZONE_KERNEL,
		[AUTO_ONLINE_MOVABLE] = ZONE_MOVABLE,
	};

	if (tdx_refuses(&q->facts->tdx))
		return ZONE_KERNEL;
	return stands_in(q) ? by_kernel[q->facts->auto_online] : ZONE_AUTO;
}

/* A rule does not get more movable memory than allowed; the kernel's own policy does. */
static void choose_zone(struct decision *decision, const struct question *q)
{
	const struct facts *facts = q->facts;
	uint64_t most = q->config->movable_ratio == MOVABLE_RATIO_KERNEL ? facts->movable_advice
									 : q->config->movable_ratio;
	enum zone preset = preset_zone(q);
	uint64_t more = room_bytes(q) - q->blocks.online * facts->block_size;

	decision->zone = q->rule && q->rule->zone ? q->rule->zone : preset;
	if (decision->zone != ZONE_MOVABLE)
		return;
	if (facts->zones.known)
		decision->movable_ratio = zoneinfo_movable_ratio(&facts->zones, more);
	if (preset == ZONE_MOVABLE || (facts->zones.known && decision->movable_ratio <= most))
		return;
	decision->zone = preset;
	decision->zone_overruled = true;
}

/* Has the administrator asked for something to be done with such a range? */
static enum withheld withhold(const struct question *q, const struct decision *decision)
{
	enum present present = q->config->present;

	if (q->config->observe)
		return WITHHELD_OBSERVE;
	if (!q->facts->device.present || present == PRESENT_ACT)
		return WITHHELD_NOT;
	if (q->rule && q->rule->match[MATCH_PRESENT])
		return WITHHELD_NOT;
	if (present == PRESENT_RECORD || decision->verdict == VERDICT_ONLINE ||
		decision->reason == REASON_KERNEL_OFFLINE)
		return WITHHELD_PRESENT;
	return leaves_allocator(decision->verdict) && q->blocks.online ? WITHHELD_PRESENT
								       : WITHHELD_NOT;
}

/* build_tdx_memlist() and tdx_memory_notifier(), arch/x86/virt/vmx/tdx/tdx.c, 6.8 and later. */
static enum answer expect(const struct question *q)
{
	enum tdx_state detected = q->facts->tdx.detected;

	/* There is no memory block that the kernel could be asked to take. */
	if (too_small(q))
		return ANSWER_NONE;
	if (detected == TDX_ABSENT || detected == TDX_ARMED)
		return ANSWER_ACCEPTS;
	if (boot_map_unknown(q) || !q->facts->device.n_ranges)
		return ANSWER_NONE;
	if (inside(q))
		return ANSWER_ACCEPTS;
	return detected == TDX_ACTIVE ? ANSWER_REFUSES : ANSWER_NONE;
}

enum answer policy_expects(const struct facts *facts)
{
	struct question q = ask(facts);

	return expect(&q);
}

/* All of it was there at boot, and the kernel refuses a block of it nevertheless. */
static bool lies_across(const struct question *q)
{
	const struct device *device = &q->facts->device;

	for (size_t i = 0; i < device->n_ranges; i++)
		if (is_listed_dax(q->facts, device->ranges[i]) ||
			boot_map_bytes(q->facts->boot_map, device->ranges[i]) <
				range_size(device->ranges[i]))
			return false;
	return true;
}

struct decision policy_decide(const struct config *config, const struct facts *facts)
{
	struct question q = ask(facts);
	struct decision decision = {.zone = ZONE_NONE, .source = BOOT_SOURCE_NONE};
	size_t row = 0;

	q.config = config;
	q.rule = config_find_rule(config, facts);
	while (!rows[row].holds(&q))
		row++;
	decision.verdict = device_is_dax(&facts->device) ? rows[row].dax : rows[row].blocks;
	decision.reason = rows[row].reason;
	apply_rule(&decision, &q, rows[row].may);
	check_head_room(&decision, &q);
	decision.offline_blocks = leaves_allocator(decision.verdict) && may_offline(&q);
	if (decision.verdict == VERDICT_ONLINE)
		choose_zone(&decision, &q);
	if (decision.reason == REASON_IN_BOOT_MAP)
		decision.source = q.source;
	if (decision.reason == REASON_STRADDLES_BOOT_MAP)
		decision.across = lies_across(&q);
	decision.withheld = withhold(&q, &decision);
	decision.expected = expect(&q);
	return decision;
}

struct decision policy_undone(
	const struct decision *was, const struct device *device, enum reason reason)
{
	struct decision decision = *was;

	decision.verdict = device_is_dax(device) ? VERDICT_DEVDAX : VERDICT_OFFLINE;
	decision.reason = reason;
	decision.zone = ZONE_NONE;
	decision.source = BOOT_SOURCE_NONE;
	decision.overruled = false;
	decision.across = false;
	decision.zone_overruled = false;
	decision.movable_ratio = 0;
	decision.map_needed = 0;
	decision.map_spare = 0;
	return decision;
}

bool policy_rolls_back(const struct decision *decision, const struct device *device, bool refused)
{
	if (decision->on_failure == ON_FAILURE_DEFAULT)
		return refused || device_is_dax(device);
	return decision->on_failure == ON_FAILURE_ROLLBACK;
}
