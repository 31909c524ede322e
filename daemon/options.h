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

enum task {
	TASK_DAEMON,
	TASK_DRY_RUN,
	TASK_ONESHOT,
	TASK_EXPLAIN,
	TASK_DOCTOR,
	TASK_CHECK_CONFIG,
	TASK_CAT_CONFIG,
	TASK_CAPTURE,
	TASK_DIFF, /* --check-config --dry-run */
	TASK_HELP,
	TASK_VERSION,
};

struct options {
	enum task task;
	bool json;
	const char *root;    /* a captured tree, or NULL */
	const char *capture; /* a directory to make one in, or NULL */
	bool anonymise;
	bool tdx_given;
	enum tdx_mode tdx;
	struct target target; /* of TASK_EXPLAIN */
	unsigned int fail_on; /* a set of enum fail_on */
	const char *output;   /* the option that chose columns, or NULL */
	struct table_options table;
};

/* 0; -EINVAL after a message. */
int options_parse(int argc, char *argv[], struct options *ret_options) MUST_CHECK;

void options_help(void);
