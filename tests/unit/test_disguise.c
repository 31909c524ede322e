/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The disguise: same in, same out; nothing private stays; lines are emptied and none goes.
 *
 * Texts end where an inaccessible page would begin if it were up to a sanitizer: they are copied
 * to memory of just their size.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "short_memory.h"
#include "tdxo/disguise.h"

#define UUID_A "6f2c8d6a-93a4-4d5e-9b1a-0123456789ab"
#define UUID_B "6F2C8D6A-93A4-4D5E-9B1A-0123456789AC"
#define ONE    "00000000-0000-4000-8000-000000000001"
#define TWO    "00000000-0000-4000-8000-000000000002"
#define NONE   "00000000-0000-4000-8000-ffffffffffff"

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
	assert_int_equal(got.n, strlen(want));
	if (got.n)
		assert_memory_equal(got.bytes, want, got.n);
	bytes_done(&got);
}

/* Of a machine of which nothing is known. */
static void assert_line(enum disguise_kind kind, const char *line, const char *want)
{
	struct disguise disguise = {0};

	assert_hidden(&disguise, kind, line, want);
	disguise_done(&disguise);
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
	/* The one of nothing, and what is none. */
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
	assert_hidden(&disguise, DISGUISE_SERIAL, "0xdeadbeefcafe\n", "0x1\n");
	assert_hidden(&disguise, DISGUISE_SERIAL, "0x2", "0x2\n");
	assert_hidden(&disguise, DISGUISE_SERIAL, "0x1\n", "0x3\n");
	assert_hidden(&disguise, DISGUISE_SERIAL, "244837814094590\n", "0x1\n");
	assert_hidden(&disguise, DISGUISE_SERIAL, "0xffffffffffffffff\n", "0x4\n");
	assert_hidden(&disguise, DISGUISE_SERIAL, "none\n", "?\n");
	assert_hidden(&disguise, DISGUISE_SERIAL, "", "?\n");
	assert_hidden(&disguise, DISGUISE_SETTINGS, "Serial=1  0xDEADBEEFCAFE\t9 # 1",
		"Serial=0x3 0x1 0x5#");
	disguise_done(&disguise);
}

static void test_settings(void **state)
{
	(void)state;
	assert_line(DISGUISE_SETTINGS, "[Match]\nDevice=dax0.0\n\nRange=0x1-0x2",
		"[Match]\nDevice=dax0.0\n\nRange=0x1-0x2");
	assert_line(
		DISGUISE_SETTINGS, "# secret\n  # secret\nAct=no# secret\n", "#\n  #\nAct=no#\n");
	assert_line(DISGUISE_SETTINGS, " serial \t= 7\nSERIAL=7", " serial \t=0x1\nSERIAL=0x1");
	assert_line(DISGUISE_SETTINGS, "Serial=\"7 8\"", "Serial=0x1 0x2");
	assert_line(DISGUISE_SETTINGS, "Serial=\nSerial\nSerials=7", "Serial=\nSerial\nSerials=7");
	assert_line(DISGUISE_SETTINGS, "Serial=secret 7", "Serial=? 0x1");
	assert_line(DISGUISE_SETTINGS, "=\n#\n\n", "=\n#\n\n");
}

static void test_regions(void **state)
{
	struct disguise disguise = {0};

	(void)state;
	assert_int_equal(disguise_add_region(&disguise, "region0", ""), 0);
	assert_int_equal(disguise_add_region(&disguise, "region1", UUID_A), 0);
	assert_int_equal(disguise_add_region(&disguise, "region2", UUID_B), 0);
	assert_hidden(&disguise, DISGUISE_SETTINGS, "Region=region1 * r?gion* REGION9",
		"Region=region1 * r?gion* REGION9");
	assert_hidden(&disguise, DISGUISE_SETTINGS, "Region=" UUID_A, "Region=" ONE);
	assert_hidden(&disguise, DISGUISE_SETTINGS, "Region=6f2c*", "Region=" ONE " " TWO);
	assert_hidden(&disguise, DISGUISE_SETTINGS, "Region=*AC", "Region=" TWO);
	assert_hidden(&disguise, DISGUISE_SETTINGS, "Region=*0", "Region=region0");
	assert_hidden(&disguise, DISGUISE_SETTINGS, "Region=0* dead*", "Region=" NONE " " NONE);
	disguise_done(&disguise);
}

static void test_cmdline(void **state)
{
	(void)state;
	assert_line(DISGUISE_CMDLINE,
		"BOOT_IMAGE=/vmlinuz root=LABEL=x  mem=4G\tmemhp-default-state=offline quiet "
		"tdx=on\n",
		"mem=4G memhp-default-state=offline tdx=on\n");
	assert_line(DISGUISE_CMDLINE, "a=\"b mem=1G\" memmap=\"1G 2G\" mem", "memmap=\"1G 2G\"");
	assert_line(DISGUISE_CMDLINE, "a=\"b mem=1G", "");
	assert_line(DISGUISE_CMDLINE, "", "");
}

static void test_udev(void **state)
{
	(void)state;
	assert_line(DISGUISE_UDEV, "SUBSYSTEM==\"memory\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}=\"online\"");
	assert_line(DISGUISE_UDEV, "KERNEL==\"memory*\", RUN+=\"x\", ENV{A}=\"b\"\\",
		"KERNEL==\"memory*\", RUN+=\"hidden\", ENV{A}=\"hidden\"\\");
	assert_line(DISGUISE_UDEV, "# memory\n \t# memory\nSUBSYSTEM==\"usb\"\n\n", "\n\n\n\n");
	assert_line(DISGUISE_UDEV, "SUBSYSTEM==\"memory", "SUBSYSTEM==\"memory");
	assert_line(DISGUISE_UDEV, "memory secret", "");
	assert_line(DISGUISE_UDEV, "RUN+=\"memory", "RUN+=\"hidden");
	assert_line(DISGUISE_UDEV, " ", "");
}

static void test_modprobe(void **state)
{
	(void)state;
	assert_line(DISGUISE_MODPROBE, "options kvm-intel tdx=1\nblacklist kmem\n",
		"options kvm-intel tdx=1\nblacklist kmem\n");
	assert_line(DISGUISE_MODPROBE, "install kmem /bin/true \ninstall dax_hmem curl secret",
		"install kmem /bin/true\ninstall dax_hmem hidden");
	assert_line(
		DISGUISE_MODPROBE, "options wifi key=x\n# kmem\nalias kmem x\nkmem\n", "\n\n\n\n");
	assert_line(DISGUISE_MODPROBE, "install kmem", "install kmem hidden");
}

static void test_daxctl(void **state)
{
	(void)state;
	assert_line(DISGUISE_DAXCTL, "[reconfigure-device db7]\nnvdimm.uuid = " UUID_A "\n",
		"[reconfigure-device hidden]\nnvdimm.uuid = " ONE "\n");
	assert_line(DISGUISE_DAXCTL, "[core]\nmode = devdax # x\nnote = x\n  [",
		"[core]\nmode = devdax \n\n  []");
}

/* The count and the table of the e820, not what is before, between and after. */
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
	disguise_done(&disguise);
}

/* Wherever memory runs out, nothing leaks and the result is as it was. */
static void test_short_memory(void **state)
{
	static const char text[] = "Serial=7 8 9\nRegion=" UUID_A " 6f*\n# x\n";
	int r = -ENOMEM;

	(void)state;
	for (int n = 0; r == -ENOMEM; n++) {
		struct disguise disguise = {0};
		struct bytes got = {0};

		allocations_left = n;
		r = disguise_add_region(&disguise, "region0", UUID_B);
		if (r == 0)
			r = hide(&disguise, DISGUISE_SETTINGS, text, strlen(text), &got);
		allocations_left = -1;
		assert_true(r == 0 || (r == -ENOMEM && !got.bytes && !got.n));
		bytes_done(&got);
		disguise_done(&disguise);
	}
	assert_int_equal(r, 0);
}

/* Random texts of the signs that matter: no line comes or goes, nothing is read beyond the end. */
static void test_random(void **state)
{
	static const char signs[] = "\n\n \t\"=#[],\\-memorystatkvm_intlServalRgino0123f{}*\0";
	struct disguise disguise = {0};
	uint64_t seed = 1;

	(void)state;
	for (int n = 0; n < 20000; n++) {
		char text[64];
		size_t size = below(&seed, sizeof(text)), lines = 0;
		enum disguise_kind kind = (enum disguise_kind)below(&seed, DISGUISE_KINDS);
		struct bytes got = {0};

		for (size_t i = 0; i < size; i++) {
			text[i] = signs[below(&seed, sizeof(signs))];
			lines += text[i] == '\n';
		}
		assert_int_equal(hide(&disguise, kind, text, size, &got), 0);
		for (size_t i = 0; i < got.n; i++)
			lines -= got.bytes[i] == '\n';
		if (kind != DISGUISE_SERIAL && kind != DISGUISE_BOOT_PARAMS)
			assert_int_equal(lines, 0);
		bytes_done(&got);
	}
	disguise_done(&disguise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_udev),
		cmocka_unit_test(test_modprobe),
		cmocka_unit_test(test_daxctl),
		cmocka_unit_test(test_boot_params),
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
