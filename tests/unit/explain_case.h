/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scene with the decision, plan and record of a dry run, and its explanation. A test may change
 * any of them before explain_case_run().
 */
#pragma once

#include "tdxo/explain/explain.h"
#include "tests/unit/scene.h"

struct explain_case {
	struct stage stage;
	struct decision decision;
	struct plan plan;
	struct record record; /* borrows stage, decision and plan */
	struct history_entry entry;
	bool ran, public, has_entry;
	struct explanation explanation;
};

static inline void explain_case_done(struct explain_case *test)
{
	plan_done(&test->plan);
	stage_done(&test->stage);
}

/* A TDX state with sources that prove it. */
static inline struct tdx tdx_of(enum tdx_state tdx)
{
	static const struct tdx_facts facts[] = {
		[TDX_ABSENT].facts = {FACT_NO, FACT_ABSENT, FACT_ABSENT, FACT_ABSENT, FACT_ABSENT,
			FACT_NO, FACT_ABSENT, FACT_ABSENT},
		[TDX_ARMED].facts = {FACT_YES, FACT_ABSENT, FACT_ABSENT, FACT_ABSENT, FACT_NO,
			FACT_NO, FACT_ABSENT, FACT_ABSENT},
		[TDX_ACTIVE].facts = {FACT_YES, FACT_ABSENT, FACT_ABSENT, FACT_ABSENT, FACT_YES,
			FACT_YES, FACT_ABSENT, FACT_YES},
		[TDX_UNKNOWN].facts = {FACT_UNREADABLE, FACT_ABSENT, FACT_ABSENT, FACT_ABSENT,
			FACT_ABSENT, FACT_ABSENT, FACT_ABSENT, FACT_ABSENT},
	};
	struct tdx decided = tdx_decide(&facts[tdx], TDX_MODE_AUTO);

	assert_int_equal(decided.state, tdx);
	return decided;
}

/* The record of one range of the device, or of all of it if its ranges are not known. */
static inline void explain_case_record(struct explain_case *test, size_t i)
{
	const struct facts *facts = &test->stage.facts;
	struct record *record = &test->record;

	*record = (struct record){.facts = facts, .decision = &test->decision, .plan = &test->plan};
	if (facts->device.n_ranges)
		record->range = facts->device.ranges[i];
	record->outcome.driver = facts->device.driver;
	record->outcome.blocks = blocks_count(&facts->blocks, record->range, BLOCK);
	record->outcome.result = !test->plan.n		   ? RESULT_NOTHING
				 : test->decision.withheld ? RESULT_WITHHELD
							   : RESULT_PLANNED;
}

/* Decide and plan the scene of the stage, as a dry run does. */
static inline void explain_case_decide(struct explain_case *test)
{
	plan_done(&test->plan);
	test->decision = stage_decide(&test->stage);
	assert_int_equal(plan_make(&test->stage.facts, &test->decision, &test->plan), 0);
	explain_case_record(test, 0);
}

static inline void explain_case_set(struct explain_case *test, const struct scene *scene)
{
	stage_set(&test->stage, scene);
	test->stage.facts.tdx = tdx_of(scene->tdx);
	explain_case_decide(test);
}

static inline void explain_case_run(struct explain_case *test)
{
	static const struct snapshot snapshot;
	static const struct srat srat;
	static const struct cedt cedt;
	const struct explain_world world = {.snapshot = &snapshot,
		.map = explain_sum_map(test->record.facts->boot_map),
		.srat = &srat,
		.cedt = &cedt,
		.config = &test->stage.config,
		.ran = test->ran,
		.public = test->public};

	/* A topic that is not written again is found. */
	memset(&test->explanation, '#', sizeof(test->explanation));
	explain_range(
		&world, &test->record, test->has_entry ? &test->entry : NULL, &test->explanation);
}

static inline void assert_topic(const struct explain_case *test, enum topic topic, const char *want)
{
	const char *text = test->explanation.texts[topic];

	if (strcmp(text, want) != 0)
		print_error("%s\n", topic_to_string(topic));
	assert_string_equal(text, want);
}
