/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compiler includes this file before the first line of tdx.c, and of no other file. It replaces
 * the MSR access and the VMX functions that tdx.c uses, so that tdx.c itself stays unchanged.
 */
#ifndef SWTDX_H
#define SWTDX_H

#include <linux/version.h>
#include <asm/msr.h>

u64 swtdx_keyid_partitioning(void);
int swtdx_vmxon(void);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)

#include <asm/virt.h>

static inline int swtdx_rdmsrq_safe(u32 msr, u64 *ret)
{
	if (msr != MSR_IA32_MKTME_KEYID_PARTITIONING)
		return rdmsrq_safe(msr, ret);
	*ret = swtdx_keyid_partitioning();
	return 0;
}

#define rdmsrq_safe		  swtdx_rdmsrq_safe
#define x86_virt_get_ref(feature) ((void)(feature), swtdx_vmxon())
#define x86_virt_put_ref(feature) ((void)(feature))

#else

static inline int swtdx_rdmsr_safe(u32 msr, u32 *ret_low, u32 *ret_high)
{
	u64 value = swtdx_keyid_partitioning();

	if (msr != MSR_IA32_MKTME_KEYID_PARTITIONING)
		return rdmsr_safe(msr, ret_low, ret_high);
	*ret_low = lower_32_bits(value);
	*ret_high = upper_32_bits(value);
	return 0;
}

#undef rdmsr_safe
#define rdmsr_safe swtdx_rdmsr_safe

#endif

/* tdx.c defines its own after this. */
#undef pr_fmt

#endif
