/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Once: decide all ranges that are there, print that, and be done.
 */
#pragma once

#include "daemon/output/columns.h"
#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"

enum once_format {
	ONCE_TABLE,
	ONCE_JSON,
	ONCE_DIFF, /* what differs from what the daemon has decided */
};

/* What once_run() can come to besides success; if both hold, it is the second. */
enum once_outcome {
	ONCE_INCOMPLETE = 1, /* some range is not as decided */
	ONCE_MATCHED,	     /* a word of `fail_on` is true of some range; that has been said */
};

struct once_options {
	bool dry; /* decide, and do nothing */
	enum once_format format;
	const struct table_options *table; /* of ONCE_TABLE */
	unsigned int fail_on;		   /* a set of enum fail_on */
};

/* 0; a positive enum once_outcome; a negative errno: -ENODEV without memory hotplug. */
int once_run(struct settings *settings, const struct once_options *options) MUST_CHECK;
