/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Remedies: what could be changed to get another verdict, for each reason.
 */
#pragma once

#include "tdxo/record.h"
#include "tdxo/text.h"

/* Append whole sentences. */
void remedy_append(struct text *text, const struct record *record);
