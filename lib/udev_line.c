/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines and tokens of udev rules.
 */
#include "udev_line.h"

#include <errno.h>
#include <string.h>

#define BLANKS " \t\v\f\r"

/* Take the next part of a line, up to a newline or NUL. False: the text has ended. */
static bool take_part(struct udev_lines *lines, const char **ret_part, size_t *ret_length)
{
	const char *end, *part, *at;

	if (lines->position == lines->size)
		return false;
	end = lines->text + lines->size;
	at = part = lines->text + lines->position;
	lines->line += !lines->position || part[-1] == '\n';
	while (at < end && *at && *at != '\n')
		at++;
	lines->position = (size_t)(at - lines->text) + (at < end);
	while (part < at && strchr(BLANKS, *part))
		part++;
	if (part < at && at[-1] == '\r')
		at--;
	*ret_part = part;
	*ret_length = (size_t)(at - part);
	return true;
}

/* Join the parts of a line. Returns 1; 0 if it is too long; -ENODATA if there is none. */
static int join(struct udev_lines *lines, struct udev_line *line)
{
	size_t n = 0, length;
	const char *part;
	bool fits = true, more = false, any = false;

	while (take_part(lines, &part, &length)) {
		if (!any)
			line->first = lines->line;
		line->last = lines->line;
		any = true;
		if (length && *part == '#') {
			if (more)
				continue;
			break;
		}
		more = length && part[length - 1] == '\\';
		length -= more;
		fits = fits && n + length < UDEV_LINE;
		if (fits)
			memcpy(line->text + n, part, length);
		n += length;
		if (!more)
			break;
	}
	if (!fits)
		return 0;
	line->text[n] = '\0';
	return any ? 1 : -ENODATA;
}

static int take_op(char **at, enum udev_op *ret_op)
{
	static const struct {
		char text[3];
		enum udev_op op;
	} ops[] = {
		{"==", UDEV_EQUAL},
		{"!=", UDEV_NOT_EQUAL},
		{"+=", UDEV_ASSIGN},
		{":=", UDEV_ASSIGN},
		{"-=", UDEV_REMOVE},
		{"=", UDEV_ASSIGN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		size_t length = strlen(ops[i].text);

		if (strncmp(*at, ops[i].text, length) != 0)
			continue;
		*ret_op = ops[i].op;
		*at += length;
		return 0;
	}
	return -EINVAL;
}

/* The value between quotes. A backslash hides a quote; after e" it hides any character. */
static int take_value(char **at, struct udev_token *token)
{
	bool escaped = **at == 'e';
	char *from, *to;

	token->any_case = **at == 'i';
	*at += escaped || token->any_case;
	if (**at != '"')
		return -EINVAL;
	token->value = to = from = *at + 1;
	for (; *from != '"'; *to++ = *from++) {
		if (*from == '\\' && from[1] && (escaped || from[1] == '"'))
			from++;
		if (!*from)
			return -EINVAL;
	}
	*to = '\0';
	*at = from + 1;
	return 0;
}

/* 1; 0: there is none; -EINVAL: it is none. */
static int take_token(char **at, struct udev_token *token)
{
	char *key = *at + strspn(*at, BLANKS ","), *end;
	int r;

	if (!*key)
		return 0;
	token->key = key;
	token->attribute = "";
	*at = end = key + strcspn(key, BLANKS "{=!+:-");
	if (end == key)
		return -EINVAL;
	if (**at == '{') {
		token->attribute = *at + 1;
		*at = strchr(*at, '}');
		if (!*at)
			return -EINVAL;
		*(*at)++ = '\0';
	}
	*at += strspn(*at, BLANKS);
	r = take_op(at, &token->op);
	if (r < 0)
		return r;
	*end = '\0';
	*at += strspn(*at, BLANKS);
	r = take_value(at, token);
	return r < 0 ? r : 1;
}

/* 0, or -EINVAL: udevd ignores the line as a whole. */
static int split(struct udev_line *line)
{
	char *at = line->text;
	int r = 0;

	for (line->n = 0; line->n < UDEV_TOKENS; line->n++) {
		r = take_token(&at, &line->tokens[line->n]);
		if (r <= 0)
			return r;
	}
	return -EINVAL;
}

bool udev_lines_next(struct udev_lines *lines, struct udev_line *ret_line)
{
	int r;

	while ((r = join(lines, ret_line)) >= 0)
		if (r > 0 && split(ret_line) == 0 && ret_line->n)
			return true;
	return false;
}
