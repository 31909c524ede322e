/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The dry run and the one shot: decide all that is there, print that, and be done.
 */
#pragma once

#include "daemon/output/columns.h"
#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"

enum plan_format {
	PLAN_TABLE,
	PLAN_JSON,
	PLAN_DIFF, /* what differs from what the daemon has decided */
};

struct plan_options {
	bool dry; /* decide, and do nothing */
	enum plan_format format;
	const struct table_options *table; /* of PLAN_TABLE */
	unsigned int fail_on;		   /* a set of enum fail_on */
};

/*
 * EXIT_DONE; EXIT_PARTIAL: some range is not as decided; EXIT_MATCHED: a word of `fail_on` is true
 * of some range, which has been said; a negative errno: -ENODEV without memory hotplug.
 */
int plan_run(struct settings *settings, const struct plan_options *options) MUST_CHECK;
