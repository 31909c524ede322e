/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CXL, through libcxl: which memory devices are behind a region.
 */
#pragma once

#include "tdxo/arrival.h"

/*
 * Fill in the memory devices of a range that has a CXL region. Evidence for the record only:
 * what cannot be found out stays empty.
 */
void cxl_describe(struct arrival *arrival);
