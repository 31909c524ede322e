/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparisons of verify.
 */
#include "tdxo/doctor/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"
#include "tdxo/policy/guard.h"

static const char *const checks[] = {
	[VERIFY_TDX_STATE] = "tdx-state",
	[VERIFY_TDX_SOURCE] = "tdx-source",
	[VERIFY_BOOT_MAP] = "boot-map",
	[VERIFY_BOOT_MEMORY] = "boot-memory",
	[VERIFY_ONLINE_MEMORY] = "online-memory",
	[VERIFY_GUARD] = "guard",
	[VERIFY_RECORDED_ANSWER] = "recorded-answer",
	[VERIFY_CAPABLE_RANGES] = "capable-ranges",
	[VERIFY_MEMORY_BLOCK] = "memory-block",
};
DEFINE_TO_STRING(verify_check, enum verify_check, checks, VERIFY_CHECK_MAX)

static const char *const results[] = {
	[VERIFY_AGREES] = "agrees",
	[VERIFY_DIFFERS] = "differs",
	[VERIFY_NOT_COMPARED] = "not-compared",
};
DEFINE_TO_STRING(verify_result, enum verify_result, results, VERIFY_RESULT_MAX)

/* What a check appends to. After an error nothing is appended. */
struct comparing {
	const struct verify_facts *facts;
	struct comparisons list;
	int error;
};

void comparisons_done(struct comparisons *comparisons)
{
	free(comparisons->items);
	*comparisons = (struct comparisons){0};
}

/* Add a comparison; what is found follows. */
static void PRINTF(6, 7)
	add(struct comparing *c, enum verify_check check, enum verify_result result,
		const char *subject, const char *expected, const char *format, ...)
{
	struct comparison comparison = {.check = check, .result = result};
	va_list args;

	snprintf(comparison.subject, VERIFY_TEXT, "%s", subject);
	snprintf(comparison.expected, VERIFY_TEXT, "%s", expected);
	va_start(args, format);
	vsnprintf(comparison.found, VERIFY_TEXT, format, args);
	va_end(args);
	if (!c->error)
		c->error = array_append(c->list.items, c->list.n, comparison);
}

static enum verify_result agrees_if(bool same)
{
	return same ? VERIFY_AGREES : VERIFY_DIFFERS;
}

/* --- TDX --- */

static void check_tdx_state(struct comparing *c)
{
	const struct tdx *tdx = &c->facts->snapshot->tdx;
	char buf[VERIFY_TEXT];
	struct strbuf found = strbuf_in(buf, sizeof(buf));
	bool proved = tdx->detected != TDX_UNKNOWN && !tdx_overridden(tdx);

	tdx_append(&found, tdx);
	add(c, VERIFY_TDX_STATE, agrees_if(proved), "TDX",
		proved ? buf : "a state that the sources prove", "%s", buf);
}

/* What a source must not show in a state; FACT_UNREADABLE: it may show anything. */
static enum fact forbidden(const struct tdx *tdx, enum tdx_source source)
{
	bool active = tdx->detected == TDX_ACTIVE;

	if (tdx->detected == TDX_UNKNOWN)
		return FACT_UNREADABLE;
	switch (source) {
	case TDX_SOURCE_CPUINFO:
		return tdx->detected == TDX_ABSENT ? FACT_UNREADABLE : FACT_NO;
	case TDX_SOURCE_KERNEL_LOG:
		return active ? FACT_NO : FACT_YES;
	case TDX_SOURCE_CORE_STATE:
		if (active)
			return kernel_starts_tdx_at_boot(tdx->evidence.release) ? FACT_NO
										: FACT_UNREADABLE;
		return FACT_YES;
	default:
		return active ? FACT_UNREADABLE : FACT_YES;
	}
}

static void check_tdx_source(struct comparing *c, enum tdx_source source)
{
	const struct tdx *tdx = &c->facts->snapshot->tdx;
	enum fact fact = tdx->evidence.facts[source], bad = forbidden(tdx, source);
	const char *found = fact_to_string(source, fact);
	bool differs = fact == bad && bad != FACT_UNREADABLE;
	enum verify_result result =
		fact == FACT_UNREADABLE ? VERIFY_NOT_COMPARED : agrees_if(!differs);

	add(c, VERIFY_TDX_SOURCE, result, tdx_source_to_string(source),
		differs ? fact_to_string(source, fact == FACT_NO ? FACT_YES : FACT_NO) : found,
		"%s", found);
}

static void check_tdx_sources(struct comparing *c)
{
	const struct tdx_facts *evidence = &c->facts->snapshot->tdx.evidence;

	for (enum tdx_source source = 0; source < TDX_SOURCE_MAX; source++)
		if (evidence->facts[source] != FACT_ABSENT)
			check_tdx_source(c, source);
}

/* --- the boot map --- */

static void check_boot_map(struct comparing *c)
{
	const struct boot_map *map = &c->facts->snapshot->boot_map;
	char size[SIZE_TEXT], found[VERIFY_TEXT] = "not known";
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->n; i++)
		bytes += range_size(map->regions[i].range);
	if (map->known)
		snprintf(found, sizeof(found), "known, %s in %zu range%s", size_format(bytes, size),
			map->n, map->n == 1 ? "" : "s");
	add(c, VERIFY_BOOT_MAP, agrees_if(map->known), "boot map", map->known ? found : "known",
		"%s", found);
}

/* Each region spans blocks that are there, in whole or in part. */
static void check_boot_memory(struct comparing *c)
{
	const struct snapshot *snapshot = c->facts->snapshot;
	uint64_t block_size = snapshot->block_size, spanned, there;
	const struct boot_map *map = &snapshot->boot_map;
	char text[RANGE_TEXT];
	bool all = true;

	for (size_t i = 0; i < map->n; i++) {
		struct range range = map->regions[i].range;

		if (map->regions[i].source == BOOT_SOURCE_CONFIGURATION)
			continue;
		spanned = (range.end - 1) / block_size - range.start / block_size + 1;
		there = block_ids_in(&snapshot->blocks, range, block_size).n;
		if (there < spanned)
			add(c, VERIFY_BOOT_MEMORY, VERIFY_DIFFERS, range_format(range, text),
				"all memory blocks are there",
				"%" PRIu64 " of %" PRIu64 " are there", there, spanned);
		all &= there >= spanned;
	}
	if (all && map->known)
		add(c, VERIFY_BOOT_MEMORY, VERIFY_AGREES, "boot map", "all memory blocks are there",
			"all memory blocks are there");
}

/* How many are online outside of the boot map; ret_first is the first of them. */
static size_t count_online(const struct facts *facts, struct range *ret_first)
{
	size_t n = 0;

	for (size_t i = 0; i < facts->blocks.n; i++) {
		struct range block = block_range(facts->blocks.blocks[i].id, facts->block_size);
		enum boot_source source;

		if (facts->blocks.blocks[i].state == BLOCK_OFFLINE ||
			policy_containment(facts, block, &source) == CONTAINMENT_INSIDE || n++)
			continue;
		*ret_first = block;
	}
	return n;
}

static const char outside[] = "outside the boot map", none_online[] = "no memory block is online";

/*
 * Before Linux 7.1 the kernel takes what is there when TDX starts (init_tdx_module(),
 * arch/x86/virt/vmx/tdx/tdx.c, 6.12): memory that was onlined earlier is in its list.
 */
static void check_online_memory(struct comparing *c)
{
	const struct tdx *tdx = &c->facts->snapshot->tdx;
	char first[RANGE_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < c->facts->n_devices; i++) {
		struct range block = {0};
		size_t more = count_online(&c->facts->devices[i].facts, &block);

		if (more && !n)
			range_format(block, first);
		n += more;
	}
	if (tdx->detected != TDX_ACTIVE)
		add(c, VERIFY_ONLINE_MEMORY, VERIFY_NOT_COMPARED, outside, none_online,
			"TDX is not active");
	else if (!n)
		add(c, VERIFY_ONLINE_MEMORY, VERIFY_AGREES, outside, none_online, none_online);
	else if (kernel_starts_tdx_at_boot(tdx->evidence.release))
		add(c, VERIFY_ONLINE_MEMORY, VERIFY_DIFFERS, outside, none_online,
			"%zu online, the first is %s", n, first);
	else
		add(c, VERIFY_ONLINE_MEMORY, VERIFY_NOT_COMPARED, outside, none_online,
			"%zu online, the first is %s, perhaps from before the start of TDX", n,
			first);
}

/* --- the guard --- */

static void check_switch(struct comparing *c, enum guard_switch i, const char *found)
{
	const char *expected = guard_switch_value(i);

	add(c, VERIFY_GUARD, agrees_if(strcmp(expected, found) == 0), guard_switch_to_string(i),
		expected, "%s", found);
}

/* Why the switches are not compared, or NULL. Rules are known from the files alone. */
static const char *guard_obstacle(const struct verify_facts *facts, unsigned int wanted)
{
	bool by_rules =
		facts->config->guard == GUARD_MODE_AUTO && !tdx_refuses(&facts->snapshot->tdx);

	if (facts->outdated && by_rules)
		return "the configuration files have changed since the daemon read them";
	if (!facts->running && wanted)
		return "the daemon is not running";
	return wanted ? NULL : "the guard is not needed";
}

static void check_guard(struct comparing *c)
{
	const struct snapshot *snapshot = c->facts->snapshot;
	unsigned int wanted = guard_wanted(c->facts->config, &snapshot->tdx);
	const char *obstacle = guard_obstacle(c->facts, wanted);

	if (obstacle)
		add(c, VERIFY_GUARD, VERIFY_NOT_COMPARED, "switches", "held by the daemon", "%s",
			obstacle);
	for (enum guard_switch i = 0; !obstacle && i < GUARD_SWITCHES; i++) {
		const char *found = guard_switch_read(snapshot, i);

		if (wanted & GUARD_SWITCH(i) && *found)
			check_switch(c, i, found);
	}
}

/* --- what the kernel has answered, and answers --- */

static const char *expected_text(enum answer expected)
{
	return expected == ANSWER_REFUSES ? "the kernel refuses it" : "the kernel accepts it";
}

/*
 * Before Linux 7.1 the kernel accepts what was there when TDX started, and an answer can be from
 * before that.
 */
static enum verify_result compare_answer(
	const struct comparing *c, enum answer expected, enum answer answer)
{
	if (answer != expected && answer == ANSWER_ACCEPTS &&
		!kernel_starts_tdx_at_boot(c->facts->snapshot->tdx.evidence.release))
		return VERIFY_NOT_COMPARED;
	return agrees_if(answer == expected);
}

static void check_recorded_answer(struct comparing *c, const struct verify_device *device)
{
	enum answer expected = policy_expects(&device->facts);
	enum answer answer = device->entry ? device->entry->answer : ANSWER_NONE;
	char text[RANGE_TEXT];

	if (!answer || !expected)
		return;
	add(c, VERIFY_RECORDED_ANSWER, compare_answer(c, expected, answer),
		device_format(&device->facts.device, text), expected_text(expected), "%s",
		expected_text(answer));
}

static void check_recorded_answers(struct comparing *c)
{
	for (size_t i = 0; i < c->facts->n_devices; i++)
		check_recorded_answer(c, &c->facts->devices[i]);
}

/* Has the kernel given this answer to memory in the window? Windows are few: one line has them. */
static bool was_answered(const struct verify_facts *facts, struct range window, enum answer answer)
{
	for (size_t i = 0; i < facts->trials.n; i++)
		if (facts->trials.items[i].answer == answer &&
			range_contains(window, facts->trials.items[i].range))
			return true;
	for (size_t i = 0; i < facts->n_devices; i++) {
		const struct device *device = &facts->devices[i].facts.device;

		if (facts->devices[i].entry && facts->devices[i].entry->answer == answer &&
			device->n_ranges && range_contains(window, device->ranges[0]))
			return true;
	}
	return false;
}

static void check_capable_ranges(struct comparing *c)
{
	const struct range_set *capable = &c->facts->config->capable;
	char text[RANGE_TEXT];

	for (size_t i = 0; i < capable->n; i++) {
		struct range window = capable->ranges[i];
		bool refused = was_answered(c->facts, window, ANSWER_REFUSES);
		bool accepted = was_answered(c->facts, window, ANSWER_ACCEPTS);

		add(c, VERIFY_CAPABLE_RANGES,
			refused || accepted ? agrees_if(!refused) : VERIFY_NOT_COMPARED,
			range_format(window, text), "the kernel accepts memory in it",
			refused	   ? "it refused some"
			: accepted ? "it accepted some"
				   : "no memory block in it was tried");
	}
}

static enum verify_result result_of(const struct comparing *c, const struct trial *trial)
{
	if (trial->obstacle)
		return VERIFY_NOT_COMPARED;
	if (trial->stuck)
		return VERIFY_DIFFERS;
	if (trial->answer)
		return compare_answer(c, trial->expected, trial->answer);
	/* What may pass is not an answer. */
	return trial->error && !block_error_may_pass(trial->error) ? VERIFY_DIFFERS
								   : VERIFY_NOT_COMPARED;
}

static void append_found(struct strbuf *found, const struct trial *trial)
{
	if (trial->obstacle)
		strbuf_append(found, "not tried: %s", trial->obstacle);
	else if (trial->answer == ANSWER_REFUSES)
		strbuf_append(found, "%s", expected_text(trial->answer));
	else if (trial->answer && trial->stuck)
		strbuf_append(found,
			"it accepted, and the block is online: it cannot be taken "
			"offline again: %s",
			strerror(trial->stuck));
	else if (trial->answer)
		strbuf_append(found, "it accepted; the block is offline again");
	else if (trial->error)
		strbuf_append(found, "no answer: %s", strerror(trial->error));
	else
		strbuf_append(found, "not tried: another program has changed the block");
}

static void check_trial(struct comparing *c, const struct trial *trial)
{
	char range[RANGE_TEXT], buf[VERIFY_TEXT];
	struct strbuf found = strbuf_in(buf, sizeof(buf));
	enum verify_result result = result_of(c, trial);

	append_found(&found, trial);
	if (trial->answer && result == VERIFY_NOT_COMPARED)
		strbuf_append(&found, "; perhaps it was there when TDX started");
	add(c, VERIFY_MEMORY_BLOCK, result, range_format(trial->range, range),
		trial->expected ? expected_text(trial->expected) : "an answer of the kernel", "%s",
		buf);
}

static void check_trials(struct comparing *c)
{
	const char *obstacle = verify_obstacle(c->facts);
	const struct trials *trials = &c->facts->trials;

	if (obstacle || !trials->n)
		add(c, VERIFY_MEMORY_BLOCK, VERIFY_NOT_COMPARED, "memory blocks",
			"answers of the kernel", "not tried: %s",
			obstacle ?: "no memory block outside the boot map is offline");
	for (size_t i = 0; !obstacle && i < trials->n; i++)
		check_trial(c, &trials->items[i]);
}

int verify_compare(const struct verify_facts *facts, struct comparisons *ret)
{
	static void (*const table[])(struct comparing * c) = {
		check_tdx_state,
		check_tdx_sources,
		check_boot_map,
		check_boot_memory,
		check_online_memory,
		check_guard,
		check_recorded_answers,
		check_capable_ranges,
		check_trials,
	};
	struct comparing c = {.facts = facts};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		table[i](&c);
	if (c.error)
		comparisons_done(&c.list);
	else
		*ret = c.list;
	return c.error;
}
