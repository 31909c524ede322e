/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another root: a captured tree that every room and every library sees as "/".
 *
 * Links are resolved in the new root, so none leads out of it, and nothing of this machine is
 * taken for a part of that one. A file is checked where it is read: sysfs.c reads regular files of
 * a bounded size, and waits at no FIFO. Libraries open what they find as if it were sysfs. So where
 * a machine is to be judged, what they open is checked before: the files of each dax and CXL
 * device, and a few others. Nothing here depends on the number of memory blocks. What is missing is
 * not looked for: the sensor complains of it.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/base/compiler.h"

/*
 * Enter it. `judge`: not only its configuration is wanted. 0, or a negative errno after a
 * message. Needs no privilege where user namespaces are allowed.
 */
int root_enter(const char *directory, bool judge) MUST_CHECK;

/* Has it been entered? */
bool root_is_another(void);
