/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation of a range, a function for each topic.
 */
#include <assert.h>
#include <inttypes.h>

#include "lib/explain/topics.h"
#include "tdxo/base/string_table.h"
#include "tdxo/record/remedy.h"

static const char *const topics[] = {
	[TOPIC_WHAT] = "what",
	[TOPIC_ORIGIN] = "origin",
	[TOPIC_BOOT_MAP] = "boot-map",
	[TOPIC_TDX] = "tdx",
	[TOPIC_RULE] = "rule",
	[TOPIC_VERDICT] = "verdict",
	[TOPIC_DONE] = "done",
	[TOPIC_KERNEL] = "kernel",
	[TOPIC_CHANGE] = "change",
};
DEFINE_TO_STRING(topic, enum topic, topics, TOPIC_MAX)

struct map_sum explain_sum_map(const struct boot_map *map)
{
	struct map_sum sum = {0};

	for (size_t i = 0; i < map->n; i++) {
		sum.bytes += range_size(map->regions[i].range);
		sum.has_source[map->regions[i].source] = true;
	}
	return sum;
}

static void append_map(struct strbuf *text, const struct map_sum *sum)
{
	const char *before = ", from ";
	char size[SIZE_TEXT];

	strbuf_append(text, " The boot map holds %s", size_format(sum->bytes, size));
	for (enum boot_source source = BOOT_SOURCE_NONE + 1; source < BOOT_SOURCE_MAX; source++) {
		if (!sum->has_source[source])
			continue;
		strbuf_append(text, "%s%s", before, boot_source_to_string(source));
		before = " and ";
	}
	strbuf_append(text, ".");
}

static void append_containment(struct strbuf *text, const struct story *story)
{
	const struct facts *facts = story->record->facts;
	struct range range = story->record->range;
	uint64_t held = boot_map_bytes(facts->boot_map, range);
	enum boot_source source;
	enum containment containment = policy_containment(facts, range, &source);
	char size[SIZE_TEXT];

	if (range_is_empty(range))
		strbuf_append(text, "Its addresses are not known.");
	else if (!facts->boot_map->known && source != BOOT_SOURCE_CONFIGURATION)
		strbuf_append(text, MAP_UNKNOWN);
	else if (containment == CONTAINMENT_INSIDE)
		strbuf_append(text, "All of it is in the boot map, from %s.",
			boot_source_to_string(source));
	else if (containment == CONTAINMENT_STRADDLES && held < range_size(range))
		strbuf_append(text, "Only %s of it is in the boot map.", size_format(held, size));
	else if (containment == CONTAINMENT_STRADDLES)
		strbuf_append(text,
			"All of it is in the boot map, but one of its memory blocks lies "
			"across two ranges there.");
	else if (device_is_dax(&facts->device))
		strbuf_append(text, "It is the memory of a dax device, so it was not RAM at boot, "
				    "even if firmware lists it as RAM.");
	else
		strbuf_append(text, "It is not in the boot map.");
}

static void explain_boot_map(struct strbuf *text, const struct story *story)
{
	const struct facts *facts = story->record->facts;

	append_containment(text, story);
	if (facts->device.n_ranges > 1)
		strbuf_append(text, " Its device has %zu ranges, which get one verdict.",
			facts->device.n_ranges);
	if (facts->boot_map->n)
		append_map(text, &story->world->map);
}

static void explain_tdx(struct strbuf *text, const struct story *story)
{
	const struct tdx *tdx = &story->record->facts->tdx;
	const char *line = tdx_evidence_line(tdx);

	tdx_append_meaning(text, tdx);
	if (tdx->cause)
		strbuf_append(
			text, " %s%s%s.", tdx_cause_explain(tdx->cause), *line ? ": " : "", line);
	strbuf_append(text, " Sources: ");
	tdx_append_sources(text, tdx);
	strbuf_append(text, ".");
}

static void append_match(struct strbuf *text, const struct decision *decision)
{
	strbuf_append(text, "Rule %s matches", decision->rule);
	if (decision->overruled)
		strbuf_append(text, ", but its verdict %s is not possible here",
			verdict_to_string(decision->asked));
	strbuf_append(text, ".");
	if (!decision->zone_overruled)
		return;
	strbuf_append(text, " Its zone movable is not possible here: ");
	if (decision->movable_ratio)
		strbuf_append(text, "movable memory would be %" PRIu64 " %% of kernel memory.",
			decision->movable_ratio);
	else
		strbuf_append(text, "the sizes of the zones are not known.");
}

static void explain_rule(struct strbuf *text, const struct story *story)
{
	if (story->record->decision->rule[0])
		append_match(text, story->record->decision);
	else
		strbuf_append(text, "%s",
			story->world->config->n_rules ? "No rule matches." : "There are no rules.");
}

/* "devdax: TDX is active and accepts only … (outside-boot-map)." */
static void append_decision(
	struct strbuf *text, const struct record *record, const struct decision *decision)
{
	strbuf_append(text, "%s: ", verdict_to_string(decision->verdict));
	decision_append_clause(text, decision, record->facts, record->range);
	strbuf_append(text, " (%s).", reason_to_string(decision->reason));
}

/*
 * What would be decided of a device in devdax mode with the driver kmem. Nothing else differs: as
 * with device_dax its page metadata is there already.
 */
static struct decision decide_with_kmem(const struct story *story)
{
	struct facts facts = *story->record->facts;

	facts.device.driver = DAX_DRIVER_KMEM;
	return policy_decide(story->world->config, &facts);
}

static void explain_verdict(struct strbuf *text, const struct story *story)
{
	const struct decision *decision = story->record->decision;
	uint64_t unaligned = record_unaligned(story->record);
	char size[SIZE_TEXT];

	append_decision(text, story->record, decision);
	strbuf_append(text, " ");
	record_append_text(text, story->record, reason_explanation(decision->reason));
	if (decision->zone && decision->zone != ZONE_AUTO)
		strbuf_append(text, " Its zone is %s.", zone_to_string(decision->zone));
	if (unaligned)
		strbuf_append(text,
			" At its edges %s cannot be used, because only whole memory blocks go "
			"online.",
			size_format(unaligned, size));
	if (decision->reason == REASON_ALREADY_DEVDAX) {
		const struct decision with_kmem = decide_with_kmem(story);

		strbuf_append(text, " If its driver were kmem, the verdict would be ");
		append_decision(text, story->record, &with_kmem);
	}
}

static void append_entry(struct strbuf *text, const struct story *story)
{
	const struct history_entry *entry = story->entry;

	strbuf_append(text, "The daemon decided %s (%s); the result is %s.",
		verdict_to_string(entry->verdict), reason_to_string(entry->reason),
		result_to_string(entry->result));
	if (history_entry_was_changed(entry, story->record->facts))
		strbuf_append(text, " It has been changed by another program or by hand since.");
	/* Whether a decision is withheld makes no difference here. */
	if (!history_entry_differs(entry, story->record->decision, entry->result))
		return;
	record_append_text(text, story->record,
		" This would be decided differently now. To have it decided again: "
		"'tdx-onlinectl decide @TDXO_TARGET@'. If a file was changed, reload the service "
		"first.");
}

static void explain_done(struct strbuf *text, const struct story *story)
{
	const struct plan *plan = story->record->plan;
	const char *before = " Steps left: ";

	if (!story->world->ran)
		strbuf_append(text, "The daemon has not run in this boot.");
	else if (story_is_hidden(story))
		strbuf_append(text,
			"It is not known whether the daemon has decided about it, because only "
			"root can read the state file of the daemon: run tdx-onlinectl as root.");
	else if (!story->entry)
		strbuf_append(text, "The daemon has not decided about it.");
	else
		append_entry(text, story);
	for (size_t i = 0; i < plan->n; i++) {
		if (!record_has_step(story->record, &plan->steps[i]))
			continue;
		strbuf_append(text, "%s%s", before, action_to_string(plan->steps[i].action));
		before = ", ";
	}
	strbuf_append(text, *before == ',' ? "." : " No steps are left.");
}

static void explain_kernel(struct strbuf *text, const struct story *story)
{
	const struct record *record = story->record;
	const struct outcome *outcome = &record->outcome;

	if (range_is_empty(record->range))
		strbuf_append(text, "Its memory blocks are not known");
	else if (outcome->blocks.present)
		strbuf_append(text, "Memory blocks: %" PRIu64 " of %" PRIu64 " online",
			outcome->blocks.online, outcome->blocks.present);
	else if (outcome->missing)
		strbuf_append(text, "Its driver is kmem");
	else
		strbuf_append(text, "It has no memory blocks");
	if (outcome->zone_now[0])
		strbuf_append(text, ", in zone %s", outcome->zone_now);
	if (outcome->blocks.unread)
		strbuf_append(text, ", %" PRIu64 " unreadable", outcome->blocks.unread);
	if (outcome->missing)
		strbuf_append(text, ", and %" PRIu64 " of its memory blocks are not in the kernel",
			outcome->missing);
	strbuf_append(text, ".");
	if (outcome->answer)
		strbuf_append(text, " In this boot the kernel %s it%s.",
			outcome->answer == ANSWER_ACCEPTS ? "accepted" : "refused",
			record_disagrees(record) ? ", which was not expected" : "");
	else if (record->decision->expected)
		strbuf_append(text, " The kernel would %s it.",
			record->decision->expected == ANSWER_ACCEPTS ? "accept" : "refuse");
}

/* The reason that prevents another verdict. */
static enum reason find_obstacle(const struct story *story)
{
	enum reason reason = story->record->decision->reason;
	const struct history_entry *entry = story->entry;

	if (entry &&
		(entry->reason == REASON_KERNEL_REFUSED || entry->reason == REASON_ROLLED_BACK))
		return entry->reason;
	if (reason == REASON_ALREADY_DEVDAX) {
		const struct decision with_kmem = decide_with_kmem(story);

		if (with_kmem.verdict != VERDICT_ONLINE)
			return with_kmem.reason;
	}
	return reason;
}

static void append_remedy(struct strbuf *text, const struct record *record, enum reason reason)
{
	bool refused = reason == REASON_OUTSIDE_BOOT_MAP || reason == REASON_STRADDLES_BOOT_MAP;

	if (refused && record->facts->tdx.detected == TDX_ABSENT)
		strbuf_append(text, "No source shows TDX: only TDX= or --tdx= keeps this memory "
				    "out of system RAM.");
	else
		record_append_text(
			text, record, reason_remedy(reason, device_is_dax(&record->facts->device)));
}

static void explain_change(struct strbuf *text, const struct story *story)
{
	append_remedy(text, story->record, find_obstacle(story));
	if (!story->record->plan->n)
		return;
	if (story->record->decision->withheld == WITHHELD_OBSERVE)
		strbuf_append(text,
			" To have the daemon take the steps that are left, set Act=yes in "
			"tdx-onlined.conf(5), then run 'systemctl reload tdx-onlined.service'.");
	else if (story->entry && story->entry->result == RESULT_WITHHELD)
		strbuf_append(text,
			" To have the steps that are left taken once: 'tdx-onlined --oneshot'.");
}

void explain_range(const struct explain_world *world, const struct record *record,
	const struct history_entry *entry, struct explanation *ret_explanation)
{
	static void (*const explainers[])(struct strbuf * text, const struct story *story) = {
		[TOPIC_WHAT] = explain_what,
		[TOPIC_ORIGIN] = explain_origin,
		[TOPIC_BOOT_MAP] = explain_boot_map,
		[TOPIC_TDX] = explain_tdx,
		[TOPIC_RULE] = explain_rule,
		[TOPIC_VERDICT] = explain_verdict,
		[TOPIC_DONE] = explain_done,
		[TOPIC_KERNEL] = explain_kernel,
		[TOPIC_CHANGE] = explain_change,
	};
	static_assert(ARRAY_SIZE(explainers) == TOPIC_MAX, "a function for each topic");
	const struct story story = {world, record, entry};

	for (enum topic topic = 0; topic < TOPIC_MAX; topic++) {
		struct strbuf text =
			strbuf_in(ret_explanation->texts[topic], sizeof(ret_explanation->texts[0]));

		explainers[topic](&text, &story);
	}
}
