/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan.
 *
 * A small kernel takes the steps: a driver switch makes blocks come and go, an online step
 * changes their state. For every scene: the steps are of the kind and order that the verdict
 * allows; after all of them the plan is empty; and stopped after any of them, deciding and
 * planning again ends in the same state. The exact steps of the main cases are written out.
 */
#include "scene.h"

#include <string.h>

#include "tdxo/plan.h"

#define fail_scene(s, what) fail_msg("%s: " SCENE_FORMAT, what, SCENE_ARGS(s))

static struct plan plan_now(const struct snapshot *snapshot, const struct arrival *arrival)
{
	const struct decision decision = policy_decide(snapshot, arrival);

	return plan_make(snapshot, arrival, &decision);
}

static void set_driver(struct snapshot *snapshot, struct arrival *arrival, enum dax_driver driver)
{
	arrival->driver = driver;
	for (size_t i = 0; i < snapshot->n_dax; i++)
		snapshot->dax[i].driver = driver;
}

/* What the kernel makes of a step that succeeds. */
static void take(struct snapshot *snapshot, struct arrival *arrival, const struct step *step)
{
	switch (step->action) {
	case ACTION_UNBIND:
		assert_int_equal(arrival->driver, DAX_DRIVER_KMEM);
		blocks_done(&snapshot->blocks);
		set_driver(snapshot, arrival, DAX_DRIVER_NONE);
		break;
	case ACTION_BIND_KMEM:
		assert_int_equal(arrival->driver, DAX_DRIVER_NONE);
		blocks_done(&snapshot->blocks);
		add_blocks(snapshot, arrival->range, BLOCK_OFFLINE);
		set_driver(snapshot, arrival, DAX_DRIVER_KMEM);
		break;
	case ACTION_BIND_DEVICE_DAX:
		assert_int_equal(arrival->driver, DAX_DRIVER_NONE);
		set_driver(snapshot, arrival, DAX_DRIVER_DEVICE_DAX);
		break;
	case ACTION_ONLINE:
		for (uint64_t id = step->range.start / BLOCK; id < step->range.end / BLOCK; id++)
			if (blocks_find(&snapshot->blocks, id))
				blocks_find(&snapshot->blocks, id)->state = BLOCK_ONLINE;
		break;
	default:
		fail_msg("a plan that is not undone takes nothing offline");
	}
}

static void check_steps(const struct scene *s)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	struct arrival arrival;
	struct decision decision;
	struct plan plan;

	scene_build(s, &snapshot, &arrival);
	decision = policy_decide(&snapshot, &arrival);
	plan = plan_make(&snapshot, &arrival, &decision);
	assert_in_range(plan.n, 0, PLAN_STEPS);
	for (size_t i = 0; i < plan.n; i++) {
		const struct step *step = &plan.steps[i];
		bool bind_devdax = step->action == ACTION_BIND_DEVICE_DAX;

		if (i && step->action <= plan.steps[i - 1].action)
			fail_scene(s, "out of order");
		/* pmem is never found without its device. */
		if (!s->dax && s->carrier != CARRIER_PMEM && step->action != ACTION_ONLINE)
			fail_scene(s, "a driver step without a device");
		if (decision.verdict == VERDICT_ONLINE && step->action != ACTION_BIND_KMEM &&
			step->action != ACTION_ONLINE)
			fail_scene(s, "online does something else");
		if (decision.verdict == VERDICT_DEVDAX && !bind_devdax &&
			step->action != ACTION_UNBIND)
			fail_scene(s, "devdax does something else");
		if (decision.verdict == VERDICT_OFFLINE)
			fail_scene(s, "offline does something");
		if (decision.verdict == VERDICT_IGNORE &&
			!(bind_devdax && s->carrier == CARRIER_PMEM && s->guarded))
			fail_scene(s, "ignore does something");
		if (step->action == ACTION_UNBIND &&
			(i + 1 == plan.n || plan.steps[i + 1].action != ACTION_BIND_DEVICE_DAX))
			fail_scene(s, "unbound for nothing");
		if (step->action != ACTION_ONLINE)
			assert_range_equal(step->range, span(0, 0));
		else
			assert_range_equal(step->range, span(SCENE_START, SCENE_END));
	}
}

/* kmem comes off only while every block is offline: one that goes may come back online. */
static void check_unbind(const struct scene *s)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	struct arrival arrival;
	struct plan plan;

	scene_build(s, &snapshot, &arrival);
	plan = plan_now(&snapshot, &arrival);
	for (size_t i = 0; i < plan.n; i++)
		for (size_t b = 0; b < snapshot.blocks.n; b++)
			if (plan.steps[i].action == ACTION_UNBIND &&
				snapshot.blocks.blocks[b].state != BLOCK_OFFLINE)
				fail_scene(s, "unbound with a block not offline");
}

static bool same_state(const struct snapshot *a, const struct snapshot *b)
{
	if (a->blocks.n != b->blocks.n || (a->n_dax && a->dax[0].driver != b->dax[0].driver))
		return false;
	for (size_t i = 0; i < a->blocks.n; i++)
		if (a->blocks.blocks[i].id != b->blocks.blocks[i].id ||
			a->blocks.blocks[i].state != b->blocks.blocks[i].state)
			return false;
	return true;
}

static void run(struct snapshot *snapshot, struct arrival *arrival, size_t most)
{
	struct plan plan = plan_now(snapshot, arrival);

	for (size_t i = 0; i < plan.n && i < most; i++)
		take(snapshot, arrival, &plan.steps[i]);
}

static void check_idempotent(const struct scene *s)
{
	CLEANUP(snapshot_done) struct snapshot whole, broken_off;
	struct arrival arrival, other;
	size_t n;

	scene_build(s, &whole, &arrival);
	n = plan_now(&whole, &arrival).n;
	run(&whole, &arrival, PLAN_STEPS);
	if (plan_now(&whole, &arrival).n)
		fail_scene(s, "planned again");
	broken_off = (struct snapshot){0};
	for (size_t stop = 0; stop < n; stop++) {
		snapshot_done(&broken_off);
		scene_build(s, &broken_off, &other);
		run(&broken_off, &other, stop);
		run(&broken_off, &other, PLAN_STEPS);
		if (!same_state(&whole, &broken_off))
			fail_scene(s, "another end after an interruption");
	}
}

static void test_steps(void **state)
{
	(void)state;
	scene_each(check_steps);
}

static void test_unbind(void **state)
{
	(void)state;
	scene_each(check_unbind);
}

static void test_idempotent(void **state)
{
	(void)state;
	scene_each(check_idempotent);
}

/* The steps, as their names in a row. */
static const char *steps_text(const struct plan *plan, char text[128])
{
	text[0] = '\0';
	for (size_t i = 0; i < plan->n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, action_to_string(plan->steps[i].action));
	}
	return text;
}

static void test_by_hand(void **state)
{
	static const struct {
		struct scene scene;
		const char *steps;
	} rows[] = {
		{{CARRIER_CXL, true, DAX_DRIVER_NONE, 0, GATE_ABSENT, PLACE_OUTSIDE, PRESENCE_NONE,
			 true},
			"bind-kmem online"},
		{{CARRIER_CXL, true, DAX_DRIVER_KMEM, 0, GATE_ABSENT, PLACE_OUTSIDE,
			 PRESENCE_ONE_ONLINE, true},
			"online"},
		{{CARRIER_CXL, true, DAX_DRIVER_KMEM, 0, GATE_ABSENT, PLACE_OUTSIDE,
			 PRESENCE_ONLINE, true},
			""},
		{{CARRIER_CXL, true, DAX_DRIVER_NONE, 0, GATE_ACTIVE, PLACE_OUTSIDE, PRESENCE_NONE,
			 true},
			"bind-device_dax"},
		{{CARRIER_CXL, true, DAX_DRIVER_KMEM, 0, GATE_ACTIVE, PLACE_OUTSIDE,
			 PRESENCE_OFFLINE, true},
			"unbind bind-device_dax"},
		{{CARRIER_CXL, true, DAX_DRIVER_DEVICE_DAX, 0, GATE_ACTIVE, PLACE_OUTSIDE,
			 PRESENCE_NONE, true},
			""},
		{{CARRIER_CXL, true, DAX_DRIVER_KMEM, 0, GATE_ACTIVE, PLACE_OUTSIDE,
			 PRESENCE_ONE_ONLINE, true},
			""},
		{{CARRIER_PMEM, true, DAX_DRIVER_NONE, 0, GATE_ACTIVE, PLACE_OUTSIDE, PRESENCE_NONE,
			 true},
			"bind-device_dax"},
		{{CARRIER_PMEM, true, DAX_DRIVER_NONE, 0, GATE_ACTIVE, PLACE_OUTSIDE, PRESENCE_NONE,
			 false},
			""},
		{{CARRIER_PMEM, true, DAX_DRIVER_KMEM, 0, GATE_ACTIVE, PLACE_OUTSIDE,
			 PRESENCE_OFFLINE, true},
			""},
		{{CARRIER_DIMM, false, 0, 0, GATE_ACTIVE, PLACE_INSIDE, PRESENCE_OFFLINE, true},
			"online"},
		{{CARRIER_DIMM, false, 0, 0, GATE_ACTIVE, PLACE_OUTSIDE, PRESENCE_OFFLINE, true},
			""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(snapshot_done) struct snapshot snapshot;
		struct arrival arrival;
		struct plan plan;
		char text[128];

		scene_build(&rows[i].scene, &snapshot, &arrival);
		plan = plan_now(&snapshot, &arrival);
		assert_string_equal(steps_text(&plan, text), rows[i].steps);
	}
}

/* kmem takes whole blocks; so does the step. */
static void test_ragged(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};
	const struct arrival ragged = {
		.range = {8 * GIB + 1, 9 * GIB - 1}, .carrier = CARRIER_CXL, .device = "dax0.0"};
	const struct arrival small = {
		.range = {8 * GIB, 8 * GIB + MIB}, .carrier = CARRIER_CXL, .device = "dax0.0"};
	const struct decision online = {.verdict = VERDICT_ONLINE, .reason = REASON_GATE_ABSENT};
	struct plan plan = plan_make(&snapshot, &ragged, &online);

	(void)state;
	assert_int_equal(plan.n, 2);
	assert_int_equal(plan.steps[1].action, ACTION_ONLINE);
	assert_range_equal(plan.steps[1].range, span(8 * GIB + BLOCK, 9 * GIB - BLOCK));
	plan = plan_make(&snapshot, &small, &online);
	assert_int_equal(plan.n, 1);
	assert_int_equal(plan.steps[0].action, ACTION_BIND_KMEM);
}

static void test_undo(void **state)
{
	static const struct arrival dax = {.device = "dax0.0", .driver = DAX_DRIVER_NONE};
	static const struct arrival dimm = {.carrier = CARRIER_DIMM};
	static const struct {
		const struct arrival *arrival;
		bool kmem_bound;
		struct range onlined;
		const char *steps;
	} rows[] = {
		{&dax, true, {8 * GIB, 9 * GIB}, "offline unbind bind-device_dax"},
		{&dax, true, {0, 0}, "unbind bind-device_dax"},
		{&dax, false, {0, 0}, "bind-device_dax"},
		{&dimm, false, {8 * GIB, 9 * GIB}, "offline"},
		{&dimm, false, {0, 0}, ""},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct plan plan = plan_undo(rows[i].arrival, rows[i].kmem_bound, rows[i].onlined);

		assert_string_equal(steps_text(&plan, text), rows[i].steps);
		if (!range_is_empty(rows[i].onlined))
			assert_range_equal(plan.steps[0].range, rows[i].onlined);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_unbind),
		cmocka_unit_test(test_idempotent),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_ragged),
		cmocka_unit_test(test_undo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
