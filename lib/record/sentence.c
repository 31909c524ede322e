/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record as a sentence: which memory, what is true of it now, why, and further facts.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "tdxo/base/strbuf.h"
#include "tdxo/record/remedy.h"

/* So many memory devices are named in a sentence; the fields name all. */
#define MEMDEVS_LISTED 4

/* --- which memory --- */

/* One more item in the parentheses, if there is one. */
static void append_item(struct strbuf *text, const char **before, const char *item)
{
	if (!*item)
		return;
	strbuf_append(text, "%s%s", *before, item);
	*before = ", ";
}

static const char *memory_of(enum device_type type)
{
	static const char *const kinds[] = {
		[TYPE_UNKNOWN] = "memory of unknown type",
		[TYPE_CXL] = "CXL memory",
		[TYPE_HMEM] = "soft-reserved memory",
		[TYPE_PMEM] = "persistent memory",
		[TYPE_DIMM] = "memory in a DIMM",
		[TYPE_VIRTIO_MEM] = "virtio-mem memory",
	};
	static_assert(ARRAY_SIZE(kinds) == TYPE_MAX, "words for each type");

	return kinds[type];
}

/* "64 GiB of CXL memory (dax0.0, [mem 0x…-0x…], region0, mem0, node 1)" */
static void append_subject(struct strbuf *text, const struct record *record)
{
	const struct device *device = &record->facts->device;
	const struct cxl_origin *cxl = &record->facts->cxl;
	char size[SIZE_TEXT], range[RANGE_TEXT];
	const char *const first = " (", *before = first;

	strbuf_append(
		text, "%s of %s", size_format(record_size(record), size), memory_of(device->type));
	append_item(text, &before, device->name);
	if (!range_is_empty(record->range))
		append_item(text, &before, range_format(record->range, range));
	append_item(text, &before, device->region);
	for (size_t i = 0; i < cxl->n_memdevs && i < MEMDEVS_LISTED; i++)
		append_item(text, &before, cxl->memdevs[i].name);
	if (cxl->n_memdevs > MEMDEVS_LISTED)
		strbuf_append(text, " and %zu more", cxl->n_memdevs - MEMDEVS_LISTED);
	if (device->node != NODE_UNKNOWN)
		strbuf_append(text, "%snode %d", before, device->node);
	if (before != first || device->node != NODE_UNKNOWN)
		strbuf_append(text, ")");
}

/* --- what is true of it now --- */

/* Those that are missing too. */
static uint64_t all_blocks(const struct outcome *outcome)
{
	return outcome->blocks.present + outcome->missing;
}

/* Of persistent memory only a driver that it lacks is bound. */
static bool binds_persistent(const struct record *record)
{
	return record->decision->reason == REASON_PERSISTENT_MEMORY &&
	       record->outcome.result != RESULT_NOTHING && record->outcome.result != RESULT_CHANGED;
}

/* What a verdict makes of memory: it would be, or was to be, this. */
static void append_aim(struct strbuf *text, const struct record *record)
{
	static const char *const aims[] = {
		[VERDICT_ONLINE] = "online as system RAM",
		[VERDICT_DEVDAX] = "kept out of system RAM and available as /dev/",
		[VERDICT_OFFLINE] = "left offline",
		[VERDICT_IGNORE] = "left as it is",
	};
	static_assert(ARRAY_SIZE(aims) == VERDICT_MAX, "an aim for each verdict");
	enum verdict verdict = record->decision->verdict;

	if (binds_persistent(record)) {
		strbuf_append(text, "available as /dev/%s", record->facts->device.name);
		return;
	}
	strbuf_append(text, "%s%s", aims[verdict],
		verdict == VERDICT_DEVDAX ? record->facts->device.name : "");
}

/* " (31 of 32 memory blocks, 3.9 GiB, zone Normal)" */
static void append_online(struct strbuf *text, const struct record *record)
{
	const struct outcome *outcome = &record->outcome;
	uint64_t online = outcome->blocks.online;
	char size[SIZE_TEXT];

	strbuf_append(
		text, " (%" PRIu64 " of %" PRIu64 " memory blocks", online, all_blocks(outcome));
	if (online && online < all_blocks(outcome))
		strbuf_append(text, ", %s", size_format(online * record->facts->block_size, size));
	if (outcome->zone_now[0])
		strbuf_append(text, ", zone %s", outcome->zone_now);
	strbuf_append(text, ")");
}

/* Only a DIMM can be plugged in at boot; one of which a part is reported may have been. */
static const char *offline_phrase(const struct record *record)
{
	if (record->facts->device.type == TYPE_DIMM &&
		record->decision->reason == REASON_OUTSIDE_BOOT_MAP)
		return "was left offline, unusable until a reboot with it in place";
	return "was left offline and cannot be used";
}

static void append_ignored(struct strbuf *text, const struct record *record)
{
	const struct outcome *outcome = &record->outcome;
	const struct device *device = &record->facts->device;

	if (outcome->result == RESULT_DONE && binds_persistent(record)) {
		strbuf_append(text, "was given its driver device_dax and is available as /dev/%s",
			device->name);
		return;
	}
	if (outcome->blocks.online) {
		strbuf_append(text, "is %sonline as system RAM",
			outcome->blocks.online < all_blocks(outcome) ? "partly " : "");
		append_online(text, record);
		strbuf_append(text, " and ");
	}
	strbuf_append(text, "was left as it is");
	if (outcome->blocks.present && !outcome->blocks.online && !outcome->blocks.unread)
		strbuf_append(text, ", offline, and cannot be used");
	if (outcome->blocks.unread && !outcome->blocks.online)
		strbuf_append(text, ", and whether it is online is not known");
	if (device_is_dax(device) && outcome->driver == DAX_DRIVER_NONE)
		strbuf_append(text, ", without a driver, and cannot be used");
	if (outcome->driver == DAX_DRIVER_DEVICE_DAX)
		strbuf_append(
			text, ", available as /dev/%s by its driver device_dax", device->name);
}

static void append_done(struct strbuf *text, const struct record *record)
{
	switch (record->decision->verdict) {
	case VERDICT_ONLINE:
		strbuf_append(text, "is online as system RAM");
		append_online(text, record);
		break;
	case VERDICT_DEVDAX:
		strbuf_append(text,
			record->outcome.result == RESULT_BEGUN
				? "is kept out of system RAM, for use as /dev/%s"
				: "is available as /dev/%s and is kept out of system RAM",
			record->facts->device.name);
		break;
	case VERDICT_OFFLINE:
		strbuf_append(text, "%s", offline_phrase(record));
		break;
	default:
		append_ignored(text, record);
	}
}

static void append_not_done(struct strbuf *text, const struct record *record)
{
	bool partial = record->outcome.result == RESULT_PARTIAL;

	switch (record->decision->verdict) {
	case VERDICT_ONLINE:
		strbuf_append(text, "%s online as system RAM",
			partial ? "is only partly" : "could not be brought");
		append_online(text, record);
		break;
	case VERDICT_DEVDAX:
		strbuf_append(
			text, "could not be made available as /dev/%s", record->facts->device.name);
		break;
	case VERDICT_OFFLINE:
		strbuf_append(text, "could not all be taken offline");
		break;
	default:
		append_ignored(text, record);
	}
}

static void append_would(struct strbuf *text, const struct record *record)
{
	strbuf_append(text, "would %sbe ",
		record->decision->verdict == VERDICT_ONLINE && record->outcome.blocks.online
			? "all "
			: "");
	append_aim(text, record);
}

static void append_withheld(struct strbuf *text, const struct record *record)
{
	static const char *const withheld[] = {
		[WITHHELD_NOT] = "",
		[WITHHELD_OBSERVE] = "nothing was done, because Act=no is set; with Act=yes ",
		[WITHHELD_PRESENT] = ("nothing was done, because it was there before tdx-onlined "
				      "first started; with Present=act "),
	};
	static_assert(ARRAY_SIZE(withheld) == WITHHELD_MAX, "words for each");

	append_ignored(text, record);
	strbuf_append(text, "; %sit ", withheld[record->decision->withheld]);
	append_would(text, record);
}

static void append_state(struct strbuf *text, const struct record *record)
{
	switch (record->outcome.result) {
	case RESULT_WITHHELD:
		append_withheld(text, record);
		break;
	case RESULT_PLANNED:
		append_would(text, record);
		break;
	case RESULT_PARTIAL:
	case RESULT_FAILED:
		append_not_done(text, record);
		break;
	case RESULT_CHANGED:
		strbuf_append(text, "was changed by another program or by hand");
		break;
	default:
		append_done(text, record);
	}
}

/* --- what failed, what changed --- */

static void append_failure(struct strbuf *text, enum action failed, uint64_t at, int error)
{
	static const char *const steps[] = {
		[ACTION_UNBIND] = "unbinding its driver",
		[ACTION_BIND_KMEM] = "binding the driver kmem",
		[ACTION_BIND_DEVICE_DAX] = "binding the driver device_dax",
		[ACTION_ONLINE] = "onlining the memory block",
		[ACTION_OFFLINE] = "offlining the memory block",
	};
	static_assert(ARRAY_SIZE(steps) == ACTION_MAX, "words for each action");

	strbuf_append(text, "%s", steps[failed]);
	if (at)
		strbuf_append(text, " at 0x%" PRIx64, at);
	strbuf_append(text, " failed: %s", strerror(error));
}

static void append_failures(struct strbuf *text, const struct outcome *outcome)
{
	append_failure(text, outcome->failed, outcome->failed_at, outcome->error);
	if (outcome->undo_error) {
		strbuf_append(text, "; undoing it failed as well: ");
		append_failure(
			text, outcome->undo_failed, outcome->undo_failed_at, outcome->undo_error);
	}
	if (outcome->retries)
		strbuf_append(text, ", after %u %s", outcome->retries,
			outcome->retries == 1 ? "retry" : "retries");
}

static void append_blocks_online(struct strbuf *text, const struct outcome *outcome)
{
	strbuf_append(text, "%" PRIu64 " of %" PRIu64 " memory blocks are online",
		outcome->blocks.online, all_blocks(outcome));
}

static void append_changes(struct strbuf *text, const struct record *record)
{
	const struct outcome *outcome = &record->outcome;
	bool dax = device_is_dax(&record->facts->device);

	if (dax && outcome->driver == DAX_DRIVER_NONE)
		strbuf_append(text, "it has no driver now");
	else if (dax)
		strbuf_append(text, "its driver is now %s", record_driver(record));
	if (dax && !all_blocks(outcome))
		return;
	strbuf_append(text, "%s", dax ? ", " : "");
	append_blocks_online(text, outcome);
}

/* --- why --- */

static void append_why(struct strbuf *text, const struct record *record)
{
	strbuf_append(text, ": ");
	decision_append_clause(text, record->decision, record->facts, record->range);
	strbuf_append(text, " (%s)", reason_to_string(record->decision->reason));
}

/* Where it is not as decided, the cause of that comes before the cause of the decision. */
static void append_causes(struct strbuf *text, const struct record *record)
{
	const struct outcome *outcome = &record->outcome;
	bool changed = outcome->result == RESULT_CHANGED;
	bool failed = outcome->result == RESULT_PARTIAL || outcome->result == RESULT_FAILED;

	if (changed || (failed && outcome->error)) {
		strbuf_append(text, ": ");
		if (changed)
			append_changes(text, record);
		else
			append_failures(text, outcome);
		strbuf_append(text, "; it was to be ");
		append_aim(text, record);
	}
	append_why(text, record);
	if (outcome->error && !changed && !failed) {
		strbuf_append(text, "; ");
		append_failures(text, outcome);
	}
}

/* --- further facts --- */

/* What the configuration had to do with it. */
static void append_rule(struct strbuf *text, const struct record *record)
{
	const struct decision *decision = record->decision;

	if (decision->unmatched)
		strbuf_append(text, "; no rule matches");
	if (decision->overruled)
		strbuf_append(text, "; rule %s requires %s and is overruled", decision->rule,
			verdict_to_string(decision->asked));
	else if (decision->reason == REASON_ROLLED_BACK &&
		 decision->on_failure == ON_FAILURE_ROLLBACK)
		strbuf_append(text, "; rule %s requires that (OnFailure=rollback)", decision->rule);
	else if (decision->rule[0] && decision->reason != REASON_RULE)
		strbuf_append(text, "; rule %s matches", decision->rule);
}

/* A block that is online already stays in its zone, whichever is decided. */
static bool zone_differs(const struct record *record)
{
	bool movable = strcmp(record->outcome.zone_now, "Movable") == 0;

	if (!record->outcome.zone_now[0])
		return false;
	return record->decision->zone == ZONE_MOVABLE
		       ? !movable
		       : record->decision->zone == ZONE_KERNEL && movable;
}

static void append_zone(struct strbuf *text, const struct record *record)
{
	const struct decision *decision = record->decision;

	if (decision->zone_overruled && !decision->movable_ratio)
		strbuf_append(text, "; not in zone movable, as the rule requires, because the "
				    "sizes of the zones are not known");
	else if (decision->zone_overruled)
		strbuf_append(text,
			"; not in zone movable, as the rule requires, because movable memory "
			"would be %" PRIu64 " %% of kernel memory",
			decision->movable_ratio);
	else if (decision->zone == ZONE_MOVABLE && decision->movable_ratio)
		strbuf_append(text, "; movable memory is %" PRIu64 " %% of kernel memory",
			decision->movable_ratio);
	if (zone_differs(record))
		strbuf_append(text, "; it was online already, in zone %s instead of %s",
			record->outcome.zone_now, zone_to_string(decision->zone));
}

/* Their state is printed without the number of their blocks that are online. */
static bool leaves_allocator(enum verdict verdict)
{
	return verdict == VERDICT_DEVDAX || verdict == VERDICT_OFFLINE;
}

static void append_losses(struct strbuf *text, const struct record *record)
{
	const struct outcome *outcome = &record->outcome;
	char size[SIZE_TEXT];

	if (record_unaligned(record))
		strbuf_append(text,
			"; %s at its edges cannot be used, because only whole memory blocks go "
			"online",
			size_format(record_unaligned(record), size));
	if (outcome->result != RESULT_CHANGED && outcome->result != RESULT_WITHHELD &&
		outcome->blocks.online && leaves_allocator(record->decision->verdict)) {
		strbuf_append(text, "; ");
		append_blocks_online(text, outcome);
	}
	if (outcome->missing)
		strbuf_append(text, "; %" PRIu64 " memory block%s not in the kernel",
			outcome->missing, outcome->missing == 1 ? " is" : "s are");
	if (outcome->stranded)
		strbuf_append(text, "; %s is stranded: neither the kernel nor a program can use it",
			size_format(outcome->stranded, size));
}

/* What the kernel and other programs did, and the daemon did not expect. */
static void append_surprises(struct strbuf *text, const struct record *record)
{
	const struct outcome *outcome = &record->outcome;

	if (outcome->retries && !outcome->error)
		strbuf_append(text, "; it took %u %s", outcome->retries,
			outcome->retries == 1 ? "retry" : "retries");
	if (record->facts->device.unguarded)
		strbuf_append(text, "; it arrived while another program had changed the "
				    "kernel's settings for new memory");
	if (outcome->bypassed)
		strbuf_append(text, "; another process bound its driver before tdx-onlined acted");
	if (record_disagrees(record) && record->decision->reason != REASON_KERNEL_REFUSED)
		strbuf_append(text, "; the kernel %s it, against the prediction of tdx-onlined",
			outcome->answer == ANSWER_ACCEPTS ? "accepted" : "refused");
}

/* How to take out memory that should not be online. */
static void append_removal(struct strbuf *text, const struct record *record)
{
	if (record->decision->reason != REASON_ALREADY_ONLINE || !tdx_refuses(&record->facts->tdx))
		return;
	/* It has just been taken out. */
	if (record->outcome.result == RESULT_CHANGED && !record->outcome.blocks.online)
		return;
	if (record->facts->tdx.state == TDX_ARMED && policy_refuses(record->facts, record->range))
		strbuf_append(text, "; this memory keeps TDX from initializing");
	strbuf_append(text, "; take it out with: ");
	record_append_value(text, record, RECORD_REMOVAL);
}

/* Unless it is what the sentence has given as the cause. */
static void append_tdx(struct strbuf *text, const struct record *record)
{
	const struct tdx *tdx = &record->facts->tdx;
	enum reason reason = record->decision->reason;
	bool named =
		reason == REASON_OUTSIDE_BOOT_MAP || reason == REASON_STRADDLES_BOOT_MAP ||
		(reason == REASON_ALREADY_ONLINE && policy_refuses(record->facts, record->range));

	if (named && (tdx->state == TDX_ARMED || tdx->state == TDX_ACTIVE) && !tdx_overridden(tdx))
		return;
	if (tdx_overridden(tdx) && tdx->detected == TDX_UNKNOWN) {
		strbuf_append(text, "; TDX=%s is set, and whether that is right cannot be verified",
			tdx_mode_to_string(tdx->mode));
		if (tdx->cause)
			strbuf_append(text, " (%s)", tdx_cause_to_string(tdx->cause));
		return;
	}
	if (tdx_overridden(tdx))
		strbuf_append(text, "; TDX=%s is set, but by what this machine shows ",
			tdx_mode_to_string(tdx->mode));
	else
		strbuf_append(text, "; ");
	strbuf_append(text, "the TDX state is ");
	tdx_append_detected(text, tdx);
	if (tdx->detected == TDX_UNKNOWN && tdx->cause)
		strbuf_append(text, ": %s", tdx_cause_explain(tdx->cause));
}

const char *record_subject(const struct record *record, char buf[RECORD_SENTENCE])
{
	struct strbuf text = strbuf_in(buf, RECORD_SENTENCE);

	append_subject(&text, record);
	return buf;
}

const char *record_sentence(const struct record *record, char buf[RECORD_SENTENCE])
{
	struct strbuf text = strbuf_in(buf, RECORD_SENTENCE);

	append_subject(&text, record);
	strbuf_append(&text, " ");
	append_state(&text, record);
	append_causes(&text, record);
	append_rule(&text, record);
	append_zone(&text, record);
	append_losses(&text, record);
	append_surprises(&text, record);
	append_removal(&text, record);
	append_tdx(&text, record);
	return buf;
}
