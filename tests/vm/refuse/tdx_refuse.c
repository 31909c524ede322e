// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdx_refuse: what an initialized TDX host does to memory hotplug, without TDX
 *
 * A TDX kernel keeps the list of memory that was present at boot, and a memory notifier that
 * answers NOTIFY_BAD when a block is about to go online that is not wholly inside one entry of
 * that list. It says nothing in the log, and the writer of "online" gets EPERM. This module does
 * the same with ranges that are handed in, since the kernel exports nothing to find them.
 *
 *   ranges      0xSTART-0xEND,... end exclusive; empty, as at load: nothing is refused
 *   refuse_at   the block that holds this address is refused as well; 0: none
 *   refused     how often a block was refused so far
 *   platform    1: show the CPU flag that the TDX code sets where firmware enabled TDX
 *   initialized 1: log that the TDX module came up
 *
 * platform and initialized only make the host look like one to user space: they change no refusal.
 * When kvm_intel has initialized the TDX module it makes /dev/kvm; initialized makes one as well,
 * that is of no use but for its event. From 7.1 on a CPU hotplug state shows that TDX is initialized.
 *
 * What can go wrong besides, on any host, is here as well, to be had when a test wants it:
 *
 *   fail_at      the block that holds this address cannot go online: fail_errno; 0: none
 *   fail_errno   the error that the writer of "online" gets; ENOMEM unless told
 *   fail_times   how often: after that the block goes online; 0: always
 *   failed       how often so far; write 0 to begin again
 *   hold         the block that holds this address cannot go offline: EBUSY; 0: none
 *   slow_offline milliseconds that it takes each block to go offline; a signal ends it with EINTR
 */
#define pr_fmt(fmt) "virt/tdx: " fmt

#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/memory.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pfn.h>
#include <linux/string.h>
#include <linux/version.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#define MAX_RANGES 64

struct range_list {
	unsigned int n;
	struct {
		u64 start, end;
	} entry[MAX_RANGES];
};

static struct range_list boot_memory;
static DEFINE_MUTEX(boot_memory_lock);

static unsigned long long refuse_at;
module_param(refuse_at, ullong, 0644);

static unsigned long refused;
module_param(refused, ulong, 0444);

static int parse_ranges(char *text, struct range_list *ret)
{
	char *word;

	ret->n = 0;
	while ((word = strsep(&text, ","))) {
		char *end = word, *start = strsep(&end, "-");
		u64 from, to;

		if (!*start)
			continue;
		if (!end || kstrtou64(start, 0, &from) || kstrtou64(end, 0, &to) || from >= to)
			return -EINVAL;
		if (ret->n == MAX_RANGES)
			return -E2BIG;
		ret->entry[ret->n].start = from;
		ret->entry[ret->n++].end = to;
	}
	return 0;
}

static int ranges_set(const char *value, const struct kernel_param *param)
{
	char *text = kstrdup(value, GFP_KERNEL);
	struct range_list list = {};
	int r;

	if (!text)
		return -ENOMEM;
	r = parse_ranges(strim(text), &list);
	kfree(text);
	if (r)
		return r;
	mutex_lock(&boot_memory_lock);
	boot_memory = list;
	mutex_unlock(&boot_memory_lock);
	return 0;
}

static int ranges_get(char *buffer, const struct kernel_param *param)
{
	int n = 0;

	mutex_lock(&boot_memory_lock);
	for (unsigned int i = 0; i < boot_memory.n; i++)
		n += sysfs_emit_at(buffer, n, "%s%#llx-%#llx", i ? "," : "",
			boot_memory.entry[i].start, boot_memory.entry[i].end);
	mutex_unlock(&boot_memory_lock);
	return n + sysfs_emit_at(buffer, n, "\n");
}

static const struct kernel_param_ops ranges_ops = {.set = ranges_set, .get = ranges_get};
module_param_cb(ranges, &ranges_ops, NULL, 0644);

static bool platform;

static int platform_set(const char *value, const struct kernel_param *param)
{
	int cpu, r = param_set_bool(value, param);

	if (r)
		return r;
	for_each_possible_cpu (cpu) {
		if (platform)
			set_cpu_cap(&cpu_data(cpu), X86_FEATURE_TDX_HOST_PLATFORM);
		else
			clear_bit(X86_FEATURE_TDX_HOST_PLATFORM,
				(unsigned long *)cpu_data(cpu).x86_capability);
	}
	if (platform)
		pr_info("BIOS enabled: private KeyID range [32, 64)\n");
	return 0;
}

static const struct kernel_param_ops platform_ops = {.set = platform_set, .get = param_get_bool};
module_param_cb(platform, &platform_ops, &platform, 0644);

static const struct file_operations kvm_operations = {.owner = THIS_MODULE};
static struct miscdevice kvm = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kvm",
	.fops = &kvm_operations,
};

static int hotplug_state;

static int show_hotplug_state(void)
{
	if (LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0))
		return 0;
	hotplug_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "virt/tdx:online", NULL, NULL);
	return min(hotplug_state, 0);
}

static void hide_hotplug_state(void)
{
	if (hotplug_state > 0)
		cpuhp_remove_state(hotplug_state);
	hotplug_state = 0;
}

static bool initialized;

static int initialize(void)
{
	int r = show_hotplug_state();

	if (r)
		return r;
	pr_info("module initialized\n");
	return misc_register(&kvm);
}

static void uninitialize(void)
{
	misc_deregister(&kvm);
	hide_hotplug_state();
}

static int initialized_set(const char *value, const struct kernel_param *param)
{
	bool was = initialized;
	int r = param_set_bool(value, param);

	if (r || was == initialized)
		return r;
	if (initialized)
		return initialize();
	uninitialize();
	return 0;
}

static const struct kernel_param_ops initialized_ops = {
	.set = initialized_set,
	.get = param_get_bool,
};
module_param_cb(initialized, &initialized_ops, &initialized, 0644);

static unsigned long long fail_at;
module_param(fail_at, ullong, 0644);

static int fail_errno = ENOMEM;
module_param(fail_errno, int, 0644);

static unsigned long fail_times;
module_param(fail_times, ulong, 0644);

static unsigned long failed;
module_param(failed, ulong, 0644);

static unsigned long long hold;
module_param(hold, ullong, 0644);

static unsigned int slow_offline;
module_param(slow_offline, uint, 0644);

static bool holds(u64 start, u64 end, u64 address)
{
	return address && start <= address && address < end;
}

static bool is_refused(u64 start, u64 end)
{
	bool inside = !boot_memory.n;

	if (holds(start, end, refuse_at))
		return true;
	for (unsigned int i = 0; i < boot_memory.n && !inside; i++)
		inside = boot_memory.entry[i].start <= start && end <= boot_memory.entry[i].end;
	return !inside;
}

static int going_online(u64 start, u64 end)
{
	bool bad;

	mutex_lock(&boot_memory_lock);
	bad = is_refused(start, end);
	refused += bad;
	mutex_unlock(&boot_memory_lock);
	if (bad)
		return NOTIFY_BAD;
	if (!holds(start, end, fail_at) || (fail_times && failed >= fail_times))
		return NOTIFY_OK;
	failed++;
	return notifier_from_errno(-fail_errno);
}

static int going_offline(u64 start, u64 end)
{
	if (msleep_interruptible(slow_offline))
		return notifier_from_errno(-EINTR);
	return holds(start, end, hold) ? notifier_from_errno(-EBUSY) : NOTIFY_OK;
}

static int memory_event(struct notifier_block *self, unsigned long action, void *data)
{
	const struct memory_notify *block = data;
	u64 start = PFN_PHYS(block->start_pfn);
	u64 end = PFN_PHYS(block->start_pfn + block->nr_pages);

	switch (action) {
	case MEM_GOING_ONLINE:
		return going_online(start, end);
	case MEM_GOING_OFFLINE:
		return going_offline(start, end);
	default:
		return NOTIFY_OK;
	}
}

static struct notifier_block memory_notifier = {.notifier_call = memory_event};

static int __init tdx_refuse_init(void)
{
	return register_memory_notifier(&memory_notifier);
}
module_init(tdx_refuse_init);

static void __exit tdx_refuse_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
	if (initialized)
		uninitialize();
}
module_exit(tdx_refuse_exit);

MODULE_DESCRIPTION("Refuses to online memory like an initialized TDX host");
MODULE_LICENSE("GPL");
