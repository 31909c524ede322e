/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which memory blocks verify onlines as a trial, and which it leaves alone.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/doctor/verify.h"

const char *verify_obstacle(const struct verify_facts *facts)
{
	static const char *const by_state[] = {
		[TDX_ABSENT] = "TDX is absent, the kernel refuses nothing",
		[TDX_ARMED] = "TDX is armed, and memory that goes online now could prevent its "
			      "start",
		[TDX_ACTIVE] = NULL,
		[TDX_UNKNOWN] = "the TDX state is unknown",
	};
	static_assert(ARRAY_SIZE(by_state) == TDX_STATE_MAX, "an obstacle for each state");

	if (facts->captured)
		return "the directory of --root= has no kernel that answers";
	if (facts->observe)
		return "Act=no: nothing may be changed";
	if (facts->mistake)
		return "the configuration files have a mistake, so rules about faulty memory are "
		       "not known: see 'tdx-onlinectl config check'";
	if (facts->running && facts->older)
		return "the running daemon is of an older version, run 'systemctl restart "
		       "tdx-onlined.service' first";
	if (facts->running && !facts->idle)
		return "the daemon is working, run 'tdx-onlinectl settle' first";
	if (by_state[facts->snapshot->tdx.detected])
		return by_state[facts->snapshot->tdx.detected];
	return facts->snapshot->boot_map.known
		       ? NULL
		       : "the boot map is not known, so no answer can be expected";
}

/* Does a rule leave it alone, of the files or of the daemon? The memory can be faulty. */
static bool is_kept_out(const struct config *config, const struct verify_device *device)
{
	const struct rule *rule = config_find_rule(config, &device->facts);

	return (rule && rule->has_verdict && rule->verdict != VERDICT_ONLINE) ||
	       (device->entry && device->entry->reason == REASON_RULE);
}

/* Why no block of a device is tried; NULL: one may be. */
static const char *obstacle_of(const struct verify_facts *facts, const struct verify_device *device)
{
	static const char *const by_type[TYPE_MAX] = {
		[TYPE_PMEM] = "persistent memory is left alone",
		[TYPE_VIRTIO_MEM] = "the kernel also refuses what the hypervisor has not plugged",
	};
	const struct device *what = &device->facts.device;
	const struct history_entry *entry = device->entry;

	if (by_type[what->type])
		return by_type[what->type];
	if (device_is_dax(what) && what->type == TYPE_UNKNOWN)
		return "the type of the dax device is unknown";
	if (is_kept_out(facts->config, device))
		return "a rule does not online it";
	if (facts->running && (!entry || entry->reconsider || entry->result == RESULT_BEGUN))
		return "the daemon has not decided it";
	return NULL;
}

/* The highest offline block outside the boot map or, if `asserted`, in CapableRanges=. */
static bool find_block(
	const struct facts *facts, struct range range, bool asserted, struct range *ret_block)
{
	struct blocks blocks = blocks_within(&facts->blocks, range, facts->block_size);
	enum boot_source source;

	for (size_t i = blocks.n; i > 0; i--) {
		struct range block = block_range(blocks.blocks[i - 1].id, facts->block_size);
		bool outside = policy_containment(facts, block, &source) != CONTAINMENT_INSIDE;

		if (blocks.blocks[i - 1].state != BLOCK_OFFLINE || outside == asserted ||
			(asserted && source != BOOT_SOURCE_CONFIGURATION))
			continue;
		*ret_block = block;
		return true;
	}
	return false;
}

/* False: the range has no such block. */
static bool choose(const struct verify_facts *facts, const struct verify_device *device,
	struct range range, struct trial *ret_trial)
{
	struct trial trial = {.expected = ANSWER_REFUSES};

	if (!find_block(&device->facts, range, false, &trial.range)) {
		trial.expected = ANSWER_ACCEPTS;
		if (!find_block(&device->facts, range, true, &trial.range))
			return false;
	}
	trial.obstacle = obstacle_of(facts, device);
	*ret_trial = trial;
	return true;
}

int verify_choose(const struct verify_facts *facts, struct trials *ret_trials)
{
	struct trials trials = {0};
	struct trial trial;
	int r = 0;

	for (size_t i = 0; i < facts->n_devices; i++) {
		const struct device *device = &facts->devices[i].facts.device;

		for (size_t j = 0; r == 0 && j < device->n_ranges; j++)
			if (choose(facts, &facts->devices[i], device->ranges[j], &trial))
				r = array_append(trials.items, trials.n, trial);
	}
	if (r < 0)
		free(trials.items);
	else
		*ret_trials = trials;
	return r;
}

const char *verify_module_version(const char *message)
{
	static const char begin[] = "virt/tdx: Module version: ";

	return strncmp(message, begin, strlen(begin)) == 0 ? message + strlen(begin) : NULL;
}
