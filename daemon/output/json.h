/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON documents, through json-c, which only json.c includes.
 *
 * A document is an object or an array. A struct json is an object or array in it, borrowed. The
 * document remembers its first failure: a caller that builds or reads one checks it once, at the
 * end, and until then can add to and read objects that do not exist.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"

/* The switches of the guard in the state file; the report has the second as well. */

struct json_document;

struct json {
	struct json_document *document;
	struct json_object *value; /* of json-c; NULL: it is not there */
};

/* NULL if there is no memory: such a document can be used like any other that has failed. */
struct json_document *json_new_object(void);
struct json_document *json_new_array(void);
void json_free(struct json_document **document);

struct json json_root(struct json_document *document);

/* 0; -ENOMEM: something is missing in it; -EBADMSG: something was not as the reader expects. */
int json_error(const struct json_document *document) MUST_CHECK;

/* What was not as expected: "ranges: not of type array". */
const char *json_mistake(const struct json_document *document);

enum json_style {
	JSON_PRETTY, /* for people, on several lines */
	JSON_PLAIN,
};

/*
 * Print the document. It is ASCII: json_add_text() makes foreign text printable, and keys are
 * never foreign. 0 or -ENOMEM; whether all could be written is for the owner of the file to ask.
 */
int json_print(const struct json_document *document, enum json_style style, FILE *out) MUST_CHECK;

/* Build. A key of an object replaces what it had before; to an array the key is NULL. */
struct json json_add_object(struct json parent, const char *key);
struct json json_add_array(struct json parent, const char *key);
void json_add_document(struct json parent, const char *key, const struct json_document *document);
void json_add_null(struct json parent, const char *key);
void json_add_text(struct json parent, const char *key, const char *text);
void json_add_number(struct json parent, const char *key, uint64_t number);
void json_add_bool(struct json parent, const char *key, bool value);

/* Remove these keys from the object or array, and from all that is in it. */
void json_remove(struct json place, const char *const *keys, size_t n);

/* Two keys of the object, "start" and "size"; they are null if there is no range. */
void json_add_range(struct json object, struct range range);
void json_add_no_range(struct json object);

/* Objects and arrays can be nested 32 deep. 0, -ENOMEM, or -EBADMSG. */
int json_parse(const char *text, size_t size, struct json_document **ret_document) MUST_CHECK;

/*
 * Read. Null is the same as nothing; what is not there is empty, 0 or false. What is there and has
 * another type is a mistake.
 */
bool json_has(struct json object, const char *key);
struct json json_get_object(struct json object, const char *key);
struct json json_get_array(struct json object, const char *key);
const char *json_get_text(struct json object, const char *key);
uint64_t json_get_number(struct json object, const char *key);
bool json_get_bool(struct json object, const char *key);
struct range json_get_range(struct json object);

size_t json_length(struct json array);
struct json json_item_object(struct json array, size_t i);
const char *json_item_text(struct json array, size_t i);

/* It is a mistake if a value is not there, or if `r`, the result of using it, is negative. */
void json_need(struct json object, const char *key);
void json_expect(struct json object, const char *key, int r);
