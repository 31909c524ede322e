/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy over the whole space of scenes.
 *
 * At each point the promises of policy.h and of the design's section 3 must hold, whatever the
 * combination. None of them states which decision is right: those examples are in test_policy.c.
 * What the steps of a decision do to the machine is in test_plan.c.
 */
#include "tests/unit/scene.h"

#define promise(condition, scene)                                                                  \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_scene(scene, #condition);                                             \
	} while (0)

static bool is_ruled(const struct scene *s)
{
	return s->asks >= ASKS_NO_VERDICT;
}

static bool has_online_block(const struct scene *s)
{
	return s->second == SECOND_ONE_ONLINE || s->presence == PRESENCE_ONLINE ||
	       s->presence == PRESENCE_ONE_ONLINE || s->presence == PRESENCE_ONE_GOING;
}

static bool has_unread_block(const struct scene *s)
{
	return s->presence == PRESENCE_ONE_UNREAD || s->second == SECOND_ONE_UNREAD;
}

/* Of the first range. */
static enum containment containment_of_first(const struct scene *s)
{
	switch (s->place) {
	case PLACE_INSIDE:
		return CONTAINMENT_INSIDE;
	case PLACE_CLAIMED:
		return s->dax ? CONTAINMENT_OUTSIDE : CONTAINMENT_INSIDE;
	case PLACE_STRADDLES:
	case PLACE_ACROSS:
		/* The small range lies within the first half, and has no whole block. */
		return s->presence == PRESENCE_TOO_SMALL ? CONTAINMENT_INSIDE
							 : CONTAINMENT_STRADDLES;
	default:
		return CONTAINMENT_OUTSIDE;
	}
}

/* All of the device was there at boot, or is asserted to be as good; or none of it, or a part. */
static enum containment containment_of(const struct scene *s)
{
	enum containment first = containment_of_first(s);
	enum containment second =
		s->second > SECOND_OUTSIDE ? CONTAINMENT_INSIDE : CONTAINMENT_OUTSIDE;

	return !s->second || first == second ? first : CONTAINMENT_STRADDLES;
}

/* What the page allocator must never get, whatever a rule asks for: NULL, or why not. */
static const char *never_online(const struct scene *s)
{
	if (s->tdx != TDX_ABSENT && containment_of(s) != CONTAINMENT_INSIDE)
		return "TDX refuses it";
	if (s->type == TYPE_PMEM)
		return "it is persistent";
	if (s->driver == DAX_DRIVER_FSDEV || s->driver == DAX_DRIVER_OTHER)
		return "another driver has it";
	if (s->driver == DAX_DRIVER_DEVICE_DAX && s->use != DEVDAX_UNUSED)
		return "it may be open";
	if (s->driver == DAX_DRIVER_DEVICE_DAX && !(is_ruled(s) && s->convert))
		return "it is a devdax device";
	if (s->fault || has_unread_block(s))
		return "it is not known well enough";
	if (s->dax &&
		(s->type == TYPE_UNKNOWN || (s->presence == PRESENCE_TOO_SMALL && !s->second)))
		return "kmem cannot take it";
	if (s->created && s->driver == DAX_DRIVER_NONE &&
		(s->left == LEFT_NOT || s->left == LEFT_UNPLUGGED))
		return "the program that made it has not bound a driver";
	if (s->left == LEFT_UNPLUGGED)
		return "an administrator unplugged it";
	if (s->dax && s->driver != DAX_DRIVER_KMEM && !s->itself &&
		(s->head == HEAD_DEVDAX || s->head == HEAD_NONE))
		return "the host cannot spare its page metadata";
	return NULL;
}

/*
 * Without TDX the guard keeps the kernel from bringing such a device online, and no rule asks for
 * anything: is this what the kernel would have done? A rule that does not match is for any dax
 * device of another name, so it needs only the second switch, for its zone.
 */
static bool is_kernels(const struct scene *s, enum auto_online auto_online)
{
	bool asks = is_ruled(s) && (s->asks >= ASKS_VERDICT || s->zone);
	bool for_rule = s->asks >= ASKS_NO_MATCH && s->zone;
	bool both = s->guard == GUARD_MODE_ALWAYS;

	if (s->tdx != TDX_ABSENT || s->observe || asks || s->auto_online != auto_online ||
		s->guard == GUARD_MODE_NEVER)
		return false;
	return ((both || for_rule) && s->auto_online_held) || (both && s->dax && s->guarded);
}

/* The reasons that the walks have met with. */
static bool met[REASON_MAX];

static void check_total(const struct scene *s, const struct decision *d)
{
	promise(d->verdict < VERDICT_MAX && verdict_to_string(d->verdict), s);
	promise(d->reason < REASON_MAX && reason_to_string(d->reason), s);
	met[d->reason] = true;
	promise(d->reason != REASON_KERNEL_REFUSED && d->reason != REASON_ROLLED_BACK, s);
	promise(s->dax || d->verdict != VERDICT_DEVDAX, s);
	promise((d->zone == ZONE_NONE) == (d->verdict != VERDICT_ONLINE), s);
	promise(d->reason != REASON_KERNEL_OFFLINE || is_kernels(s, AUTO_ONLINE_OFFLINE), s);
	if (d->reason == REASON_TDX_ABSENT && is_kernels(s, AUTO_ONLINE_OFFLINE))
		promise(has_online_block(s), s);
	promise((d->source == BOOT_SOURCE_NONE) == (d->reason != REASON_IN_BOOT_MAP), s);
}

static void check_never_looser(const struct scene *s, const struct decision *d)
{
	const char *why = d->verdict == VERDICT_ONLINE ? never_online(s) : NULL;

	if (why)
		fail_scene(s, why);
}

/* The memory of confidential VMs is not movable, and too much of it starves the kernel. */
static void check_zone(const struct scene *s, const struct decision *d)
{
	bool asked = is_ruled(s) && s->zone == ZONE_MOVABLE;
	bool allowed = s->ratio == RATIO_ADVICE || s->ratio == RATIO_OWN;

	if (d->zone == ZONE_MOVABLE && !is_kernels(s, AUTO_ONLINE_MOVABLE))
		promise(asked && allowed && s->head != HEAD_UNKNOWN, s);
	if (d->zone == ZONE_AUTO)
		promise(s->tdx == TDX_ABSENT || (is_ruled(s) && s->zone == ZONE_AUTO), s);
}

/* What is not ours, and what may be open, stays as it is. */
static void check_untouched(const struct scene *s, const struct decision *d)
{
	bool open = s->driver == DAX_DRIVER_DEVICE_DAX && s->use != DEVDAX_UNUSED;

	if (s->type == TYPE_PMEM || s->driver == DAX_DRIVER_FSDEV || s->driver == DAX_DRIVER_OTHER)
		promise(d->verdict == VERDICT_IGNORE && !d->offline_blocks, s);
	else if (open)
		promise(d->verdict != VERDICT_ONLINE, s);
	else if (has_unread_block(s) && s->driver != DAX_DRIVER_DEVICE_DAX)
		promise(d->verdict == VERDICT_IGNORE, s);
}

/* A block that is online goes offline only by a rule that allows it, and kmem stays until then. */
static void check_online_stays(const struct scene *s, const struct decision *d)
{
	bool leaves = d->verdict == VERDICT_DEVDAX || d->verdict == VERDICT_OFFLINE;
	bool is_devdax = s->driver == DAX_DRIVER_DEVICE_DAX && d->verdict == VERDICT_DEVDAX;
	/* Without a device there is no driver to unbind, so the verdict changes nothing. */
	bool found_so = !s->dax && d->reason == REASON_BOOT_MAP_UNKNOWN;

	promise(!d->offline_blocks || (leaves && is_ruled(s) && s->offline), s);
	if (leaves && has_online_block(s))
		promise(d->offline_blocks || is_devdax || found_so, s);
}

/* Act=no and Present= hold for each decision that would change something. */
static void check_withheld(const struct scene *s, const struct decision *d)
{
	bool named = is_ruled(s) && s->match_present;
	bool leaves = d->verdict == VERDICT_DEVDAX || d->verdict == VERDICT_OFFLINE;
	bool hard_to_undo = d->verdict == VERDICT_ONLINE || (leaves && has_online_block(s)) ||
			    d->reason == REASON_KERNEL_OFFLINE;

	if (s->observe)
		promise(d->withheld == WITHHELD_OBSERVE, s);
	else if (!s->present || named)
		promise(d->withheld == WITHHELD_NOT, s);
	else if (s->may_present == PRESENT_RECORD ||
		 (s->may_present == PRESENT_SAFE && hard_to_undo))
		promise(d->withheld == WITHHELD_PRESENT, s);
}

/* The decision without any rule, and without the guard; a rule is what a walk turns fastest. */
static const struct decision *without_rules(const struct stage *stage)
{
	static struct decision decision;
	static struct scene last = {.type = TYPE_MAX};
	struct config config = stage->config;

	if (memcmp(last.at, stage->scene.at, sizeof(last.at[0]) * SCENE_RULE_AT) == 0)
		return &decision;
	config.n_rules = 0;
	config.guard = GUARD_MODE_NEVER;
	decision = policy_decide(&config, &stage->facts);
	last = stage->scene;
	return &decision;
}

/* A rule makes a decision stricter, never looser; only ConvertDevdax= widens what may be. */
static void check_monotony(const struct stage *stage, const struct decision *d)
{
	const struct scene *s = &stage->scene;
	const struct decision *bare = without_rules(stage);
	bool acts = is_ruled(s) && (s->convert || s->offline || s->asks >= ASKS_VERDICT);

	if (!acts && !is_kernels(s, AUTO_ONLINE_OFFLINE))
		promise(d->verdict == bare->verdict && d->reason == bare->reason, s);
	if (d->verdict == VERDICT_ONLINE && bare->verdict != VERDICT_ONLINE)
		promise(bare->reason == REASON_ALREADY_DEVDAX && s->convert, s);
	if (d->reason == REASON_RULE)
		promise(d->verdict == s->asks - ASKS_VERDICT ||
				(!s->dax && s->asks == ASKS(DEVDAX) &&
					d->verdict == VERDICT_OFFLINE),
			s);
	promise(!d->overruled || s->asks >= ASKS_VERDICT, s);
}

/* A reason that names the boot map tells of all ranges of the device. */
static void check_containment(const struct scene *s, const struct decision *d)
{
	if (d->reason == REASON_IN_BOOT_MAP)
		promise(containment_of(s) == CONTAINMENT_INSIDE, s);
	if (d->reason == REASON_STRADDLES_BOOT_MAP)
		promise(containment_of(s) == CONTAINMENT_STRADDLES, s);
	if (d->reason == REASON_OUTSIDE_BOOT_MAP)
		promise(containment_of(s) == CONTAINMENT_OUTSIDE, s);
}

static bool is_same(const struct decision *a, const struct decision *b)
{
	return a->verdict == b->verdict && a->reason == b->reason && a->zone == b->zone &&
	       a->source == b->source && a->expected == b->expected &&
	       strcmp(a->rule, b->rule) == 0 && a->unmatched == b->unmatched &&
	       a->overruled == b->overruled && a->asked == b->asked &&
	       a->on_failure == b->on_failure && a->offline_blocks == b->offline_blocks &&
	       a->withheld == b->withheld && a->zone_overruled == b->zone_overruled &&
	       a->movable_ratio == b->movable_ratio && a->map_needed == b->map_needed &&
	       a->map_spare == b->map_spare;
}

/* The same again, and with the ranges of the device in the other order. */
static void check_determined(const struct stage *stage, const struct decision *d)
{
	struct facts facts = stage->facts;
	struct range turned[2];
	struct decision again;

	if (facts.device.n_ranges == 2) {
		turned[0] = facts.device.ranges[1];
		turned[1] = facts.device.ranges[0];
		facts.device.ranges = turned;
	}
	again = policy_decide(&stage->config, &facts);
	promise(is_same(d, &again), &stage->scene);
}

/* The decision on one of the ranges, were it all of the device. */
static struct decision decide_part(const struct stage *stage, size_t i)
{
	struct facts facts = stage->facts;
	const struct range range = facts.device.ranges[i];
	struct block *blocks = facts.blocks.blocks;

	facts.device.ranges += i;
	facts.device.n_ranges = 1;
	facts.device.size = range_size(range);
	while (facts.blocks.n && blocks->id < range.start / BLOCK) {
		blocks++;
		facts.blocks.n--;
	}
	while (facts.blocks.n && blocks[facts.blocks.n - 1].id >= range.end / BLOCK)
		facts.blocks.n--;
	facts.blocks.blocks = blocks;
	return policy_decide(&stage->config, &facts);
}

/*
 * All ranges of a device share a driver: it goes online only if each of them might do so alone. One
 * without a whole block might not, but is no obstacle to the other; nor is one without a block
 * online, if the kernel leaves new memory offline and the other one has been brought online.
 */
static void check_parts(const struct stage *stage, const struct decision *d)
{
	const struct scene *s = &stage->scene;

	for (size_t i = s->presence == PRESENCE_TOO_SMALL; s->second && i < 2; i++) {
		struct decision part = decide_part(stage, i);

		if (d->verdict == VERDICT_ONLINE && !is_kernels(s, AUTO_ONLINE_OFFLINE))
			promise(part.verdict == VERDICT_ONLINE, s);
		if (d->reason == REASON_IN_BOOT_MAP || d->reason == REASON_OUTSIDE_BOOT_MAP)
			promise(part.reason == d->reason, s);
	}
}

static void check(struct stage *stage)
{
	const struct decision d = stage_decide(stage);
	const struct scene *s = &stage->scene;

	check_total(s, &d);
	check_never_looser(s, &d);
	check_zone(s, &d);
	check_untouched(s, &d);
	check_online_stays(s, &d);
	check_withheld(s, &d);
	check_monotony(stage, &d);
	check_determined(stage, &d);
	check_containment(s, &d);
	check_parts(stage, &d);
}

/* Every device, TDX state and rule; one range, a host with room. */
static void test_ranges(void **state)
{
	static const struct scene base;
	static const struct scene values = {.type = TYPE_MAX,
		.dax = 2,
		.driver = DAX_DRIVER_MAX,
		.fault = FAULT_MAX,
		.place = PLACE_MAX,
		.presence = PRESENCE_MAX,
		.tdx = TDX_STATE_MAX,
		.use = 3,
		.convert = 2,
		.offline = 2,
		.asks = ASKS_MAX};

	(void)state;
	scene_each(&base, &values, check);
}

/* Devices of one and of two ranges, by what the host can spare. */
static void test_devices(void **state)
{
	static const struct scene base = {.type = TYPE_CXL, .dax = 1, .tdx = TDX_ABSENT};
	static const struct scene values = {.driver = 3,
		.place = 3,
		.presence = PRESENCE_MAX,
		.second = SECOND_MAX,
		.tdx = 2,
		.use = 3,
		.head = HEAD_MAX,
		.small_pages = 2,
		.itself = 2,
		.convert = 2,
		.offline = 2,
		.asks = ASKS_MAX};

	(void)state;
	scene_each(&base, &values, check);
}

/* All words of the administrator. */
static void test_words(void **state)
{
	static const struct scene base = {.type = TYPE_HMEM, .use = DEVDAX_UNUSED};
	static const struct scene values = {.dax = 2,
		.driver = 3,
		.place = 2,
		.presence = 4,
		.tdx = 2,
		.head = 2,
		.ratio = RATIO_MAX,
		.present = 2,
		.may_present = PRESENT_MAX,
		.observe = 2,
		.zone = ZONE_MAX,
		.match_present = 2,
		.offline = 2,
		.convert = 2,
		.asks = ASKS_MAX};

	(void)state;
	scene_each(&base, &values, check);
}

static void test_anything(void **state)
{
	(void)state;
	scene_sample(400000, 7, check);
}

/* A promise about what no scene has would prove nothing. */
static void test_all_met(void **state)
{
	(void)state;
	for (enum reason reason = 0; reason < REASON_MAX; reason++)
		if (reason != REASON_KERNEL_REFUSED && reason != REASON_ROLLED_BACK && !met[reason])
			fail_msg("%s", reason_to_string(reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_anything),
		cmocka_unit_test(test_all_met),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
