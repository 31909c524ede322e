/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation of a range, a function for each topic.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "explain_topics.h"
#include "tdxo/remedy.h"

static const char *const topics[] = {
	[TOPIC_WHAT] = "what",
	[TOPIC_ORIGIN] = "origin",
	[TOPIC_BOOT_MAP] = "boot-map",
	[TOPIC_GATE] = "gate",
	[TOPIC_RULE] = "rule",
	[TOPIC_VERDICT] = "verdict",
	[TOPIC_DONE] = "done",
	[TOPIC_KERNEL] = "kernel",
	[TOPIC_CHANGE] = "change",
};
static_assert(ARRAY_SIZE(topics) == TOPIC_MAX, "a name for each topic");

const char *topic_to_string(enum topic topic)
{
	return topics[topic];
}

/* "4 memory blocks" */
static void append_count(struct text *text, uint64_t n, const char *noun)
{
	text_append(text, "%" PRIu64 " %s%s", n, noun, n == 1 ? "" : "s");
}

static bool has_source(const struct boot_map *map, enum boot_source source)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->regions[i].source == source)
			return true;
	return false;
}

/* How many bytes of the range are in the boot map. */
static uint64_t count_held(const struct boot_map *map, struct range range)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->n; i++)
		bytes += range_size(range_intersect(map->regions[i].range, range));
	return bytes;
}

/* What the boot map holds, and who says so. */
static void tell_map(struct text *text, const struct boot_map *map)
{
	const char *before = ", from ";
	char size[SIZE_TEXT];

	text_append(text, " The boot map holds %s in ",
		size_format(count_held(map, (struct range){0, UINT64_MAX}), size));
	append_count(text, map->n, "range");
	for (enum boot_source source = BOOT_SOURCE_NONE + 1; source < BOOT_SOURCE_MAX; source++) {
		if (!has_source(map, source))
			continue;
		text_append(text, "%s%s", before, boot_source_to_string(source));
		before = " and ";
	}
	text_append(text, ".");
}

/* Not all of it counts as there: which part does not, or what is wrong with its blocks? */
static void tell_straddling(
	struct text *text, const struct story *story, bool by_configuration, const char *source)
{
	const struct arrival *arrival = &story->record->arrival;
	uint64_t held = count_held(&story->facts->snapshot->boot_map, arrival->range);
	const char *or_asserted = by_configuration ? " or is asserted by CapableRanges=" : "";
	char size[SIZE_TEXT];

	if (held < range_size(arrival->range))
		text_append(text, "Only %s of it was there at boot%s%s%s.", size_format(held, size),
			or_asserted, by_configuration ? "" : ", says ",
			by_configuration ? "" : source);
	else
		text_append(text,
			"All of it was there at boot%s, but one of its memory blocks lies across "
			"two ranges of the boot map.",
			or_asserted);
}

static void tell_containment(struct text *text, const struct story *story)
{
	const struct arrival *arrival = &story->record->arrival;
	enum boot_source source;
	enum containment containment =
		policy_containment(story->facts->snapshot, arrival, arrival->range, &source);
	bool by_configuration = source == BOOT_SOURCE_CONFIGURATION;

	if (containment == CONTAINMENT_STRADDLES)
		tell_straddling(text, story, by_configuration, boot_source_to_string(source));
	else if (containment == CONTAINMENT_INSIDE && by_configuration)
		text_append(text, "CapableRanges= asserts that TDX can use all of it.");
	else if (containment == CONTAINMENT_INSIDE)
		text_append(text, "All of it was there at boot, says %s.",
			boot_source_to_string(source));
	else if (arrival_is_dax(arrival))
		text_append(text,
			"It was not RAM at boot, whatever firmware calls it: a dax device has it.");
	else
		text_append(text, "It was not there at boot.");
}

static void tell_boot_map(struct text *text, const struct story *story)
{
	const struct snapshot *snapshot = story->facts->snapshot;
	const struct arrival *arrival = &story->record->arrival;
	const struct dax_device *dax = snapshot_find_dax(snapshot, arrival->device);
	enum boot_source source;

	(void)policy_containment(snapshot, arrival, arrival->range, &source);
	if (!snapshot->boot_map.known && source != BOOT_SOURCE_CONFIGURATION)
		text_append(text, "Nothing tells which memory was there at boot.");
	else
		tell_containment(text, story);
	if (dax && dax->n_mappings > 1)
		text_append(text, " Its device has %zu ranges, and is judged by all of them.",
			dax->n_mappings);
	if (snapshot->boot_map.known || snapshot->boot_map.n)
		tell_map(text, &snapshot->boot_map);
}

/* "The TDX module is too old for this kernel: virt/tdx: …." */
static void append_cause(struct text *text, const struct gate *gate)
{
	text_append(text, " %s", gate_cause_explain(gate->cause));
	if (*gate_log_line(gate))
		text_append(text, ": %s", gate_log_line(gate));
	text_append(text, ".");
}

static void tell_gate(struct text *text, const struct story *story)
{
	static const char *const meanings[] = {
		[GATE_ABSENT] = "TDX does not run here and cannot start before the next boot, so "
				"the kernel refuses nothing.",
		[GATE_ARMED] = "Firmware enabled TDX, and the TDX module is not initialized yet: "
			       "memory that was not there at boot must stay out, or the "
			       "initialization fails.",
		[GATE_ACTIVE] = "TDX is active: the kernel refuses memory that was not there at "
				"boot.",
		[GATE_UNKNOWN] = "Whether TDX is active is unknown, so it is handled as active.",
	};
	static_assert(ARRAY_SIZE(meanings) == GATE_STATE_MAX, "words for each state");
	const struct gate *gate = &story->record->gate;

	if (gate_overridden(gate))
		text_append(text, "By Gate= or --gate= the gate counts as %s. As found it is %s.",
			gate_state_to_string(gate->state), gate_state_to_string(gate->detected));
	else
		text_append(text, "%s", meanings[gate->state]);
	if (gate->cause)
		append_cause(text, gate);
	text_append(text, " Sources: ");
	gate_append_sources(text, gate);
	text_append(text, ".");
}

/* The rule that matched, or NULL. */
static const struct rule *find_rule(const struct story *story)
{
	const struct config *config = story->facts->config;

	for (size_t i = 0; i < config->n_rules; i++)
		if (strcmp(config->rules[i].name, story->record->decision.rule) == 0)
			return &config->rules[i];
	return NULL;
}

static void tell_match(struct text *text, const struct story *story)
{
	const struct decision *decision = &story->record->decision;
	const struct rule *rule = find_rule(story);

	text_append(text, "Rule %s matches", decision->rule);
	if (decision->overruled)
		text_append(text, ", and asks for %s, which it cannot have",
			verdict_to_string(decision->asked));
	else if (rule && rule->has_verdict)
		text_append(text, ", and asks for %s", verdict_to_string(rule->verdict));
	text_append(text, ".");
	if (!decision->zone_overruled)
		return;
	text_append(text, " It asks for zone movable, which it cannot have: ");
	if (decision->movable_ratio)
		text_append(text, "movable memory would be %" PRIu64 " %% of the kernel's.",
			decision->movable_ratio);
	else
		text_append(text, "the sizes of the zones are not known.");
}

static void tell_rule(struct text *text, const struct story *story)
{
	size_t n = story->facts->config->n_rules;

	if (story->record->decision.rule[0])
		tell_match(text, story);
	else if (!n)
		text_append(text, "There are no rules.");
	else if (n == 1)
		text_append(text, "There is one rule, and it does not match.");
	else
		text_append(text, "None of the %zu rules matches.", n);
}

/* "devdax: TDX refuses it, it was not there at boot (outside-boot-map)." */
static void append_decision(struct text *text, const struct decision *decision)
{
	text_append(text, "%s: %s (%s).", verdict_to_string(decision->verdict),
		reason_clause(decision->reason), reason_to_string(decision->reason));
}

/*
 * What would be decided of a device in devdax mode if it were not. The driver is the only thing
 * that differs: with kmem it has its memory map already, as with device_dax.
 */
static struct decision decide_anew(const struct story *story)
{
	struct arrival arrival = story->record->arrival;

	arrival.driver = DAX_DRIVER_KMEM;
	return policy_decide(story->facts->config, story->facts->snapshot, &arrival);
}

static void tell_zone(struct text *text, const struct record *record)
{
	enum zone zone = record->decision.zone;

	if (zone == ZONE_KERNEL && gate_refuses(&record->gate))
		text_append(text, " It goes to zone kernel, because what is in zone movable can "
				  "never back a confidential VM.");
	else if (zone && zone != ZONE_AUTO)
		text_append(text, " It goes to zone %s.", zone_to_string(zone));
}

static void tell_verdict(struct text *text, const struct story *story)
{
	const struct decision *decision = &story->record->decision;
	const struct decision *with_tdx = story->with_tdx;
	char a[SIZE_TEXT], b[SIZE_TEXT];

	append_decision(text, decision);
	if (decision->reason == REASON_NO_HEAD_ROOM)
		text_append(text, " It takes %s, and %s can be spared.",
			size_format(decision->map_needed, a), size_format(decision->map_spare, b));
	tell_zone(text, story->record);
	if (decision->unaligned)
		text_append(text, " Of its edges %s are lost: they make no whole memory block.",
			size_format(decision->unaligned, a));
	if (decision->reason == REASON_ALREADY_DEVDAX) {
		const struct decision anew = decide_anew(story);

		text_append(text, " If it were not, the verdict would be ");
		append_decision(text, &anew);
	}
	if (gate_refuses(&story->record->gate) ||
		(with_tdx->reason == decision->reason && with_tdx->verdict == decision->verdict))
		return;
	text_append(text, " With the gate active the verdict would be ");
	append_decision(text, with_tdx);
}

static void tell_steps(struct text *text, const struct record *record)
{
	static const char *const steps[] = {
		[ACTION_UNBIND] = "take its driver off",
		[ACTION_BIND_KMEM] = "bind kmem",
		[ACTION_BIND_DEVICE_DAX] = "bind device_dax",
		[ACTION_ONLINE] = "bring its memory blocks online",
		[ACTION_OFFLINE] = "take its memory blocks offline",
	};
	static_assert(ARRAY_SIZE(steps) == ACTION_MAX, "words for each step");
	static const char *const before[] = {
		[WITHHELD_NOT] = " What is left to do: ",
		[WITHHELD_OBSERVE] = " Act=no withholds what is left to do: ",
		[WITHHELD_PRESENT] = " Present= withholds what is left to do: ",
	};
	static_assert(ARRAY_SIZE(before) == WITHHELD_MAX, "words for each");
	const struct plan *plan = record->plan;

	for (size_t i = 0; i < plan->n; i++)
		text_append(text, "%s%s", i ? ", " : before[record->decision.withheld],
			steps[plan->steps[i].action]);
	text_append(text, plan->n ? "." : " Nothing is left to do.");
}

static void tell_entry(struct text *text, const struct story *story)
{
	static const char *const results[] = {
		[RESULT_NOTHING] = "and nothing had to be done",
		[RESULT_PLANNED] = "and has done nothing",
		[RESULT_WITHHELD] = "and did nothing",
		[RESULT_BEGUN] = "and has not finished",
		[RESULT_DONE] = "and did it",
		[RESULT_PARTIAL] = "and did only a part of it",
		[RESULT_FAILED] = "and failed",
		[RESULT_CHANGED] = "and somebody has changed it since",
	};
	static_assert(ARRAY_SIZE(results) == RESULT_MAX, "words for each result");
	struct entry entry = *story->entry;

	text_append(text, "The daemon decided %s (%s), %s", verdict_to_string(entry.verdict),
		reason_to_string(entry.reason), results[entry.result]);
	if (entry.result == RESULT_WITHHELD)
		text_append(text, " because of Act=no or Present=");
	text_append(text, ".");
	if (entry.changed && entry.result != RESULT_CHANGED)
		text_append(text, " Somebody has changed it since.");
	/* Whether it is withheld is another matter. */
	entry.result = story->record->outcome.result;
	if (entry_differs(&entry, story->record))
		text_append(text, " That stands until a reload, which decides it anew.");
}

static void tell_done(struct text *text, const struct story *story)
{
	if (!story->facts->ran)
		text_append(text, "The daemon has not run in this boot.");
	else if (!story->entry)
		text_append(text, "The daemon has not decided it.");
	else
		tell_entry(text, story);
	tell_steps(text, story->record);
}

static void tell_blocks(struct text *text, const struct story *story)
{
	const struct record *record = story->record;
	const struct block_count *blocks = &record->outcome.blocks;

	if (!blocks->present) {
		text_append(text, "It is not in the kernel's memory: it would be ");
		append_count(text,
			snapshot_block_room(story->facts->snapshot, record->arrival.range),
			"memory block");
	} else if (blocks->present == 1) {
		text_append(text, "Its memory block is %s", blocks->online ? "online" : "offline");
	} else {
		text_append(text, "%" PRIu64 " of its %" PRIu64 " memory blocks %s online",
			blocks->online, blocks->present, blocks->online == 1 ? "is" : "are");
	}
	if (record->outcome.zone_now[0])
		text_append(text, ", in zone %s", record->outcome.zone_now);
	if (blocks->unread)
		text_append(text, ", as far as can be read");
	text_append(text, ".");
}

static void tell_kernel(struct text *text, const struct story *story)
{
	const struct record *record = story->record;

	tell_blocks(text, story);
	if (record->outcome.answer)
		text_append(text, " Asked in this boot to bring it online, the kernel %s%s.",
			record->outcome.answer == ANSWER_ACCEPTS ? "accepted" : "refused",
			record_disagrees(record) ? ", which was not expected" : "");
	else if (record->decision.expected)
		text_append(text, " Asked to bring it online, the kernel would %s.",
			record->decision.expected == ANSWER_ACCEPTS ? "accept" : "refuse");
}

/* The reason that stands in the way of another verdict. */
static struct decision find_obstacle(const struct story *story)
{
	struct decision decision = story->record->decision;
	const struct entry *entry = story->entry;

	if (entry &&
		(entry->reason == REASON_KERNEL_REFUSED || entry->reason == REASON_ROLLED_BACK)) {
		decision.reason = entry->reason;
	} else if (decision.reason == REASON_ALREADY_DEVDAX) {
		const struct decision anew = decide_anew(story);

		if (anew.verdict != VERDICT_ONLINE)
			decision = anew;
	}
	return decision;
}

static void tell_change(struct text *text, const struct story *story)
{
	bool withheld = story->entry && story->entry->result == RESULT_WITHHELD;
	struct record record = *story->record;

	record.decision = find_obstacle(story);
	remedy_append(text, &record);
	if (!record.plan->n)
		return;
	if (story->record->decision.withheld == WITHHELD_OBSERVE)
		text_append(text, " Act=yes in tdx-onlined.conf(5) lets be done what is left.");
	else if (withheld || story->record->decision.withheld)
		text_append(text, " 'tdx-onlined --oneshot' does what is left to do.");
}

void explain_range(const struct explain_facts *facts, const struct record *record,
	const struct entry *entry, const struct decision *with_tdx,
	struct explanation *ret_explanation)
{
	static void (*const tellers[])(struct text * text, const struct story *story) = {
		[TOPIC_WHAT] = explain_what,
		[TOPIC_ORIGIN] = explain_origin,
		[TOPIC_BOOT_MAP] = tell_boot_map,
		[TOPIC_GATE] = tell_gate,
		[TOPIC_RULE] = tell_rule,
		[TOPIC_VERDICT] = tell_verdict,
		[TOPIC_DONE] = tell_done,
		[TOPIC_KERNEL] = tell_kernel,
		[TOPIC_CHANGE] = tell_change,
	};
	static_assert(ARRAY_SIZE(tellers) == TOPIC_MAX, "a function for each topic");
	const struct story story = {facts, record, entry, with_tdx};

	for (enum topic topic = 0; topic < TOPIC_MAX; topic++) {
		struct text text =
			text_in(ret_explanation->texts[topic], sizeof(ret_explanation->texts[0]));

		tellers[topic](&text, &story);
	}
}
