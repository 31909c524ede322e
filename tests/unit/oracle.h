/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is to be decided of a scene: the design's section 3 and the headers' promises once more,
 * in other words than those of lib/policy.c. The policy looks at a snapshot; this looks at the
 * scene that it was made from, so an error would have to be made twice to pass.
 */
#pragma once

#include "scene.h"

static inline bool refuses(const struct scene *s)
{
	return s->gate != GATE_ABSENT;
}

static inline bool rule_matches_scene(const struct scene *s)
{
	return s->asks >= ASKS_NO_VERDICT;
}

static inline bool may_convert(const struct scene *s)
{
	return rule_matches_scene(s) && s->convert;
}

static inline bool may_offline(const struct scene *s)
{
	return rule_matches_scene(s) && s->offline;
}

static inline bool too_small(const struct scene *s)
{
	return s->presence == PRESENCE_TOO_SMALL;
}

/* A block that is online, or may be so again. Where it lies unread, nobody knows of a block. */
static inline bool any_online(const struct scene *s)
{
	return s->second == SECOND_ONE_ONLINE ||
	       (s->fault != FAULT_UNREADABLE && s->presence >= PRESENCE_ONLINE &&
		       s->presence <= PRESENCE_ONE_GOING);
}

static inline bool anything_unread(const struct scene *s)
{
	return s->fault == FAULT_UNREADABLE || s->presence == PRESENCE_ONE_UNREAD ||
	       s->second == SECOND_ONE_UNREAD;
}

/* All of the range was there at boot, or is asserted to be as good. */
static inline bool range_accepted(const struct scene *s)
{
	if (s->fault == FAULT_UNREADABLE || s->place == PLACE_OUTSIDE || s->place == PLACE_UNKNOWN)
		return false;
	if (s->dax && s->place == PLACE_CLAIMED)
		return false;
	/* The small one lies at the start of the first half. */
	return too_small(s) || s->place == PLACE_INSIDE || s->place == PLACE_CLAIMED;
}

static inline bool device_accepted(const struct scene *s)
{
	return range_accepted(s) && s->second != SECOND_OUTSIDE;
}

/* Somebody else's, whatever an administrator says. */
static inline bool someone_elses(const struct scene *s)
{
	return s->carrier == CARRIER_PMEM || s->driver == DAX_DRIVER_FSDEV ||
	       s->driver == DAX_DRIVER_OTHER;
}

/* The promise of never being looser than the gate, head room apart. */
static inline bool may_be_online(const struct scene *s)
{
	if (someone_elses(s) || anything_unread(s) || s->fault != FAULT_NONE)
		return false;
	if (s->dax && (s->carrier == CARRIER_UNKNOWN || (too_small(s) && !s->second)))
		return false;
	if (s->driver == DAX_DRIVER_DEVICE_DAX && (!may_convert(s) || s->use != DEVDAX_UNUSED))
		return false;
	return !refuses(s) || device_accepted(s);
}

/* Bytes of memory map that a verdict would cost. */
static inline uint64_t map_cost(const struct scene *s, enum verdict verdict)
{
	uint64_t first = too_small(s) ? 127 * MIB : GIB, more = s->second ? GIB : 0;

	if (!s->dax || s->driver == DAX_DRIVER_KMEM)
		return 0;
	if (verdict == VERDICT_ONLINE)
		return s->itself ? 0 : ((too_small(s) ? 0 : first) + more) / 64;
	if (verdict == VERDICT_DEVDAX && s->driver == DAX_DRIVER_NONE)
		return (first + more) / (s->small_pages ? 64 : 256);
	return 0;
}

static inline enum reason why_someone_elses(const struct scene *s)
{
	if (s->carrier == CARRIER_PMEM)
		return REASON_PERSISTENT_MEMORY;
	return s->driver == DAX_DRIVER_FSDEV ? REASON_FAMFS : REASON_FOREIGN_DRIVER;
}

static inline enum reason why_in_doubt(const struct scene *s)
{
	if (anything_unread(s))
		return REASON_UNREADABLE;
	return s->fault == FAULT_NO_NODE ? REASON_NO_TARGET_NODE : REASON_UNKNOWN_DEVICE;
}

/* A part of what is asked for was there at boot. */
static inline bool partly_accepted(const struct scene *s)
{
	bool claimed_in_vain = s->dax && s->place == PLACE_CLAIMED;

	return s->place != PLACE_OUTSIDE && s->place != PLACE_UNKNOWN && !claimed_in_vain;
}

static inline struct decision because(enum verdict verdict, enum reason reason)
{
	return (struct decision){.verdict = verdict, .reason = reason};
}

/* What is kept out of the page allocator, because TDX would refuse it or may. */
static inline struct decision expect_kept_out(const struct scene *s)
{
	enum verdict out = s->dax ? VERDICT_DEVDAX : VERDICT_OFFLINE;

	if (s->place == PLACE_UNKNOWN && s->second <= SECOND_OUTSIDE)
		return because(s->dax ? VERDICT_IGNORE : VERDICT_OFFLINE, REASON_BOOT_MAP_UNKNOWN);
	if (any_online(s) && !may_offline(s))
		return because(VERDICT_IGNORE, REASON_ALREADY_ONLINE);
	return because(
		out, partly_accepted(s) ? REASON_STRADDLES_BOOT_MAP : REASON_OUTSIDE_BOOT_MAP);
}

/* The verdict that a rule cannot but take as it is: it may ask for less, not for more. */
static inline struct decision expect_without_verdict(const struct scene *s)
{
	bool in_use = may_convert(s) && s->use != DEVDAX_UNUSED;

	if (someone_elses(s))
		return because(VERDICT_IGNORE, why_someone_elses(s));
	if (s->driver == DAX_DRIVER_DEVICE_DAX && (!may_convert(s) || in_use))
		return because(VERDICT_DEVDAX, in_use ? REASON_IN_USE : REASON_ALREADY_DEVDAX);
	if (anything_unread(s) || s->fault || (s->dax && s->carrier == CARRIER_UNKNOWN))
		return because(VERDICT_IGNORE, why_in_doubt(s));
	if (s->dax && too_small(s) && !s->second)
		return because(VERDICT_DEVDAX, REASON_TOO_SMALL);
	if (may_be_online(s))
		return because(
			VERDICT_ONLINE, refuses(s) ? REASON_IN_BOOT_MAP : REASON_GATE_ABSENT);
	return expect_kept_out(s);
}

/* Nothing may be asked of it at all. */
static inline bool frozen(const struct decision *d)
{
	return d->reason == REASON_PERSISTENT_MEMORY || d->reason == REASON_FAMFS ||
	       d->reason == REASON_FOREIGN_DRIVER || d->reason == REASON_UNREADABLE;
}

static inline void expect_rule(struct decision *d, const struct scene *s)
{
	enum verdict asked = s->asks - ASKS_VERDICT, wanted = asked;

	if (s->asks < ASKS_VERDICT)
		return;
	if (asked == VERDICT_DEVDAX && !s->dax)
		wanted = VERDICT_OFFLINE;
	if (wanted == d->verdict)
		return;
	d->overruled = true;
	d->asked = asked;
	if (wanted == VERDICT_ONLINE || frozen(d))
		return;
	if (wanted != VERDICT_IGNORE && any_online(s) && !may_offline(s)) {
		d->verdict = VERDICT_IGNORE;
		d->reason = REASON_ALREADY_ONLINE;
		return;
	}
	d->overruled = false;
	d->asked = 0;
	d->verdict = wanted;
	d->reason = REASON_RULE;
}

static inline uint64_t spare_of(const struct scene *s)
{
	return s->head == HEAD_PLENTY ? GIB : s->head == HEAD_DEVDAX ? 8 * MIB : 0;
}

static inline void expect_head_room(struct decision *d, const struct scene *s)
{
	uint64_t cost = map_cost(s, d->verdict), spare = spare_of(s);
	bool devdax = d->verdict == VERDICT_ONLINE && !any_online(s) &&
		      map_cost(s, VERDICT_DEVDAX) <= spare;

	if (s->head == HEAD_UNKNOWN || !cost)
		return;
	d->map_needed = cost;
	d->map_spare = spare;
	if (cost <= spare)
		return;
	d->reason = REASON_NO_HEAD_ROOM;
	d->verdict = devdax ? VERDICT_DEVDAX : VERDICT_IGNORE;
}

/* GiB of the range that are not online yet, in eighths: that many blocks. */
static inline uint64_t blocks_to_come(const struct scene *s)
{
	static const uint64_t online[] = {[PRESENCE_ONLINE] = 8,
		[PRESENCE_ONE_ONLINE] = 1,
		[PRESENCE_ONE_GOING] = 1,
		[PRESENCE_TOO_SMALL] = 8};
	uint64_t second = s->second == SECOND_NONE ? 0 : s->second == SECOND_ONE_ONLINE ? 7 : 8;

	return 8 - online[s->presence] + second;
}

static inline void expect_zone(struct decision *d, const struct scene *s)
{
	bool asked = rule_matches_scene(s) && s->zone != ZONE_NONE;
	bool much = s->ratio == RATIO_NO_ADVICE || s->ratio == RATIO_NOT_OWN;

	if (asked && s->zone == ZONE_MOVABLE && s->head != HEAD_UNKNOWN) {
		const struct zones zones = {.known = true, .kernel = 16 * GIB, .movable = 4 * GIB};

		d->movable_ratio = zones_movable_ratio(&zones, blocks_to_come(s) * BLOCK);
	}
	d->zone_overruled = asked && s->zone == ZONE_MOVABLE && (much || s->head == HEAD_UNKNOWN);
	if (asked && !d->zone_overruled)
		d->zone = s->zone;
	else
		d->zone = refuses(s) ? ZONE_KERNEL : ZONE_AUTO;
}

/* What was there before is touched only as far as Present= says, or as a rule says by name. */
static inline enum withheld expect_withheld(const struct decision *d, const struct scene *s)
{
	bool named = rule_matches_scene(s) && s->match_present;
	bool used =
		any_online(s) && (d->verdict == VERDICT_DEVDAX || d->verdict == VERDICT_OFFLINE);

	if (s->observe)
		return WITHHELD_OBSERVE;
	if (!s->present || named || s->may_present == PRESENT_ACT)
		return WITHHELD_NOT;
	if (s->may_present == PRESENT_SAFE && d->verdict != VERDICT_ONLINE && !used)
		return WITHHELD_NOT;
	return WITHHELD_PRESENT;
}

static inline void expect_online(struct decision *d, const struct scene *s)
{
	expect_zone(d, s);
	if (too_small(s))
		d->unaligned = 127 * MIB;
}

/* The whole decision; of the rule's name only whether there is one. */
static inline struct decision expect(const struct scene *s)
{
	struct decision d = expect_without_verdict(s);

	expect_rule(&d, s);
	expect_head_room(&d, s);
	if (d.verdict == VERDICT_ONLINE)
		expect_online(&d, s);
	if (d.reason == REASON_IN_BOOT_MAP)
		d.source = s->dax ? BOOT_SOURCE_CONFIGURATION : BOOT_SOURCE_BOOT_PARAMS;
	d.unmatched = s->asks == ASKS_NO_MATCH;
	d.rule[0] = rule_matches_scene(s) ? '1' : '\0';
	d.on_failure = rule_matches_scene(s) ? s->on_failure : ON_FAILURE_DEFAULT;
	d.offline_blocks =
		may_offline(s) && (d.verdict == VERDICT_DEVDAX || d.verdict == VERDICT_OFFLINE);
	d.withheld = expect_withheld(&d, s);
	return d;
}
