/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration of others: files.
 */
#include "tdxo/doctor/foreign_conf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/doctor/checks.h"
#include "tdxo/base/string_table.h"

#define BLANKS	  " \t\r"
#define LINE_TEXT 1024

static const char *const commands[] = {
	[MODPROBE_BLACKLIST] = "blacklist",
	[MODPROBE_INSTALL] = "install",
	[MODPROBE_OPTIONS] = "options",
};
static_assert(ARRAY_SIZE(commands) == MODPROBE_MAX, "a name for each command");

static void trim_end(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(BLANKS, text[n - 1]))
		text[--n] = '\0';
}

/* Take a word off a text that has one or not. It may be empty. */
static const char *take_word(const char *text, char *word, size_t size)
{
	size_t length;

	text += strspn(text, BLANKS);
	length = strcspn(text, BLANKS);
	snprintf(word, size, "%.*s", (int)length, text);
	text += length;
	return text + strspn(text, BLANKS);
}

bool conf_take_line(struct conf_text *conf, char *line, size_t size)
{
	const char *start, *end;
	size_t length;

	if (conf->position == conf->size)
		return false;
	start = conf->text + conf->position;
	length = conf->size - conf->position;
	end = memchr(start, '\n', length);
	if (end)
		length = (size_t)(end - start);
	conf->position += length + (end != NULL);
	conf->line++;
	snprintf(line, size, "%.*s", (int)(length < size ? length : size), start);
	return true;
}

/* A line of modprobe.d, with what continues it. */
static bool join(struct conf_text *conf, struct modprobe_line *line, char text[LINE_TEXT])
{
	char part[LINE_TEXT];
	size_t n = 0;

	line->first = conf->line + 1;
	text[0] = '\0';
	while (conf_take_line(conf, part, sizeof(part))) {
		size_t length = strlen(part);
		bool more = length && part[length - 1] == '\\';

		line->last = conf->line;
		if (more)
			part[length - 1] = '\0';
		snprintf(text + n, LINE_TEXT - n, "%s", part);
		n = strlen(text);
		if (!more)
			return true;
	}
	return line->first <= conf->line;
}

bool modprobe_next(struct conf_text *conf, struct modprobe_line *ret_line)
{
	char text[LINE_TEXT], word[FOREIGN_NAME];

	while (join(conf, ret_line, text)) {
		const char *rest = take_word(text, word, sizeof(word));
		int command = string_table_find(commands, ARRAY_SIZE(commands), word);

		if (command < 0)
			continue;
		ret_line->command = (enum modprobe_command)command;
		rest = take_word(rest, ret_line->module, sizeof(ret_line->module));
		cmdline_use_underscores(ret_line->module);
		snprintf(ret_line->rest, sizeof(ret_line->rest), "%s", rest);
		trim_end(ret_line->rest);
		return true;
	}
	return false;
}

/* "[reconfigure-device NAME]" */
static bool read_head(const char *line, char name[FOREIGN_NAME])
{
	static const char word[] = "reconfigure-device";

	if (*line != '[')
		return false;
	line += 1 + strspn(line + 1, BLANKS);
	if (strncasecmp(line, word, strlen(word)) != 0)
		return false;
	line += strlen(word);
	if (!*line || !strchr(BLANKS "]", *line))
		return false;
	line += strspn(line, BLANKS);
	snprintf(name, FOREIGN_NAME, "%.*s", (int)strcspn(line, "]"), line);
	trim_end(name);
	return true;
}

/* "key = value", perhaps quoted. */
static void read_key(struct daxctl_section *section, const char *line)
{
	char key[FOREIGN_NAME], value[FOREIGN_NAME];
	const char *equals = strchr(line, '=');

	if (!equals)
		return;
	snprintf(key, sizeof(key), "%.*s", (int)(equals - line), line);
	trim_end(key);
	equals += 1 + strspn(equals + 1, BLANKS "\"'");
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(equals, BLANKS "\"';#"), equals);
	if (strcasecmp(key, "mode") == 0)
		section->system_ram = strcmp(value, "system-ram") == 0;
	else if (strcasecmp(key, "online") == 0)
		section->stays_offline = parameter_is_no(value);
}

bool daxctl_next(struct conf_text *conf, struct daxctl_section *ret_section)
{
	struct daxctl_section section = {0};
	struct conf_text next = *conf;
	char line[LINE_TEXT];

	while (conf_take_line(&next, line, sizeof(line))) {
		const char *start = line + strspn(line, BLANKS);

		if (*start == '[' && section.line)
			break; /* the next one */
		*conf = next;
		if (read_head(start, section.name))
			section.line = next.line;
		else if (section.line)
			read_key(&section, start);
	}
	*ret_section = section;
	return section.line != 0;
}
