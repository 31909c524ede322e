/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy over the whole space of scenes.
 *
 * At each point the decision must be the oracle's, and the promises of policy.h and of the
 * design's section 3 must hold, each said on its own; so no combination is forgotten because
 * nobody thought of it, and none is right only by the oracle's error. What a scene cannot show
 * is in test_policy.c, by hand.
 */
#include "oracle.h"

#define promise(condition, scene)                                                                  \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_scene(scene, #condition);                                             \
	} while (0)

/* Not one member is forgotten: all others are numbers of one of these. */
static const char *difference(const struct decision *a, const struct decision *b)
{
	const struct {
		const char *name;
		uint64_t a, b;
	} rows[] = {
		{"verdict", a->verdict, b->verdict},
		{"reason", a->reason, b->reason},
		{"zone", a->zone, b->zone},
		{"source", a->source, b->source},
		{"rule", a->rule[0] != 0, b->rule[0] != 0},
		{"unmatched", a->unmatched, b->unmatched},
		{"overruled", a->overruled, b->overruled},
		{"asked", a->asked, b->asked},
		{"on_failure", a->on_failure, b->on_failure},
		{"offline_blocks", a->offline_blocks, b->offline_blocks},
		{"withheld", a->withheld, b->withheld},
		{"zone_overruled", a->zone_overruled, b->zone_overruled},
		{"movable_ratio", a->movable_ratio, b->movable_ratio},
		{"map_needed", a->map_needed, b->map_needed},
		{"map_spare", a->map_spare, b->map_spare},
		{"unaligned", a->unaligned, b->unaligned},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].a != rows[i].b)
			return rows[i].name;
	return NULL;
}

static void check_oracle(const struct scene *s, const struct decision *d)
{
	const struct decision wanted = expect(s);
	const char *name = difference(d, &wanted);

	if (!name)
		return;
	print_error("%s: %s, %s; expected %s, %s\n", name, verdict_to_string(d->verdict),
		reason_to_string(d->reason), verdict_to_string(wanted.verdict),
		reason_to_string(wanted.reason));
	fail_scene(s, "not as the oracle says");
}

/* Every range gets a verdict, and a reason with a name. */
static void check_total(const struct scene *s, const struct decision *d)
{
	promise(d->verdict < VERDICT_MAX && verdict_to_string(d->verdict), s);
	promise(d->reason < REASON_MAX && reason_to_string(d->reason), s);
	promise(d->reason != REASON_KERNEL_REFUSED && d->reason != REASON_ROLLED_BACK, s);
	promise(d->zone < ZONE_MAX && d->source < BOOT_SOURCE_MAX, s);
	promise(s->dax || d->verdict != VERDICT_DEVDAX, s);
	promise((d->zone == ZONE_NONE) == (d->verdict != VERDICT_ONLINE), s);
	promise((d->source == BOOT_SOURCE_NONE) == (d->reason != REASON_IN_BOOT_MAP), s);
	promise(d->verdict == VERDICT_ONLINE || !d->unaligned, s);
	promise(d->overruled || d->asked == 0, s);
	promise(d->rule[0] || (!d->overruled && !d->on_failure && !d->offline_blocks), s);
}

/* What TDX would refuse, or the host cannot bear, is never given to the page allocator. */
static void check_never_looser(const struct scene *s, const struct decision *d)
{
	if (d->verdict != VERDICT_ONLINE)
		return;
	promise(may_be_online(s), s);
	promise(s->head == HEAD_UNKNOWN || map_cost(s, VERDICT_ONLINE) <= spare_of(s), s);
	promise(d->reason == (refuses(s) ? REASON_IN_BOOT_MAP : REASON_GATE_ABSENT), s);
}

/* kmem is never to go, and nothing to be taken from the page allocator, unless a rule says so. */
static void check_online_stays(const struct scene *s, const struct decision *d)
{
	bool found_so = !s->dax && d->reason == REASON_BOOT_MAP_UNKNOWN;
	bool is_devdax = s->driver == DAX_DRIVER_DEVICE_DAX && d->verdict == VERDICT_DEVDAX;

	if (!any_online(s) || d->verdict == VERDICT_ONLINE || d->verdict == VERDICT_IGNORE)
		return;
	promise(d->offline_blocks || found_so || is_devdax, s);
}

static void check_zone(const struct scene *s, const struct decision *d)
{
	bool movable = d->zone == ZONE_MOVABLE;

	if (d->verdict != VERDICT_ONLINE)
		return;
	promise(!movable || (rule_matches_scene(s) && s->zone == ZONE_MOVABLE), s);
	promise(!movable || (s->head != HEAD_UNKNOWN &&
				    (s->ratio == RATIO_ADVICE || s->ratio == RATIO_OWN)),
		s);
	if (!rule_matches_scene(s) || s->zone == ZONE_NONE)
		promise(d->zone == (refuses(s) ? ZONE_KERNEL : ZONE_AUTO), s);
}

/* Only what is decided otherwise than the rule says overrules it; a full host does not. */
static void check_overruled(const struct stage *stage, const struct decision *d)
{
	const struct scene *s = &stage->scene;
	struct snapshot snapshot = stage->snapshot;
	struct decision roomy = *d;
	enum verdict wanted = s->asks - ASKS_VERDICT;

	if (s->asks < ASKS_VERDICT) {
		promise(!d->overruled && d->reason != REASON_RULE, s);
		return;
	}
	snapshot.zones.known = false;
	if (s->head != HEAD_UNKNOWN)
		roomy = policy_decide(&stage->config, &snapshot, &stage->arrival);
	if (wanted == VERDICT_DEVDAX && !s->dax)
		wanted = VERDICT_OFFLINE;
	promise(d->overruled == (roomy.verdict != wanted), s);
	promise(roomy.reason != REASON_RULE || roomy.verdict == wanted, s);
	promise(!d->overruled || d->asked == s->asks - ASKS_VERDICT, s);
}

/* The decision without any rule; a rule is what a walk turns fastest. */
static const struct decision *without_rules(const struct stage *stage)
{
	static struct decision decision;
	static struct scene last = {.carrier = CARRIER_MAX};
	struct config config = stage->config;

	if (memcmp(last.at, stage->scene.at, sizeof(last.at[0]) * SCENE_RULE_AT) == 0)
		return &decision;
	config.n_rules = 0;
	decision = policy_decide(&config, &stage->snapshot, &stage->arrival);
	last = stage->scene;
	return &decision;
}

/* A rule may be stricter than the facts, never looser, but for what it names. */
static void check_rule_is_stricter(const struct stage *stage, const struct decision *d)
{
	const struct scene *s = &stage->scene;
	const struct decision *bare = without_rules(stage);

	if (!rule_matches_scene(s))
		promise(d->verdict == bare->verdict && d->reason == bare->reason, s);
	if (d->verdict == VERDICT_ONLINE && bare->verdict != VERDICT_ONLINE)
		promise(bare->reason == REASON_ALREADY_DEVDAX && may_convert(s), s);
	if (bare->reason == REASON_ALREADY_ONLINE && d->verdict != VERDICT_IGNORE)
		promise(d->offline_blocks, s);
	if (s->convert || s->offline || s->asks >= ASKS_VERDICT)
		return;
	promise(d->verdict == bare->verdict && d->reason == bare->reason, s);
}

/* The other mapping of the device gets the same verdict, and all of the same steps. */
static void check_second(const struct stage *stage, const struct decision *d)
{
	struct decision other;

	if (!stage->scene.second)
		return;
	other = policy_decide(&stage->config, &stage->snapshot, &stage->second);
	promise(!other.unaligned, &stage->scene);
	other.unaligned = d->unaligned;
	if (d->reason == REASON_OUTSIDE_BOOT_MAP || d->reason == REASON_STRADDLES_BOOT_MAP) {
		promise(other.reason == (stage->scene.second == SECOND_OUTSIDE
							? REASON_OUTSIDE_BOOT_MAP
							: REASON_STRADDLES_BOOT_MAP),
			&stage->scene);
		other.reason = d->reason;
	}
	promise(!difference(d, &other), &stage->scene);
}

static void check(struct stage *stage)
{
	const struct decision d = stage_decide(stage);
	const struct scene *s = &stage->scene;

	check_total(s, &d);
	check_never_looser(s, &d);
	check_online_stays(s, &d);
	check_zone(s, &d);
	check_overruled(stage, &d);
	check_rule_is_stricter(stage, &d);
	check_second(stage, &d);
	check_oracle(s, &d);
}

/* Every range, gate and rule; one mapping, a host with room. */
static void test_ranges(void **state)
{
	static const struct scene base;
	static const struct scene values = {.carrier = CARRIER_MAX,
		.dax = 2,
		.driver = DAX_DRIVER_MAX,
		.fault = FAULT_MAX,
		.place = PLACE_MAX,
		.presence = PRESENCE_MAX,
		.gate = GATE_STATE_MAX,
		.use = 3,
		.convert = 2,
		.offline = 2,
		.asks = ASKS_MAX};

	(void)state;
	scene_each(&base, &values, check);
}

/* Devices of one and of two mappings, by what the host can spare. */
static void test_devices(void **state)
{
	static const struct scene base = {.carrier = CARRIER_CXL, .dax = 1, .gate = GATE_ABSENT};
	static const struct scene values = {.driver = 3,
		.place = 3,
		.presence = PRESENCE_MAX,
		.second = SECOND_MAX,
		.gate = 2,
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
	static const struct scene base = {.carrier = CARRIER_HMEM, .use = DEVDAX_UNUSED};
	static const struct scene values = {.dax = 2,
		.driver = 3,
		.place = 2,
		.presence = 4,
		.gate = 2,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
