/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The search for lines that may online memory: lines that do and lines that do not, the lines of
 * each kind of file, the scripts in a command, and random bytes.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tdxo/doctor/writer.h"

#define MEMORY "/sys/devices/system/memory"
#define KMEM   "/sys/bus/dax/drivers/kmem"

static void test_lines(void **state)
{
	static const struct {
		const char *text;
		bool found;
	} rows[] = {
		/* tmpfiles.d, sysfs.conf, scripts */
		{"w " MEMORY "/auto_online_blocks - - - - online", true},
		{"w- " MEMORY "/memory*/state - - - - online_movable", true},
		{"devices/system/memory/auto_online_blocks = online_kernel", true},
		{"devices/system/memory/memory40/state = online", true},
		{"bus/dax/drivers_autoprobe = 1", true},
		{"echo online >" MEMORY "/auto_online_blocks", true},
		{"AUTO=" MEMORY "/auto_online_blocks", true},
		{"for m in " MEMORY "/memory*/state; do echo $what >$m; done", true},
		{"echo 1 > " MEMORY "/memory40/online", true},
		{"echo \"$x\" | tee " MEMORY "/memory40/state", true},
		{"cd " MEMORY "\necho online >$m/state", true},
		{"cd " MEMORY "\n[ -e $m ] && echo 1 > $m/online", true},
		{"echo 1 >/sys/bus/dax/drivers_autoprobe", true},
		{"echo dax0.0 >" KMEM "/bind", true},
		{"echo dax0.0 >" KMEM "/new_id", true},
		{"chmem -e 1g", true},
		{"/usr/bin/chmem -v --enable 1g", true},
		{"daxctl online-memory all", true},
		{"daxctl reconfigure-device --mode=system-ram dax0.0", true},
		{"daxctl reconfigure-device dax0.0", true},
		{"GRUB_CMDLINE_LINUX=\"memhp_default_state=online\"", true},
		/* a command in a line that otherwise only reads */
		{"for d in $(daxctl list | grep -o 'dax[0-9.]*'); do daxctl online-memory $d; done",
			true},
		{"daxctl reconfigure-device -m system-ram $(cat /etc/devices)", true},
		{"chmem -e $(cat /etc/range)", true},
		{"grep -l offline " MEMORY "/memory*/state | xargs chmem --enable", true},
		{"kexec -l /boot/x --append=\"$(cat /proc/cmdline) memhp_default_state=online\"",
			true},
		/* the path is elsewhere in the line */
		{"cd " MEMORY "/memory40; echo online >state", true},
		{"find " MEMORY "/ -name state -exec sh -c 'echo online_movable >{}' \\;", true},
		/* lines that take memory offline, or only read */
		{"w " MEMORY "/auto_online_blocks - - - - offline", false},
		{"echo offline >" MEMORY "/memory40/state", false},
		{"cd " MEMORY "/memory40; echo offline >state", false},
		{"echo 0 >" MEMORY "/memory40/online", false},
		{"ls " MEMORY "/", false},
		{"bus/dax/drivers_autoprobe = 0", false},
		{"echo dax0.0 >" KMEM "/unbind", false},
		{"daxctl reconfigure-device -m devdax dax0.0", false},
		{"daxctl offline-memory dax0.0", false},
		{"chmem -d 1g", false},
		{"memhp_default_state=offline", false},
		{"grep -q online " MEMORY "/auto_online_blocks", false},
		{"x=$(cat " MEMORY "/memory40/state)", false},
		{"grep online " MEMORY "/memory40/*", false},
		/* comments, and files of other devices */
		{"", false},
		{"# echo online >" MEMORY "/auto_online_blocks", false},
		{"  ; echo online >" MEMORY "/auto_online_blocks", false},
		{"echo online >/run/network/state", false},
		{"echo 1 >/sys/devices/system/cpu/cpu1/online", false},
		{"echo 1 >/sys/bus/pci/drivers_autoprobe", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct writer_text text = {
			.conf = {.text = rows[i].text, .size = strlen(rows[i].text)},
			.kind = WRITER_SCRIPT};
		struct writer_line line;

		if (writer_next(&text, &line) != rows[i].found)
			fail_msg("%sfound: %s", rows[i].found ? "not " : "", rows[i].text);
	}
}

struct want {
	unsigned int first, last;
	bool onlines;
	const char *text;
};

static void assert_lines(
	enum writer_kind kind, const char *bytes, size_t size, const struct want *wants, size_t n)
{
	struct writer_text text = {.conf = {.text = bytes, .size = size}, .kind = kind};
	struct writer_line line;

	for (size_t i = 0; i < n; i++) {
		assert_true(writer_next(&text, &line));
		assert_int_equal(line.first, wants[i].first);
		assert_int_equal(line.last, wants[i].last);
		assert_int_equal(line.onlines, wants[i].onlines);
		assert_string_equal(line.text, wants[i].text);
	}
	assert_false(writer_next(&text, &line));
}

/* Each command of a unit, and no other key. */
static void test_unit(void **state)
{
	static const char unit[] = "[Service]\n"
				   "ReadWritePaths=" MEMORY "/auto_online_blocks online\n"
				   "ExecStartPre=-/bin/true\n"
				   "ExecStart = /bin/sh -c 'chmem \\\n"
				   "# a comment\n"
				   "   -e 1g'\n"
				   "#ExecStop=chmem -e 1g\n"
				   "ExecStop\n"
				   "Executable=chmem -e 2g\\";
	static const struct want wants[] = {
		{3, 3, false, "-/bin/true"},
		{4, 6, true, "/bin/sh -c 'chmem -e 1g'"},
		{9, 9, true, "chmem -e 2g"},
	};

	(void)state;
	assert_lines(WRITER_UNIT, unit, sizeof(unit) - 1, wants, ARRAY_SIZE(wants));
}

/* A line that is too long is cut off, and the text of a line ends at a NUL. */
static void test_cut_off(void **state)
{
	static const char nul[] = "chmem\0 -e 1g\nchmem -e 2g";
	static const struct want want = {2, 2, true, "chmem -e 2g"};
	char text[2 * WRITER_LINE];

	(void)state;
	assert_lines(WRITER_SCRIPT, nul, sizeof(nul) - 1, &want, 1);
	memset(text, 'x', sizeof(text));
	memcpy(text + WRITER_LINE, " chmem -e", strlen(" chmem -e"));
	text[sizeof(text) - 12] = '\n';
	memcpy(text + sizeof(text) - 11, "chmem -e 2g", 11);
	assert_lines(WRITER_SCRIPT, text, sizeof(text), &want, 1);
}

static void test_programs(void **state)
{
	static const struct {
		const char *command, *programs[3];
	} rows[] = {
		{"/usr/local/sbin/a %k", {"/usr/local/sbin/a"}},
		{"-@/usr/bin/a b", {"/usr/bin/a"}},
		{"/bin/sh -c '/opt/a x; \"/opt/b\"|tee y'", {"/bin/sh", "/opt/a", "/opt/b"}},
		{"/bin/sh -c \"cat </sys/a >/dev/null $(/opt/a)\"", {"/bin/sh", "/opt/a"}},
		{"grow /proc/1/root --file=/etc/x", {NULL}},
		{"", {NULL}},
		{"  '\"", {NULL}},
	};
	char program[PROGRAM_PATH];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *command = rows[i].command;

		for (size_t j = 0; j < 3 && rows[i].programs[j]; j++) {
			assert_true(program_next(&command, program));
			assert_string_equal(program, rows[i].programs[j]);
		}
		assert_false(program_next(&command, program));
	}
}

/* Random bytes: each line is read once, in order. */
static void test_any_bytes(void **state)
{
	static const char *const parts[] = {"Exec", "Start", "=", "chmem", " -e", "\\", "\n",
		"\\\n", "#", ";", "online", "auto_online_blocks", "/opt/a", "'", "\"", "\r", " ",
		"\t"};
	uint64_t seed = 1;
	char text[1024], program[PROGRAM_PATH];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct writer_text writer = {
			.conf.text = text, .kind = (enum writer_kind)below(&seed, WRITER_MAX)};
		struct writer_line line;
		unsigned int last = 0;

		for (size_t i = 0, n = below(&seed, 60); i < n; i++) {
			const char *part = parts[below(&seed, ARRAY_SIZE(parts))];

			if (below(&seed, 20) == 0)
				text[writer.conf.size++] = (char)below(&seed, 256);
			memcpy(text + writer.conf.size, part, strlen(part));
			writer.conf.size += strlen(part);
		}
		while (writer_next(&writer, &line)) {
			const char *command = line.text;

			assert_true(line.first > last && line.last >= line.first);
			last = line.last;
			while (program_next(&command, program))
				assert_int_equal(*program, '/');
		}
		assert_int_equal(writer.conf.position, writer.conf.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_unit),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
