/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disguise: pseudonyms, and texts that are written again from what was read of them.
 */
#include "tdxo/anonymise/anonymise.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/array.h"
#include "tdxo/base/cmdline.h"
#include "tdxo/base/parse.h"
#include "tdxo/firmware/e820.h"
#include "tdxo/policy/ini.h"

#define UUID_TEXT 37 /* with its NUL */

/* A text that is being written; after an error nothing is. */
struct output {
	struct disguise *disguise;
	struct bytes text;
	int error;
};

int bytes_append(struct bytes *text, const char *bytes, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = array_append(text->bytes, text->n, bytes[i]);
	return r;
}

void bytes_done(struct bytes *text)
{
	free(text->bytes);
	*text = (struct bytes){0};
}

static void put_bytes(struct output *out, const char *bytes, size_t n)
{
	if (!out->error)
		out->error = bytes_append(&out->text, bytes, n);
}

static void put(struct output *out, const char *string)
{
	put_bytes(out, string, strlen(string));
}

/* Append to a list of words. It may follow a '='. */
static void put_word(struct output *out, const char *word)
{
	if (out->text.n && out->text.bytes[out->text.n - 1] != '=')
		put(out, " ");
	put(out, word);
}

static bool is_one_of(const char *text, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* --- pseudonyms --- */

/* A UUID in lower case, or a serial number; a node of a tree as of tsearch(3). */
struct pseudonym {
	char real[UUID_TEXT];
	size_t number; /* counted from 1 */
};

static int compare_pseudonyms(const void *a, const void *b)
{
	return strcmp(((const struct pseudonym *)a)->real, ((const struct pseudonym *)b)->real);
}

static size_t number_of(struct output *out, const char *real)
{
	struct disguise *disguise = out->disguise;
	struct pseudonym *new = reallocarray(NULL, 1, sizeof(*new)), **node;
	size_t number;

	if (new)
		snprintf(new->real, sizeof(new->real), "%s", real);
	node = new ? tsearch(new, &disguise->pseudonyms, compare_pseudonyms) : NULL;
	if (!node) {
		free(new);
		out->error = -ENOMEM;
		return 0;
	}
	if (*node == new)
		new->number = ++disguise->n_pseudonyms;
	number = (*node)->number;
	if (*node != new)
		free(new);
	return number;
}

/* 8-4-4-4-12 hexadecimal digits, with anything after them. */
static bool is_uuid(const char *text, size_t n)
{
	if (n < UUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < UUID_TEXT - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* A pseudonym is as long as the UUID. The nil UUID names nothing, and stays. */
static void replace_uuids(struct output *out)
{
	const struct bytes *text = &out->text;
	char uuid[UUID_TEXT] = "";

	for (size_t i = 0; i < text->n && !out->error; i++) {
		if (!is_uuid(text->bytes + i, text->n - i))
			continue;
		for (size_t j = 0; j < UUID_TEXT - 1; j++)
			uuid[j] = (char)tolower((unsigned char)text->bytes[i + j]);
		if (strspn(uuid, "0-") < UUID_TEXT - 1)
			snprintf(uuid, sizeof(uuid), "00000000-0000-4000-8000-%012zx",
				number_of(out, uuid) & 0xffffffffffff);
		memcpy(text->bytes + i, uuid, UUID_TEXT - 1);
		i += UUID_TEXT - 2;
	}
}

static void put_serial(struct output *out, const char *word)
{
	char text[UUID_TEXT] = "?";
	uint64_t serial;

	if (parse_number(word, &serial) == 0) {
		snprintf(text, sizeof(text), "%" PRIu64, serial);
		snprintf(text, sizeof(text), "0x%zx", number_of(out, text));
	}
	put_word(out, text);
}

void disguise_done(struct disguise *disguise)
{
	tdestroy(disguise->pseudonyms, free);
	free(disguise->devices);
	*disguise = (struct disguise){0};
}

static int finish(struct output *out, struct bytes *ret_text)
{
	if (out->error)
		bytes_done(&out->text);
	else
		*ret_text = out->text;
	return out->error;
}

/* --- files of the kernel --- */

/* The first line as a NUL-terminated string, cut off. */
static void first_line(const struct bytes *text, char line[32])
{
	snprintf(line, 32, "%.*s", (int)(text->n < 32 ? text->n : 31), text->n ? text->bytes : "");
	line[strcspn(line, "\n")] = '\0';
}

const char *disguise_release(const char *release, char buf[DISGUISED_RELEASE])
{
	unsigned int major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return "?";
	snprintf(buf, DISGUISED_RELEASE, "%u.%u", major, minor);
	return buf;
}

int disguise_text(struct disguise *disguise, enum disguise_kind kind, const struct bytes *text,
	struct bytes *ret_text)
{
	struct output out = {.disguise = disguise};
	char line[32], release[DISGUISED_RELEASE];

	first_line(text, line);
	if (kind == DISGUISE_PLAIN)
		put_bytes(&out, text->bytes, text->n);
	for (size_t i = 0; kind == DISGUISE_BOOT_PARAMS && i < text->n; i++)
		put_bytes(&out, e820_in_boot_params(i) ? text->bytes + i : "", 1);
	if (kind == DISGUISE_SERIAL)
		put_serial(&out, line);
	if (kind == DISGUISE_RELEASE)
		put(&out, disguise_release(line, release));
	replace_uuids(&out);
	return finish(&out, ret_text);
}

/* --- rules --- */

int disguise_add_device(struct disguise *disguise, const char *name)
{
	struct disguise_device device;

	snprintf(device.name, sizeof(device.name), "%s", name);
	return array_append(disguise->devices, disguise->n_devices, device);
}

static void put_serials(struct output *out, const char *list)
{
	char word[WORD_TEXT];

	while (parse_word(&list, word) > 0)
		put_serial(out, word);
}

static bool is_matched(const char *list, const char *name)
{
	char word[WORD_TEXT];

	while (*name && parse_word(&list, word) > 0)
		if (fnmatch(word, name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static void put_matches(struct output *out, const char *list)
{
	const struct disguise *disguise = out->disguise;
	bool any = false;

	for (size_t i = 0; i < disguise->n_devices; i++) {
		if (!is_matched(list, disguise->devices[i].name))
			continue;
		put_word(out, disguise->devices[i].name);
		any = true;
	}
	if (!any)
		put(out, "none"); /* a key without a value would be no key */
}

static void put_setting(struct output *out, const struct ini_item *item)
{
	static const char *const patterns[] = {"Device", "PciAddress", "Region"};
	char value[INI_LINE + 1];

	snprintf(value, sizeof(value), "%.*s", (int)item->value_size, item->value);
	put(out, item->key);
	put(out, "=");
	if (strcmp(item->key, "Serial") == 0)
		put_serials(out, value);
	/* "*" hides nothing, and its list may be too long for a line. */
	else if (is_one_of(item->key, patterns, ARRAY_SIZE(patterns)) && *value &&
		 strcmp(value, "*") != 0)
		put_matches(out, value);
	else
		put(out, value);
}

int disguise_rule(struct disguise *disguise, const char *text, size_t size, struct bytes *ret_text)
{
	struct output out = {.disguise = disguise};
	struct ini_item item;
	struct ini ini;

	ini_init(&ini, text, size);
	while ((item = ini_next(&ini)).kind != INI_END) {
		if (item.kind == INI_KEY)
			put_setting(&out, &item);
		if (item.kind == INI_SECTION) {
			put(&out, "[");
			put(&out, item.section);
			put(&out, "]");
		}
		put(&out, "\n");
	}
	replace_uuids(&out);
	return finish(&out, ret_text);
}

/* --- the kernel command line --- */

/* A word that the doctor knows, or numbers of bytes. */
static bool is_harmless(const char *item)
{
	static const char *const words[] = {"off", "offline", "online", "online_kernel",
		"online_movable", "no", "n", "N", "yes", "y", "Y", "on", "nosoftreserve", "mirror",
		"kmem", "device_dax", "dax_cxl", "dax_hmem", "device-dax", "dax-cxl", "dax-hmem"};

	return is_one_of(item, words, ARRAY_SIZE(words)) ||
	       (isdigit((unsigned char)*item) &&
		       !item[strspn(item, "0123456789abcdefABCDEFxKMGTP@%")]);
}

static void put_parameter(struct output *out, struct parameter *parameter)
{
	char *rest = parameter->value[0] ? parameter->value : NULL, *item;
	const char *separator = "=";

	put_word(out, parameter->name);
	while ((item = strsep(&rest, ","))) {
		put(out, separator);
		put(out, is_harmless(item) ? item : "hidden");
		separator = ",";
	}
}

int disguise_cmdline(const char *text, struct bytes *ret_text)
{
	static const char *const names[] = {"tdx_onlined", "memhp_default_state", "efi",
		"efi_fake_mem", "memmap", "movable_node", "movablecore", "kernelcore",
		"kvm_intel.tdx", "module_blacklist", "modprobe.blacklist"};
	struct output out = {0};
	struct parameter parameter;

	while (parameter_next(&text, &parameter))
		if (is_one_of(parameter.name, names, ARRAY_SIZE(names)))
			put_parameter(&out, &parameter);
	put(&out, "\n");
	return finish(&out, ret_text);
}
