/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * [Match] of a rule: a table of what can be matched, by words.
 */
#include "lib/policy/rule_match.h"

#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tdxo/base/parse.h"

static bool has_wildcard(const char *word)
{
	return strpbrk(word, "*?[") != NULL;
}

/*
 * A pattern surely covers another one if they are equal; or if it matches the other's text, and
 * no wildcard of the other could stand for less than that: "dax*" and "dax?.0".
 */
static bool glob_covers(const char *earlier, const char *later)
{
	if (strcasecmp(earlier, later) == 0 || strcmp(earlier, "*") == 0)
		return true;
	if (strpbrk(earlier, "\\") || strpbrk(later, "[\\"))
		return false;
	if (has_wildcard(later) && strpbrk(earlier, "?["))
		return false;
	return fnmatch(earlier, later, FNM_CASEFOLD) == 0;
}

static bool glob_matches(const char *pattern, const char *text)
{
	return *text && fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

static int check_glob(const char *word)
{
	(void)word;
	return 0;
}

static int check_type(const char *word)
{
	enum device_type type;

	return strcmp(word, "*") == 0 ? 0 : device_type_from_string(word, &type);
}

/*
 * Memory in a CXL region is CXL memory, whichever driver registered its dax device: that depends on
 * firmware and on the kernel's release, and the rule is about the card.
 */
static bool match_type(const char *word, const struct facts *facts)
{
	const struct device *device = &facts->device;

	return glob_matches(word, device_type_to_string(device->type)) ||
	       (device->region[0] && glob_matches(word, device_type_to_string(TYPE_CXL)));
}

static bool match_device(const char *word, const struct facts *facts)
{
	return glob_matches(word, facts->device.name);
}

static int check_number(const char *word)
{
	uint64_t number;

	return parse_number(word, &number);
}

static bool number_covers(const char *earlier, const char *later)
{
	uint64_t a, b;

	return parse_number(earlier, &a) == 0 && parse_number(later, &b) == 0 && a == b;
}

static bool match_serial(const char *word, const struct facts *facts)
{
	uint64_t serial;

	for (size_t i = 0; i < facts->cxl.n_memdevs; i++)
		if (parse_number(word, &serial) == 0 && facts->cxl.memdevs[i].serial == serial)
			return true;
	return false;
}

static bool match_pci_address(const char *word, const struct facts *facts)
{
	for (size_t i = 0; i < facts->cxl.n_memdevs; i++)
		if (glob_matches(word, facts->cxl.memdevs[i].host))
			return true;
	return false;
}

static bool match_region(const char *word, const struct facts *facts)
{
	return glob_matches(word, facts->device.region) ||
	       glob_matches(word, facts->cxl.region_uuid);
}

static bool match_target_node(const char *word, const struct facts *facts)
{
	uint64_t node;

	return facts->device.node != NODE_UNKNOWN && parse_number(word, &node) == 0 &&
	       node == (uint64_t)facts->device.node;
}

static int check_size(const char *word)
{
	uint64_t size;

	return parse_size(word, &size);
}

static bool match_min_size(const char *word, const struct facts *facts)
{
	uint64_t size;

	return parse_size(word, &size) == 0 && facts->device.size >= size;
}

static bool min_size_covers(const char *earlier, const char *later)
{
	uint64_t a, b;

	return parse_size(earlier, &a) == 0 && parse_size(later, &b) == 0 && a <= b;
}

static bool match_max_size(const char *word, const struct facts *facts)
{
	uint64_t size;

	return parse_size(word, &size) == 0 && facts->device.size <= size;
}

static bool max_size_covers(const char *earlier, const char *later)
{
	return min_size_covers(later, earlier);
}

static int check_range(const char *word)
{
	struct range range;

	return parse_range(word, &range);
}

/* All of it lies within, not only a part. */
static bool match_range(const char *word, const struct facts *facts)
{
	struct range range;

	if (parse_range(word, &range) < 0)
		return false;
	for (size_t i = 0; i < facts->device.n_ranges; i++)
		if (!range_contains(range, facts->device.ranges[i]))
			return false;
	return facts->device.n_ranges > 0;
}

static bool range_covers(const char *earlier, const char *later)
{
	struct range a, b;

	return parse_range(earlier, &a) == 0 && parse_range(later, &b) == 0 && range_contains(a, b);
}

static int check_bool(const char *word)
{
	bool yes;

	return parse_bool(word, &yes);
}

static bool match_present(const char *word, const struct facts *facts)
{
	bool yes;

	return parse_bool(word, &yes) == 0 && yes == facts->device.present;
}

static bool present_covers(const char *earlier, const char *later)
{
	bool a, b;

	return parse_bool(earlier, &a) == 0 && parse_bool(later, &b) == 0 && a == b;
}

static int check_mode(const char *word)
{
	enum dax_driver driver;

	return dax_mode_from_string(word, &driver);
}

static bool match_mode(const char *word, const struct facts *facts)
{
	return device_is_dax(&facts->device) &&
	       strcmp(word, dax_mode_to_string(facts->device.driver)) == 0;
}

static const struct {
	const char *name;
	int (*check)(const char *word);
	bool (*matches)(const char *word, const struct facts *facts);
	bool (*covers)(const char *earlier, const char *later);
	bool single; /* one word only */
	const char *wanted;
} match_keys[] = {
	[MATCH_TYPE] = {"Type", check_type, match_type, glob_covers, false,
		"cxl, hmem, pmem, dimm, virtio-mem, unknown or *"},
	[MATCH_DEVICE] = {"Device", check_glob, match_device, glob_covers, false,
		"names such as dax0.* of at most 127 characters"},
	[MATCH_SERIAL] = {"Serial", check_number, match_serial, number_covers, false,
		"numbers such as 0x2a"},
	[MATCH_PCI_ADDRESS] = {"PciAddress", check_glob, match_pci_address, glob_covers, false,
		"addresses such as 0000:35:00.0 of at most 127 characters"},
	[MATCH_REGION] = {"Region", check_glob, match_region, glob_covers, false,
		"names such as region0 or UUIDs of at most 127 characters"},
	[MATCH_TARGET_NODE] = {"TargetNode", check_number, match_target_node, number_covers, false,
		"numbers of nodes"},
	[MATCH_MIN_SIZE] = {"MinSize", check_size, match_min_size, min_size_covers, true,
		"a size such as 64G"},
	[MATCH_MAX_SIZE] = {"MaxSize", check_size, match_max_size, max_size_covers, true,
		"a size such as 64G"},
	[MATCH_RANGE] = {"Range", check_range, match_range, range_covers, false,
		"ranges such as 0x1000000000-0x1fffffffff"},
	[MATCH_PRESENT] = {"Present", check_bool, match_present, present_covers, true, "yes or no"},
	[MATCH_MODE] = {"Mode", check_mode, match_mode, glob_covers, false,
		"none, system-ram, devdax, famfs or other"},
};
static_assert(ARRAY_SIZE(match_keys) == MATCH_MAX, "a row for each key");

static int set_words(struct rule *rule, enum match match, const char *value)
{
	char word[WORD_TEXT];
	size_t n = 0, length = strlen(value) + 1;
	const char *list = value;
	char *copy;
	int r;

	for (; (r = parse_word(&list, word)) > 0; n++) {
		r = match_keys[match].check(word);
		if (r < 0)
			return r;
	}
	if (r < 0 || (n > 1 && match_keys[match].single))
		return -EINVAL;
	copy = n ? reallocarray(NULL, length, 1) : NULL;
	if (n && !copy)
		return -ENOMEM;
	if (copy)
		memcpy(copy, value, length);
	free(rule->match[match]);
	rule->match[match] = copy;
	return 0;
}

/* Ranges that overlap do no harm, but are hardly what was meant. */
static int check_overlap(const char *value)
{
	CLEANUP(range_set_done) struct range_set set = {0};

	return parse_ranges(value, &set);
}

static int find_match(const char *key)
{
	for (int i = 0; i < MATCH_MAX; i++)
		if (strcmp(match_keys[i].name, key) == 0)
			return i;
	return -ENOKEY;
}

int rule_match_set(struct rule *rule, const char *key, const char *value)
{
	int match = find_match(key), overlap = 0, r;

	if (match < 0)
		return match;
	if (match == MATCH_RANGE)
		overlap = check_overlap(value);
	if (overlap < 0)
		return overlap;
	r = set_words(rule, (enum match)match, value);
	return r < 0 ? r : overlap;
}

const char *rule_match_wanted(const char *key)
{
	int match = find_match(key);

	return match < 0 ? NULL : match_keys[match].wanted;
}

bool rule_match_nothing(const struct rule *rule)
{
	for (enum match match = 0; match < MATCH_MAX; match++)
		if (rule->match[match])
			return false;
	return true;
}

size_t rule_words(const struct rule *rule)
{
	size_t n = 0;

	for (enum match match = 0; match < MATCH_MAX; match++) {
		const char *list = rule->match[match] ?: "";
		char word[WORD_TEXT];

		while (parse_word(&list, word) > 0)
			n++;
	}
	return n;
}

bool rule_match_sizes_crossed(const struct rule *rule)
{
	const char *min = rule->match[MATCH_MIN_SIZE], *max = rule->match[MATCH_MAX_SIZE];

	return min && max && !min_size_covers(min, max);
}

static bool key_matches(const struct rule *rule, enum match match, const struct facts *facts)
{
	const char *list = rule->match[match];
	char word[WORD_TEXT];

	while (parse_word(&list, word) > 0)
		if (match_keys[match].matches(word, facts))
			return true;
	return false;
}

bool rule_may_match(const struct rule *rule, enum device_type type)
{
	const struct facts facts = {.device.type = type};

	return !rule->match[MATCH_TYPE] || key_matches(rule, MATCH_TYPE, &facts);
}

bool rule_matches(const struct rule *rule, const struct facts *facts)
{
	if (rule_match_nothing(rule))
		return false;
	for (enum match match = 0; match < MATCH_MAX; match++)
		if (rule->match[match] && !key_matches(rule, match, facts))
			return false;
	return true;
}

/* Is there a word of the earlier rule that covers this one of the later? */
static bool word_covered(const struct rule *earlier, enum match match, const char *later)
{
	const char *list = earlier->match[match];
	char word[WORD_TEXT];

	while (parse_word(&list, word) > 0)
		if (match_keys[match].covers(word, later))
			return true;
	return false;
}

static bool key_covered(const struct rule *earlier, const struct rule *later, enum match match)
{
	const char *list = later->match[match];
	char word[WORD_TEXT];

	/* It has a type, and the pattern matches any. */
	if (match == MATCH_TYPE && word_covered(earlier, match, "*"))
		return true;
	if (!list)
		return false;
	while (parse_word(&list, word) > 0)
		if (!word_covered(earlier, match, word))
			return false;
	return true;
}

bool rule_covers(const struct rule *earlier, const struct rule *later)
{
	if (rule_match_nothing(earlier))
		return false;
	for (enum match match = 0; match < MATCH_MAX; match++)
		if (earlier->match[match] && !key_covered(earlier, later, match))
			return false;
	return true;
}
