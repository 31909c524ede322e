/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * daxmap: use a devdax device
 *
 *   daxmap DEVICE [LENGTH] [--hold]
 *
 * Maps LENGTH bytes (default: 2 MiB) of DEVICE, writes a pattern, reads it back and exits 0 if it
 * is the same. With --hold it then says "mapped" and keeps the mapping until it is killed.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_LENGTH (2UL << 20)

static uint64_t pattern(size_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15;
}

static void check(volatile uint64_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		words[i] = pattern(i);
	for (size_t i = 0; i < n; i++)
		if (words[i] != pattern(i))
			errx(EXIT_FAILURE, "word %zu differs", i);
}

int main(int argc, char **argv)
{
	size_t length = DEFAULT_LENGTH;
	const char *device = NULL;
	int hold = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--hold"))
			hold = 1;
		else if (!device)
			device = argv[i];
		else
			length = strtoul(argv[i], NULL, 0);
	}
	if (!device)
		errx(EXIT_FAILURE, "usage: daxmap DEVICE [LENGTH] [--hold]");

	int fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(EXIT_FAILURE, "%s", device);
	void *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(EXIT_FAILURE, "mmap %s", device);
	check(map, length / sizeof(uint64_t));
	if (hold) {
		puts("mapped");
		fflush(stdout);
		pause();
	}
	return EXIT_SUCCESS;
}
