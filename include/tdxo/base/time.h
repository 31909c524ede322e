/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Points in time, in seconds since 1970, as text.
 */
#pragma once

#include <stdint.h>

#define TIME_TEXT 32

/*
 * "2026-11-27T19:10:03Z", the form of RFC 3339: UTC, so that it depends on no file of a time zone.
 * "@SECONDS" if the year has more than four digits. Returns buf.
 */
const char *time_format(uint64_t seconds, char buf[TIME_TEXT]);
