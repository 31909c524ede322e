/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After readonly_enter() no call opens a file for writing, and reading still works. It cannot be
 * undone, so a child process makes the calls.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/host/readonly.h"

static int refused(long result)
{
	return result < 0 && errno == EROFS;
}

/* The number of the first attempt that was not refused with EROFS; 0: all were refused. */
static int try_all(const char *path)
{
	static const int flags[] = {
		O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_RDWR | O_CREAT, O_WRONLY | O_APPEND};
	const struct open_how how = {.flags = O_WRONLY};

	for (int i = 0; i < (int)ARRAY_SIZE(flags); i++) {
		if (!refused(openat(AT_FDCWD, path, flags[i], 0600)))
			return 10 + i;
		if (!refused(syscall(SYS_open, path, flags[i], 0600)))
			return 20 + i;
	}
	if (!refused(syscall(SYS_creat, path, 0600)))
		return 30;
	if (!refused(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how))))
		return 31;
	if (fopen(path, "w"))
		return 32;
	if (open(path, O_RDONLY) < 0 || syscall(SYS_open, path, O_RDONLY | O_CLOEXEC) < 0)
		return 33;
	return 0;
}

static void test_open_for_writing(void **state)
{
	char path[] = "/tmp/test_readonly.XXXXXX";
	int fd = mkstemp(path), status;
	pid_t child;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	child = fork();
	if (child == 0)
		_exit(readonly_enter() < 0 ? 1 : try_all(path));
	assert_int_equal(waitpid(child, &status, 0), child);
	unlink(path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_for_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
