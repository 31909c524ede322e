/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pseudonyms, and the texts that they are put into.
 */
#include "tdxo/disguise.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "disguise_lines.h"
#include "tdxo/array.h"
#include "tdxo/e820.h"
#include "tdxo/value.h"

int bytes_append(struct bytes *text, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *room = array_room(text->bytes, text->n, 1);

		if (!room)
			return -ENOMEM;
		text->bytes = room;
		text->bytes[text->n++] = bytes[i];
	}
	return 0;
}

void bytes_done(struct bytes *text)
{
	free(text->bytes);
	*text = (struct bytes){0};
}

static int append_string(struct bytes *text, const char *string)
{
	return bytes_append(text, string, strlen(string));
}

void disguise_done(struct disguise *disguise)
{
	free(disguise->serials);
	free(disguise->uuids);
	free(disguise->regions);
	*disguise = (struct disguise){0};
}

/* 0 or -ENOMEM. */
static int pseudonym_of_serial(struct disguise *disguise, uint64_t serial, uint64_t *ret_pseudonym)
{
	uint64_t *serials;
	size_t i = 0;

	while (i < disguise->n_serials && disguise->serials[i] != serial)
		i++;
	if (i == disguise->n_serials) {
		serials = array_room(disguise->serials, i, sizeof(*serials));
		if (!serials)
			return -ENOMEM;
		disguise->serials = serials;
		disguise->serials[disguise->n_serials++] = serial;
	}
	*ret_pseudonym = i + 1;
	return 0;
}

/* 8-4-4-4-12 hexadecimal digits, whatever comes after them. */
static bool is_uuid(const char *text, size_t size)
{
	if (size < UUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < UUID_TEXT - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* 0 or -ENOMEM. The UUID of nothing is a pseudonym of nobody. */
static int pseudonym_of_uuid(struct disguise *disguise, const char *real, char ret[UUID_TEXT])
{
	struct disguise_uuid uuid = {0}, *uuids;
	size_t i = 0;

	for (size_t j = 0; j < UUID_TEXT - 1; j++)
		uuid.text[j] = (char)tolower((unsigned char)real[j]);
	if (strspn(uuid.text, "0-") == UUID_TEXT - 1) {
		memcpy(ret, uuid.text, UUID_TEXT);
		return 0;
	}
	while (i < disguise->n_uuids && strcmp(disguise->uuids[i].text, uuid.text) != 0)
		i++;
	if (i == disguise->n_uuids) {
		uuids = array_room(disguise->uuids, i, sizeof(*uuids));
		if (!uuids)
			return -ENOMEM;
		disguise->uuids = uuids;
		disguise->uuids[disguise->n_uuids++] = uuid;
	}
	snprintf(ret, UUID_TEXT, "00000000-0000-4000-8000-%012zx", (i + 1) & 0xffffffffffff);
	return 0;
}

/* A pseudonym is as long as what it stands for. */
static int replace_uuids(struct disguise *disguise, struct bytes *text)
{
	char pseudonym[UUID_TEXT];
	int r;

	for (size_t i = 0; i < text->n; i++) {
		if (!is_uuid(text->bytes + i, text->n - i))
			continue;
		r = pseudonym_of_uuid(disguise, text->bytes + i, pseudonym);
		if (r < 0)
			return r;
		memcpy(text->bytes + i, pseudonym, UUID_TEXT - 1);
		i += UUID_TEXT - 2;
	}
	return 0;
}

int disguise_add_region(struct disguise *disguise, const char *name, const char *uuid)
{
	struct disguise_region *regions =
		array_room(disguise->regions, disguise->n_regions, sizeof(*regions));
	struct disguise_region *region;

	if (!regions)
		return -ENOMEM;
	disguise->regions = regions;
	region = &regions[disguise->n_regions++];
	*region = (struct disguise_region){0};
	snprintf(region->name, sizeof(region->name), "%s", name);
	if (is_uuid(uuid, strlen(uuid)))
		memcpy(region->uuid, uuid, UUID_TEXT - 1);
	return 0;
}

int disguise_serial_word(struct disguise *disguise, const char *word, struct bytes *out)
{
	char number[32];
	uint64_t serial;
	int r;

	/* What is no number is a mistake, and stays one. */
	if (value_parse_number(word, &serial) < 0)
		return append_string(out, "?");
	r = pseudonym_of_serial(disguise, serial, &serial);
	if (r < 0)
		return r;
	snprintf(number, sizeof(number), "0x%" PRIx64, serial);
	return append_string(out, number);
}

/* No region has it. */
#define NO_REGION "00000000-0000-4000-8000-ffffffffffff"

static bool matches(const char *pattern, const char *text)
{
	return *text && fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

int disguise_region_word(struct disguise *disguise, const char *word, struct bytes *out)
{
	char pseudonym[UUID_TEXT];
	bool any = false;
	int r = 0;

	/* Names, all of them, and UUIDs that have been replaced by now. */
	if (strncasecmp(word, "r", 1) == 0 || strcmp(word, "*") == 0 ||
		(strlen(word) == UUID_TEXT - 1 && is_uuid(word, UUID_TEXT - 1)))
		return append_string(out, word);
	/* A pattern that parts of a UUID may be in: name what it matches. */
	for (size_t i = 0; r == 0 && i < disguise->n_regions; i++) {
		const struct disguise_region *region = &disguise->regions[i];
		const char *name = NULL;

		if (matches(word, region->name)) {
			name = region->name;
		} else if (matches(word, region->uuid)) {
			r = pseudonym_of_uuid(disguise, region->uuid, pseudonym);
			name = pseudonym;
		}
		if (r == 0 && name && any)
			r = append_string(out, " ");
		if (r == 0 && name)
			r = append_string(out, name);
		any |= name != NULL;
	}
	return r == 0 && !any ? append_string(out, NO_REGION) : r;
}

static int disguise_plain(struct disguise *disguise, const struct bytes *text, struct bytes *out)
{
	(void)disguise;
	return bytes_append(out, text->bytes, text->n);
}

static int disguise_serial(struct disguise *disguise, const struct bytes *text, struct bytes *out)
{
	char word[32];
	int r;

	snprintf(word, sizeof(word), "%.*s", (int)text->n, text->n ? text->bytes : "");
	word[strcspn(word, "\n")] = '\0';
	r = disguise_serial_word(disguise, word, out);
	return r == 0 ? append_string(out, "\n") : r;
}

static int disguise_boot_params(
	struct disguise *disguise, const struct bytes *text, struct bytes *out)
{
	int r = 0;

	(void)disguise;
	for (size_t i = 0; r == 0 && i < text->n; i++)
		r = bytes_append(out, e820_in_boot_params(i) ? text->bytes + i : "", 1);
	return r;
}

static int edit_lines(
	struct disguise *disguise, line_editor edit, const struct bytes *text, struct bytes *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < text->n;) {
		const char *line = text->bytes + i, *end = memchr(line, '\n', text->n - i);
		size_t length = end ? (size_t)(end - line) : text->n - i;

		r = edit(disguise, line, length, out);
		if (r == 0 && end)
			r = append_string(out, "\n");
		i += length + (end != NULL);
	}
	return r;
}

/* Either the whole of it, or line by line. */
static const struct {
	int (*whole)(struct disguise *disguise, const struct bytes *text, struct bytes *out);
	line_editor line;
} ways[] = {
	[DISGUISE_PLAIN] = {.whole = disguise_plain},
	[DISGUISE_SERIAL] = {.whole = disguise_serial},
	[DISGUISE_SETTINGS] = {.line = disguise_setting_line},
	[DISGUISE_CMDLINE] = {.line = disguise_cmdline_line},
	[DISGUISE_UDEV] = {.line = disguise_udev_line},
	[DISGUISE_MODPROBE] = {.line = disguise_modprobe_line},
	[DISGUISE_DAXCTL] = {.line = disguise_daxctl_line},
	[DISGUISE_BOOT_PARAMS] = {.whole = disguise_boot_params},
};
static_assert(ARRAY_SIZE(ways) == DISGUISE_KINDS, "a way for each kind");

int disguise_text(struct disguise *disguise, enum disguise_kind kind, struct bytes *text,
	struct bytes *ret_text)
{
	CLEANUP(bytes_done) struct bytes out = {0};
	int r = replace_uuids(disguise, text);

	if (r == 0)
		r = ways[kind].whole ? ways[kind].whole(disguise, text, &out)
				     : edit_lines(disguise, ways[kind].line, text, &out);
	if (r < 0)
		return r;
	*ret_text = out;
	out = (struct bytes){0};
	return 0;
}
