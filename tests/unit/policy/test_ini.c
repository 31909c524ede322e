/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration text, line by line.
 *
 * Tables have each kind of line and each mistake. Then random bytes, many of them parts of valid
 * lines, are compared with a model that classifies lines by regular expressions. Each text is in a
 * heap block of exactly its length, so that a sanitizer reports a read beyond the end.
 */
#include "tests/unit/unit.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/policy/ini.h"

#define TEN	"abcdefghij"
#define LETTERS TEN TEN TEN "k" /* 31 letters: the longest name */

static void free_bytes(char **bytes)
{
	free(*bytes);
}

static char *exactly(const char *text, size_t size)
{
	char *copy = malloc(size);

	assert_true(copy || !size);
	if (size)
		memcpy(copy, text, size);
	return copy;
}

/* The only item of a text of one line, or INI_END. */
static struct ini_item only_item(const char *text, size_t size)
{
	CLEANUP(free_bytes) char *bytes = exactly(text, size);
	struct ini_item item;
	struct ini ini;

	ini_init(&ini, bytes, size);
	item = ini_next(&ini);
	assert_int_equal(ini_next(&ini).kind, INI_END);
	return item;
}

struct want {
	enum ini_kind kind;
	unsigned int line;
	const char *section, *key;
};

static void assert_items(const char *text, const struct want *want, size_t n)
{
	CLEANUP(free_bytes) char *bytes = exactly(text, strlen(text));
	struct ini ini;

	ini_init(&ini, bytes, strlen(text));
	for (size_t i = 0; i < n; i++) {
		struct ini_item item = ini_next(&ini);

		assert_int_equal(item.kind, want[i].kind);
		assert_int_equal(item.line, want[i].line);
		assert_string_equal(item.section, want[i].section);
		assert_string_equal(item.key, want[i].key);
		assert_int_equal(item.mistake != NULL, item.kind == INI_MISTAKE);
	}
	for (int again = 0; again < 3; again++) {
		struct ini_item item = ini_next(&ini);

		assert_int_equal(item.kind, INI_END);
		assert_null(item.mistake);
		assert_string_equal(item.key, "");
	}
}

#define assert_text(text, ...)                                                                     \
	do {                                                                                       \
		const struct want wants_[] = {__VA_ARGS__};                                        \
		assert_items(text, wants_, ARRAY_SIZE(wants_));                                    \
	} while (0)

#define GOOD                                                                                       \
	"# The expander in slot 3 \303\251\n"                                                      \
	"\n"                                                                                       \
	"[Match]\n"                                                                                \
	"Type = cxl hmem\t# any of them\n"                                                         \
	" \t \n"                                                                                   \
	"\tSerial=0x2a\n"                                                                          \
	"[Policy]# what \377\n"                                                                    \
	"Verdict=devdax\n"                                                                         \
	"#Zone=kernel\n"                                                                           \
	"OnFailure="

static void test_good(void **state)
{
	(void)state;
	assert_text(GOOD, {INI_SECTION, 3, "Match", ""}, {INI_KEY, 4, "Match", "Type"},
		{INI_KEY, 6, "Match", "Serial"}, {INI_SECTION, 7, "Policy", ""},
		{INI_KEY, 8, "Policy", "Verdict"}, {INI_KEY, 10, "Policy", "OnFailure"});
	/* with no newline at the end, with one, and with several */
	assert_text("[A]\nB=c", {INI_SECTION, 1, "A", ""}, {INI_KEY, 2, "A", "B"});
	assert_text("[A]\nB=c\n", {INI_SECTION, 1, "A", ""}, {INI_KEY, 2, "A", "B"});
	assert_text("[A]\nB=c\n\n\n", {INI_SECTION, 1, "A", ""}, {INI_KEY, 2, "A", "B"});
	assert_text("\n\n\n[A]", {INI_SECTION, 4, "A", ""});
	/* before the first section; a repeated key or section is returned again */
	assert_text("K=\nK=\n[S]\n[S]\nK=", {INI_KEY, 1, "", "K"}, {INI_KEY, 2, "", "K"},
		{INI_SECTION, 3, "S", ""}, {INI_SECTION, 4, "S", ""}, {INI_KEY, 5, "S", "K"});
}

static void test_blank_texts(void **state)
{
	static const char *const texts[] = {
		"", "\n", "\n\n\n", " ", "\t", " \t\n \t", "#", "#\n#", "  # x", "#[A]\n#B=c"};
	struct ini ini;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_items(texts[i], NULL, 0);
	ini_init(&ini, NULL, 0);
	assert_int_equal(ini_next(&ini).kind, INI_END);
	assert_int_equal(ini_find(NULL, 0, "A", NULL), 0);
}

/* A mistake ends neither the text nor the section. */
static void test_mistakes_between_lines(void **state)
{
	(void)state;
	assert_text("[A]\nwhat\nB=c\r\n\tD\t=e\n[F\nG", {INI_SECTION, 1, "A", ""},
		{INI_MISTAKE, 2, "A", ""}, {INI_MISTAKE, 3, "A", ""}, {INI_KEY, 4, "A", "D"},
		{INI_MISTAKE, 5, "A", ""}, {INI_MISTAKE, 6, "A", ""});
	assert_text("\r\n\r\n[A]\r\n", {INI_MISTAKE, 1, "", ""}, {INI_MISTAKE, 2, "", ""},
		{INI_MISTAKE, 3, "", ""});
	/* a byte order mark is reported as such only at the start of the file */
	assert_text("#\n\357\273\277[A]\n# \357\273\277", {INI_MISTAKE, 2, "", ""});
	assert_text("x\n\n\n1=\n[2]\n[A]\n3", {INI_MISTAKE, 1, "", ""}, {INI_MISTAKE, 4, "", ""},
		{INI_MISTAKE, 5, "", ""}, {INI_SECTION, 6, "A", ""}, {INI_MISTAKE, 7, "A", ""});
}

static void assert_only(const char *text, enum ini_kind kind, const char *section, const char *key)
{
	struct ini_item item = only_item(text, strlen(text));

	assert_int_equal(item.kind, kind);
	assert_int_equal(item.line, 1);
	assert_string_equal(item.section, section);
	assert_string_equal(item.key, key);
	assert_null(item.mistake);
}

static void test_sections(void **state)
{
	static const char *const texts[] = {"[Match]", "  [Match]\t", "[Match] # ]", "[Match]#",
		"\t[Match]\t# [A] \303\251", "[Match]\n"};

	(void)state;
	assert_int_equal(strlen(LETTERS), INI_NAME - 1);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_only(texts[i], INI_SECTION, "Match", "");
	assert_only("[A]", INI_SECTION, "A", "");
	assert_only("[mAtCh]", INI_SECTION, "mAtCh", "");
	assert_only("[" LETTERS "]", INI_SECTION, LETTERS, "");
}

static void test_keys(void **state)
{
	static const char *const texts[] = {"Key=", "Key=value", " \tKey \t= value ", "Key=#",
		"Key=value#comment", "Key=a # \303\251\377", "Key==", "Key=a=b", "Key=[A]",
		"Key=;\"'\\ ~!", "Key=a\tb", "Key=value\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_only(texts[i], INI_KEY, "", "Key");
	assert_only("A=", INI_KEY, "", "A");
	assert_only("kEY=", INI_KEY, "", "kEY");
	assert_only(LETTERS "=", INI_KEY, "", LETTERS);
}

/* The value of a line, without quotation marks around it, spaces around it, and a comment. */
static void test_values(void **state)
{
	static const char *const rows[][2] = {
		{"Key=", ""},
		{"Key=value", "value"},
		{"Key= \t a  b\tc \t ", "a  b\tc"},
		{"Key=value\n[A]", "value"},
		{"Key=a=b", "a=b"},
		{"Key= # value", ""},
		{"Key=#", ""},
		{"Key=value# a # b", "value"},
		{"Key=value # a # b", "value"},
		{"Key=\"value\"", "value"},
		{"Key = \" a \" # \"", " a "},
		{"Key=\"\"", ""},
		{"Key=\"", "\""},
		{"Key=\" ", "\""},
		{"Key=\"\"\"", "\""},
		{"Key=\"a", "\"a"},
		{"Key=a\"", "a\""},
		{"Key=\"a\" \"b\"", "a\" \"b"},
		{"Key=\"a # b\"", "\"a"},
		{"Key='a'", "'a'"},
		{"Key=\\", "\\"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = strlen(rows[i][0]);
		CLEANUP(free_bytes) char *bytes = exactly(rows[i][0], size);
		struct ini_item item;
		struct ini ini;

		ini_init(&ini, bytes, size);
		item = ini_next(&ini);
		assert_int_equal(item.kind, INI_KEY);
		assert_int_equal(item.value_size, strlen(rows[i][1]));
		assert_memory_equal(item.value, rows[i][1], item.value_size);
	}
}

static void assert_mistake(const char *text, size_t size, const char *mistake)
{
	struct ini_item item = only_item(text, size);

	if (item.kind != INI_MISTAKE || !strstr(item.mistake, mistake))
		fail_msg("%s: %s, want %s", text, item.mistake ?: "no mistake", mistake);
	assert_int_equal(item.line, 1);
	assert_string_equal(item.section, "");
	assert_string_equal(item.key, "");
}

/* Each of the texts, in one line, has the mistake; `mistake` is a part of its message. */
#define assert_mistakes(mistake, ...)                                                              \
	do {                                                                                       \
		static const char *const texts_[] = {__VA_ARGS__};                                 \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(texts_); i_++)                                 \
			assert_mistake(texts_[i_], strlen(texts_[i_]), mistake);                   \
	} while (0)

static void test_wrong_lines(void **state)
{
	(void)state;
	assert_mistakes("is not [Section]", "Key", "Key value", "Key: value", "; comment",
		"// comment", "Key#=value", "Key # = value", "]", "Match]", "\\", "!");
	assert_mistakes("no valid key before", "=", "=value", " \t= value", "Key1=value",
		"Two words=value", "Two-words=value", "two_words=value", "a.b=value", ";Key=value",
		"\"Key\"=value", "]=", LETTERS "l=value");
	assert_mistakes(
		"no ']'", "[", "[Match", "[Match] x", "[Match] = x", "[Mat#ch]", "[Match\t");
	assert_mistakes("name of the section is not valid", "[]", "[ ]", "[ Match ]", "[Two words]",
		"[Match1]", "[[Match]]", "[Match]]", "[A] [B]", "[A=b]", "[" LETTERS "l]");
}

static void test_wrong_bytes(void **state)
{
	(void)state;
	assert_mistakes("CR LF", "\r", "Key=value\r", "[Match]\r\n", "# comment\r\n", "what\r\n");
	assert_mistakes("control character", "Key=a\rb", "# \001", "Key=\033[0m", "Key=\037",
		"Key=\177", "# \177", "Key=\v", "\f[Match]", "Key=\b#");
	assert_mistakes("other than ASCII", "K\303\251y=value", "Key=\303\251", "Key=\200", "\377",
		"Key=\302\240# blank", "[M\344tch] # x", "\303\251 # x", "\357\273",
		" \357\273\277");
	assert_mistakes("byte order mark", "\357\273\277", "\357\273\277[Match]",
		"\357\273\277# comment", "\357\273\277\n", "\357\273\277Key=\303\251");
}

static void test_nul(void **state)
{
	(void)state;
	assert_mistake("", 1, "control character");
	assert_mistake("\0\n", 2, "control character");
	assert_mistake("Key=a\0b", 7, "control character");
	assert_mistake("Key=a", 6, "control character");
	assert_mistake("# a\0b", 5, "control character");
	assert_mistake("[A]", 4, "control character");
}

/* A line of this many bytes, and another one after it. */
static void check_long_line(const char *start, size_t length, enum ini_kind kind)
{
	CLEANUP(free_bytes) char *text = malloc(length + 4);
	struct ini_item item;
	struct ini ini;

	assert_non_null(text);
	memset(text, 'x', length);
	memcpy(text, start, strlen(start));
	memcpy(text + length, "\nB=", 3);
	ini_init(&ini, text, length + 3);
	if (kind != INI_END) {
		item = ini_next(&ini);
		assert_int_equal(item.kind, kind);
		assert_int_equal(item.line, 1);
		if (kind == INI_MISTAKE)
			assert_non_null(strstr(item.mistake, "too long"));
	}
	item = ini_next(&ini);
	assert_int_equal(item.kind, INI_KEY);
	assert_int_equal(item.line, 2);
	assert_int_equal(ini_next(&ini).kind, INI_END);
	/* the same without a newline at the end */
	ini_init(&ini, text, length);
	assert_int_equal(ini_next(&ini).kind, kind);
}

static void test_long_lines(void **state)
{
	(void)state;
	check_long_line("A=", INI_LINE, INI_KEY);
	check_long_line("A=", INI_LINE + 1, INI_MISTAKE);
	check_long_line("#", INI_LINE, INI_END);
	check_long_line("#", INI_LINE + 1, INI_MISTAKE);
	check_long_line("\357\273\277", INI_LINE + 1, INI_MISTAKE);
	check_long_line("[", INI_TEXT, INI_MISTAKE);
}

static void test_find(void **state)
{
	static const char text[] = "K=\n[Match]\nK=1\nwhat\nK=2\n[Policy]\nZ=\nMatch=\n[Match]\nL=";
	static const struct {
		const char *section, *key;
		unsigned int line;
	} rows[] = {
		{"", "K", 1},
		{"Match", NULL, 2},
		{"Match", "K", 3}, /* the first of two */
		{"Match", "L", 10},
		{"Policy", NULL, 6},
		{"Policy", "Z", 7},
		{"Policy", "Match", 8},
		{"Policy", "K", 0},
		{"", "Z", 0},
		{"Match", "Z", 0},
		{"match", NULL, 0},
		{"Matc", NULL, 0},
		{"Match", "k", 0},
		{"Match", "", 0},
		{"Match", "what", 0},
		{"K", NULL, 0},
		{"", NULL, 0},
	};
	CLEANUP(free_bytes) char *bytes = exactly(text, sizeof(text) - 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(ini_find(bytes, sizeof(text) - 1, rows[i].section, rows[i].key),
			rows[i].line);
}

/* The model: the kind of a line, by regular expressions. */
static regex_t blank_line, section_line, key_line;

static int compile_model(void **state)
{
	(void)state;
	return regcomp(&blank_line, "^[ \t]*(#.*)?$", REG_EXTENDED) ||
	       regcomp(&section_line, "^[ \t]*\\[([A-Za-z]{1,31})\\][ \t]*(#.*)?$", REG_EXTENDED) ||
	       regcomp(&key_line, "^[ \t]*([A-Za-z]{1,31})[ \t]*=", REG_EXTENDED);
}

static int free_model(void **state)
{
	(void)state;
	regfree(&blank_line);
	regfree(&section_line);
	regfree(&key_line);
	return 0;
}

static bool bad_bytes(const char *line, size_t length)
{
	const char *comment = strchr(line, '#') ?: line + length;

	for (const char *at = line; *at; at++)
		if ((iscntrl((unsigned char)*at) && *at != '\t') ||
			(!isascii((unsigned char)*at) && at < comment))
			return true;
	return length > 4000;
}

static enum ini_kind model_kind(const char *line, char name[INI_NAME])
{
	regmatch_t parts[2];
	enum ini_kind kind;

	if (bad_bytes(line, strlen(line)))
		return INI_MISTAKE;
	if (regexec(&blank_line, line, 0, NULL, 0) == 0)
		return INI_END;
	if (regexec(&section_line, line, 2, parts, 0) == 0)
		kind = INI_SECTION;
	else if (regexec(&key_line, line, 2, parts, 0) == 0)
		kind = INI_KEY;
	else
		return INI_MISTAKE;
	snprintf(name, INI_NAME, "%.*s", parts[1].rm_eo - parts[1].rm_so, line + parts[1].rm_so);
	return kind;
}

/* Compare one line, without its newline, with the next item. A blank line has no item. */
static void check_line(struct ini *ini, const char *line, size_t length, unsigned int number,
	char section[INI_NAME])
{
	char copy[8192], name[INI_NAME] = "";
	struct ini_item item;
	enum ini_kind kind;

	assert_true(length < sizeof(copy));
	memcpy(copy, line, length);
	copy[length] = '\0';
	kind = strlen(copy) == length ? model_kind(copy, name) : INI_MISTAKE;
	if (kind == INI_END)
		return;
	if (kind == INI_SECTION)
		memcpy(section, name, INI_NAME);
	item = ini_next(ini);
	assert_int_equal(item.kind, kind);
	assert_int_equal(item.line, number);
	assert_int_equal(item.mistake != NULL, kind == INI_MISTAKE);
	assert_string_equal(item.section, section);
	assert_string_equal(item.key, kind == INI_KEY ? name : "");
}

static void check_text(const char *text, size_t size)
{
	CLEANUP(free_bytes) char *bytes = exactly(text, size);
	char section[INI_NAME] = "";
	unsigned int number = 1;
	struct ini ini;

	ini_init(&ini, bytes, size);
	for (size_t start = 0; start < size; number++) {
		const char *end = memchr(text + start, '\n', size - start);
		size_t length = end ? (size_t)(end - text) - start : size - start;

		check_line(&ini, text + start, length, number, section);
		start += length + 1;
	}
	for (int again = 0; again < 2; again++) {
		struct ini_item item = ini_next(&ini);

		assert_int_equal(item.kind, INI_END);
		assert_true(item.line <= number);
		assert_null(item.mistake);
	}
	ini_find(bytes, size, "A", "B");
}

static size_t random_text(char *text, size_t most, uint64_t *seed)
{
	static const char *const parts[] = {"\n", "\n", "\n", "[", "]", "=", "#", " ", "\t", "A",
		"B", "Key", "[A]", "\n[Match]\n", "\nB=", "\r", "\r\n", "\357\273\277", LETTERS,
		"z1", "_", "; "};
	size_t size = 0, n = below(seed, 16) ? below(seed, 14) : below(seed, 60);

	for (size_t i = 0; i < n && size + INI_NAME < most; i++) {
		const char *part = parts[below(seed, ARRAY_SIZE(parts))];

		if (below(seed, 12) == 0)
			text[size++] = (char)below(seed, 256);
		else if (below(seed, 60) == 0)
			text[size++] = '\0';
		memcpy(text + size, part, strlen(part));
		size += strlen(part);
	}
	return size;
}

static void test_any_bytes(void **state)
{
	uint64_t seed = 1;
	char text[1024];

	(void)state;
	for (int round = 0; round < 100000; round++)
		check_text(text, random_text(text, sizeof(text), &seed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_blank_texts),
		cmocka_unit_test(test_mistakes_between_lines),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_wrong_bytes),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, compile_model, free_model);
}
