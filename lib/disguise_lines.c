/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines, and what of them may stay: tables of words that matter.
 */
#include "disguise_lines.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tdxo/ini.h"
#include "tdxo/value.h"

#define BLANKS " \t"
#define HIDDEN "hidden"

struct words {
	const char *const *words;
	size_t n;
};

#define WORDS(array)                                                                               \
	(struct words)                                                                             \
	{                                                                                          \
		(array), ARRAY_SIZE(array)                                                         \
	}

static char same_dash(char c)
{
	return c == '-' ? '_' : c;
}

/* Does a text of so many bytes begin with the word? To the kernel "-" and "_" are the same. */
static bool begins_with(const char *text, size_t n, const char *word)
{
	size_t i = 0;

	while (i < n && word[i] && same_dash(text[i]) == same_dash(word[i]))
		i++;
	return !word[i];
}

static bool begins_with_one(const char *text, size_t n, struct words words)
{
	for (size_t i = 0; i < words.n; i++)
		if (begins_with(text, n, words.words[i]))
			return true;
	return false;
}

static size_t span_of(const char *text, size_t n, const char *set)
{
	size_t i = 0;

	while (i < n && text[i] && strchr(set, text[i]))
		i++;
	return i;
}

static size_t span_until(const char *text, size_t n, const char *set)
{
	size_t i = 0;

	while (i < n && !(text[i] && strchr(set, text[i])))
		i++;
	return i;
}

/* --- tdx-onlined.conf(5), tdx-onlined.rule(5) --- */

/* A list of words. It may stand between quotation marks (tdxo/ini.h). */
static int edit_words(struct disguise *disguise, const char *value, size_t n, struct bytes *out,
	int (*edit)(struct disguise *disguise, const char *word, struct bytes *out))
{
	char copy[INI_LINE], word[WORD_TEXT];
	const char *list = copy;
	int r = 0, more;

	snprintf(copy, sizeof(copy), "%.*s", (int)(n < INI_LINE ? n : INI_LINE - 1), value);
	for (char *quote = copy; (quote = strchr(quote, '"'));)
		*quote = ' ';
	for (bool first = true; r == 0 && (more = value_next_word(&list, word)) != 0;
		first = false) {
		if (more < 0)
			return bytes_append(out, "?", 1); /* a mistake, too */
		if (!first)
			r = bytes_append(out, " ", 1);
		if (r == 0)
			r = edit(disguise, word, out);
	}
	return r;
}

int disguise_setting_line(struct disguise *disguise, const char *line, size_t n, struct bytes *out)
{
	static const struct {
		const char *key;
		int (*edit)(struct disguise *disguise, const char *word, struct bytes *out);
	} keys[] = {{"serial", disguise_serial_word}, {"region", disguise_region_word}};
	size_t comment = span_until(line, n, "#"), blanks = span_of(line, n, BLANKS);
	size_t key = span_until(line + blanks, comment - blanks, BLANKS "=");
	size_t head = span_until(line, comment, "=");
	int r = -1;

	head += head < comment;
	for (size_t i = 0; r < 0 && i < ARRAY_SIZE(keys); i++) {
		if (key != strlen(keys[i].key) || strncasecmp(line + blanks, keys[i].key, key) != 0)
			continue;
		r = bytes_append(out, line, head);
		if (r == 0)
			r = edit_words(disguise, line + head, comment - head, out, keys[i].edit);
		if (r < 0)
			return r;
	}
	if (r < 0)
		r = bytes_append(out, line, comment);
	/* The sign stays: it shows that there was a comment. */
	return r == 0 && comment < n ? bytes_append(out, "#", 1) : r;
}

/* --- the kernel's command line --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of the first word; blanks between '"' are part of it. */
static size_t cmdline_word(const char *line, size_t n)
{
	bool quoted = false;
	size_t i = 0;

	while (i < n && (quoted || !is_blank(line[i]))) {
		quoted ^= line[i] == '"';
		i++;
	}
	return i;
}

int disguise_cmdline_line(struct disguise *disguise, const char *line, size_t n, struct bytes *out)
{
	static const char *const parameters[] = {"mem=", "memmap=", "memhp_", "memory_hotplug.",
		"memblock=", "movable_node",
		"movablecore=", "kernelcore=", "efi=", "efi_fake_mem=", "acpi=", "numa",
		"hugepages", "default_hugepagesz=", "cxl", "dax", "device_dax.", "kmem.", "nd_",
		"libnvdimm.", "tdx", "kvm.", "kvm_intel.", "nohibernate",
		"hibernate=", "clearcpuid=", "module_blacklist=", "modprobe.blacklist="};
	bool first = true;
	int r = 0;

	(void)disguise;
	for (size_t i = 0; r == 0 && i < n;) {
		size_t start = i + span_of(line + i, n - i, BLANKS);
		size_t length = cmdline_word(line + start, n - start);

		i = start + length;
		if (!begins_with_one(line + start, length, WORDS(parameters)))
			continue;
		if (!first)
			r = bytes_append(out, " ", 1);
		if (r == 0)
			r = bytes_append(out, line + start, length);
		first = false;
	}
	return r;
}

/* --- udev(7) --- */

static bool mentions(const char *line, size_t n, const char *word)
{
	return n && memmem(line, n, word, strlen(word));
}

/* What brings memory online stays such a command, but is another one. */
static const char *stand_in(const char *value, size_t n)
{
	if (mentions(value, n, "online") && mentions(value, n, "state"))
		return "/bin/sh -c 'echo online > /sys$devpath/state'";
	if (mentions(value, n, "system-ram"))
		return "/usr/bin/daxctl reconfigure-device -m system-ram $name";
	return HIDDEN;
}

/* "KEY", "OPERATOR", and a value between '"': the value stays if the key is one that matters. */
int disguise_udev_line(struct disguise *disguise, const char *line, size_t n, struct bytes *out)
{
	static const char *const keys[] = {"SUBSYSTEM", "KERNEL", "ACTION", "DRIVER", "DEVPATH",
		"ATTR{state}", "ATTR{online}", "ATTR{removable}", "ATTR{valid_zones}",
		"ATTR{auto_online_blocks}", "GOTO", "LABEL"};
	int r = 0;

	(void)disguise;
	if (!mentions(line, n, "memory") && !mentions(line, n, "{state}") &&
		!mentions(line, n, "online") && !mentions(line, n, "system-ram"))
		return 0;
	/* Behind a quoted quote it is not clear any more what is a value. */
	if (line[span_of(line, n, BLANKS)] == '#' || mentions(line, n, "\\\""))
		return 0;
	for (size_t i = 0; r == 0 && i < n;) {
		size_t key = i + span_of(line + i, n - i, ", \t");
		size_t quote = key + span_until(line + key, n - key, "\"");
		size_t value = quote + 1;
		size_t end = value + span_until(line + value, quote < n ? n - value : 0, "\"");
		bool stays = begins_with_one(line + key, n - key, WORDS(keys));
		const char *instead;

		if (quote == n) /* nothing more, but perhaps the rule goes on in the next line */
			return line[n - 1] == '\\' ? bytes_append(out, "\\", 1) : 0;
		r = bytes_append(out, line + i, value - i);
		instead = stand_in(line + value, end - value);
		if (r == 0)
			r = stays ? bytes_append(out, line + value, end - value)
				  : bytes_append(out, instead, strlen(instead));
		if (r == 0 && end < n)
			r = bytes_append(out, "\"", 1);
		i = end + (end < n);
	}
	return r;
}

/* --- modprobe.d(5) --- */

static bool is_one_of(const char *text, size_t n, struct words words)
{
	for (size_t i = 0; i < words.n; i++)
		if (n == strlen(words.words[i]) && begins_with(text, n, words.words[i]))
			return true;
	return false;
}

/* The command of "install" or "remove": it may be anything, and all that matters is if it is. */
static int append_command(const char *command, size_t n, struct bytes *out)
{
	static const char *const nothing[] = {
		"/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false"};

	while (n && is_blank(command[n - 1]))
		n--;
	return is_one_of(command, n, WORDS(nothing)) ? bytes_append(out, command, n)
						     : bytes_append(out, HIDDEN, strlen(HIDDEN));
}

int disguise_modprobe_line(struct disguise *disguise, const char *line, size_t n, struct bytes *out)
{
	static const char *const plain[] = {"options", "blacklist"};
	static const char *const commands[] = {"install", "remove"};
	static const char *const modules[] = {"kmem", "device_dax", "dax_", "kvm_intel"};
	size_t verb = span_of(line, n, BLANKS);
	size_t verb_end = verb + span_until(line + verb, n - verb, BLANKS);
	size_t module = verb_end + span_of(line + verb_end, n - verb_end, BLANKS);
	size_t module_end = module + span_until(line + module, n - module, BLANKS);
	size_t rest = module_end + span_of(line + module_end, n - module_end, BLANKS);
	int r;

	(void)disguise;
	if (!begins_with_one(line + module, n - module, WORDS(modules)))
		return 0;
	if (is_one_of(line + verb, verb_end - verb, WORDS(plain)))
		return bytes_append(out, line, span_until(line, n, "#"));
	if (!is_one_of(line + verb, verb_end - verb, WORDS(commands)))
		return 0;
	r = bytes_append(out, line, module_end);
	if (r == 0)
		r = bytes_append(out, " ", 1);
	return r == 0 ? append_command(line + rest, n - rest, out) : r;
}

/* --- daxctl.conf --- */

int disguise_daxctl_line(struct disguise *disguise, const char *line, size_t n, struct bytes *out)
{
	static const char *const keys[] = {"nvdimm.uuid", "mode", "online", "movable", "region",
		"align", "size", "no_online", "no_movable"};
	size_t start = span_of(line, n, BLANKS);
	size_t name = start + span_until(line + start, n - start, BLANKS "]");
	int r;

	(void)disguise;
	if (begins_with_one(line + start, n - start, WORDS(keys)))
		return bytes_append(out, line, span_until(line, n, "#"));
	if (start == n || line[start] != '[')
		return 0;
	/* "[reconfigure-device NAME]" */
	r = bytes_append(out, line, name);
	if (r == 0 && name < n && line[name] != ']')
		r = bytes_append(out, " " HIDDEN, strlen(" " HIDDEN));
	return r == 0 ? bytes_append(out, "]", 1) : r;
}
