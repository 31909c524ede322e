/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes after the start: of TDX, a driver, free memory for page metadata, the list of memory
 * blocks, and memory that comes in the middle of a look.
 */
#include "mock.h"

#include <errno.h>
#include <stdio.h>

#define DAX0_START (4 * GIB)
#define DAX0_SIZE  (4 * BLOCK)
#define KVM	   "/sys/devices/virtual/misc/kvm"
#define ONE_LOOK   2 /* a look tries twice to list the blocks */
#define TDX_HOST   "/sys/devices/faux/tdx_host"

static void add_dax0(const struct mock *mock)
{
	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_uevent_dax(mock, "dax0.0", "add");
}

static void expect_dax0_online(struct mock *mock)
{
	mock_expect_record(mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
					 "online as system RAM (4 of 4 memory blocks", "tdx-absent",
					 "absent", NULL});
}

/* TDX is absent; dax0.0 and block 16 are online. */
static void start_with_memory(struct mock *mock)
{
	mock_start_absent(mock);
	add_dax0(mock);
	expect_dax0_online(mock);
	mock_add_blocks(mock, 16, 1, "offline");
	mock_expect_record(mock,
		&(struct mock_record){2 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_await_text(mock, STATE, "\"type\":\"unknown\"");
}

/* Online memory conflicts with TDX: the records have the commands that take it offline. */
static void expect_remedies(struct mock *mock, const char *tdx)
{
	mock_expect_record(
		mock, &(struct mock_record){2 * GIB, BLOCK, "left as it is", "already-online", tdx,
			      "take it out with: chmem -d 0x80000000-0x87ffffff"});
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is", "already-online", tdx,
			"daxctl reconfigure-device -m devdax -f dax0.0"});
	mock_await_settled(mock);
}

static void expect_left_alone(struct mock *mock)
{
	mock_expect_stores(mock, "/state offline", "");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
	mock_expect_blocks(mock, 32, 4, "online");
	mock_expect_blocks(mock, 16, 1, "online");
}

#define CONTAINER "/sys/devices/system/container/PNP0A06:04"
#define REJECTED(start, size)                                                                      \
	"3,400,1,-;Block size [0x8000000] unaligned hotplug range: start " start ", size " size "\n"

/*
 * The kernel rejected a DIMM. At the event of the ACPI container the daemon reads the kernel log.
 * There is one record of each range, although the kernel tries again and the daemon restarts.
 */
static void test_rejected(void **state)
{
	static const char container[] = "../../../../bus/container";
	struct mock *mock = *state;

	mock_add_device(mock, CONTAINER, container);
	mock_start_absent(mock);
	mock_put(mock, "/dev/kmsg", REJECTED("0x100000000", "0xc000000"));
	mock_uevent(mock, CONTAINER, "online");
	mock_expect_line(mock, "^192 MiB of memory ([mem 0x100000000-0x10bffffff]) was rejected by "
			       "the kernel and cannot be used: its start or size is not");
	mock_await_text(mock, STATE, "\"cause\":\"unaligned\"");
	mock_put(mock, "/dev/kmsg",
		REJECTED("0x100000000", "0xc000000") REJECTED("0x10c000000", "0x8000000"));
	mock_uevent(mock, CONTAINER, "online");
	mock_expect_line(mock, "^128 MiB of memory ([mem 0x10c000000-0x113ffffff]) was rejected");
	mock_stop(mock);
	mock_start_in(mock, "absent");
	mock_end_absent(mock);
}

/* kvm_intel's parameter contradicts the CPU flag: unknown, which is handled as active. */
static void test_tdx_by_parameter(void **state)
{
	struct mock *mock = *state;

	start_with_memory(mock);
	mock_set_tdx_parameter(mock, 'Y');
	mock_uevent(mock, KVM, "add");
	mock_expect_tdx(mock, "unknown");
	expect_remedies(mock, "unknown");
	mock_stop(mock);
	mock_expect_silence(mock);
	expect_left_alone(mock);
}

static void test_tdx_by_tdx_host(void **state)
{
	struct mock *mock = *state;

	mock_add_device(mock, "/sys/module/tdx_host", "../../bus/module");
	start_with_memory(mock);
	mock_make_directory(mock, TDX_HOST);
	mock_set_tdx_flag(mock);
	mock_uevent(mock, "/sys/module/tdx_host", "add");
	mock_expect_tdx(mock, "active");
	expect_remedies(mock, "active");
	mock_end_active(mock);
	expect_left_alone(mock);
}

/* Neither another event nor another start repeats the record. */
static void test_tdx_late_and_restart(void **state)
{
	struct mock *mock = *state;

	start_with_memory(mock);
	mock_make_active(mock);
	mock_uevent(mock, KVM_INTEL, "add");
	mock_expect_tdx(mock, "active");
	expect_remedies(mock, "active");
	mock_uevent(mock, KVM_INTEL, "add");
	mock_uevent(mock, KVM, "add");
	mock_stop(mock);
	mock_start_in(mock, "active");
	mock_end_active(mock);
	expect_left_alone(mock);
}

/* TDX becomes active while no daemon runs. */
static void test_tdx_while_stopped(void **state)
{
	struct mock *mock = *state;

	start_with_memory(mock);
	mock_stop(mock);
	mock_make_active(mock);
	mock_start_in(mock, "active");
	expect_remedies(mock, "active");
	mock_end_active(mock);
	expect_left_alone(mock);
}

/* Present= kept memory with the verdict "online" as it was: TDX leads to another verdict. */
static void test_tdx_after_withheld(void **state)
{
	struct mock *mock = *state;

	mock_add_dax(mock, "dax0.0", DAX0_START, DAX0_SIZE, 1);
	mock_start_in(mock, "absent");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "would be online as system RAM",
			      "tdx-absent", "absent", "Present="});
	mock_await_decided(mock, "dax0.0");
	mock_make_active(mock);
	mock_uevent(mock, KVM, "add");
	mock_expect_tdx(mock, "active");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* The TDX module stays initialized until reboot, although kvm_intel is removed. */
static void test_tdx_source_removed(void **state)
{
	struct mock *mock = *state;

	mock_start_active(mock);
	mock_remove(mock, KVM_INTEL "/parameters/tdx");
	mock_uevent(mock, KVM_INTEL, "remove");
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_await_decided(mock, "dax0.0");
	mock_stop(mock);
	mock_start_in(mock, "active");
	mock_expect_file(mock, DAX_AUTOPROBE, "0");
	mock_end_active(mock);
	/* After a reboot it is not. */
	mock_put(mock, BOOT_ID, "99999999-2222-4333-8444-555555555555\n");
	mock_start_in(mock, "armed");
	mock_kill(mock);
}

/* Killed right after TDX was found active. */
static void test_tdx_source_removed_after_kill(void **state)
{
	struct mock *mock = *state;

	mock_set_tdx_flag(mock);
	mock_start_in(mock, "armed");
	mock_expect_line(mock, NOTHING);
	mock_set_tdx_parameter(mock, 'Y');
	mock_uevent(mock, KVM, "add");
	mock_expect_tdx(mock, "active");
	mock_await_text(mock, STATE, "\"tdx_active\":true");
	mock_kill(mock);
	mock_remove(mock, KVM_INTEL "/parameters/tdx");
	mock_start_in(mock, "active");
	mock_expect_line(mock, NOTHING);
	mock_end_active(mock);
}

/* One zone with so many free pages above its high watermark, and two without any. */
static void put_zoneinfo(const struct mock *mock, uint64_t spare)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"Node 0, zone      DMA\n  pages free     10\n        high     20\n        present  "
		"3998\nNode 0, zone   Normal\n  pages free     %u\n        high     1000\n        "
		"present  262144\nNode 0, zone  Movable\n  pages free     99999\n        high     "
		"10\n        present  99999\n",
		(unsigned int)(spare / 4096) + 1000);
	mock_put(mock, "/proc/zoneinfo", text);
}

/* Page metadata fits neither for system RAM (8 MiB) nor for devdax (2 MiB). */
static void test_no_head_room(void **state)
{
	struct mock *mock = *state;

	put_zoneinfo(mock, MIB);
	mock_start_absent(mock);
	add_dax0(mock);
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is", "no-head-room",
			"absent", " 8 MiB of free memory for page metadata, but only 1 MiB "});
	mock_end_absent(mock);
	mock_expect_stores(mock, "dax0", "");
}

static void test_head_room_for_devdax(void **state)
{
	struct mock *mock = *state;

	put_zoneinfo(mock, 8 * MIB - 4096);
	mock_start_absent(mock);
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "no-head-room", "absent",
			      " 8 MiB of free memory for page metadata, but only 7.9 MiB "});
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

static void test_just_enough_head_room(void **state)
{
	struct mock *mock = *state;

	put_zoneinfo(mock, 8 * MIB);
	mock_start_absent(mock);
	add_dax0(mock);
	expect_dax0_online(mock);
	mock_end_absent(mock);
}

/* TDX refuses the memory, and there is no room for devdax. A reload with enough room binds it. */
static void test_no_head_room_with_tdx(void **state)
{
	struct mock *mock = *state;

	put_zoneinfo(mock, MIB);
	mock_start_active(mock);
	add_dax0(mock);
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, DAX0_SIZE, "left as it is", "no-head-room",
			"active", " 2 MiB of free memory for page metadata, but only 1 MiB "});
	mock_await_decided(mock, "dax0.0");
	mock_expect_stores(mock, "dax0", "");
	put_zoneinfo(mock, 64 * MIB);
	mock_reload(mock);
	mock_expect_line(mock, "The new configuration is in effect");
	mock_expect_tdx(mock, "active");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* The module is loaded after the daemon gave up waiting: its event is enough. */
static void test_kmem_loaded_late(void **state)
{
	struct mock *mock = *state;

	mock_move(mock, "/sys/bus/dax/drivers/kmem", NEW "/kmem");
	mock_start_absent(mock);
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
			      "not be brought online as system RAM (0 of 0 memory blocks",
			      "tdx-absent", "absent",
			      "binding the driver kmem failed: Resource temporarily unavailable, "
			      "after 5 retries"});
	mock_await_text(mock, STATE, "\"result\":\"failed\"");
	mock_move(mock, NEW "/kmem", "/sys/bus/dax/drivers/kmem");
	mock_uevent(mock, "/sys/module/kmem", "add");
	expect_dax0_online(mock);
	mock_end_absent(mock);
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/*
 * Before Linux 5.12 the event of a module comes before the module registers its driver. Here the
 * driver comes after the last try, and no other event follows.
 */
static void test_kmem_registered_after_event(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_fail_then_hang(mock, "kmem/bind", EAGAIN, 1);
	add_dax0(mock);
	mock_await_text(mock, "/stores", "~kmem/bind dax0.0\n");
	mock_uevent(mock, "/sys/module/kmem", "add");
	mock_fail_times(mock, "kmem/bind", EAGAIN, 5);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE,
			      "not be brought online as system RAM (0 of 0 memory blocks",
			      "tdx-absent", "absent",
			      "binding the driver kmem failed: Resource temporarily unavailable, "
			      "after 5 retries"});
	expect_dax0_online(mock);
	mock_end_absent(mock);
}

static void test_device_dax_loaded_late(void **state)
{
	struct mock *mock = *state;

	mock_move(mock, "/sys/bus/dax/drivers/device_dax", NEW "/device_dax");
	mock_start_active(mock);
	add_dax0(mock);
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_expect_record(mock,
		&(struct mock_record){DAX0_START, DAX0_SIZE, "not be made available",
			"outside-boot-map", "active", "binding the driver device_dax failed: "});
	mock_await_text(mock, STATE, "\"result\":\"failed\"");
	mock_move(mock, NEW "/device_dax", "/sys/bus/dax/drivers/device_dax");
	mock_uevent(mock, "/sys/module/device_dax", "add");
	mock_expect_record(
		mock, &(struct mock_record){DAX0_START, DAX0_SIZE, "kept out of system RAM",
			      "outside-boot-map", "active", NULL});
	mock_end_active(mock);
	mock_expect_stores(mock, "bind dax0", "device_dax/bind dax0.0\n");
}

/* The list of blocks cannot be read: no range is forgotten. */
static void test_blocks_not_listed(void **state)
{
	struct mock *mock = *state;

	start_with_memory(mock);
	mock_fail_times(mock, "system/memory", EIO, ONE_LOOK);
	mock_uevent(mock, MEMORY "/memory16", "add");
	mock_expect_line(mock, MEMORY ": Input/output error");
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory16", "memory16/state online\n");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/* The same at the start; memory that came while no daemon ran is found. */
static void test_blocks_not_listed_at_start(void **state)
{
	struct mock *mock = *state;

	start_with_memory(mock);
	mock_stop(mock);
	mock_fail_times(mock, "system/memory", EIO, ONE_LOOK);
	mock_add_blocks(mock, 24, 1, "offline");
	mock_start(mock);
	mock_expect_line(mock, MEMORY ": Input/output error");
	mock_expect_tdx(mock, "absent");
	mock_expect_record(mock,
		&(struct mock_record){3 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_end_absent(mock);
	mock_expect_stores(mock, "memory16", "memory16/state online\n");
	mock_expect_stores(mock, "bind dax0", "kmem/bind dax0.0\n");
}

/* The list fails at the only event of a new block: the block is found nevertheless. */
static void test_new_block_not_listed(void **state)
{
	struct mock *mock = *state;

	start_with_memory(mock);
	mock_fail_times(mock, "system/memory", EIO, ONE_LOOK);
	mock_add_blocks(mock, 24, 1, "offline");
	mock_expect_line(mock, MEMORY ": Input/output error");
	mock_expect_record(mock,
		&(struct mock_record){3 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_end_absent(mock);
}

/*
 * A DIMM comes in the middle of a look: its entry in the firmware memmap is read, but its blocks
 * were not there yet when they were listed. Their own events are not sent, as they may come later.
 */
static void test_dimm_during_look(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	mock_put(mock, "/sys/firmware/memmap/0/type", "Reserved\n");
	mock_put(mock, NEW "/memmap2/start", "0x80000000\n");
	mock_put(mock, NEW "/memmap2/end", "0x8fffffff\n");
	mock_put(mock, NEW "/memmap2/type", "System RAM\n");
	mock_put(mock, NEW "/memory16/state", "offline\n");
	mock_put(mock, NEW "/memory17/state", "offline\n");
	mock_put(mock, "/arrivals/firmware:memmap",
		NEW "/memory16 " MEMORY "/memory16\n" NEW "/memory17 " MEMORY "/memory17\n" NEW
		    "/memmap2 /sys/firmware/memmap/2\n");
	mock_uevent(mock, MEMORY "/memory0", "add");
	mock_expect_record(mock, &(struct mock_record){2 * GIB, 2 * BLOCK,
					 "online as system RAM (2 of 2 memory blocks", "tdx-absent",
					 "absent", NULL});
	mock_end_absent(mock);
	mock_expect_blocks(mock, 16, 2, "online");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_rejected),
		TEST(test_tdx_by_parameter),
		TEST(test_tdx_by_tdx_host),
		TEST(test_tdx_late_and_restart),
		TEST(test_tdx_while_stopped),
		TEST(test_tdx_after_withheld),
		TEST(test_tdx_source_removed),
		TEST(test_tdx_source_removed_after_kill),
		TEST(test_no_head_room),
		TEST(test_head_room_for_devdax),
		TEST(test_just_enough_head_room),
		TEST(test_no_head_room_with_tdx),
		TEST(test_kmem_loaded_late),
		TEST(test_kmem_registered_after_event),
		TEST(test_device_dax_loaded_late),
		TEST(test_blocks_not_listed),
		TEST(test_blocks_not_listed_at_start),
		TEST(test_new_block_not_listed),
		TEST(test_dimm_during_look),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
