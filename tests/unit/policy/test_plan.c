/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan.
 *
 * The model in machine.h applies the steps. For every scene: the steps are those of the verdict, in
 * order; none is refused; after all of them the device is as decided, and a new plan is empty; if
 * the plan is interrupted after any step, another decision and plan lead to the same state. A plan
 * that fails at any step or block can be undone. The exact steps of the main cases are written out.
 */
#include "tests/unit/machine.h"
#include "tests/unit/safety.h"
#include "tests/unit/short_memory.h"

static struct plan plan_now(const struct stage *stage)
{
	const struct decision decision = stage_decide(stage);
	struct plan plan;

	assert_int_equal(plan_make(&stage->facts, &decision, &plan), 0);
	return plan;
}

/* Decide, plan, and apply at most this many steps. */
static void run(struct stage *stage, size_t most)
{
	CLEANUP(plan_done) struct plan plan = plan_now(stage);

	for (size_t i = 0; i < plan.n && i < most; i++)
		if (machine_take(stage, &plan.steps[i]) < 0)
			fail_scene(&stage->scene, "a step is refused");
}

static size_t count_steps(const struct stage *stage)
{
	CLEANUP(plan_done) struct plan plan = plan_now(stage);

	return plan.n;
}

/* The order of the steps of a verdict; 0: not a step of this verdict. */
static int rank(const struct decision *d, enum action action)
{
	static const int ranks[VERDICT_MAX][ACTION_MAX] = {
		[VERDICT_ONLINE] =
			{[ACTION_UNBIND] = 1, [ACTION_BIND_KMEM] = 2, [ACTION_ONLINE] = 3},
		[VERDICT_DEVDAX] =
			{[ACTION_OFFLINE] = 1, [ACTION_UNBIND] = 2, [ACTION_BIND_DEVICE_DAX] = 3},
		[VERDICT_OFFLINE] = {[ACTION_OFFLINE] = 1},
		[VERDICT_IGNORE] = {0},
	};

	if (action == ACTION_OFFLINE && !d->offline_blocks)
		return 0;
	if (d->reason == REASON_PERSISTENT_MEMORY)
		return action == ACTION_BIND_DEVICE_DAX;
	if (d->reason == REASON_KERNEL_OFFLINE)
		return action == ACTION_BIND_KMEM;
	return ranks[d->verdict][action];
}

static void check_steps(struct stage *stage)
{
	const struct decision decision = stage_decide(stage);
	CLEANUP(plan_done) struct plan plan = plan_now(stage);
	const char *breach = safety_breach(&stage->config, &stage->facts, &decision, &plan);

	if (breach)
		fail_scene(&stage->scene, breach);
	for (size_t i = 0; i < plan.n; i++) {
		const struct step *step = &plan.steps[i];
		int now = rank(&decision, step->action);
		int before = i ? rank(&decision, step[-1].action) : 0;

		if (!now)
			fail_scene(&stage->scene, "not a step of this verdict");
		if (now < before || (now == before && range_is_empty(step->range)))
			fail_scene(&stage->scene, "out of order, or twice");
		if (now == before && step->range.end > step[-1].range.start)
			fail_scene(&stage->scene, "blocks not in descending order");
	}
}

/* Is the device as decided? */
static bool is_as_decided(
	const struct stage *m, const struct stage *before, const struct decision *d)
{
	const struct scene *s = &m->scene;
	bool bound = before->facts.device.driver != m->facts.device.driver;
	bool all_off = !machine_online(m);
	bool whole = !scene_is_unreadable(s) && s->presence != PRESENCE_TOO_SMALL;
	size_t room = (whole ? 8U : 0) + (s->second ? 8U : 0);

	switch (d->verdict) {
	case VERDICT_ONLINE:
		if (bound && m->facts.blocks.n != room)
			return false;
		return machine_online(m) == m->facts.blocks.n &&
		       (!s->dax || m->facts.device.driver == DAX_DRIVER_KMEM);
	case VERDICT_DEVDAX:
		return m->facts.device.driver == DAX_DRIVER_DEVICE_DAX &&
		       (!d->offline_blocks || all_off);
	case VERDICT_OFFLINE:
		return d->offline_blocks ? !bound && all_off : machine_equal(m, before);
	default:
		if (s->type == TYPE_PMEM && s->guarded && s->driver == DAX_DRIVER_NONE)
			return m->facts.device.driver == DAX_DRIVER_DEVICE_DAX;
		if (d->reason == REASON_KERNEL_OFFLINE && bound)
			return m->facts.device.driver == DAX_DRIVER_KMEM &&
			       machine_online(m) == machine_online(before);
		return machine_equal(m, before);
	}
}

static void check_idempotent(struct stage *before)
{
	const struct decision decision = stage_decide(before);
	CLEANUP(stage_done) struct stage whole = {0};
	size_t n = count_steps(before);

	stage_set(&whole, &before->scene);
	run(&whole, SIZE_MAX);
	if (!is_as_decided(&whole, before, &decision))
		fail_scene(&before->scene, "not as decided");
	if (count_steps(&whole))
		fail_scene(&before->scene, "steps are left");
	for (size_t stop = 1; stop < n; stop++) {
		CLEANUP(stage_done) struct stage interrupted = {0};

		stage_set(&interrupted, &before->scene);
		run(&interrupted, stop);
		interrupted.facts.half_done = true;
		run(&interrupted, SIZE_MAX);
		if (!machine_equal(&whole, &interrupted))
			fail_scene(&before->scene, "another state after an interruption");
	}
}

/* Undo a failed plan. Blocks that were online before stay online, and kmem stays bound then. */
static void undo(struct stage *m, const struct stage *before, const struct range_set *onlined)
{
	struct plan plan;
	int r;

	assert_int_equal(plan_undo(&m->facts.device, m->facts.device.driver, onlined, &plan), 0);
	r = 0;
	for (size_t i = 0; r == 0 && i < plan.n; i++)
		r = machine_take(m, &plan.steps[i]);
	plan_done(&plan);
	if (machine_online(m) != machine_online(before))
		fail_scene(&m->scene, "blocks are not restored");
	if (r < 0 && !machine_online(before))
		fail_scene(&m->scene, "a step of the undo is refused");
	if (r == 0 && m->scene.dax && m->facts.device.driver != DAX_DRIVER_DEVICE_DAX)
		fail_scene(&m->scene, "no devdax device");
	if (!m->scene.dax && !machine_equal(m, before))
		fail_scene(&m->scene, "not restored");
}

/*
 * Every step fails once, and each onlining also after a part of its blocks. A block that was going
 * offline is skipped here: the plan onlines it, and undoing the plan would offline it.
 */
static void check_undo(struct stage *before)
{
	CLEANUP(plan_done) struct plan plan = plan_now(before);

	if (stage_decide(before).verdict != VERDICT_ONLINE ||
		before->scene.presence == PRESENCE_ONE_GOING)
		return;
	for (size_t i = 0; i < plan.n * 2; i++) {
		CLEANUP(range_set_done) struct range_set onlined = {0};
		CLEANUP(stage_done) struct stage m = {0};
		const struct step *failed = &plan.steps[i / 2];

		stage_set(&m, &before->scene);
		for (const struct step *step = plan.steps; step < failed; step++)
			if (step->action == ACTION_ONLINE)
				machine_set_blocks(&m, step, BLOCK_ONLINE, SIZE_MAX, &onlined);
			else
				machine_take(&m, step);
		if (failed->action == ACTION_ONLINE)
			machine_set_blocks(&m, failed, BLOCK_ONLINE, i % 2 * 3, &onlined);
		undo(&m, before, &onlined);
	}
}

static void check(struct stage *stage)
{
	/* a pmem device is always a dax device */
	if (stage->scene.type == TYPE_PMEM && !stage->scene.dax)
		return;
	check_steps(stage);
	check_idempotent(stage);
	check_undo(stage);
}

static void test_ranges(void **state)
{
	static const struct scene base;
	static const struct scene values = {.type = 5,
		.dax = 2,
		.driver = DAX_DRIVER_MAX,
		.fault = FAULT_MAX,
		.place = 3,
		.presence = PRESENCE_MAX,
		.tdx = 2,
		.guarded = 2,
		.use = 2,
		.convert = 2,
		.offline = 2,
		.asks = ASKS_MAX};

	(void)state;
	scene_each(&base, &values, check);
}

static void test_devices(void **state)
{
	static const struct scene base = {
		.type = TYPE_CXL, .dax = 1, .use = DEVDAX_UNUSED, .convert = 1};
	static const struct scene values = {.driver = 3,
		.place = 2,
		.presence = PRESENCE_MAX,
		.second = SECOND_MAX,
		.tdx = 2,
		.head = HEAD_MAX,
		.small_pages = 2,
		.itself = 2,
		.offline = 2,
		.asks = ASKS_MAX};

	(void)state;
	scene_each(&base, &values, check);
}

static void test_random_scenes(void **state)
{
	(void)state;
	scene_sample(50000, 11, check);
}

/* The steps as text: the name, and for blocks the first and last GiB. */
static const char *steps_text(const struct plan *plan, char text[256])
{
	int n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < plan->n; i++) {
		const struct step *step = &plan->steps[i];

		n += sprintf(text + n, "%s%s", i ? " " : "", action_to_string(step->action));
		if (!range_is_empty(step->range))
			n += sprintf(text + n, " %g-%g", (double)step->range.start / (double)GIB,
				(double)step->range.end / (double)GIB);
	}
	return text;
}

static void test_examples(void **state)
{
	enum { NONE = DAX_DRIVER_NONE, KMEM = DAX_DRIVER_KMEM, DEVDAX = DAX_DRIVER_DEVICE_DAX };
	static const struct {
		unsigned int type, driver, tdx, presence, second, guarded, asks, offline;
		const char *steps;
	} rows[] = {
		{TYPE_CXL, NONE, TDX_ABSENT, 0, 0, 1, 0, 0, "bind-kmem online 8-9"},
		{TYPE_CXL, KMEM, TDX_ABSENT, PRESENCE_ONE_ONLINE, 0, 1, 0, 0, "online 8-9"},
		{TYPE_CXL, KMEM, TDX_ABSENT, PRESENCE_ONLINE, 0, 1, 0, 0, ""},
		{TYPE_CXL, NONE, TDX_ACTIVE, 0, 0, 1, 0, 0, "bind-device_dax"},
		{TYPE_CXL, KMEM, TDX_ACTIVE, PRESENCE_OFFLINE, 0, 1, 0, 0,
			"unbind bind-device_dax"},
		{TYPE_CXL, DEVDAX, TDX_ACTIVE, 0, 0, 1, 0, 0, ""},
		{TYPE_CXL, KMEM, TDX_ACTIVE, PRESENCE_ONE_ONLINE, 0, 1, 0, 0, ""},
		{TYPE_PMEM, NONE, TDX_ACTIVE, 0, 0, 1, 0, 0, "bind-device_dax"},
		{TYPE_PMEM, NONE, TDX_ACTIVE, 0, 0, 0, 0, 0, ""},
		{TYPE_PMEM, KMEM, TDX_ACTIVE, PRESENCE_OFFLINE, 0, 1, 0, 0, ""},
		/* two ranges */
		{TYPE_CXL, NONE, TDX_ABSENT, 0, SECOND_OUTSIDE, 1, 0, 0,
			"bind-kmem online 16-17 online 8-9"},
		{TYPE_CXL, KMEM, TDX_ABSENT, PRESENCE_ONLINE, SECOND_ONE_ONLINE, 1, 0, 0,
			"online 16-17"},
		{TYPE_CXL, NONE, TDX_ABSENT, PRESENCE_TOO_SMALL, SECOND_OUTSIDE, 1, 0, 0,
			"bind-kmem online 16-17"},
		{TYPE_CXL, KMEM, TDX_ACTIVE, PRESENCE_ONE_ONLINE, SECOND_ONE_ONLINE, 1,
			ASKS_NO_VERDICT, 1, "offline 16-17 offline 8-9 unbind bind-device_dax"},
		/* rules */
		{TYPE_CXL, DEVDAX, TDX_ABSENT, 0, 0, 1, ASKS(ONLINE), 0,
			"unbind bind-kmem online 8-9"},
		{TYPE_CXL, KMEM, TDX_ABSENT, PRESENCE_ONLINE, 0, 1, ASKS(DEVDAX), 1,
			"offline 8-9 unbind bind-device_dax"},
		{TYPE_CXL, KMEM, TDX_ABSENT, PRESENCE_OFFLINE, 0, 1, ASKS(DEVDAX), 1,
			"unbind bind-device_dax"},
		{TYPE_CXL, KMEM, TDX_ABSENT, PRESENCE_ONE_GOING, 0, 1, ASKS(OFFLINE), 1,
			"offline 8-9"},
		{TYPE_CXL, KMEM, TDX_ABSENT, PRESENCE_OFFLINE, 0, 1, ASKS(OFFLINE), 0, ""},
		{TYPE_CXL, NONE, TDX_ABSENT, 0, 0, 1, ASKS(OFFLINE), 0, ""},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct scene scene = {.type = rows[i].type,
			.dax = 1,
			.driver = rows[i].driver,
			.presence = rows[i].presence,
			.second = rows[i].second,
			.tdx = rows[i].tdx,
			.guarded = rows[i].guarded,
			.use = DEVDAX_UNUSED,
			.convert = 1,
			.asks = rows[i].asks,
			.offline = rows[i].offline};
		CLEANUP(stage_done) struct stage stage = {0};
		CLEANUP(plan_done) struct plan plan = {0};

		stage_set(&stage, &scene);
		plan = plan_now(&stage);
		assert_string_equal(steps_text(&plan, text), rows[i].steps);
	}
}

/* The policy of the kernel is to bind kmem and to leave the blocks offline. */
static void test_kernel_policy(void **state)
{
	static const struct {
		unsigned int dax, driver, guarded, head;
		const char *steps;
	} rows[] = {
		{1, DAX_DRIVER_NONE, 1, HEAD_PLENTY, "bind-kmem"},
		{1, DAX_DRIVER_NONE, 1, HEAD_DEVDAX, ""},
		{1, DAX_DRIVER_KMEM, 1, HEAD_PLENTY, ""},
		{1, DAX_DRIVER_DEVICE_DAX, 1, HEAD_PLENTY, ""},
		{0, DAX_DRIVER_NONE, 1, HEAD_PLENTY, ""},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct scene scene = {.type = rows[i].dax ? TYPE_CXL : TYPE_DIMM,
			.dax = rows[i].dax,
			.driver = rows[i].driver,
			.presence = rows[i].dax ? PRESENCE_NONE : PRESENCE_OFFLINE,
			.tdx = TDX_ABSENT,
			.guarded = rows[i].guarded,
			.head = rows[i].head,
			.guard = GUARD_MODE_ALWAYS,
			.auto_online = AUTO_ONLINE_OFFLINE,
			.auto_online_held = 1};
		CLEANUP(stage_done) struct stage stage = {0};
		CLEANUP(plan_done) struct plan plan = {0};

		stage_set(&stage, &scene);
		plan = plan_now(&stage);
		assert_string_equal(steps_text(&plan, text), rows[i].steps);
	}
}

/*
 * Bound to kmem without blocks: kmem is bound again only if the daemon has begun with the device.
 */
static void test_without_blocks(void **state)
{
	static const struct {
		enum left left;
		unsigned int tdx, asks;
		const char *steps;
	} rows[] = {
		{LEFT_NOT, TDX_ABSENT, 0, ""},
		{LEFT_UNPLUGGED, TDX_ABSENT, 0, ""},
		{LEFT_UNPLUGGED, TDX_ACTIVE, 0, ""},
		{LEFT_UNPLUGGED, TDX_ABSENT, ASKS(ONLINE), ""},
		{LEFT_UNPLUGGED, TDX_ABSENT, ASKS(DEVDAX), "unbind bind-device_dax"},
		{LEFT_HALF_DONE, TDX_ABSENT, 0, "unbind bind-kmem online 8-9"},
		{LEFT_UNPLUGGED_HALF_DONE, TDX_ABSENT, 0, "unbind bind-kmem online 8-9"},
		{LEFT_UNPLUGGED_HALF_DONE, TDX_ACTIVE, 0, "unbind bind-device_dax"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct scene scene = {.type = TYPE_CXL,
			.dax = 1,
			.driver = DAX_DRIVER_KMEM,
			.left = rows[i].left,
			.tdx = rows[i].tdx,
			.asks = rows[i].asks};
		CLEANUP(stage_done) struct stage stage = {0};
		CLEANUP(plan_done) struct plan plan = {0};

		stage_set(&stage, &scene);
		plan = plan_now(&stage);
		assert_string_equal(steps_text(&plan, text), rows[i].steps);
	}
}

/* A DIMM: a step is the span of its existing blocks. */
static void test_dimm(void **state)
{
	static const struct decision online = {.verdict = VERDICT_ONLINE};
	static const struct decision off = {.verdict = VERDICT_OFFLINE, .offline_blocks = true};
	static const struct decision left = {.verdict = VERDICT_OFFLINE};
	static const struct {
		const struct decision *decision;
		const char *steps;
	} rows[] = {{&online, "online 8-11"}, {&off, "offline 8-11"}, {&left, ""}};
	CLEANUP(facts_done) struct facts facts = facts_of("", TYPE_DIMM, NULL);
	char text[256];

	(void)state;
	add_mapping(&facts.device, span(6 * GIB, 12 * GIB));
	add_blocks(&facts.blocks, span(8 * GIB, 9 * GIB), BLOCK_OFFLINE);
	add_blocks(&facts.blocks, span(10 * GIB, 11 * GIB), BLOCK_ONLINE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(plan_done) struct plan plan = {0};

		assert_int_equal(plan_make(&facts, rows[i].decision, &plan), 0);
		assert_string_equal(steps_text(&plan, text), rows[i].steps);
	}
}

/* Only ranges with a block in another state than decided have a step. */
static void test_present_ranges(void **state)
{
	static const struct decision online = {.verdict = VERDICT_ONLINE};
	static const struct decision off = {.verdict = VERDICT_OFFLINE, .offline_blocks = true};
	CLEANUP(plan_done) struct plan plan = {0};
	CLEANUP(facts_done) struct facts facts = facts_of("dax0.0", TYPE_CXL, NULL);
	char text[256];

	(void)state;
	facts.device.driver = DAX_DRIVER_KMEM;
	for (uint64_t gib = 8; gib < 16; gib += 2)
		add_mapping(&facts.device, span(gib * GIB, (gib + 1) * GIB));
	/* all online; one offline; no blocks; one going offline, which may fail */
	add_blocks(&facts.blocks, span(8 * GIB, 9 * GIB), BLOCK_ONLINE);
	add_blocks(&facts.blocks, span(10 * GIB, 10 * GIB + 4 * BLOCK), BLOCK_ONLINE);
	add_blocks(&facts.blocks, span(10 * GIB + 4 * BLOCK, 11 * GIB), BLOCK_OFFLINE);
	add_blocks(&facts.blocks, span(14 * GIB + 4 * BLOCK, 15 * GIB), BLOCK_GOING_OFFLINE);
	assert_int_equal(plan_make(&facts, &online, &plan), 0);
	assert_string_equal(steps_text(&plan, text), "online 10-11");
	plan_done(&plan);
	assert_int_equal(plan_make(&facts, &off, &plan), 0);
	assert_string_equal(steps_text(&plan, text), "offline 14.5-15 offline 10-11 offline 8-9");
}

/* kmem adds whole blocks; the step has the same. */
static void test_partial_blocks(void **state)
{
	static const struct range ranges[] = {{8 * GIB + 1, 9 * GIB - 1}, {8 * GIB, 8 * GIB + MIB}};
	static const struct decision online = {.verdict = VERDICT_ONLINE};
	static const char *const steps[] = {"bind-kmem online 8.125-8.875", "bind-kmem"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		CLEANUP(facts_done) struct facts facts = facts_of("dax0.0", TYPE_CXL, NULL);
		CLEANUP(plan_done) struct plan plan = {0};

		add_mapping(&facts.device, ranges[i]);
		assert_int_equal(plan_make(&facts, &online, &plan), 0);
		assert_string_equal(steps_text(&plan, text), steps[i]);
	}
}

static void test_undo(void **state)
{
	static const struct device dax = {.name = "dax0.0"}, dimm = {.type = TYPE_DIMM};
	static struct range two[] = {{8 * GIB, 9 * GIB}, {16 * GIB, 17 * GIB}};
	static const struct {
		const struct device *device;
		enum dax_driver driver;
		size_t onlined;
		const char *steps;
	} rows[] = {
		{&dax, DAX_DRIVER_KMEM, 2, "offline 16-17 offline 8-9 unbind bind-device_dax"},
		{&dax, DAX_DRIVER_KMEM, 1, "offline 8-9 unbind bind-device_dax"},
		{&dax, DAX_DRIVER_KMEM, 0, "unbind bind-device_dax"},
		{&dax, DAX_DRIVER_NONE, 0, "bind-device_dax"},
		{&dax, DAX_DRIVER_DEVICE_DAX, 0, ""},
		{&dax, DAX_DRIVER_OTHER, 0, ""},
		{&dimm, DAX_DRIVER_NONE, 2, "offline 16-17 offline 8-9"},
		{&dimm, DAX_DRIVER_NONE, 0, ""},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct range_set onlined = {two, rows[i].onlined};
		CLEANUP(plan_done) struct plan plan = {0};

		assert_int_equal(plan_undo(rows[i].device, rows[i].driver, &onlined, &plan), 0);
		assert_string_equal(steps_text(&plan, text), rows[i].steps);
	}
}

static void test_short_memory(void **state)
{
	static const struct scene scene = {.type = TYPE_CXL,
		.dax = 1,
		.driver = DAX_DRIVER_KMEM,
		.tdx = TDX_ACTIVE,
		.presence = PRESENCE_ONLINE,
		.offline = 1,
		.asks = ASKS_NO_VERDICT};
	static struct range nine = {8 * GIB, 9 * GIB};
	const struct range_set onlined = {&nine, 1};
	CLEANUP(stage_done) struct stage stage = {0};
	struct decision decision;
	int r[2] = {-ENOMEM, -ENOMEM};

	(void)state;
	stage_set(&stage, &scene);
	decision = stage_decide(&stage);
	for (int allowed = 0; r[0] < 0 || r[1] < 0; allowed++)
		for (int back = 0; back < 2; back++) {
			CLEANUP(plan_done) struct plan plan = {0};

			allocations_left = allowed;
			r[back] = back ? plan_undo(&stage.facts.device, DAX_DRIVER_KMEM, &onlined,
						 &plan)
				       : plan_make(&stage.facts, &decision, &plan);
			allocations_left = -1;
			assert_int_equal(r[back], allowed < 3 ? -ENOMEM : 0);
			assert_int_equal(plan.n, allowed < 3 ? 0 : 3);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_random_scenes),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_kernel_policy),
		cmocka_unit_test(test_without_blocks),
		cmocka_unit_test(test_dimm),
		cmocka_unit_test(test_present_ranges),
		cmocka_unit_test(test_partial_blocks),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
