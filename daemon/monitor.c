/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor.
 *
 * Netlink may lose events when hundreds of memory blocks arrive at once. libudev then fails
 * with ENOBUFS; that is news like any other.
 */
#include "monitor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <libudev.h>
#include <linux/filter.h>
#include <sys/socket.h>

/* As much as the kernel allows without a capability is taken of it (net.core.rmem_max). */
#define RECEIVE_BUFFER (16 * 1024 * 1024)

static const struct {
	const char *subsystem;
	int news;
} subsystems[] = {
	{"dax", MONITOR_DAX},
	{"cxl", MONITOR_CXL},
	{"memory", MONITOR_BLOCKS},
	{"module", MONITOR_TDX},
	{"misc", MONITOR_TDX},
};

/*
 * Drop in the kernel what says that a block went online or offline: there is one for each block
 * that we online, and it is no arrival. A uevent of the kernel begins with "ACTION@DEVPATH".
 */
static int drop_block_switches(int fd)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f6e6c69, 2, 0), /* "onli" */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f66666c, 1, 0), /* "offl" */
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {ARRAY_SIZE(filter), filter};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

static void unref_device(struct udev_device **device)
{
	udev_device_unref(*device);
}

int monitor_init(struct monitor *monitor)
{
	struct udev *udev = udev_new();
	int r = 0;

	if (!udev)
		return -ENOMEM;
	monitor->udev = udev_monitor_new_from_netlink(udev, "kernel");
	udev_unref(udev);
	if (!monitor->udev)
		return errno ? -errno : -ENOMEM;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(subsystems); i++)
		r = udev_monitor_filter_add_match_subsystem_devtype(
			monitor->udev, subsystems[i].subsystem, NULL);
	/* Needs CAP_NET_ADMIN beyond the system's limit: what it gets is enough. */
	if (r >= 0)
		(void)udev_monitor_set_receive_buffer_size(monitor->udev, RECEIVE_BUFFER);
	if (r >= 0)
		r = udev_monitor_enable_receiving(monitor->udev);
	if (r >= 0)
		r = drop_block_switches(monitor_fd(monitor));
	if (r < 0)
		monitor_done(monitor);
	return r < 0 ? r : 0;
}

void monitor_done(struct monitor *monitor)
{
	if (monitor->udev)
		udev_monitor_unref(monitor->udev);
	monitor->udev = NULL;
}

int monitor_fd(const struct monitor *monitor)
{
	return udev_monitor_get_fd(monitor->udev);
}

/* A block that merely went online or offline is no arrival. */
static bool is_coming_or_going(const char *action)
{
	return action && (strcmp(action, "add") == 0 || strcmp(action, "remove") == 0);
}

/*
 * kvm_intel says "add" before it initialises the TDX module; when it has, it makes /dev/kvm
 * (vt_init(), arch/x86/kvm/vmx/main.c, 6.16).
 */
static bool is_about_tdx(const char *name)
{
	return name && (strcmp(name, "kvm_intel") == 0 || strcmp(name, "tdx_host") == 0 ||
			       strcmp(name, "kvm") == 0);
}

static int news_of(struct udev_device *device)
{
	const char *subsystem = udev_device_get_subsystem(device);
	int news = 0;

	for (size_t i = 0; subsystem && i < ARRAY_SIZE(subsystems); i++)
		if (strcmp(subsystem, subsystems[i].subsystem) == 0)
			news = subsystems[i].news;
	if (news == MONITOR_BLOCKS && !is_coming_or_going(udev_device_get_action(device)))
		return 0;
	if (news == MONITOR_TDX && !is_about_tdx(udev_device_get_sysname(device)))
		return 0;
	return news;
}

int monitor_read(struct monitor *monitor)
{
	int news = 0;

	for (;;) {
		CLEANUP(unref_device) struct udev_device *device = NULL;

		errno = 0;
		device = udev_monitor_receive_device(monitor->udev);
		if (device)
			news |= news_of(device);
		else if (errno == 0 || errno == EAGAIN)
			return news;
		else if (errno == ENOMEM || errno == EBADF)
			return -errno;
		else if (errno != EINTR)
			return news |
			       MONITOR_OVERFLOW; /* ENOBUFS, or an event that makes no sense */
	}
}
