/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel log says of a TDX that does not come up (arch/x86/virt/vmx/tdx/tdx.c, 6.8 and
 * later; arch/x86/kvm/vmx/tdx.c, 6.16 and later). The gate asks it whether TDX did.
 */
#pragma once

#include <stdbool.h>

#include "tdxo/compiler.h"

enum tdx_trouble {
	TDX_TROUBLE_HIBERNATION,
	TDX_TROUBLE_FEW_KEYS,
	TDX_TROUBLE_NO_MODULE,
	TDX_TROUBLE_OLD_MODULE,
	TDX_TROUBLE_PROCESSOR, /* it lacks something that TDX needs */
	TDX_TROUBLE_FAILED,    /* any other failed initialisation */
	TDX_TROUBLE_KVM,       /* KVM does without TDX */
	TDX_TROUBLE_MAX,
};

#define TDX_LOG_LINE 128

struct tdx_log {
	bool enabled;				   /* the BIOS has enabled TDX */
	char lines[TDX_TROUBLE_MAX][TDX_LOG_LINE]; /* the last of each; empty: none */
};

/* Take in a line, in any format: what comes before the kernel's own prefix does not count. */
void tdx_log_read(struct tdx_log *log, const char *line);

/* The error that a failed initialisation has told, positive; 0: none. */
int tdx_log_error(const struct tdx_log *log) MUST_CHECK;
