/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line.
 */
#pragma once

#include <stdbool.h>

#include "daemon/output/columns.h"
#include "tdxo/base/compiler.h"
#include "tdxo/explain/target.h"
#include "tdxo/tdx/state.h"

enum command {
	COMMAND_DAEMON,
	COMMAND_DRY_RUN,
	COMMAND_ONESHOT,
	COMMAND_EXPLAIN,
	COMMAND_DECIDE,
	COMMAND_DOCTOR,
	COMMAND_CHECK_CONFIG,
	COMMAND_CAT_CONFIG,
	COMMAND_RELOAD,
	COMMAND_CAPTURE,
	COMMAND_DIFF, /* --check-config --dry-run */
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_MAX,
};

struct options {
	enum command command;
	bool json;
	const char *root;    /* a captured tree, or NULL */
	const char *capture; /* a directory to make one in, or NULL */
	bool anonymise;
	bool tdx_given;
	enum tdx_mode tdx;
	struct target target; /* of COMMAND_EXPLAIN or COMMAND_DECIDE */
	unsigned int fail_on; /* a set of enum fail_on */
	const char *output;   /* the option that chose columns, or NULL */
	struct table_options table;
};

/* 0; -EINVAL after a message. */
int options_parse(int argc, char *argv[], struct options *ret_options) MUST_CHECK;

void options_help(void);
