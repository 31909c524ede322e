// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dax_foreign: a driver for dax devices that is neither device_dax nor kmem
 *
 * It binds devices that are written to /sys/bus/dax/drivers/NAME/new_id, and no others, and does
 * nothing with them. It replaces drivers that this kernel does not have.
 *
 *   name        the name in sysfs; default: fsdev_dax, the driver of famfs mode
 *
 * drivers/dax/bus.h is not among the kernel's installed headers. The declarations here are those of
 * Linux 6.12 and 7.3.
 */
#include <linux/device.h>
#include <linux/list.h>
#include <linux/module.h>

/* enum dax_driver_type ends at 1 in 6.12 and at 2 in 7.3: a type that matches no device. */
#define NO_TYPE 3

struct dev_dax;

struct dax_device_driver {
	struct device_driver drv;
	struct list_head ids;
	int type;
	int (*probe)(struct dev_dax *dev);
	void (*remove)(struct dev_dax *dev);
};

int __dax_driver_register(
	struct dax_device_driver *driver, struct module *module, const char *mod_name);
void dax_driver_unregister(struct dax_device_driver *driver);

static char *name = "fsdev_dax";
module_param(name, charp, 0444);

static int foreign_probe(struct dev_dax *dev)
{
	return 0;
}

static struct dax_device_driver foreign_driver = {.type = NO_TYPE, .probe = foreign_probe};

/* The bus names a driver by this argument, which is the module's name for other drivers. */
static int __init dax_foreign_init(void)
{
	return __dax_driver_register(&foreign_driver, THIS_MODULE, name);
}
module_init(dax_foreign_init);

static void __exit dax_foreign_exit(void)
{
	dax_driver_unregister(&foreign_driver);
}
module_exit(dax_foreign_exit);

MODULE_DESCRIPTION("Holds dax devices, and nothing else");
MODULE_LICENSE("GPL");
