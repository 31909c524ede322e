/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of links to dax devices.
 */
#include "tdxo/memory/links.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* A name of the kernel's, with "_" for each character that udev would replace. */
static void append_name(struct strbuf *text, const char *name)
{
	for (; *name; name++)
		strbuf_append(text, "%c",
			isalnum((unsigned char)*name) || strchr("#+-.:=@_", *name) ? *name : '_');
}

/* As in other such directories of udev. The host of a card is a PCI function, or emulated. */
static void append_hosts(struct strbuf *text, const struct cxl_origin *cxl)
{
	for (size_t i = 0; i < cxl->n_memdevs; i++) {
		const char *host = cxl->memdevs[i].host;

		strbuf_append(text, "%s%s", i ? "+" : "", strchr(host, ':') ? "pci-" : "platform-");
		append_name(text, host);
	}
}

static void append_serials(struct strbuf *text, const struct cxl_origin *cxl)
{
	for (size_t i = 0; i < cxl->n_memdevs; i++)
		strbuf_append(text, "%s0x%" PRIx64, i ? "+" : "", cxl->memdevs[i].serial);
}

/* Is all known that a name of its cards has? One without a serial number has 0 (6.12). */
static bool has_names_of_cards(enum link link, const struct cxl_origin *cxl)
{
	if (cxl->incomplete || !cxl->n_memdevs || cxl->memdevs[0].dpa == DPA_UNKNOWN)
		return false;
	for (size_t i = 0; i < cxl->n_memdevs; i++)
		if (link == LINK_BY_SERIAL ? !cxl->memdevs[i].serial : !cxl->memdevs[i].host[0])
			return false;
	return true;
}

static void append_cards(struct strbuf *text, enum link link, const struct cxl_origin *cxl)
{
	if (link == LINK_BY_SERIAL)
		append_serials(text, cxl);
	else
		append_hosts(text, cxl);
	if (cxl->memdevs[0].dpa)
		strbuf_append(text, "-dpa0x%" PRIx64, cxl->memdevs[0].dpa);
}

void link_append_name(struct strbuf *text, enum link link, const struct device *device,
	const struct cxl_origin *cxl)
{
	const char *number = strchr(device->name, '.');

	if (device->type != TYPE_CXL || !device->region[0] ||
		(link != LINK_BY_REGION && !has_names_of_cards(link, cxl)))
		return;
	if (link == LINK_BY_REGION)
		append_name(text, device->region);
	else
		append_cards(text, link, cxl);
	if (number && strcmp(number, ".0") != 0)
		append_name(text, number);
}
