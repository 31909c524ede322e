/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The executor.
 *
 * Blocks are taken from the highest address down: the kernel's search for zone contiguity then
 * ends at once, where upward it walks all that is online already, for each block. The first
 * one is thereby the canary: if the kernel refuses it, nothing else has been touched.
 */
#include "executor.h"

#include <errno.h>
#include <inttypes.h>

#include "sensor.h"
#include "sysfs.h"

#define TRIES	       6
#define FIRST_DELAY_MS 50U

/* What a failed write to a block's state means (kernel 6.12, drivers/base/memory.c). */
static bool may_pass(int error)
{
	return error == EBUSY || error == EAGAIN || error == ENOMEM || error == EINTR;
}

/* 0: the block is as wanted, or is not there at all; else a negative errno. */
static int set_block(uint64_t id, const char *text, enum block_state wanted, bool *ret_changed)
{
	enum block_state state;
	struct path path;
	int r;

	*ret_changed = false;
	r = sysfs_write(
		path_of(&path, "/sys/devices/system/memory/memory%" PRIu64 "/state", id), text);
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	/* EINVAL also means that it is so already: somebody else was faster. */
	if (r == -EINVAL && sensor_block_state(id, &state) == 0 && state == wanted)
		return 0;
	*ret_changed = r == 0;
	return r;
}

static const char *online_text(enum zone zone)
{
	return zone == ZONE_KERNEL ? "online_kernel" : "online";
}

static enum turn fail(struct execution *execution, int error, uint64_t address)
{
	if (may_pass(error) && ++execution->tries < TRIES) {
		execution->delay_ms = FIRST_DELAY_MS << execution->tries;
		return TURN_LATER;
	}
	execution->error = error;
	execution->failed_at = address;
	return TURN_FAILED;
}

static enum turn finish_step(struct execution *execution)
{
	execution->tries = 0;
	execution->next = 0;
	execution->step++;
	return execution->step == execution->plan.n ? TURN_DONE : TURN_MORE;
}

static void note_onlined(struct execution *execution, struct range block)
{
	if (range_is_empty(execution->onlined))
		execution->onlined.end = block.end;
	execution->onlined.start = block.start;
}

static enum turn turn_block(struct execution *execution, const struct step *step)
{
	uint64_t block_size = execution->sensor->snapshot.block_size;
	bool online = step->action == ACTION_ONLINE, changed;
	struct range block;
	int r;

	if (!execution->next)
		execution->next = step->range.end;
	block = (struct range){execution->next - block_size, execution->next};
	r = set_block(block.start / block_size, online ? online_text(execution->zone) : "offline",
		online ? BLOCK_ONLINE : BLOCK_OFFLINE, &changed);
	if (r < 0)
		return fail(execution, -r, block.start);
	if (online && changed)
		note_onlined(execution, block);
	execution->tries = 0;
	execution->next = block.start;
	return block.start == step->range.start ? finish_step(execution) : TURN_MORE;
}

/*
 * Is any block of the device not offline? To take kmem away then would leave that block stuck
 * until reboot (dev_dax_kmem_remove(), drivers/dax/kmem.c, 6.12). What cannot be read counts.
 */
static bool any_block_in_use(const struct execution *execution)
{
	const struct snapshot *snapshot = &execution->sensor->snapshot;
	const struct dax_device *dax = snapshot_find_dax(snapshot, execution->arrival->device);

	if (!dax || !dax->n_mappings)
		return true;
	for (size_t i = 0; i < dax->n_mappings; i++) {
		struct range whole = range_trim(dax->mappings[i], snapshot->block_size);

		for (uint64_t at = whole.start; at < whole.end; at += snapshot->block_size) {
			enum block_state state;
			int r = sensor_block_state(at / snapshot->block_size, &state);

			if (r != -ENOENT && (r < 0 || state != BLOCK_OFFLINE))
				return true;
		}
	}
	return false;
}

/* Take kmem away, and nothing else. */
static int unbind_kmem(struct execution *execution)
{
	const char *device = execution->arrival->device;
	enum dax_driver driver = dax_driver_of(device);

	if (driver == DAX_DRIVER_NONE)
		return 0;
	if (driver != DAX_DRIVER_KMEM || any_block_in_use(execution))
		return -EBUSY;
	return dax_unbind(&execution->sensor->dax, device);
}

static enum turn turn_driver(struct execution *execution, const struct step *step)
{
	const char *device = execution->arrival->device;
	int r;

	/* Names are used again: another device of this name is none of this plan's business. */
	if (dax_identity(device) != execution->arrival->identity)
		return fail(execution, ENODEV, 0);
	if (step->action == ACTION_UNBIND)
		r = unbind_kmem(execution);
	else
		r = dax_bind(&execution->sensor->dax, device,
			step->action == ACTION_BIND_KMEM ? DAX_DRIVER_KMEM : DAX_DRIVER_DEVICE_DAX);
	return r < 0 ? fail(execution, -r, 0) : finish_step(execution);
}

enum turn executor_turn(struct execution *execution)
{
	const struct step *step = &execution->plan.steps[execution->step];

	if (execution->step >= execution->plan.n)
		return TURN_DONE;
	if (step->action == ACTION_ONLINE || step->action == ACTION_OFFLINE)
		return turn_block(execution, step);
	return turn_driver(execution, step);
}

enum turn executor_dry_turn(struct execution *execution)
{
	(void)execution;
	return TURN_DONE;
}
