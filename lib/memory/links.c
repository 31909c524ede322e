/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of links to dax devices.
 */
#include "tdxo/memory/links.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "tdxo/base/string_table.h"

static const char *const directories[] = {
	[LINK_BY_PATH] = "by-path",
	[LINK_BY_REGION] = "by-region",
	[LINK_BY_SERIAL] = "by-serial",
};
DEFINE_TO_STRING(link, enum link, directories, LINK_MAX)

/* A name of the kernel's, with "_" for each character that udev would replace. */
static void append_name(struct strbuf *text, const char *name)
{
	for (; *name; name++)
		strbuf_append(text, "%c",
			isalnum((unsigned char)*name) || strchr("#+-.:=@_", *name) ? *name : '_');
}

/* As in other such directories of udev. The host of a card is a PCI function, or emulated. */
static void append_host(struct strbuf *text, const char *host)
{
	strbuf_append(text, strchr(host, ':') ? "pci-" : "platform-");
	append_name(text, host);
}

static void append_path(struct strbuf *text, const struct link_facts *facts)
{
	const struct cxl_origin *cxl = facts->cxl;

	if (facts->device->type == TYPE_HMEM)
		append_host(text, facts->parent);
	for (size_t i = 0; i < cxl->n_memdevs; i++) {
		strbuf_append(text, "%s", i ? "+" : "");
		append_host(text, cxl->memdevs[i].host);
	}
}

/* A card without a serial number has 0 (pci_get_dsn(), drivers/pci/pci.c, 6.12). */
static void append_serials(struct strbuf *text, const struct cxl_origin *cxl)
{
	for (size_t i = 0; i < cxl->n_memdevs; i++)
		if (!cxl->memdevs[i].serial)
			return;
	for (size_t i = 0; i < cxl->n_memdevs; i++)
		strbuf_append(text, "%s0x%" PRIx64, i ? "+" : "", cxl->memdevs[i].serial);
}

/* The part of the memory: of the first card, and of the region. */
static void append_part(struct strbuf *text, enum link link, const struct link_facts *facts)
{
	const struct cxl_origin *cxl = facts->cxl;
	const char *number = strchr(facts->device->name, '.');

	if (link != LINK_BY_REGION && cxl->n_memdevs && cxl->memdevs[0].dpa)
		strbuf_append(text, "-dpa0x%" PRIx64, cxl->memdevs[0].dpa);
	if (number && strcmp(number, ".0") != 0)
		append_name(text, number);
}

void link_append_name(struct strbuf *text, enum link link, const struct link_facts *facts)
{
	size_t before = text->n;

	if (!device_has_links(facts->device))
		return;
	if (link == LINK_BY_PATH)
		append_path(text, facts);
	else if (link == LINK_BY_SERIAL)
		append_serials(text, facts->cxl);
	else
		append_name(text, facts->device->region);
	if (text->n > before)
		append_part(text, link, facts);
}
