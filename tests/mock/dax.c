/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mock machine: dax devices and their drivers.
 */
#include "mock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REGIONS "/sys/devices/platform/ACPI0017:00/root0"

/* "dax3.0" is on region3, and so is "dax3.1". */
static unsigned int region_of(const char *name)
{
	unsigned int region;

	assert_int_equal(sscanf(name, "dax%u.", &region), 1);
	return region;
}

static void dax_region_path(const char *name, char path[MOCK_PATH])
{
	unsigned int n = region_of(name);

	mock_path(path, REGIONS "/decoder0.%u/region%u/dax_region%u", n, n, n);
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

	mock_path(path, "%s/%s", directory, name);
	if (*format == 'x')
		snprintf(text, sizeof(text), "0x%" PRIx64 "\n", number);
	else
		snprintf(text, sizeof(text), "%" PRId64 "\n", (int64_t)number);
	mock_put(mock, path, text);
}

static void put_mapping(const struct mock *mock, const char *directory, unsigned int i,
	uint64_t start, uint64_t size)
{
	char mapping[MOCK_PATH];

	mock_path(mapping, "%.4000s/mapping%u", directory, i);
	put_number_file(mock, mapping, "page_offset", "x", i * size / 4096);
	put_number_file(mock, mapping, "end", "x", start + size - 1);
	put_number_file(mock, mapping, "start", "x", start);
}

/*
 * The address and size attributes of a device (drivers/dax/bus.c); `size` is written last. The
 * mappings share the size evenly.
 */
static void put_size(const struct mock *mock, const char *directory, const uint64_t *starts,
	unsigned int n, uint64_t size)
{
	for (unsigned int i = 0; size && i < n; i++)
		put_mapping(mock, directory, i, starts[i], size / n);
	put_number_file(mock, directory, "resource", "x", starts[0]);
	put_number_file(mock, directory, "size", "d", size);
}

void mock_size_dax(const struct mock *mock, const char *name, uint64_t start, uint64_t size)
{
	char path[MOCK_PATH];

	mock_dax_path(name, path);
	put_size(mock, path, &start, 1, size);
}

/* The attributes of a region that libdaxctl requires. */
static void add_dax_region(const struct mock *mock, const char *name, uint64_t size)
{
	char path[MOCK_PATH], directory[MOCK_PATH];

	dax_region_path(name, path);
	mock_add_device(mock, path, "../../../../../../../bus/cxl");
	mock_path(directory, "%.4000s/dax_region", path);
	put_number_file(mock, directory, "id", "d", region_of(name));
	put_number_file(mock, directory, "size", "d", size);
	put_number_file(mock, directory, "align", "d", 2 * MIB);
	put_number_file(mock, directory, "available_size", "d", 0);
}

void mock_add_dax_in_parts(const struct mock *mock, const char *name, const uint64_t *starts,
	unsigned int n, uint64_t size, int node)
{
	char path[MOCK_PATH], link[MOCK_PATH], device[MOCK_PATH];

	add_dax_region(mock, name, size);
	mock_add_device(mock, NEW "/dax", "../../../../../../../../bus/dax");
	put_number_file(mock, NEW "/dax", "target_node", "d", (uint64_t)node);
	put_number_file(mock, NEW "/dax", "numa_node", "d", (uint64_t)-1);
	put_number_file(mock, NEW "/dax", "align", "d", 2 * MIB);
	mock_put(mock, NEW "/dax/modalias", "dax:t0\n");
	mock_put(mock, NEW "/dax/dev", "252:0\n");
	put_size(mock, NEW "/dax", starts, n, size);
	mock_path(device, "/dev/%s", name);
	mock_put(mock, device, "");
	mock_dax_path(name, path);
	mock_move(mock, NEW "/dax", path);
	mock_path(link, "/sys/bus/dax/devices/%s", name);
	mock_path(device, "../../..%.4000s", path + strlen("/sys"));
	mock_link(mock, link, device);
}

void mock_add_dax(
	const struct mock *mock, const char *name, uint64_t start, uint64_t size, int node)
{
	mock_add_dax_in_parts(mock, name, &start, 1, size, node);
}

void mock_remove_dax(const struct mock *mock, const char *name)
{
	static unsigned int n;
	char path[MOCK_PATH], gone[MOCK_PATH];

	mock_path(path, "/sys/bus/dax/devices/%s", name);
	mock_remove(mock, path);
	/* The moved directory keeps its inode number, so that no later device gets the same. */
	mock_path(gone, "/gone/%u", n++);
	dax_region_path(name, path);
	mock_move(mock, path, gone);
}

void mock_set_driver(const struct mock *mock, const char *name, const char *driver)
{
	char path[MOCK_PATH], target[MOCK_PATH];

	mock_path(path, "/sys/bus/dax/devices/%s/driver", name);
	mock_path(target, "../../../../../../../../bus/dax/drivers/%s", driver);
	mock_link(mock, path, target);
}

void mock_make_kmem(const struct mock *mock, const char *state, unsigned int mappings)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %u\n", state, mappings);
	mock_put(mock, "/kmem", text);
}

void mock_give_to_kmem(
	const struct mock *mock, const char *name, uint64_t start, uint64_t size, const char *state)
{
	char path[MOCK_PATH], text[64];

	mock_add_dax(mock, name, start, size, 1);
	if (state)
		mock_place_blocks(mock, start / BLOCK, (unsigned int)(size / BLOCK), state);
	mock_path(path, "/sys/bus/dax/devices/%s/state", name);
	snprintf(text, sizeof(text), "%s\n", state ?: "unplugged");
	mock_put(mock, path, text);
	mock_set_driver(mock, name, "kmem");
}

void mock_reset_driver(const struct mock *mock, const char *name)
{
	char path[MOCK_PATH];

	mock_path(path, "/sys/bus/dax/devices/%s/driver", name);
	mock_remove(mock, path);
}

void mock_add_drivers(const struct mock *mock)
{
	static const char *const drivers[] = {"kmem", "device_dax"};
	static const char *const files[] = {"bind", "unbind", "new_id", "remove_id"};
	char path[MOCK_PATH];

	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < 4; j++) {
			mock_path(path, "/sys/bus/dax/drivers/%s/%s", drivers[i], files[j]);
			mock_put(mock, path, "");
		}
		mock_path(path, "/sys/bus/dax/drivers/%s/module", drivers[i]);
		mock_link(mock, path,
			i ? "../../../../module/device_dax" : "../../../../module/kmem");
		/* libkmod reads this and loads no module into the real kernel. */
		mock_path(path, "/sys/module/%s/initstate", drivers[i]);
		mock_put(mock, path, "live\n");
		mock_path(path, "/sys/module/%s/refcnt", drivers[i]);
		mock_put(mock, path, "0\n");
	}
}
