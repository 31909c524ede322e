/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Zones.
 *
 * Two texts of /proc/zoneinfo, with sums that were computed by hand: a small virtual machine,
 * without the keys that are not read, and a large machine with a node of CXL memory in
 * ZONE_MOVABLE. Then texts that are not valid, valid ones cut off after each byte, and valid ones
 * with changed bytes.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/memory/zoneinfo.h"

#define PAGE UINT64_C(4096)

/* Linux 6.18, x86_64, a virtual machine with a balloon. */
static const char small[] = "Node 0, zone      DMA\n"
			    "  per-node stats\n"
			    "      nr_inactive_file 36287\n"
			    "      nr_active_file 61320\n"
			    "  pages free     3840\n"
			    "        high     31\n"
			    "        present  3998\n"
			    "        managed  3840\n"
			    "        protection: (0, 3019, 11851, 11851, 11851)\n"
			    "      nr_free_pages 3840\n"
			    "      nr_zone_inactive_file 0\n"
			    "      nr_zone_active_file 0\n"
			    "  pagesets\n"
			    "    cpu: 0\n"
			    "              high:     0\n"
			    "Node 0, zone    DMA32\n"
			    "  pages free     772918\n"
			    "        high     6446\n"
			    "        present  782336\n"
			    "        managed  772918\n"
			    "        protection: (0, 0, 8832, 8832, 8832)\n"
			    "      nr_free_pages 772918\n"
			    "      nr_zone_inactive_file 0\n"
			    "      nr_zone_active_file 0\n"
			    "  pagesets\n"
			    "    cpu: 0\n"
			    "              high:     252\n"
			    "Node 0, zone   Normal\n"
			    "  pages free     1791555\n"
			    "        high     18861\n"
			    "        present  5505024\n"
			    "        managed  2260992\n"
			    "        protection: (0, 0, 0, 0, 0)\n"
			    "      nr_free_pages 1791555\n"
			    "      nr_zone_inactive_file 36857\n"
			    "      nr_zone_active_file 60193\n"
			    "  pagesets\n"
			    "    cpu: 0\n"
			    "              high:     7859\n"
			    "Node 0, zone  Movable\n"
			    "  pages free     0\n"
			    "        high     32\n"
			    "        present  0\n"
			    "        managed  0\n"
			    "        protection: (0, 0, 0, 0, 0)\n"
			    "Node 0, zone   Device\n"
			    "  pages free     0\n"
			    "        high     0\n"
			    "        present  0\n"
			    "        managed  0\n"
			    "        protection: (0, 0, 0, 0, 0)\n";

static void test_small(void **state)
{
	const uint64_t present = 3998 + 782336 + 5505024;
	/* The pages above the high watermarks, and half of the page cache of the last zone. */
	const uint64_t spare = 3809 + 766472 + 1772694 + 48525;
	struct zoneinfo zones;

	(void)state;
	assert_int_equal(present, 6291358);
	assert_int_equal(spare, 2591500);
	memset(&zones, 0xff, sizeof(zones));
	assert_int_equal(zoneinfo_read(small, PAGE, &zones), 0);
	assert_true(zones.known);
	assert_int_equal(zones.kernel, UINT64_C(25769402368));
	assert_int_equal(zones.movable, 0);
	assert_int_equal(zones.spare, UINT64_C(10614784000));
	/* arm64 with pages of 64 KiB: sixteen times as much for the same numbers */
	assert_int_equal(zoneinfo_read(small, 16 * PAGE, &zones), 0);
	assert_int_equal(zones.kernel, UINT64_C(16) * 25769402368);
	assert_int_equal(zones.spare, UINT64_C(16) * 10614784000);
	assert_int_equal(zoneinfo_read(small, 1, &zones), 0);
	assert_int_equal(zones.kernel, present);
	assert_int_equal(zones.spare, spare);
}

/*
 * Node 0 has little free memory; its last zone is of devdax devices. There is no newline at the
 * end.
 */
static const char large[] = "Node 0, zone   Normal\n"
			    "  per-node stats\n"
			    "      nr_inactive_file 4000000\n"
			    "      nr_active_file 4000000\n"
			    "  pages free     9000\n"
			    "        boost    0\n"
			    "        high     10000\n"
			    "        spanned  33554432\n"
			    "        present  33554432\n"
			    "        managed  33000000\n"
			    "        cma      8192\n"
			    "      nr_zone_inactive_file 101\n"
			    "      nr_zone_active_file 200\n"
			    "  pagesets\n"
			    "    cpu: 0\n"
			    "              high:     3\n"
			    "              high_max: 5\n"
			    "Node 0, zone  Movable\n"
			    "  pages free     2000\n"
			    "        high     1000\n"
			    "        present  262144\n"
			    "      nr_zone_inactive_file 4000\n"
			    "      nr_zone_active_file 4000\n"
			    "Node 0, zone   Device\n"
			    "  pages free     5000\n"
			    "        high     0\n"
			    "        present  524288\n"
			    "      nr_zone_inactive_file 6000\n"
			    "Node 1, zone   Normal\n"
			    "  pages free     70000\n"
			    "        high     20000\n"
			    "        present  1048576\n"
			    "      nr_zone_inactive_file 1\n"
			    "      nr_zone_active_file 0\n"
			    "Node 12, zone  Movable\n"
			    "  per-node stats\n"
			    "      nr_inactive_file 9\n"
			    "  pages free     16000000\n"
			    "        high     20000\n"
			    "        present  16777216";

static void test_large(void **state)
{
	struct zoneinfo zones;

	(void)state;
	assert_int_equal(zoneinfo_read(large, PAGE, &zones), 0);
	assert_true(zones.known);
	assert_int_equal(zones.kernel, 132 * GIB);
	assert_int_equal(zones.movable, 65 * GIB);
	/* half of 301 pages, half of 1 page, and the free pages of node 1 */
	assert_int_equal(zones.spare, (150 + 0 + 50000) * PAGE);
}

static void test_none(void **state)
{
	static const char *const texts[] = {"", "\n", "\n\n\n", "garbage", "Node", "Node 0, zone",
		"Node 0, zone\n", "Node 0, zone   Normal",
		"Node 0, zone   Normal\n  pages free 5\n",
		"Node 0, zone   Normal\n        present  0\n", "        present  5\n",
		"Node 0, zone  Movable\n        present  5\n",
		"Node 0, zone   Device\n        present  5\n",
		"Node x, zone   Normal\n        present  5\n",
		"Node 0: zone   Normal\n        present  5\n",
		"Node 0, zone   Normal\n        present:  5\n",
		"Node 0, zone   Normal\n        present  many\n",
		"MemTotal:       16384 kB\nMemFree:        1024 kB\n", "\377\376\001present  5\n"};
	struct zoneinfo zones, was;

	(void)state;
	memset(&zones, 0x55, sizeof(zones));
	memset(&was, 0x55, sizeof(was));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (zoneinfo_read(texts[i], PAGE, &zones) != -EBADMSG)
			fail_msg("text %zu: %s", i, texts[i]);
		assert_memory_equal(&zones, &was, sizeof(zones));
	}
}

/* Lines before the cut count, and a number that is cut off counts as it is. */
static void check_cut_off(const char *text, size_t size)
{
	struct zoneinfo before = {0};
	char *part;

	for (size_t length = 0; length <= size; length++) {
		struct zoneinfo zones = {0};
		int r;

		part = strndup(text, length);
		assert_non_null(part);
		r = zoneinfo_read(part, PAGE, &zones);
		free(part);
		assert_int_equal(r, zones.kernel ? 0 : -EBADMSG);
		assert_int_equal(zones.known, r == 0);
		assert_true(zones.kernel >= before.kernel);
		assert_true(r < 0 || zones.movable >= before.movable);
		before = zones;
	}
}

static void test_cut_off(void **state)
{
	(void)state;
	check_cut_off(small, strlen(small));
	check_cut_off(large, strlen(large));
}

static void test_long_line(void **state)
{
	char text[1000] = "Node 0, zone   Normal\n        protection: (";
	size_t length = strlen(text);
	struct zoneinfo zones;

	(void)state;
	memset(text + length, '0', 700);
	strcpy(text + length + 700, ")\n        present  5\n");
	assert_int_equal(zoneinfo_read(text, PAGE, &zones), 0);
	assert_int_equal(zones.kernel, 5 * PAGE);
}

static void test_any_bytes(void **state)
{
	uint64_t seed = 1;
	char *text = strdup(large);

	(void)state;
	assert_non_null(text);
	for (int round = 0; round < 20000; round++) {
		struct zoneinfo zones = {0};
		int r;

		if (round % 40 == 0)
			strcpy(text, large);
		text[below(&seed, sizeof(large) - 1)] = below(&seed, 2)
								? "0123456789 \n"[below(&seed, 12)]
								: (char)(1 + below(&seed, 255));
		r = zoneinfo_read(text, PAGE, &zones);
		assert_true(r == 0 || r == -EBADMSG);
		assert_int_equal(zones.known, r == 0);
		assert_int_equal(zones.kernel > 0, r == 0);
	}
	free(text);
}

static void test_maps(void **state)
{
	(void)state;
	assert_int_equal(zoneinfo_memory_map(0), 0);
	assert_int_equal(zoneinfo_memory_map(PAGE), 64);
	assert_int_equal(zoneinfo_memory_map(64 * GIB), GIB);
	/* a page of 2 MiB needs eight pages of metadata, two of which are not shared */
	assert_int_equal(zoneinfo_devdax_map(0, 2 * MIB), 0);
	assert_int_equal(zoneinfo_devdax_map(2 * MIB, 2 * MIB), 2 * PAGE);
	assert_int_equal(zoneinfo_devdax_map(64 * GIB, 2 * MIB), 256 * MIB);
	assert_true(zoneinfo_devdax_map(64 * GIB, GIB) <= 256 * MIB);
	/* pages of 4 KiB share nothing; if the page size is not known, it may be that */
	assert_int_equal(zoneinfo_devdax_map(64 * GIB, PAGE), GIB);
	assert_int_equal(zoneinfo_devdax_map(64 * GIB, MIB), GIB);
	assert_int_equal(zoneinfo_devdax_map(64 * GIB, 0), GIB);
}

static void test_ratio(void **state)
{
	static const struct {
		uint64_t kernel, movable, more, percent;
	} rows[] = {
		{100 * GIB, 0, 0, 0},
		{100 * GIB, GIB, 0, 1},
		{100 * GIB, GIB, 1, 2},
		{16 * GIB, 0, 1024 * GIB, 6400},
		{0, 0, 0, UINT64_MAX},
		{0, GIB, 0, UINT64_MAX},
		{0, 0, GIB, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct zoneinfo zones = {
			.known = true, .kernel = rows[i].kernel, .movable = rows[i].movable};
		uint64_t percent = zoneinfo_movable_ratio(&zones, rows[i].more);

		if (percent != rows[i].percent)
			fail_msg("row %zu: %llu %%", i, (unsigned long long)percent);
	}
}

/*
 * The ratio is the smallest percentage of kernel memory that is not less than all movable memory.
 */
static void test_exact_ratio(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct zoneinfo zones = {.known = true,
			.kernel = PAGE * (1 + (prng(&seed) >> (28 + below(&seed, 30)))),
			.movable = PAGE * (prng(&seed) >> (28 + below(&seed, 30)))};
		uint64_t more = PAGE * (prng(&seed) >> (28 + below(&seed, 30)));
		uint64_t percent = zoneinfo_movable_ratio(&zones, more);
		unsigned __int128 movable = zones.movable;

		movable = (movable + more) * 100;
		assert_true((unsigned __int128)percent * zones.kernel >= movable);
		if (percent)
			assert_true((unsigned __int128)(percent - 1) * zones.kernel < movable);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_ratio),
		cmocka_unit_test(test_exact_ratio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
