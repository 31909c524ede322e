/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's messages about TDX: a table of what a message begins with, and what it ends with.
 */
#include "tdxo/tdx/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/base/parse.h"

#define CORE	     "virt/tdx: "
#define KVM	     "kvm_intel: "
#define SEAMCALL     CORE "SEAMCALL (0x"
#define TDH_SYS_INIT 33	    /* arch/x86/virt/vmx/tdx/tdx.h, 6.12 */
#define LEAF_MASK    0xffff /* above it: the version of the leaf */

/* The first that fits counts. An end of "": nothing may follow; of NULL: anything may. */
static const struct {
	const char *begin, *end;
	enum tdx_trouble trouble;
} troubles[] = {
	{CORE "initialization failed: Hibernation support is enabled", "", TDX_TROUBLE_HIBERNATION},
	{CORE "initialization failed: too few private KeyIDs", NULL, TDX_TROUBLE_FEW_KEYS},
	{CORE "initialization failed: register_memory_notifier() failed", NULL,
		TDX_TROUBLE_NOTIFIER},
	{CORE "module not loaded", "", TDX_TROUBLE_NO_MODULE},
	{CORE "frame pointer (RBP) clobber bug present, upgrade TDX module", "",
		TDX_TROUBLE_OLD_MODULE},
	{CORE "XSAVE is required for TDX", "", TDX_TROUBLE_FEATURE},
	{CORE "MOVDIR64B is required for TDX", "", TDX_TROUBLE_FEATURE},
	{CORE "Self-snoop is required for TDX", "", TDX_TROUBLE_FEATURE},
	{CORE "module initialization failed (", ")", TDX_TROUBLE_FAILED},
	{CORE "TDX-Module initialization failed (", ")", TDX_TROUBLE_FAILED},
	{SEAMCALL, NULL, TDX_TROUBLE_SEAMCALL},
	{KVM, " required for TDX", TDX_TROUBLE_KVM},
	{KVM "Disable TDX", NULL, TDX_TROUBLE_KVM},
	{KVM "tdx: ", NULL, TDX_TROUBLE_KVM},
};

static bool has_begin(const char *message, const char *begin)
{
	return strncmp(message, begin, strlen(begin)) == 0;
}

static bool fits(const char *message, const char *begin, const char *end)
{
	size_t length = strlen(message), n = end ? strlen(end) : 0;

	return has_begin(message, begin) && length >= strlen(begin) + n &&
	       strcmp(message + length - n, end ? end : "") == 0 &&
	       (!end || *end || length == strlen(begin));
}

/* "SEAMCALL (0x%016llx) failed: 0x%016llx", seamcall_err() in tdx.c. */
static bool read_seamcall(const char *message, struct seamcall *ret_seamcall)
{
	struct seamcall seamcall;
	int end = 0;

	if (!has_begin(message, SEAMCALL) ||
		sscanf(message + strlen(SEAMCALL), "%16" SCNx64 ") failed: 0x%16" SCNx64 "%n",
			&seamcall.leaf, &seamcall.status, &end) != 2 ||
		message[strlen(SEAMCALL) + (size_t)end])
		return false;
	seamcall.leaf &= LEAF_MASK;
	*ret_seamcall = seamcall;
	return true;
}

/* TDX_TROUBLE_MAX: the message is not about any. */
static enum tdx_trouble find_trouble(const char *message)
{
	struct seamcall seamcall;

	for (size_t i = 0; i < ARRAY_SIZE(troubles); i++) {
		if (!fits(message, troubles[i].begin, troubles[i].end))
			continue;
		if (troubles[i].trouble != TDX_TROUBLE_SEAMCALL)
			return troubles[i].trouble;
		if (!read_seamcall(message, &seamcall))
			return TDX_TROUBLE_MAX;
		return seamcall.leaf == TDH_SYS_INIT ? TDX_TROUBLE_SYS_INIT : TDX_TROUBLE_SEAMCALL;
	}
	return TDX_TROUBLE_MAX;
}

void tdx_log_read(struct tdx_log *log, const char *message)
{
	char line[TDX_LOG_LINE];
	enum tdx_trouble trouble;

	snprintf(line, sizeof(line), "%.*s", (int)strcspn(message, "\r\n"), message);
	log->enabled |= has_begin(line, CORE "BIOS enabled: ");
	log->initialized |= strcmp(line, CORE "module initialized") == 0 ||
			    strcmp(line, CORE "TDX-Module initialized") == 0;
	trouble = find_trouble(line);
	if (trouble != TDX_TROUBLE_MAX)
		snprintf(log->lines[trouble], TDX_LOG_LINE, "%s", line);
}

enum tdx_trouble tdx_log_failure(const struct tdx_log *log)
{
	enum tdx_trouble trouble = 0;

	while (trouble < TDX_TROUBLE_FINAL_MAX && !log->lines[trouble][0])
		trouble++;
	return trouble;
}

int tdx_log_error(const struct tdx_log *log)
{
	const char *error = strstr(log->lines[TDX_TROUBLE_FAILED], "(-");
	long number = error ? strtol(error + 2, NULL, 10) : 0;

	return number > 0 && number <= ERRNO_MOST ? (int)number : 0;
}

bool tdx_log_seamcall(const struct tdx_log *log, struct seamcall *ret_seamcall)
{
	return read_seamcall(log->lines[TDX_TROUBLE_SYS_INIT], ret_seamcall) ||
	       read_seamcall(log->lines[TDX_TROUBLE_SEAMCALL], ret_seamcall);
}

/* Bits 63:32 of a status are its class and name, the rest is detail. */
static const struct {
	uint32_t status;
	bool memory;
	const char *meaning;
} statuses[] = {
	{0x80000203, false, "no random number was available in time"},
	{0x80000800, false, "a key could not be generated"},
	{0xc0000100, false, "an operand is invalid"},
	{0xc0000900, false, "a CPUID value is not what the TDX module requires"},
	{0xc0000901, false, "the BIOS limits CPUID to leaf 2"},
	{0xc0000902, false, "the logical processors differ in CPUID"},
	{0xc0000904, false, "the format of CPUID leaf 0x1f is unknown to the TDX module"},
	{0xc0000908, false, "a CPUID leaf that the TDX module needs is missing"},
	{0xc0000910, false, "the BIOS has not locked SMRR"},
	{0xc0000911, false, "the BIOS has configured SMRR wrongly"},
	{0xc0000912, false, "SMRR overlaps convertible memory"},
	{0xc0000913, false, "SMRR cannot be locked"},
	{0xc0000914, false, "SMRR is not supported"},
	{0xc0000920, false, "the logical processors differ in an MSR"},
	{0xc0000921, false, "an MSR has not the value that the TDX module requires"},
	{0xc0000a00, false, "a TDMR is invalid"},
	{0xc0000a01, false, "the TDMRs are not in order"},
	{0xc0000a02, true, "memory of the kernel is not convertible to TDX memory"},
	{0xc0000a10, false, "a PAMT is invalid"},
	{0xc0000a11, true, "a PAMT lies in memory that is not convertible to TDX memory"},
	{0xc0000a12, false, "PAMTs overlap"},
	{0xc0000a20, false, "a reserved area of a TDMR is invalid"},
	{0xc0000a21, false, "the reserved areas of a TDMR are not in order"},
	{0xc0000a22, false, "the BIOS passed an invalid list of convertible memory"},
};

/* Index into statuses[], or ARRAY_SIZE(statuses). */
static size_t find_status(uint64_t status)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(statuses) && statuses[i].status != status >> 32)
		i++;
	return i;
}

const char *seamcall_status_explain(uint64_t status)
{
	size_t i = find_status(status);

	return i < ARRAY_SIZE(statuses) ? statuses[i].meaning : NULL;
}

bool seamcall_status_is_memory(uint64_t status)
{
	size_t i = find_status(status);

	return i < ARRAY_SIZE(statuses) && statuses[i].memory;
}

bool seamcall_status_is_passing(uint64_t status)
{
	return !(status >> 62 & 1);
}
