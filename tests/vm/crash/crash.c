/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * crash.so: a preloaded object that kills the daemon at one of its steps
 *
 * A step is a call with an effect that outlives the process: a write(2) to a file below /sys, or a
 * save, which is a rename(2) to the state file. A step has a number like 3.0, the third write, or
 * 3.2, the second save after it. The daemon may save once more than in another run, after a look:
 * this does not change the numbers of writes. TRACE gets a line for each step.
 *
 * If there is a file CRASH, with a number and "before" or "after" in it, the daemon gets SIGKILL
 * right before or right after that step, and the file is removed, so that the next start is not
 * killed. A block goes offline in a child process: that step kills both.
 *
 * The daemon and libdaxctl write to sysfs with write(2). The state file is written by stdio, whose
 * calls cannot be intercepted here: a crash in them is equal to one right before the rename.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CRASH "/run/tdx-onlined/crash"
#define TRACE "/run/tdx-onlined/trace"
#define STATE "/run/tdx-onlined/state.json"
#define SYSFS "/sys/"

static pid_t daemon_pid;

__attribute__((constructor)) static void remember_daemon(void)
{
	daemon_pid = getpid();
}

struct step {
	unsigned int writes;
	unsigned int saves; /* since the last write; 0: the step is that write */
};

static struct step next_step(FILE *trace, bool save)
{
	struct step step = {0};
	char line[512];

	rewind(trace);
	while (fgets(line, sizeof(line), trace))
		if (sscanf(line, "%u.%u", &step.writes, &step.saves) != 2)
			abort();
	if (save)
		return (struct step){step.writes, step.saves + 1};
	return (struct step){step.writes + 1, 0};
}

static struct step add_to_trace(const char *path, const char *text, size_t size)
{
	FILE *trace = fopen(TRACE, "a+e");
	struct step step;

	if (!trace)
		abort();
	step = next_step(trace, size == 0);
	fprintf(trace, "%u.%u %s %.*s\n", step.writes, step.saves, path, (int)size, text);
	fclose(trace);
	return step;
}

/* Is the daemon to be killed on this side of this step? */
static bool is_due(struct step step, const char *side)
{
	FILE *file = fopen(CRASH, "re");
	char wanted_side[8] = "";
	struct step wanted;
	bool due;

	if (!file)
		return false;
	due = fscanf(file, "%u.%u %7s", &wanted.writes, &wanted.saves, wanted_side) == 3 &&
	      step.writes == wanted.writes && step.saves == wanted.saves &&
	      strcmp(side, wanted_side) == 0;
	fclose(file);
	return due;
}

/* errno stays that of the step. */
static void crash_if_due(struct step step, const char *side)
{
	int error = errno;

	if (is_due(step, side)) {
		unlink(CRASH);
		kill(daemon_pid, SIGKILL);
		kill(getpid(), SIGKILL);
	}
	errno = error;
}

/* The path of an open file, if it is below /sys. */
static bool is_in_sysfs(int fd, char *ret_path, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret_path, size - 1);
	if (n < 0)
		return false;
	ret_path[n] = '\0';
	return strncmp(ret_path, SYSFS, strlen(SYSFS)) == 0;
}

ssize_t write(int fd, const void *buf, size_t size)
{
	char path[256];
	struct step step;
	ssize_t r;

	if (!is_in_sysfs(fd, path, sizeof(path)))
		return syscall(SYS_write, fd, buf, size);
	step = add_to_trace(path, buf, size);
	crash_if_due(step, "before");
	r = syscall(SYS_write, fd, buf, size);
	crash_if_due(step, "after");
	return r;
}

int rename(const char *old, const char *new)
{
	struct step step;
	int r;

	if (strcmp(new, STATE) != 0)
		return (int)syscall(SYS_rename, old, new);
	step = add_to_trace("saved", "", 0);
	crash_if_due(step, "before");
	r = (int)syscall(SYS_rename, old, new);
	crash_if_due(step, "after");
	return r;
}
