/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The status, for people and for programs.
 */
#pragma once

#include "tdxo/base/compiler.h"
#include "tdxo/record/status.h"

/* Print it to standard output. 0 or a negative errno. */
int status_print_text(const struct status *status) MUST_CHECK;
int status_print_json(const struct status *status) MUST_CHECK;
