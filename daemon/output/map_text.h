/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map as text: boxes for CXL windows and regions, shaded blocks for memory, from the lowest
 * address down to the highest one.
 */
#pragma once

#include <locale.h>

#include "tdxo/map/map.h"
#include "tdxo/tdx/state.h"

/* The locale of the output; 0: "C". Outside of UTF-8 it is drawn in ASCII. */
void map_print_text(const struct map *map, const struct tdx *tdx, locale_t locale);
