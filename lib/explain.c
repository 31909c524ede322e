/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation of a range, a function for each topic.
 */
#include "tdxo/explain.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "tdxo/remedy.h"
#include "tdxo/text.h"

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

/* All that the topics draw upon. */
struct story {
	const struct explain_facts *facts;
	const struct record *record;
	const struct entry *entry;
	const struct decision *with_tdx;
};

/* "4 memory blocks" */
static void append_count(struct text *text, uint64_t n, const char *noun)
{
	text_append(text, "%" PRIu64 " %s%s", n, noun, n == 1 ? "" : "s");
}

static void tell_what(struct text *text, const struct story *story)
{
	static const char *const kinds[] = {
		[CARRIER_UNKNOWN] = "memory of unknown kind",
		[CARRIER_CXL] = "CXL memory",
		[CARRIER_HMEM] = "soft-reserved memory",
		[CARRIER_PMEM] = "persistent memory",
		[CARRIER_DIMM] = "memory on a DIMM",
		[CARRIER_VIRTIO_MEM] = "memory of a virtio-mem device",
	};
	static_assert(ARRAY_SIZE(kinds) == CARRIER_MAX, "words for each carrier");
	const struct arrival *arrival = &story->record->arrival;
	const char *driver = dax_driver_to_string(arrival->driver);
	char size[SIZE_TEXT], range[RANGE_TEXT];

	text_append(text, "%s of %s", size_format(arrival->size, size), kinds[arrival->carrier]);
	if (arrival->fault == FAULT_UNREADABLE)
		text_append(text, ", where cannot be read");
	else
		text_append(text, " at %s", range_format(arrival->range, range));
	if (arrival_is_dax(arrival))
		text_append(text, ", dax device %s %s%s", arrival->device,
			driver ? "with driver " : "without a driver", driver ?: "");
	if (arrival->node != NODE_UNKNOWN)
		text_append(text, ", node %d", arrival->node);
	text_append(text, ".");
}

static void tell_memdevs(struct text *text, const struct arrival *arrival)
{
	for (size_t i = 0; i < arrival->n_memdevs; i++) {
		const struct memdev *memdev = &arrival->memdevs[i];

		text_append(text, "%s %s (serial 0x%" PRIx64 ", %s%s%s)",
			i ? "," : " Behind it:", memdev->name, memdev->serial, memdev->pci_address,
			memdev->firmware[0] ? ", firmware " : "", memdev->firmware);
	}
	if (arrival->n_memdevs)
		text_append(text, ".");
}

static void tell_region(struct text *text, const struct arrival *arrival)
{
	const struct origin *origin = &arrival->origin;
	char range[RANGE_TEXT];

	text_append(text, "It is CXL %s%s%s", arrival->region, origin->mode[0] ? " of mode " : "",
		origin->mode);
	if (origin->decoder[0])
		text_append(text, ", decoded by %s", origin->decoder);
	if (!range_is_empty(origin->window))
		text_append(text, " in its window %s", range_format(origin->window, range));
	text_append(text, ".");
	tell_memdevs(text, arrival);
}

static void tell_carrier(struct text *text, const struct arrival *arrival)
{
	static const char *const origins[] = {
		[CARRIER_UNKNOWN] = "Nothing tells what brought it.",
		[CARRIER_CXL] = "A CXL device brought it; its region is not known.",
		[CARRIER_HMEM] = "Firmware or the kernel command line set it aside at boot as "
				 "soft-reserved memory, so it is not RAM until a driver adds it.",
		[CARRIER_PMEM] = "A persistent memory namespace has it.",
		[CARRIER_DIMM] = "The firmware memmap gained it after boot, as it does when a "
				 "DIMM is plugged in.",
		[CARRIER_VIRTIO_MEM] = "A hypervisor gives and takes it.",
	};
	static_assert(ARRAY_SIZE(origins) == CARRIER_MAX, "words for each carrier");

	if (arrival->region[0])
		tell_region(text, arrival);
	else
		text_append(text, "%s", origins[arrival->carrier]);
}

static void tell_origin(struct text *text, const struct story *story)
{
	const struct arrival *arrival = &story->record->arrival;
	const struct origin *origin = &arrival->origin;
	char range[RANGE_TEXT];

	tell_carrier(text, arrival);
	if (origin->in_srat)
		text_append(text, " The SRAT has it as %smemory of proximity domain %" PRIu32 ".",
			origin->hot_pluggable ? "hot-pluggable " : "", origin->srat_node);
	if (!arrival->region[0] && !range_is_empty(origin->window))
		text_append(text, " The CEDT has it in the CXL window %s.",
			range_format(origin->window, range));
	if (story->facts->ran)
		text_append(text, " It was %s the daemon first started in this boot.",
			arrival->present ? "there before" : "not there when");
}

/* What the boot map holds, and who says so. */
static void tell_map(struct text *text, const struct boot_map *map)
{
	enum boot_source source = BOOT_SOURCE_NONE;
	char size[SIZE_TEXT];
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->n; i++) {
		bytes += range_size(map->regions[i].range);
		if (map->regions[i].source > source)
			source = map->regions[i].source;
	}
	text_append(text, " The boot map holds %s in ", size_format(bytes, size));
	append_count(text, map->n, "range");
	if (source)
		text_append(text, ", from %s", boot_source_to_string(source));
	text_append(text, ".");
}

static void tell_boot_map(struct text *text, const struct story *story)
{
	const struct snapshot *snapshot = story->facts->snapshot;
	const struct arrival *arrival = &story->record->arrival;
	enum boot_source source;
	enum containment containment =
		policy_containment(snapshot, arrival, arrival->range, &source);

	if (!snapshot->boot_map.known && source != BOOT_SOURCE_CONFIGURATION) {
		text_append(text, "Nothing tells which memory was there at boot.");
		return;
	}
	if (source == BOOT_SOURCE_CONFIGURATION && containment == CONTAINMENT_INSIDE)
		text_append(text, "CapableRanges= says that TDX can use all of it.");
	else if (arrival_is_dax(arrival) && containment == CONTAINMENT_OUTSIDE)
		text_append(text, "It was not there at boot: a dax device is not RAM, whatever "
				  "firmware calls it.");
	else if (containment == CONTAINMENT_INSIDE)
		text_append(text, "All of it was there at boot, says %s.",
			boot_source_to_string(source));
	else if (containment == CONTAINMENT_STRADDLES)
		text_append(text, "Only a part of it was there at boot, or one of its memory "
				  "blocks lies across two ranges.");
	else
		text_append(text, "It was not there at boot.");
	tell_map(text, &snapshot->boot_map);
}

static void tell_witnesses(struct text *text, const struct gate *gate)
{
	const char *before = " ";

	for (enum witness w = 0; w < WITNESS_MAX; w++) {
		if (gate->evidence.facts[w] == FACT_ABSENT)
			continue;
		text_append(text, "%s%s: %s", before, witness_to_string(w),
			fact_to_string(w, gate->evidence.facts[w]));
		before = "; ";
	}
	text_append(text, ".");
}

static void tell_gate(struct text *text, const struct story *story)
{
	static const char *const meanings[] = {
		[GATE_ABSENT] = "TDX is not in force here, so nothing is refused.",
		[GATE_ARMED] = "Firmware enabled TDX, and the TDX module is not initialised yet: "
			       "memory that was not there at boot must stay out, or the "
			       "initialisation fails.",
		[GATE_ACTIVE] = "TDX is active: the kernel refuses memory that was not there at "
				"boot.",
		[GATE_UNKNOWN] = "Whether TDX is active cannot be told, so it is treated as "
				 "active.",
	};
	static_assert(ARRAY_SIZE(meanings) == GATE_STATE_MAX, "words for each state");
	const struct gate *gate = &story->record->gate;

	if (gate_overridden(gate))
		text_append(text, "Gate= or --gate= makes it %s. As found it is %s:",
			gate_state_to_string(gate->state), gate_state_to_string(gate->detected));
	else
		text_append(text, "%s", meanings[gate->state]);
	tell_witnesses(text, gate);
}

static void tell_rule(struct text *text, const struct story *story)
{
	const struct decision *decision = &story->record->decision;

	if (decision->unmatched) {
		text_append(text, "None of the ");
		append_count(text, story->facts->config->n_rules, "rule");
		text_append(text, " matches.");
	} else if (!decision->rule[0]) {
		text_append(text, "There are no rules.");
	} else if (decision->overruled) {
		text_append(text, "Rule %s matches. It asks for %s, which it cannot have.",
			decision->rule, verdict_to_string(decision->asked));
	} else {
		text_append(text, "Rule %s matches.", decision->rule);
	}
}

static void tell_verdict(struct text *text, const struct story *story)
{
	const struct decision *decision = &story->record->decision;
	const struct gate *gate = &story->record->gate;

	text_append(text, "%s: %s (%s).", verdict_to_string(decision->verdict),
		reason_explain(decision->reason), reason_to_string(decision->reason));
	if (decision->zone == ZONE_KERNEL && gate_refuses(gate))
		text_append(text, " It goes to zone kernel, because what is in zone movable can "
				  "never back a confidential VM.");
	else if (decision->zone && decision->zone != ZONE_AUTO)
		text_append(text, " It goes to zone %s.", zone_to_string(decision->zone));
	if (gate_refuses(gate) || story->with_tdx->reason == decision->reason)
		return;
	text_append(text, " If TDX were active it would be %s: %s (%s).",
		verdict_to_string(story->with_tdx->verdict),
		reason_explain(story->with_tdx->reason), reason_to_string(story->with_tdx->reason));
}

static void tell_steps(struct text *text, const struct record *record)
{
	const char *before = " What is left to do: ";

	if (record->decision.withheld)
		before = record->decision.withheld == WITHHELD_OBSERVE ? " Act=no withholds: "
								       : " Present= withholds: ";
	for (size_t i = 0; i < record->plan->n; i++) {
		text_append(text, "%s%s", before, action_to_string(record->plan->steps[i].action));
		before = ", ";
	}
	text_append(text, record->plan->n ? "." : " Nothing is left to do.");
}

static void tell_done(struct text *text, const struct story *story)
{
	const struct entry *entry = story->entry;

	if (!story->facts->ran)
		text_append(text, "The daemon has not run in this boot.");
	else if (!entry)
		text_append(text, "The daemon has not decided it.");
	else
		text_append(text, "The daemon decided %s (%s); the result was %s.%s",
			verdict_to_string(entry->verdict), reason_to_string(entry->reason),
			result_to_string(entry->result),
			entry->changed ? " Somebody has changed it since." : "");
	tell_steps(text, story->record);
}

static void tell_kernel(struct text *text, const struct story *story)
{
	const struct record *record = story->record;
	const struct block_count *blocks = &record->outcome.blocks;
	uint64_t room = snapshot_block_room(story->facts->snapshot, record->arrival.range);

	if (blocks->present) {
		text_append(text, "%" PRIu64 " of its ", blocks->online);
		append_count(text, blocks->present, "memory block");
		text_append(text, " %s online", blocks->online == 1 ? "is" : "are");
	} else {
		text_append(text, "It is not in the kernel's memory: it could be ");
		append_count(text, room, "memory block");
	}
	if (record->outcome.zone_now[0])
		text_append(text, ", in zone %s", record->outcome.zone_now);
	text_append(text, ".");
	if (record->outcome.answer)
		text_append(text, " When asked in this boot to bring it online the kernel %s.",
			record->outcome.answer == ANSWER_ACCEPTS ? "accepted" : "refused");
	else if (record->decision.expected)
		text_append(text, " Asked to bring it online it would %s.",
			record->decision.expected == ANSWER_ACCEPTS ? "accept" : "refuse");
	if (record_disagrees(record))
		text_append(text, " That was not expected.");
}

static void tell_change(struct text *text, const struct story *story)
{
	remedy_append(text, story->record);
}

void explain_range(const struct explain_facts *facts, const struct record *record,
	const struct entry *entry, const struct decision *with_tdx,
	struct explanation *ret_explanation)
{
	static void (*const tellers[])(struct text * text, const struct story *story) = {
		[TOPIC_WHAT] = tell_what,
		[TOPIC_ORIGIN] = tell_origin,
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
