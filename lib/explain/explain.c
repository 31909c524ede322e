/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation of a range, a function for each topic.
 */
#include <assert.h>
#include <inttypes.h>

#include "lib/explain/topics.h"
#include "tdxo/base/string_table.h"

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
		strbuf_append(text, "It is not known where it lies.");
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
	static const char *const meanings[] = {
		[TDX_ABSENT] = "TDX does not run here and cannot start before the next boot, so "
			       "the kernel refuses nothing.",
		[TDX_ARMED] = "Firmware enabled TDX, and the TDX module is not initialized yet: "
			      "memory that was not there at boot must stay out, or the "
			      "initialization fails.",
		[TDX_ACTIVE] = "TDX is active: the kernel refuses memory that was not there at "
			       "boot.",
		[TDX_UNKNOWN] = "Whether TDX is active is unknown, so it is handled as active.",
	};
	static_assert(ARRAY_SIZE(meanings) == TDX_STATE_MAX, "words for each state");
	const struct tdx *tdx = &story->record->facts->tdx;
	const char *line = tdx_evidence_line(tdx);

	if (tdx_overridden(tdx))
		strbuf_append(text, "By TDX= or --tdx= TDX counts as %s. As found it is %s.",
			tdx_state_to_string(tdx->state), tdx_state_to_string(tdx->detected));
	else
		strbuf_append(text, "%s", meanings[tdx->state]);
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
		strbuf_append(text, ", and asks for %s, which it cannot have",
			verdict_to_string(decision->asked));
	strbuf_append(text, ".");
	if (!decision->zone_overruled)
		return;
	strbuf_append(text, " It asks for zone movable, which it cannot have: ");
	if (decision->movable_ratio)
		strbuf_append(text, "movable memory would be %" PRIu64 " %% of the kernel's.",
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

/* "devdax: TDX refuses it, it was not there at boot (outside-boot-map)." */
static void append_decision(struct strbuf *text, const struct decision *decision)
{
	strbuf_append(text, "%s: %s (%s).", verdict_to_string(decision->verdict),
		decision_clause(decision), reason_to_string(decision->reason));
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
	char a[SIZE_TEXT], b[SIZE_TEXT];

	append_decision(text, decision);
	strbuf_append(text, " %s", reason_explanation(decision->reason));
	if (decision->reason == REASON_NO_HEAD_ROOM)
		strbuf_append(text, " It takes %s, and %s can be spared.",
			size_format(decision->map_needed, a), size_format(decision->map_spare, b));
	if (decision->zone && decision->zone != ZONE_AUTO)
		strbuf_append(text, " It goes to zone %s.", zone_to_string(decision->zone));
	if (unaligned)
		strbuf_append(text, " Of its edges %s are lost: they make no whole memory block.",
			size_format(unaligned, a));
	if (decision->reason == REASON_ALREADY_DEVDAX) {
		const struct decision with_kmem = decide_with_kmem(story);

		strbuf_append(text, " With driver kmem the verdict would be ");
		append_decision(text, &with_kmem);
	}
}

/* The command that has the daemon decide it again, and nothing else. */
static void append_decide(struct strbuf *text, const struct record *record)
{
	strbuf_append(text, "'tdx-onlined --decide=");
	if (device_is_dax(&record->facts->device))
		strbuf_append(text, "%s'", record->facts->device.name);
	else
		strbuf_append(text, "0x%" PRIx64 "'", record->range.start);
}

static void append_entry(struct strbuf *text, const struct story *story)
{
	const struct history_entry *entry = story->entry;

	strbuf_append(text, "The daemon decided %s (%s); the result is %s.",
		verdict_to_string(entry->verdict), reason_to_string(entry->reason),
		result_to_string(entry->result));
	if (entry->changed)
		strbuf_append(text, " It was changed by hand since.");
	/* Whether it is withheld is another matter. */
	if (!history_entry_differs(entry, story->record->decision, entry->result))
		return;
	strbuf_append(text, " ");
	append_decide(text, story->record);
	strbuf_append(text, " decides it again; if a file was changed, a reload does.");
}

static void explain_done(struct strbuf *text, const struct story *story)
{
	const struct plan *plan = story->record->plan;
	const char *before = " Steps left: ";

	if (!story->world->ran)
		strbuf_append(text, "The daemon has not run in this boot.");
	else if (story_is_hidden(story))
		strbuf_append(text,
			"It is not known whether the daemon has decided it, because only root can "
			"read the state file of the daemon: run tdx-onlined as root.");
	else if (!story->entry)
		strbuf_append(text, "The daemon has not decided it.");
	else
		append_entry(text, story);
	for (size_t i = 0; i < plan->n; i++) {
		if (!record_has_step(story->record, &plan->steps[i]))
			continue;
		strbuf_append(text, "%s%s", before, action_to_string(plan->steps[i].action));
		before = ", ";
	}
	strbuf_append(text, *before == ',' ? "." : " Nothing is left to do.");
}

static void explain_kernel(struct strbuf *text, const struct story *story)
{
	const struct record *record = story->record;
	const struct outcome *outcome = &record->outcome;

	if (range_is_empty(record->range))
		strbuf_append(text, "It is not known which memory blocks it has");
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
		strbuf_append(text, ", and %" PRIu64 " of its blocks are not in the kernel",
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

/* The reason that stands in the way of another verdict. */
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
	const struct device *device = &record->facts->device;
	bool refused = reason == REASON_OUTSIDE_BOOT_MAP || reason == REASON_STRADDLES_BOOT_MAP;

	if (refused && record->facts->tdx.detected == TDX_ABSENT)
		strbuf_append(text, "Only TDX= or --tdx= keeps it out.");
	else
		strbuf_append(text, "%s", reason_remedy(reason));
	if (reason_decides_again(reason)) {
		strbuf_append(text, " Then run ");
		append_decide(text, record);
		strbuf_append(text, ".");
	}
	if (refused && record->decision->verdict == VERDICT_DEVDAX)
		strbuf_append(text, " As it is, programs can map /dev/%s.", device->name);
	else if (refused && device->type == TYPE_DIMM)
		strbuf_append(text, " A DIMM that is in its place at boot is boot memory.");
	if (reason == REASON_ALREADY_ONLINE) {
		strbuf_append(text, " By hand: '");
		record_append_removal(text, record);
		strbuf_append(text, "'.");
	}
}

static void explain_change(struct strbuf *text, const struct story *story)
{
	append_remedy(text, story->record, find_obstacle(story));
	if (!story->record->plan->n)
		return;
	if (story->record->decision->withheld == WITHHELD_OBSERVE)
		strbuf_append(text,
			" With Act=yes in tdx-onlined.conf(5) the daemon takes the steps "
			"that are left.");
	else if (story->entry && story->entry->result == RESULT_WITHHELD)
		strbuf_append(text, " 'tdx-onlined --oneshot' takes the steps that are left.");
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
