/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mock machine: memory, CXL, TDX.
 */
#include "mock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW	"/new" /* outside of /sys: where things are put together */
#define REGIONS "/sys/devices/platform/ACPI0017:00/root0"

/* The daemon waits 250 ms for more blocks. */
#define SLOW_MS 200

static void __attribute__((format(printf, 2, 3)))
path_of(char path[MOCK_PATH], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(path, MOCK_PATH, format, args);
	va_end(args);
}

void mock_uevent(const struct mock *mock, const char *path, const char *action)
{
	umockdev_testbed_uevent(mock->testbed, path, action);
}

/* A device that does nothing but send events. */
static void add_device(const struct mock *mock, const char *path, const char *subsystem)
{
	char file[MOCK_PATH];

	path_of(file, "%s/uevent", path);
	mock_put(mock, file, "");
	path_of(file, "%s/subsystem", path);
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
 * The boot RAM as x86 firmware tells it: 1 GiB with the hole below 1 MiB
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
	add_device(mock, NEW "/block", "../../../../bus/memory");
	mock_link(mock, NEW "/block/node0", "../../node/node0");
	path_of(path, MEMORY "/memory%" PRIu64, id);
	mock_move(mock, NEW "/block", path);
}

bool mock_add_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state)
{
	int64_t before = mock_now_ms();
	char path[MOCK_PATH];

	for (uint64_t id = first; id < first + n; id++) {
		add_block(mock, id, state);
		path_of(path, MEMORY "/memory%" PRIu64, id);
		mock_uevent(mock, path, "add");
	}
	return mock_now_ms() - before < SLOW_MS;
}

void mock_expect_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state)
{
	char path[MOCK_PATH];

	for (uint64_t id = first; id < first + n; id++) {
		path_of(path, MEMORY "/memory%" PRIu64 "/state", id);
		mock_expect_file(mock, path, state);
	}
}

/* "dax3.0" is on region3. */
static unsigned int region_of(const char *name)
{
	unsigned int region;

	assert_int_equal(sscanf(name, "dax%u.0", &region), 1);
	return region;
}

static void dax_region_path(const char *name, char path[MOCK_PATH])
{
	unsigned int n = region_of(name);

	path_of(path, REGIONS "/decoder0.%u/region%u/dax_region%u", n, n, n);
}

void mock_dax_path(const char *name, char path[MOCK_PATH])
{
	size_t length;

	dax_region_path(name, path);
	length = strlen(path);
	snprintf(path + length, MOCK_PATH - length, "/%s", name);
}

void mock_uevent_dax(const struct mock *mock, const char *name, const char *action)
{
	char path[MOCK_PATH];

	mock_dax_path(name, path);
	mock_uevent(mock, path, action);
}

static void put_number_file(const struct mock *mock, const char *directory, const char *name,
	const char *format, uint64_t number)
{
	char path[MOCK_PATH], text[32];

	path_of(path, "%s/%s", directory, name);
	if (*format == 'x')
		snprintf(text, sizeof(text), "0x%" PRIx64 "\n", number);
	else
		snprintf(text, sizeof(text), "%" PRId64 "\n", (int64_t)number);
	mock_put(mock, path, text);
}

/* The attributes that tell where a device lies (drivers/dax/bus.c): its size comes last. */
static void put_size(const struct mock *mock, const char *directory, uint64_t start, uint64_t size)
{
	if (size) {
		put_number_file(mock, directory, "mapping0/page_offset", "x", 0);
		put_number_file(mock, directory, "mapping0/end", "x", start + size - 1);
		put_number_file(mock, directory, "mapping0/start", "x", start);
		put_number_file(mock, directory, "resource", "x", start);
	}
	put_number_file(mock, directory, "size", "d", size);
}

void mock_size_dax(const struct mock *mock, const char *name, uint64_t start, uint64_t size)
{
	char path[MOCK_PATH];

	mock_dax_path(name, path);
	put_size(mock, path, start, size);
}

/* What libdaxctl wants of a region. */
static void add_dax_region(const struct mock *mock, const char *name, uint64_t size)
{
	char path[MOCK_PATH], directory[MOCK_PATH];

	dax_region_path(name, path);
	add_device(mock, path, "../../../../../../../bus/cxl");
	path_of(directory, "%.4000s/dax_region", path);
	put_number_file(mock, directory, "id", "d", region_of(name));
	put_number_file(mock, directory, "size", "d", size);
	put_number_file(mock, directory, "align", "d", 2 * MIB);
	put_number_file(mock, directory, "available_size", "d", 0);
}

void mock_add_dax(
	const struct mock *mock, const char *name, uint64_t start, uint64_t size, int node)
{
	char path[MOCK_PATH], link[MOCK_PATH], device[MOCK_PATH];

	add_dax_region(mock, name, size);
	add_device(mock, NEW "/dax", "../../../../../../../../bus/dax");
	put_number_file(mock, NEW "/dax", "target_node", "d", (uint64_t)node);
	put_number_file(mock, NEW "/dax", "numa_node", "d", (uint64_t)-1);
	put_number_file(mock, NEW "/dax", "align", "d", 2 * MIB);
	mock_put(mock, NEW "/dax/modalias", "dax:t0\n");
	mock_put(mock, NEW "/dax/dev", "252:0\n");
	put_size(mock, NEW "/dax", start, size);
	path_of(device, "/dev/%s", name);
	mock_put(mock, device, "");
	mock_dax_path(name, path);
	mock_move(mock, NEW "/dax", path);
	path_of(link, "/sys/bus/dax/devices/%s", name);
	path_of(device, "../../..%.4000s", path + strlen("/sys"));
	mock_link(mock, link, device);
}

void mock_reset_driver(const struct mock *mock, const char *name)
{
	char path[MOCK_PATH];

	path_of(path, "/sys/bus/dax/devices/%s/driver", name);
	mock_remove(mock, path);
}

void mock_fail(const struct mock *mock, const char *attribute, int error)
{
	char path[MOCK_PATH], number[16];

	path_of(path, "/faults/%s", attribute);
	*strrchr(path, '/') = ':';
	snprintf(number, sizeof(number), "%d\n", error);
	mock_put(mock, path, number);
}

void mock_await_decided(const struct mock *mock, const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "\"%s\"", name);
	mock_await_text(mock, STATE, text);
	mock_await_text(mock, STATE, "\"begun\":[]");
}

void mock_expect_stores(const struct mock *mock, const char *among, const char *stores)
{
	static char all[65536], some[65536];
	size_t n = 0;

	mock_read(mock, "/stores", all, sizeof(all));
	for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, among))
			n += (size_t)snprintf(some + n, sizeof(some) - n, "%s\n", line);
	some[n] = '\0';
	assert_string_equal(some, stores);
}

static void add_drivers(const struct mock *mock)
{
	static const char *const drivers[] = {"kmem", "device_dax"};
	static const char *const files[] = {"bind", "unbind", "new_id", "remove_id"};
	char path[MOCK_PATH];

	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < 4; j++) {
			path_of(path, "/sys/bus/dax/drivers/%s/%s", drivers[i], files[j]);
			mock_put(mock, path, "");
		}
		path_of(path, "/sys/bus/dax/drivers/%s/module", drivers[i]);
		mock_link(mock, path,
			i ? "../../../../module/device_dax" : "../../../../module/kmem");
		/* libkmod believes this, and so leaves the modules of the real kernel alone. */
		path_of(path, "/sys/module/%s/initstate", drivers[i]);
		mock_put(mock, path, "live\n");
		path_of(path, "/sys/module/%s/refcnt", drivers[i]);
		mock_put(mock, path, "0\n");
	}
}

static void make_machine(struct mock *mock)
{
	mock->testbed = umockdev_testbed_new();
	mock->root = umockdev_testbed_get_root_dir(mock->testbed);
	/* Else the daemon would see the real machine, and act on it. */
	mock_put(mock, "/sys/mock", "");
	assert_int_equal(access("/sys/mock", F_OK), 0);
	put_cpuinfo(mock, "");
	mock_put(mock, BOOT_ID, "11111111-2222-4333-8444-555555555555\n");
	mock_put(mock, "/dev/kmsg", "6,1,1,-;Linux version 6.12.0\n"); /* it comes line by line */
	mock_put(mock, MEMORY "/block_size_bytes", "8000000\n");
	mock_put(mock, AUTO_ONLINE, "online\n");
	mock_put(mock, DAX_AUTOPROBE, "1\n");
	mock_put(mock, "/sys/devices/system/node/node0/cpulist", "0\n");
	/* libdaxctl looks for a device's bus by the numbers of its node, which is a plain file. */
	mock_link(mock, "/sys/dev/char/0:0/subsystem", "../../../bus/dax");
	mock_put(mock, "/stores", "");
	mock_boot_params(mock, 4096);
	for (uint64_t id = 0; id < GIB / BLOCK; id++)
		add_block(mock, id, "online");
	add_drivers(mock);
	add_device(mock, KVM_INTEL, "../../bus/module");
	add_device(mock, "/sys/devices/virtual/misc/kvm", "../../../../class/misc");
	add_device(mock, "/sys/devices/virtual/net/eth0", "../../../../class/net");
	mock_make_directory(mock, "/run");
}

static void unmake_machine(struct mock *mock)
{
	mock_kill(mock);
	g_clear_object(&mock->testbed);
	g_free(mock->root);
	free(mock);
}

int mock_setup(void **state)
{
	struct mock *mock = calloc(1, sizeof(*mock));

	if (!mock)
		return -1;
	mock->said = -1;
	*state = mock;
	make_machine(mock);
	return 0;
}

int mock_teardown(void **state)
{
	unmake_machine(*state);
	return 0;
}

void mock_reset(struct mock *mock)
{
	mock_kill(mock);
	g_clear_object(&mock->testbed);
	g_free(mock->root);
	*mock = (struct mock){.said = -1};
	make_machine(mock);
}
