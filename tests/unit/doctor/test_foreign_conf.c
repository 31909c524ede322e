/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration files of modprobe and daxctl: the lines that are used, those that are ignored, and
 * random bytes.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tdxo/doctor/foreign_conf.h"

static const struct modprobe_line wanted_lines[] = {
	{1, 1, MODPROBE_BLACKLIST, "kmem", ""},
	{4, 4, MODPROBE_BLACKLIST, "device_dax", ""},
	{5, 6, MODPROBE_INSTALL, "kmem", "/bin/false"},
	{8, 8, MODPROBE_OPTIONS, "kvm_intel", "tdx=0 nested=1"},
	{9, 9, MODPROBE_BLACKLIST, "", ""},
	{12, 12, MODPROBE_INSTALL, "x", "/bin/echo # y"},
};

static void test_modprobe(void **state)
{
	static const char text[] = "blacklist kmem\n"
				   "# blacklist device_dax\n"
				   "softdep a pre: b\n"
				   "\t blacklist  device-dax \r\n"
				   "install \\\nkmem /bin/false\n"
				   "alias dax:t0* off\n"
				   "options kvm-intel tdx=0 nested=1 \n"
				   "blacklist\n"
				   "# comment \\\nblacklist kmem\n"
				   "install x /bin/echo # y";
	struct conf_text conf = {.text = text, .size = sizeof(text) - 1};
	struct modprobe_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted_lines); i++) {
		const struct modprobe_line *want = &wanted_lines[i];

		assert_true(modprobe_next(&conf, &line));
		assert_int_equal(line.first, want->first);
		assert_int_equal(line.last, want->last);
		assert_int_equal(line.command, want->command);
		assert_string_equal(line.module, want->module);
		assert_string_equal(line.rest, want->rest);
	}
	assert_false(modprobe_next(&conf, &line));
	conf = (struct conf_text){.text = "blacklist kmem\\", .size = 15};
	assert_true(modprobe_next(&conf, &line));
	assert_string_equal(line.module, "kmem");
	assert_false(modprobe_next(&conf, &line));
}

static void test_daxctl(void **state)
{
	static const struct daxctl_section wants[] = {
		{2, "pmem-a", true, false},
		{8, "b c", true, true},
		{13, "", false, false},
		{14, "quoted", true, true},
		{18, "late", false, false},
	};
	static const char text[] = "mode = system-ram\n"
				   "[reconfigure-device pmem-a]\n"
				   "# online = false\n"
				   "; online = false\n"
				   "nvdimm.uuid = 48d8e42c-a2f0-4312-9e70-a837faafe862\n"
				   "  mode=system-ram   # all of it\n"
				   "\n"
				   "[ reconfigure-device b c ]\n"
				   "mode = system-ram\n"
				   "Online = False\n"
				   "[create-device x]\n"
				   "online = true\n"
				   "[reconfigure-device]\n"
				   "[Reconfigure-Device quoted]\n"
				   "mode = \"system-ram\"\n"
				   "online = 'no'\n"
				   "what\n"
				   "[reconfigure-device late]\n"
				   "mode = devdax";
	struct conf_text conf = {.text = text, .size = sizeof(text) - 1};
	struct daxctl_section section;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		assert_true(daxctl_next(&conf, &section));
		assert_int_equal(section.line, wants[i].line);
		assert_string_equal(section.name, wants[i].name);
		assert_int_equal(section.system_ram, wants[i].system_ram);
		assert_int_equal(section.stays_offline, wants[i].stays_offline);
	}
	assert_false(daxctl_next(&conf, &section));
	assert_false(daxctl_next(&conf, &section));
}

static void test_any_bytes(void **state)
{
	static const char *const parts[] = {"blacklist", "install", "kmem", " ", "\n", "\\\n", "#",
		"[", "]", "reconfigure-device", "mode", "=", "system-ram", "online", "\"", "\r"};
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct conf_text conf = {0}, again;
		struct daxctl_section section;
		struct modprobe_line line;
		struct parameter parameter;
		char text[1024], *bytes;
		const char *at = text;
		size_t size = 0, n = below(&seed, 40), found = 0;

		for (size_t i = 0; i < n; i++) {
			const char *part = parts[below(&seed, ARRAY_SIZE(parts))];

			if (below(&seed, 20) == 0)
				text[size++] = (char)below(&seed, 256);
			memcpy(text + size, part, strlen(part));
			size += strlen(part);
		}
		text[size] = '\0';
		while (parameter_next(&at, &parameter))
			assert_true(++found <= size);
		bytes = malloc(size ?: 1);
		assert_non_null(bytes);
		memcpy(bytes, text, size);
		conf.text = bytes;
		conf.size = size;
		again = conf;
		while (modprobe_next(&conf, &line))
			assert_true(line.first >= 1 && line.last >= line.first);
		while (daxctl_next(&again, &section))
			assert_true(section.line <= again.line);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modprobe),
		cmocka_unit_test(test_daxctl),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
