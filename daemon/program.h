/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two programs have in common: from the command line to the exit status.
 */
#pragma once

#include "daemon/options.h"

/* The exit status. */
int program_run(const struct program *program, int argc, char *argv[]);
