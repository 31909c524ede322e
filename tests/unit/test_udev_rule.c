/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules of udev: files like those of the distributions, every way to write a line, what a rule
 * that does not apply is told from one that may, and any bytes.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/udev_rule.h"

static const struct udev_machine bare = {"none", "Example Corp", "Server 1"};
static const struct udev_machine hyperv = {NULL, "Microsoft Corporation", "Virtual Machine"};
static const struct udev_machine unknown;

static void free_bytes(char **bytes)
{
	free(*bytes);
}

static void assert_writes_of(const char *text, size_t size, const struct udev_machine *machine,
	const struct udev_write *wants, size_t n)
{
	CLEANUP(udev_writes_done) struct udev_writes writes = {0};

	assert_int_equal(udev_rules_read(text, size, machine, &writes), 0);
	for (size_t i = 0; i < writes.n && i < n; i++) {
		if (writes.items[i].first_line != wants[i].first_line ||
			writes.items[i].last_line != wants[i].last_line ||
			writes.items[i].way != wants[i].way ||
			strcmp(writes.items[i].what, wants[i].what) != 0)
			fail_msg("%s\nfound in lines %u to %u: %s", text,
				writes.items[i].first_line, writes.items[i].last_line,
				writes.items[i].what);
	}
	if (writes.n != n)
		fail_msg("%s\n%zu found, not %zu", text, writes.n, n);
}

#define assert_writes(text, machine, ...)                                                          \
	do {                                                                                       \
		const struct udev_write wants_[] = {__VA_ARGS__};                                  \
		assert_writes_of(text, strlen(text), machine, wants_, ARRAY_SIZE(wants_));         \
	} while (0)

/* The one line onlines memory, by this. */
static void assert_value(const char *line, enum udev_way way, const char *what)
{
	struct udev_write want = {.first_line = 1, .last_line = 1, .way = way};

	snprintf(want.what, sizeof(want.what), "%s", what);
	assert_writes_of(line, strlen(line), &bare, &want, 1);
}

static void assert_none(const char *text)
{
	assert_writes_of(text, strlen(text), &bare, NULL, 0);
}

/* As Red Hat has it: CPUs first, then memory, with jumps, and the value in a variable. */
#define RED_HAT                                                                                    \
	"# Processors that are added\n"                                                            \
	"SUBSYSTEM!=\"cpu\", GOTO=\"processors_done\"\n"                                           \
	"ACTION!=\"add\", GOTO=\"processors_done\"\n"                                              \
	"CONST{arch}==\"ppc64*\", GOTO=\"processors_done\"\n"                                      \
	"TEST==\"online\", ATTR{online}==\"0\", ATTR{online}=\"1\"\n"                              \
	"LABEL=\"processors_done\"\n"                                                              \
	"\n"                                                                                       \
	"# Memory that is added\n"                                                                 \
	"SUBSYSTEM!=\"memory\", GOTO=\"blocks_done\"\n"                                            \
	"ACTION!=\"add\", GOTO=\"blocks_done\"\n"                                                  \
	"CONST{arch}==\"s390*\", GOTO=\"blocks_done\"\n"                                           \
	"ENV{.state}=\"online\"\n"                                                                 \
	"CONST{virt}==\"none\", ENV{.state}=\"online_movable\"\n"                                  \
	"ATTR{state}==\"offline\", ATTR{state}=\"$env{.state}\"\n"                                 \
	"LABEL=\"blocks_done\"\n"                                                                  \
	"SUBSYSTEM==\"net\", RUN+=\"/bin/true\"\n"

/* As it was in version 7: the jump by two matches in one line, and what a program answers. */
#define RED_HAT_7                                                                                  \
	"SUBSYSTEM!=\"memory\", ACTION!=\"add\", GOTO=\"blocks_done\"\n"                           \
	"PROGRAM=\"/bin/uname -p\", RESULT==\"s390*\", GOTO=\"blocks_done\"\n"                     \
	"ENV{.state}=\"online\"\n"                                                                 \
	"PROGRAM=\"/usr/bin/detect\", RESULT==\"none\", ENV{.state}=\"online_movable\"\n"          \
	"ATTR{state}==\"offline\", ATTR{state}=\"$env{.state}\"\n"                                 \
	"LABEL=\"blocks_done\"\n"

/* As SUSE has it: all in one line, and a tag for what comes after. */
#define SUSE                                                                                       \
	"SUBSYSTEM==\"cpu\", ACTION==\"add\", TEST==\"online\", ATTR{online}=\"1\"\n"              \
	"SUBSYSTEM==\"memory\", ACTION==\"add\", TEST==\"state\", ATTR{state}==\"offline\","       \
	" ATTR{state}=\"online\", TAG+=\"tmpfs\"\n"                                                \
	"TAG==\"tmpfs\", RUN+=\"/usr/lib/udev/grow-tmpfs\"\n"

/* As Debian and Ubuntu have it: on machines of two makers only. */
#define DEBIAN                                                                                     \
	"ATTR{[dmi/id]sys_vendor}==\"Microsoft Corporation\","                                     \
	" ATTR{[dmi/id]product_name}==\"Virtual Machine\", GOTO=\"add_it\"\n"                      \
	"ATTR{[dmi/id]sys_vendor}==\"Xen\", GOTO=\"add_it\"\n"                                     \
	"GOTO=\"done\"\n"                                                                          \
	"LABEL=\"add_it\"\n"                                                                       \
	"SUBSYSTEM==\"memory\", ACTION==\"add\", DEVPATH==\"/devices/system/memory/memory[0-9]*\"" \
	", TEST==\"state\", ATTR{state}!=\"online\", ATTR{state}=\"online\"\n"                     \
	"SUBSYSTEM==\"cpu\", ACTION==\"add\", TEST==\"online\", ATTR{online}=\"1\"\n"              \
	"LABEL=\"done\"\n"

static void test_red_hat(void **state)
{
	(void)state;
	assert_writes(RED_HAT, &bare, {14, 14, UDEV_WRITES, "online_movable"});
	assert_writes(RED_HAT, &unknown, {14, 14, UDEV_WRITES, "online_movable"});
	assert_writes(
		RED_HAT, &((struct udev_machine){.virt = "kvm"}), {14, 14, UDEV_WRITES, "online"});
	assert_writes(RED_HAT_7, &bare, {5, 5, UDEV_WRITES, "online_movable"});
}

static void test_suse(void **state)
{
	(void)state;
	assert_writes(SUSE, &bare, {2, 2, UDEV_WRITES, "online"});
	assert_writes(SUSE, &unknown, {2, 2, UDEV_WRITES, "online"});
}

static void test_debian(void **state)
{
	(void)state;
	assert_writes_of(DEBIAN, strlen(DEBIAN), &bare, NULL, 0);
	assert_writes(DEBIAN, &hyperv, {5, 5, UDEV_WRITES, "online"});
	assert_writes(DEBIAN, &((struct udev_machine){"none", "Xen", "Server 1"}),
		{5, 5, UDEV_WRITES, "online"});
	/* a machine of which nothing is known may be one of them */
	assert_writes(DEBIAN, &unknown, {5, 5, UDEV_WRITES, "online"});
}

/* The ways of the manuals of Hyper-V, Xen and home-made ones. */
static void test_others(void **state)
{
	static const char xen[] = "/bin/sh -c '[ -f /sys$devpath/state ] && "
				  "echo online > /sys$devpath/state'";
	char line[256];

	(void)state;
	assert_value("SUBSYSTEM==\"memory\", ACTION==\"add\", ATTR{state}=\"online\"", UDEV_WRITES,
		"online");
	snprintf(line, sizeof(line), "SUBSYSTEM==\"memory\" ACTION==\"add\" RUN+=\"%s\"", xen);
	assert_value(line, UDEV_RUNS, xen);
	assert_value("SUBSYSTEM==\"memory\", RUN+=\"/bin/sh -c 'echo online_movable > "
		     "/sys$devpath/state'\"",
		UDEV_RUNS, "/bin/sh -c 'echo online_movable > /sys$devpath/state'");
	assert_value("SUBSYSTEM==\"memory\", PROGRAM=\"/bin/sh -c 'echo 1 > /sys%p/online'\"",
		UDEV_RUNS, "/bin/sh -c 'echo 1 > /sys%p/online'");
	assert_value("SUBSYSTEM==\"memory\", IMPORT{program}==\"/sbin/chmem -e 1g\"", UDEV_RUNS,
		"/sbin/chmem -e 1g");
	assert_value("SUBSYSTEM==\"memory\", RUN{program}+=\"/bin/chmem --enable -b 32\"",
		UDEV_RUNS, "/bin/chmem --enable -b 32");
	assert_value("SUBSYSTEM==\"dax\", RUN+=\"/usr/bin/daxctl online-memory $kernel\"",
		UDEV_RUNS, "/usr/bin/daxctl online-memory $kernel");
	assert_value("SUBSYSTEM==\"dax\", ACTION==\"add\", ATTR{state}=\"online_movable\"",
		UDEV_WRITES, "online_movable");
	assert_value("ACTION==\"add\", RUN=\"/bin/sh -c 'echo online > "
		     "/sys/devices/system/memory/auto_online_blocks'\"",
		UDEV_RUNS,
		"/bin/sh -c 'echo online > /sys/devices/system/memory/auto_online_blocks'");
	assert_value("KERNEL==\"memory*\", ATTR{../auto_online_blocks}=\"online\"", UDEV_WRITES,
		"online");
}

/* They write nothing, or not of memory, or not online. */
static void test_harmless(void **state)
{
	static const char *const lines[] = {
		"",
		"\n\n#\n",
		"# SUBSYSTEM==\"memory\", ATTR{state}=\"online\"",
		"   \t# SUBSYSTEM==\"memory\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}==\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}!=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}-=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}=\"offline\"",
		"SUBSYSTEM==\"memory\", ATTR{online}=\"0\"",
		"SUBSYSTEM==\"memory\", ATTR{power/state}=\"on\"",
		"SUBSYSTEM==\"memory\", ENV{state}=\"online\"",
		"SUBSYSTEM==\"cpu\", ACTION==\"add\", ATTR{online}=\"1\"",
		"SUBSYSTEM==\"cpu|net\", ATTR{state}=\"online\"",
		"SUBSYSTEM!=\"cpu\", SUBSYSTEM!=\"memory|dax\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ACTION==\"remove|offline\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ACTION!=\"add\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}==\"online\", ATTR{state}=\"online_movable\"",
		"SUBSYSTEM==\"memory\", TEST!=\"state\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", CONST{arch}==\"s390*\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", CONST{virt}!=\"none\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", KERNEL==\"cpu*\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", RUN+=\"/bin/logger memory is there\"",
		"SUBSYSTEM==\"memory\", RUN{builtin}+=\"kmod load online /state\"",
		"SUBSYSTEM==\"memory\", RUN+=\"/bin/sh -c 'echo offline > /sys$devpath/state'\"",
		/* the file of this project */
		"ACTION!=\"add\", GOTO=\"end\"\n"
		"SUBSYSTEM==\"memory\", ATTR{state}==\"offline\", TAG+=\"systemd\","
		" ENV{SYSTEMD_WANTS}+=\"tdx-onlined.service\"\nLABEL=\"end\"\n",
		/* what udevd does not understand it ignores, the whole line */
		"SUBSYSTEM==\"memory\", ATTR{state}=\"online",
		"SUBSYSTEM==\"memory\", ATTR{state}=online",
		"SUBSYSTEM==\"memory\", ATTR{state=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}=\"online\", oops",
		"=\"memory\", ATTR{state}=\"online\"",
		"SUBSYSTEM~\"memory\", ATTR{state}=\"online\"",
		"SUBSYSTEM==x\"memory\", ATTR{state}=\"online\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_none(lines[i]);
}

/* Every way to write the same. */
static void test_ways_of_writing(void **state)
{
	static const char *const lines[] = {
		"SUBSYSTEM==\"memory\",ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\" ATTR{state}=\"online\"",
		" \tSUBSYSTEM == \"memory\" ,\t ATTR{state} = \"online\" , ",
		",,SUBSYSTEM==\"memory\",,ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\"ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}:=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}+=\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}=e\"online\"",
		"SUBSYSTEM==\"memory\", ATTR{state}=\"online\"\r\n",
		"SUBSYSTEM==i\"MEMORY\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"cpu|memory\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"mem*\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"m[a-e]mory\", ATTR{state}=\"online\"",
		"SUBSYSTEM!=\"cpu\", ATTR{state}=\"online\"",
		"SUBSYSTEMS==\"memory\", ATTR{state}=\"online\"",
		"ATTR{state}=\"online\"",
		"ATTR{state}=\"online\", SUBSYSTEM==\"memory\"",
		"KERNEL==\"memory[0-9]*\", ATTR{state}=\"online\"",
		"KERNEL==\"memory40\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ATTRS{crash_hotplug}==\"1\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ENV{SOMETHING}==\"else\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ENV{SOMETHING}!=\"else\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", TAG==\"big\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", TEST==\"valid_zones\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", TEST==\"/etc/online\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ENV{X}=\"\\\"\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ENV{X}=e\"\\\\\", ATTR{state}=\"online\"",
		"SUBSYSTEM==\"memory\", ENV{X}=\"\", ATTR{state}=\"online\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_value(lines[i], UDEV_WRITES, "online");
	assert_value("SUBSYSTEM==\"memory\", ATTR{online}=\"1\"", UDEV_WRITES, "1");
	assert_value("SUBSYSTEM==\"memory\", ATTR{state}=\"%c\"", UDEV_WRITES, "%c");
	assert_value(
		"SUBSYSTEM==\"memory\", ATTR{state}=\"$env{POLICY}\"", UDEV_WRITES, "$env{POLICY}");
	assert_value("SUBSYSTEM==\"memory\", RUN+=\"/bin/sh -c \\\"echo online >/sys%p/state\\\"\"",
		UDEV_RUNS, "/bin/sh -c \"echo online >/sys%p/state\"");
}

static void test_continuation(void **state)
{
	(void)state;
	assert_writes("SUBSYSTEM==\"memory\", \\\n\tATTR{state}=\"online\"\n", &bare,
		{1, 2, UDEV_WRITES, "online"});
	assert_writes("\n\nSUBSYSTEM==\"memory\"\\\n# between\\\n  , \\\nATTR{state}=\"on\\\n"
		      "line\"\nSUBSYSTEM==\"memory\", ATTR{online}=\"1\"\n",
		&bare, {3, 7, UDEV_WRITES, "online"}, {8, 8, UDEV_WRITES, "1"});
	/* the end of the file ends a line as well */
	assert_writes("SUBSYSTEM==\"memory\", ATTR{state}=\"online\" \\", &bare,
		{1, 1, UDEV_WRITES, "online"});
	/* a blank line is a part too, the last one */
	assert_writes("SUBSYSTEM==\"cpu\", \\\n\nATTR{state}=\"online\"\n", &bare,
		{3, 3, UDEV_WRITES, "online"});
	/* a comment goes on to its end only */
	assert_writes("# all \\\nSUBSYSTEM==\"memory\", ATTR{state}=\"online\"\n", &bare,
		{2, 2, UDEV_WRITES, "online"});
}

#define ONLINE "ATTR{state}=\"online\"\n"

static void test_jumps(void **state)
{
	(void)state;
	/* certain, uncertain, not taken */
	assert_none("GOTO=\"end\"\n" ONLINE "LABEL=\"end\"\n");
	assert_none("SUBSYSTEM==\"memory|dax\", GOTO=\"end\"\n" ONLINE "LABEL=\"end\"\n");
	assert_writes("TAG==\"x\", GOTO=\"end\"\n" ONLINE "LABEL=\"end\"\n", &bare,
		{2, 2, UDEV_WRITES, "online"});
	assert_writes("SUBSYSTEM==\"cpu\", GOTO=\"end\"\n" ONLINE "LABEL=\"end\"\n", &bare,
		{2, 2, UDEV_WRITES, "online"});
	/* what is after the label, and in the line of the label itself */
	assert_writes("GOTO=\"end\"\nLABEL=\"other\"\n" ONLINE "LABEL=\"end\"\n" ONLINE, &bare,
		{5, 5, UDEV_WRITES, "online"});
	assert_writes("GOTO=\"end\"\n" ONLINE "LABEL=\"end\", " ONLINE, &bare,
		{3, 3, UDEV_WRITES, "online"});
	/* over a place that an uncertain jump reaches */
	assert_writes("TAG==\"x\", GOTO=\"in\"\nGOTO=\"end\"\nLABEL=\"in\"\n" ONLINE
		      "LABEL=\"end\"\n",
		&bare, {4, 4, UDEV_WRITES, "online"});
	/* a jump to nowhere, or back, is none */
	assert_writes("GOTO=\"nowhere\"\n" ONLINE, &bare, {2, 2, UDEV_WRITES, "online"});
	assert_writes(
		"LABEL=\"back\"\nGOTO=\"back\"\n" ONLINE, &bare, {3, 3, UDEV_WRITES, "online"});
	/* the first label of the name that comes after */
	assert_writes("LABEL=\"a\"\nGOTO=\"a\"\n" ONLINE "LABEL=\"a\"\n" ONLINE "LABEL=\"a\"\n",
		&bare, {5, 5, UDEV_WRITES, "online"});
	/* a jump of one kind of device is none of the other */
	assert_writes("SUBSYSTEM==\"memory\", GOTO=\"end\"\n" ONLINE "LABEL=\"end\"\n", &bare,
		{2, 2, UDEV_WRITES, "online"});
	assert_none("SUBSYSTEM==\"memory\", GOTO=\"in\"\nGOTO=\"end\"\nLABEL=\"in\"\n"
		    "SUBSYSTEM==\"dax\", " ONLINE "LABEL=\"end\"\n");
	/* what a program answers is not known */
	assert_writes("PROGRAM=\"/bin/true\", GOTO=\"end\"\n" ONLINE "LABEL=\"end\"\n", &bare,
		{2, 2, UDEV_WRITES, "online"});
}

static void test_variables(void **state)
{
	(void)state;
	assert_writes("ENV{A}=\"online_kernel\"\nENV{B}=\"$env{A}\"\nATTR{state}=\"%E{B}\"\n",
		&bare, {3, 3, UDEV_WRITES, "online_kernel"});
	assert_none("ENV{A}=\"offline\"\nATTR{state}=\"$env{A}\"\n");
	assert_none("ENV{A}=\"1\"\nENV{A}!=\"1\", " ONLINE);
	assert_writes("ENV{A}=\"1\"\nENV{A}==\"1\", " ONLINE, &bare, {2, 2, UDEV_WRITES, "online"});
	/* set perhaps: it may read anything */
	assert_writes("TAG==\"x\", ENV{A}=\"1\"\nENV{A}!=\"1\", " ONLINE, &bare,
		{2, 2, UDEV_WRITES, "online"});
	/* set of one kind of device, it is not of the other */
	assert_writes(
		"SUBSYSTEM==\"memory\", ENV{A}=\"1\"\nSUBSYSTEM==\"dax\", ENV{A}==\"2\", " ONLINE,
		&bare, {2, 2, UDEV_WRITES, "online"});
	/* of itself, and one that is not ended */
	assert_writes("ENV{A}=\"$env{A}\"\nATTR{state}=\"$env{A}\"\n", &bare,
		{2, 2, UDEV_WRITES, "$env{A}"});
	assert_writes("ATTR{state}=\"$env{A\"\n", &bare, {1, 1, UDEV_WRITES, "$env{A"});
}

/* A line that is too long, or has too many tokens, is ignored; those after it are not. */
static void test_long(void **state)
{
	static const char good[] = "SUBSYSTEM==\"memory\", ATTR{state}=\"online\"";
	CLEANUP(free_bytes) char *text = malloc(UDEV_LINE + 1000);
	const struct udev_write fits = {1, 1, UDEV_WRITES, "online"};
	const struct udev_write second = {2, 2, UDEV_WRITES, "online"};
	size_t n = strlen(good);

	(void)state;
	assert_non_null(text);
	memset(text, ',', UDEV_LINE + 1000);
	memcpy(text, good, n);
	assert_writes_of(text, UDEV_LINE - 1, &bare, &fits, 1);
	assert_writes_of(text, UDEV_LINE, &bare, NULL, 0);
	text[UDEV_LINE] = '\n';
	memcpy(text + UDEV_LINE + 1, good, n);
	assert_writes_of(text, UDEV_LINE + 1 + n, &bare, &second, 1);
	for (size_t tokens = 127; tokens < 131; tokens++) {
		char *at = text + n;

		for (size_t i = 2; i < tokens; i++)
			at += sprintf(at, ",TAG+=\"x\"");
		assert_writes_of(text, (size_t)(at - text), &bare, &fits, tokens <= 127);
	}
}

static void read_any(const char *text, size_t size)
{
	CLEANUP(udev_writes_done) struct udev_writes writes = {0};
	CLEANUP(free_bytes) char *bytes = malloc(size ?: 1);

	assert_non_null(bytes);
	memcpy(bytes, text, size);
	assert_int_equal(udev_rules_read(bytes, size, &bare, &writes), 0);
	for (size_t i = 0; i < writes.n; i++) {
		assert_true(writes.items[i].first_line >= 1);
		assert_true(writes.items[i].last_line >= writes.items[i].first_line);
		assert_true(strnlen(writes.items[i].what, UDEV_WHAT) < UDEV_WHAT);
	}
}

static void test_any_bytes(void **state)
{
	static const char *const parts[] = {"SUBSYSTEM", "ATTR{state}", "=", "==", "!=", "\"",
		"\"memory\"", "\"online\"", "\\", "\n", "\\\n", "#", ",", " ", "{", "}", "GOTO",
		"LABEL", "\"end\"", "ENV{A}", "$env{A}", "i", "e", "|", "*", "[", "\r\n", "RUN+="};
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

static void test_nul(void **state)
{
	static const char text[] = "SUBSYSTEM==\"cpu\", \0ATTR{state}=\"online\"\n"
				   "SUBSYSTEM==\"memory\", ATTR{online}=\"1\"\0x\n"
				   "ATTR{online}\0=\"1\"\n";
	const struct udev_write wants[] = {{1, 1, UDEV_WRITES, "online"}, {2, 2, UDEV_WRITES, "1"}};

	(void)state;
	assert_writes_of(text, sizeof(text) - 1, &bare, wants, 2);
	assert_writes_of(NULL, 0, &bare, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_red_hat),
		cmocka_unit_test(test_suse),
		cmocka_unit_test(test_debian),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_ways_of_writing),
		cmocka_unit_test(test_continuation),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
