/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's files that the daemon reads and writes. Each group names the documents of the
 * kernel that describe it, in its Documentation/. A "%" is for path_of().
 */
#pragma once

#include <inttypes.h>

/* Memory: admin-guide/mm/memory-hotplug.rst, ABI/stable/sysfs-devices-node */
#define SYS_MEMORY	       "/sys/devices/system/memory"
#define SYS_BLOCK_SIZE	       SYS_MEMORY "/block_size_bytes"
#define SYS_AUTO_ONLINE	       SYS_MEMORY "/auto_online_blocks"
#define SYS_BLOCK	       SYS_MEMORY "/memory%" PRIu64
#define SYS_BLOCK_STATE	       SYS_BLOCK "/state"
#define SYS_BLOCK_ZONES	       SYS_BLOCK "/valid_zones"
#define SYS_BLOCK_REMOVABLE    SYS_BLOCK "/removable"
#define SYS_MEMORY_HOTPLUG     "/sys/module/memory_hotplug/parameters"
#define SYS_AUTO_MOVABLE_RATIO SYS_MEMORY_HOTPLUG "/auto_movable_ratio"
#define SYS_MEMMAP_ON_MEMORY   SYS_MEMORY_HOTPLUG "/memmap_on_memory"
#define SYS_VIRTIO_MEM	       "/sys/bus/virtio/drivers/virtio_mem"
#define SYS_NODES	       "/sys/devices/system/node"

/* Dax devices: ABI/testing/sysfs-bus-dax, ABI/testing/sysfs-module */
#define SYS_DAX		     "/sys/bus/dax"
#define SYS_DAX_AUTOPROBE    SYS_DAX "/drivers_autoprobe"
#define SYS_DAX_DRIVERS	     SYS_DAX "/drivers"
#define SYS_DAX_DEVICES	     SYS_DAX "/devices"
#define SYS_DAX_DEVICE	     SYS_DAX_DEVICES "/%s"
#define SYS_DAX_STATE	     SYS_DAX_DEVICE "/state"
#define SYS_DEVICE_DAX_USERS "/sys/module/device_dax/refcnt"

/*
 * "change UUID TDXONLINED=WORD", written to the "uevent" of a device, makes the kernel send that
 * event (ABI/testing/sysfs-uevent). Root asks the daemon so to decide a device again; the daemon
 * lets udevd apply its rules to a dax device that has been decided.
 */
#define UEVENT_KEY     "TDXONLINED"
#define UEVENT_DECIDE  "decide"
#define UEVENT_DECIDED "decided"
#define SYS_DAX_UEVENT SYS_DAX_DEVICE "/uevent"

/* What dax devices of CXL memory, and of hmem, are below: SYS_DAX_DEVICE is a link (7.3) */
#define SYS_CXL_PLATFORM  "/sys/devices/platform/ACPI0017:00"
#define SYS_HMEM_PLATFORM "/sys/devices/platform/hmem_platform.0"

/* CXL and PCI: ABI/testing/sysfs-bus-cxl, ABI/testing/sysfs-bus-pci */
#define SYS_CXL_DEVICES "/sys/bus/cxl/devices"
#define SYS_CXL_DEVICE	SYS_CXL_DEVICES "/%s"
#define SYS_PCI_DEVICES "/sys/bus/pci/devices"

/*
 * Memory at boot: ABI/testing/sysfs-kernel-boot_params, arch/x86/zero-page.rst,
 * ABI/testing/sysfs-firmware-memmap
 */
#define SYS_BOOT_PARAMS	    "/sys/kernel/boot_params/data"
#define SYS_SETUP_DATA	    "/sys/kernel/boot_params/setup_data"
#define SYS_FIRMWARE_MEMMAP "/sys/firmware/memmap"
#define SYS_MEMBLOCK	    "/sys/kernel/debug/memblock/memory"
#define SYS_ACPI_TABLES	    "/sys/firmware/acpi/tables"

/* DIMMs: ABI/testing/sysfs-bus-acpi */
#define SYS_ACPI_DEVICE "/sys/bus/acpi/devices/%s"

/*
 * TDX: arch/x86/tdx.rst, core-api/cpu_hotplug.rst, admin-guide/cgroup-v2.rst ("Misc"),
 * ABI/testing/dev-kmsg
 */
#define PROC_CPUINFO	"/proc/cpuinfo"
#define SYS_CPU_STATES	"/sys/devices/system/cpu/hotplug/states"
#define SYS_TDX_HOST	"/sys/devices/faux/tdx_host"
#define SYS_TDX_VERSION SYS_TDX_HOST "/version"
#define SYS_KVM_INTEL	"/sys/module/kvm_intel"
#define SYS_KVM_TDX	SYS_KVM_INTEL "/parameters/tdx"
#define SYS_MISC_CGROUP "/sys/fs/cgroup/misc.capacity"
#define DEV_KMSG	"/dev/kmsg"

/* The host: filesystems/proc.rst, admin-guide/sysctl/kernel.rst */
#define PROC	       "/proc"
#define PROC_LOCKS     "/proc/locks"
#define PROC_CMDLINE   "/proc/cmdline"
#define PROC_IOMEM     "/proc/iomem"
#define PROC_ZONEINFO  "/proc/zoneinfo"
#define PROC_OSRELEASE "/proc/sys/kernel/osrelease"
#define PROC_BOOT_ID   "/proc/sys/kernel/random/boot_id"
#define PROC_UUID      "/proc/sys/kernel/random/uuid"
