/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture: the messages of the kernel log that decisions rest on.
 */
#include "daemon/commands/capture_log.h"

#include <errno.h>
#include <string.h>

#include "daemon/host/sensor.h"
#include "tdxo/tdx/log.h"

struct log {
	struct bytes text;
	bool only_known;
	int error;
};

/* The kernel quotes parameters: "kvm_intel: unknown parameter 'WORD' ignored". */
static bool is_known(const char *message)
{
	static const struct tdx_log none;
	struct tdx_log log = none;

	tdx_log_read(&log, message);
	return memcmp(&log, &none, sizeof(log)) != 0 || rejection_is_about(message);
}

static void take_log_message(const char *message, void *userdata)
{
	static const char header[] = "6,0,0,-;";
	struct log *log = userdata;

	if (log->error ||
		(!is_known(message) && (log->only_known || strncmp(message, "virt/tdx: ",
								   strlen("virt/tdx: ")) != 0)))
		return;
	log->error = bytes_append(&log->text, header, strlen(header));
	if (log->error == 0)
		log->error = bytes_append(&log->text, message, strcspn(message, "\n"));
	if (log->error == 0)
		log->error = bytes_append(&log->text, "\n", 1);
}

int capture_log(bool only_known, struct bytes *ret_text)
{
	struct log log = {.only_known = only_known};
	int r = sensor_kernel_log(take_log_message, &log);

	if (log.error) {
		bytes_done(&log.text);
		return log.error;
	}
	*ret_text = log.text;
	return r < 0 && r != -EBADMSG;
}
