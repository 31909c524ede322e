/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration text, line by line.
 */
#include "tdxo/policy/ini.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* A line without its blanks at both ends. */
struct span {
	const char *start;
	size_t length;
};

void ini_init(struct ini *ini, const char *text, size_t size)
{
	*ini = (struct ini){.text = text, .size = size};
}

static struct span trim(const char *start, size_t length)
{
	while (length && (*start == ' ' || *start == '\t')) {
		start++;
		length--;
	}
	while (length && (start[length - 1] == ' ' || start[length - 1] == '\t'))
		length--;
	return (struct span){start, length};
}

/* Copy a name of letters; false if it is none, or too long. */
static bool copy_name(char name[INI_NAME], struct span span)
{
	if (!span.length || span.length >= INI_NAME)
		return false;
	for (size_t i = 0; i < span.length; i++)
		if (!isalpha((unsigned char)span.start[i]))
			return false;
	memcpy(name, span.start, span.length);
	name[span.length] = '\0';
	return true;
}

/* What is wrong with the bytes of a line, or NULL. In a comment other than ASCII is welcome. */
static const char *check_bytes(struct span line, unsigned int number)
{
	const char *comment = memchr(line.start, '#', line.length);

	if (line.length > INI_LINE)
		return "the line is too long";
	if (number == 1 && line.length >= 3 && memcmp(line.start, "\xef\xbb\xbf", 3) == 0)
		return "the file begins with a byte order mark";
	if (line.length && line.start[line.length - 1] == '\r')
		return "the line ends with CR LF: save the file with Unix line ends";
	for (const char *at = line.start; at < line.start + line.length; at++) {
		unsigned char byte = (unsigned char)*at;

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return "there is a control character in the line";
		if (byte > 0x7f && (!comment || at < comment))
			return "there is a character other than ASCII outside a comment";
	}
	return NULL;
}

static const char *read_section(struct ini *ini, struct span line, struct ini_item *item)
{
	if (line.start[line.length - 1] != ']')
		return "the section has no ']' at its end";
	if (!copy_name(ini->section, (struct span){line.start + 1, line.length - 2}))
		return "the name of the section is not valid";
	item->kind = INI_SECTION;
	return NULL;
}

static void set_value(struct ini_item *item, struct span span)
{
	bool quoted = span.length > 1 && *span.start == '"' && span.start[span.length - 1] == '"';

	item->value = span.start + quoted;
	item->value_size = span.length - 2 * (size_t)quoted;
}

static const char *read_key(struct span line, struct ini_item *item)
{
	const char *equals = memchr(line.start, '=', line.length);

	if (!equals)
		return "the line is not [Section], Key=value or a comment";
	if (!copy_name(item->key, trim(line.start, (size_t)(equals - line.start))))
		return "there is no valid key before the '='";
	set_value(item, trim(equals + 1, (size_t)(line.start + line.length - equals) - 1));
	item->kind = INI_KEY;
	return NULL;
}

/* Fill in an item for a line; its kind stays INI_END if the line is blank or a comment. */
static const char *read_line(struct ini *ini, struct span line, struct ini_item *item)
{
	const char *comment, *mistake = check_bytes(line, ini->line);

	if (mistake)
		return mistake;
	comment = memchr(line.start, '#', line.length);
	line = trim(line.start, comment ? (size_t)(comment - line.start) : line.length);
	if (!line.length)
		return NULL;
	return *line.start == '[' ? read_section(ini, line, item) : read_key(line, item);
}

/* Behind a byte order mark or blanks. */
static bool looks_like_section(struct span line)
{
	if (line.length >= 3 && memcmp(line.start, "\xef\xbb\xbf", 3) == 0)
		line = (struct span){line.start + 3, line.length - 3};
	line = trim(line.start, line.length);
	return line.length && *line.start == '[';
}

struct ini_item ini_next(struct ini *ini)
{
	struct ini_item item = {.kind = INI_END};

	while (item.kind == INI_END && ini->position < ini->size) {
		const char *start = ini->text + ini->position;
		size_t left = ini->size - ini->position;
		const char *end = memchr(start, '\n', left);
		struct span line = {start, end ? (size_t)(end - start) : left};

		ini->position += line.length + (end != NULL);
		ini->line++;
		item.mistake = read_line(ini, line, &item);
		if (item.mistake)
			item.kind = INI_MISTAKE;
		if (item.kind == INI_SECTION || (item.mistake && looks_like_section(line)))
			ini->spoilt = item.mistake != NULL;
	}
	item.line = ini->line;
	item.orphan = ini->spoilt;
	memcpy(item.section, ini->section, sizeof(item.section));
	return item;
}

unsigned int ini_find(const char *text, size_t size, const char *section, const char *key)
{
	struct ini_item item;
	struct ini ini;

	ini_init(&ini, text, size);
	while ((item = ini_next(&ini)).kind != INI_END)
		if (item.kind == (key ? INI_KEY : INI_SECTION) &&
			strcmp(item.section, section) == 0 && (!key || strcmp(item.key, key) == 0))
			return item.line;
	return 0;
}
