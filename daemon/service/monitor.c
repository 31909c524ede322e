/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor.
 *
 * Netlink may lose events when hundreds of memory blocks arrive at once. libudev then fails
 * with ENOBUFS; that is news like any other.
 */
#include "daemon/service/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libudev.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "daemon/host/paths.h"
#include "tdxo/base/array.h"

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
	{"faux", MONITOR_TDX},
	/* The one event after a DIMM was not added: acpi_bus_attach(), drivers/acpi/scan.c */
	{"container", MONITOR_ACPI},
};

/*
 * There is an event for each block that we online ourselves, and the kernel sends it before the
 * write returns: so it is dropped in the kernel. So are
 * those of blocks that others online meanwhile. A uevent begins with "ACTION@DEVPATH".
 */
int monitor_mute(struct monitor *monitor, bool mute)
{
	static struct sock_filter muted[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f6e6c69, 1, 0), /* "onli" */
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	static struct sock_filter open[] = {BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
	const struct sock_fprog program = {
		mute ? ARRAY_SIZE(muted) : ARRAY_SIZE(open), mute ? muted : open};

	return setsockopt(monitor_fd(monitor), SOL_SOCKET, SO_ATTACH_FILTER, &program,
		       sizeof(program)) < 0
		       ? -errno
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
		r = monitor_mute(monitor, false);
	if (r < 0)
		monitor_done(monitor);
	return r < 0 ? r : 0;
}

void monitor_done(struct monitor *monitor)
{
	if (monitor->udev)
		udev_monitor_unref(monitor->udev);
	monitor->udev = NULL;
	monitor_forget_asked(monitor);
}

void monitor_forget_asked(struct monitor *monitor)
{
	free(monitor->asked);
	monitor->asked = NULL;
	monitor->n_asked = 0;
}

int monitor_fd(const struct monitor *monitor)
{
	return udev_monitor_get_fd(monitor->udev);
}

/*
 * kvm_intel says "add" before it initializes the TDX module; when it has, it makes /dev/kvm
 * (vt_init(), arch/x86/kvm/vmx/main.c, 6.16).
 */
static int news_of_name(const char *name)
{
	static const struct {
		const char *name;
		int news;
	} names[] = {
		{"kvm_intel", MONITOR_TDX},
		{"tdx_host", MONITOR_TDX},
		{"kvm", MONITOR_TDX},
		{"kmem", MONITOR_DRIVERS},
		{"device_dax", MONITOR_DRIVERS},
	};

	for (size_t i = 0; name && i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].news;
	return 0;
}

static void note_block(struct monitor *monitor, const char *number)
{
	uint64_t id = number ? strtoull(number, NULL, 10) : 0;

	if (monitor->first_block == monitor->end_block)
		monitor->first_block = monitor->end_block = id;
	if (id < monitor->first_block)
		monitor->first_block = id;
	if (id >= monitor->end_block)
		monitor->end_block = id + 1;
}

/* A block that came or went, or one that merely went online or offline. */
static int news_of_block(struct monitor *monitor, struct udev_device *device)
{
	const char *action = udev_device_get_action(device);

	if (!action)
		return 0;
	if (strcmp(action, "add") == 0 || strcmp(action, "remove") == 0)
		return MONITOR_BLOCKS;
	if (strcmp(action, "online") != 0 && strcmp(action, "offline") != 0)
		return 0;
	note_block(monitor, udev_device_get_sysnum(device));
	return MONITOR_STATES;
}

/* MONITOR_ASKED if the event asks for another decision; -ENOMEM. */
static int note_asked(struct monitor *monitor, struct udev_device *device)
{
	struct asked asked;

	snprintf(asked.name, sizeof(asked.name), "%s", udev_device_get_sysname(device));
	return array_append(monitor->asked, monitor->n_asked, asked) < 0 ? -ENOMEM : MONITOR_ASKED;
}

static int news_of(struct monitor *monitor, struct udev_device *device)
{
	const char *subsystem = udev_device_get_subsystem(device);
	const char *word = udev_device_get_property_value(device, "SYNTH_ARG_" UEVENT_KEY);
	int news = 0;

	if (word && strcmp(word, UEVENT_DECIDE) == 0)
		return note_asked(monitor, device);
	/* It is the daemon that has sent it. */
	if (word && strcmp(word, UEVENT_DECIDED) == 0)
		return 0;
	for (size_t i = 0; subsystem && i < ARRAY_SIZE(subsystems); i++)
		if (strcmp(subsystem, subsystems[i].subsystem) == 0)
			news = subsystems[i].news;
	if (news == MONITOR_BLOCKS)
		return news_of_block(monitor, device);
	if (news == MONITOR_TDX)
		return news_of_name(udev_device_get_sysname(device));
	return news;
}

int monitor_read(struct monitor *monitor)
{
	int news = 0, r;

	for (;;) {
		CLEANUP(unref_device) struct udev_device *device = NULL;

		errno = 0;
		device = udev_monitor_receive_device(monitor->udev);
		if (device) {
			monitor->events++;
			r = news_of(monitor, device);
			if (r < 0)
				return r;
			news |= r;
		} else if (errno == 0 || errno == EAGAIN) {
			return news;
		} else if (errno == ENOMEM || errno == EBADF) {
			return -errno;
		} else if (errno != EINTR) { /* ENOBUFS, or an event that makes no sense */
			monitor->overflows++;
			return news | MONITOR_OVERFLOW;
		}
	}
}
