/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of /dev/kmsg (Documentation/ABI/testing/dev-kmsg, 6.12):
 *
 *   PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,…];MESSAGE
 *    KEY=VALUE            dictionary lines, which begin with a blank
 *
 * Programs write to the kernel log too: through /dev/kmsg, where the kernel gives them a facility
 * of their own, and by way of messages that quote their words ("tmpfs: Unknown parameter '…'").
 * So a message counts only if its facility is the kernel's, and a reader looks at its beginning.
 */
#pragma once

#include "tdxo/base/compiler.h"

/*
 * The message in a line of /dev/kmsg; NULL if the line is not a whole message of the kernel's own:
 * a dictionary line, a fragment, or a message of another facility. 0, or -EBADMSG if the line does
 * not belong to a record.
 */
int kmsg_parse(const char *line, const char **ret_message) MUST_CHECK;
