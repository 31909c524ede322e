/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel log: a table of what a line begins with, and what it has in it.
 */
#include "tdxo/tdx_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/gate.h"

#define CORE "virt/tdx: "
#define KVM  "kvm_intel: "

/* The first that fits counts. */
static const struct {
	const char *prefix, *part;
	enum tdx_trouble trouble;
} troubles[] = {
	{CORE "initialization failed: ", "Hibernation support is enabled", TDX_TROUBLE_HIBERNATION},
	{CORE "initialization failed: ", "too few private KeyIDs", TDX_TROUBLE_FEW_KEYS},
	{CORE "module not loaded", "", TDX_TROUBLE_NO_MODULE},
	{CORE, "upgrade TDX module", TDX_TROUBLE_OLD_MODULE},
	{CORE, " is required for TDX", TDX_TROUBLE_PROCESSOR},
	{CORE "module initialization failed", "", TDX_TROUBLE_FAILED},
	{CORE "TDX-Module initialization failed", "", TDX_TROUBLE_FAILED},
	{CORE "initialization failed: ", "register_memory_notifier", TDX_TROUBLE_FAILED},
	{KVM, " required for TDX", TDX_TROUBLE_KVM},
	{KVM "Disable TDX", "", TDX_TROUBLE_KVM},
	{KVM "tdx: ", " required", TDX_TROUBLE_KVM},
	{KVM "tdx: ", "requires ", TDX_TROUBLE_KVM},
	{KVM "tdx: ", "no TDX private KeyIDs", TDX_TROUBLE_KVM},
};

/* The kernel's own words, or NULL. */
static const char *find_message(const char *line)
{
	const char *core = strstr(line, CORE), *kvm = strstr(line, KVM);

	return core && (!kvm || core < kvm) ? core : kvm;
}

static void keep(struct tdx_log *log, enum tdx_trouble trouble, const char *message)
{
	snprintf(log->lines[trouble], TDX_LOG_LINE, "%.*s", (int)strcspn(message, "\r\n"), message);
}

void tdx_log_read(struct tdx_log *log, const char *line)
{
	const char *message = find_message(line);

	if (!message)
		return;
	log->enabled |= strncmp(message, CORE "BIOS enabled", strlen(CORE "BIOS enabled")) == 0;
	if (gate_read_log_line(message) == FACT_YES)
		log->lines[TDX_TROUBLE_FAILED][0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(troubles); i++) {
		if (strncmp(message, troubles[i].prefix, strlen(troubles[i].prefix)) != 0 ||
			!strstr(message, troubles[i].part))
			continue;
		keep(log, troubles[i].trouble, message);
		return;
	}
}

int tdx_log_error(const struct tdx_log *log)
{
	const char *error = strstr(log->lines[TDX_TROUBLE_FAILED], "(-");

	return error ? (int)strtol(error + 2, NULL, 10) : 0;
}
