/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a file of sysfs, as text and as a number.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/host/sysfs.h"
#include "tests/fuzz/fuzz.h"

/* A memfd is read by its name in /proc/self/fd. */
static const char *path_of_bytes(const uint8_t *data, size_t size)
{
	static struct path path;
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("attribute", MFD_CLOEXEC);
	require(fd >= 0 && ftruncate(fd, 0) == 0);
	require(pwrite(fd, data, size, 0) == (ssize_t)size);
	return path_of(&path, "/proc/self/fd/%d", fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = path_of_bytes(data, size);
	char text[64], head[64], *whole;
	uint64_t number;
	size_t length;
	int r;

	r = sysfs_read(path, text, sizeof(text));
	require(r == 0 || r == -EOVERFLOW);
	require(sysfs_read_head(path, head, sizeof(head)) == 0 && is_string(head));
	require(r < 0 || (is_string(text) && strlen(text) <= size));
	require(sysfs_read_text(path, &whole, &length) == 0);
	require(length == size && whole[length] == '\0');
	require(size == 0 || memcmp(whole, data, size) == 0);
	free(whole);
	for (int base = 0; base <= 16; base += base ? 6 : 10) {
		r = sysfs_read_number(path, base, &number);
		require(r == 0 || r == -EBADMSG || r == -EOVERFLOW);
	}
	return 0;
}
