/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory blocks without a dax device in CXL regions that are added, get their addresses and are
 * removed. The daemon lists the regions only after an event of the CXL bus or of dax.
 */
#include "mock.h"

#include <inttypes.h>
#include <stdio.h>

#define REGION5	    "/sys/devices/platform/ACPI0017:00/root0/decoder0.5/region5"
#define BUS_LINK    "/sys/bus/cxl/devices/region5"
#define CXL_BUS	    "../../../../../../bus/cxl"
#define BLOCK_ID(n) (2 * GIB / BLOCK + (n)) /* block n of those that arrive */

static void put_address(const struct mock *mock, uint64_t start, uint64_t size)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64 "\n", start);
	mock_put(mock, REGION5 "/resource", text);
	snprintf(text, sizeof(text), "0x%" PRIx64 "\n", size);
	mock_put(mock, REGION5 "/size", text);
}

static void link_region5(const struct mock *mock)
{
	mock_link(mock, BUS_LINK, "../../../devices/platform/ACPI0017:00/root0/decoder0.5/region5");
}

/* A region without addresses, as the kernel makes it; the caller sends the event. */
static void add_region5(const struct mock *mock)
{
	mock_add_device(mock, REGION5, CXL_BUS);
	put_address(mock, UINT64_MAX, 0);
	mock_put(mock, REGION5 "/mode", "ram\n");
	link_region5(mock);
}

static void add_block(struct mock *mock, uint64_t id, const char *what)
{
	mock_add_blocks(mock, id, 1, "offline");
	mock_expect_record(mock, &(struct mock_record){id * BLOCK, BLOCK,
					 "online as system RAM (1 of 1 memory blocks", "tdx-absent",
					 "absent", what});
}

/* Only memory in the region that arrives after the region's event is of type cxl. */
static void test_added(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	add_block(mock, BLOCK_ID(0), "128 MiB of memory of unknown type");
	add_region5(mock);
	put_address(mock, 2 * GIB + 2 * BLOCK, 2 * BLOCK);
	mock_uevent(mock, REGION5, "add");
	add_block(mock, BLOCK_ID(2),
		"128 MiB of CXL memory ([mem 0x90000000-0x97ffffff], region5, node 0)");
	add_block(mock, BLOCK_ID(4), "128 MiB of memory of unknown type");
	mock_end_absent(mock);
}

/* The kernel sends no event when a region gets its addresses. */
static void test_gets_addresses(void **state)
{
	struct mock *mock = *state;

	mock_start_absent(mock);
	add_region5(mock);
	mock_uevent(mock, REGION5, "add");
	add_block(mock, BLOCK_ID(0), "128 MiB of memory of unknown type");
	put_address(mock, 2 * GIB + 2 * BLOCK, 2 * BLOCK);
	add_block(mock, BLOCK_ID(2),
		"128 MiB of CXL memory ([mem 0x90000000-0x97ffffff], region5, node 0)");
	mock_end_absent(mock);
}

/* The region is removed and added again at another address. */
static void test_moves(void **state)
{
	struct mock *mock = *state;

	add_region5(mock);
	put_address(mock, 2 * GIB + 2 * BLOCK, BLOCK);
	mock_start_absent(mock);
	add_block(mock, BLOCK_ID(2),
		"128 MiB of CXL memory ([mem 0x90000000-0x97ffffff], region5, node 0)");
	mock_remove(mock, BUS_LINK);
	mock_uevent(mock, REGION5, "remove");
	add_block(mock, BLOCK_ID(4), "128 MiB of memory of unknown type");
	put_address(mock, 2 * GIB + 6 * BLOCK, BLOCK);
	link_region5(mock);
	mock_uevent(mock, REGION5, "add");
	add_block(mock, BLOCK_ID(6),
		"128 MiB of CXL memory ([mem 0xb0000000-0xb7ffffff], region5, node 0)");
	mock_end_absent(mock);
}

/*
 * The dax device is removed and not listed any more while the kernel still removes its blocks. Here
 * they are removed at the next look: its arrival is prepared at the end of the first.
 */
static void test_removed(void **state)
{
	struct mock *mock = *state;

	add_region5(mock);
	put_address(mock, 2 * GIB, BLOCK);
	mock_start_absent(mock);
	mock_place_blocks(mock, BLOCK_ID(0), 1, "offline");
	mock_put(mock, NEW "/mark", "it has gone\n");
	mock_put(mock, NEW "/order", MEMORY "/memory16 " NEW "/gone\n" NEW "/mark " NEW "/seen\n");
	mock_put(mock, "/arrivals/drivers:virtio_mem", NEW "/order /arrivals/firmware:memmap\n");
	mock_uevent(mock, MEMORY "/memory16", "offline");
	mock_await_text(mock, NEW "/seen", "it has gone");
	mock_end_absent(mock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(test_added),
		TEST(test_gets_addresses),
		TEST(test_moves),
		TEST(test_removed),
	};

	return mock_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
