/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private values are replaced, equal ones by equal ones. Everything else that the program parses is
 * not changed.
 *
 * Each text is copied to a heap block of exactly its size, so that a sanitizer reports a read
 * beyond its end.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/anonymise/anonymise.h"
#include "tests/unit/short_memory.h"

#define SECRET "hunter2"
#define UUID_A "6f2c8d6a-93a4-4d5e-9b1a-0123456789ab"
#define UUID_B "6F2C8D6A-93A4-4D5E-9B1A-0123456789AC"
#define ONE    "00000000-0000-4000-8000-000000000001"
#define TWO    "00000000-0000-4000-8000-000000000002"

static void assert_text(struct bytes *got, const char *want)
{
	assert_int_equal(got->n, strlen(want));
	if (got->n)
		assert_memory_equal(got->bytes, want, got->n);
	bytes_done(got);
}

static int hide(struct disguise *disguise, enum disguise_kind kind, const char *text, size_t size,
	struct bytes *ret_text)
{
	struct bytes copy = {malloc(size ?: 1), size};
	int r;

	memcpy(copy.bytes, text, size);
	r = disguise_text(disguise, kind, &copy, ret_text);
	free(copy.bytes);
	return r;
}

static void assert_hidden(
	struct disguise *disguise, enum disguise_kind kind, const char *text, const char *want)
{
	struct bytes got = {0};

	assert_int_equal(hide(disguise, kind, text, strlen(text), &got), 0);
	assert_text(&got, want);
}

static int hide_rule(struct disguise *disguise, const char *text, struct bytes *ret_text)
{
	size_t size = strlen(text);
	char *copy = malloc(size ?: 1);
	int r;

	memcpy(copy, text, size);
	r = disguise_rule(disguise, copy, size, ret_text);
	free(copy);
	return r;
}

static void assert_rule(struct disguise *disguise, const char *text, const char *want)
{
	struct bytes got = {0};

	assert_int_equal(hide_rule(disguise, text, &got), 0);
	assert_text(&got, want);
}

static void test_uuids(void **state)
{
	struct disguise disguise = {0};

	(void)state;
	assert_hidden(&disguise, DISGUISE_PLAIN, UUID_A "\n", ONE "\n");
	assert_hidden(&disguise, DISGUISE_PLAIN, "{\"a\":\"" UUID_B "\",\"b\":\"" UUID_A "\"}",
		"{\"a\":\"" TWO "\",\"b\":\"" ONE "\"}");
	assert_hidden(&disguise, DISGUISE_PLAIN, "6f2c8d6a-93a4-4d5e-9b1a-0123456789AC", TWO);
	assert_hidden(&disguise, DISGUISE_PLAIN, UUID_A UUID_B, ONE TWO);
	/* The nil UUID and texts that are not UUIDs stay as they are. */
	assert_hidden(&disguise, DISGUISE_PLAIN, "00000000-0000-0000-0000-000000000000",
		"00000000-0000-0000-0000-000000000000");
	assert_hidden(&disguise, DISGUISE_PLAIN, "6f2c8d6a-93a4-4d5e-9b1a-0123456789a",
		"6f2c8d6a-93a4-4d5e-9b1a-0123456789a");
	assert_hidden(&disguise, DISGUISE_PLAIN, "6f2c8d6a-93a4-4d5e-9b1a_0123456789ab",
		"6f2c8d6a-93a4-4d5e-9b1a_0123456789ab");
	assert_hidden(&disguise, DISGUISE_PLAIN, "", "");
	disguise_done(&disguise);
}

static void test_serials(void **state)
{
	struct disguise disguise = {0};

	(void)state;
	assert_hidden(&disguise, DISGUISE_SERIAL, "0xdeadbeefcafe\n", "0x1");
	assert_hidden(&disguise, DISGUISE_SERIAL, "0x2", "0x2");
	assert_hidden(&disguise, DISGUISE_SERIAL, "0x1\n", "0x3");
	assert_hidden(&disguise, DISGUISE_SERIAL, "244837814094590\n", "0x1");
	assert_hidden(&disguise, DISGUISE_SERIAL, "0xffffffffffffffff\n", "0x4");
	assert_hidden(&disguise, DISGUISE_SERIAL, SECRET "\n", "?");
	assert_hidden(&disguise, DISGUISE_SERIAL, "", "?");
	assert_rule(&disguise, "Serial=1  0xDEADBEEFCAFE\t9 # 1", "Serial=0x3 0x1 0x5\n");
	assert_rule(&disguise, " Serial = \"7 8\"\nSerial=", "Serial=0x6 0x7\nSerial=\n");
	disguise_done(&disguise);
}

static void test_releases(void **state)
{
	struct disguise disguise = {0};

	(void)state;
	assert_hidden(&disguise, DISGUISE_RELEASE, "6.12.3-" SECRET "\n", "6.12");
	assert_hidden(&disguise, DISGUISE_RELEASE, "7.1", "7.1");
	assert_hidden(&disguise, DISGUISE_RELEASE, SECRET, "?");
	assert_hidden(&disguise, DISGUISE_RELEASE, "", "?");
}

/*
 * The number of e820 entries and the table are kept; the bytes before, between and after are not.
 */
static void test_boot_params(void **state)
{
	struct disguise disguise = {0};
	struct bytes got = {0};
	char data[4096];

	(void)state;
	memset(data, 0x55, sizeof(data));
	assert_int_equal(hide(&disguise, DISGUISE_BOOT_PARAMS, data, sizeof(data), &got), 0);
	assert_int_equal(got.n, sizeof(data));
	for (size_t i = 0; i < sizeof(data); i++)
		assert_int_equal(
			got.bytes[i], i == 0x1e8 || (i >= 0x2d0 && i < 0x2d0 + 2560) ? 0x55 : 0);
	bytes_done(&got);
}

static void test_rule(void **state)
{
	struct disguise disguise = {0};

	(void)state;
	assert_rule(&disguise,
		"# " SECRET "\n[Match]\n\n Type = \"cxl dimm\" # " SECRET "\n[Policy]\n"
		"Verdict=ignore",
		"[Match]\nType=cxl dimm\n[Policy]\nVerdict=ignore\n");
	assert_rule(&disguise, "", "");
}

static void test_patterns(void **state)
{
	static const char *const devices[] = {
		"region0", "", "region1", UUID_A, "region2", UUID_B, "0000:35:00.0"};
	struct disguise disguise = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		assert_int_equal(disguise_add_device(&disguise, devices[i]), 0);
	assert_rule(&disguise, "Region=region1 " SECRET "*", "Region=region1\n");
	assert_rule(&disguise, "Region=REGION[02]", "Region=region0 region2\n");
	assert_rule(&disguise, "Region=" UUID_A, "Region=" ONE "\n");
	assert_rule(&disguise, "Region=6f2c*", "Region=" ONE " " TWO "\n");
	assert_rule(&disguise, "Region=*AC", "Region=" TWO "\n");
	assert_rule(&disguise, "Region=" SECRET, "Region=none\n");
	assert_rule(&disguise, "Region=*\nRegion=", "Region=*\nRegion=\n");
	assert_rule(&disguise, "Device=" SECRET "*", "Device=none\n");
	assert_rule(&disguise, "PciAddress=*:35:* x", "PciAddress=0000:35:00.0\n");
	disguise_done(&disguise);
}

static void assert_cmdline(const char *text, const char *want)
{
	struct bytes got = {0};

	assert_int_equal(disguise_cmdline(text, &got), 0);
	assert_text(&got, want);
}

static void test_cmdline(void **state)
{
	(void)state;
	assert_cmdline("BOOT_IMAGE=/" SECRET " memhp-default-state=offline\tquiet movable_node\n",
		"memhp_default_state=offline movable_node\n");
	assert_cmdline("efi=" SECRET ",nosoftreserve memmap=4G@0x1000,1g" SECRET,
		"efi=hidden,nosoftreserve memmap=4G@0x1000,hidden\n");
	assert_cmdline("a=\"b memmap=1G@1G\" memmap=\"1G@1G\" memmaps=1 kvm_intel.tdx_x=1 mem=1G",
		"memmap=1G@1G\n");
	assert_cmdline("tdx_onlined=" SECRET " -- tdx_onlined=off", "tdx_onlined=hidden\n");
	assert_cmdline(
		"modprobe.blacklist=" SECRET ",dax-hmem", "modprobe.blacklist=hidden,dax-hmem\n");
	assert_cmdline("", "\n");
}

/* An allocation failure at any point returns -ENOMEM and leaks no memory. */
static void test_short_memory(void **state)
{
	static const char text[] = "[Match]\nSerial=7 8 9\nRegion=" UUID_A " 6f*\n# x\n";
	int r = -ENOMEM;

	(void)state;
	for (int n = 0; r == -ENOMEM; n++) {
		struct disguise disguise = {0};
		struct bytes got = {0};

		allocations_left = n;
		r = disguise_add_device(&disguise, UUID_B);
		if (r == 0)
			r = hide_rule(&disguise, text, &got);
		allocations_left = -1;
		assert_true(r == 0 || (r == -ENOMEM && !got.bytes && !got.n));
		bytes_done(&got);
		disguise_done(&disguise);
	}
	assert_int_equal(r, 0);
}

/* Random texts of every kind: nothing is read beyond the end. */
static void test_random(void **state)
{
	static const char signs[] = "\n\n \t\"=#[]0123456789abcdefx-SerialRgino*\0";
	struct disguise disguise = {0};
	uint64_t seed = 1;

	(void)state;
	for (int n = 0; n < 20000; n++) {
		char text[64];
		size_t size = below(&seed, sizeof(text));
		struct bytes got = {0};

		for (size_t i = 0; i < size; i++)
			text[i] = signs[below(&seed, sizeof(signs))];
		assert_int_equal(hide(&disguise, (enum disguise_kind)below(&seed, DISGUISE_KINDS),
					 text, size, &got),
			0);
		bytes_done(&got);
		text[size ? size - 1 : 0] = '\0';
		assert_int_equal(hide_rule(&disguise, text, &got), 0);
		bytes_done(&got);
		assert_int_equal(disguise_cmdline(text, &got), 0);
		bytes_done(&got);
	}
	disguise_done(&disguise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_boot_params),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
