/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts with variables of a record, for the catalog and the explanation.
 */
#include "tests/unit/records.h"

#include <string.h>

#include "tdxo/record/remedy.h"
#include "tests/unit/remedy.h"

#define CXL                                                                                        \
	.record.range = {64 * GIB, 128 * GIB},                                                     \
	.facts.device = {.type = TYPE_CXL, .name = "dax0.0", .node = 1}
#define DIMM                                                                                       \
	.record.range = {4 * GIB, 8 * GIB},                                                        \
	.facts.device = {.type = TYPE_DIMM, .node = NODE_UNKNOWN}

static const char *text_of(struct own_record *own, const char *from)
{
	static char buf[2048];
	struct strbuf text = strbuf_in(buf, sizeof(buf));

	record_append_text(&text, own_record_of(own), from);
	return buf;
}

static void test_values(void **state)
{
	struct own_record cxl = {CXL}, dimm = {DIMM};

	(void)state;
	assert_string_equal(text_of(&cxl, "@TDXO_TARGET@"), "dax0.0");
	assert_string_equal(text_of(&cxl, "@TDXO_MATCH@"), "Device=dax0.0");
	assert_string_equal(
		text_of(&cxl, "@TDXO_REMOVAL@"), "daxctl reconfigure-device -m devdax -f dax0.0");
	cxl.decision.verdict = VERDICT_DEVDAX;
	assert_string_equal(text_of(&cxl, "@TDXO_EFFECT@"),
		"programs can map the memory, and the kernel does not use it");
	assert_string_equal(text_of(&dimm, "@TDXO_TARGET@"), "0x100000000");
	assert_string_equal(text_of(&dimm, "@TDXO_MATCH@"), "Range=0x100000000-0x1ffffffff");
	assert_string_equal(text_of(&dimm, "@TDXO_REMOVAL@"), "chmem -d 0x100000000-0x1ffffffff");
}

static void test_text(void **state)
{
	struct own_record own = {DIMM, .decision = {.verdict = VERDICT_OFFLINE, .rule = "a.rule"},
		.record.outcome.blocks = {.present = 32, .online = 1}};

	(void)state;
	assert_string_equal(text_of(&own, ""), "");
	assert_string_equal(text_of(&own, "None."), "None.");
	assert_string_equal(text_of(&own, "@TDXO_RULE@: @TDXO_ONLINE_MEMBLOCKS@ of "
					  "@TDXO_TOTAL_MEMBLOCKS@, @TDXO_VERDICT@."),
		"a.rule: 1 of 32, offline.");
	/* Absent values, and a variable without its end. */
	assert_string_equal(text_of(&own, "@TDXO_CHARDEV@ @TDXO_NO@ @TDXO_TAR"), "CHARDEV NO TAR");
	assert_string_equal(text_of(&own, "a@b @TDXO"), "a@b @TDXO");
}

/* With values each remedy has commands that can be typed, and no variable is left. */
static void test_remedies(void **state)
{
	struct own_record owns[] = {{DIMM}, {CXL}};

	(void)state;
	for (int dax = 0; dax < 2; dax++)
		for (enum reason reason = 0; reason < REASON_MAX; reason++) {
			if (!dax && strstr(reason_remedy(reason, dax), "@TDXO_CHARDEV@"))
				continue;
			assert_remedy(text_of(&owns[dax], reason_remedy(reason, dax)));
			assert_null(strchr(text_of(&owns[dax], reason_remedy(reason, dax)), '@'));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_remedies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
