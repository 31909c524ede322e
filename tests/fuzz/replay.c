/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replay: call a target with each file of the directories in the arguments, in place of libFuzzer.
 */
#include <dirent.h>
#include <limits.h>

#include "tests/fuzz/fuzz.h"

static void replay(const char *path)
{
	FILE *file = fopen(path, "r");
	uint8_t *data = NULL;
	long size;

	require(file && fseek(file, 0, SEEK_END) == 0);
	size = ftell(file);
	rewind(file);
	data = malloc((size_t)size);
	require(size == 0 || (data && fread(data, (size_t)size, 1, file) == 1));
	fclose(file);
	/* If the target aborts, the last line names the input. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
}

static size_t replay_directory(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char path[PATH_MAX];
	size_t n = 0;

	require(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		replay(path);
		n++;
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		n += replay_directory(argv[i]);
	printf("%zu inputs\n", n);
	return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
