/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Targets.
 */
#include "tdxo/explain/target.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tdxo/base/parse.h"
#include "tdxo/base/string_table.h"

static const char *const kinds[] = {
	[TARGET_ADDRESS] = "address",
	[TARGET_BLOCK] = "block",
	[TARGET_DAX] = "dax",
	[TARGET_REGION] = "region",
	[TARGET_MEMDEV] = "memdev",
	[TARGET_PCI_ADDRESS] = "pci-address",
	[TARGET_NODE] = "node",
};
DEFINE_TO_STRING(target_kind, enum target_kind, kinds, TARGET_MAX)

/* An address, or two, without 0x: it may have been copied from hexadecimal digits. */
static bool is_bare_number(const char *text)
{
	return isxdigit((unsigned char)*text) && !text[strspn(text, "0123456789abcdefABCDEF-")];
}

/* "0x1000", "0x1000-0x1fff" or "[mem 0x1000-0x1fff]" */
static int parse_address(const char *text, struct range *ret_range)
{
	static const char before[] = "[mem ", after[] = "]";
	char inner[SYSFS_NAME];
	const char *second = strchr(text, '-');
	size_t n = strlen(text);
	uint64_t address;

	if (second && is_bare_number(second + 1))
		return -EINVAL;
	if (strncmp(text, before, strlen(before)) == 0 && n < sizeof(inner) &&
		text[n - 1] == after[0]) {
		snprintf(inner, sizeof(inner), "%.*s", (int)(n - strlen(before) - 1),
			text + strlen(before));
		return parse_range(inner, ret_range);
	}
	if (parse_number(text, &address) < 0)
		return parse_range(text, ret_range);
	if (address == UINT64_MAX)
		return -EINVAL;
	*ret_range = (struct range){address, address + 1};
	return 0;
}

/* "dax0.1" */
static bool is_dax_name(const char *text)
{
	size_t device = strlen("dax"), digits;

	if (strncmp(text, "dax", device) != 0)
		return false;
	digits = strspn(text + device, "0123456789");
	if (!digits || text[device + digits] != '.')
		return false;
	text += device + digits + 1;
	digits = strspn(text, "0123456789");
	return digits && !text[digits];
}

/* Each x stands for a hexadecimal digit. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++)
		if (*shape == 'x' ? !*text || !strchr("0123456789abcdefABCDEF", *text)
				  : *text != *shape)
			return false;
	return !*text;
}

/* The kernel writes PCI addresses with a domain, and in lower case. */
static int parse_pci_address(const char *text, char ret_name[SYSFS_NAME])
{
	bool domain = has_shape(text, "xxxx:xx:xx.x");

	if (!domain && !has_shape(text, "xx:xx.x"))
		return -EINVAL;
	snprintf(ret_name, SYSFS_NAME, "%s%s", domain ? "" : "0000:", text);
	for (char *c = ret_name; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	return 0;
}

/* A name that ends in a number. */
static int parse_numbered(const char *text, struct target *target)
{
	static const struct {
		const char *prefix;
		enum target_kind kind;
	} prefixes[] = {
		{"memory", TARGET_BLOCK},
		{"region", TARGET_REGION},
		{"mem", TARGET_MEMDEV},
		{"node", TARGET_NODE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!parse_number_after(text, prefixes[i].prefix, &target->number))
			continue;
		target->kind = prefixes[i].kind;
		snprintf(target->name, sizeof(target->name), "%s%" PRIu64, prefixes[i].prefix,
			target->number);
		return 0;
	}
	return -EINVAL;
}

int target_parse(const char *text, struct target *ret_target)
{
	static const char dev[] = "/dev/";
	struct target target = {0};

	if (strncmp(text, dev, strlen(dev)) == 0 && is_dax_name(text + strlen(dev)))
		text += strlen(dev);
	if (!*text || strlen(text) >= SYSFS_NAME)
		return -EINVAL;
	snprintf(target.name, sizeof(target.name), "%s", text);
	if (is_bare_number(text))
		return -EDOM;
	if (parse_address(text, &target.range) == 0)
		target.kind = TARGET_ADDRESS;
	else if (is_dax_name(text))
		target.kind = TARGET_DAX;
	else if (parse_pci_address(text, target.name) == 0)
		target.kind = TARGET_PCI_ADDRESS;
	else if (parse_numbered(text, &target) < 0)
		return -EINVAL;
	*ret_target = target;
	return 0;
}

struct range target_place(const struct target *target, uint64_t block_size)
{
	if (target->kind == TARGET_ADDRESS)
		return target->range;
	/* A block beyond the last address is nowhere. */
	if (target->kind == TARGET_BLOCK && target->number < UINT64_MAX / block_size)
		return block_range(target->number, block_size);
	return (struct range){0, 0};
}

static bool has_memdev(const struct target *target, const struct cxl_origin *cxl)
{
	bool pci = target->kind == TARGET_PCI_ADDRESS;

	for (size_t i = 0; i < cxl->n_memdevs; i++) {
		const struct memdev *memdev = &cxl->memdevs[i];

		if (strcmp(pci ? memdev->host : memdev->name, target->name) == 0)
			return true;
	}
	return false;
}

bool target_matches(const struct target *target, const struct record *record)
{
	const struct device *device = &record->facts->device;

	switch (target->kind) {
	case TARGET_ADDRESS:
	case TARGET_BLOCK:
		return range_overlaps(
			target_place(target, record->facts->block_size), record->range);
	case TARGET_DAX:
		return strcmp(device->name, target->name) == 0;
	case TARGET_REGION:
		return strcmp(device->region, target->name) == 0;
	case TARGET_NODE:
		return device->node >= 0 && (uint64_t)device->node == target->number;
	default:
		return has_memdev(target, &record->facts->cxl);
	}
}
