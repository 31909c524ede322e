/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands about the configuration files.
 */
#pragma once

#include "daemon/settings/config_file.h"
#include "tdxo/base/compiler.h"

/* Print each mistake as a message. EXIT_DONE; EXIT_FAILED: there are some. */
int config_check(struct settings *settings) MUST_CHECK;

/* Print the configuration, with the file and line of each value. EXIT_DONE. */
int config_cat(const struct settings *settings) MUST_CHECK;

/* Print each mistake, and what a reload would change. As config_check(), or a negative errno. */
int config_diff(struct settings *settings) MUST_CHECK;
