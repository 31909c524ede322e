/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mock machine: memory, TDX, configuration.
 */
#include "mock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The daemon waits 250 ms for more blocks. */
#define SLOW_MS 200

void mock_uevent(const struct mock *mock, const char *path, const char *action)
{
	umockdev_testbed_uevent(mock->testbed, path, action);
}

void mock_add_device(const struct mock *mock, const char *path, const char *subsystem)
{
	char file[MOCK_PATH];

	mock_path(file, "%s/uevent", path);
	mock_put(mock, file, "");
	mock_path(file, "%s/subsystem", path);
	mock_link(mock, file, subsystem);
}

static void put_cpuinfo(const struct mock *mock, const char *flag)
{
	char text[256];

	snprintf(text, sizeof(text),
		"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vmx%s nx\n"
		"vmx flags\t: ept\n\nprocessor\t: 1\n\n",
		flag);
	mock_put(mock, "/proc/cpuinfo", text);
}

void mock_set_tdx_flag(const struct mock *mock)
{
	put_cpuinfo(mock, " tdx_host_platform");
}

void mock_set_tdx_parameter(const struct mock *mock, char yn)
{
	const char text[] = {yn, '\n', '\0'};

	mock_put(mock, KVM_INTEL "/parameters/tdx", text);
}

static void put_number(unsigned char *at, uint64_t number, unsigned int bytes)
{
	while (bytes--) {
		*at++ = (unsigned char)number;
		number >>= 8;
	}
}

/*
 * The boot RAM as x86 firmware reports it: 1 GiB with the hole below 1 MiB
 * (Documentation/arch/x86/zero-page.rst: e820_entries at 0x1e8, e820_table at 0x2d0).
 */
void mock_boot_params(const struct mock *mock, size_t size)
{
	static const struct {
		uint64_t start, size;
		uint32_t type;
	} entries[] = {
		{0, 0x9fc00, 1},
		{0x9fc00, 0x60400, 2},
		{MIB, GIB - MIB, 1},
		{UINT64_C(0xfffc0000), 0x40000, 2},
	};
	unsigned char bytes[4096] = {0}, *at = bytes + 0x2d0;

	bytes[0x1e8] = sizeof(entries) / sizeof(entries[0]);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++, at += 20) {
		put_number(at, entries[i].start, 8);
		put_number(at + 8, entries[i].size, 8);
		put_number(at + 16, entries[i].type, 4);
	}
	assert_true(size <= sizeof(bytes));
	mock_put_bytes(mock, BOOT_PARAMS, bytes, size);
}

void mock_boot_memmap(const struct mock *mock)
{
	mock_put(mock, "/sys/firmware/memmap/0/start", "0x0\n");
	mock_put(mock, "/sys/firmware/memmap/0/end", "0x9fbff\n");
	mock_put(mock, "/sys/firmware/memmap/0/type", "System RAM\n");
	mock_put(mock, "/sys/firmware/memmap/1/start", "0x100000\n");
	mock_put(mock, "/sys/firmware/memmap/1/end", "0x3fffffff\n");
	mock_put(mock, "/sys/firmware/memmap/1/type", "System RAM\n");
}

static void add_block(const struct mock *mock, uint64_t id, const char *state)
{
	char path[MOCK_PATH], text[80];

	mock_make_directory(mock, NEW);
	snprintf(text, sizeof(text), "%s\n", state);
	mock_put(mock, NEW "/block/state", text);
	snprintf(text, sizeof(text), "%08" PRIx64 "\n", id);
	mock_put(mock, NEW "/block/phys_index", text);
	mock_put(mock, NEW "/block/removable", "1\n");
	mock_add_device(mock, NEW "/block", "../../../../bus/memory");
	mock_link(mock, NEW "/block/node0", "../../node/node0");
	mock_path(path, MEMORY "/memory%" PRIu64, id);
	mock_move(mock, NEW "/block", path);
}

void mock_place_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state)
{
	for (uint64_t id = first; id < first + n; id++)
		add_block(mock, id, state);
}

bool mock_add_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state)
{
	int64_t before = mock_now_ms();
	char path[MOCK_PATH];

	for (uint64_t id = first; id < first + n; id++) {
		add_block(mock, id, state);
		mock_path(path, MEMORY "/memory%" PRIu64, id);
		mock_uevent(mock, path, "add");
	}
	return mock_now_ms() - before < SLOW_MS;
}

void mock_set_block(const struct mock *mock, uint64_t id, const char *state)
{
	char path[MOCK_PATH];

	mock_path(path, MEMORY "/memory%" PRIu64 "/state", id);
	mock_put(mock, path, state);
	mock_path(path, MEMORY "/memory%" PRIu64, id);
	mock_uevent(mock, path, state);
}

void mock_expect_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state)
{
	char path[MOCK_PATH];

	for (uint64_t id = first; id < first + n; id++) {
		mock_path(path, MEMORY "/memory%" PRIu64 "/state", id);
		mock_expect_file(mock, path, state);
	}
}

void mock_configure(const struct mock *mock, const char *keys)
{
	char text[1024];

	snprintf(text, sizeof(text), "[Daemon]\n%s", keys);
	mock_put(mock, "/etc/tdx-onlined/tdx-onlined.conf", text);
}

void mock_rule(const struct mock *mock, const char *name, const char *match, const char *policy)
{
	char path[MOCK_PATH], text[1024];

	mock_path(path, RULES "/%s", name);
	snprintf(text, sizeof(text), "[Match]\n%s\n[Policy]\n%s", match, policy);
	mock_put(mock, path, text);
}

static void make_machine(struct mock *mock)
{
	/* libkmod logs an error for one that exists on the real machine and cannot be listed. */
	static const char *const modprobe_d[] = {"/etc/modprobe.d", "/run/modprobe.d",
		"/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"};

	mock->testbed = umockdev_testbed_new();
	mock->root = umockdev_testbed_get_root_dir(mock->testbed);
	/* Without umockdev the daemon would act on the real machine. */
	mock_put(mock, "/sys/mock", "");
	assert_int_equal(access("/sys/mock", F_OK), 0);
	put_cpuinfo(mock, "");
	mock_put(mock, BOOT_ID, "11111111-2222-4333-8444-555555555555\n");
	mock_put(mock, "/dev/kmsg", "6,1,1,-;Linux version 6.12.0\n"); /* read line by line */
	mock_put(mock, MEMORY "/block_size_bytes", "8000000\n");
	mock_put(mock, AUTO_ONLINE, "online\n");
	mock_put(mock, DAX_AUTOPROBE, "1\n");
	mock_put(mock, "/sys/devices/system/node/node0/cpulist", "0\n");
	/* libdaxctl finds the bus by the node's device number, which is 0:0 of a plain file. */
	mock_link(mock, "/sys/dev/char/0:0/subsystem", "../../../bus/dax");
	mock_put(mock, "/stores", "");
	mock_put(mock, "/opens", "");
	mock_boot_params(mock, 4096);
	mock_place_blocks(mock, 0, GIB / BLOCK, "online");
	mock_add_drivers(mock);
	mock_add_device(mock, KVM_INTEL, "../../bus/module");
	mock_add_device(mock, "/sys/devices/virtual/misc/kvm", "../../../../class/misc");
	mock_add_device(mock, "/sys/module/kmem", "../../bus/module");
	mock_add_device(mock, "/sys/module/device_dax", "../../bus/module");
	mock_add_device(mock, "/sys/devices/virtual/net/eth0", "../../../../class/net");
	mock_make_directory(mock, "/run/tdx-onlined");
	for (size_t i = 0; i < sizeof(modprobe_d) / sizeof(modprobe_d[0]); i++)
		mock_make_directory(mock, modprobe_d[i]);
}

static void free_machine(struct mock *mock)
{
	mock_kill(mock);
	mock_notify_close(mock);
	g_clear_object(&mock->testbed);
	g_free(mock->root);
	free(mock);
}

int mock_setup(void **state)
{
	struct mock *mock = calloc(1, sizeof(*mock));

	if (!mock)
		return -1;
	mock->output = mock->notify = -1;
	*state = mock;
	make_machine(mock);
	return 0;
}

int mock_teardown(void **state)
{
	free_machine(*state);
	return 0;
}

void mock_reset(struct mock *mock)
{
	mock_kill(mock);
	mock_notify_close(mock);
	g_clear_object(&mock->testbed);
	g_free(mock->root);
	*mock = (struct mock){.output = -1, .notify = -1};
	make_machine(mock);
}
