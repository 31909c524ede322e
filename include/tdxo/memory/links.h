/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of dax devices of CXL memory, for symbolic links below /dev/dax.
 *
 * "dax0.0" depends on the order in which regions are made. The serial numbers of the cards, and
 * their places in the machine, do not; the name of a region lasts as long as the region. A device
 * with several targets has all of them in its names, in the order of interleaving. If it does not
 * begin where the memory of its first card does, or is not the first of its region, the end of the
 * name has that. There is no name of cards of which not all is known: it could be that of another
 * device.
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

/*
 * Append the name of the link in one of the directories, in characters that udev(7) accepts;
 * nothing if the device has no such name.
 */
void link_append_name(struct strbuf *text, enum link link, const struct device *device,
	const struct cxl_origin *cxl);
