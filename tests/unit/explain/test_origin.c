/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The explanation: the origin of a range, and what is known of an address where no memory has
 * arrived.
 */
#include "tests/unit/explain_case.h"

#define CXL_SCENE  (&(const struct scene){.dax = 1, .type = TYPE_CXL})
#define DIMM_SCENE (&(const struct scene){.type = TYPE_DIMM})

static void assert_has_window(const struct explain_case *test, const char *window)
{
	const char *text = test->explanation.texts[TOPIC_ORIGIN], *found = strstr(text, window);

	if (!found || found[strlen(window)] != '.')
		fail_msg("'%s' does not end in %s", text, window);
}

/* The text grows with what CXL and firmware report. */
static void test_cxl(void **state)
{
	struct explain_case test = {0};
	struct cxl_origin *cxl = &test.stage.facts.cxl;

	(void)state;
	explain_case_set(&test, CXL_SCENE);
	strcpy(test.stage.facts.device.region, "region3");
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN, "It is CXL region3.");
	strcpy(cxl->region_mode, "ram");
	strcpy(cxl->window.decoder, "decoder0.1");
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN, "It is CXL region3 of mode ram, decoded by decoder0.1.");
	cxl->window.range = span(8 * GIB, 16 * GIB);
	cxl->n_memdevs = 2;
	cxl->memdevs[0] = (struct memdev){.name = "mem0", .host = "0000:0d:00.0", .serial = 0x42};
	cxl->memdevs[1] = (struct memdev){.name = "mem12",
		.host = "0000:c1:00.0",
		.serial = UINT64_MAX,
		.firmware = "BWFW VERSION 00"};
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN,
		"It is CXL region3 of mode ram, decoded by decoder0.1. Its memory devices: mem0 "
		"(serial 0x42, 0000:0d:00.0), mem12 (serial 0xffffffffffffffff, 0000:c1:00.0, "
		"firmware BWFW VERSION 00). The CEDT lists it in the CXL window [mem "
		"0x200000000-0x3ffffffff].");
	/* The window of the root decoder has precedence over the one in the CEDT. */
	test.record.origin.window = span(0, 64 * GIB);
	explain_case_run(&test);
	assert_has_window(&test, "[mem 0x200000000-0x3ffffffff]");
	cxl->window.range = span(0, 0);
	explain_case_run(&test);
	assert_has_window(&test, "[mem 0x0-0xfffffffff]");
	explain_case_done(&test);
}

/* Memory of another driver within a CXL region keeps its type. */
static void test_in_region(void **state)
{
	struct explain_case test = {0};

	(void)state;
	explain_case_set(&test, &(const struct scene){.dax = 1, .type = TYPE_PMEM});
	strcpy(test.stage.facts.device.region, "region3");
	strcpy(test.stage.facts.cxl.region_mode, "pmem");
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN,
		"It is a persistent memory namespace. It lies in CXL region3 of mode pmem.");
	explain_case_done(&test);
	explain_case_set(&test, &(const struct scene){.type = TYPE_CXL});
	strcpy(test.stage.facts.device.region, "region3");
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN, "It is CXL region3.");
	explain_case_done(&test);
}

static void test_firmware(void **state)
{
	struct explain_case test = {0};
	struct firmware_origin *origin = &test.record.origin;

	(void)state;
	explain_case_set(&test, &(struct scene){.type = TYPE_UNKNOWN});
	origin->window = span(8 * GIB, 16 * GIB);
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN,
		"Its origin is not known. The CEDT lists it in the CXL window [mem "
		"0x200000000-0x3ffffffff].");
	origin->in_srat = true;
	origin->proximity_domain = UINT32_MAX;
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN,
		"Its origin is not known. The SRAT lists it as memory of proximity domain "
		"4294967295. The CEDT lists it in the CXL window [mem 0x200000000-0x3ffffffff].");
	origin->window = span(0, 0);
	origin->hot_pluggable = true;
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN,
		"Its origin is not known. The SRAT lists it as hot-pluggable memory of "
		"proximity domain 4294967295.");
	explain_case_done(&test);
}

/* Only a daemon that has run in this boot can state what arrived before it started. */
static void test_presence(void **state)
{
#define DIMM_TEXT                                                                                  \
	"The kernel added it to /sys/firmware/memmap after boot, as it does when a DIMM is "       \
	"plugged in."
	struct explain_case test = {0};

	(void)state;
	explain_case_set(&test, DIMM_SCENE);
	test.stage.facts.device.present = true;
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN, DIMM_TEXT);
	test.ran = true;
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN,
		DIMM_TEXT " It arrived before the daemon first started in this boot.");
	test.stage.facts.device.present = false;
	explain_case_run(&test);
	assert_topic(&test, TOPIC_ORIGIN,
		DIMM_TEXT " It arrived after the daemon first started in this boot.");
	explain_case_done(&test);
}

/*
 * A machine with RAM below 4 GiB, a second range that firmware took from a CXL window, a window
 * that the configuration asserts, and windows of SRAT and CEDT without memory.
 */
struct machine {
	struct snapshot snapshot;
	struct explain_world world;
};

static int set_up(void **state)
{
	static struct srat_memory memories[] = {
		{.range = {0, 4 * GIB}, .enabled = true},
		{.range = {16 * GIB, 32 * GIB}, .node = 1, .enabled = true, .hot_pluggable = true},
		{.range = {48 * GIB, 64 * GIB}, .node = 2},
	};
	static struct cedt_window windows[] = {
		{.range = {8 * GIB, 12 * GIB}}, {.range = {24 * GIB, 28 * GIB}}};
	static const struct srat srat = {.items = memories, .n = ARRAY_SIZE(memories)};
	static const struct cedt cedt = {.windows = windows, .n_windows = ARRAY_SIZE(windows)};
	static const struct config config;
	static struct machine machine;

	machine = (struct machine){.snapshot.block_size = BLOCK,
		.world = {.snapshot = &machine.snapshot,
			.srat = &srat,
			.cedt = &cedt,
			.config = &config}};
	machine.snapshot.tdx.state = TDX_ACTIVE;
	machine.snapshot.boot_map.known = true;
	add_region(&machine.snapshot.boot_map, span(MIB, 4 * GIB - MIB), BOOT_SOURCE_BOOT_PARAMS);
	add_region(&machine.snapshot.boot_map, span(8 * GIB, 9 * GIB), BOOT_SOURCE_MEMBLOCK);
	add_region(&machine.snapshot.boot_map, span(10 * GIB, 11 * GIB), BOOT_SOURCE_CONFIGURATION);
	add_block_ids(&machine.snapshot, span(0, 4 * GIB));
	add_block_ids(&machine.snapshot, span(8 * GIB, 9 * GIB));
	*state = &machine;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *machine = *state;

	snapshot_done(&machine->snapshot);
	return 0;
}

#define RAM	"in [mem 0x100000-0xffefffff] of the boot map, from boot-params."
#define NOT_RAM "It is not in the boot map."
#define NONE	" It has no memory blocks."
#define SRAT_0	"The SRAT lists it as memory of proximity domain 0."
#define SRAT_1	"The SRAT lists it as hot-pluggable memory of proximity domain 1."
#define CEDT_0	"The CEDT lists it in the CXL window [mem 0x200000000-0x2ffffffff]."
#define CEDT_1	"The CEDT lists it in the CXL window [mem 0x600000000-0x6ffffffff]."
#define SPOILT                                                                                     \
	" Firmware reported CXL memory as ordinary RAM there, and that keeps TDX from "            \
	"initializing."

#define ARRIVAL                                                                                    \
	"CXL memory that arrived here would get the verdict devdax: TDX is active and "            \
	"accepts only memory that was RAM at boot (outside-boot-map). A DIMM that arrived here "   \
	"would get the verdict "                                                                   \
	"offline: TDX is active and accepts only memory that was RAM at boot (outside-boot-map)."

static void check_place(
	const struct machine *machine, struct range place, const char *what, const char *origin)
{
	struct explain_case test;

	memset(&test.explanation, '#', sizeof(test.explanation));
	assert_true(explain_place(&machine->world, place, &test.explanation));
	assert_topic(&test, TOPIC_WHAT, what);
	assert_topic(&test, TOPIC_ORIGIN, origin);
	for (enum topic topic = TOPIC_BOOT_MAP; topic < TOPIC_MAX; topic++)
		assert_topic(&test, topic,
			topic != TOPIC_VERDICT		  ? ""
			: strcmp(what, NOT_RAM NONE) == 0 ? ARRIVAL
							  : "There is no verdict: only memory that "
							    "arrives after boot gets one.");
}

static void test_boot_memory(void **state)
{
	struct machine *machine = *state;

	check_place(machine, span(GIB, GIB + 1),
		"It is " RAM " Memory blocks: 1, the first is memory8.", SRAT_0);
	/* a range within one block; ranges that are only partly RAM */
	check_place(machine, span(GIB, GIB + BLOCK),
		"It is " RAM " Memory blocks: 1, the first is memory8.", SRAT_0);
	check_place(machine, span(0, BLOCK),
		"A part of it is " RAM " Memory blocks: 1, the first is memory0.", SRAT_0);
	check_place(machine, span(GIB - 1, GIB + BLOCK + 1),
		"It is " RAM " Memory blocks: 3, the first is memory7.", SRAT_0);
	check_place(machine, span(0, UINT64_MAX),
		"A part of it is " RAM " Memory blocks: 40, the first is memory0.", "");
	/* The first MiB is not TDX memory. */
	check_place(
		machine, span(0, 1), NOT_RAM " Memory blocks: 1, the first is memory0.", SRAT_0);
	/* It was RAM at boot, and its block is not present. */
	machine->snapshot.blocks.n = 0;
	check_place(machine, span(GIB, GIB + 1), "It is " RAM NONE, SRAT_0);
}

/* Each offline run is listed, with the command that onlines it. */
static void test_offline_boot_memory(void **state)
{
	static struct range runs[] = {{GIB, GIB + BLOCK}, {2 * GIB, 2 * GIB + 3 * BLOCK}};
	static const struct range_set offline = {runs, ARRAY_SIZE(runs)};
	struct machine *machine = *state;
	struct explain_case test;

	machine->world.offline_boot = &offline;
	assert_true(explain_place(&machine->world, span(GIB, 3 * GIB), &test.explanation));
	assert_topic(&test, TOPIC_WHAT,
		"It is " RAM " Memory blocks: 16, the first is memory8. 128 MiB of it at [mem "
		"0x40000000-0x47ffffff] are offline. 384 MiB of it at [mem "
		"0x80000000-0x97ffffff] are offline.");
	assert_topic(&test, TOPIC_CHANGE,
		"To online [mem 0x40000000-0x47ffffff]: 'chmem -e 0x40000000-0x47ffffff'. "
		"To online [mem 0x80000000-0x97ffffff]: 'chmem -e 0x80000000-0x97ffffff'.");
}

/* The kernel log has the rejected range, and no table has it. */
static void test_rejected(void **state)
{
	static struct rejection items[] = {{{64 * GIB, 64 * GIB + 192 * MIB}, REJECTION_UNALIGNED,
		"PNP0C80:00", "a line", true}};
	struct machine *machine = *state;
	struct explain_case test;

	machine->snapshot.rejected = (struct rejections){items, 1};
	assert_true(explain_place(&machine->world, span(64 * GIB, 65 * GIB), &test.explanation));
	assert_topic(&test, TOPIC_WHAT,
		"192 MiB of memory ([mem 0x1000000000-0x100bffffff], PNP0C80:00) was rejected by "
		"the kernel and cannot be used: its start or size is not a multiple of the memory "
		"block size. " NOT_RAM NONE);
	assert_topic(&test, TOPIC_KERNEL, "The kernel logged: a line");
	assert_topic(&test, TOPIC_CHANGE, rejection_remedy(REJECTION_UNALIGNED));
	assert_false(
		explain_place(&machine->world, span(65 * GIB, 65 * GIB + 1), &test.explanation));
	assert_topic(&test, TOPIC_KERNEL, "");
	machine->snapshot.rejected = (struct rejections){0};
}

/* The boot map is not known, and a block is present. */
static void test_no_boot_map(void **state)
{
	struct machine *machine = *state;

	machine->snapshot.boot_map.n = 0;
	machine->snapshot.boot_map.known = false;
	check_place(machine, span(GIB, GIB + 1),
		"It is not known which memory was RAM at boot. Memory blocks: 1, the first is "
		"memory8.",
		SRAT_0);
}

static void test_windows(void **state)
{
	struct machine *machine = *state;

	/* RAM at boot in a CXL window */
	check_place(machine, span(8 * GIB, 8 * GIB + 1),
		"It is in [mem 0x200000000-0x23fffffff] of the boot map, from memblock. Memory "
		"blocks: 1, the first is memory64.",
		CEDT_0 SPOILT);
	check_place(machine, span(9 * GIB - 1, 9 * GIB + 1),
		"A part of it is in [mem 0x200000000-0x23fffffff] of the boot map, from memblock. "
		"Memory blocks: 1, the first is memory71.",
		CEDT_0 SPOILT);
	/* The configuration asserts it, and firmware did not list it as RAM. */
	check_place(machine, span(10 * GIB, 10 * GIB + 1),
		"It is in [mem 0x280000000-0x2bfffffff] of the boot map, from configuration." NONE,
		CEDT_0);
	check_place(machine, span(12 * GIB - 1, 12 * GIB), NOT_RAM NONE, CEDT_0);
	check_place(machine, span(16 * GIB, 16 * GIB + 1), NOT_RAM NONE, SRAT_1);
	check_place(machine, span(24 * GIB, 28 * GIB), NOT_RAM NONE, SRAT_1 " " CEDT_1);
}

/*
 * In a hole, beyond all windows, and in a disabled SRAT entry: the verdicts on memory that would
 * arrive.
 */
static void test_hole(void **state)
{
	struct machine *machine = *state;
	const struct range holes[] = {span(4 * GIB, 4 * GIB + 1), span(12 * GIB, 13 * GIB),
		span(32 * GIB, 32 * GIB + 1), span(48 * GIB, 49 * GIB),
		span(UINT64_MAX - 1, UINT64_MAX)};
	struct explain_case test;

	for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
		memset(&test.explanation, '#', sizeof(test.explanation));
		assert_false(explain_place(&machine->world, holes[i], &test.explanation));
		assert_topic(&test, TOPIC_WHAT, NOT_RAM NONE);
		assert_topic(&test, TOPIC_VERDICT, ARRIVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cxl),
		cmocka_unit_test(test_in_region),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_presence),
		cmocka_unit_test_setup_teardown(test_boot_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_offline_boot_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rejected, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_boot_map, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_windows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hole, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
