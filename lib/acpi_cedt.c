/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The CEDT: host bridges (CXL 3.1, section 9.18.1.2) and fixed memory windows (9.18.1.3).
 */
#include "tdxo/acpi.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "acpi_table.h"
#include "tdxo/array.h"

#define TYPE_HOST_BRIDGE 0
#define TYPE_WINDOW	 1
#define HOST_BRIDGE_SIZE 32
#define WINDOW_SIZE	 36 /* without its targets */
#define WINDOW_UNIT	 (UINT64_C(256) << 20)

/* Offsets in a host bridge. */
#define UID_AT	     4
#define VERSION_AT   8
#define REGISTERS_AT 16

/* Offsets in a window. */
#define BASE_AT	       8
#define WAYS_AT	       24
#define GRANULARITY_AT 28

#define GRANULARITY_FIRST UINT64_C(256)
#define GRANULARITY_MAX	  6 /* 16 KiB, encoded */

static const struct acpi_layout layout = {
	.signature = "CEDT", .first_entry = ACPI_HEADER_SIZE, .length_at = 2, .length_size = 2};

/* Encoded ways (9.18.1.3) to ways; 0: not defined */
static const uint8_t ways_of[] = {1, 2, 4, 8, 16, 0, 0, 0, 3, 6, 12};

static const char *const restrictions[] = {
	[CEDT_DEVICE_COHERENT] = "device-coherent",
	[CEDT_HOST_ONLY] = "host-only",
	[CEDT_VOLATILE] = "volatile",
	[CEDT_PERSISTENT] = "persistent",
	[CEDT_FIXED] = "fixed",
	[CEDT_BACK_INVALIDATE] = "back-invalidate",
};
static_assert(ARRAY_SIZE(restrictions) == CEDT_RESTRICTION_MAX, "a name for each restriction");

static const char *const arithmetics[] = {
	[CEDT_MODULO] = "modulo",
	[CEDT_XOR] = "xor",
};
static_assert(ARRAY_SIZE(arithmetics) == CEDT_ARITHMETIC_MAX, "a name for each arithmetic");

static const char *const versions[] = {
	[CEDT_CXL_1_1] = "1.1",
	[CEDT_CXL_2_0] = "2.0",
};
static_assert(ARRAY_SIZE(versions) == CEDT_VERSION_MAX, "a name for each version");

void cedt_done(struct cedt *cedt)
{
	free(cedt->windows);
	free(cedt->host_bridges);
	*cedt = (struct cedt){0};
}

static int append_window(struct cedt *cedt, const struct cedt_window *window)
{
	struct cedt_window *windows = array_room(cedt->windows, cedt->n_windows, sizeof(*window));

	if (!windows)
		return -ENOMEM;
	cedt->windows = windows;
	cedt->windows[cedt->n_windows++] = *window;
	return 0;
}

static int append_host_bridge(struct cedt *cedt, const struct cedt_host_bridge *bridge)
{
	struct cedt_host_bridge *bridges =
		array_room(cedt->host_bridges, cedt->n_host_bridges, sizeof(*bridge));

	if (!bridges)
		return -ENOMEM;
	cedt->host_bridges = bridges;
	cedt->host_bridges[cedt->n_host_bridges++] = *bridge;
	return 0;
}

/* Base and size of a window: false if there is none that Linux would use. */
static bool read_range(struct cursor *c, struct cedt_window *window)
{
	uint64_t base, size;

	cursor_seek(c, BASE_AT);
	base = cursor_u64(c);
	size = cursor_u64(c);
	return size && base % WINDOW_UNIT == 0 && size % WINDOW_UNIT == 0 &&
	       acpi_range(base, size, &window->range);
}

/* Ways, arithmetic and granularity: false if one of them is encoded as nothing that is defined. */
static bool read_interleave(struct cursor *c, struct cedt_window *window)
{
	uint8_t ways, arithmetic;
	uint32_t granularity;

	cursor_seek(c, WAYS_AT);
	ways = cursor_u8(c);
	arithmetic = cursor_u8(c);
	cursor_seek(c, GRANULARITY_AT);
	granularity = cursor_u32(c);
	if (ways >= ARRAY_SIZE(ways_of) || !ways_of[ways] || arithmetic >= CEDT_ARITHMETIC_MAX ||
		granularity > GRANULARITY_MAX)
		return false;
	window->ways = ways_of[ways];
	window->arithmetic = (enum cedt_arithmetic)arithmetic;
	window->granularity = GRANULARITY_FIRST << granularity;
	return true;
}

/* 0 or -ENOMEM. */
static int add_window(struct cedt *cedt, struct cursor c)
{
	struct cedt_window window = {0};
	bool usable;

	usable = read_range(&c, &window) && read_interleave(&c, &window);
	window.restrictions = cursor_u16(&c);
	window.qtg_id = cursor_u16(&c);
	for (unsigned int i = 0; usable && i < window.ways; i++)
		window.targets[i] = cursor_u32(&c);
	if (!usable || c.failed) {
		cedt->passed_over++;
		return 0;
	}
	return append_window(cedt, &window);
}

/* 0 or -ENOMEM. */
static int add_host_bridge(struct cedt *cedt, struct cursor c)
{
	struct cedt_host_bridge bridge = {0};
	uint64_t base, size;

	cursor_seek(&c, UID_AT);
	bridge.uid = cursor_u32(&c);
	bridge.version = cursor_u32(&c);
	cursor_seek(&c, REGISTERS_AT);
	base = cursor_u64(&c);
	size = cursor_u64(&c);
	if (c.failed || !acpi_range(base, size, &bridge.registers)) {
		cedt->passed_over++;
		return 0;
	}
	return append_host_bridge(cedt, &bridge);
}

int cedt_read(const void *data, size_t size, struct cedt *ret_cedt)
{
	CLEANUP(cedt_done) struct cedt cedt = {0};
	struct acpi_table table;
	struct acpi_entry entry;
	int r;

	r = (int)acpi_open(data, size, &layout, &table);
	if (r != ACPI_SOUND)
		return r;
	while ((r = acpi_take(&table, &entry)) > 0) {
		r = 0;
		if (entry.type == TYPE_WINDOW)
			r = add_window(&cedt, entry.bytes);
		else if (entry.type == TYPE_HOST_BRIDGE)
			r = add_host_bridge(&cedt, entry.bytes);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return ACPI_BAD_ENTRY;
	*ret_cedt = cedt;
	cedt = (struct cedt){0};
	return 0;
}

const struct cedt_window *cedt_find(const struct cedt *cedt, struct range range)
{
	for (size_t i = 0; i < cedt->n_windows; i++)
		if (range_contains(cedt->windows[i].range, range))
			return &cedt->windows[i];
	return NULL;
}

/* The windows as a set: they may lie in any order. 0 or -ENOMEM. */
static int gather_windows(const struct cedt *cedt, struct range_set *windows)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < cedt->n_windows; i++)
		r = range_set_add(windows, cedt->windows[i].range);
	return r;
}

int cedt_find_boot_ram(
	const struct cedt *cedt, const struct boot_map *map, struct range_set *ret_parts)
{
	CLEANUP(range_set_done) struct range_set windows = {0}, ram = {0};
	int r;

	r = gather_windows(cedt, &windows);
	for (size_t i = 0; r == 0 && i < map->n; i++)
		if (map->regions[i].source != BOOT_SOURCE_CONFIGURATION)
			r = range_set_add(&ram, map->regions[i].range);
	return r < 0 ? r : range_set_intersect(&ram, &windows, ret_parts);
}

const char *cedt_restriction_to_string(enum cedt_restriction restriction)
{
	return restrictions[restriction];
}

const char *cedt_arithmetic_to_string(enum cedt_arithmetic arithmetic)
{
	return arithmetics[arithmetic];
}

const char *cedt_version_to_string(uint32_t version)
{
	return version < CEDT_VERSION_MAX ? versions[version] : NULL;
}
