/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration files of modprobe and daxctl.
 */
#include "tdxo/doctor/foreign_conf.h"
#include "tests/fuzz/fuzz.h"

static void read_modprobe(struct conf_text conf)
{
	struct modprobe_line line;
	unsigned int last = 0;

	while (modprobe_next(&conf, &line)) {
		require(line.first > last && line.last >= line.first);
		require(line.command < MODPROBE_MAX);
		require(is_string(line.module) && is_string(line.rest));
		last = line.last;
	}
	require(conf.position == conf.size);
}

static void read_daxctl(struct conf_text conf)
{
	struct daxctl_section section;
	unsigned int last = 0;

	while (daxctl_next(&conf, &section)) {
		require(section.line > last);
		require(is_string(section.name));
		last = section.line;
	}
	require(conf.position == conf.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conf_text conf = {.text = (const char *)data, .size = size};

	read_modprobe(conf);
	read_daxctl(conf);
	return 0;
}
