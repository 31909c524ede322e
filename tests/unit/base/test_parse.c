/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parsers of configuration values.
 *
 * Each parser has a table of accepted values, with its limits, and a table of values that it must
 * refuse without a change to its result. At the end all parsers read random bytes, and their
 * results must be consistent.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "tdxo/base/parse.h"
#include "tests/unit/short_memory.h"

#define TEN	"0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define MOST	HUNDRED TEN TEN "0123456" /* 127 bytes: the longest word */

static void assert_words(const char *list, const char *const want[])
{
	char word[WORD_TEXT] = "as it was";
	size_t n = 0;

	for (; want[n]; n++) {
		assert_int_equal(parse_word(&list, word), 1);
		assert_string_equal(word, want[n]);
	}
	for (int again = 0; again < 2; again++)
		assert_int_equal(parse_word(&list, word), 0);
	assert_string_equal(word, n ? want[n - 1] : "as it was");
}

#define assert_list(list, ...) assert_words(list, (const char *const[]){__VA_ARGS__})

static void test_words(void **state)
{
	(void)state;
	assert_list("", NULL);
	assert_list(" \t \t", NULL);
	assert_list("one", "one", NULL);
	assert_list("one two", "one", "two", NULL);
	assert_list("\t one \t\ttwo\t", "one", "two", NULL);
	assert_list("a,b;c \"d e\" \\ f", "a,b;c", "\"d", "e\"", "\\", "f", NULL);
	assert_list("line\nend \377 \001", "line\nend", "\377", "\001", NULL);
	assert_list(MOST, MOST, NULL);
	assert_list(" " MOST " " MOST "\tz", MOST, MOST, "z", NULL);
}

static void test_long_word(void **state)
{
	const char *list = "short " MOST "7 end";
	char word[WORD_TEXT];

	(void)state;
	assert_int_equal(strlen(MOST), WORD_TEXT - 1);
	assert_int_equal(parse_word(&list, word), 1);
	for (int again = 0; again < 2; again++)
		assert_int_equal(parse_word(&list, word), -EINVAL);
	assert_string_equal(word, "short");
}

static void test_bool(void **state)
{
	static const struct {
		const char *no, *yes;
	} pairs[] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}, {"NO", "YES"},
		{"False", "True"}, {"oFF", "On"}};
	static const char *const bad[] = {"", " ", "y", "n", "t", "f", "yes ", " yes", "yess", "ye",
		"2", "00", "01", "-1", "enabled", "yes no", "on\n", "\377"};
	bool value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		value = true;
		assert_int_equal(parse_bool(pairs[i].no, &value), 0);
		assert_false(value);
		assert_int_equal(parse_bool(pairs[i].yes, &value), 0);
		assert_true(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		for (int was = 0; was < 2; was++) {
			value = was;
			if (parse_bool(bad[i], &value) != -EINVAL || value != was)
				fail_msg("accepted: \"%s\"", bad[i]);
		}
}

/* Refused as a number, both alone and before a unit. */
static const char *const no_numbers[] = {"", " ", "-", "+", "-0", "-1", "+1", " 1", "\t1", "\n1",
	"1 ", "1\n", "1 2", "1,2", "0x", "0X", "0xg", "0x 1", "0x-1", "0x+1", "x1", "00x1", "0x0x1",
	"1f", "1.5", "1e3", "1_000", "1'000", "one", "18446744073709551616", "18446744073709551625",
	"99999999999999999999999999999999999999999", "0x10000000000000000",
	"0xffffffffffffffffffff", "\377", "1\377", "K", "T", "0xK", "1k", "1m", "1g", "1t", "1B",
	"1KB", "1KiB", "1Ki", "1P", "1E", "1KK", "1K ", "1 K", "1K1", "1KM", "-1K", "1.5G"};

static void test_number(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
	} good[] = {
		{"0", 0},
		{"1", 1},
		{"42", 42},
		{"0x2a", 42},
		{"0X2A", 42},
		{"0x0", 0},
		{"0x00000000000000000000001", 1},
		{"010", 10}, /* not octal */
		{"0000000000000000000000000000009", 9},
		{"9223372036854775808", UINT64_C(1) << 63},
		{"18446744073709551615", UINT64_MAX},
		{"0xffffffffffffffff", UINT64_MAX},
		{"0xFfFfFfFfFfFfFfFe", UINT64_MAX - 1},
	};
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		number = 77;
		assert_int_equal(parse_number(good[i].text, &number), 0);
		assert_int_equal(number, good[i].number);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no_numbers); i++) {
		number = 77;
		if (parse_number(no_numbers[i], &number) != -EINVAL || number != 77)
			fail_msg("accepted: \"%s\"", no_numbers[i]);
	}
	assert_int_equal(parse_number("1K", &number), -EINVAL);
	assert_int_equal(parse_number("1G", &number), -EINVAL);
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"0T", 0},
		{"1", 1},
		{"1K", 1024},
		{"1M", 1048576},
		{"1G", 1073741824},
		{"1T", 1099511627776},
		{"64G", 64 * GIB},
		{"0x40G", 64 * GIB},
		{"010M", 10 * MIB},
		{"1536", 1536},
		{"18446744073709551615", UINT64_MAX},
		/* the largest of each unit */
		{"18014398509481983K", UINT64_MAX - (KIB - 1)},
		{"17592186044415M", UINT64_MAX - (MIB - 1)},
		{"17179869183G", UINT64_MAX - (GIB - 1)},
		{"16777215T", UINT64_MAX - (1024 * GIB - 1)},
		{"0xffffffT", UINT64_MAX - (1024 * GIB - 1)},
	};
	static const char *const bad[] = {"18014398509481984K", "17592186044416M", "17179869184G",
		"16777216T", "0x1000000T", "18446744073709551615K", "18446744073709551615T",
		"18446744073709551616T"};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		bytes = 77;
		assert_int_equal(parse_size(good[i].text, &bytes), 0);
		assert_int_equal(bytes, good[i].bytes);
	}
	bytes = 77;
	for (size_t i = 0; i < ARRAY_SIZE(no_numbers); i++)
		if (parse_size(no_numbers[i], &bytes) != -EINVAL || bytes != 77)
			fail_msg("accepted: \"%s\"", no_numbers[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_size(bad[i], &bytes) != -EINVAL || bytes != 77)
			fail_msg("accepted: \"%s\"", bad[i]);
}

static void test_range(void **state)
{
	static const struct {
		const char *text;
		struct range range;
	} good[] = {
		{"0x100000000-0x1ffffffff", {4 * GIB, 8 * GIB}},
		{"0-0", {0, 1}},
		{"0x0-0xfffffffffffffffe", {0, UINT64_MAX}},
		{"4096-8191", {4096, 8192}},
		{"0xAbC-0XabC", {0xabc, 0xabd}},
	};
	static const char *const bad[] = {"", "-", "0", "0-", "-1", "0x-0x1", "1-0", "0x10-0xf",
		"0-0x1 ", " 0-1", "0 -1", "0- 1", "0-+1", "0--1", "+0-1", "0-1-2", "0-1,2-3", "a-b",
		"0-0xffffffffffffffff", "0-0x10000000000000000", "0x10000000000000000-0x1",
		"0-18446744073709551616", "0x1g-0x2", "0-0x1\n", "0..1"};
	struct range r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse_range(good[i].text, &r), 0);
		assert_range_equal(r, good[i].range);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		r = span(3, 4);
		assert_int_equal(parse_range(bad[i], &r), -EINVAL);
		assert_range_equal(r, span(3, 4));
	}
}

static void test_ranges(void **state)
{
	CLEANUP(range_set_done) struct range_set set = {0};

	(void)state;
	assert_int_equal(parse_ranges("0x1000-0x1fff", &set), 0);
	assert_set_equal(&set, {0x1000, 0x2000});
	assert_int_equal(parse_ranges(" 0x3000-0x3fff\t0x0-0xfff ", &set), 0);
	assert_set_equal(&set, {0, 0x1000}, {0x3000, 0x4000});
	/* adjacent ranges do not overlap and become one range */
	assert_int_equal(parse_ranges("0-9 20-29 10-19", &set), 0);
	assert_set_equal(&set, {0, 30});
	assert_int_equal(parse_ranges("0-0xfffffffffffffffe", &set), 0);
	assert_set_equal(&set, {0, UINT64_MAX});
	assert_int_equal(parse_ranges("", &set), 0);
	assert_int_equal(set.n, 0);
	assert_int_equal(parse_ranges("5-6", &set), 0);
	assert_int_equal(parse_ranges(" \t", &set), 0);
	assert_int_equal(set.n, 0);
}

static void test_ranges_overlap(void **state)
{
	CLEANUP(range_set_done) struct range_set set = {0};

	(void)state;
	assert_int_equal(parse_ranges("0-9 9-19", &set), 1);
	assert_set_equal(&set, {0, 20});
	assert_int_equal(parse_ranges("40-49 40-49", &set), 1);
	assert_set_equal(&set, {40, 50});
	assert_int_equal(parse_ranges("0-99 50-59", &set), 1);
	assert_set_equal(&set, {0, 100});
	/* an overlap of the first words is still reported after the last one */
	assert_int_equal(parse_ranges("10-19 0-99 200-209", &set), 1);
	assert_set_equal(&set, {0, 100}, {200, 210});
}

static void test_ranges_refused(void **state)
{
	static const char *const bad[] = {"x", "0-9 x", "x 0-9", "0-9 19-10", "0-9,20-29", "0 - 9",
		"0-9 20-", "0-9 -", "0-18446744073709551615", "0-9 0-5 x", "0-9\n", "0-9;",
		"0-9 " MOST "7"};
	CLEANUP(range_set_done) struct range_set set = {0};

	(void)state;
	assert_int_equal(parse_ranges("7-8", &set), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse_ranges(bad[i], &set) != -EINVAL)
			fail_msg("accepted: \"%s\"", bad[i]);
		assert_set_equal(&set, {7, 9});
	}
}

static void test_short_memory(void **state)
{
	CLEANUP(range_set_done) struct range_set set = {0};
	int r = -ENOMEM, refused = 0;

	(void)state;
	assert_int_equal(parse_ranges("7-8", &set), 0);
	for (int allowed = 0; r < 0; allowed++) {
		assert_set_equal(&set, {7, 9});
		allocations_left = allowed;
		r = parse_ranges("0-9 20-29 40-49", &set);
		allocations_left = -1;
		assert_true(r == -ENOMEM || r == 0);
		refused += r < 0;
	}
	assert_true(refused > 0);
	assert_set_equal(&set, {0, 10}, {20, 30}, {40, 50});
	allocations_left = 0;
	assert_int_equal(parse_ranges("", &set), 0);
	allocations_left = -1;
	assert_int_equal(set.n, 0);
}

/* Random bytes, many of them parts of valid values. */
static void random_text(char text[200], uint64_t *seed)
{
	static const char likely[] = "0123456789xXfFKMGT- \t-x";
	size_t length = below(seed, 8) ? below(seed, 30) : below(seed, 199);

	for (size_t i = 0; i < length; i++)
		text[i] = below(seed, 20) ? likely[below(seed, sizeof(likely) - 1)]
					  : (char)(1 + below(seed, 255));
	text[length] = '\0';
}

/*
 * A valid number is also a valid size with the same value, and a valid size begins with a number.
 */
static void check_numbers(const char *text)
{
	uint64_t number, bytes;
	int number_r = parse_number(text, &number), size_r = parse_size(text, &bytes);

	assert_true(number_r == 0 || number_r == -EINVAL);
	assert_true(size_r == 0 || size_r == -EINVAL);
	if (number_r == 0)
		assert_true(size_r == 0 && bytes == number);
	if (size_r == 0)
		assert_true(*text >= '0' && *text <= '9');
}

static void check_ranges(const char *text)
{
	CLEANUP(range_set_done) struct range_set set = {0};
	int r = parse_ranges(text, &set);

	assert_true(r == 0 || r == 1 || r == -EINVAL);
	if (r < 0 || !*(text + strspn(text, " \t")))
		assert_int_equal(set.n, 0);
	else
		assert_true(set.n > 0);
}

static void test_any_bytes(void **state)
{
	uint64_t seed = 1;
	char text[200], word[WORD_TEXT];
	bool value;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		const char *list = text;
		int r;

		random_text(text, &seed);
		check_numbers(text);
		check_ranges(text);
		r = parse_bool(text, &value);
		assert_true(r == 0 || r == -EINVAL);
		while ((r = parse_word(&list, word)) > 0)
			assert_true(*word && !strpbrk(word, " \t") && list <= strchr(text, 0));
		assert_true(r == 0 || r == -EINVAL);
		if (r == 0)
			assert_true(!*(list + strspn(list, " \t")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_long_word),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_ranges_overlap),
		cmocka_unit_test(test_ranges_refused),
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
