/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where memory comes from, by what CXL and firmware say: evidence for the record. No decision rests
 * on it, except where a rule asks for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/range.h"
#include "tdxo/firmware/acpi.h"
#include "tdxo/memory/device.h"

#define DPA_UNKNOWN UINT64_MAX
#define MEMDEVS_MAX 16 /* CXL 3.1, table 8-99: at most 16 interleave ways */

struct memdev {
	char name[SYSFS_NAME];
	char host[SYSFS_NAME]; /* its PCI address, or the name of what else its host is */
	uint64_t serial;
	char firmware[SYSFS_NAME]; /* its version; empty: not known */
	uint64_t dpa;		   /* where in its memory the region begins, or DPA_UNKNOWN */
};

/* A root decoder decodes one fixed memory window (Documentation/driver-api/cxl, 6.12). */
struct cxl_window {
	char decoder[SYSFS_NAME]; /* the root decoder; empty: not known */
	struct range range;	  /* empty: not known */
	bool has_qos_class;
	unsigned int qos_class;
};

/* Of a device with a CXL region; all empty for any other. */
struct cxl_origin {
	char region_uuid[SYSFS_NAME]; /* empty: a volatile region has none */
	char region_mode[SYSFS_NAME]; /* "ram" or "pmem"; empty: not known */
	struct cxl_window window;
	struct memdev memdevs[MEMDEVS_MAX];
	size_t n_memdevs;
	bool incomplete; /* the region has other memory devices, too */
};

/* Of one range. */
struct firmware_origin {
	struct range window; /* of the CEDT that holds it; empty: none */
	bool in_srat;
	uint32_t proximity_domain;
	bool hot_pluggable; /* the SRAT says that it may come later */
};

/* What firmware's tables say of a range: of a place where no memory is, too. */
struct firmware_origin firmware_origin_find(
	const struct srat *srat, const struct cedt *cedt, struct range range);
