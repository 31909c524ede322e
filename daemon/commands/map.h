/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * map: draw the physical address space, with what a dry run decides of each device, or what the
 * daemon has decided of it.
 */
#pragma once

#include <locale.h>

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"

enum map_format {
	MAP_TEXT,
	MAP_JSON,
	MAP_SVG,
};

struct map_options {
	enum map_format format;
	bool what_if;	 /* the TDX state is given: what the daemon decided does not count */
	locale_t locale; /* of MAP_TEXT */
};

/* EXIT_DONE; EXIT_FAILED after a message; a negative errno: -ENODEV without memory hotplug. */
int map_run(struct settings *settings, const struct map_options *options) MUST_CHECK;
