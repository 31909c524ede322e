/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * daxmap: use a devdax device
 *
 *   daxmap DEVICE [LENGTH] [--hold | --sum]
 *
 * Maps LENGTH bytes (default: 2 MiB) of DEVICE, writes a pattern, reads it back and exits 0 if it
 * is the same. With --hold it then prints "mapped", keeps the mapping until it gets SIGTERM, and
 * writes and reads once more before it exits. With --sum it writes nothing, and prints a checksum
 * of the content.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_LENGTH (2UL << 20)
#define MULTIPLIER     0x9e3779b97f4a7c15

static uint64_t pattern(size_t i)
{
	return (i + 1) * MULTIPLIER;
}

static void check(volatile uint64_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		words[i] = pattern(i);
	for (size_t i = 0; i < n; i++)
		if (words[i] != pattern(i))
			errx(EXIT_FAILURE, "word %zu differs", i);
}

static uint64_t sum(const volatile uint64_t *words, size_t n)
{
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++)
		all = (all ^ words[i]) * MULTIPLIER;
	return all;
}

static void hold(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("mapped");
	fflush(stdout);
	sigwait(&set, &number);
}

int main(int argc, char **argv)
{
	bool holds = false, sums = false;
	size_t length = DEFAULT_LENGTH;
	const char *device = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--hold"))
			holds = true;
		else if (!strcmp(argv[i], "--sum"))
			sums = true;
		else if (!device)
			device = argv[i];
		else
			length = strtoul(argv[i], NULL, 0);
	}
	if (!device)
		errx(EXIT_FAILURE, "usage: daxmap DEVICE [LENGTH] [--hold | --sum]");

	int fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(EXIT_FAILURE, "%s", device);
	void *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(EXIT_FAILURE, "mmap %s", device);
	if (sums) {
		printf("%016" PRIx64 "\n", sum(map, length / sizeof(uint64_t)));
		return EXIT_SUCCESS;
	}
	check(map, length / sizeof(uint64_t));
	if (holds) {
		hold();
		check(map, length / sizeof(uint64_t));
	}
	return EXIT_SUCCESS;
}
