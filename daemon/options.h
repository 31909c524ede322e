/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command lines of tdx-onlined(8) and tdx-onlinectl(1), by getopt_long(3).
 *
 * Both programs are a table of commands. A command of the daemon is an option, and one of the
 * client is a word or two. Each command lists the options that it takes; an option has the same
 * meaning wherever it is taken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/output/columns.h"
#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"
#include "tdxo/explain/target.h"
#include "tdxo/tdx/state.h"

/* In the order in which --help prints them. */
enum option_id {
	OPTION_NONE,
	OPTION_DRY_RUN, /* from here on: commands of the daemon */
	OPTION_ONESHOT,
	OPTION_CHECK_CONFIG,
	OPTION_RELOAD,
	OPTION_ROOT, /* from here on: what modifies a command */
	OPTION_TDX,
	OPTION_FAIL_ON,
	OPTION_ANONYMISE,
	OPTION_SVG,
	OPTION_TIMEOUT,
	OPTION_JSON,
	OPTION_OUTPUT,
	OPTION_OUTPUT_ALL,
	OPTION_NOHEADINGS,
	OPTION_RAW,
	OPTION_BYTES,
	OPTION_TREE,
	OPTION_VERSION,
	OPTION_HELP,
	OPTION_MAX,
};

struct option_row {
	const char *name;
	char letter;	   /* or 0 */
	const char *value; /* the name of its value, or NULL */
	const char *help;
};
extern const struct option_row option_table[OPTION_MAX];

#define WITH(option) (1U << (option))
#define WITH_TABLE                                                                                 \
	(WITH(OPTION_OUTPUT) | WITH(OPTION_OUTPUT_ALL) | WITH(OPTION_NOHEADINGS) |                 \
		WITH(OPTION_RAW) | WITH(OPTION_BYTES) | WITH(OPTION_TREE))
#define WITH_ALWAYS (WITH(OPTION_VERSION) | WITH(OPTION_HELP))

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_TARGET,
	ARGUMENT_DIRECTORY,
};

struct options {
	const struct command *command;
	unsigned int given;    /* a set of WITH() */
	const char *root;      /* a captured tree, or NULL */
	enum tdx_mode tdx;     /* of OPTION_TDX */
	unsigned int fail_on;  /* a set of enum fail_on */
	const char *directory; /* of ARGUMENT_DIRECTORY */
	uint64_t timeout;      /* of OPTION_TIMEOUT, in seconds */
	struct target target;  /* of ARGUMENT_TARGET */
	struct table_options table;
};

static inline bool option_given(const struct options *options, enum option_id option)
{
	return options->given & WITH(option);
}

/* What a command works on. */
struct task {
	const struct options *options;
	struct settings *settings;
	const char *mistake;		   /* why the configuration cannot be used, or NULL */
	bool only_unread;		   /* there is no other mistake than: */
	const struct config_files *unread; /* files that this process may not read, and why */
};

struct command {
	const char *name;      /* as it is typed: "--dry-run", "config check" */
	enum option_id option; /* that is the command; OPTION_NONE: its name is one word or two */
	enum argument argument;
	unsigned int takes; /* a set of WITH() */
	bool writes;	    /* to the kernel or to a file; others are held to reading by a filter */
	bool no_machine;    /* it looks at nothing but the configuration */
	bool any_config;    /* it runs with the defaults if the configuration cannot be used */
	bool no_config;	    /* it needs none */
	const char *help;

	/* enum exit_status or a negative errno */
	int (*run)(const struct task *task);
};

/* The first command is the one that runs if none is given. */
struct program {
	const char *name;
	bool words;	     /* a command is a word or two */
	const char *summary; /* lines of --help, before the commands */
	const char *manual;  /* and after the options */
	const struct command *commands;
	size_t n_commands;
};

/* The set of all options that a program has. */
unsigned int options_of(const struct program *program);

/* " TARGET", or "" */
const char *argument_name(enum argument argument);

/* 0; -EINVAL after a message. With --help the command is the one before it, or NULL. */
int options_parse(const struct program *program, int argc, char *argv[],
	struct options *ret_options) MUST_CHECK;

/* Print the help of a program, or of one of its commands, with the options that it takes. */
void options_help(const struct program *program, const struct command *command);
