// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdx_refuse: what an initialised TDX host does to memory hotplug, without TDX
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
 */
#define pr_fmt(fmt) "virt/tdx: " fmt

#include <linux/kernel.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/string.h>
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

static bool initialized;

static int initialized_set(const char *value, const struct kernel_param *param)
{
	int r = param_set_bool(value, param);

	if (!r && initialized)
		pr_info("module initialized\n");
	return r;
}

static const struct kernel_param_ops initialized_ops = {
	.set = initialized_set,
	.get = param_get_bool,
};
module_param_cb(initialized, &initialized_ops, &initialized, 0644);

static bool is_refused(u64 start, u64 end)
{
	bool inside = !boot_memory.n;

	if (refuse_at && start <= refuse_at && refuse_at < end)
		return true;
	for (unsigned int i = 0; i < boot_memory.n && !inside; i++)
		inside = boot_memory.entry[i].start <= start && end <= boot_memory.entry[i].end;
	return !inside;
}

static int memory_event(struct notifier_block *self, unsigned long action, void *data)
{
	const struct memory_notify *block = data;
	bool bad;

	if (action != MEM_GOING_ONLINE)
		return NOTIFY_OK;
	mutex_lock(&boot_memory_lock);
	bad = is_refused(PFN_PHYS(block->start_pfn), PFN_PHYS(block->start_pfn + block->nr_pages));
	refused += bad;
	mutex_unlock(&boot_memory_lock);
	return bad ? NOTIFY_BAD : NOTIFY_OK;
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
}
module_exit(tdx_refuse_exit);

MODULE_DESCRIPTION("Refuses to online memory like an initialised TDX host");
MODULE_LICENSE("GPL");
