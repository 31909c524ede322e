/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stories: a scene with what a dry run makes of it, ready to be explained. Whoever sets one up
 * may change any of it before it is told.
 */
#pragma once

#include "tdxo/explain/explain.h"
#include "tests/unit/scene.h"

struct storybook {
	struct stage stage;
	struct decision decision;
	struct plan plan;
	struct record record; /* borrows the three */
	struct history_entry entry;
	bool ran, public, has_entry;
	struct explanation explanation;
};

static inline void storybook_done(struct storybook *book)
{
	plan_done(&book->plan);
	stage_done(&book->stage);
}

/* What the sources show where the TDX state is in that state. */
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
static inline void storybook_record(struct storybook *book, size_t i)
{
	const struct facts *facts = &book->stage.facts;
	struct record *record = &book->record;

	*record = (struct record){.facts = facts, .decision = &book->decision, .plan = &book->plan};
	if (facts->device.n_ranges)
		record->range = facts->device.ranges[i];
	record->outcome.driver = facts->device.driver;
	record->outcome.blocks = blocks_count(&facts->blocks, record->range, BLOCK);
	record->outcome.result = !book->plan.n		   ? RESULT_NOTHING
				 : book->decision.withheld ? RESULT_WITHHELD
							   : RESULT_PLANNED;
}

/* Decide and plan the scene that the stage has, as a dry run does. */
static inline void storybook_decide(struct storybook *book)
{
	plan_done(&book->plan);
	book->decision = stage_decide(&book->stage);
	assert_int_equal(plan_make(&book->stage.facts, &book->decision, &book->plan), 0);
	storybook_record(book, 0);
}

static inline void storybook_set(struct storybook *book, const struct scene *scene)
{
	stage_set(&book->stage, scene);
	book->stage.facts.tdx = tdx_of(scene->tdx);
	storybook_decide(book);
}

static inline void storybook_tell(struct storybook *book)
{
	static const struct snapshot snapshot;
	static const struct srat srat;
	static const struct cedt cedt;
	const struct explain_world world = {.snapshot = &snapshot,
		.map = explain_sum_map(book->record.facts->boot_map),
		.srat = &srat,
		.cedt = &cedt,
		.config = &book->stage.config,
		.ran = book->ran,
		.public = book->public};

	/* Whatever is not told again shows. */
	memset(&book->explanation, '#', sizeof(book->explanation));
	explain_range(
		&world, &book->record, book->has_entry ? &book->entry : NULL, &book->explanation);
}

static inline void assert_topic(const struct storybook *book, enum topic topic, const char *want)
{
	const char *text = book->explanation.texts[topic];

	if (strcmp(text, want) != 0)
		print_error("%s\n", topic_to_string(topic));
	assert_string_equal(text, want);
}
