/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments of users: the target of explain, the words of --fail-on=, and values.
 */
#include <errno.h>

#include "tdxo/base/parse.h"
#include "tdxo/explain/target.h"
#include "tdxo/record/fail_on.h"
#include "tests/fuzz/fuzz.h"

#define BLOCK (UINT64_C(128) << 20)

static void check_target(const char *text)
{
	struct target target = {.kind = TARGET_MAX};
	struct range place;
	int r = target_parse(text, &target);

	require(r == 0 || r == -EINVAL || r == -EDOM);
	if (r < 0)
		return;
	require(target.kind < TARGET_MAX && target_kind_to_string(target.kind));
	require(is_string(target.name));
	place = target_place(&target, BLOCK);
	require(place.start <= place.end);
	require(target.kind != TARGET_ADDRESS || !range_is_empty(place));
}

static void check_values(const char *text)
{
	CLEANUP(range_set_done) struct range_set set = {0};
	struct range range;
	uint64_t number;
	bool truth;

	require(parse_range(text, &range) < 0 || !range_is_empty(range));
	require(parse_ranges(text, &set) >= -EINVAL);
	for (size_t i = 0; i < set.n; i++)
		require(!range_is_empty(set.ranges[i]) &&
			(i == 0 || set.ranges[i - 1].end < set.ranges[i].start));
	require(parse_number(text, &number) <= 0);
	require(parse_size(text, &number) <= 0);
	require(parse_bool(text, &truth) <= 0);
	(void)parse_number_after(text, "memory", &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_text_of) char *text = text_of(data, size);
	const char *list = text;
	unsigned int set;

	check_target(text);
	check_values(text);
	if (fail_on_parse(&list, &set) == 0)
		require(set && set < 1U << FAIL_ON_MAX);
	require(list >= text && list <= text + strlen(text));
	return 0;
}
