/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A write in a child process.
 */
#include "daemon/actuator/writer.h"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/host/sysfs.h"

int writer_start(struct writer *writer, const char *path, const char *text)
{
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		return -errno;
	/* An errno fits into an exit status. */
	if (pid == 0)
		_exit(-sysfs_write(path, text));
	fd = pidfd_open(pid, 0);
	if (fd < 0) {
		int error = errno;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return -error;
	}
	*writer = (struct writer){pid, fd};
	return 0;
}

bool writer_has_ended(struct writer *writer, int *ret_result)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)writer->pid, &info, WEXITED | WNOHANG) == 0 && !info.si_pid)
		return false;
	close(writer->fd);
	*writer = (struct writer){0};
	*ret_result = info.si_code == CLD_EXITED ? -info.si_status : -EINTR;
	return true;
}

void writer_interrupt(const struct writer *writer)
{
	kill(writer->pid, SIGKILL);
}

void writer_done(struct writer *writer)
{
	if (!writer_is_busy(writer))
		return;
	writer_interrupt(writer);
	close(writer->fd);
	*writer = (struct writer){0};
}
