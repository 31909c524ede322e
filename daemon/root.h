/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another root: a captured tree that every room and every library sees as "/".
 *
 * Links are resolved in the new root, so none leads out of it, and nothing of this machine is
 * taken for a part of that one. But libraries open what they find there as if it were sysfs, and
 * would wait forever at the other end of a FIFO. So where a machine is to be judged, all that is
 * or may be opened for it is looked at before: a FIFO, a socket, a device, a file larger than any
 * attribute, or a link from /sys or /proc to somewhere else is no captured evidence, and the tree
 * is refused. What is missing is not looked for here: the sensor complains of it.
 *
 * The configuration alone is also asked for in roots of whole systems, with devices in /dev;
 * its files are checked where they are read (config_file.c), as is the state file (state.c).
 */
#pragma once

#include <stdbool.h>

#include "tdxo/compiler.h"

/*
 * Enter it. `judge`: not only its configuration is wanted. 0, or a negative errno after a
 * message. Needs no privilege where user namespaces are allowed.
 */
int root_enter(const char *directory, bool judge) MUST_CHECK;
