/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another root: a captured tree that the program and its libraries see as "/".
 *
 * Links are resolved in the new root, so none leads out of it, and nothing of this machine is
 * taken for a part of that one. A file is checked where it is read: sysfs.c reads regular files of
 * a bounded size, and waits at no FIFO. Libraries open any file as if it were an
 * attribute. So before a machine is examined, what they open is checked: the files of each dax and
 * CXL device, and a few others. Nothing here depends on the number of memory blocks. What is
 * missing is not looked for: the sensor complains of it.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/base/compiler.h"

/*
 * Enter it. `examine`: more than its configuration will be read. 0, or a negative errno after a
 * message. Needs no privilege where user namespaces are allowed.
 */
int root_enter(const char *directory, bool examine) MUST_CHECK;

/* Has it been entered? */
bool root_is_another(void);
