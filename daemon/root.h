/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another root: a captured tree that every room and every library sees as "/".
 */
#pragma once

#include "tdxo/compiler.h"

/* 0, or a negative errno after a message. Needs no privilege where user namespaces are allowed. */
int root_enter(const char *directory) MUST_CHECK;
