/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole pure path, from the bytes of a machine to its decisions: look, decide each device,
 * apply the steps, look again. A record 'n' ends a look, and the records after it change the
 * machine.
 *
 * No plan violates tests/unit/safety.h, each device has one decision, and all memory that arrived
 * after boot has one.
 */
#include "tdxo/explain/explain.h"
#include "tdxo/record/history.h"
#include "tests/fuzz/machine.h"
#include "tests/unit/safety.h"
#include "tests/unit/verdicts.h"

struct walk {
	struct machine machine;
	struct history history;
	struct block_ids before; /* of the last look */
};

static void walk_done(struct walk *walk)
{
	machine_done(&walk->machine);
	history_done(&walk->history);
	block_ids_done(&walk->before);
}

/* The sources of the boot map as the sensor passes them on. */
static void build_boot_map(struct machine *machine)
{
	CLEANUP(range_set_done) struct range_set ram = {0}, blocks = {0}, dax = {0};
	struct snapshot *snapshot = &machine->snapshot;
	struct boot_evidence evidence = {.blocks = &blocks,
		.dax = &dax,
		.memblock = machine->memblock,
		.n_memblock = machine->n_memblock};

	require(e820_ram(&machine->e820, &ram) == 0);
	for (size_t i = 0; i < snapshot->blocks.n; i++)
		require(range_set_add(&blocks,
				block_range(snapshot->blocks.ids[i], snapshot->block_size)) == 0);
	for (size_t i = 0; i < snapshot->dax.n; i++)
		for (size_t j = 0; j < snapshot->dax.items[i].n_ranges; j++)
			require(range_set_add(&dax, snapshot->dax.items[i].ranges[j]) == 0);
	if (machine->host & HOST_MEMMAP)
		evidence.memmap = &ram;
	else if (!(machine->host & HOST_NO_MAP))
		evidence.boot_params = &ram;
	require(boot_map_build(&evidence, &snapshot->boot_map) == 0);
}

static void read_blocks(const struct machine *machine, struct facts *facts)
{
	for (size_t i = 0; i < facts->device.n_ranges; i++)
		for (size_t j = 0; j < machine->blocks.n; j++) {
			const struct block *block = &machine->blocks.blocks[j];

			if (range_contains(facts->device.ranges[i],
				    block_range(block->id, facts->block_size)))
				require(blocks_append(&facts->blocks, block->id, block->state) ==
					0);
		}
}

static void complete(struct walk *walk, const struct device *device, struct facts *facts)
{
	struct machine *machine = &walk->machine;
	const struct history_entry *entry = history_find(&walk->history, device);

	*facts = (struct facts){
		.devdax_use = machine->use,
		.align = 2 << 20,
		.map_on_itself = machine->host & HOST_ITSELF,
		.half_done = entry && history_entry_is_half_done(entry),
		.block_size = machine->snapshot.block_size,
		.boot_map = &machine->snapshot.boot_map,
		.tdx = machine->snapshot.tdx,
		.guarded = machine->host & HOST_GUARDED,
		.auto_online = machine->auto_online,
		.auto_online_held = machine->host & HOST_HELD,
		.zones = machine->zones,
		.movable_advice = 301,
	};
	require(device_copy(device, &facts->device) == 0);
	read_blocks(machine, facts);
	facts->unplugged = device->driver == DAX_DRIVER_KMEM && !facts->blocks.n;
	if (device->region[0])
		facts->cxl = (struct cxl_origin){.region_mode = "ram",
			.memdevs = {{.name = "mem0", .host = "0000:35:00.0", .serial = 42}},
			.n_memdevs = 1};
}

/* --- the steps --- */

static void set_driver(struct machine *machine, const char *name, enum dax_driver driver)
{
	for (size_t i = 0; i < machine->snapshot.dax.n; i++)
		if (strcmp(machine->snapshot.dax.items[i].name, name) == 0)
			machine->snapshot.dax.items[i].driver = driver;
}

/* Both lists have the same blocks in the same order. */
static void remove_block(struct machine *machine, uint64_t id)
{
	struct block_ids *ids = &machine->snapshot.blocks;
	struct block *blocks = machine->blocks.blocks;

	for (size_t i = 0; i < ids->n; i++) {
		if (ids->ids[i] != id)
			continue;
		memmove(&ids->ids[i], &ids->ids[i + 1], (ids->n - i - 1) * sizeof(ids->ids[0]));
		memmove(&blocks[i], &blocks[i + 1], (ids->n - i - 1) * sizeof(blocks[0]));
		ids->n--;
		machine->blocks.n--;
	}
}

static void bind_kmem(struct machine *machine, const struct facts *facts)
{
	for (size_t i = 0; i < facts->device.n_ranges; i++) {
		struct range whole = range_trim(facts->device.ranges[i], facts->block_size);

		for (uint64_t at = whole.start; at < whole.end; at += facts->block_size)
			if (!machine_block(machine, at / facts->block_size))
				machine_set_block(machine, at / facts->block_size, BLOCK_OFFLINE);
	}
	machine_sort_blocks(machine);
}

static void set_blocks(struct machine *machine, struct range range, enum block_state state)
{
	for (size_t i = 0; i < machine->blocks.n; i++) {
		struct block *block = &machine->blocks.blocks[i];

		if (range_contains(range, block_range(block->id, machine->snapshot.block_size)))
			block->state = state;
	}
}

static enum dax_driver take_step(struct machine *machine, const struct facts *facts,
	enum dax_driver driver, const struct step *step)
{
	switch (step->action) {
	case ACTION_UNBIND:
		for (size_t i = 0; driver == DAX_DRIVER_KMEM && i < facts->blocks.n; i++)
			remove_block(machine, facts->blocks.blocks[i].id);
		return DAX_DRIVER_NONE;
	case ACTION_BIND_KMEM:
		bind_kmem(machine, facts);
		return DAX_DRIVER_KMEM;
	case ACTION_BIND_DEVICE_DAX:
		return DAX_DRIVER_DEVICE_DAX;
	default:
		set_blocks(machine, step->range,
			step->action == ACTION_ONLINE ? BLOCK_ONLINE : BLOCK_OFFLINE);
		return driver;
	}
}

/* --- decisions --- */

static void write_records(struct walk *walk, struct record *record)
{
	static const struct srat srat;
	static const struct cedt cedt;
	static struct explanation explanation;
	const struct device *device = &record->facts->device;
	const struct explain_world world = {.snapshot = &walk->machine.snapshot,
		.srat = &srat,
		.cedt = &cedt,
		.config = &walk->machine.config,
		.ran = true};
	struct field fields[RECORD_FIELDS];
	char sentence[RECORD_SENTENCE];

	for (size_t i = 0; i < device->n_ranges || i == 0; i++) {
		record->range = device->n_ranges ? device->ranges[i] : (struct range){0};
		record_count_blocks(record, &record->facts->blocks);
		require(strlen(record_sentence(record, sentence)) > 0);
		require(record_fields(record, fields) <= RECORD_FIELDS);
		if (walk->machine.host & HOST_EXPLAIN)
			explain_range(
				&world, record, history_find(&walk->history, device), &explanation);
	}
}

static void decide(struct walk *walk, const struct device *device)
{
	CLEANUP(facts_done) struct facts facts = {0};
	CLEANUP(plan_done) struct plan plan = {0};
	struct machine *machine = &walk->machine;
	struct record record = {.facts = &facts, .plan = &plan};
	struct decision decision;
	const char *breach;

	complete(walk, device, &facts);
	record.outcome.driver = facts.device.driver;
	decision = policy_decide(&machine->config, &facts);
	require(decision.verdict < VERDICT_MAX && decision.reason < REASON_MAX);
	require(reason_fits(decision.reason, decision.verdict));
	require(reason_has_text(decision.reason, device));
	require(plan_make(&facts, &decision, &plan) == 0);
	breach = safety_breach(&machine->config, &facts, &decision, &plan);
	if (breach)
		fprintf(stderr, "%s: %s\n", facts.device.name, breach);
	require(!breach);
	for (size_t i = 0; !decision.withheld && i < plan.n; i++)
		record.outcome.driver =
			take_step(machine, &facts, record.outcome.driver, &plan.steps[i]);
	set_driver(machine, facts.device.name, record.outcome.driver);
	record.outcome.result = !plan.n		    ? RESULT_NOTHING
				: decision.withheld ? RESULT_WITHHELD
						    : RESULT_DONE;
	blocks_done(&facts.blocks);
	read_blocks(machine, &facts);
	record.decision = &decision;
	write_records(walk, &record);
	require(history_note(&walk->history, device, &decision, &record.outcome, false) == 0);
}

/* --- after each look --- */

static bool came_after_boot(const struct walk *walk, uint64_t id)
{
	const struct snapshot *snapshot = &walk->machine.snapshot;
	struct range range = block_range(id, snapshot->block_size);

	if (!snapshot->boot_map.known)
		return false;
	for (size_t i = 0; i < snapshot->boot_map.n; i++)
		if (snapshot->boot_map.regions[i].source != BOOT_SOURCE_CONFIGURATION &&
			range_overlaps(snapshot->boot_map.regions[i].range, range))
			return false;
	return true;
}

static bool is_found(const struct devices *found, struct range range)
{
	for (size_t i = 0; i < found->n; i++)
		if (device_overlaps(&found->items[i], range))
			return true;
	return false;
}

/*
 * Each dax device that has a size, each DIMM, and each block that was not present at boot is found.
 */
static void check_all_found(const struct walk *walk, const struct devices *found)
{
	const struct snapshot *snapshot = &walk->machine.snapshot;
	size_t named = 0, set_up = 0;

	for (size_t i = 0; i < found->n; i++)
		named += device_is_dax(&found->items[i]);
	for (size_t i = 0; i < snapshot->dax.n; i++)
		set_up += snapshot->dax.items[i].size > 0;
	require(named == set_up);
	for (size_t i = 0; i < snapshot->n_dimms; i++)
		require(is_found(found, snapshot->dimms[i]));
	for (size_t i = 0; snapshot_explains_blocks(snapshot) && i < snapshot->blocks.n; i++)
		if (came_after_boot(walk, snapshot->blocks.ids[i]))
			require(is_found(
				found, block_range(snapshot->blocks.ids[i], snapshot->block_size)));
}

static void check_one_decision(const struct walk *walk, const struct device *device)
{
	size_t decisions = 0;

	for (size_t i = 0; i < walk->history.n; i++)
		decisions += device_is_within(device, &walk->history.entries[i].device);
	require(decisions == 1);
}

/* A run that has grown can have a decision for each part. */
static void check_decided_once(const struct walk *walk, const struct devices *found)
{
	CLEANUP(devices_done) struct devices undecided = {0};
	const uint64_t block_size = walk->machine.snapshot.block_size;

	for (size_t i = 0; i < found->n; i++) {
		const struct device *device = &found->items[i];
		struct range block = {0}, whole = {0};
		struct device part = *device;

		if (device_is_dax(device) || device->type == TYPE_DIMM) {
			check_one_decision(walk, device);
			continue;
		}
		whole = device->ranges[0];
		part.ranges = &block;
		for (uint64_t at = whole.start; at < whole.end; at += block_size) {
			block = (struct range){at, at + block_size};
			check_one_decision(walk, &part);
		}
	}
	require(history_undecided(&walk->history, found, &undecided) == 0);
	require(undecided.n == 0);
}

static void find(const struct walk *walk, struct devices *ret_found)
{
	require(devices_find(&walk->machine.snapshot, walk->before.n ? &walk->before : NULL,
			ret_found) == 0);
}

static void settle(struct walk *walk)
{
	const struct block_ids *ids = &walk->machine.snapshot.blocks;

	block_ids_done(&walk->before);
	for (size_t i = 0; i < ids->n; i++)
		require(block_ids_append(&walk->before, ids->ids[i]) == 0);
}

static void look(struct walk *walk)
{
	CLEANUP(devices_done) struct devices found = {0}, undecided = {0}, after = {0};
	struct machine *machine = &walk->machine;

	require(boot_map_set_capable(&machine->snapshot.boot_map, &machine->config.capable) == 0);
	find(walk, &found);
	require(history_prune(&walk->history, &found) == 0);
	if (tdx_refuses(&machine->snapshot.tdx))
		history_reconsider_let_in(&walk->history);
	require(history_undecided(&walk->history, &found, &undecided) == 0);
	for (size_t i = 0; i < undecided.n; i++)
		decide(walk, &undecided.items[i]);
	find(walk, &after);
	check_all_found(walk, &after);
	check_decided_once(walk, &after);
	settle(walk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(walk_done) struct walk walk = {0};
	struct cursor c = cursor_of(data, size);

	machine_init(&walk.machine, &c);
	machine_look(&walk.machine, &c);
	build_boot_map(&walk.machine);
	look(&walk);
	for (int looks = 1; looks < 3 && cursor_left(&c); looks++) {
		machine_look(&walk.machine, &c);
		look(&walk);
	}
	return 0;
}
