/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dax devices: listed by libdaxctl, and their drivers switched by hand.
 *
 * A context of libdaxctl caches what it has read, so each list makes a new one. Of a write that
 * fails libdaxctl returns another error, or none, so the drivers are written to here. After each
 * switch the driver link is read again.
 */
#include "daemon/host/dax.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <daxctl/libdaxctl.h>

#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "tdxo/base/array.h"

#define UNPLUGGED    "unplugged"
#define MAPPINGS_MAX 1024 /* each costs two processes; a region in use for long has some tens */

int dax_driver_name(const char *device, char ret_name[SYSFS_NAME])
{
	struct path path;

	path_of(&path, SYS_DAX_DEVICE "/driver", device);
	return sysfs_link_name(path.text, 0, ret_name, SYSFS_NAME);
}

enum dax_driver dax_driver_of(const char *device)
{
	char name[SYSFS_NAME];
	enum dax_driver driver;
	int r = dax_driver_name(device, name);

	if (r == -ENOENT)
		return DAX_DRIVER_NONE;
	return r == 0 && dax_driver_from_string(name, &driver) == 0 ? driver : DAX_DRIVER_OTHER;
}

/* ".../region0/dax_region0": the CXL region is the parent of the dax region. */
static void copy_region(char region[SYSFS_NAME], const char *path)
{
	const char *end = strstr(path, "/dax_region"), *start = end;

	region[0] = '\0';
	if (!end)
		return;
	while (start > path && start[-1] != '/')
		start--;
	if (end - start < SYSFS_NAME)
		snprintf(region, SYSFS_NAME, "%.*s", (int)(end - start), start);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Not by a list: while a driver is bound, the kernel may list a name twice (tried on 6.12). */
static unsigned int count_mappings(const char *device)
{
	unsigned int n = 0;
	struct path path;

	while (n <= MAPPINGS_MAX &&
		access(path_of(&path, SYS_DAX_DEVICE "/mapping%u", device, n), F_OK) == 0)
		n++;
	return n;
}

/* Where a device with one mapping lies. 0, or a negative errno and the file that it is about. */
static int read_only_mapping(const char *device, struct path *path, struct range *ret_mapping)
{
	uint64_t start, size;
	int r;

	path_of(path, SYS_DAX_DEVICE "/resource", device);
	r = sysfs_read_number(path->text, 0, &start);
	if (r < 0)
		return r;
	path_of(path, SYS_DAX_DEVICE "/size", device);
	r = sysfs_read_number(path->text, 10, &size);
	if (r < 0)
		return r;
	*ret_mapping = (struct range){start, start + size};
	return size && size <= UINT64_MAX - start ? 0 : -EBADMSG;
}

/* One of several mappings. 0, or a negative errno and the file that it is about. */
static int read_mapping(
	const char *device, unsigned int i, struct path *path, struct range *ret_mapping)
{
	uint64_t start, last;
	int r;

	path_of(path, SYS_DAX_DEVICE "/mapping%u/start", device, i);
	r = sysfs_read_number_in_time(path->text, 0, &start);
	if (r < 0)
		return r;
	path_of(path, SYS_DAX_DEVICE "/mapping%u/end", device, i);
	r = sysfs_read_number_in_time(path->text, 0, &last);
	if (r < 0)
		return r;
	*ret_mapping = (struct range){start, last + 1};
	return last > start && last < UINT64_MAX ? 0 : -EBADMSG;
}

/* By ascending address. False: two overlap. */
static bool sort_ranges(struct device *device)
{
	if (device->n_ranges)
		qsort(device->ranges, device->n_ranges, sizeof(*device->ranges), compare_ranges);
	for (size_t i = 1; i < device->n_ranges; i++)
		if (device->ranges[i - 1].end > device->ranges[i].start)
			return false;
	return true;
}

static int read_mappings(struct device *device, unsigned int n, struct path *path)
{
	struct range mapping;
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < n; i++) {
		r = n == 1 ? read_only_mapping(device->name, path, &mapping)
			   : read_mapping(device->name, i, path, &mapping);
		if (r == 0 && array_append(device->ranges, device->n_ranges, mapping) < 0)
			return -ENOMEM;
	}
	return r;
}

/*
 * Add where a device lies. Only root may read it; libdaxctl 76 would tell it too, but leaks it.
 * 0, with no range if one could not be read: the rest may be anywhere; 1 if they make no sense;
 * -ENOMEM.
 *
 * The files of a mapping deadlock with a write of "size" by another process: a reader waits for
 * the lock of the region, and the writer, who has it, waits for all readers to remove the file
 * (get_dax_range() and unregister_dax_mapping(), drivers/dax/bus.c, 6.12 and 7.3; tried on both).
 * "daxctl create-device" and "destroy-device" write it. So the files are read only where there is
 * no other way, and within a limit of time: a killed reader lets the writer go on (from 6.9 on).
 */
static int read_place(struct device *device, struct path *path)
{
	unsigned int n = count_mappings(device->name);
	uint64_t size = 0;
	int r;

	path_of(path, SYS_DAX_DEVICE "/mapping0", device->name);
	r = n > MAPPINGS_MAX ? -EBADMSG : read_mappings(device, n, path);
	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; i < device->n_ranges; i++)
		size += range_size(device->ranges[i]);
	if (r == 0 && size == device->size && sort_ranges(device))
		return 0;
	r = r == 0 ? device->n_ranges > 0 : r == -EBADMSG;
	device->n_ranges = 0;
	return r;
}

/*
 * The kernel gives the directory of each device that it makes a new inode number. It removes the
 * attributes of a device first, then its link here, and then takes the driver off it (device_del(),
 * drivers/base/core.c, 6.12 and 7.3).
 */
uint64_t dax_identity(const char *device)
{
	struct path directory, size;
	struct stat st;

	path_of(&directory, SYS_DAX_DEVICE, device);
	path_of(&size, SYS_DAX_DEVICE "/size", device);
	return stat(directory.text, &st) < 0 || access(size.text, F_OK) < 0 ? 0 : st.st_ino;
}

/* Another device may have its name by now, or none. */
static bool has_gone(const struct device *device)
{
	return !device->identity || dax_identity(device->name) != device->identity;
}

int dax_look_again(struct device *device, struct complaints *complaints)
{
	CLEANUP(device_done) struct device now = *device;
	struct path path;
	int r;

	now.ranges = NULL;
	now.n_ranges = 0;
	r = read_place(&now, &path);
	if (r < 0)
		return r;
	if (has_gone(device) || !device_lies_at(device, now.ranges, now.n_ranges))
		return 1;
	if (r > 0)
		complain(complaints,
			"%s: the sizes of the mappings do not add up to the size of %s", path.text,
			device->name);
	else if (!device->n_ranges)
		complain(complaints, "%s: cannot be read: the addresses of %s are not known",
			path.text, device->name);
	if (device->node == NODE_UNKNOWN)
		complain(complaints, SYS_DAX_DEVICE "/target_node: it names no node", device->name);
	device->driver = dax_driver_of(device->name);
	return 0;
}

int dax_glance(const char *name, struct device *ret_device)
{
	struct device device = {.identity = dax_identity(name), .driver = dax_driver_of(name)};
	char target[PATH_MAX] = "";
	struct path path;

	path_of(&path, SYS_DAX_DEVICE, name);
	if (!device.identity || readlink(path.text, target, sizeof(target) - 1) < 0)
		return -ENOENT;
	device.type = device_type_of_dax_path(target);
	device.node = NODE_UNKNOWN;
	snprintf(device.name, sizeof(device.name), "%s", name);
	copy_region(device.region, target);
	*ret_device = device;
	return 0;
}

static int append_device(
	struct devices *devices, struct daxctl_region *region, struct daxctl_dev *dev)
{
	const char *name = daxctl_dev_get_devname(dev), *path = daxctl_region_get_path(region);
	CLEANUP(device_done)
	struct device device = {
		.identity = dax_identity(name),
		.type = device_type_of_dax_path(path),
		.driver = dax_driver_of(name),
		.node = daxctl_dev_get_target_node(dev),
		.size = daxctl_dev_get_size(dev),
	};
	struct path file;
	int r;

	snprintf(device.name, sizeof(device.name), "%s", name);
	copy_region(device.region, path);
	if (device.node < 0)
		device.node = NODE_UNKNOWN;
	r = read_place(&device, &file);
	if (r >= 0 && !has_gone(&device))
		r = devices_add(devices, &device);
	return r;
}

static void unref_context(struct daxctl_ctx **ctx)
{
	if (*ctx)
		daxctl_unref(*ctx);
}

int dax_list(struct devices *devices, struct complaints *complaints)
{
	CLEANUP(unref_context) struct daxctl_ctx *ctx = NULL;
	struct daxctl_region *region;
	struct daxctl_dev *dev;
	int r = daxctl_new(&ctx);

	if (r < 0) {
		complain(complaints, "libdaxctl: %s", strerror(-r));
		return r;
	}
	daxctl_set_log_priority(ctx, LOG_CRIT);
	daxctl_region_foreach(ctx, region)
	{
		daxctl_dev_foreach(region, dev)
		{
			r = append_device(devices, region, dev);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

enum devdax_use dax_devdax_use(void)
{
	uint64_t users;

	if (sysfs_read_number(SYS_DEVICE_DAX_USERS, 10, &users) < 0)
		return DEVDAX_USE_UNKNOWN;
	return users ? DEVDAX_IN_USE : DEVDAX_UNUSED;
}

uint64_t dax_align(const char *device)
{
	uint64_t align;
	struct path path;

	path_of(&path, SYS_DAX_DEVICE "/align", device);
	return sysfs_read_number(path.text, 10, &align) < 0 ? 0 : align;
}

/* Both the kernel as a whole and the device must have it set (drivers/dax/kmem.c, 6.12). */
bool dax_map_on_itself(const char *device)
{
	char kernel[SYSFS_NAME];
	uint64_t wanted;
	struct path path;

	path_of(&path, SYS_DAX_DEVICE "/memmap_on_memory", device);
	return sysfs_read_number(path.text, 10, &wanted) == 0 && wanted &&
	       sysfs_read(SYS_MEMMAP_ON_MEMORY, kernel, sizeof(kernel)) == 0 &&
	       (strcmp(kernel, "Y") == 0 || strcmp(kernel, "force") == 0);
}

/* Write the device's name to an attribute of a driver. */
static int write_name(const char *device, enum dax_driver driver, const char *attribute)
{
	struct path path;

	path_of(&path, SYS_DAX_DRIVERS "/%s/%s", dax_driver_to_string(driver), attribute);
	return sysfs_write(path.text, device);
}

/*
 * device_dax takes a device of CXL or hmem only by its name, which it learns from "new_id". At that
 * write it binds every device that it can have (do_id_store(), drivers/dax/bus.c, 6.12). The name
 * must not stay there: the next write to "new_id" would bind any device that has it then. Nothing
 * is lost if it cannot be taken back.
 */
static int bind_device_dax(const char *device)
{
	int r = write_name(device, DAX_DRIVER_DEVICE_DAX, "new_id");

	if (r == 0 && dax_driver_of(device) == DAX_DRIVER_NONE)
		r = write_name(device, DAX_DRIVER_DEVICE_DAX, "bind");
	(void)!write_name(device, DAX_DRIVER_DEVICE_DAX, "remove_id");
	return r;
}

/*
 * CXL and hmem devices need no new id for kmem (dax_match_type(), drivers/dax/bus.c, 6.12), and one
 * would bind every device without a driver that kmem can have, decided or not (tried on 6.12).
 */
int dax_bind(const char *device, enum dax_driver driver)
{
	struct path path;
	int r;

	/* While the system starts the module may not be loaded yet. */
	path_of(&path, SYS_DAX_DRIVERS "/%s/bind", dax_driver_to_string(driver));
	if (access(path.text, F_OK) < 0)
		return -EAGAIN;
	r = driver == DAX_DRIVER_KMEM ? write_name(device, driver, "bind")
				      : bind_device_dax(device);
	if (dax_driver_of(device) == driver)
		return 0;
	/* It may have been taken away while the kernel was at it. */
	if (!dax_identity(device))
		return -ENODEV;
	return r < 0 ? r : -EIO;
}

enum kmem_state dax_kmem_state(const char *device)
{
	char state[SYSFS_NAME];
	struct path path;

	if (sysfs_read(path_of(&path, SYS_DAX_STATE, device), state, sizeof(state)) < 0)
		return KMEM_STATE_NONE;
	return strcmp(state, UNPLUGGED) == 0 ? KMEM_STATE_UNPLUGGED : KMEM_STATE_PLUGGED;
}

/*
 * To unbind kmem leaks a block that goes online in this moment until reboot. To unplug the device
 * takes all of its blocks out of the kernel, or none (state_store(), drivers/dax/kmem.c, 7.3).
 */
static int unplug(const char *device)
{
	struct path path;
	int r;

	if (dax_kmem_state(device) != KMEM_STATE_PLUGGED)
		return 0;
	r = sysfs_write(path_of(&path, SYS_DAX_STATE, device), UNPLUGGED);
	/* Not there before 7.3, and the service may write it for devices of CXL and hmem only. */
	return r == -ENOENT || r == -EROFS ? 0 : r;
}

int dax_unbind(const char *device, enum dax_driver driver)
{
	int r = unplug(device);

	if (r < 0)
		return r;
	/* The driver must not take it again, if another program has written its name to new_id. */
	(void)!write_name(device, driver, "remove_id");
	r = write_name(device, driver, "unbind");
	if (dax_driver_of(device) == DAX_DRIVER_NONE)
		return 0;
	return r < 0 ? r : -EIO;
}
