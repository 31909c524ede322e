/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration: tdx-onlined.conf and its drop-ins, through libeconf, to struct config.
 *
 * The main file is the first of /etc, /run and /usr/lib. Drop-ins of all three are read in the
 * order of their names; of two with one name that of /etc goes before /run before /usr/lib.
 */
#pragma once

#include "tdxo/compiler.h"
#include "tdxo/policy.h"

/* 0; -EINVAL after a message for each mistake, with file and line; -ENOMEM. */
int config_load(struct config *ret_config) MUST_CHECK;
