/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts: what fits is there, what does not is cut off, and nothing is written beyond the buffer.
 * Texts of others: which bytes can be printed, and which are UTF-8.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "tdxo/base/strbuf.h"

#define GUARD '#'

static char arena[64];

/* A text in a buffer of so many bytes; those behind it are watched. */
static struct strbuf text_of(size_t size)
{
	memset(arena, GUARD, sizeof(arena));
	return strbuf_in(arena, size);
}

static void assert_text(const struct strbuf *text, const char *want, size_t length)
{
	assert_int_equal(text->n, length);
	assert_memory_equal(arena, want, length);
	assert_int_equal(arena[length], '\0');
	for (size_t i = text->size; i < sizeof(arena); i++)
		assert_int_equal(arena[i], GUARD);
}

static void test_appends(void **state)
{
	struct strbuf text = text_of(32);

	(void)state;
	strbuf_append(&text, "%s of %d", "one", 2);
	assert_text(&text, "one of 2", 8);
	strbuf_append(&text, "%s", "");
	assert_text(&text, "one of 2", 8);
	strbuf_append(&text, ", %c%%", 'x');
	assert_text(&text, "one of 2, x%", 12);
}

/*
 * At every size of the buffer, in one piece and in several: what is cut off stays cut off, whatever
 * comes later.
 */
static void test_pieces(void **state)
{
	static const char whole[] = "0123456789abcdef";

	(void)state;
	for (size_t size = 1; size < sizeof(whole) + 4; size++)
		for (size_t piece = 1; piece <= strlen(whole); piece++) {
			struct strbuf text = text_of(size);
			size_t length = size > strlen(whole) ? strlen(whole) : size - 1;

			for (size_t at = 0; at < strlen(whole); at += piece)
				strbuf_append(&text, "%.*s", (int)piece, whole + at);
			assert_text(&text, whole, length);
			strbuf_append(&text, "%s", "");
			assert_text(&text, whole, length);
		}
}

/* What cannot be formatted adds nothing; a wide character that is none in this locale cannot. */
static void test_not_formatted(void **state)
{
	struct strbuf text = text_of(16);

	(void)state;
	strbuf_append(&text, "before");
	strbuf_append(&text, "%lc", (wint_t)0x20ac);
	assert_int_equal(text.n, 6);
	strbuf_append(&text, ".");
	assert_text(&text, "before.", 7);
}

/* Every byte alone, and between others. */
static void test_printable(void **state)
{
	(void)state;
	for (unsigned int byte = 1; byte < 256; byte++) {
		bool printable = byte >= ' ' && byte <= '~';
		char text[] = {'a', (char)byte, 'z', '\0'};

		assert_int_equal(is_printable_text(text), printable);
		assert_int_equal(is_printable_text(text + 1), printable);
		make_printable(text);
		assert_int_equal(text[1], printable ? (char)byte : '?');
		assert_int_equal(text[0], 'a');
		assert_string_equal(text + 2, "z");
		assert_true(is_printable_text(text));
	}
	assert_true(is_printable_text(""));
}

/* The bytes that stand for a code point in so many of them, were it allowed or not. */
static void encode(unsigned int code, size_t length, char ret_text[5])
{
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length; i-- > 1; code >>= 6)
		ret_text[i] = (char)(0x80 | (code & 0x3f));
	ret_text[0] = (char)(first[length] | code);
	ret_text[length] = '\0';
}

static size_t shortest(unsigned int code)
{
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* Every code point in every length that can hold it, those that are too long and too high too. */
static void test_utf8(void **state)
{
	static const unsigned int ends[] = {0, 0x80, 0x800, 0x10000, 0x200000};
	char text[5];

	(void)state;
	for (size_t length = 1; length <= 4; length++)
		for (unsigned int code = 1; code < ends[length]; code++) {
			bool surrogate = code >= 0xd800 && code <= 0xdfff;
			bool valid = length == shortest(code) && !surrogate && code <= 0x10ffff;

			encode(code, length, text);
			if (utf8_length(text) != (valid ? length : 0))
				fail_msg("U+%04X in %zu bytes", code, length);
		}
}

/* A character of which a byte is missing or another one. */
static void test_utf8_broken(void **state)
{
	static const unsigned int codes[] = {0xe9, 0x20ac, 0xfffd, 0x1f600, 0x10ffff};
	static const char wrong[] = {'\0', 'a', '\x7f', '\xc0', '\xff'};
	char text[5];

	(void)state;
	assert_int_equal(utf8_length(""), 0);
	for (unsigned int byte = 0x80; byte < 256; byte++) {
		snprintf(text, sizeof(text), "%ca", (int)byte);
		assert_int_equal(utf8_length(text), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		for (size_t at = 1; at < shortest(codes[i]); at++)
			for (size_t j = 0; j < ARRAY_SIZE(wrong); j++) {
				encode(codes[i], shortest(codes[i]), text);
				text[at] = wrong[j];
				assert_int_equal(utf8_length(text), 0);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_not_formatted),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
