/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map as an SVG document on standard output. It needs no script, no font and no other file.
 */
#pragma once

#include "tdxo/map/map.h"
#include "tdxo/tdx/state.h"

void map_print_svg(const struct map *map, const struct tdx *tdx);
