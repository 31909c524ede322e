/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: which switches are held, by configuration, TDX state and rules.
 */
#include "tdxo/policy/guard.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define DAX  (1U << GUARD_DAX)
#define AUTO (1U << GUARD_AUTO_ONLINE)
#define BOTH (DAX | AUTO)

/* Add a rule of "Key=value" parts that are separated by "|". */
static void add_rule(struct config *config, const char *parts)
{
	struct rule rule;
	char text[256];

	rule_init(&rule, "10-it.rule");
	snprintf(text, sizeof(text), "%s", parts);
	for (char *save, *part = strtok_r(text, "|", &save); part;
		part = strtok_r(NULL, "|", &save)) {
		char *value = strchr(part, '=');

		*value++ = '\0';
		if (rule_set(&rule, "Match", part, value) < 0)
			assert_int_equal(rule_set(&rule, "Policy", part, value), 0);
	}
	assert_null(rule_mistake(&rule));
	assert_int_equal(config_add_rule(config, &rule), 0);
}

static void test_modes(void **state)
{
	static const struct {
		bool observe;
		enum guard_mode mode;
		unsigned int absent, refuses; /* the switches to hold in these TDX states */
	} rows[] = {
		{false, GUARD_MODE_AUTO, 0, BOTH},
		{false, GUARD_MODE_ALWAYS, BOTH, BOTH},
		{false, GUARD_MODE_NEVER, 0, 0},
		{true, GUARD_MODE_AUTO, 0, 0},
		{true, GUARD_MODE_ALWAYS, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct config config = {.observe = rows[i].observe, .guard = rows[i].mode};

		for (enum tdx_state tdx = 0; tdx < TDX_STATE_MAX; tdx++) {
			const struct tdx now = {.state = tdx};

			if (guard_wanted(&config, &now) !=
				(tdx == TDX_ABSENT ? rows[i].absent : rows[i].refuses))
				fail_msg("row %zu, %s", i, tdx_state_to_string(tdx));
		}
	}
}

/* With TDX absent: the switches that a rule needs, so that the kernel does not act first. */
static void test_rules(void **state)
{
	static const struct {
		const char *rule;
		unsigned int wanted;
	} rows[] = {
		{"Serial=0x42|Verdict=devdax", DAX},
		{"PciAddress=0000:35:00.0|Verdict=devdax", DAX},
		{"Region=region0|Verdict=devdax", DAX},
		{"Device=dax0.*|Verdict=devdax", DAX},
		{"Mode=none|Verdict=offline", DAX},
		{"Type=cxl|Verdict=devdax", DAX},
		{"Type=unknown|Device=dax3.0|Verdict=devdax", DAX},
		/* CXL memory can also be blocks without a dax device */
		{"Region=region0|Verdict=offline", BOTH},
		{"Type=hmem cxl|Verdict=offline", BOTH},
		{"Type=hmem|Verdict=offline", DAX},
		{"Type=pmem|Verdict=devdax", 0},
		{"Type=pmem|Device=dax1.0|Verdict=devdax", 0},
		{"Type=dimm|Verdict=offline", AUTO},
		{"Type=virtio-mem|Verdict=devdax", AUTO},
		{"Type=unknown|Verdict=offline", BOTH},
		{"Type=*|Verdict=devdax", BOTH},
		{"Type=cxl dimm|Verdict=offline", BOTH},
		{"TargetNode=1|Verdict=devdax", BOTH},
		{"MinSize=64G|Verdict=offline|OfflineBlocks=yes", BOTH},
		{"Serial=0x42|Zone=movable", AUTO},
		{"Type=*|Verdict=online|Zone=auto", AUTO},
		{"Type=pmem|Zone=kernel", 0},
		{"Type=*|Verdict=online", 0},
		{"Type=*|Verdict=ignore", 0},
		{"Type=*|OnFailure=keep", 0},
		{"Type=cxl|ConvertDevdax=yes", 0},
		{"Type=dimm|OfflineBlocks=yes", 0},
	};
	const struct tdx absent = {.state = TDX_ABSENT};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(config_done) struct config config;

		config_init(&config);
		add_rule(&config, rows[i].rule);
		if (guard_wanted(&config, &absent) != rows[i].wanted)
			fail_msg("%s", rows[i].rule);
		config.guard = GUARD_MODE_NEVER;
		assert_int_equal(guard_wanted(&config, &absent), 0);
	}
}

/* Two rules can need different switches. */
static void test_several(void **state)
{
	const struct tdx absent = {.state = TDX_ABSENT}, armed = {.state = TDX_ARMED};
	CLEANUP(config_done) struct config config;

	(void)state;
	config_init(&config);
	add_rule(&config, "Type=cxl|Verdict=ignore");
	add_rule(&config, "Serial=0x42|Verdict=devdax");
	assert_int_equal(guard_wanted(&config, &absent), DAX);
	add_rule(&config, "Type=dimm|Zone=kernel");
	assert_int_equal(guard_wanted(&config, &absent), BOTH);
	assert_int_equal(guard_wanted(&config, &armed), BOTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
