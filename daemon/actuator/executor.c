/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The executor.
 *
 * Blocks are taken from the highest address down: the kernel's search for zone contiguity then
 * ends at once, where upward it walks all that is online already, for each block. The first
 * one is a trial: if the kernel refuses it, nothing else has been touched.
 */
#include "daemon/actuator/executor.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "daemon/host/paths.h"
#include "daemon/host/sensor.h"
#include "daemon/host/sysfs.h"

#define TRIES	       6
#define FIRST_DELAY_MS 50U
#define INTERRUPTED_MS 1000U /* look again whether an interrupted write has ended */

/* What the answer to a write means: 0, also if the block is so already or is not there at all. */
static int check_answer(uint64_t id, int answer, enum block_state wanted)
{
	enum block_state state;

	if (answer == -ENOENT || answer == -ENODEV)
		return 0;
	/* EINVAL also means that it is so already: another program was faster. */
	if (answer == -EINVAL && sensor_block_state(id, &state) == 0 && state == wanted)
		return 0;
	return answer;
}

static const char *online_text(enum zone zone)
{
	static const char *const texts[] = {
		[ZONE_NONE] = "online",
		[ZONE_AUTO] = "online",
		[ZONE_KERNEL] = "online_kernel",
		[ZONE_MOVABLE] = "online_movable",
	};
	static_assert(ARRAY_SIZE(texts) == ZONE_MAX, "a text for each zone");

	return texts[zone];
}

void execution_done(struct execution *execution)
{
	writer_done(&execution->writer);
	range_set_done(&execution->onlined);
}

void execution_restart(struct execution *execution, const struct plan *plan)
{
	execution->plan = plan;
	execution->step = 0;
	execution->next = 0;
	execution->tries = 0;
	execution->deadline = 0;
}

static enum turn give_up(struct execution *execution, int error, uint64_t address)
{
	execution->error = error;
	execution->failed_at = address;
	return TURN_FAILED;
}

static enum turn fail(struct execution *execution, int error, uint64_t address)
{
	if (!block_error_may_pass(error) || ++execution->tries >= TRIES)
		return give_up(execution, error, address);
	execution->retries++;
	execution->delay_ms = FIRST_DELAY_MS << execution->tries;
	return TURN_LATER;
}

static enum turn finish_step(struct execution *execution)
{
	execution->tries = 0;
	execution->next = 0;
	execution->step++;
	return execution->step == execution->plan->n ? TURN_DONE : TURN_MORE;
}

/* The block that is next: from the highest address down. */
static struct range next_block(struct execution *execution, const struct step *step)
{
	uint64_t block_size = execution->sensor->snapshot.block_size;

	if (!execution->next)
		execution->next = step->range.end;
	return (struct range){execution->next - block_size, execution->next};
}

static enum turn finish_block(
	struct execution *execution, const struct step *step, struct range block)
{
	execution->tries = 0;
	execution->next = block.start;
	execution->deadline = 0;
	return block.start == step->range.start ? finish_step(execution) : TURN_MORE;
}

/* It is noted before it is onlined: once a block is online, noting it must not fail. */
static enum turn turn_online(struct execution *execution, const struct step *step)
{
	struct range block = next_block(execution, step);
	uint64_t id = block.start / execution->sensor->snapshot.block_size;
	bool noted = range_set_contains(&execution->onlined, block);
	struct path path;
	int answer, r;

	r = range_set_add(&execution->onlined, block);
	if (r < 0)
		return fail(execution, -r, block.start);
	answer = sysfs_write(path_of(&path, SYS_BLOCK_STATE, id), online_text(execution->zone));
	r = check_answer(id, answer, BLOCK_ONLINE);
	/* If memory is short it stays noted, and at worst is taken offline once more. */
	if (answer < 0 && !noted)
		(void)!range_set_subtract(&execution->onlined, block);
	return r < 0 ? fail(execution, -r, block.start) : finish_block(execution, step, block);
}

uint64_t executor_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Wait for the writer, but not beyond the deadline; and after that only for its end. */
static enum turn wait_for_writer(struct execution *execution)
{
	uint64_t now = executor_now_ms();

	if (now >= execution->deadline)
		writer_interrupt(&execution->writer);
	execution->delay_ms = now < execution->deadline ? (unsigned int)(execution->deadline - now)
							: INTERRUPTED_MS;
	return TURN_WAIT;
}

static enum turn start_offline(struct execution *execution, uint64_t id, uint64_t address)
{
	struct path path;
	int r;

	if (!execution->deadline)
		execution->deadline = executor_now_ms() + execution->timeout * 1000;
	if (executor_now_ms() >= execution->deadline)
		return fail(execution, ETIME, address);
	r = writer_start(&execution->writer, path_of(&path, SYS_BLOCK_STATE, id), "offline");
	return r < 0 ? fail(execution, -r, address) : wait_for_writer(execution);
}

static enum turn turn_offline(struct execution *execution, const struct step *step)
{
	struct range block = next_block(execution, step);
	uint64_t id = block.start / execution->sensor->snapshot.block_size;
	int answer, r;

	if (!writer_is_busy(&execution->writer))
		return start_offline(execution, id, block.start);
	if (!writer_has_ended(&execution->writer, &answer))
		return wait_for_writer(execution);
	r = check_answer(id, answer, BLOCK_OFFLINE);
	if (r < 0 && executor_now_ms() >= execution->deadline)
		r = -ETIME;
	return r < 0 ? fail(execution, -r, block.start) : finish_block(execution, step, block);
}

/*
 * Is any block of the device not offline? To take kmem away then would leave that block stuck
 * until reboot (dev_dax_kmem_remove(), drivers/dax/kmem.c, 6.12). What cannot be read counts.
 */
static bool any_block_in_use(const struct execution *execution)
{
	uint64_t block_size = execution->sensor->snapshot.block_size;
	const struct device *device = execution->device;

	for (size_t i = 0; i < device->n_ranges; i++) {
		struct range whole = range_trim(device->ranges[i], block_size);

		for (uint64_t at = whole.start; at < whole.end; at += block_size) {
			enum block_state state;
			int r = sensor_block_state(at / block_size, &state);

			if (r != -ENOENT && (r < 0 || state != BLOCK_OFFLINE))
				return true;
		}
	}
	return !device->n_ranges;
}

/* Take the driver away, if no program uses what it makes of the device. */
static int unbind(struct execution *execution)
{
	const char *name = execution->device->name;
	enum dax_driver driver = dax_driver_of(name);

	switch (driver) {
	case DAX_DRIVER_NONE:
		return 0;
	case DAX_DRIVER_KMEM:
		if (any_block_in_use(execution))
			return -EBUSY;
		break;
	case DAX_DRIVER_DEVICE_DAX:
		if (dax_devdax_use() != DEVDAX_UNUSED)
			return -EBUSY;
		break;
	default:
		return -EBUSY;
	}
	return dax_unbind(name, driver);
}

/*
 * Read the blocks that kmem has made: the kernel's own policy may have brought some of them online,
 * in a zone that it chose. They are the work of this step, and go with it if it is undone. 0 or
 * -ENOMEM.
 */
static int note_made_online(struct execution *execution)
{
	CLEANUP(blocks_done) struct blocks blocks = {0};
	uint64_t block_size = execution->sensor->snapshot.block_size;
	int r;

	r = sensor_read_blocks(execution->sensor, execution->device, &blocks);
	for (size_t i = 0; r == 0 && i < blocks.n; i++)
		if (blocks.blocks[i].state == BLOCK_ONLINE)
			r = range_set_add(
				&execution->onlined, block_range(blocks.blocks[i].id, block_size));
	return r;
}

static enum turn turn_driver(struct execution *execution, const struct step *step)
{
	const char *name = execution->device->name;
	int r;

	/* Names are used again: another device of this name is none of this plan's business. */
	if (dax_identity(name) != execution->device->identity)
		return fail(execution, ENODEV, 0);
	if (step->action == ACTION_UNBIND)
		r = unbind(execution);
	else
		r = dax_bind(name,
			step->action == ACTION_BIND_KMEM ? DAX_DRIVER_KMEM : DAX_DRIVER_DEVICE_DAX);
	if (r == 0 && step->action == ACTION_BIND_KMEM)
		r = note_made_online(execution);
	if (r == 0)
		return finish_step(execution);
	/* Each try to make a memory map that does not fit may cost a process its life. */
	return r == -ENOMEM ? give_up(execution, ENOMEM, 0) : fail(execution, -r, 0);
}

enum turn executor_turn(struct execution *execution)
{
	const struct step *step;

	if (execution->step >= execution->plan->n)
		return TURN_DONE;
	step = &execution->plan->steps[execution->step];
	if (step->action == ACTION_ONLINE)
		return turn_online(execution, step);
	if (step->action == ACTION_OFFLINE)
		return turn_offline(execution, step);
	return turn_driver(execution, step);
}

void executor_wait(const struct execution *execution, enum turn turn)
{
	struct pollfd child = {.fd = execution->writer.fd, .events = POLLIN};

	if (turn == TURN_WAIT || turn == TURN_LATER)
		(void)poll(&child, turn == TURN_WAIT, (int)execution->delay_ms);
}
