/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's messages about the start of TDX: those of arch/x86/virt/vmx/tdx/tdx.c (6.8 to 7.3)
 * and of arch/x86/kvm/vmx/tdx.c (6.16 and later).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"

enum tdx_trouble {
	/* Final: TDX cannot start any more in this boot. From the most to the least specific. */
	TDX_TROUBLE_HIBERNATION,
	TDX_TROUBLE_FEW_KEYS,
	TDX_TROUBLE_NOTIFIER, /* the kernel's memory notifier */
	TDX_TROUBLE_LAST_BEFORE_FLAG =
		TDX_TROUBLE_NOTIFIER, /* up to it without tdx_host_platform */
	TDX_TROUBLE_NO_MODULE,
	TDX_TROUBLE_FEATURE, /* the processor lacks something that TDX needs, or hides it */
	TDX_TROUBLE_OLD_MODULE,
	TDX_TROUBLE_SYS_INIT, /* the TDX module refused TDH.SYS.INIT; often the only trace */
	TDX_TROUBLE_FAILED,   /* any other failed initialization */
	TDX_TROUBLE_FINAL_MAX,

	/* No proof by themselves. */
	TDX_TROUBLE_SEAMCALL = TDX_TROUBLE_FINAL_MAX, /* any other refused request to the module */
	TDX_TROUBLE_KVM,			      /* KVM does without TDX */
	TDX_TROUBLE_MAX,
};

#define TDX_LOG_LINE 128

struct tdx_log {
	bool enabled;				   /* the BIOS has enabled TDX */
	bool initialized;			   /* the TDX module is up */
	char lines[TDX_TROUBLE_MAX][TDX_LOG_LINE]; /* the last of each; empty: none */
};

/*
 * Take in a message of the kernel's own, without a header. Only its beginning shows whose it is:
 * many messages quote what programs pass to the kernel.
 */
void tdx_log_read(struct tdx_log *log, const char *message);

/* The most specific trouble that is final; TDX_TROUBLE_FINAL_MAX: none. */
enum tdx_trouble tdx_log_failure(const struct tdx_log *log) MUST_CHECK;

/* The errno of a failed initialization, positive; 0: not known. */
int tdx_log_error(const struct tdx_log *log) MUST_CHECK;

/* A refused request to the TDX module: the leaf's number and the completion status (RAX). */
struct seamcall {
	uint64_t leaf, status;
};

/* Of TDX_TROUBLE_SYS_INIT, else of TDX_TROUBLE_SEAMCALL. False: the log has neither. */
bool tdx_log_seamcall(const struct tdx_log *log, struct seamcall *ret_seamcall) MUST_CHECK;

/*
 * What a completion status means, as Intel's "TDX Module ABI Specification" (1.5, function
 * completion status codes) has it, in a few words; NULL: not known here.
 */
const char *seamcall_status_explain(uint64_t status);

/* True if the TDX module refused memory because it is not TDX memory. */
bool seamcall_status_is_memory(uint64_t status);

/* True if another try may succeed: bit 62 of a status is for errors that stay. */
bool seamcall_status_is_passing(uint64_t status);
