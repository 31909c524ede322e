/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * String buffers: text that fits is complete, the rest is cut off, and nothing is written beyond
 * the buffer. Foreign text is made printable.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "tdxo/base/strbuf.h"

#define GUARD '#'

static char arena[64];

/* A string buffer of `size` bytes, followed by bytes that must not change. */
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
 * At every size of the buffer, in one piece and in several: a buffer that was cut off stays so when
 * more is appended.
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

/* Nothing is appended if formatting fails, here for a wide character that the locale lacks. */
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

/* Each byte, alone and between others. */
static void test_printable(void **state)
{
	(void)state;
	for (unsigned int byte = 1; byte < 256; byte++) {
		bool printable = byte >= ' ' && byte <= '~';
		char foreign[] = {'a', (char)byte, 'z', '\0'}, expected[16];
		struct strbuf text = text_of(16);
		char *copy = new_printable(foreign);

		assert_int_equal(is_printable_text(foreign), printable);
		assert_int_equal(is_printable_text(foreign + 1), printable);
		snprintf(expected, sizeof(expected), printable ? "a%cz" : "a\\x%02xz", byte);
		strbuf_append_printable(&text, foreign);
		assert_text(&text, expected, strlen(expected));
		assert_string_equal(copy, expected);
		assert_true(is_printable_text(copy));
		free(copy);
	}
	assert_true(is_printable_text(""));
}

/*
 * Bytes that are not printable ASCII are escaped, valid UTF-8 or not. The result is cut off if it
 * is too long.
 */
static void test_foreign(void **state)
{
	static const struct {
		const char *foreign, *printable;
	} cases[] = {
		{"", ""},
		{"\x1b[2J", "\\x1b[2J"}, /* an escape sequence */
		{"\xc2\x9b"
		 "2J",
			"\\xc2\\x9b2J"}, /* C1 CSI in UTF-8 */
		{"\x9b"
		 "2J",
			"\\x9b2J"},			      /* C1 CSI as a byte */
		{"\xe2\x80\xae", "\\xe2\\x80\\xae"},	      /* U+202E, right-to-left override */
		{"\xc0\x8a", "\\xc0\\x8a"},		      /* overlong newline */
		{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"}, /* beyond Unicode */
		{"a\r\nb\t", "a\\x0d\\x0ab\\x09"},
		{"\\x41", "\\x41"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf text = text_of(32);
		char *copy = new_printable(cases[i].foreign);

		strbuf_append_printable(&text, cases[i].foreign);
		assert_text(&text, cases[i].printable, strlen(cases[i].printable));
		assert_string_equal(copy, cases[i].printable);
		free(copy);
	}
	for (size_t size = 1; size < 10; size++) {
		struct strbuf text = text_of(size);

		strbuf_append_printable(&text, "ab\x1bz");
		assert_text(&text, "ab\\x1bz", size - 1 < 7 ? size - 1 : 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_not_formatted),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
