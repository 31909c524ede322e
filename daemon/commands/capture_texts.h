/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture in disguise: what people have written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/commands/tree.h"
#include "tdxo/anonymise/anonymise.h"
#include "tdxo/base/compiler.h"

struct capture {
	struct tree tree;
	bool anonymise;
	struct disguise disguise;
	size_t unreadable; /* files */
};

/*
 * Write in disguise what people have written: the configuration, the state with the names of
 * rules, and the kernel command line. 0 or a negative errno.
 */
int capture_texts(struct capture *capture) MUST_CHECK;
