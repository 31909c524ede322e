/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON documents.
 */
#include "daemon/output/json.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "daemon/host/cleanup.h"
#include "tdxo/base/strbuf.h"

struct json_document {
	struct json_object *root;
	int error;
	char mistake[128];
};

/* json-c 0.16 breaks the line in an empty array, 0.18 does not. */
static int print_empty_array(
	struct json_object *array, struct printbuf *buffer, int level, int flags)
{
	(void)array;
	(void)level;
	(void)flags;
	return printbuf_memappend(buffer, "[]", 2);
}

static struct json_object *new_array(void)
{
	struct json_object *array = json_object_new_array();

	if (array)
		json_object_set_serializer(array, print_empty_array, NULL, NULL);
	return array;
}

static int append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value) < 0)
		return -1;
	json_object_set_serializer(array, NULL, NULL, NULL);
	return 0;
}

/* Take over the root. */
static struct json_document *new_document(struct json_object *root)
{
	struct json_document *document = root ? calloc(1, sizeof(*document)) : NULL;

	if (document)
		document->root = root;
	else
		json_object_put(root);
	return document;
}

struct json_document *json_new_object(void)
{
	return new_document(json_object_new_object());
}

struct json_document *json_new_array(void)
{
	return new_document(new_array());
}

void json_free(struct json_document **document)
{
	if (*document)
		json_object_put((*document)->root);
	free(*document);
	*document = NULL;
}

struct json json_root(struct json_document *document)
{
	return (struct json){document, document ? document->root : NULL};
}

int json_error(const struct json_document *document)
{
	return document ? document->error : -ENOMEM;
}

const char *json_mistake(const struct json_document *document)
{
	return document ? document->mistake : "";
}

/* --- printing --- */

int json_print(const struct json_document *document, enum json_style style, FILE *out)
{
	static const int flags[] = {
		[JSON_PRETTY] = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE,
		[JSON_PLAIN] = JSON_C_TO_STRING_PLAIN,
	};
	const char *printed;

	if (json_error(document) == -ENOMEM)
		return -ENOMEM;
	/* json-c drops what it has no memory for, and leaves the errno of realloc(). */
	errno = 0;
	printed = json_object_to_json_string_ext(document->root, flags[style]);
	if (!printed || errno == ENOMEM)
		return -ENOMEM;
	fputs(printed, out);
	return 0;
}

/* --- building --- */

static void fail(struct json place)
{
	if (place.document)
		place.document->error = -ENOMEM;
}

/* Add a value, or null, and take it over. 0 or -ENOMEM. */
static int add(struct json parent, const char *key, struct json_object *value)
{
	int r = -1;

	if (parent.value)
		r = key ? json_object_object_add(parent.value, key, value)
			: append(parent.value, value);
	if (r == 0)
		return 0;
	json_object_put(value);
	fail(parent);
	return -ENOMEM;
}

/* The same; NULL is a value that there was no memory for. */
static struct json add_new(struct json parent, const char *key, struct json_object *value)
{
	if (!value)
		fail(parent);
	else if (add(parent, key, value) < 0)
		value = NULL;
	return (struct json){parent.document, value};
}

struct json json_add_object(struct json parent, const char *key)
{
	return add_new(parent, key, json_object_new_object());
}

struct json json_add_array(struct json parent, const char *key)
{
	return add_new(parent, key, new_array());
}

void json_add_document(struct json parent, const char *key, const struct json_document *document)
{
	if (json_error(document) == -ENOMEM)
		fail(parent);
	else
		add(parent, key, json_object_get(document->root));
}

void json_add_null(struct json parent, const char *key)
{
	add(parent, key, NULL);
}

void json_add_text(struct json parent, const char *key, const char *text)
{
	CLEANUP(free_text) char *printable = new_printable(text);

	add_new(parent, key, printable ? json_object_new_string(printable) : NULL);
}

void json_add_number(struct json parent, const char *key, uint64_t number)
{
	add_new(parent, key, json_object_new_uint64(number));
}

void json_add_bool(struct json parent, const char *key, bool value)
{
	add_new(parent, key, json_object_new_boolean(value));
}

static void remove_keys(struct json_object *value, const char *const *keys, size_t n)
{
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			remove_keys(json_object_array_get_idx(value, i), keys, n);
	if (!json_object_is_type(value, json_type_object))
		return;
	for (size_t i = 0; i < n; i++)
		json_object_object_del(value, keys[i]);
	json_object_object_foreach(value, key, inner)
	{
		(void)key;
		remove_keys(inner, keys, n);
	}
}

void json_remove(struct json place, const char *const *keys, size_t n)
{
	remove_keys(place.value, keys, n);
}

#define KEY_START "start"
#define KEY_SIZE  "size"

void json_add_range(struct json object, struct range range)
{
	json_add_number(object, KEY_START, range.start);
	json_add_number(object, KEY_SIZE, range_size(range));
}

void json_add_no_range(struct json object)
{
	json_add_null(object, KEY_START);
	json_add_null(object, KEY_SIZE);
}

/* --- reading --- */

static void free_tokener(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

int json_parse(const char *text, size_t size, struct json_document **ret_document)
{
	CLEANUP(free_tokener) struct json_tokener *tokener = json_tokener_new();
	struct json_object *root;

	if (!tokener)
		return -ENOMEM;
	if (size > INT_MAX)
		return -EBADMSG;
	errno = 0;
	root = json_tokener_parse_ex(tokener, text, (int)size);
	if (errno == ENOMEM) {
		json_object_put(root);
		return -ENOMEM;
	}
	if (!root)
		return -EBADMSG;
	*ret_document = new_document(root);
	return *ret_document ? 0 : -ENOMEM;
}

/* The first mistake counts. */
static void PRINTF(2, 3) refuse(struct json place, const char *format, ...)
{
	struct json_document *document = place.document;
	va_list args;

	if (!document || document->error)
		return;
	document->error = -EBADMSG;
	va_start(args, format);
	vsnprintf(document->mistake, sizeof(document->mistake), format, args);
	va_end(args);
}

/* A value, or NULL: there is none, or it is null. */
static struct json_object *find(struct json object, const char *key)
{
	struct json_object *value = NULL;

	if (object.value)
		json_object_object_get_ex(object.value, key, &value);
	return value;
}

/* A value of this type, or NULL. */
static struct json_object *get(struct json object, const char *key, json_type type)
{
	struct json_object *value = find(object, key);

	if (!value || json_object_is_type(value, type))
		return value;
	refuse(object, "%s: not of type %s", key, json_type_to_name(type));
	return NULL;
}

static struct json_object *item(struct json array, size_t i, json_type type)
{
	struct json_object *value = json_object_array_get_idx(array.value, i);

	if (json_object_is_type(value, type))
		return value;
	refuse(array, "[%zu]: not of type %s", i, json_type_to_name(type));
	return NULL;
}

bool json_has(struct json object, const char *key)
{
	return find(object, key);
}

struct json json_get_object(struct json object, const char *key)
{
	return (struct json){object.document, get(object, key, json_type_object)};
}

struct json json_get_array(struct json object, const char *key)
{
	return (struct json){object.document, get(object, key, json_type_array)};
}

const char *json_get_text(struct json object, const char *key)
{
	struct json_object *value = get(object, key, json_type_string);

	return value ? json_object_get_string(value) : "";
}

uint64_t json_get_number(struct json object, const char *key)
{
	struct json_object *value = get(object, key, json_type_int);

	if (value && json_object_get_int64(value) < 0)
		refuse(object, "%s: negative", key);
	return value ? json_object_get_uint64(value) : 0;
}

bool json_get_bool(struct json object, const char *key)
{
	struct json_object *value = get(object, key, json_type_boolean);

	return value && json_object_get_boolean(value);
}

struct range json_get_range(struct json object)
{
	uint64_t start = json_get_number(object, KEY_START);

	return (struct range){start, start + json_get_number(object, KEY_SIZE)};
}

size_t json_length(struct json array)
{
	return array.value ? json_object_array_length(array.value) : 0;
}

struct json json_item_object(struct json array, size_t i)
{
	return (struct json){array.document, item(array, i, json_type_object)};
}

const char *json_item_text(struct json array, size_t i)
{
	struct json_object *value = item(array, i, json_type_string);

	return value ? json_object_get_string(value) : "";
}

void json_need(struct json object, const char *key)
{
	if (!json_has(object, key))
		refuse(object, "%s: missing", key);
}

void json_expect(struct json object, const char *key, int r)
{
	if (r < 0)
		refuse(object, "%s: not a valid value", key);
}
