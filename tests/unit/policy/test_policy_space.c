/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy over the whole space of scenes.
 *
 * The invariants of the policy must hold for each combination. None of them states which decision
 * is right: test_policy.c has examples. The effect of the steps is tested in test_plan.c.
 */
#include "tests/unit/scene.h"

#define require(condition, scene)                                                                  \
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

/* The containment of the first range. */
static enum containment containment_of_first(const struct scene *s)
{
	switch (s->place) {
	case PLACE_INSIDE:
		return CONTAINMENT_INSIDE;
	case PLACE_CLAIMED:
		return s->dax ? CONTAINMENT_OUTSIDE : CONTAINMENT_INSIDE;
	case PLACE_STRADDLES:
	case PLACE_ACROSS:
		/* The small range lies in the first half and has no whole block. */
		return s->presence == PRESENCE_TOO_SMALL ? CONTAINMENT_INSIDE
							 : CONTAINMENT_STRADDLES;
	default:
		return CONTAINMENT_OUTSIDE;
	}
}

/* The containment of all ranges: inside if each is RAM at boot or asserted, outside if none is. */
static enum containment containment_of(const struct scene *s)
{
	enum containment first = containment_of_first(s);
	enum containment second =
		s->second > SECOND_OUTSIDE ? CONTAINMENT_INSIDE : CONTAINMENT_OUTSIDE;

	return !s->second || first == second ? first : CONTAINMENT_STRADDLES;
}

/* Why the memory must not go online for any rule; NULL: it may. */
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
 * With TDX absent and the guard held, no rule requires anything for this device: is `auto_online`
 * the policy of the kernel for it? The rule that does not match names another dax device, so it
 * holds only the second switch, for its zone.
 */
static bool is_kernel_policy(const struct scene *s, enum auto_online auto_online)
{
	bool asks = is_ruled(s) && (s->asks >= ASKS_VERDICT || s->zone);
	bool for_rule = s->asks >= ASKS_NO_MATCH && s->zone;
	bool both = s->guard == GUARD_MODE_ALWAYS;

	if (s->tdx != TDX_ABSENT || s->observe || asks || s->auto_online != auto_online ||
		s->guard == GUARD_MODE_NEVER)
		return false;
	return ((both || for_rule) && s->auto_online_held) || (both && s->dax && s->guarded);
}

/* The reasons that occurred. */
static bool occurred[REASON_MAX];

static void check_total(const struct scene *s, const struct decision *d)
{
	require(d->verdict < VERDICT_MAX && verdict_to_string(d->verdict), s);
	require(d->reason < REASON_MAX && reason_to_string(d->reason), s);
	occurred[d->reason] = true;
	require(d->reason != REASON_KERNEL_REFUSED && d->reason != REASON_ROLLED_BACK, s);
	require(s->dax || d->verdict != VERDICT_DEVDAX, s);
	require((d->zone == ZONE_NONE) == (d->verdict != VERDICT_ONLINE), s);
	require(d->reason != REASON_KERNEL_OFFLINE || is_kernel_policy(s, AUTO_ONLINE_OFFLINE), s);
	if (d->reason == REASON_TDX_ABSENT && is_kernel_policy(s, AUTO_ONLINE_OFFLINE))
		require(has_online_block(s), s);
	require((d->source == BOOT_SOURCE_NONE) == (d->reason != REASON_IN_BOOT_MAP), s);
}

static void check_never_looser(const struct scene *s, const struct decision *d)
{
	const char *why = d->verdict == VERDICT_ONLINE ? never_online(s) : NULL;

	if (why)
		fail_scene(s, why);
}

/*
 * Memory of confidential VMs is not movable, and too much movable memory leaves the kernel too
 * little.
 */
static void check_zone(const struct scene *s, const struct decision *d)
{
	bool asked = is_ruled(s) && s->zone == ZONE_MOVABLE;
	bool allowed = s->ratio == RATIO_ADVICE || s->ratio == RATIO_OWN;

	if (d->zone == ZONE_MOVABLE && !is_kernel_policy(s, AUTO_ONLINE_MOVABLE))
		require(asked && allowed && s->head != HEAD_UNKNOWN, s);
	if (d->zone == ZONE_AUTO)
		require(s->tdx == TDX_ABSENT || (is_ruled(s) && s->zone == ZONE_AUTO), s);
}

/* Devices of others and devices that may be open stay as they are. */
static void check_untouched(const struct scene *s, const struct decision *d)
{
	bool open = s->driver == DAX_DRIVER_DEVICE_DAX && s->use != DEVDAX_UNUSED;

	if (s->type == TYPE_PMEM || s->driver == DAX_DRIVER_FSDEV || s->driver == DAX_DRIVER_OTHER)
		require(d->verdict == VERDICT_IGNORE && !d->offline_blocks, s);
	else if (open)
		require(d->verdict != VERDICT_ONLINE, s);
	else if (has_unread_block(s) && s->driver != DAX_DRIVER_DEVICE_DAX)
		require(d->verdict == VERDICT_IGNORE, s);
}

/* An online block goes offline only if a rule allows it, and kmem is bound until then. */
static void check_online_stays(const struct scene *s, const struct decision *d)
{
	bool leaves = d->verdict == VERDICT_DEVDAX || d->verdict == VERDICT_OFFLINE;
	bool is_devdax = s->driver == DAX_DRIVER_DEVICE_DAX && d->verdict == VERDICT_DEVDAX;
	/* Without a dax device there is no driver to unbind, so the verdict changes nothing. */
	bool found_so = !s->dax && d->reason == REASON_BOOT_MAP_UNKNOWN;

	require(!d->offline_blocks || (leaves && is_ruled(s) && s->offline), s);
	if (leaves && has_online_block(s))
		require(d->offline_blocks || is_devdax || found_so, s);
}

/* Act=no and Present= withhold each decision that would change something. */
static void check_withheld(const struct scene *s, const struct decision *d)
{
	bool named = is_ruled(s) && s->match_present;
	bool leaves = d->verdict == VERDICT_DEVDAX || d->verdict == VERDICT_OFFLINE;
	bool hard_to_undo = d->verdict == VERDICT_ONLINE || (leaves && has_online_block(s)) ||
			    d->reason == REASON_KERNEL_OFFLINE;

	if (s->observe)
		require(d->withheld == WITHHELD_OBSERVE, s);
	else if (!s->present || named)
		require(d->withheld == WITHHELD_NOT, s);
	else if (s->may_present == PRESENT_RECORD ||
		 (s->may_present == PRESENT_SAFE && hard_to_undo))
		require(d->withheld == WITHHELD_PRESENT, s);
}

/* The decision without rules and guard, cached because a walk changes the rule most often. */
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

/* A rule makes a decision stricter, never looser, except for ConvertDevdax=. */
static void check_monotony(const struct stage *stage, const struct decision *d)
{
	const struct scene *s = &stage->scene;
	const struct decision *bare = without_rules(stage);
	bool acts = is_ruled(s) && (s->convert || s->offline || s->asks >= ASKS_VERDICT);

	if (!acts && !is_kernel_policy(s, AUTO_ONLINE_OFFLINE))
		require(d->verdict == bare->verdict && d->reason == bare->reason, s);
	if (d->verdict == VERDICT_ONLINE && bare->verdict != VERDICT_ONLINE)
		require(bare->reason == REASON_ALREADY_DEVDAX && s->convert, s);
	if (d->reason == REASON_RULE)
		require(d->verdict == s->asks - ASKS_VERDICT ||
				(!s->dax && s->asks == ASKS(DEVDAX) &&
					d->verdict == VERDICT_OFFLINE),
			s);
	require(!d->overruled || s->asks >= ASKS_VERDICT, s);
}

/* A reason about the boot map is true of all ranges of the device. */
static void check_containment(const struct scene *s, const struct decision *d)
{
	if (d->reason == REASON_IN_BOOT_MAP)
		require(containment_of(s) == CONTAINMENT_INSIDE, s);
	if (d->reason == REASON_STRADDLES_BOOT_MAP)
		require(containment_of(s) == CONTAINMENT_STRADDLES, s);
	if (d->reason == REASON_OUTSIDE_BOOT_MAP)
		require(containment_of(s) == CONTAINMENT_OUTSIDE, s);
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

/* The decision is the same again, and with the ranges of the device in the other order. */
static void check_determined(const struct stage *stage, const struct decision *d)
{
	struct facts facts = stage->facts;
	struct range reversed[2];
	struct decision again;

	if (facts.device.n_ranges == 2) {
		reversed[0] = facts.device.ranges[1];
		reversed[1] = facts.device.ranges[0];
		facts.device.ranges = reversed;
	}
	again = policy_decide(&stage->config, &facts);
	require(is_same(d, &again), &stage->scene);
}

/* The decision if the device had this range only. */
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
 * All ranges of a device have the same driver: the device goes online only if each range alone
 * would. Two exceptions: a range without a whole block, and, if the policy of the kernel is to
 * leave new memory offline, a range without an online block beside one that another program
 * onlined.
 */
static void check_parts(const struct stage *stage, const struct decision *d)
{
	const struct scene *s = &stage->scene;

	for (size_t i = s->presence == PRESENCE_TOO_SMALL; s->second && i < 2; i++) {
		struct decision part = decide_part(stage, i);

		if (d->verdict == VERDICT_ONLINE && !is_kernel_policy(s, AUTO_ONLINE_OFFLINE))
			require(part.verdict == VERDICT_ONLINE, s);
		if (d->reason == REASON_IN_BOOT_MAP || d->reason == REASON_OUTSIDE_BOOT_MAP)
			require(part.reason == d->reason, s);
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

/* Every device, TDX state and rule; one range, and enough free memory. */
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

/* Devices of one and two ranges, by the free memory of the host. */
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

/* All keys of the administrator. */
static void test_settings(void **state)
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

static void test_random_scenes(void **state)
{
	(void)state;
	scene_sample(400000, 7, check);
}

/* Every reason occurred, so the checks above are not empty. */
static void test_all_reasons_occurred(void **state)
{
	(void)state;
	for (enum reason reason = 0; reason < REASON_MAX; reason++)
		if (reason != REASON_KERNEL_REFUSED && reason != REASON_ROLLED_BACK &&
			!occurred[reason])
			fail_msg("%s", reason_to_string(reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_random_scenes),
		cmocka_unit_test(test_all_reasons_occurred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
