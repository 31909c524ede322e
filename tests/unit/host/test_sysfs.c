/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes that a child process reads: the same texts and errors as without a child, and a
 * timeout.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/host/sysfs.h"

ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size);

static bool blocks; /* every read(2) blocks, except in this process */
static pid_t self;

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
	if (blocks && getpid() != self)
		pause();
	return __real_read(fd, buf, size);
}

static int make_file(void **state)
{
	char path[] = "/tmp/test_sysfs-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, "0x1000\n", 7) != 7 || close(fd) < 0)
		return -1;
	self = getpid();
	blocks = false;
	*state = strdup(path);
	return *state ? 0 : -1;
}

static int remove_file(void **state)
{
	unlink(*state);
	free(*state);
	return 0;
}

static void test_read(void **state)
{
	char text[8], narrow[7];
	uint64_t number;

	assert_int_equal(sysfs_read_in_time(*state, text, sizeof(text)), 0);
	assert_string_equal(text, "0x1000");
	assert_int_equal(sysfs_read_number_in_time(*state, 0, &number), 0);
	assert_int_equal(number, 0x1000);
	assert_int_equal(sysfs_read_in_time(*state, narrow, sizeof(narrow)), -EOVERFLOW);
	assert_int_equal(sysfs_read_number_in_time(*state, 8, &number), -EBADMSG);
}

static void test_errors(void **state)
{
	char text[8];

	assert_int_equal(sysfs_read_in_time("/", text, sizeof(text)), -EISDIR);
	assert_int_equal(sysfs_read_in_time("/dev/null", text, sizeof(text)), -EOPNOTSUPP);
	unlink(*state);
	assert_int_equal(sysfs_read_in_time(*state, text, sizeof(text)), -ENOENT);
}

/* The child has been killed and waited for. */
static void test_blocked(void **state)
{
	char text[8];

	blocks = true;
	assert_int_equal(sysfs_read_in_time(*state, text, sizeof(text)), -ETIMEDOUT);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_errors, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_blocked, make_file, remove_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
