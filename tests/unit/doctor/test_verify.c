/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparisons of verify, and the choice of the memory blocks that it tries.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tdxo/doctor/verify.h"
#include "tests/unit/fixture.h"

#define START (4 * GIB)

static const struct kernel_release old_kernel = {6, 16};

/* A host with TDX active on Linux 7.3, 1 GiB of boot memory, and a device of four offline blocks. */
struct bench {
	struct snapshot snapshot;
	struct config config;
	struct verify_device device;
	struct history_entry entry;
	struct verify_facts facts;
};

static void set_tdx(
	struct bench *bench, struct kernel_release release, enum tdx_source source, enum fact fact)
{
	struct tdx_facts facts = {.release = release};

	for (enum tdx_source s = 0; s < TDX_SOURCE_MAX; s++)
		facts.facts[s] = FACT_ABSENT;
	facts.facts[TDX_SOURCE_CPUINFO] = FACT_YES;
	facts.facts[source] = fact;
	bench->snapshot.tdx = tdx_decide(&facts, TDX_MODE_AUTO);
	bench->device.facts.tdx = bench->snapshot.tdx;
}

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.snapshot = {.block_size = BLOCK,
					.dax_autoprobe = DAX_AUTOPROBE_OFF,
					.auto_online_blocks = "offline",
					.boot_map.known = true},
		.entry = {.answer = ANSWER_REFUSES, .result = RESULT_NOTHING}};
	add_region(&bench->snapshot.boot_map, span(MIB, GIB), BOOT_SOURCE_BOOT_PARAMS);
	add_block_ids(&bench->snapshot, span(0, GIB));
	bench->device.facts = facts_of("", TYPE_DIMM, &bench->snapshot.boot_map);
	bench->device.entry = &bench->entry;
	add_mapping(&bench->device.facts.device, span(START, START + 4 * BLOCK));
	add_blocks(&bench->device.facts.blocks, span(START, START + 4 * BLOCK), BLOCK_OFFLINE);
	set_tdx(bench, (struct kernel_release){7, 3}, TDX_SOURCE_CORE_STATE, FACT_YES);
	bench->facts = (struct verify_facts){
		.snapshot = &bench->snapshot,
		.config = &bench->config,
		.running = true,
		.idle = true,
		.devices = &bench->device,
		.n_devices = 1,
	};
}

static void bench_done(struct bench *bench)
{
	facts_done(&bench->device.facts);
	snapshot_done(&bench->snapshot);
	range_set_done(&bench->config.capable);
	free(bench->facts.trials.items);
}

#define BENCH(name)                                                                                \
	CLEANUP(bench_done) struct bench name;                                                     \
	bench_init(&name)

/* Add the window to CapableRanges= and to the boot map. */
static void set_capable(struct bench *bench, struct range window)
{
	assert_int_equal(range_set_add(&bench->config.capable, window), 0);
	assert_int_equal(
		boot_map_set_capable(&bench->snapshot.boot_map, &bench->config.capable), 0);
}

/* The check has n comparisons with the result "differs", and no other check has one. */
static void assert_differs(const struct bench *bench, enum verify_check check, size_t n)
{
	CLEANUP(comparisons_done) struct comparisons list = {0};

	assert_int_equal(verify_compare(&bench->facts, &list), 0);
	for (size_t i = 0; i < list.n; i++) {
		if (list.items[i].result != VERIFY_DIFFERS)
			continue;
		if (list.items[i].check != check || !n--)
			fail_msg("%s: %s: %s", verify_check_to_string(list.items[i].check),
				list.items[i].subject, list.items[i].found);
	}
	assert_int_equal(n, 0);
}

/*
 * A comparison of the check has this result, and these texts in its subject and in what was found.
 */
static void assert_compared(const struct bench *bench, enum verify_check check,
	enum verify_result result, const char *subject, const char *found)
{
	CLEANUP(comparisons_done) struct comparisons list = {0};

	assert_int_equal(verify_compare(&bench->facts, &list), 0);
	for (size_t i = 0; i < list.n; i++)
		if (list.items[i].check == check && list.items[i].result == result &&
			strstr(list.items[i].subject, subject) &&
			strstr(list.items[i].found, found))
			return;
	for (size_t i = 0; i < list.n; i++)
		print_error("%s %s: %s: %s\n", verify_check_to_string(list.items[i].check),
			verify_result_to_string(list.items[i].result), list.items[i].subject,
			list.items[i].found);
	fail_msg("no such comparison: %s: %s", subject, found);
}

static void choose(struct bench *bench)
{
	free(bench->facts.trials.items);
	bench->facts.trials = (struct trials){0};
	assert_int_equal(verify_choose(&bench->facts, &bench->facts.trials), 0);
}

static struct trial *only_trial(struct bench *bench)
{
	choose(bench);
	assert_int_equal(bench->facts.trials.n, 1);
	return bench->facts.trials.items;
}

static void test_agrees(void **state)
{
	(void)state;
	BENCH(bench);
	assert_differs(&bench, 0, 0);
	only_trial(&bench)->answer = ANSWER_REFUSES;
	assert_differs(&bench, 0, 0);
	assert_compared(&bench, VERIFY_MEMORY_BLOCK, VERIFY_AGREES, "[mem 0x118000000-0x11fffffff]",
		"the kernel refuses it");
	assert_compared(&bench, VERIFY_RECORDED_ANSWER, VERIFY_AGREES, "[mem 0x100000000",
		"the kernel refuses it");
	assert_compared(&bench, VERIFY_GUARD, VERIFY_AGREES, "drivers_autoprobe", "0");
	assert_compared(&bench, VERIFY_BOOT_MEMORY, VERIFY_AGREES, "boot map", "all");
}

static void test_tdx(void **state)
{
	(void)state;
	BENCH(bench);
	set_tdx(&bench, old_kernel, TDX_SOURCE_KVM_INTEL, FACT_YES);
	assert_differs(&bench, 0, 0);
	/* Two sources contradict each other. */
	bench.snapshot.tdx.evidence.facts[TDX_SOURCE_KERNEL_LOG] = FACT_NO;
	assert_differs(&bench, VERIFY_TDX_SOURCE, 1);
	bench.snapshot.tdx.evidence.facts[TDX_SOURCE_CPUINFO] = FACT_NO;
	assert_differs(&bench, VERIFY_TDX_SOURCE, 2);
	set_tdx(&bench, old_kernel, TDX_SOURCE_KVM_INTEL, FACT_YES);
	bench.snapshot.tdx.evidence.facts[TDX_SOURCE_CGROUP] = FACT_UNREADABLE;
	assert_compared(
		&bench, VERIFY_TDX_SOURCE, VERIFY_NOT_COMPARED, "misc.capacity", "unreadable");
	/* The configuration sets another state than the sources show. */
	bench.snapshot.tdx.state = TDX_ABSENT;
	bench.facts.running = false;
	assert_differs(&bench, VERIFY_TDX_STATE, 1);
}

static void test_absent(void **state)
{
	(void)state;
	BENCH(bench);
	set_tdx(&bench, (struct kernel_release){7, 3}, TDX_SOURCE_CPUINFO, FACT_NO);
	bench.entry.answer = ANSWER_ACCEPTS;
	assert_differs(&bench, 0, 0);
	bench.snapshot.tdx.evidence.facts[TDX_SOURCE_CGROUP] = FACT_YES;
	assert_differs(&bench, VERIFY_TDX_SOURCE, 1);
	assert_non_null(verify_obstacle(&bench.facts));
}

static void test_boot_memory(void **state)
{
	(void)state;
	BENCH(bench);
	add_region(&bench.snapshot.boot_map, span(2 * GIB, 3 * GIB - MIB), BOOT_SOURCE_MEMBLOCK);
	assert_compared(&bench, VERIFY_BOOT_MEMORY, VERIFY_DIFFERS, "[mem 0x80000000-0xbfefffff]",
		"0 of 8");
	add_block_ids(&bench.snapshot, span(2 * GIB, 3 * GIB));
	assert_differs(&bench, 0, 0);
	bench.snapshot.boot_map.known = false;
	assert_differs(&bench, VERIFY_BOOT_MAP, 1);
}

static void test_online_memory(void **state)
{
	(void)state;
	BENCH(bench);
	bench.entry.answer = ANSWER_NONE;
	set_block(&bench.device.facts.blocks, START / BLOCK + 1, BLOCK_ONLINE);
	assert_differs(&bench, VERIFY_ONLINE_MEMORY, 1);
	assert_compared(&bench, VERIFY_ONLINE_MEMORY, VERIFY_DIFFERS, "outside",
		"1 online, the first is [mem 0x108000000-0x10fffffff]");
	/* An older kernel accepts all blocks that were present when TDX started. */
	set_tdx(&bench, old_kernel, TDX_SOURCE_KVM_INTEL, FACT_YES);
	assert_compared(&bench, VERIFY_ONLINE_MEMORY, VERIFY_NOT_COMPARED, "outside", "1 online");
	assert_differs(&bench, 0, 0);
}

static void test_guard(void **state)
{
	(void)state;
	BENCH(bench);
	snprintf(bench.snapshot.auto_online_blocks, sizeof(bench.snapshot.auto_online_blocks),
		"online");
	bench.snapshot.dax_autoprobe = DAX_AUTOPROBE_ON;
	assert_differs(&bench, VERIFY_GUARD, 2);
	bench.facts.running = false;
	assert_differs(&bench, 0, 0);
	bench.facts.running = true;
	bench.config.observe = true;
	assert_differs(&bench, 0, 0);
	/*
	 * The switches that rules require are not compared if the configuration of the daemon is
	 * not known.
	 */
	bench.config.observe = false;
	bench.facts.outdated = true;
	assert_differs(&bench, VERIFY_GUARD, 2);
	bench.snapshot.tdx.state = TDX_ABSENT;
	assert_compared(
		&bench, VERIFY_GUARD, VERIFY_NOT_COMPARED, "switches", "files have changed");
	bench.config.guard = GUARD_MODE_ALWAYS;
	assert_compared(&bench, VERIFY_GUARD, VERIFY_DIFFERS, "drivers_autoprobe", "1");
}

static void test_recorded_answer(void **state)
{
	(void)state;
	BENCH(bench);
	bench.entry.answer = ANSWER_ACCEPTS;
	assert_differs(&bench, VERIFY_RECORDED_ANSWER, 1);
	/* The answer may be from before TDX was active. */
	set_tdx(&bench, old_kernel, TDX_SOURCE_KVM_INTEL, FACT_YES);
	assert_differs(&bench, 0, 0);
	bench.device.entry = NULL;
	assert_differs(&bench, 0, 0);
}

static void test_capable_ranges(void **state)
{
	(void)state;
	BENCH(bench);
	bench.entry.answer = ANSWER_NONE;
	set_capable(&bench, span(START, START + 2 * BLOCK));
	assert_compared(&bench, VERIFY_CAPABLE_RANGES, VERIFY_NOT_COMPARED, "[mem 0x100000000",
		"no memory block in it was tried");
	/* A block outside the asserted ranges is chosen first. */
	assert_int_equal(only_trial(&bench)->expected, ANSWER_REFUSES);
	set_capable(&bench, span(START + 2 * BLOCK, START + 4 * BLOCK));
	assert_int_equal(only_trial(&bench)->expected, ANSWER_ACCEPTS);
	only_trial(&bench)->answer = ANSWER_ACCEPTS;
	assert_differs(&bench, 0, 0);
	assert_compared(
		&bench, VERIFY_CAPABLE_RANGES, VERIFY_AGREES, "[mem 0x100000000", "accepted");
	only_trial(&bench)->answer = ANSWER_REFUSES;
	assert_compared(&bench, VERIFY_CAPABLE_RANGES, VERIFY_DIFFERS, "[mem 0x100000000",
		"it refused some");
	assert_compared(
		&bench, VERIFY_MEMORY_BLOCK, VERIFY_DIFFERS, "[mem 0x118000000", "refuses it");
}

/* The recorded answer of a device without blocks. */
static void test_capable_device(void **state)
{
	(void)state;
	BENCH(bench);
	set_capable(&bench, span(START, START + 4 * BLOCK));
	blocks_done(&bench.device.facts.blocks);
	assert_compared(&bench, VERIFY_CAPABLE_RANGES, VERIFY_DIFFERS, "[mem 0x100000000",
		"it refused some");
	assert_compared(
		&bench, VERIFY_RECORDED_ANSWER, VERIFY_DIFFERS, "[mem 0x100000000", "refuses it");
}

static void test_answers(void **state)
{
	static const struct {
		enum answer answer;
		int error, stuck;
		enum verify_result result;
		const char *found;
	} rows[] = {
		{ANSWER_REFUSES, EPERM, 0, VERIFY_AGREES, "the kernel refuses it"},
		{ANSWER_ACCEPTS, 0, 0, VERIFY_DIFFERS, "the block is offline again"},
		{ANSWER_ACCEPTS, 0, EBUSY, VERIFY_DIFFERS, "cannot be taken offline again"},
		{ANSWER_NONE, EBUSY, 0, VERIFY_NOT_COMPARED, "no answer: Device"},
		{ANSWER_NONE, ENOMEM, 0, VERIFY_NOT_COMPARED, "no answer: Cannot"},
		{ANSWER_NONE, EIO, 0, VERIFY_DIFFERS, "no answer: Input"},
		{ANSWER_NONE, 0, 0, VERIFY_NOT_COMPARED, "not tried: another program"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		BENCH(bench);
		struct trial *trial = only_trial(&bench);

		trial->answer = rows[i].answer;
		trial->error = rows[i].error;
		trial->stuck = rows[i].stuck;
		assert_compared(&bench, VERIFY_MEMORY_BLOCK, rows[i].result, "[mem 0x118000000",
			rows[i].found);
	}
}

/* An older kernel accepts all blocks that were present when TDX started, also offline ones. */
static void test_answer_of_old_kernel(void **state)
{
	struct trial *trial;

	(void)state;
	BENCH(bench);
	set_tdx(&bench, old_kernel, TDX_SOURCE_KVM_INTEL, FACT_YES);
	trial = only_trial(&bench);
	trial->answer = ANSWER_ACCEPTS;
	assert_differs(&bench, 0, 0);
	assert_compared(&bench, VERIFY_MEMORY_BLOCK, VERIFY_NOT_COMPARED, "[mem 0x118000000",
		"offline again; perhaps it was there when TDX started");
	trial->stuck = EBUSY;
	assert_differs(&bench, VERIFY_MEMORY_BLOCK, 1);
	/* A refusal is compared. */
	trial->stuck = 0;
	trial->answer = ANSWER_REFUSES;
	assert_compared(
		&bench, VERIFY_MEMORY_BLOCK, VERIFY_AGREES, "[mem 0x118000000", "refuses it");
	trial->expected = ANSWER_ACCEPTS;
	assert_differs(&bench, VERIFY_MEMORY_BLOCK, 1);
}

/* The highest offline block is chosen, and none that was RAM at boot. */
static void test_choice(void **state)
{
	const uint64_t last = START / BLOCK + 3;

	(void)state;
	BENCH(bench);
	assert_range_equal(only_trial(&bench)->range, block_range(last, BLOCK));
	set_block(&bench.device.facts.blocks, last, BLOCK_ONLINE);
	set_block(&bench.device.facts.blocks, last - 1, BLOCK_UNREAD);
	assert_range_equal(only_trial(&bench)->range, block_range(last - 2, BLOCK));
	for (uint64_t id = last - 3; id <= last; id++)
		set_block(&bench.device.facts.blocks, id, BLOCK_GOING_OFFLINE);
	choose(&bench);
	assert_int_equal(bench.facts.trials.n, 0);
	/* Boot memory that was unplugged and added again. */
	for (uint64_t id = last - 3; id <= last; id++)
		set_block(&bench.device.facts.blocks, id, BLOCK_OFFLINE);
	add_region(&bench.snapshot.boot_map, span(START, START + GIB), BOOT_SOURCE_BOOT_PARAMS);
	choose(&bench);
	assert_int_equal(bench.facts.trials.n, 0);
}

static void test_device_obstacles(void **state)
{
	static const enum device_type types[] = {TYPE_PMEM, TYPE_VIRTIO_MEM};

	(void)state;
	BENCH(bench);
	assert_null(only_trial(&bench)->obstacle);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		bench.device.facts.device.type = types[i];
		assert_non_null(only_trial(&bench)->obstacle);
	}
	bench.device.facts.device.type = TYPE_CXL;
	assert_null(only_trial(&bench)->obstacle);
	bench.device.facts.device.type = TYPE_UNKNOWN;
	assert_null(only_trial(&bench)->obstacle);
	snprintf(bench.device.facts.device.name, SYSFS_NAME, "dax0.0");
	assert_non_null(only_trial(&bench)->obstacle);
	bench.device.facts.device.type = TYPE_CXL;
	assert_null(only_trial(&bench)->obstacle);
	bench.entry.result = RESULT_BEGUN;
	assert_non_null(only_trial(&bench)->obstacle);
	bench.entry.result = RESULT_NOTHING;
	bench.entry.reconsider = true;
	assert_non_null(only_trial(&bench)->obstacle);
	bench.device.entry = NULL;
	assert_non_null(only_trial(&bench)->obstacle);
	/* A daemon that does not run has no job for the device. */
	bench.facts.running = false;
	assert_null(only_trial(&bench)->obstacle);
}

/* A block is not tried if a rule keeps it offline: its memory may be faulty. */
static void test_rules(void **state)
{
	struct rule rule = {.name = "50-faulty.rule", .match[MATCH_TYPE] = (char[]){"dimm"}};

	(void)state;
	BENCH(bench);
	bench.config.rules = &rule;
	bench.config.n_rules = 1;
	assert_null(only_trial(&bench)->obstacle);
	rule.has_verdict = true;
	for (rule.verdict = 0; rule.verdict < VERDICT_MAX; rule.verdict++)
		assert_int_equal(!only_trial(&bench)->obstacle, rule.verdict == VERDICT_ONLINE);
	/* The rule was removed from the files, and the daemon has not been reloaded. */
	bench.config.n_rules = 0;
	assert_null(only_trial(&bench)->obstacle);
	bench.entry.reason = REASON_RULE;
	assert_non_null(only_trial(&bench)->obstacle);
}

/* Conditions under which no block is tried. */
static void test_general_obstacles(void **state)
{
	(void)state;
	BENCH(bench);
	assert_null(verify_obstacle(&bench.facts));
	bench.facts.idle = false;
	assert_non_null(strstr(verify_obstacle(&bench.facts), "settle"));
	bench.facts.older = true;
	assert_non_null(strstr(verify_obstacle(&bench.facts), "restart"));
	bench.facts.running = false;
	assert_null(verify_obstacle(&bench.facts));
	bench.facts.captured = true;
	assert_non_null(verify_obstacle(&bench.facts));
	bench.facts.captured = false;
	bench.facts.observe = true;
	assert_non_null(verify_obstacle(&bench.facts));
	bench.facts.observe = false;
	assert_null(verify_obstacle(&bench.facts));
	bench.facts.mistake = true;
	assert_non_null(verify_obstacle(&bench.facts));
	bench.facts.mistake = false;
	assert_null(verify_obstacle(&bench.facts));
	for (enum tdx_state tdx = 0; tdx < TDX_STATE_MAX; tdx++) {
		bench.snapshot.tdx.detected = tdx;
		assert_int_equal(verify_obstacle(&bench.facts) == NULL, tdx == TDX_ACTIVE);
	}
	bench.snapshot.tdx.detected = TDX_ACTIVE;
	bench.snapshot.boot_map.known = false;
	assert_non_null(verify_obstacle(&bench.facts));
}

static void test_module_version(void **state)
{
	(void)state;
	assert_string_equal(verify_module_version("virt/tdx: Module version: 1.5.08"), "1.5.08");
	assert_null(verify_module_version("virt/tdx: module initialized"));
	assert_null(verify_module_version("x virt/tdx: Module version: 1.5.08"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees),
		cmocka_unit_test(test_tdx),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_boot_memory),
		cmocka_unit_test(test_online_memory),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_recorded_answer),
		cmocka_unit_test(test_capable_ranges),
		cmocka_unit_test(test_capable_device),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_answer_of_old_kernel),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_device_obstacles),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_general_obstacles),
		cmocka_unit_test(test_module_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
