/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of links to dax devices.
 */
#include "tests/unit/fixture.h"

#include <stdio.h>

#include "tdxo/memory/links.h"

#define MEM0                                                                                       \
	{                                                                                          \
		.name = "mem0", .host = "0000:35:00.0", .serial = 0x1234                           \
	}
#define MEM1                                                                                       \
	{                                                                                          \
		.name = "mem1", .host = "cxl_mem.1", .serial = UINT64_MAX                          \
	}

static const struct {
	struct device device;
	struct cxl_origin cxl;
	const char *names[LINK_MAX]; /* NULL: none */
} rows[] = {
	{{TYPE_CXL, "dax0.0", "region0"}, {.memdevs = {MEM0}, .n_memdevs = 1},
		{"pci-0000:35:00.0", "region0", "0x1234"}},
	/* interleaved, in this order */
	{{TYPE_CXL, "dax1.0", "region1"}, {.memdevs = {MEM1, MEM0}, .n_memdevs = 2},
		{"platform-cxl_mem.1+pci-0000:35:00.0", "region1", "0xffffffffffffffff+0x1234"}},
	/* another part of the card, and another device of a region */
	{{TYPE_CXL, "dax2.1", "region2"},
		{.memdevs = {{.host = "0000:35:00.0", .serial = 1, .dpa = 0x10000000}},
			.n_memdevs = 1},
		{"pci-0000:35:00.0-dpa0x10000000.1", "region2.1", "0x1-dpa0x10000000.1"}},
	/* a card without a serial number: no name of a part of the cards */
	{{TYPE_CXL, "dax3.0", "region3"},
		{.memdevs = {MEM0, {.host = "0000:36:00.0"}}, .n_memdevs = 2},
		{"pci-0000:35:00.0+pci-0000:36:00.0", "region3", NULL}},
	/* nothing is known of the region */
	{{TYPE_CXL, "dax4.0", ""}, {.n_memdevs = 0}, {NULL, NULL, NULL}},
	{{TYPE_HMEM, "dax5.0", "region5"}, {.memdevs = {MEM0}, .n_memdevs = 1}, {NULL, NULL, NULL}},
	/* not all is known of the cards */
	{{TYPE_CXL, "dax9.0", "region9"}, {.memdevs = {MEM0}, .n_memdevs = 1, .incomplete = true},
		{NULL, "region9", NULL}},
	{{TYPE_CXL, "dax10.0", "region10"},
		{.memdevs = {{.host = "0000:35:00.0", .serial = 1, .dpa = DPA_UNKNOWN}},
			.n_memdevs = 1},
		{NULL, "region10", NULL}},
	/* characters that udev would replace */
	{{TYPE_CXL, "dax6.0", "re gion/\x80"},
		{.memdevs = {{.host = "0000:35:00.0\n\"", .serial = 1}}, .n_memdevs = 1},
		{"pci-0000:35:00.0__", "re_gion__", "0x1"}},
	{{TYPE_PMEM, "dax7.0", "region7"}, {.memdevs = {MEM0}, .n_memdevs = 1}, {NULL, NULL, NULL}},
	{{TYPE_UNKNOWN, "dax8.0", "region8"}, {.n_memdevs = 0}, {NULL, NULL, NULL}},
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (enum link link = 0; link < LINK_MAX; link++) {
			char buf[LINK_NAME];
			struct strbuf name = strbuf_in(buf, sizeof(buf));

			link_append_name(&name, link, &rows[i].device, &rows[i].cxl);
			assert_string_equal(buf, rows[i].names[link] ?: "");
		}
	}
}

/* 16 cards, with the longest names. */
static void test_longest(void **state)
{
	struct device device = {.type = TYPE_CXL, .name = "dax0.1", .region = "region0"};
	struct cxl_origin cxl = {.n_memdevs = MEMDEVS_MAX};
	char buf[LINK_NAME];
	struct strbuf name = strbuf_in(buf, sizeof(buf));

	(void)state;
	for (size_t i = 0; i < MEMDEVS_MAX; i++)
		cxl.memdevs[i] = (struct memdev){
			.host = "0000:35:00.0", .serial = UINT64_MAX, .dpa = UINT64_MAX - 1};
	link_append_name(&name, LINK_BY_SERIAL, &device, &cxl);
	assert_true(name.n + 1 < sizeof(buf));
	assert_string_equal(
		buf + name.n - strlen("ff-dpa0xfffffffffffffffe.1"), "ff-dpa0xfffffffffffffffe.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
