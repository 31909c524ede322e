/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Growth of lib/: for lists, tables and texts that come from outside, four times the input takes
 * less than five times the operations. A list that is searched for each of its own items takes
 * sixteen times as many.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/anonymise/anonymise.h"
#include "tdxo/base/parse.h"
#include "tdxo/doctor/doctor.h"
#include "tdxo/explain/explain.h"
#include "tdxo/firmware/e820.h"
#include "tdxo/map/map.h"
#include "tdxo/memory/zoneinfo.h"
#include "tdxo/policy/ini.h"
#include "tdxo/policy/plan.h"
#include "tdxo/record/history.h"
#include "tdxo/tdx/kmsg.h"
#include "tests/unit/fixture.h"
#include "tests/unit/growth/operations.h"

/* n log n grows by a factor of 4.7 from N to 4 * N */
#define N     4096
#define TIMES 4
#define MOST  5

/*
 * Memory that arrived after boot: every second block, as DIMMs and mappings of one block have it.
 */
#define LATE(i) span(TIB + 2 * (i)*BLOCK, TIB + (2 * (i) + 1) * BLOCK)
#define TIB	(UINT64_C(1) << 40)

/* --- input --- */

/* A text of n lines. Each "%zu" in the format, up to four, is the number of the line. */
static char *lines(size_t n, const char *format)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	for (size_t i = 0; i < n; i++)
		fprintf(file, format, i, i, i, i);
#pragma GCC diagnostic pop
	fclose(file);
	return text;
}

/* A permutation of 0 to n - 1. */
static size_t shuffled(size_t i, size_t n)
{
	return i * 2654435761 % n;
}

static struct range_list ranges_of(size_t n)
{
	struct range_list list = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(range_list_add(&list, LATE(shuffled(i, n))), 0);
	return list;
}

static struct range_set set_of(size_t n)
{
	CLEANUP(range_list_done) struct range_list list = ranges_of(n);
	struct range_set set = {0};

	assert_int_equal(range_set_of(&list, &set), 0);
	return set;
}

/* A dax device of n mappings. */
static struct device dax_of(size_t n)
{
	struct device device = device_of("dax0.0", TYPE_CXL);

	for (size_t i = 0; i < n; i++)
		add_mapping(&device, LATE(i));
	return device;
}

/* --- ranges and tables --- */

static void test_ranges(size_t n)
{
	CLEANUP(range_list_done) struct range_list list = ranges_of(n);
	CLEANUP(range_set_done) struct range_set set = {0}, both = {0};
	const struct range holes = {TIB + BLOCK / 4, TIB + BLOCK / 2};
	CLEANUP(range_set_done) struct range_set minus = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(range_set_add(&minus, span(holes.start + 2 * i * BLOCK,
							       holes.end + 2 * i * BLOCK)),
			0);
	operations_begin();
	assert_int_equal(range_set_of(&list, &set), 0);
	assert_int_equal(range_set_intersect(&set, &minus, &both), 0);
	assert_int_equal(range_set_subtract_set(&set, &minus), 0);
	assert_int_equal(set.n, 2 * n);
}

static void test_e820(size_t n)
{
	CLEANUP(e820_table_done) struct e820_table table = {0};
	CLEANUP(range_set_done) struct range_set ram = {0};
	uint8_t *bytes = calloc(n, 20);

	for (size_t i = 0; i < n; i++) {
		const struct range range = LATE(shuffled(i, n));
		const uint64_t size = range_size(range) + (i % 3) * BLOCK;
		const uint32_t type = i % 5 ? E820_RAM : 2;

		memcpy(bytes + 20 * i, &range.start, 8);
		memcpy(bytes + 20 * i + 8, &size, 8);
		memcpy(bytes + 20 * i + 16, &type, 4);
	}
	operations_begin();
	assert_int_equal(e820_add_extension(&table, bytes, 20 * n), 0);
	assert_int_equal(e820_ram(&table, &ram), 0);
	assert_true(ram.n > n / 4);
	free(bytes);
}

/* A table of n entries that are equal except for their address. */
static uint8_t *table_of(
	const char *signature, size_t header, const uint8_t *entry, size_t size, size_t n)
{
	const uint32_t length = (uint32_t)(header + n * size);
	uint8_t *table = calloc(length, 1), sum = 0;

	memcpy(table, signature, 4);
	memcpy(table + 4, &length, 4);
	table[8] = 3;
	for (size_t i = 0; i < n; i++) {
		const struct range range = LATE(i);

		memcpy(table + header + i * size, entry, size);
		memcpy(table + header + i * size + 8, &range.start, 8);
	}
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
	return table;
}

static void read_tables(size_t n, int want)
{
	static const uint8_t memory[40] = {[0] = 1, [1] = 40, [18] = 1, [28] = 1};
	static const uint8_t window[40] = {[0] = 1, [2] = 40, [18] = 1};
	uint8_t *srat_table = table_of("SRAT", 48, memory, 40, n);
	uint8_t *cedt_table = table_of("CEDT", 36, window, 40, n);
	CLEANUP(srat_done) struct srat srat = {0};
	CLEANUP(cedt_done) struct cedt cedt = {0};

	operations_begin();
	assert_int_equal(srat_read(srat_table, 48 + 40 * n, &srat), want);
	assert_int_equal(cedt_read(cedt_table, 36 + 40 * n, &cedt), want);
	operations_end();
	assert_int_equal(srat.n, want == ACPI_SOUND ? n : 0);
	assert_int_equal(cedt.n_windows, want == ACPI_SOUND ? n : 0);
	free(srat_table);
	free(cedt_table);
}

/* Tables of the maximum length that is read, and of a fourth of the entries. */
static void test_acpi(size_t n)
{
	static_assert(SRAT_MOST == CEDT_MOST, "one number of entries for both");
	read_tables(n * SRAT_MOST / (TIMES * N), ACPI_SOUND);
}

/* A longer table is not read. */
static void test_acpi_too_many(size_t n)
{
	static_assert(SRAT_MOST < N, "more than are read");
	read_tables(n, ACPI_TOO_MANY);
}

static void test_boot_map(size_t n)
{
	CLEANUP(range_set_done) struct range_set memmap = set_of(n), blocks = set_of(n);
	CLEANUP(range_set_done) struct range_set dax = {0}, parts = {0};
	CLEANUP(boot_map_done) struct boot_map map = {0};
	struct cedt_window window = {.range = {TIB, TIB + n * BLOCK}};
	const struct cedt cedt = {.windows = &window, .n_windows = 1};
	struct boot_evidence evidence = {.memmap = &memmap,
		.blocks = &blocks,
		.dax = &dax,
		.memblock = memmap.ranges,
		.n_memblock = n};

	for (size_t i = 0; i < n; i += 8)
		assert_int_equal(range_set_add(&dax, LATE(i)), 0);
	operations_begin();
	assert_int_equal(boot_map_build(&evidence, &map), 0);
	assert_int_equal(boot_map_set_capable(&map, &dax), 0);
	assert_int_equal(boot_map_find_in_windows(&map, &cedt, &parts), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(boot_map_contains(&map, LATE(i), BLOCK, NULL), CONTAINMENT_INSIDE);
		assert_int_equal(boot_map_bytes(&map, LATE(i)), BLOCK);
		assert_int_equal(boot_map_had(&map, LATE(i)), i % 8 != 0);
	}
	assert_int_equal(map.n, n);
}

static void test_capable(size_t n)
{
	char *list = lines(n, "0x%zx000-0x%zxfff ");
	CLEANUP(range_set_done) struct range_set set = {0};

	operations_begin();
	assert_true(parse_ranges(list, &set) >= 0);
	free(list);
}

/* --- texts --- */

static void test_zoneinfo(size_t n)
{
	char *text = lines(n, "Node %zu, zone   Normal\n  pages free     %zu\n        high     9\n"
			      "        present  100\n      nr_zone_inactive_file 7\n");
	struct zoneinfo zones;

	operations_begin();
	assert_int_equal(zoneinfo_read(text, 4096, &zones), 0);
	free(text);
}

static void test_states(size_t n)
{
	char *states = lines(n, "1%05zu: state%zu:x\n"), *text = NULL;
	struct tdx_facts facts = {0};

	assert_true(asprintf(&text, "  0: offline\n%s200000: online\n", states) > 0);
	operations_begin();
	tdx_read_states(text, &facts);
	assert_int_equal(facts.facts[TDX_SOURCE_CORE_STATE], FACT_NO);
	free(states);
	free(text);
}

static void test_cpuinfo(size_t n)
{
	char *flags = lines(n, " fpu%zu"), *text = NULL;

	assert_true(asprintf(&text, "\nflags\t\t: fpu%s tdx_host_platform\n", flags) > 0);
	operations_begin();
	assert_int_equal(tdx_read_cpuinfo(text), FACT_YES);
	free(flags);
	free(text);
}

static void test_misc_capacity(size_t n)
{
	char *text = lines(n, "res%zu %zu\n");

	operations_begin();
	assert_int_equal(tdx_read_misc_capacity(text), FACT_NO);
	free(text);
}

static void test_kernel_log(size_t n)
{
	CLEANUP(rejections_done) struct rejections rejections = {0};
	struct rejection_reader reader = {.rejections = &rejections};
	struct tdx_log log = {0};

	operations_begin();
	for (size_t i = 0; i < n; i++) {
		const char *message;
		char line[256];

		snprintf(line, sizeof(line),
			"6,%zu,1,-;Block size [0x8000000] unaligned hotplug range: start 0x%zx, "
			"size 0x1000",
			i, (i + 1) << 12);
		assert_int_equal(kmsg_parse(line, &message), 0);
		tdx_log_read(&log, message);
		rejection_read(&reader, message);
	}
	assert_true(reader.full);
	assert_int_equal(rejections.n, REJECTIONS_MOST);
}

static void read_udev(size_t n, const char *format)
{
	char *text = lines(n, format);
	struct udev_text udev = {.text = text, .size = strlen(text)};
	struct udev_write write;

	operations_begin();
	while (udev_next(&udev, &write))
		;
	free(text);
}

static void test_udev_rules(size_t n)
{
	read_udev(n, "SUBSYSTEM==\"memory\", ENV{A%zu}=\"b\", ATTR{state}=\"online\"\n");
}

static void test_udev_continued(size_t n)
{
	read_udev(n, "# %zu\nSUBSYSTEM==\"memory\", \\\n");
}

static void test_udev_one_line(size_t n)
{
	read_udev(n, "ENV{A%zu}=\"b\", ");
}

static void read_conf(size_t n, const char *format)
{
	char *text = lines(n, format);
	struct conf_text modprobe = {.text = text, .size = strlen(text)}, daxctl = modprobe;
	struct daxctl_section section;
	struct modprobe_line line;

	operations_begin();
	while (modprobe_next(&modprobe, &line))
		;
	while (daxctl_next(&daxctl, &section))
		;
	free(text);
}

static void test_conf(size_t n)
{
	read_conf(n, "options kvm_intel a%zu=1\n[reconfigure-device x%zu]\nmode = devdax\n");
}

static void test_conf_continued(size_t n)
{
	read_conf(n, "blacklist a%zu \\\n");
}

static void read_writer(size_t n, enum writer_kind kind, const char *format)
{
	char *string = lines(n, format);
	struct writer_text text = {.conf = {.text = string, .size = strlen(string)}, .kind = kind};
	char program[PROGRAM_PATH];
	struct writer_line line;

	operations_begin();
	while (writer_next(&text, &line)) {
		const char *command = line.text;

		while (program_next(&command, program))
			;
	}
	free(string);
}

static void test_writer(size_t n)
{
	read_writer(n, WRITER_SCRIPT,
		"cd /sys/devices/system/memory\necho online >memory%zu/state\n# %zu\n");
}

static void test_writer_continued(size_t n)
{
	read_writer(n, WRITER_TMPFILES, "w /sys/devices/system/memory/memory%zu/state \\\n");
}

static void test_writer_one_line(size_t n)
{
	read_writer(n, WRITER_SYSFS, "devices/system/memory/memory%zu/state = online ");
}

static void test_writer_unit(size_t n)
{
	read_writer(n, WRITER_UNIT, "ExecStart=/opt/%zu /opt/a%zu \\\n# %zu\n 'chmem -e'\n");
}

static void test_ini(size_t n)
{
	char *text = lines(n, "[Match]\nType=cxl # %zu\nDevice = \"dax%zu.0\"\n");
	struct ini ini;

	operations_begin();
	ini_init(&ini, text, strlen(text));
	while (ini_next(&ini).kind != INI_END)
		;
	assert_int_equal(ini_find(text, strlen(text), "Match", "Region"), 0);
	free(text);
}

static void test_cmdline(size_t n)
{
	char *text =
		lines(n, "memmap=%zuM@%zuM memhp_default_state=online%zu modprobe.blacklist=a ");
	CLEANUP(bytes_done) struct bytes disguised = {0};

	operations_begin();
	assert_int_equal(disguise_cmdline(text, &disguised), 0);
	free(text);
}

/* --- rules --- */

static struct rule rule_of(const char *key, const char *value)
{
	struct rule rule;

	rule_init(&rule, "a.rule");
	assert_true(rule_set(&rule, "Match", key, value) >= 0);
	assert_int_equal(rule_set(&rule, "Policy", "Verdict", "offline"), 0);
	return rule;
}

static void test_rule_words(size_t n)
{
	static const struct {
		const char *key, *format;
	} keys[] = {
		{"Device", "dax%zu.* "},
		{"Serial", "0x%zx "},
		{"Range", "0x%zx000-0x%zxfff "},
		{"TargetNode", "%zu "},
	};
	struct facts facts = facts_of("pmem", TYPE_CXL, NULL);

	operations_begin();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char *list = lines(n, keys[i].format);
		CLEANUP(rule_done) struct rule rule = rule_of(keys[i].key, list);

		facts.device.node = -2;
		assert_false(rule_matches(&rule, &facts));
		free(list);
	}
}

static void test_rules(size_t n)
{
	const struct facts facts = facts_of("dax0.0", TYPE_CXL, NULL);
	struct config config;

	config_init(&config);
	operations_begin();
	for (size_t i = 0; i < n; i++) {
		struct rule rule = rule_of("Device", "pmem*");

		assert_int_equal(config_add_rule(&config, &rule), 0);
	}
	assert_null(config_find_rule(&config, &facts));
	operations_end();
	config_done(&config);
}

/* --- memory --- */

static void test_find_devices(size_t n)
{
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};
	CLEANUP(devices_done) struct devices found = {0};
	struct device dax = dax_of(n / 4);

	snapshot.boot_map.known = true;
	for (size_t i = 0; i < n; i++) {
		struct region region = {.range = {LATE(i).start, LATE(i).end + BLOCK}};

		assert_int_equal(
			block_ids_append(&snapshot.blocks, LATE(shuffled(i, n)).start / BLOCK), 0);
		if (i % 3 == 0)
			add_dimm(&snapshot, LATE(n + shuffled(i, n)));
		if (i % 2 == 0)
			assert_int_equal(
				array_append(snapshot.regions.items, snapshot.regions.n, region),
				0);
		add_region(&snapshot.boot_map, span((2 * i + 1) * MIB, (2 * i + 2) * MIB),
			BOOT_SOURCE_FIRMWARE_MEMMAP);
	}
	assert_int_equal(devices_add(&snapshot.dax, &dax), 0);
	operations_begin();
	block_ids_sort(&snapshot.blocks);
	regions_sort(&snapshot.regions);
	snapshot_sort_dax(&snapshot);
	assert_int_equal(devices_find(&snapshot, &snapshot.blocks, &found), 0);
	assert_true(found.n > n / 2);
	for (size_t i = 0; i < n; i++)
		assert_true(snapshot_has_memory_in(&snapshot, LATE(i)));
	assert_true(snapshot_has_block_of(&snapshot, &snapshot.dax.items[0]));
	assert_null(snapshot_find_dax(&snapshot, "dax1.0"));
}

/* An equal number of runs, DIMMs and dax devices. */
static void add_mixed(struct devices *devices, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		static const enum device_type types[] = {TYPE_UNKNOWN, TYPE_DIMM, TYPE_CXL};
		size_t at = shuffled(i, n);
		char name[SYSFS_NAME] = "";
		struct device device;

		if (types[at % 3] == TYPE_CXL)
			snprintf(name, sizeof(name), "dax%zu.0", at);
		device = device_of(name, types[at % 3]);
		add_mapping(&device, LATE(at));
		assert_int_equal(devices_add(devices, &device), 0);
	}
}

static void test_select_devices(size_t n)
{
	CLEANUP(devices_done) struct devices all = {0}, half = {0}, fresh = {0}, left = {0};

	add_mixed(&all, n);
	for (size_t i = 0; i < n; i += 2)
		assert_int_equal(devices_add_copy(&half, &all.items[i]), 0);
	operations_begin();
	assert_int_equal(devices_undecided(&all, &half, &fresh), 0);
	assert_int_equal(devices_remaining(&half, &all, &left), 0);
	assert_int_equal(fresh.n, n / 2);
	assert_int_equal(left.n, n / 2);
}

static void test_history(size_t n)
{
	const struct decision decision = {.verdict = VERDICT_OFFLINE};
	const struct outcome outcome = {.result = RESULT_DONE};
	CLEANUP(devices_done) struct devices all = {0}, fresh = {0};
	CLEANUP(history_done) struct history history = {0};

	add_mixed(&all, n);
	/*
	 * The order of the queue. All devices are DIMMs, so that no entry is inserted before
	 * others.
	 */
	for (size_t i = 0; i < n; i++)
		all.items[i].type = TYPE_DIMM, all.items[i].name[0] = '\0';
	devices_sort(&all);
	operations_begin();
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			history_note(&history, &all.items[i], &decision, &outcome, false), 0);
	history_reconsider_placed(&history, &all);
	assert_int_equal(history_undecided(&history, &all, &fresh), 0);
	assert_int_equal(fresh.n, 0);
	for (size_t i = 0; i < n; i++)
		assert_non_null(history_find(&history, &all.items[i]));
	assert_int_equal(history_prune(&history, &all), 0);
	assert_int_equal(history.n, n);
}

/* Decide, plan and record a dax device of n mappings. If `active`, the kernel refuses it. */
static void decide(size_t n, bool active)
{
	CLEANUP(boot_map_done) struct boot_map map = {.known = true};
	CLEANUP(facts_done) struct facts facts = facts_of("dax0.0", TYPE_CXL, &map);
	CLEANUP(plan_done) struct plan plan = {0};
	struct decision decision;
	struct config config;

	config_init(&config);
	facts.device = dax_of(n);
	facts.device.driver = active ? DAX_DRIVER_NONE : DAX_DRIVER_KMEM;
	facts.tdx.state = facts.tdx.detected = active ? TDX_ACTIVE : TDX_ABSENT;
	for (size_t i = 0; i < n; i++) {
		add_region(
			&map, span((2 * i + 1) * MIB, (2 * i + 2) * MIB), BOOT_SOURCE_BOOT_PARAMS);
		if (!active)
			add_blocks(&facts.blocks, LATE(i), BLOCK_OFFLINE);
	}
	operations_begin();
	decision = policy_decide(&config, &facts);
	assert_int_equal(decision.verdict, active ? VERDICT_DEVDAX : VERDICT_ONLINE);
	assert_int_equal(plan_make(&facts, &decision, &plan), 0);
	assert_int_equal(plan.n, active ? 1 : n);
	for (size_t i = 0; i < n; i++) {
		struct record record = {
			.facts = &facts, .decision = &decision, .plan = &plan, .range = LATE(i)};
		char sentence[RECORD_SENTENCE];

		record_count_blocks(&record, &facts.blocks);
		record_sentence(&record, sentence);
		assert_true(device_overlaps(&facts.device, record.range));
	}
	operations_end();
	config_done(&config);
}

static void test_decide_refused(size_t n)
{
	decide(n, true);
}

static void test_decide_online(size_t n)
{
	decide(n, false);
}

/* --- doctor, explanation, anonymiser --- */

static void test_doctor(size_t n)
{
	CLEANUP(findings_done) struct findings findings = {0};
	CLEANUP(range_set_done) struct range_set offline = set_of(n);
	CLEANUP(boot_map_done) struct boot_map map = {.known = true};
	struct facts facts = facts_of("", TYPE_UNKNOWN, &map);
	const struct decision decision = {.verdict = VERDICT_OFFLINE};
	struct doctor_movable *movable = calloc(n, sizeof(*movable));
	struct record *records = calloc(n, sizeof(*records));
	struct snapshot snapshot = {.block_size = BLOCK, .boot_map.known = true};
	const struct tdx_log log = {0};
	char *cmdline = lines(n, "memhp_default_state=online%zu kernelcore=%zu ");
	struct doctor_facts doctor = {.tdx = &snapshot.tdx,
		.snapshot = &snapshot,
		.records = records,
		.n_records = n,
		.log = &log,
		.cmdline = cmdline,
		.movable = movable,
		.n_movable = n,
		.offline_boot = &offline};

	snapshot.tdx.state = snapshot.tdx.detected = TDX_ACTIVE;
	for (size_t i = 0; i < n; i++) {
		records[i] = (struct record){
			.facts = &facts, .decision = &decision, .range = LATE(shuffled(i, n))};
		movable[i] = (struct doctor_movable){.range = LATE(n + i)};
	}
	operations_begin();
	assert_int_equal(doctor_examine(&doctor, &findings), 0);
	assert_true(findings.n >= 2 * n);
	free(movable);
	free(records);
	free(cmdline);
}

static void test_explain_place(size_t n)
{
	CLEANUP(snapshot_done) struct snapshot snapshot = {.block_size = BLOCK};
	const struct srat srat = {0};
	const struct cedt cedt = {0};
	struct explain_world world = {.snapshot = &snapshot, .srat = &srat, .cedt = &cedt};
	struct explanation explanation;

	for (size_t i = 0; i < n; i++) {
		add_region(&snapshot.boot_map, LATE(i), BOOT_SOURCE_BOOT_PARAMS);
		assert_int_equal(block_ids_append(&snapshot.blocks, LATE(i).start / BLOCK), 0);
	}
	operations_begin();
	for (size_t i = 0; i < n; i++)
		assert_true(explain_place(&world, LATE(i), &explanation));
}

/* RAM at boot with gaps that the map omits, and a region with a device in every third of them. */
static void test_map(size_t n)
{
	CLEANUP(map_done) struct map map = {0};

	for (size_t i = 0; i < n; i++) {
		const struct range range = LATE(shuffled(i, n));
		const struct range gap = span(range.end, range.end + BLOCK);
		const struct map_item boot = {.kind = MAP_BOOT, .range = range, .parts = 1};
		const struct map_item region = {.kind = MAP_REGION, .range = gap};
		const struct map_item device = {.kind = MAP_DEVICE, .range = gap};

		assert_int_equal(map_add(&map, &boot), 0);
		if (i % 3)
			continue;
		assert_int_equal(map_add(&map, &region), 0);
		assert_int_equal(map_add(&map, &device), 0);
	}
	operations_begin();
	assert_int_equal(map_lay_out(&map), 0);
	assert_true(map.n_segments > n);
}

static void test_disguise(size_t n)
{
	char *text = lines(n, "uuid%08zx-0000-4000-8000-000000000000 ");
	const struct bytes bytes = {text, strlen(text)};
	CLEANUP(disguise_done) struct disguise disguise = {0};

	operations_begin();
	for (enum disguise_kind kind = 0; kind < DISGUISE_KINDS; kind++) {
		CLEANUP(bytes_done) struct bytes disguised = {0};

		assert_int_equal(disguise_text(&disguise, kind, &bytes, &disguised), 0);
	}
	assert_int_equal(disguise.n_pseudonyms, n);
	free(text);
}

static void test_disguise_rule(size_t n)
{
	char *text = lines(n, "[Match]\nDevice=dax%zu.* mem*\nSerial=%zu\n");
	CLEANUP(disguise_done) struct disguise disguise = {0};
	CLEANUP(bytes_done) struct bytes disguised = {0};

	assert_int_equal(disguise_add_device(&disguise, "dax0.0"), 0);
	operations_begin();
	assert_int_equal(disguise_rule(&disguise, text, strlen(text), &disguised), 0);
	free(text);
}

#define ROW(name)                                                                                  \
	{                                                                                          \
#name, test_##name                                                                 \
	}

static const struct {
	const char *name;
	void (*run)(size_t n);
} rows[] = {
	ROW(ranges),
	ROW(e820),
	ROW(acpi),
	ROW(acpi_too_many),
	ROW(boot_map),
	ROW(capable),
	ROW(zoneinfo),
	ROW(states),
	ROW(cpuinfo),
	ROW(misc_capacity),
	ROW(kernel_log),
	ROW(udev_rules),
	ROW(udev_continued),
	ROW(udev_one_line),
	ROW(conf),
	ROW(conf_continued),
	ROW(writer),
	ROW(writer_continued),
	ROW(writer_one_line),
	ROW(writer_unit),
	ROW(ini),
	ROW(cmdline),
	ROW(rule_words),
	ROW(rules),
	ROW(find_devices),
	ROW(select_devices),
	ROW(history),
	ROW(decide_refused),
	ROW(decide_online),
	ROW(doctor),
	ROW(explain_place),
	ROW(map),
	ROW(disguise),
	ROW(disguise_rule),
};

static uint64_t count(size_t i, size_t n)
{
	rows[i].run(n);
	return operations_end();
}

static void test_growth(void **state)
{
	bool failed = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t once = count(i, N), more = count(i, TIMES * N);

		print_message(
			"%-16s %10ju %10ju\n", rows[i].name, (uintmax_t)once, (uintmax_t)more);
		/* Without instrumentation the number would be zero. */
		assert_true(once > N);
		if (more >= MOST * once)
			failed = true;
	}
	assert_false(failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_growth)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
