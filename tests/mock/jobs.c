/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One job of each kind that the daemon has.
 */
#include "jobs.h"

#include <errno.h>

#define RULE		      "50-job.rule"
#define RUN_START	      (2 * GIB)
#define REGION5		      "/sys/devices/platform/ACPI0017:00/root0/decoder0.5/region5"
#define CAPABLE		      TIMEOUT "CapableRanges=0x100000000-0x10fffffff\n"
#define DAX0_DEVICE(place_it) .place = place_it, .start = DAX0_START, .blocks = 2
#define RUN_DEVICE	      .place = place_run, .start = RUN_START, .blocks = 3

static void place_dax0(const struct mock *mock)
{
	mock_add_dax(mock, DAX0, DAX0_START, 2 * BLOCK, 1);
}

static void place_dax0_in_parts(const struct mock *mock)
{
	static const uint64_t starts[] = {DAX0_START, DAX0_START + BLOCK};

	mock_add_dax_in_parts(mock, DAX0, starts, 2, 2 * BLOCK, 1);
}

static void place_run(const struct mock *mock)
{
	mock_place_blocks(mock, RUN_START / BLOCK, 3, "offline");
}

void job_send_dax0(struct mock *mock)
{
	mock_uevent_dax(mock, DAX0, "add");
}

static void add_dax0(struct mock *mock)
{
	place_dax0(mock);
	job_send_dax0(mock);
}

static void add_dax0_in_parts(struct mock *mock)
{
	place_dax0_in_parts(mock);
	job_send_dax0(mock);
}

static void add_run(struct mock *mock)
{
	place_run(mock);
	mock_uevent(mock, MEMORY "/memory16", "add");
}

static void start_capable(struct mock *mock)
{
	mock_configure(mock, CAPABLE);
	mock_start_active(mock);
}

static void add_dimm(struct mock *mock)
{
	mock_put(mock, "/sys/firmware/memmap/2/start", "0x80000000\n");
	mock_put(mock, "/sys/firmware/memmap/2/end", "0x97ffffff\n");
	mock_put(mock, "/sys/firmware/memmap/2/type", "System RAM\n");
	add_run(mock);
}

static void start_with_region(struct mock *mock)
{
	mock_add_device(mock, REGION5, "../../../../../../bus/cxl");
	mock_put(mock, REGION5 "/resource", "0x80000000\n");
	mock_put(mock, REGION5 "/size", "0x18000000\n");
	mock_put(mock, REGION5 "/mode", "ram\n");
	mock_link(mock, "/sys/bus/cxl/devices/region5",
		"../../../devices/platform/ACPI0017:00/root0/decoder0.5/region5");
	mock_start_absent(mock);
}

static void start_with_zone_rule(struct mock *mock)
{
	mock_rule(mock, RULE, "Type=cxl\n", "Zone=movable\nConvertDevdax=yes\n");
	mock_start_absent(mock);
}

static void start_refusing_dax0(struct mock *mock)
{
	mock_fail(mock, "memory32/state online", EPERM);
	mock_start_absent(mock);
}

static void start_refusing_run(struct mock *mock)
{
	mock_rule(mock, RULE, "Type=*\n", "OnFailure=rollback\n");
	mock_fail(mock, "memory16/state online", EPERM);
	mock_start_absent(mock);
}

static void start_with_devdax(struct mock *mock)
{
	mock_rule(mock, RULE, "Type=cxl\n", "Verdict=devdax\n");
	start_capable(mock);
	add_dax0(mock);
	mock_await_decided(mock, DAX0);
}

static void convert(struct mock *mock)
{
	mock_rule(mock, RULE, "Type=cxl\n", "ConvertDevdax=yes\n");
	mock_reload(mock);
}

static void start_with_memory(struct mock *mock)
{
	mock_start_absent(mock);
	add_dax0(mock);
	mock_await_decided(mock, DAX0);
}

static void start_with_memory73(struct mock *mock)
{
	mock_make_kmem(mock, "offline", 1);
	start_with_memory(mock);
}

static void take_out(struct mock *mock)
{
	mock_rule(mock, RULE, "Type=cxl\n", "Verdict=devdax\nOfflineBlocks=yes\n");
	mock_reload(mock);
}

/* A machine that started without the daemon: kmem has bound the device. */
static void give_to_kmem(struct mock *mock)
{
	mock_give_to_kmem(mock, DAX0, DAX0_START, 2 * BLOCK, "offline");
	mock_make_active(mock);
}

static void configure_active(struct mock *mock)
{
	mock_configure(mock, TIMEOUT "TDX=active\n");
	mock_reload(mock);
}

static void start_configured_active(struct mock *mock)
{
	mock_configure(mock, TIMEOUT "TDX=active\n");
	mock_start(mock);
}

static void configure_absent(struct mock *mock)
{
	mock_configure(mock, TIMEOUT "TDX=absent\n");
	mock_reload(mock);
}

static void crash(struct mock *mock)
{
	start_capable(mock);
	mock_hang(mock, "memory33/state online_kernel");
	add_dax0(mock);
	mock_await_text(mock, "/stores", "~memory33/state online_kernel\n");
	mock_kill(mock);
	mock_fail(mock, "memory33/state online_kernel", 0);
}

static void make_ready(struct mock *mock)
{
	mock_make_active(mock);
}

const struct job jobs[JOBS] = {
	{.name = "CXL memory inside CapableRanges",
		.prepare = start_capable,
		.give = add_dax0,
		DAX0_DEVICE(place_dax0)},
	{.name = "CXL memory outside the boot map",
		.prepare = mock_start_active,
		.give = add_dax0,
		DAX0_DEVICE(place_dax0),
		.kept_out = true},
	{.name = "CXL memory with a rule for the zone",
		.prepare = start_with_zone_rule,
		.give = add_dax0_in_parts,
		DAX0_DEVICE(place_dax0_in_parts)},
	{.name = "CXL memory, refused in part",
		.prepare = start_refusing_dax0,
		.give = add_dax0,
		DAX0_DEVICE(place_dax0)},
	{.name = "blocks of a CXL region",
		.prepare = start_with_region,
		.give = add_run,
		RUN_DEVICE},
	{.name = "DIMM", .prepare = mock_start_absent, .give = add_dimm, RUN_DEVICE},
	{.name = "blocks, refused in part",
		.prepare = start_refusing_run,
		.give = add_run,
		RUN_DEVICE},
	{.name = "reload converts devdax",
		.prepare = start_with_devdax,
		.give = convert,
		DAX0_DEVICE(place_dax0)},
	{.name = "reload takes memory out",
		.prepare = start_with_memory,
		.give = take_out,
		DAX0_DEVICE(place_dax0)},
	{.name = "reload takes memory out, Linux 7.3",
		.prepare = start_with_memory73,
		.give = take_out,
		DAX0_DEVICE(place_dax0)},
	{.name = "start finds memory of kmem",
		.prepare = give_to_kmem,
		.give = mock_start,
		DAX0_DEVICE(place_dax0),
		.kept_out = true},
	{.name = "start after a crash",
		.prepare = crash,
		.give = mock_start,
		DAX0_DEVICE(place_dax0)},
	{.name = "start takes the guard", .prepare = make_ready, .give = mock_start},
	{.name = "reload takes the guard", .prepare = mock_start_absent, .give = configure_active},
	{.name = "reload gives the guard back",
		.prepare = start_configured_active,
		.give = configure_absent},
	{.name = "stop", .prepare = mock_start_active, .give = mock_stop, .stopped = true},
};
