// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A TDX module in software: it defines the functions through which the kernel's own, unchanged tdx.c
 * reaches the TDX module, and replaces seamcall.o, which has the SEAMCALL instruction. It answers as
 * a module that takes 64 TDMRs and any memory. It keeps no state, and runs no TD.
 *
 * Kernel parameters:
 *
 *   swtdx=MODE[,MODE…]     default: off
 *
 *	ok                  TDX comes up
 *	off                 firmware has not enabled TDX: no TDX key ids
 *	one-keyid           firmware has reserved one TDX key id, which is too few
 *	no-vmx              VMXON fails. From Linux 7.1 on; before, the caller executes VMXON
 *	no-module           firmware has enabled TDX, and no module is loaded
 *	no-rbp-fix          the module clobbers RBP: Linux 7.x requires a newer one
 *	LEAF:CODE           LEAF answers with the completion status CODE, a number other than 0.
 *	                    LEAF is init, lp-init, rd, config, key-config or tdmr-init.
 *
 *   swtdx.cmr=START-END[,START-END…]
 *	the convertible memory ranges, end exclusive. TDH.SYS.CONFIG refuses a TDMR if a part of
 *	it that is not reserved does not lie in one of them, as the module of a host does. List
 *	adjacent ranges as one.
 *
 * The completion status codes 0x8000ff000000000d and 0x8000ff0000000006 stand for a #GP and a #UD
 * of the instruction.
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/tdx.h>
#if __has_include("seamcall_internal.h")
#include "seamcall_internal.h"
#endif
#include "swtdx.h"
#include "tdx.h"

/* Of the TDX module's interface; names as in Intel's documents. */
#define MAX_TDMRS	      0x9100000100000008
#define MAX_RESERVED_PER_TDMR 0x9100000100000009
#define PAMT_4K_ENTRY_SIZE    0x9100000100000010
#define PAMT_2M_ENTRY_SIZE    0x9100000100000011
#define PAMT_1G_ENTRY_SIZE    0x9100000100000012
#define TDX_FEATURES0	      0x0a00000300000008
#define MAJOR_VERSION	      0x0800000100000004
#define MINOR_VERSION	      0x0800000100000003
#define NO_RBP_MOD	      BIT_ULL(18)
#define TDX_TDMR_OUTSIDE_CMRS 0xc0000a0200000000

#define FIRST_KEYID	32
#define MAX_RESERVED	16
#define PAMT_ENTRY_SIZE 16
#define MAX_CMRS	32

static u64 fields[][2] __ro_after_init = {
	{TDX_FEATURES0, NO_RBP_MOD},
	{MAJOR_VERSION, 1},
	{MINOR_VERSION, 5},
	{MAX_TDMRS, 64},
	{MAX_RESERVED_PER_TDMR, MAX_RESERVED},
	{PAMT_4K_ENTRY_SIZE, PAMT_ENTRY_SIZE},
	{PAMT_2M_ENTRY_SIZE, PAMT_ENTRY_SIZE},
	{PAMT_1G_ENTRY_SIZE, PAMT_ENTRY_SIZE},
};

static struct {
	const char *name;
	u64 leaf;
	u64 status;
} leaves[] __ro_after_init = {
	{"init", TDH_SYS_INIT},
	{"lp-init", TDH_SYS_LP_INIT},
	{"rd", TDH_SYS_RD},
	{"config", TDH_SYS_CONFIG},
	{"key-config", TDH_SYS_KEY_CONFIG},
	{"tdmr-init", TDH_SYS_TDMR_INIT},
};

static u32 keyids __ro_after_init;
static bool no_vmx __ro_after_init;

static struct {
	u64 start, end;
} cmrs[MAX_CMRS] __ro_after_init;
static unsigned int n_cmrs __ro_after_init;

static bool __init set_status(const char *leaf, u64 status)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (strcmp(leaves[i].name, leaf) != 0)
			continue;
		leaves[i].status = status;
		return true;
	}
	return false;
}

static bool __init set_leaf_mode(char *mode)
{
	char *code = mode, *leaf = strsep(&code, ":");
	u64 status;

	return code && !kstrtou64(code, 0, &status) && status && set_status(leaf, status);
}

static bool __init set_mode(char *mode)
{
	keyids = 32;
	if (strcmp(mode, "ok") == 0)
		return true;
	if (strcmp(mode, "off") == 0)
		keyids = 0;
	else if (strcmp(mode, "one-keyid") == 0)
		keyids = 1;
	else if (strcmp(mode, "no-vmx") == 0)
		no_vmx = true;
	else if (strcmp(mode, "no-module") == 0)
		set_status("init", TDX_SEAMCALL_VMFAILINVALID);
	else if (strcmp(mode, "no-rbp-fix") == 0)
		fields[0][1] = 0;
	else
		return set_leaf_mode(mode);
	return true;
}

/* A mode that does not exist must not pass for "off": the guest does not boot. */
static int __init parse_modes(char *modes)
{
	char *mode;

	while ((mode = strsep(&modes, ",")))
		if (!set_mode(mode))
			panic("swtdx: no such mode: %s", mode);
	return 0;
}
early_param("swtdx", parse_modes);

static bool __init add_cmr(char *range)
{
	char *end = range, *start = strsep(&end, "-");

	return n_cmrs < MAX_CMRS && end && !kstrtou64(start, 0, &cmrs[n_cmrs].start) &&
	       !kstrtou64(end, 0, &cmrs[n_cmrs++].end);
}

static int __init parse_cmrs(char *ranges)
{
	char *range;

	while ((range = strsep(&ranges, ",")))
		if (!add_cmr(range))
			panic("swtdx: not a convertible range: %s", range);
	return 0;
}
early_param("swtdx.cmr", parse_cmrs);

/* Bits 31:0: how many MKTME key ids; 63:32: how many TDX key ids, which follow those. */
u64 swtdx_keyid_partitioning(void)
{
	return (u64)keyids << 32 | (FIRST_KEYID - 1);
}

int swtdx_vmxon(void)
{
	return no_vmx ? -EOPNOTSUPP : 0;
}

static bool is_convertible(u64 start, u64 end)
{
	if (start >= end || !n_cmrs)
		return true;
	for (unsigned int i = 0; i < n_cmrs; i++)
		if (cmrs[i].start <= start && end <= cmrs[i].end)
			return true;
	return false;
}

/* Reserved areas are in ascending order; one without a size ends the list. */
static bool tdmr_is_convertible(const struct tdmr_info *tdmr)
{
	u64 start = tdmr->base;

	for (unsigned int i = 0; i < MAX_RESERVED && tdmr->reserved_areas[i].size; i++) {
		u64 hole = tdmr->base + tdmr->reserved_areas[i].offset;

		if (!is_convertible(start, hole))
			return false;
		start = hole + tdmr->reserved_areas[i].size;
	}
	return is_convertible(start, tdmr->base + tdmr->size);
}

static u64 sys_config(const struct tdx_module_args *args)
{
	const u64 *tdmrs = phys_to_virt(args->rcx);

	for (u64 i = 0; i < args->rdx; i++)
		if (!tdmr_is_convertible(phys_to_virt(tdmrs[i])))
			return TDX_TDMR_OUTSIDE_CMRS | i;
	return TDX_SUCCESS;
}

static u64 read_field(u64 id)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i][0] == id)
			return fields[i][1];
	return 0;
}

static u64 status_of(u64 leaf)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(leaves); i++)
		if (leaves[i].leaf == leaf)
			return leaves[i].status;
	return TDX_SUCCESS;
}

static u64 answer(u64 leaf, struct tdx_module_args *args)
{
	u64 status = status_of(leaf);

	if (status)
		return status;
	switch (leaf) {
	case TDH_SYS_CONFIG:
		return sys_config(args);
	case TDH_SYS_RD:
		args->r8 = read_field(args->rdx);
		break;
	case TDH_SYS_TDMR_INIT:
		/* The address to continue at; beyond the TDMR: all of it is initialised. */
		args->rdx = U64_MAX;
		break;
	}
	return TDX_SUCCESS;
}

u64 __seamcall(u64 leaf, struct tdx_module_args *args)
{
	return answer(leaf, args);
}

u64 __seamcall_ret(u64 leaf, struct tdx_module_args *args)
{
	return answer(leaf, args);
}

/* Only TDH.VP.ENTER comes this way. */
noinstr u64 __seamcall_saved_ret(u64 leaf, struct tdx_module_args *args)
{
	return TDX_SEAMCALL_VMFAILINVALID;
}
