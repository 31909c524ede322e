/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * udev rules: files as distributions have them, lines that may online memory, lines that do not,
 * and random bytes.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/doctor/udev_rule.h"

static void free_bytes(char **bytes)
{
	free(*bytes);
}

static void assert_writes_of(
	const char *text, size_t size, const struct udev_write *wants, size_t n)
{
	struct udev_text rules = {.text = text, .size = size};
	struct udev_write write;

	for (size_t i = 0; i < n; i++) {
		if (!udev_next(&rules, &write))
			fail_msg("%.*s\n%zu found, not %zu", (int)size, text, i, n);
		if (write.first_line != wants[i].first_line ||
			write.last_line != wants[i].last_line || write.way != wants[i].way ||
			strcmp(write.what, wants[i].what) != 0)
			fail_msg("%.*s\nfound in lines %u to %u: %s", (int)size, text,
				write.first_line, write.last_line, write.what);
	}
	if (udev_next(&rules, &write))
		fail_msg("%.*s\nfound in lines %u to %u, too: %s", (int)size, text,
			write.first_line, write.last_line, write.what);
}

#define assert_writes(text, ...)                                                                   \
	do {                                                                                       \
		const struct udev_write wants_[] = {__VA_ARGS__};                                  \
		assert_writes_of(text, strlen(text), wants_, ARRAY_SIZE(wants_));                  \
	} while (0)

#define assert_none(text) assert_writes_of(text, strlen(text), NULL, 0)

/* Red Hat: CPUs, then memory, each behind a jump, and the value in a property. */
#define RED_HAT                                                                                    \
	"# Processors that are added\n"                                                            \
	"SUBSYSTEM!=\"cpu\", GOTO=\"processors_done\"\n"                                           \
	"ACTION!=\"add\", GOTO=\"processors_done\"\n"                                              \
	"CONST{arch}==\"ppc64*\", GOTO=\"processors_done\"\n"                                      \
	"CONST{arch}==\"s390*\", ATTR{configure}==\"0\", GOTO=\"processors_done\"\n"               \
	"\n"                                                                                       \
	"TEST==\"online\", ATTR{online}==\"0\", ATTR{online}=\"1\"\n"                              \
	"\n"                                                                                       \
	"LABEL=\"processors_done\"\n"                                                              \
	"\n"                                                                                       \
	"# Memory that is added\n"                                                                 \
	"SUBSYSTEM!=\"memory\", GOTO=\"blocks_done\"\n"                                            \
	"ACTION!=\"add\", GOTO=\"blocks_done\"\n"                                                  \
	"CONST{arch}==\"s390*\", GOTO=\"blocks_done\"\n"                                           \
	"\n"                                                                                       \
	"ENV{.state}=\"online\"\n"                                                                 \
	"CONST{virt}==\"none\", ENV{.state}=\"online_movable\"\n"                                  \
	"ATTR{state}==\"offline\", ATTR{state}=\"$env{.state}\"\n"                                 \
	"\n"                                                                                       \
	"LABEL=\"blocks_done\"\n"                                                                  \
	"SUBSYSTEM==\"scsi\", TEST!=\"[module/sg]\", RUN+=\"/sbin/modprobe -bv sg\"\n"

/* Red Hat 7: one line for CPUs, and a jump with two conditions. */
#define RED_HAT_7                                                                                  \
	"SUBSYSTEM==\"cpu\", ACTION==\"add\", TEST==\"online\", ATTR{online}==\"0\","              \
	" ATTR{online}=\"1\"\n"                                                                    \
	"SUBSYSTEM!=\"memory\", ACTION!=\"add\", GOTO=\"blocks_done\"\n"                           \
	"PROGRAM=\"/bin/uname -p\", RESULT==\"s390*\", GOTO=\"blocks_done\"\n"                     \
	"ENV{.state}=\"online\"\n"                                                                 \
	"PROGRAM=\"/bin/systemd-detect-virt\", RESULT==\"none\","                                  \
	" ENV{.state}=\"online_movable\"\n"                                                        \
	"ATTR{state}==\"offline\", ATTR{state}=\"$env{.state}\"\n"                                 \
	"LABEL=\"blocks_done\"\n"

/* SUSE: all in one line, and a tag. */
#define SUSE                                                                                       \
	"SUBSYSTEM==\"cpu\", ACTION==\"add\", TEST==\"online\", ATTR{online}==\"0\","              \
	" ATTR{online}=\"1\"\n"                                                                    \
	"SUBSYSTEM==\"memory\", ACTION==\"add\", TEST==\"state\", ATTR{state}==\"offline\","       \
	" ATTR{state}=\"online\", TAG+=\"tmpfs\"\n"                                                \
	"TAG==\"tmpfs\", RUN+=\"/usr/lib/udev/grow-tmpfs\"\n"

/* Ubuntu: for the virtual machines of two vendors. */
#define UBUNTU                                                                                     \
	"ATTR{[dmi/id]sys_vendor}==\"Microsoft Corporation\","                                     \
	" ATTR{[dmi/id]product_name}==\"Virtual Machine\", GOTO=\"add_it\"\n"                      \
	"ATTR{[dmi/id]sys_vendor}==\"Xen\", GOTO=\"add_it\"\n"                                     \
	"GOTO=\"done\"\n"                                                                          \
	"LABEL=\"add_it\"\n"                                                                       \
	"SUBSYSTEM==\"memory\", ACTION==\"add\", DEVPATH==\"/devices/system/memory/memory[0-9]*\"" \
	", TEST==\"state\", ATTR{state}!=\"online\", ATTR{state}=\"online\"\n"                     \
	"SUBSYSTEM==\"cpu\", ACTION==\"add\", DEVPATH==\"/devices/system/cpu/cpu[0-9]*\","         \
	" TEST==\"online\", ATTR{online}!=\"1\", ATTR{online}=\"1\"\n"                             \
	"LABEL=\"done\"\n"

static void test_distributions(void **state)
{
	(void)state;
	assert_writes(RED_HAT, {18, 18, UDEV_WRITES, "$env{.state}"});
	assert_writes(RED_HAT_7, {6, 6, UDEV_WRITES, "$env{.state}"});
	assert_writes(SUSE, {2, 2, UDEV_WRITES, "online"});
	assert_writes(UBUNTU, {5, 5, UDEV_WRITES, "online"});
}

#define MEMORY "SUBSYSTEM==\"memory\", "
#define CPU    "SUBSYSTEM==\"cpu\", "
#define ONLINE "ATTR{state}=\"online\""

/* Files of one line that writes a value to an attribute. */
static void test_attributes(void **state)
{
	static const struct {
		const char *line, *value; /* NULL: not found */
	} rows[] = {
		/* spellings of the same assignment */
		{MEMORY ONLINE, "online"},
		{"SUBSYSTEM==\"memory\" " ONLINE, "online"},
		{"SUBSYSTEM==\"memory\"" ONLINE, "online"},
		{",,SUBSYSTEM==\"memory\",," ONLINE ", ", "online"},
		{" \tSUBSYSTEM == \"memory\" ,\t ATTR{state} = \"online\" , ", "online"},
		{MEMORY "ATTR{state}:=\"online\"", "online"},
		{MEMORY "ATTR{state}+=\"online\"", "online"},
		{MEMORY "ATTR{state}=e\"online\"", "online"},
		{MEMORY ONLINE "\r\n", "online"},
		{MEMORY "ENV{X}=\"\\\"\", " ONLINE, "online"},
		{MEMORY "ENV{X}=e\"\\\\\", " ONLINE, "online"},
		{MEMORY "ENV{X}=\"\\\", " ONLINE, NULL},
		/* values and attributes */
		{MEMORY "ATTR{state}=\"online_movable\"", "online_movable"},
		{MEMORY "ATTR{state}=\"%c\"", "%c"},
		{MEMORY "ATTR{state}=\"$env{A\"", "$env{A"},
		{MEMORY "ATTR{state}=\"offline\"", NULL},
		{MEMORY "ATTR{state}==\"online\"", NULL},
		{MEMORY "ATTR{state}!=\"online\"", NULL},
		{MEMORY "ATTR{power/state}=\"online\"", NULL},
		{MEMORY "ENV{state}=\"online\"", NULL},
		{MEMORY "ATTR{online}=\"1\"", "1"},
		{MEMORY "ATTR{online}=\"$env{A}\"", "$env{A}"},
		{MEMORY "ATTR{online}=\"0\"", NULL},
		{MEMORY "ATTR{online}==\"1\"", NULL},
		{"ATTR{../auto_online_blocks}=\"online\"", "online"},
		{CPU "ATTR{[memory/memory0]../auto_online_blocks}=\"online\"", "online"},
		{"ATTR{../auto_online_blocks}=\"offline\"", NULL},
		{CPU "ATTR{[memory/memory40]state}=\"online\"", "online"},
		{"ATTR{[memory/memory40]online}=\"1\"", "1"},
		{"ATTR{[cpu/cpu1]online}=\"1\"", NULL},
		{"ATTR{[memory/memory40state}=\"online\"", NULL},
		/* devices */
		{ONLINE, "online"},
		{ONLINE ", SUBSYSTEM==\"memory\"", "online"},
		{"ATTR{online}=\"1\"", "1"},
		{"SUBSYSTEM==\"dax\", ATTR{state}=\"online_kernel\"", "online_kernel"},
		{"SUBSYSTEMS==\"cxl\", " ONLINE, "online"},
		{"SUBSYSTEM==i\"MEMORY\", " ONLINE, "online"},
		{"SUBSYSTEM==\"cpu|memory\", " ONLINE, "online"},
		{"SUBSYSTEM==\"mem*\", " ONLINE, "online"},
		{"SUBSYSTEM==\"m[a-e]mory\", " ONLINE, "online"},
		{"SUBSYSTEM==\"?*\", " ONLINE, "online"},
		{"SUBSYSTEM!=\"cpu\", " ONLINE, "online"},
		{"KERNEL==\"memory[0-9]*\", " ONLINE, "online"},
		{"KERNEL==\"memory40\", " ONLINE, "online"},
		{CPU "ATTR{online}=\"1\"", NULL},
		{"ATTR{online}=\"1\", SUBSYSTEM==\"cpu\"", NULL},
		{"SUBSYSTEMS==\"cpu\", ATTR{online}=\"1\"", NULL},
		{"KERNEL==\"cpu[0-9]*\", ATTR{online}=\"1\"", NULL},
		{"SUBSYSTEM==\"cpu|net*\", " ONLINE, NULL},
		{"SUBSYSTEM==\"rfkill\", ATTR{state}=\"$env{A}\"", NULL},
		/* other conditions are not evaluated */
		{MEMORY "ACTION==\"remove\", CONST{arch}==\"s390*\", " ONLINE, "online"},
		{MEMORY "TAG==\"x\", ENV{A}!=\"1\", TEST!=\"state\", " ONLINE, "online"},
		/* udevd ignores a line with a syntax error */
		{MEMORY "ATTR{state}=\"online", NULL},
		{MEMORY "ATTR{state}=online", NULL},
		{MEMORY "ATTR{state=\"online\"", NULL},
		{MEMORY "ATTR{state}\"online\"", NULL},
		{MEMORY ONLINE ", oops", NULL},
		{"=\"memory\", " ONLINE, NULL},
		{"SUBSYSTEM~\"memory\", " ONLINE, NULL},
		{"SUBSYSTEM==x\"memory\", " ONLINE, NULL},
		/* comments */
		{"# " MEMORY ONLINE, NULL},
		{"  \t# " MEMORY ONLINE, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct udev_write want = {1, 1, UDEV_WRITES, ""};

		snprintf(want.what, sizeof(want.what), "%s", rows[i].value ?: "");
		assert_writes_of(rows[i].line, strlen(rows[i].line), &want, rows[i].value ? 1 : 0);
	}
}

/* Commands, each in a rule for memory and in a rule for CPUs. */
static void test_commands(void **state)
{
	static const struct {
		const char *key, *command;
		bool of_memory, of_cpu; /* found in such a rule */
	} rows[] = {
		{"RUN+=", "/bin/sh -c 'echo online > /sys$devpath/state'", true, false},
		{"RUN+=", "/bin/sh -c 'echo online_movable | tee /sys%p/state'", true, false},
		{"RUN+=", "/bin/sh -c 'echo 1 > /sys%p/online'", true, false},
		{"RUN+=", "/bin/sh -c 'echo online > /sys/x/memory/auto_online_blocks'", true,
			true},
		{"RUN+=", "/bin/sh -c 'echo online > /sys/devices/system/memory/memory40/state'",
			true, true},
		{"RUN+=", "/bin/sh -c 'cd /sys/devices/system/memory/memory40; echo online >state'",
			true, true},
		{"RUN+=", "/bin/sh -c 'chmem -e $(cat /etc/range)'", true, true},
		{"RUN+=", "/sbin/chmem -e 1g", true, true},
		{"RUN{program}+=", "/bin/chmem --enable -b 32", true, true},
		{"RUN=", "/usr/bin/daxctl online-memory $kernel", true, true},
		{"RUN+=", "/usr/bin/daxctl reconfigure-device -m system-ram %k", true, true},
		{"PROGRAM=", "/sbin/chmem -e 1g", true, true},
		{"PROGRAM==", "/sbin/chmem -e 1g", true, true},
		{"IMPORT{program}==", "/sbin/chmem -e 1g", true, true},
		{"RUN{builtin}+=", "kmod load chmem -e", false, false},
		{"RUN+=", "/bin/logger memory is there", false, false},
		{"RUN+=", "/bin/sh -c 'echo offline > /sys$devpath/state'", false, false},
		{"PROGRAM==", "/bin/grep online /sys/x/memory/auto_online_blocks", false, false},
		{"ENV{A}=", "/sbin/chmem -e 1g", false, false},
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct udev_write want = {1, 1, UDEV_RUNS, ""};

		snprintf(want.what, sizeof(want.what), "%s", rows[i].command);
		snprintf(line, sizeof(line), MEMORY "%s\"%s\"", rows[i].key, rows[i].command);
		assert_writes_of(line, strlen(line), &want, rows[i].of_memory);
		snprintf(line, sizeof(line), CPU "%s\"%s\"", rows[i].key, rows[i].command);
		assert_writes_of(line, strlen(line), &want, rows[i].of_cpu);
	}
	/*
	 * of several assignments a certain one is reported before a possible one, and the first
	 * before the rest
	 */
	assert_writes(CPU "ATTR{online}=\"1\", RUN+=\"chmem -e 1g\", RUN+=\"chmem -e 2g\"",
		{1, 1, UDEV_RUNS, "chmem -e 1g"});
}

#define CPU_GUARD "SUBSYSTEM!=\"cpu\", GOTO=\"end\"\n"

static void test_guards(void **state)
{
	(void)state;
	assert_none(CPU_GUARD "ATTR{online}=\"1\"\nLABEL=\"end\"\n");
	assert_writes(CPU_GUARD "LABEL=\"end\"\n" ONLINE, {3, 3, UDEV_WRITES, "online"});
	assert_writes(CPU_GUARD "LABEL=\"end\", " ONLINE, {2, 2, UDEV_WRITES, "online"});
	/* memory does not take the jump */
	assert_writes(
		"SUBSYSTEM!=\"cpu|memory\", GOTO=\"end\"\n" ONLINE, {2, 2, UDEV_WRITES, "online"});
	assert_writes("SUBSYSTEM==\"cpu\", GOTO=\"end\"\n" ONLINE, {2, 2, UDEV_WRITES, "online"});
	assert_writes("SUBSYSTEM!=\"cpu\", ACTION!=\"add\", GOTO=\"end\"\n" ONLINE,
		{2, 2, UDEV_WRITES, "online"});
	assert_writes("SUBSYSTEM!=\"cpu\", TAG+=\"x\"\n" ONLINE, {2, 2, UDEV_WRITES, "online"});
	/* memory may take another jump to the same label */
	assert_writes("TAG==\"x\", GOTO=\"in\"\n" CPU_GUARD "LABEL=\"in\"\n" ONLINE "\n",
		{4, 4, UDEV_WRITES, "online"});
}

static void test_continuation(void **state)
{
	(void)state;
	assert_writes("SUBSYSTEM==\"memory\", \\\n\tATTR{state}=\"online\"\n",
		{1, 2, UDEV_WRITES, "online"});
	assert_writes("\n\nSUBSYSTEM==\"memory\"\\\n# between\\\n  , \\\nATTR{state}=\"on\\\n"
		      "line\"\nSUBSYSTEM==\"memory\", ATTR{online}=\"1\"\n",
		{3, 7, UDEV_WRITES, "online"}, {8, 8, UDEV_WRITES, "1"});
	/* the end of the file ends a line, too */
	assert_writes(MEMORY ONLINE " \\", {1, 1, UDEV_WRITES, "online"});
	/* an empty line ends a continued line */
	assert_writes(CPU "\\\n\n" ONLINE "\n", {3, 3, UDEV_WRITES, "online"});
	/* a comment is not continued */
	assert_writes("# all \\\n" MEMORY ONLINE "\n", {2, 2, UDEV_WRITES, "online"});
}

/* A line that is too long is ignored; the lines after it are read. */
static void test_long(void **state)
{
	static const char good[] = MEMORY ONLINE;
	const struct udev_write wants[] = {
		{1, 1, UDEV_WRITES, "online"}, {2, 2, UDEV_WRITES, "online"}};
	CLEANUP(free_bytes) char *text = malloc(2 * UDEV_LINE);
	size_t n = strlen(good);

	(void)state;
	assert_non_null(text);
	memset(text, ',', 2 * UDEV_LINE);
	memcpy(text, good, n);
	assert_writes_of(text, UDEV_LINE - 1, wants, 1);
	assert_writes_of(text, UDEV_LINE, wants, 0);
	text[UDEV_LINE] = '\n';
	memcpy(text + UDEV_LINE + 1, good, n);
	assert_writes_of(text, UDEV_LINE + 1 + n, wants + 1, 1);
	text[UDEV_LINE - 1] = '\n';
	text[UDEV_LINE] = '\t';
	assert_writes_of(text, UDEV_LINE + 1 + n, wants, 2);
}

static void test_nul(void **state)
{
	static const char text[] = "SUBSYSTEM==\"memory\", ATTR{online}=\"1\"\0x\n"
				   "SUBSYSTEM==\"cpu\"\0, ATTR{state}=\"online\"\n"
				   "ATTR{online}\0=\"1\"\n\0\n";
	const struct udev_write want = {1, 1, UDEV_WRITES, "1"};

	(void)state;
	assert_writes_of(text, sizeof(text) - 1, &want, 1);
	assert_writes_of(NULL, 0, NULL, 0);
}

/* Read a copy that ends at the end of its memory. Returns the number of lines found. */
static size_t read_any(const char *text, size_t size)
{
	CLEANUP(free_bytes) char *bytes = malloc(size ?: 1);
	struct udev_text rules = {.text = bytes, .size = size};
	struct udev_write write;
	unsigned int last = 0;
	size_t n = 0;

	assert_non_null(bytes);
	memcpy(bytes, text, size);
	for (; udev_next(&rules, &write); n++) {
		assert_true(write.first_line > last);
		assert_true(write.last_line >= write.first_line);
		assert_true(strnlen(write.what, UDEV_WHAT) < UDEV_WHAT);
		last = write.last_line;
	}
	assert_int_equal(rules.position, size);
	return n;
}

/*
 * A MiB of the same text repeated: a reader whose time grows with the square exceeds the timeout.
 */
static void test_repeated(void **state)
{
	static const struct {
		const char *unit;
		bool found;
	} rows[] = {
		{"a", false},
		{"\\\n", false},
		{"a\\\n", false},
		{"#\\\n", false},
		{"\"", false},
		{"A{", false},
		{"A=\"", false},
		{"A=\"\\\"", false},
		{"\0", false},
		{CPU_GUARD, false},
		{"LABEL=\"a\"\nGOTO=\"a\"\n", false},
		{"SUBSYSTEM==\"*?*?*?*?|*|*|*[\"\n", false},
		{"ENV{A}=\"$env{A}\"\n", false},
		{"RUN+=\"chmem daxctl echo echo 1 online\"\n", false},
		{ONLINE "\n", true},
		{ONLINE "\\\n", false},
	};
	CLEANUP(free_bytes) char *text = malloc(MIB);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t length = strlen(rows[i].unit) ?: 1;

		for (size_t n = 0; n < MIB; n++)
			text[n] = rows[i].unit[n % length];
		assert_int_equal(read_any(text, MIB), rows[i].found ? MIB / length : 0);
	}
}

static void test_any_bytes(void **state)
{
	static const char *const parts[] = {"SUBSYSTEM", "ATTR{state}", "=", "==", "!=", "\"",
		"\"memory\"", "\"online\"", "\\", "\n", "\\\n", "#", ",", " ", "{", "}", "GOTO",
		"LABEL", "\"end\"", "ATTR{[memory/", "]state}", "$env{A}", "i", "e", "|", "*", "[",
		"\r\n", "RUN+="};
	uint64_t seed = 1;
	char text[1024];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t size = 0, n = below(&seed, 60);

		for (size_t i = 0; i < n; i++) {
			const char *part = parts[below(&seed, ARRAY_SIZE(parts))];

			if (below(&seed, 20) == 0)
				text[size++] = (char)below(&seed, 256);
			memcpy(text + size, part, strlen(part));
			size += strlen(part);
		}
		read_any(text, size);
	}
	for (size_t size = 0; size < sizeof(RED_HAT); size++)
		read_any(RED_HAT, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distributions),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_guards),
		cmocka_unit_test(test_continuation),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
