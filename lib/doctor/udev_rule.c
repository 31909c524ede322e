/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Udev rules that may online memory: a scan for tokens, KEY{attribute}OP"value".
 *
 * Each byte is copied once, into a line, and is read a fixed number of times there.
 */
#include "tdxo/doctor/udev_rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/doctor/effect.h"

#define BLANKS " \t\v\f\r"

enum op {
	MATCH,	   /* == */
	MATCH_NOT, /* != */
	ASSIGN,	   /* =, +=, := and -= */
};

struct token {
	const char *key;
	const char *attribute; /* empty: none */
	enum op op;
	const char *value;
};

/*
 * Join a line as udevd (252) does: a backslash continues it, comments in between do not count,
 * and blanks before each part are dropped. A line that is too long is empty. False: none is left.
 */
static bool take_line(struct udev_text *text, char line[UDEV_LINE], struct udev_write *write)
{
	bool more = true;
	size_t n = 0;

	write->first_line = 0;
	while (more && text->position < text->size) {
		const char *part = text->text + text->position;
		size_t length = text->size - text->position;
		const char *end = memchr(part, '\n', length);

		length = end ? (size_t)(end - part) : length;
		text->position += length + (end != NULL);
		text->line++;
		for (; length && strchr(BLANKS, *part); length--)
			part++;
		length -= length && part[length - 1] == '\r';
		if (length && *part == '#')
			continue;
		if (!write->first_line)
			write->first_line = text->line;
		write->last_line = text->line;
		more = length && part[length - 1] == '\\';
		length -= more;
		if (n + length < UDEV_LINE)
			memcpy(line + n, part, length);
		n += length;
	}
	line[n < UDEV_LINE ? n : 0] = '\0';
	return write->first_line != 0;
}

/* The value between quotes. A backslash hides a quote; after e" it hides any character. */
static int take_value(char *at, char **ret_end, const char **ret_value)
{
	bool escaped = *at == 'e';
	char *value;

	at += escaped || *at == 'i';
	if (*at != '"')
		return -EINVAL;
	value = ++at;
	for (; *at && *at != '"'; at++)
		if (*at == '\\' && at[1] && (escaped || at[1] == '"'))
			at++;
	if (!*at)
		return -EINVAL;
	*at = '\0';
	*ret_end = at + 1;
	*ret_value = value;
	return 0;
}

/* 1; 0: the line has ended; -EINVAL: it is not a token, and udevd ignores the whole line. */
static int take_token(char **line, struct token *token)
{
	char *key = *line + strspn(*line, BLANKS ",");
	char *end = key + strcspn(key, BLANKS "{=!+:-"), *op = end;
	size_t length;

	if (!*key)
		return 0;
	token->key = key;
	token->attribute = "";
	if (*op == '{') {
		token->attribute = op + 1;
		op = strchr(op, '}');
		if (!op)
			return -EINVAL;
		*op++ = '\0';
	}
	op += strspn(op, BLANKS);
	length = strspn(op, "=!+:-");
	if (end == key || !length)
		return -EINVAL;
	token->op = ASSIGN;
	if (strncmp(op, "==", 2) == 0)
		token->op = MATCH;
	else if (*op == '!')
		token->op = MATCH_NOT;
	*end = '\0';
	op += length;
	return take_value(op + strspn(op, BLANKS), line, &token->value) < 0 ? -EINVAL : 1;
}

static bool is(const struct token *token, const char *key)
{
	return strcmp(token->key, key) == 0;
}

/*
 * Does a match exclude memory blocks, dax devices, and parents of dax devices, by subsystem or
 * name? Of each pattern (glob(7), with bars between several) what precedes a wildcard counts. A
 * match may ignore case: i"VALUE".
 */
static bool excludes_memory(const struct token *token)
{
	static const char *const names[] = {"memory", "dax", "cxl", "nd", "platform"};
	const char *pattern = token->value;

	if (!is(token, "SUBSYSTEM") && !is(token, "SUBSYSTEMS") && !is(token, "KERNEL"))
		return false;
	for (;; pattern++) {
		size_t length = strcspn(pattern, "|*?[");

		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			size_t n = strlen(names[i]);

			if (strncasecmp(pattern, names[i], length < n ? length : n) == 0)
				return false;
		}
		pattern += strcspn(pattern, "|");
		if (!*pattern)
			return true;
	}
}

static enum effect effect_of_attribute(const char *attribute, const char *value)
{
	static const char block[] = "[memory/";
	static const char *const dax[] = {"[subsystem/dax]drivers_autoprobe",
		"[drivers/dax:kmem]bind", "[drivers/dax:kmem]new_id"};
	enum effect effect = EFFECT_DEVICE;
	/* A value that udevd substitutes is not known. */
	bool unknown = strpbrk(value, "$%") != NULL;
	bool online = unknown || strncmp(value, "online", strlen("online")) == 0;

	if (strstr(attribute, "auto_online_blocks"))
		return online ? EFFECT_MEMORY : EFFECT_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(dax); i++)
		if (strcmp(attribute, dax[i]) == 0)
			return strcmp(value, "0") == 0 ? EFFECT_NONE : EFFECT_MEMORY;
	if (strncmp(attribute, block, strlen(block)) == 0 && strchr(attribute, ']')) {
		attribute = strchr(attribute, ']') + 1;
		effect = EFFECT_MEMORY;
	}
	if (strcmp(attribute, "online") == 0)
		online = unknown || strcmp(value, "1") == 0;
	else if (strcmp(attribute, "state") != 0)
		return EFFECT_NONE;
	return online ? effect : EFFECT_NONE;
}

/* udevd runs a PROGRAM or IMPORT with any operator. */
static bool is_command(const struct token *token)
{
	return (is(token, "RUN") || is(token, "PROGRAM") || is(token, "IMPORT")) &&
	       strcmp(token->attribute, "builtin") != 0;
}

static enum effect effect_of(const struct token *token)
{
	if (is(token, "ATTR") && token->op == ASSIGN)
		return effect_of_attribute(token->attribute, token->value);
	return is_command(token) ? effect_of_text(token->value) : EFFECT_NONE;
}

/*
 * SUBSYSTEM!="cpu", GOTO="end" alone in a line is a guard: memory does not reach the lines that
 * follow, up to the next label of any name, to which another jump may lead.
 */
static bool scan_line(struct udev_text *text, char *line, struct udev_write *write)
{
	bool excluded = false, guard = false, jump = false;
	enum effect effect = EFFECT_NONE;
	struct token token;
	size_t n = 0;
	int r;

	for (; (r = take_token(&line, &token)) > 0; n++) {
		enum effect this = effect_of(&token);

		if (text->run && is_command(&token))
			text->run(token.value, write, text->userdata);
		excluded |= token.op == MATCH && excludes_memory(&token);
		guard |= token.op == MATCH_NOT && excludes_memory(&token);
		jump |= is(&token, "GOTO");
		text->guarded &= !is(&token, "LABEL");
		if (this <= effect)
			continue;
		effect = this;
		write->way = is(&token, "ATTR") ? UDEV_WRITES : UDEV_RUNS;
		snprintf(write->what, sizeof(write->what), "%s", token.value);
	}
	if (r < 0)
		return false;
	text->guarded |= guard && jump && n == 2;
	return effect == EFFECT_MEMORY || (effect == EFFECT_DEVICE && !excluded && !text->guarded);
}

bool udev_next(struct udev_text *text, struct udev_write *ret_write)
{
	char line[UDEV_LINE];

	while (take_line(text, line, ret_write))
		if (scan_line(text, line, ret_write))
			return true;
	return false;
}
