/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON: documents that are built are printed, documents that are parsed are read, the first failure
 * is kept, and the output is ASCII for all bytes in it.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/output/json.h"
#include "tdxo/base/strbuf.h"

/* The text of the document, or NULL if an allocation failed. The caller frees it. */
static char *print(const struct json_document *document, enum json_style style)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	int r;

	if (!file)
		return NULL;
	r = json_print(document, style, file);
	if (fclose(file) == EOF || r < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static void assert_printed(
	const struct json_document *document, enum json_style style, const char *want)
{
	char *text = print(document, style);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

static struct json_document *parse(const char *text)
{
	struct json_document *document;

	assert_int_equal(json_parse(text, strlen(text), &document), 0);
	return document;
}

/* A document with each type. */
static struct json_document *build(void)
{
	struct json_document *inner = json_new_array(), *document = json_new_object();
	struct json root = json_root(document), array, object;

	json_add_text(json_root(inner), NULL, "in/ner");
	json_add_null(root, "null");
	json_add_text(root, "text", "a \"text\"");
	json_add_number(root, "most", UINT64_MAX);
	json_add_bool(root, "yes", true);
	json_add_bool(root, "no", false);
	json_add_array(root, "none");
	array = json_add_array(root, "array");
	json_add_number(array, NULL, 0);
	object = json_add_object(array, NULL);
	json_add_range(object, span(16, 24));
	json_add_no_range(json_add_object(array, NULL));
	json_add_object(root, "empty");
	json_add_document(root, "inner", inner);
	json_free(&inner);
	return document;
}

static const char plain[] =
	"{\"null\":null,\"text\":\"a \\\"text\\\"\",\"most\":18446744073709551615,"
	"\"yes\":true,\"no\":false,\"none\":[],"
	"\"array\":[0,{\"start\":16,\"size\":8},{\"start\":null,\"size\":null}],"
	"\"empty\":{},\"inner\":[\"in\\/ner\"]}";

static void test_build(void **state)
{
	struct json_document *document = build();

	(void)state;
	assert_int_equal(json_error(document), 0);
	assert_printed(document, JSON_PLAIN, plain);
	json_free(&document);
	assert_null(document);
}

static void test_pretty(void **state)
{
	struct json_document *document = json_new_object();
	struct json root = json_root(document);

	(void)state;
	json_add_array(root, "none");
	json_add_text(json_add_array(root, "some"), NULL, "a/b");
	assert_printed(
		document, JSON_PRETTY, "{\n  \"none\":[],\n  \"some\":[\n    \"a/b\"\n  ]\n}");
	json_free(&document);
}

static void test_read(void **state)
{
	struct json_document *document = parse(plain);
	struct json root = json_root(document), array = json_get_array(root, "array");

	(void)state;
	assert_string_equal(json_get_text(root, "text"), "a \"text\"");
	assert_int_equal(json_get_number(root, "most"), UINT64_MAX);
	assert_true(json_get_bool(root, "yes"));
	assert_false(json_get_bool(root, "no"));
	assert_int_equal(json_length(json_get_array(root, "none")), 0);
	assert_int_equal(json_length(array), 3);
	assert_range_equal(json_get_range(json_item_object(array, 1)), span(16, 24));
	assert_range_equal(json_get_range(json_item_object(array, 2)), span(0, 0));
	assert_string_equal(json_item_text(json_get_array(root, "inner"), 0), "in/ner");
	json_need(root, "text");
	json_expect(root, "text", 0);
	assert_int_equal(json_error(document), 0);
	json_free(&document);
}

/* Missing keys, null, and members of both. */
static void test_missing(void **state)
{
	struct json_document *document = parse("{\"null\":null,\"there\":0}");
	struct json root = json_root(document);
	const struct json places[] = {root, json_get_object(root, "object"),
		json_get_array(json_get_object(root, "object"), "array")};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		assert_false(json_has(places[i], "null"));
		assert_false(json_has(places[i], "other"));
		assert_string_equal(json_get_text(places[i], "null"), "");
		assert_int_equal(json_get_number(places[i], "other"), 0);
		assert_false(json_get_bool(places[i], "null"));
		assert_range_equal(json_get_range(places[i]), span(0, 0));
		assert_int_equal(json_length(json_get_array(places[i], "null")), 0);
	}
	assert_true(json_has(root, "there"));
	assert_int_equal(json_error(document), 0);
	json_need(places[1], "key");
	assert_int_equal(json_error(document), -EBADMSG);
	assert_string_equal(json_mistake(document), "key: missing");
	json_free(&document);
}

enum type { TEXT, NUMBER, BOOL, OBJECT, ARRAY, ITEM_TEXT, ITEM_OBJECT, TYPES };

static void read_as(enum type type, struct json root)
{
	switch (type) {
	case TEXT:
		assert_string_equal(json_get_text(root, "k"), "");
		break;
	case NUMBER:
		assert_int_equal(json_get_number(root, "k"), 0);
		break;
	case BOOL:
		assert_false(json_get_bool(root, "k"));
		break;
	case OBJECT:
		assert_false(json_has(json_get_object(root, "k"), "l"));
		break;
	case ARRAY:
		assert_int_equal(json_length(json_get_array(root, "k")), 0);
		break;
	case ITEM_TEXT:
		assert_string_equal(json_item_text(json_get_array(root, "k"), 0), "");
		break;
	default:
		assert_false(json_has(json_item_object(json_get_array(root, "k"), 0), "l"));
	}
}

static void test_types(void **state)
{
	static const struct {
		const char *value;
		bool right[TYPES];
	} values[] = {
		{"\"\"", {[TEXT] = true}},
		{"0", {[NUMBER] = true}},
		{"0.5", {false}},
		{"false", {[BOOL] = true}},
		{"{}", {[OBJECT] = true}},
		{"[\"\"]", {[ARRAY] = true, [ITEM_TEXT] = true}},
		{"[{}]", {[ARRAY] = true, [ITEM_OBJECT] = true}},
		{"[null]", {[ARRAY] = true}},
	};
	static const char *const mistakes[] = {"k: not of type string", "k: not of type int",
		"k: not of type boolean", "k: not of type object", "k: not of type array",
		"[0]: not of type string", "[0]: not of type object"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		for (enum type type = 0; type < TYPES; type++) {
			struct json_document *document;
			char text[32];

			/* The type of an item is checked only if the array has one. */
			if (type > ARRAY && !values[i].right[ARRAY])
				continue;
			snprintf(text, sizeof(text), "{\"k\":%s}", values[i].value);
			document = parse(text);
			if (type == ARRAY && values[i].right[ARRAY])
				assert_int_equal(
					json_length(json_get_array(json_root(document), "k")), 1);
			else
				read_as(type, json_root(document));
			assert_int_equal(
				json_error(document), values[i].right[type] ? 0 : -EBADMSG);
			assert_string_equal(json_mistake(document),
				values[i].right[type] ? "" : mistakes[type]);
			json_free(&document);
		}
}

/* The first mistake is kept, and reading continues. */
static void test_mistakes(void **state)
{
	struct json_document *document = parse("{\"a\":-1,\"b\":7,\"c\":[]}");
	struct json root = json_root(document);

	(void)state;
	assert_int_equal(json_get_number(root, "a"), 0);
	assert_string_equal(json_mistake(document), "a: negative");
	json_expect(root, "b", -EINVAL);
	assert_int_equal(json_get_number(root, "b"), 7);
	assert_int_equal(json_get_number(root, "c"), 0);
	assert_int_equal(json_error(document), -EBADMSG);
	assert_string_equal(json_mistake(document), "a: negative");
	/* The document is printed as it was read. */
	assert_printed(document, JSON_PLAIN, "{\"a\":-1,\"b\":7,\"c\":[]}");
	json_free(&document);
	document = parse("{}");
	json_expect(json_root(document), "key", -EINVAL);
	assert_string_equal(json_mistake(document), "key: not a valid value");
	json_free(&document);
}

static void test_not_json(void **state)
{
	static const char *const texts[] = {"", " ", "{", "}", "[", "{\"a\"", "{\"a\":}", "{a:1}",
		"[1,", "null", "nonsense", "\"", "\"\\x\"", "\x01", "{\"a\":1 \"b\"}"};
	struct json_document *document = (struct json_document *)&texts;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (json_parse(texts[i], strlen(texts[i]), &document) != -EBADMSG)
			fail_msg("%s", texts[i]);
	assert_int_equal(json_parse("\0", 1, &document), -EBADMSG);
	assert_ptr_equal(document, &texts);
}

/* A root that is not an object has no members. */
static void test_no_object(void **state)
{
	static const char *const texts[] = {"[]", "[1]", "\"text\"", "7 ", "true "};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct json_document *document = parse(texts[i]);

		assert_string_equal(json_get_text(json_root(document), "k"), "");
		assert_false(json_has(json_root(document), "k"));
		assert_int_equal(json_error(document), 0);
		json_free(&document);
	}
}

#define DEEP 1000

static char *nested(size_t levels)
{
	char *text = malloc(2 * levels + 1);

	assert_non_null(text);
	memset(text, '[', levels);
	memset(text + levels, ']', levels);
	text[2 * levels] = '\0';
	return text;
}

static void test_deep(void **state)
{
	struct json_document *document = json_new_array();
	struct json array = json_root(document);
	char *text = nested(DEEP);

	(void)state;
	for (size_t i = 1; i < DEEP; i++)
		array = json_add_array(array, NULL);
	assert_printed(document, JSON_PLAIN, text);
	json_free(&document);
	assert_int_equal(json_parse(text, strlen(text), &document), -EBADMSG);
	free(text);
	for (size_t levels = 1; levels < 40; levels++) {
		int want = levels <= 32 ? 0 : -EBADMSG;

		text = nested(levels);
		assert_int_equal(json_parse(text, strlen(text), &document), want);
		if (want == 0)
			json_free(&document);
		free(text);
	}
}

/* Foreign text in an object and in an array. */
static void test_foreign(void **state)
{
	struct json_document *document = json_new_object();
	struct json array = json_add_array(json_root(document), "all");

	(void)state;
	json_add_text(json_root(document), "one", "a\xff\"\x7f\x1b\n\\");
	json_add_text(array, NULL, "\xc2\x9b");
	assert_printed(document, JSON_PLAIN,
		"{\"all\":[\"\\\\xc2\\\\x9b\"],"
		"\"one\":\"a\\\\xff\\\"\\\\x7f\\\\x1b\\\\x0a\\\\\"}");
	json_free(&document);
}

/* A document whose allocation failed. */
static void test_no_document(void **state)
{
	struct json_document *none = NULL, *document = json_new_object();
	struct json root = json_root(none);

	(void)state;
	json_add_number(json_add_object(root, "object"), "number", 1);
	json_add_text(json_add_array(root, "array"), NULL, "text");
	json_add_range(root, span(1, 2));
	json_need(root, "object");
	json_expect(root, "object", -EINVAL);
	assert_int_equal(json_get_number(root, "number"), 0);
	assert_int_equal(json_error(none), -ENOMEM);
	assert_string_equal(json_mistake(none), "");
	assert_int_equal(json_print(none, JSON_PLAIN, stdout), -ENOMEM);
	json_add_document(json_root(document), "none", none);
	assert_int_equal(json_error(document), -ENOMEM);
	assert_int_equal(json_print(document, JSON_PLAIN, stdout), -ENOMEM);
	json_free(&document);
	json_free(&none);
}

/*
 * Allocations that fail on demand: json-c uses these functions and strdup(). They cannot be
 * replaced in a build with sanitizers, and json-c 0.16 leaks a key if it cannot insert it.
 */
#ifdef __has_feature /* clang */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif

#ifndef __SANITIZE_ADDRESS__

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);

/* This many allocations succeed; negative: all do. */
static int allowed = -1;

static bool is_short(void)
{
	bool this_one = allowed == 0;

	if (this_one)
		errno = ENOMEM;
	if (allowed >= 0)
		allowed--;
	return this_one;
}

void *malloc(size_t size)
{
	return is_short() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return is_short() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
	return is_short() ? NULL : __libc_realloc(memory, size);
}

/* Build and print. The output file has allocated its buffer already. Returns 0 or -ENOMEM. */
static int build_and_print(int allocations, char *text, size_t size)
{
	static char buffer[BUFSIZ];
	FILE *file = fmemopen(text, size, "w");
	struct json_document *document;
	int r;

	assert_non_null(file);
	setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	allowed = allocations;
	document = build();
	r = json_print(document, JSON_PLAIN, file);
	allowed = -1;
	json_free(&document);
	assert_int_equal(fclose(file), 0);
	return r;
}

#define ALLOCATIONS 100 /* more than are made */

/* Each allocation fails once: the result is -ENOMEM, or the printed text is complete. */
static void test_short_memory(void **state)
{
	char text[2 * sizeof(plain)];
	int failed = 0;

	(void)state;
	for (int i = 0; i < ALLOCATIONS; i++) {
		int r = build_and_print(i, text, sizeof(text));

		if (r == 0)
			assert_string_equal(text, plain);
		else
			assert_int_equal(r, -ENOMEM);
		failed += r < 0;
	}
	assert_in_range(failed, 30, ALLOCATIONS - 1);
}

/* Without keys: json-c 0.16 crashes if it cannot copy one. */
static void test_parse_short_memory(void **state)
{
	static const char text[] = "[0,\"a text\",[true,[],\"another\"],18446744073709551615]";
	int failed = 0;

	(void)state;
	for (int i = 0; i < ALLOCATIONS; i++) {
		struct json_document *document = NULL;
		int r;

		allowed = i;
		r = json_parse(text, strlen(text), &document);
		allowed = -1;
		if (r == 0)
			assert_printed(document, JSON_PLAIN, text);
		else
			assert_int_equal(r, -ENOMEM);
		failed += r < 0;
		json_free(&document);
	}
	assert_in_range(failed, 10, ALLOCATIONS - 1);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_no_object),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_no_document),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_parse_short_memory),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
