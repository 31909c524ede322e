/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The enumerations of report.schema.json have the words of the program's tables, in the same order.
 * The schema is the argument of this program.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/output/json.h"
#include "tdxo/doctor/doctor.h"
#include "tdxo/doctor/verify.h"
#include "tdxo/explain/explain.h"
#include "tdxo/explain/target.h"
#include "tdxo/map/map.h"
#include "tdxo/policy/reason.h"
#include "tdxo/record/record.h"
#include "tdxo/record/status.h"

#define WORDS_MAX 64

static const char *path;

/* The words of an enumeration, each of them once. */
struct words {
	const char *words[WORDS_MAX];
	size_t n;
};

static void add(struct words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->words[i], word) == 0)
			return;
	assert_true(words->n < WORDS_MAX);
	words->words[words->n++] = word;
}

/* Define a function that adds the words of a table, beginning with the value `first`. */
#define DEFINE_WORDS(name, type, first, max)                                                       \
	static void add_##name(struct words *words)                                                \
	{                                                                                          \
		for (type value = (first); value < (max); value++)                                 \
			add(words, name##_to_string(value));                                       \
	}

/* JSON has null in place of a first word that means "none". */
DEFINE_WORDS(tdx_state, enum tdx_state, 0, TDX_STATE_MAX)
DEFINE_WORDS(tdx_mode, enum tdx_mode, 0, TDX_MODE_MAX)
DEFINE_WORDS(tdx_cause, enum tdx_cause, TDX_CAUSE_NONE + 1, TDX_CAUSE_MAX)
DEFINE_WORDS(tdx_source, enum tdx_source, 0, TDX_SOURCE_MAX)
DEFINE_WORDS(boot_source, enum boot_source, BOOT_SOURCE_NONE + 1, BOOT_SOURCE_MAX)
DEFINE_WORDS(rejection_cause, enum rejection_cause, 0, REJECTION_MAX)
DEFINE_WORDS(device_type, enum device_type, 0, TYPE_MAX)
DEFINE_WORDS(dax_mode, enum dax_driver, DAX_DRIVER_NONE + 1, DAX_DRIVER_MAX)
DEFINE_WORDS(verdict, enum verdict, 0, VERDICT_MAX)
DEFINE_WORDS(zone, enum zone, ZONE_NONE + 1, ZONE_MAX)
DEFINE_WORDS(reason, enum reason, 0, REASON_MAX)
DEFINE_WORDS(withheld, enum withheld, WITHHELD_NOT + 1, WITHHELD_MAX)
DEFINE_WORDS(switch_use, enum switch_use, 0, SWITCH_USE_MAX)
DEFINE_WORDS(answer, enum answer, ANSWER_NONE + 1, ANSWER_MAX)
DEFINE_WORDS(action, enum action, 0, ACTION_MAX)
DEFINE_WORDS(target_kind, enum target_kind, 0, TARGET_MAX)
DEFINE_WORDS(map_kind, enum map_kind, 0, MAP_KIND_MAX)
DEFINE_WORDS(severity, enum severity, 0, SEVERITY_MAX)
DEFINE_WORDS(finding_code, enum finding_code, 0, FINDING_MAX)
DEFINE_WORDS(verify_check, enum verify_check, 0, VERIFY_CHECK_MAX)
DEFINE_WORDS(verify_result, enum verify_result, 0, VERIFY_RESULT_MAX)

static void add_fact(struct words *words)
{
	for (enum tdx_source source = 0; source < TDX_SOURCE_MAX; source++)
		for (enum fact fact = 0; fact < FACT_MAX; fact++)
			add(words, fact_to_string(source, fact));
}

/* Only the daemon has these two results, and it prints no JSON. */
static void add_result(struct words *words)
{
	for (enum result result = 0; result < RESULT_MAX; result++)
		if (result != RESULT_BEGUN && result != RESULT_CHANGED)
			add(words, result_to_string(result));
}

/* A device without a decision has a word of its own. */
static void add_device_result(struct words *words)
{
	add(words, device_status_result(&(struct device_status){0}));
	for (enum result result = 0; result < RESULT_MAX; result++)
		add(words, result_to_string(result));
}

/* The enumerations by their names in $defs. */
static const struct {
	const char *name;
	void (*add)(struct words *words);
} enumerations[] = {
	{"tdx_state", add_tdx_state},
	{"tdx_mode", add_tdx_mode},
	{"tdx_cause", add_tdx_cause},
	{"tdx_source", add_tdx_source},
	{"tdx_fact", add_fact},
	{"boot_source", add_boot_source},
	{"rejection_cause", add_rejection_cause},
	{"type", add_device_type},
	{"mode", add_dax_mode},
	{"verdict", add_verdict},
	{"zone", add_zone},
	{"reason", add_reason},
	{"withheld", add_withheld},
	{"result", add_result},
	{"device_result", add_device_result},
	{"switch_use", add_switch_use},
	{"answer", add_answer},
	{"action", add_action},
	{"target_kind", add_target_kind},
	{"severity", add_severity},
	{"finding_code", add_finding_code},
	{"map_kind", add_map_kind},
	{"verify_check", add_verify_check},
	{"verify_result", add_verify_result},
};

static struct json_document *read_schema(void)
{
	struct json_document *document;
	FILE *file = fopen(path, "re");
	static char text[1 << 17];
	size_t size;

	assert_non_null(file);
	size = fread(text, 1, sizeof(text), file);
	assert_true(size < sizeof(text));
	fclose(file);
	assert_int_equal(json_parse(text, size, &document), 0);
	return document;
}

static void assert_words(struct json array, const struct words *words)
{
	size_t n = json_length(array);

	for (size_t i = 0; i < n && i < words->n; i++)
		assert_string_equal(json_item_text(array, i), words->words[i]);
	assert_int_equal(n, words->n);
}

static void test_enumerations(void **state)
{
	CLEANUP(json_free) struct json_document *document = read_schema();
	struct json definitions = json_get_object(json_root(document), "$defs");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(enumerations); i++) {
		struct json definition = json_get_object(definitions, enumerations[i].name);
		struct words words = {0};

		enumerations[i].add(&words);
		assert_words(json_get_array(definition, "enum"), &words);
	}
	assert_int_equal(json_error(document), 0);
}

/* The schema requires the key of each topic. */
static void test_topics(void **state)
{
	CLEANUP(json_free) struct json_document *document = read_schema();
	struct json definitions = json_get_object(json_root(document), "$defs");
	struct words words = {0};

	(void)state;
	for (enum topic topic = 0; topic < TOPIC_MAX; topic++)
		add(&words, topic_to_string(topic));
	assert_words(json_get_array(json_get_object(definitions, "topics"), "required"), &words);
	assert_int_equal(json_error(document), 0);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enumerations),
		cmocka_unit_test(test_topics),
	};

	if (argc != 2)
		return EXIT_FAILURE;
	path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
