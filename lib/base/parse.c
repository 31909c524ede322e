/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of configuration keys.
 */
#include "tdxo/base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

int parse_word(const char **list, char ret_word[WORD_TEXT])
{
	const char *start = *list + strspn(*list, BLANKS);
	size_t length = strcspn(start, BLANKS);

	if (!length)
		return 0;
	if (length >= WORD_TEXT)
		return -EINVAL;
	memcpy(ret_word, start, length);
	ret_word[length] = '\0';
	*list = start + length;
	return 1;
}

int parse_bool(const char *text, bool *ret_bool)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int value = 0; value < 2; value++)
			if (strcasecmp(text, words[i][value]) == 0) {
				*ret_bool = value;
				return 0;
			}
	return -EINVAL;
}

/* Returns what follows the number, or NULL if there is none. */
static const char *parse_digits(const char *text, uint64_t *ret_number)
{
	int base = strncasecmp(text, "0x", 2) == 0 ? 16 : 10;
	uint64_t number;
	char *end;

	/* strtoull() would take blanks and signs as well. */
	if (!isdigit((unsigned char)*text) || (base == 16 && !isxdigit((unsigned char)text[2])))
		return NULL;
	errno = 0;
	number = strtoull(text, &end, base);
	if (errno)
		return NULL;
	*ret_number = number;
	return end;
}

int parse_number(const char *text, uint64_t *ret_number)
{
	uint64_t number;
	const char *end = parse_digits(text, &number);

	if (!end || *end)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

bool parse_number_after(const char *name, const char *prefix, uint64_t *ret_number)
{
	size_t length = strlen(prefix);
	char *end;
	uint64_t number;

	if (strncmp(name, prefix, length) != 0 || !isdigit((unsigned char)name[length]))
		return false;
	errno = 0;
	number = strtoull(name + length, &end, 10);
	if (*end || errno)
		return false;
	*ret_number = number;
	return true;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	const char *end, *unit;
	unsigned int shift = 0;
	uint64_t number;

	end = parse_digits(text, &number);
	if (!end)
		return -EINVAL;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
	}
	if (*end || number > UINT64_MAX >> shift)
		return -EINVAL;
	*ret_bytes = number << shift;
	return 0;
}

int parse_range(const char *text, struct range *ret_range)
{
	uint64_t first, last;

	text = parse_digits(text, &first);
	if (!text || *text != '-')
		return -EINVAL;
	text = parse_digits(text + 1, &last);
	if (!text || *text || last < first || last == UINT64_MAX)
		return -EINVAL;
	*ret_range = (struct range){first, last + 1};
	return 0;
}

int parse_ranges(const char *list, struct range_set *ret_set)
{
	CLEANUP(range_set_done) struct range_set set = {0};
	CLEANUP(range_list_done) struct range_list ranges = {0};
	char word[WORD_TEXT];
	struct range range;
	uint64_t bytes = 0;
	int r;

	while ((r = parse_word(&list, word)) > 0) {
		r = parse_range(word, &range);
		if (r == 0)
			r = range_list_add(&ranges, range);
		if (r < 0)
			return r;
		bytes += range_size(range);
	}
	if (r == 0)
		r = range_set_of(&ranges, &set);
	if (r < 0)
		return r;
	range_set_done(ret_set);
	*ret_set = set;
	set = (struct range_set){0};
	return bytes != range_set_size(ret_set);
}
