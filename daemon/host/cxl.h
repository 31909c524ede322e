/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL, through libcxl: which memory devices are behind a region, and which window holds it.
 * Where regions lie is read from sysfs, at the next look after something of CXL has changed.
 *
 * libcxl reads the whole topology, which takes longer than everything else that a decision
 * needs. So it is asked while nothing else happens, and what it said of each endpoint decoder
 * and root decoder is kept; a new region then only has to name its decoders.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"
#include "tdxo/memory/origin.h"
#include "tdxo/memory/region.h"

struct cxl_target;

struct cxl {
	struct cxl_target *targets; /* the endpoint decoders, each with its memory device */
	size_t n;
	struct cxl_window *roots; /* the root decoders, each with its window */
	size_t n_roots;
	bool fresh;	    /* nothing of CXL has changed since they were read */
	bool regions_fresh; /* nor since the regions were listed */
};

void cxl_done(struct cxl *cxl);

/* Something of CXL has changed: what is known is not fresh any more. */
void cxl_outdate(struct cxl *cxl);

/* List the regions that have addresses, unless the list is fresh. 0 or -ENOMEM. */
int cxl_list_regions(struct cxl *cxl, struct regions *regions) MUST_CHECK;

/* Read the topology, unless what is known is fresh. What cannot be read is left out. */
void cxl_refresh(struct cxl *cxl);

/* What is known of a CXL region; what cannot be found out stays empty. */
void cxl_describe(struct cxl *cxl, const char *region, struct cxl_origin *ret_origin);
