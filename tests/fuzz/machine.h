/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine from bytes: two bytes for the host, then records, each with a letter and the bytes that
 * its function in machine_read_record() reads. Numbers are small, so that ranges overlap often:
 * addresses are multiples of half a memory block of 128 MiB, or a page beside it, below 8 GiB or at
 * the top.
 */
#pragma once

#include "tdxo/base/array.h"
#include "tdxo/base/cursor.h"
#include "tdxo/firmware/e820.h"
#include "tdxo/memory/snapshot.h"
#include "tests/fuzz/settings.h"

#define HALF_BLOCK (UINT64_C(64) << 20)
#define TOP	   (UINT64_MAX - 128 * HALF_BLOCK + 1)
#define MOST	   6 /* devices, regions and DIMMs */

enum host {
	HOST_GUARDED = 1,
	HOST_HELD = 2,	     /* the guard holds auto_online_blocks */
	HOST_VIRTIO_MEM = 4, /* a device has that driver */
	HOST_INCOMPLETE = 8, /* a dax device cannot be read */
	HOST_NO_MAP = 16,    /* no source of the boot map can be read */
	HOST_MEMMAP = 32,    /* the firmware memmap in place of boot_params */
	HOST_ITSELF = 64,    /* page metadata is in the memory that is added */
	HOST_EXPLAIN = 128,  /* explain each record, too */
};

struct machine {
	unsigned int host; /* of enum host */
	struct snapshot snapshot;
	struct blocks blocks; /* all of them, with their states */
	struct config config;
	struct tdx_facts tdx;
	struct tdx_log log;
	struct e820_table e820;
	struct range *memblock;
	size_t n_memblock;
	enum devdax_use use;
	enum auto_online auto_online;
	struct zoneinfo zones;
};

static inline void machine_done(struct machine *machine)
{
	snapshot_done(&machine->snapshot);
	blocks_done(&machine->blocks);
	config_done(&machine->config);
	e820_table_done(&machine->e820);
	free(machine->memblock);
}

static inline struct range machine_range(struct cursor *c)
{
	uint64_t start = cursor_u8(c) % 128 * HALF_BLOCK, size = cursor_u8(c) % 32 * HALF_BLOCK;
	unsigned int odd = cursor_u8(c);

	if (odd & 1)
		start += 4096;
	if (odd & 2)
		size += 4096;
	if (odd & 4)
		size += 1;
	if (odd & 8)
		start += TOP;
	/* a range that wraps around is not possible: readers ignore it */
	return start + size > start ? (struct range){start, start + size}
				    : (struct range){start, start + 4096};
}

static inline struct block *machine_block(struct machine *machine, uint64_t id)
{
	for (size_t i = 0; i < machine->blocks.n; i++)
		if (machine->blocks.blocks[i].id == id)
			return &machine->blocks.blocks[i];
	return NULL;
}

static inline void machine_set_block(struct machine *machine, uint64_t id, enum block_state state)
{
	struct block *block = machine_block(machine, id);

	if (block)
		block->state = state;
	else
		require(blocks_append(&machine->blocks, id, state) == 0 &&
			block_ids_append(&machine->snapshot.blocks, id) == 0);
}

static inline int machine_compare_blocks(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Call this after blocks were added. */
static inline void machine_sort_blocks(struct machine *machine)
{
	block_ids_sort(&machine->snapshot.blocks);
	if (machine->blocks.n)
		qsort(machine->blocks.blocks, machine->blocks.n, sizeof(*machine->blocks.blocks),
			machine_compare_blocks);
}

static inline void machine_add_blocks(struct machine *machine, struct cursor *c)
{
	uint64_t id = cursor_u8(c) % 64, n = cursor_u8(c) % 8;
	enum block_state state = cursor_u8(c) % BLOCK_STATE_MAX;

	while (n--)
		machine_set_block(machine, id++, state);
}

static inline int machine_compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* The ranges of the device need not be sorted. */
static inline bool machine_overlaps(const struct device *device, struct range range)
{
	for (size_t i = 0; i < device->n_ranges; i++)
		if (range_overlaps(device->ranges[i], range))
			return true;
	return false;
}

static inline void machine_add_dax(struct machine *machine, struct cursor *c)
{
	CLEANUP(device_done) struct device device = {.type = cursor_u8(c) % TYPE_MAX};
	unsigned int number = cursor_u8(c) % 4, instance = cursor_u8(c) % 2, flags, n;

	snprintf(device.name, sizeof(device.name), "dax%u.%u", number, instance);
	device.driver = cursor_u8(c) % DAX_DRIVER_MAX;
	flags = cursor_u8(c);
	device.node = flags & 1 ? NODE_UNKNOWN : 1;
	device.present = flags & 2;
	if (flags & 4)
		snprintf(device.region, sizeof(device.region), "region0");
	for (n = flags >> 3 & 3; n; n--) {
		struct range range = machine_range(c);

		if (machine_overlaps(&device, range))
			continue;
		require(array_append(device.ranges, device.n_ranges, range) == 0);
		device.size += range_size(range);
	}
	if (!device.n_ranges)
		device.size = flags & 0x20 ? HALF_BLOCK : 0;
	else
		qsort(device.ranges, device.n_ranges, sizeof(*device.ranges),
			machine_compare_ranges);
	if (machine->snapshot.dax.n == MOST || snapshot_find_dax(&machine->snapshot, device.name))
		return;
	require(devices_add(&machine->snapshot.dax, &device) == 0);
	snapshot_sort_dax(&machine->snapshot);
}

static inline void machine_add_dimm(struct machine *machine, struct cursor *c)
{
	struct snapshot *snapshot = &machine->snapshot;
	struct range range = machine_range(c);

	if (snapshot->n_dimms < MOST)
		require(array_append(snapshot->dimms, snapshot->n_dimms, range) == 0);
}

static inline void machine_add_region(struct machine *machine, struct cursor *c)
{
	struct regions *regions = &machine->snapshot.regions;
	struct region region = {.range = machine_range(c)};

	snprintf(region.name, sizeof(region.name), "region%zu", regions->n);
	if (regions->n < MOST)
		require(array_append(regions->items, regions->n, region) == 0);
}

static inline void machine_add_e820(struct machine *machine, struct cursor *c)
{
	struct e820_entry entry = {.range = machine_range(c), .type = cursor_u8(c)};

	require(array_append(machine->e820.entries, machine->e820.n, entry) == 0);
}

static inline void machine_add_memblock(struct machine *machine, struct cursor *c)
{
	require(array_append(machine->memblock, machine->n_memblock, machine_range(c)) == 0);
}

/* Take a text that begins with its length. The cursor owns it, and it has no NUL at its end. */
static inline struct cursor machine_text(struct cursor *c)
{
	size_t size = cursor_u8(c);

	return cursor_take(c, size < cursor_left(c) ? size : cursor_left(c));
}

static inline void machine_configure(struct machine *machine, struct cursor *c)
{
	struct cursor text = machine_text(c);

	(void)read_config(&machine->config, (const char *)text.data, text.size);
}

/* A rule with a mistake is ignored. */
static inline void machine_add_rule(struct machine *machine, struct cursor *c)
{
	struct cursor text = machine_text(c);
	CLEANUP(rule_done) struct rule rule;

	rule_init(&rule, "10-a.rule");
	if (read_rule(&rule, (const char *)text.data, text.size) == 0)
		require(config_add_rule(&machine->config, &rule) == 0);
}

/* A file that shows the TDX state, or lines of the kernel log. */
static inline void machine_read_tdx(struct machine *machine, struct cursor *c)
{
	enum tdx_source source = cursor_u8(c) % TDX_SOURCE_MAX;
	struct cursor bytes = machine_text(c);
	CLEANUP(free_text_of) char *text = text_of(bytes.data, bytes.size);
	char *rest = text, *line;

	switch (source) {
	case TDX_SOURCE_CPUINFO:
		machine->tdx.facts[source] = tdx_read_cpuinfo(text);
		break;
	case TDX_SOURCE_CORE_STATE:
	case TDX_SOURCE_KVM_STATE:
		tdx_read_states(text, &machine->tdx);
		break;
	case TDX_SOURCE_KVM_INTEL:
		machine->tdx.facts[source] = tdx_read_kvm_parameter(text);
		break;
	case TDX_SOURCE_CGROUP:
		machine->tdx.facts[source] = tdx_read_misc_capacity(text);
		break;
	case TDX_SOURCE_TDX_HOST:
		machine->tdx.release = kernel_release_parse(text);
		break;
	case TDX_SOURCE_EARLIER:
		machine->tdx.facts[source] = FACT_YES;
		break;
	default:
		while ((line = strsep(&rest, "\n")))
			tdx_log_read(&machine->log, line);
	}
}

static inline void machine_read_zones(struct machine *machine, struct cursor *c)
{
	struct cursor bytes = machine_text(c);
	CLEANUP(free_text_of) char *text = text_of(bytes.data, bytes.size);

	if (zoneinfo_read(text, 4096, &machine->zones) < 0)
		machine->zones = (struct zoneinfo){.unreadable = true};
}

/* Returns false at the end of a look or of the bytes. */
static inline bool machine_read_record(struct machine *machine, struct cursor *c)
{
	static const struct {
		char letter;
		void (*read)(struct machine *machine, struct cursor *c);
	} records[] = {
		{'b', machine_add_blocks},
		{'d', machine_add_dax},
		{'i', machine_add_dimm},
		{'g', machine_add_region},
		{'e', machine_add_e820},
		{'m', machine_add_memblock},
		{'c', machine_configure},
		{'r', machine_add_rule},
		{'t', machine_read_tdx},
		{'z', machine_read_zones},
	};
	char letter = (char)cursor_u8(c);

	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		if (records[i].letter == letter)
			records[i].read(machine, c);
	return letter != 'n' && cursor_left(c);
}

/* Read the changes up to the next look. */
static inline void machine_look(struct machine *machine, struct cursor *c)
{
	struct tdx_facts facts;

	while (machine_read_record(machine, c)) {
	}
	facts = machine->tdx;
	tdx_read_log(&machine->log, &facts);
	machine->snapshot.tdx = tdx_decide(&facts, machine->config.tdx);
	machine_sort_blocks(machine);
}

static inline void machine_init(struct machine *machine, struct cursor *c)
{
	static const uint64_t spare[] = {UINT64_MAX, 0, 8 << 20, 1 << 30};
	unsigned int more;

	*machine = (struct machine){.host = cursor_u8(c)};
	more = cursor_u8(c);
	machine->snapshot.block_size = 2 * HALF_BLOCK << (more & 1);
	machine->use = (more >> 1) % 3;
	machine->auto_online = (more >> 3) % AUTO_ONLINE_MAX;
	machine->zones.spare = spare[more >> 6];
	machine->zones.known = machine->zones.spare != UINT64_MAX;
	machine->zones.kernel = UINT64_C(16) << 30;
	machine->snapshot.virtio_mem = machine->host & HOST_VIRTIO_MEM;
	machine->snapshot.dax_incomplete = machine->host & HOST_INCOMPLETE;
	machine->snapshot.dax_autoprobe =
		machine->host & HOST_GUARDED ? DAX_AUTOPROBE_OFF : DAX_AUTOPROBE_ON;
	/* All files except /proc/cpuinfo are missing. */
	for (enum tdx_source source = TDX_SOURCE_CPUINFO + 1; source < TDX_SOURCE_MAX; source++)
		machine->tdx.facts[source] = FACT_ABSENT;
	config_init(&machine->config);
}
