/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/zoneinfo.
 *
 * To be spared are the pages that are free above the high watermark of a zone, and half of its
 * page cache: what si_mem_available() counts (mm/show_mem.c, 6.12), zone by zone.
 */
#include "tdxo/memory/zoneinfo.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE 128

/* One zone, in pages. */
struct zone_pages {
	char name[16];
	uint64_t free, high, present, cache;
};

static void add_zone(struct zoneinfo *zones, const struct zone_pages *zone, uint64_t page_size)
{
	if (strcmp(zone->name, "Movable") == 0) {
		zones->movable += zone->present * page_size;
		return;
	}
	if (!zone->name[0] || strcmp(zone->name, "Device") == 0)
		return;
	zones->kernel += zone->present * page_size;
	if (zone->free > zone->high)
		zones->spare += (zone->free - zone->high) * page_size;
	zones->spare += zone->cache / 2 * page_size;
}

static void read_line(struct zone_pages *zone, const char *line)
{
	uint64_t pages;
	char key[32];

	if (sscanf(line, " pages free %" SCNu64, &pages) == 1)
		zone->free = pages;
	if (sscanf(line, " %31s %" SCNu64, key, &pages) != 2)
		return;
	/* "high" is also a key of the per-CPU sets, with a colon. */
	if (strcmp(key, "high") == 0)
		zone->high = pages;
	else if (strcmp(key, "present") == 0)
		zone->present = pages;
	else if (strcmp(key, "nr_zone_active_file") == 0 ||
		 strcmp(key, "nr_zone_inactive_file") == 0)
		zone->cache += pages;
}

/* Take a line, cut off where no line of interest ends, off the text. False: there is none. */
static bool next_line(const char **text, char line[LINE])
{
	size_t length = strcspn(*text, "\n");

	if (!**text)
		return false;
	snprintf(line, LINE, "%.*s", (int)(length < LINE ? length : LINE - 1), *text);
	*text += length;
	*text += **text == '\n';
	return true;
}

int zoneinfo_read(const char *text, uint64_t page_size, struct zoneinfo *ret_zones)
{
	struct zoneinfo zones = {.known = true};
	struct zone_pages zone = {0};
	char line[LINE];

	while (next_line(&text, line)) {
		struct zone_pages next = {0};

		if (sscanf(line, "Node %*u, zone %15s", next.name) == 1) {
			add_zone(&zones, &zone, page_size);
			zone = next;
		} else {
			read_line(&zone, line);
		}
	}
	add_zone(&zones, &zone, page_size);
	if (!zones.kernel)
		return -EBADMSG;
	*ret_zones = zones;
	return 0;
}

uint64_t zoneinfo_movable_ratio(const struct zoneinfo *zones, uint64_t more)
{
	unsigned __int128 movable = (unsigned __int128)zones->movable + more, ratio;

	if (!zones->kernel)
		return UINT64_MAX;
	/* Rounded up: a bound is kept only if it is kept exactly. */
	ratio = (movable * 100 + zones->kernel - 1) / zones->kernel;
	return ratio < UINT64_MAX ? (uint64_t)ratio : UINT64_MAX;
}
