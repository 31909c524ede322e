/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reload: a signal to the process that has the lock.
 *
 * This process runs for ExecReload=. It sends RELOADING=1 before the signal, so that systemd
 * waits for the READY=1 of the daemon, however late the daemon reads the signal.
 */
#include "daemon/commands/reload.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "daemon/commands/exit_status.h"
#include "daemon/log/log.h"
#include "daemon/state/lock.h"

int reload_run(void)
{
	pid_t pid;

	if (geteuid() != 0) {
		log_print(LOG_ERR, "--reload: only root can send a signal to the daemon");
		return EXIT_FAILED;
	}
	pid = lock_owner();
	if (!pid) {
		log_print(LOG_ERR, "--reload: tdx-onlined does not run as a daemon");
		return EXIT_FAILED;
	}
	sd_notify(false, "RELOADING=1");
	if (kill(pid, SIGHUP) == 0)
		return EXIT_DONE;
	log_print(LOG_ERR, "--reload: process %d: %s", (int)pid, strerror(errno));
	sd_notify(false, "READY=1");
	return EXIT_FAILED;
}
