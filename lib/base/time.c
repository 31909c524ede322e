/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Gregorian calendar, as far as it is needed.
 */
#include "tdxo/base/time.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define MINUTE	   60
#define HOUR	   (60 * MINUTE)
#define DAY	   (24 * HOUR)
#define YEAR_10000 UINT64_C(253402300800)
#define FIRST_YEAR 1970
#define MONTHS	   12

static bool is_leap(unsigned int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned int days_of_year(unsigned int year)
{
	return is_leap(year) ? 366 : 365;
}

static unsigned int days_of_month(unsigned int year, unsigned int month)
{
	static const unsigned int days[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 1 && is_leap(year) ? 29 : days[month];
}

const char *time_format(uint64_t seconds, char buf[TIME_TEXT])
{
	unsigned int year = FIRST_YEAR, month = 0, days, second;

	if (seconds >= YEAR_10000) {
		snprintf(buf, TIME_TEXT, "@%" PRIu64, seconds);
		return buf;
	}
	days = (unsigned int)(seconds / DAY);
	second = (unsigned int)(seconds % DAY);
	for (; days >= days_of_year(year); year++)
		days -= days_of_year(year);
	for (; days >= days_of_month(year, month); month++)
		days -= days_of_month(year, month);
	snprintf(buf, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", year, month + 1, days + 1,
		second / HOUR, second % HOUR / MINUTE, second % MINUTE);
	return buf;
}
