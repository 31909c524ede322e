// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starts TDX when it is loaded, as the kvm_intel of Linux 6.16 to 7.0 does, for a kernel whose own
 * KVM does not: Linux 6.8 to 6.15 export tdx_enable(), and nothing in these kernels calls it. This
 * module has no KVM.
 *
 *   tdx         N: do not start TDX. When the module is loaded: whether TDX is up
 *   states      N: leave out the line "kvm/cpu/tdx:online" in
 *               /sys/devices/system/cpu/hotplug/states, which the KVM of 6.16 adds
 *   error       the error of the start; 0: none
 *
 * As with that KVM, the module is loaded even if TDX fails, the device kvm is made after TDX came up
 * or failed, and TDX stays up when the module is unloaded.
 */
#define pr_fmt(fmt) "kvm_intel: " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/fs.h>
#include <linux/irqflags.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/tdx.h>

static bool tdx = true;
module_param(tdx, bool, 0444);

static bool states = true;
module_param(states, bool, 0444);

static int error;
module_param(error, int, 0444);

static enum cpuhp_state tdx_state;

static const struct file_operations kvm_operations = {.owner = THIS_MODULE};
static struct miscdevice kvm = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kvm",
	.fops = &kvm_operations,
};

/* tdx_cpu_enable() requires disabled interrupts. */
static int enable_cpu(unsigned int cpu)
{
	unsigned long flags;
	int r;

	local_irq_save(flags);
	r = tdx_cpu_enable();
	local_irq_restore(flags);
	return r;
}

static void enable_this_cpu(void *ret)
{
	int r = enable_cpu(smp_processor_id());

	if (r)
		WRITE_ONCE(*(int *)ret, r);
}

static int enable_cpus(void)
{
	int r = 0;

	if (!states) {
		on_each_cpu(enable_this_cpu, &r, true);
		return r;
	}
	r = cpuhp_setup_state_cpuslocked(
		CPUHP_AP_ONLINE_DYN, "kvm/cpu/tdx:online", enable_cpu, NULL);
	if (r < 0)
		return r;
	tdx_state = r;
	return 0;
}

static void remove_state(void)
{
	if (tdx_state)
		cpuhp_remove_state_nocalls_cpuslocked(tdx_state);
	tdx_state = 0;
}

static int start_tdx(void)
{
	int r;

	cpus_read_lock();
	r = enable_cpus();
	if (!r)
		r = tdx_enable();
	if (r)
		remove_state();
	cpus_read_unlock();
	return r;
}

static int __init kvm_intel_init(void)
{
	if (tdx) {
		error = start_tdx();
		tdx = !error;
	}
	return misc_register(&kvm);
}
module_init(kvm_intel_init);

static void __exit kvm_intel_exit(void)
{
	misc_deregister(&kvm);
	cpus_read_lock();
	remove_state();
	cpus_read_unlock();
}
module_exit(kvm_intel_exit);

MODULE_DESCRIPTION("Starts TDX like the KVM of Linux 6.16 to 7.0");
MODULE_LICENSE("GPL");
