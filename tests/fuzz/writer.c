/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of other programs that may online memory, read as each kind of file, and the programs that
 * their lines run.
 */
#include "tdxo/doctor/writer.h"
#include "tests/fuzz/fuzz.h"

static void read_programs(const char *command)
{
	const char *end = command + strlen(command), *before = command;
	char program[PROGRAM_PATH];

	while (program_next(&command, program)) {
		require(command > before && command <= end);
		require(is_string(program) && program[0] == '/');
		require(strncmp(program, "/sys/", strlen("/sys/")) != 0);
		require(memmem(before, (size_t)(command - before), program, strlen(program)));
		before = command;
	}
	require(*command == '\0');
}

static void read_as(enum writer_kind kind, const uint8_t *data, size_t size)
{
	struct writer_text text = {
		.conf = {.text = (const char *)data, .size = size}, .kind = kind};
	struct writer_line line;
	unsigned int last = 0;

	while (writer_next(&text, &line)) {
		require(line.first > last && line.last >= line.first);
		require(line.onlines || kind == WRITER_UNIT);
		require(is_string(line.text));
		read_programs(line.text);
		last = line.last;
	}
	require(text.conf.position == size);
	require(!writer_next(&text, &line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (enum writer_kind kind = 0; kind < WRITER_MAX; kind++)
		read_as(kind, data, size);
	return 0;
}
