/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture: copy what the decisions rest on into a tree that --root replays.
 *
 * The system is only read. There is no filter as for a dry run, because files are written; but
 * all that is written is written by tree.c, beneath one descriptor and never through a link, and
 * everything else is opened for reading only, by sysfs.c.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/base/compiler.h"

/*
 * Capture this machine into a directory that is not there or empty, and print one line that states
 * how much it was. With `anonymise` nothing in it identifies the machine or its owner. EXIT_DONE;
 * EXIT_PARTIAL after a message if not everything could be read; EXIT_FAILED after a message.
 */
int capture_run(const char *directory, bool anonymise) MUST_CHECK;
