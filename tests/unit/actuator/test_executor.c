/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The executor records each range that it onlines, and onlines none that it cannot record.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/actuator/executor.h"
#include "daemon/host/sensor.h"
#include "daemon/host/sysfs.h"
#include "tests/unit/short_memory.h"

#define BLOCK (UINT64_C(128) << 20)

static int answer; /* the result of each store */
static unsigned int stores;

int __wrap_sysfs_write(const char *path, const char *text);
int __wrap_sysfs_write(const char *path, const char *text)
{
	(void)path;
	assert_string_equal(text, "online_movable");
	stores++;
	return answer;
}

struct bench {
	struct sensor sensor;
	struct step step;
	struct plan plan;
	struct execution execution;
};

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.sensor.snapshot.block_size = BLOCK,
		.step = {ACTION_ONLINE, {8 * BLOCK, 9 * BLOCK}},
		.plan = {&bench->step, 1},
		.execution = {
			.plan = &bench->plan, .zone = ZONE_MOVABLE, .sensor = &bench->sensor}};
	answer = 0;
	stores = 0;
}

static void bench_done(struct bench *bench)
{
	execution_done(&bench->execution);
}

#define BENCH(name)                                                                                \
	CLEANUP(bench_done) struct bench name;                                                     \
	bench_init(&name)

/* The range is added to `onlined` before the store: if that allocation fails, nothing is stored. */
static void test_short_memory(void **state)
{
	(void)state;
	BENCH(bench);
	allocations_left = 0;
	assert_int_equal(executor_turn(&bench.execution), TURN_LATER);
	assert_int_equal(stores, 0);
	allocations_left = -1;
	assert_int_equal(executor_turn(&bench.execution), TURN_DONE);
	assert_int_equal(stores, 1);
	assert_true(range_set_contains(&bench.execution.onlined, bench.step.range));
}

static void test_refused(void **state)
{
	(void)state;
	BENCH(bench);
	answer = -EPERM;
	assert_int_equal(executor_turn(&bench.execution), TURN_FAILED);
	assert_int_equal(bench.execution.error, EPERM);
	assert_int_equal(bench.execution.onlined.n, 0);
}

/* The block was removed: -ENOENT is not a failure. */
static void test_block_vanishes(void **state)
{
	(void)state;
	BENCH(bench);
	answer = -ENOENT;
	assert_int_equal(executor_turn(&bench.execution), TURN_DONE);
	assert_int_equal(bench.execution.onlined.n, 0);
}

/*
 * The kernel onlined the range when kmem was bound. A store that is refused leaves it in `onlined`.
 */
static void test_onlined_by_kernel(void **state)
{
	(void)state;
	BENCH(bench);
	assert_int_equal(range_set_add(&bench.execution.onlined, bench.step.range), 0);
	answer = -EPERM;
	assert_int_equal(executor_turn(&bench.execution), TURN_FAILED);
	assert_true(range_set_contains(&bench.execution.onlined, bench.step.range));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_block_vanishes),
		cmocka_unit_test(test_onlined_by_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
