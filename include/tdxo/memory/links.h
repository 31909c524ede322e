/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stable names of dax devices, for symbolic links below /dev/dax.
 *
 * "dax0.0" depends on the order in which regions are made. These names are made of what stays: the
 * serial numbers of the cards, their places in the machine, or the region. A device with several
 * targets has all of them in its names, in the order of interleaving. One that does not begin where
 * the memory of its first card does, or is not the first of its region, says so at the end.
 */
#pragma once

#include "tdxo/base/strbuf.h"
#include "tdxo/memory/device.h"
#include "tdxo/memory/origin.h"

/* The directories of the links. */
enum link {
	LINK_BY_PATH,
	LINK_BY_REGION,
	LINK_BY_SERIAL,
	LINK_MAX,
};

#define LINK_NAME 512

/* What names a dax device. */
struct link_facts {
	const struct device *device;
	const struct cxl_origin *cxl;
	const char *parent; /* the kernel's name of the parent device */
};

/*
 * Append the name of the link in one of the directories, in characters that udev(7) accepts;
 * nothing if the device has no such name.
 */
void link_append_name(struct strbuf *text, enum link link, const struct link_facts *facts);

/* "by-serial". */
const char *link_to_string(enum link link);
