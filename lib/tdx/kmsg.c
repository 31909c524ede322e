/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of /dev/kmsg.
 */
#include "tdxo/tdx/kmsg.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* After a number and a comma; NULL: there is something else. */
static const char *skip_number(const char *at)
{
	size_t n = strspn(at, "0123456789");

	return n && at[n] == ',' ? at + n + 1 : NULL;
}

/* The priority has the level in three bits, the facility above; that of the kernel is 0. */
static bool is_of_kernel(const char *line)
{
	return line[0] <= '7' && line[1] == ',';
}

int kmsg_parse(const char *line, const char **ret_message)
{
	const char *at = line, *message;

	if (*line == ' ') {
		*ret_message = NULL;
		return 0;
	}
	for (int i = 0; at && i < 3; i++)
		at = skip_number(at);
	message = at ? strchr(at, ';') : NULL;
	if (!message)
		return -EBADMSG;
	/* "-": a message that is whole; "c" or "+": a fragment of one. */
	*ret_message = is_of_kernel(line) && *at == '-' && strchr(",;", at[1]) ? message + 1 : NULL;
	return 0;
}
