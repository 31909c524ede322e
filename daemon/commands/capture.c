/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture: which files make up a machine.
 *
 * /sys is copied as it is: its links are relative, and each leads to a directory that is in the
 * tree too, for what libcxl and libdaxctl find in the tree is to be what they found here. Elsewhere
 * a link gives way to what it leads to.
 *
 * Only regular files are opened, and only for reading. A file is read as a whole before anything is
 * written, so half an attribute is never in the tree.
 */
#include "daemon/commands/capture.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/commands/capture_log.h"
#include "daemon/commands/capture_texts.h"
#include "daemon/commands/doctor_facts.h"
#include "daemon/commands/exit_status.h"
#include "daemon/host/sysfs.h"
#include "daemon/log/log.h"
#include "daemon/log/print.h"
#include "daemon/state/state.h"
#include "tdxo/base/range.h"

#define CONFIG	   "{/etc,/run,/usr/lib}/tdx-onlined"
#define MEMORY	   "/sys/devices/system/memory"
#define SETUP_DATA "/sys/kernel/boot_params/setup_data"

struct row {
	const char *pattern;		  /* of glob(7), and "{a,b}" */
	bool (*keep)(struct bytes *text); /* keep a part; false: there is to be no such file */
	bool empty;			  /* it is wanted, but not what is in it */
	bool in_time;			  /* the kernel can block who reads it */
	bool no_file;			  /* a directory or a link to nowhere is copied as one */
	bool for_root;			  /* the kernel shows others less than root */
	enum disguise_kind disguise;
};

/* The rest of /proc/iomem shows where the kernel is in memory. */
static bool keep_dax_lines(struct bytes *text)
{
	size_t kept = 0, length;

	for (size_t i = 0; i < text->n; i += length) {
		char *line = text->bytes + i, *end = memchr(line, '\n', text->n - i);

		length = end ? (size_t)(end - line) + 1 : text->n - i;
		if (!memmem(line, length, "dax", 3))
			continue;
		memmove(text->bytes + kept, line, length);
		kept += length;
	}
	text->n = kept;
	return true;
}

static bool is_guest_agent(struct bytes *text)
{
	return text->n == 8 && memcmp(text->bytes, "qemu-ga\n", 8) == 0;
}

/* Files of the kernel and of firmware. */
static const struct row rows[] = {
	{.pattern = "/proc/cpuinfo"},
	{.pattern = "/proc/iomem", .keep = keep_dax_lines, .for_root = true},
	{.pattern = "/proc/zoneinfo"},
	{.pattern = "/proc/sys/kernel/osrelease", .disguise = DISGUISE_RELEASE},
	{.pattern = "/proc/sys/kernel/random/boot_id"},
	{.pattern = "/proc/[0-9]*/comm", .keep = is_guest_agent},

	{.pattern = "/sys/kernel/boot_params/data", .disguise = DISGUISE_BOOT_PARAMS},
	{.pattern = SETUP_DATA "/*/type"},
	{.pattern = "/sys/kernel/debug/memblock/memory"},
	{.pattern = "/sys/firmware/memmap/*/{start,end,type}"},
	{.pattern = "/sys/firmware/acpi/tables/{SRAT,CEDT}"},
	{.pattern = "/sys/fs/cgroup/misc.capacity"},
	{.pattern = "/sys/fs/cgroup/system.slice/tdx-onlined.service/cgroup.procs"},
	{.pattern = "/sys/devices/system/cpu/hotplug/states"},
	{.pattern = "/sys/devices/faux/tdx_host", .empty = true},
	{.pattern = "/sys/devices/faux/tdx_host/{uevent,version}"},
	{.pattern = MEMORY "/{block_size_bytes,auto_online_blocks}"},
	{.pattern = MEMORY "/memory[0-9]*", .empty = true},
	{.pattern = MEMORY "/memory[0-9]*/{state,valid_zones,node[0-9]*}"},
	{.pattern = "/sys/devices/system/node/*"},
	{.pattern = "/sys/module/memory_hotplug/parameters/*"},
	{.pattern = "/sys/module/{device_dax,kmem,dax_*,cxl_*,kvm_intel}/{refcnt,initstate}"},
	{.pattern = "/sys/module/{device_dax,kmem,dax_*,cxl_*,kvm_intel}/parameters/*"},

	{.pattern = "/sys/bus/acpi/devices/PNP0C80:*"},
	{.pattern = "/sys/bus/acpi/devices/PNP0C80:*/{status,physical_node}"},
	{.pattern = "/sys/bus/virtio/drivers/virtio_mem/virtio*"},
	{.pattern = "/sys/bus/{dax,cxl}/drivers_autoprobe"},
	{.pattern = "/sys/bus/{dax,cxl}/drivers/*/*"},
	{.pattern = "/sys/bus/{dax,cxl,nd}/devices/*"},
	{.pattern = "/sys/bus/dax/devices/*/*"},
	{.pattern = "/sys/bus/dax/devices/*/mapping*/*", .in_time = true},
	{.pattern = "/sys/bus/cxl/devices/*/serial", .disguise = DISGUISE_SERIAL},
	{.pattern = "/sys/bus/cxl/devices/*/*"},
	{.pattern = "/sys/bus/cxl/devices/*/{ram,pmem,dax_region}/*"},
	{.pattern = "/dev/dax*.*", .empty = true},
	{.pattern = "/dev/cxl/mem*", .empty = true},
};

/* What people have written. In disguise capture_texts() takes their place. */
static const struct row texts[] = {
	{.pattern = "/proc/cmdline"},
	{.pattern = CONFIG "{/tdx-onlined.conf,/conf.d,/conf.d/*,/rules.d,/rules.d/*}",
		.no_file = true},
	{.pattern = STATE_USUAL_PATHS},
};

/* The doctor reports that it is masked. In disguise nothing of other programs is taken. */
static const struct row unit = {.pattern = "{/etc,/run}/systemd/system/tdx-onlined.service"};

/* Attributes that are not for this, or may do something when they are read. */
static const char *const never[] = {"CDAT", "trigger_*", "*passphrase*", "sanitize", "erase"};

/* By these libudev and the libraries find the parents of a device. */
#define OF_PARENT "{uevent,subsystem,driver,modalias,numa_node,devtype,dax_region/*}"

static const struct row plain;
static int take_attribute(struct capture *capture, const char *path, const struct row *row);

static bool is_in_sys(const char *path)
{
	return strncmp(path, "/sys/", strlen("/sys/")) == 0;
}

static void note_unreadable(struct capture *capture, int error)
{
	if (error == -EACCES || error == -EPERM || error == -EFBIG || error == -ETIMEDOUT)
		capture->unreadable++;
}

static int add_text(
	struct capture *capture, const char *path, const struct bytes *text, const struct row *row)
{
	bool public = !row->for_root && tree_is_public(path);
	CLEANUP(bytes_done) struct bytes other = {0};
	int r = 0;

	if (capture->anonymise) {
		r = disguise_text(&capture->disguise, row->disguise, text, &other);
		text = &other;
	}
	return r == 0 ? tree_add_file(&capture->tree, path, text->bytes, text->n, public) : r;
}

static int read_attribute_in_time(const char *path, struct bytes *ret_text)
{
	char text[SYSFS_TEXT];
	int r = sysfs_read_in_time(path, text, sizeof(text));

	if (r == 0)
		r = bytes_append(ret_text, text, strlen(text));
	return r == 0 ? bytes_append(ret_text, "\n", 1) : r;
}

/* 0, or a negative errno: -ENODATA if it is no file that is to be read. */
static int read_source(const char *path, const struct row *row, struct bytes *ret_text)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	/* A link to /dev/null masks another file of the configuration, as an empty file does. */
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0;
	/* An attribute without a mode for reading is for writing only. */
	if (!S_ISREG(st.st_mode) || (is_in_sys(path) && !(st.st_mode & 0444)))
		return -ENODATA;
	return row->in_time ? read_attribute_in_time(path, ret_text)
			    : sysfs_read_text(path, &ret_text->bytes, &ret_text->n);
}

/*
 * Copy a file to its own place in the tree. 0 or a negative errno: what is not there is no error.
 */
static int take_file(struct capture *capture, const char *path, const struct row *row)
{
	CLEANUP(bytes_done) struct bytes text = {0};
	int r;

	if (tree_has(&capture->tree, path))
		return 0;
	r = row->empty ? 0 : read_source(path, row, &text);
	note_unreadable(capture, r);
	if (row->no_file && r == -ENODATA)
		return tree_add_directory(&capture->tree, path);
	if (row->no_file && (r == -ENOENT || r == -ELOOP || r == -ENOTDIR))
		return tree_add_link(&capture->tree, path, "nowhere");
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (row->keep && !row->keep(&text))
		return 0;
	return add_text(capture, path, &text, row);
}

/* A link of sysfs. Those are relative; any other would not do elsewhere. */
static int take_link(struct capture *capture, const char *path)
{
	char target[PATH_MAX], end[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	struct stat st;
	int r;

	if (n <= 0 || target[0] == '/' || tree_has(&capture->tree, path))
		return 0;
	target[n] = '\0';
	r = tree_add_link(&capture->tree, path, target);
	if (r < 0 || !realpath(path, end) || !is_in_sys(end) || stat(end, &st) < 0)
		return r;
	return S_ISDIR(st.st_mode) ? tree_add_directory(&capture->tree, end)
				   : take_attribute(capture, end, &plain);
}

static bool is_never_taken(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (fnmatch(never[i], name, 0) == 0)
			return true;
	return false;
}

/* Something below /sys, by whichever way it was found. */
static int take_attribute(struct capture *capture, const char *found, const struct row *row)
{
	const char *name = strrchr(found, '/') + 1;
	char directory[PATH_MAX];
	struct path path;
	struct stat st;

	path_of(&path, "%.*s", (int)(name - found - 1), found);
	if (is_never_taken(name))
		return 0;
	if (!realpath(path.text, directory)) {
		note_unreadable(capture, -errno);
		return 0;
	}
	path_of(&path, "%s/%s", directory, name);
	if (!is_in_sys(path.text))
		return 0;
	if (lstat(path.text, &st) < 0) {
		note_unreadable(capture, -errno);
		return 0;
	}
	if (S_ISLNK(st.st_mode))
		return take_link(capture, path.text);
	if (S_ISDIR(st.st_mode) && row->empty)
		return tree_add_directory(&capture->tree, path.text);
	return S_ISREG(st.st_mode) ? take_file(capture, path.text, row) : 0;
}

static int take(struct capture *capture, const char *path, const struct row *row)
{
	return is_in_sys(path) ? take_attribute(capture, path, row) : take_file(capture, path, row);
}

/* Call `each` for all that a pattern matches, in order. What has none of its signs is there. */
static int for_each(struct capture *capture, const char *pattern, const struct row *row,
	int (*each)(struct capture *capture, const char *path, const struct row *row))
{
	CLEANUP(globfree) glob_t found = {0};
	int r;

	if (!strpbrk(pattern, "*?[{"))
		return each(capture, pattern, row);
	r = glob(pattern, GLOB_BRACE, NULL, &found);
	if (r == GLOB_NOSPACE)
		return -ENOMEM;
	r = 0;
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
		r = each(capture, found.gl_pathv[i], row);
	return r;
}

static int take_rows(struct capture *capture, const struct row *these, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = for_each(capture, these[i].pattern, &these[i], take);
	return r;
}

/* A device and all that it hangs on. */
static int take_parents(struct capture *capture, const char *link, const struct row *row)
{
	char device[PATH_MAX];
	struct path path;
	char *end;
	int r = 0;

	(void)row;
	if (!realpath(link, device))
		return 0;
	while (r == 0 && strcmp(device, "/sys/devices") != 0 && is_in_sys(device)) {
		r = for_each(
			capture, path_of(&path, "%s/" OF_PARENT, device), &plain, take_attribute);
		end = strrchr(device, '/');
		*end = '\0';
	}
	return r;
}

/* The data of type 1, SETUP_E820_EXT. Other types are random seeds and the like. */
static int take_setup_data(struct capture *capture, const char *path, const struct row *row)
{
	struct path data;
	uint64_t type;

	if (sysfs_read_number(path, 0, &type) < 0 || type != 1)
		return 0;
	path_of(&data, "%.*s/data", (int)(strrchr(path, '/') - path), path);
	return take_attribute(capture, data.text, row);
}

/*
 * libdaxctl looks up the subsystem of /dev/daxX.Y by its device number, which is 0:0 for a plain
 * file.
 */
static int take_device_numbers(struct capture *capture)
{
	static const char link[] = "/sys/dev/char/0:0/subsystem";

	if (!tree_has(&capture->tree, "/sys/bus/dax/devices"))
		return 0;
	return tree_add_link(&capture->tree, link, "../../../bus/dax");
}

static int take_kernel_log(struct capture *capture)
{
	static const struct row row = {.for_root = true};
	CLEANUP(bytes_done) struct bytes text = {0};
	int r = capture_log(capture->anonymise, &text);

	if (r < 0)
		return r;
	capture->unreadable += (size_t)r;
	return add_text(capture, "/dev/kmsg", &text, &row);
}

/* Rules match the names of devices. The parent of a memory device is named by its PCI address. */
static int learn_device(struct capture *capture, const char *link, const struct row *row)
{
	char device[PATH_MAX], *name;
	int r = 0;

	(void)row;
	if (!realpath(link, device))
		return 0;
	for (int i = 0; r == 0 && i < 2 && (name = strrchr(device, '/')); i++) {
		r = disguise_add_device(&capture->disguise, name + 1);
		*name = '\0';
	}
	return r;
}

static int learn_uuid(struct capture *capture, const char *path, const struct row *row)
{
	char uuid[SYSFS_NAME];

	(void)row;
	if (sysfs_read(path, uuid, sizeof(uuid)) < 0)
		return 0;
	return disguise_add_device(&capture->disguise, uuid);
}

/* In disguise a text is read elsewhere; here, whether it can be. */
static int try_text(struct capture *capture, const char *path, const struct row *row)
{
	CLEANUP(bytes_done) struct bytes text = {0};
	int r = read_source(path, row, &text);

	note_unreadable(capture, r);
	return r == -ENOMEM ? r : 0;
}

static int take_writers(struct capture *capture, const struct host *host)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->n_writers; i++) {
		r = take_file(capture, host->writers[i].path, &plain);
		if (r == 0)
			r = take_file(capture, host->writers[i].edit.path, &plain);
	}
	return r;
}

/*
 * What the doctor reads of other programs: all rules, but of units, tmpfiles.d and scripts, which
 * are hundreds, only those that have a finding.
 */
static int take_others(struct capture *capture)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};
	CLEANUP(host_done) struct host host = {0};
	int r = host_examine(&host, &complaints, true);

	for (size_t i = 0; r == 0 && i < host.n_rules; i++)
		r = take_file(capture, host.files.files[i].path, &plain);
	if (r == 0)
		r = take_writers(capture, &host);
	return r == 0 ? take_rows(capture, &unit, 1) : r;
}

static int take_texts(struct capture *capture)
{
	int r = 0;

	if (!capture->anonymise) {
		r = take_rows(capture, texts, ARRAY_SIZE(texts));
		return r == 0 ? take_others(capture) : r;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		r = for_each(capture, texts[i].pattern, &texts[i], try_text);
	if (r == 0)
		r = for_each(capture, "/sys/bus/dax/devices/*", NULL, learn_device);
	if (r == 0)
		r = for_each(capture, "/sys/bus/cxl/devices/{region,mem}*", NULL, learn_device);
	if (r == 0)
		r = for_each(capture, "/sys/bus/cxl/devices/region*/uuid", NULL, learn_uuid);
	return r == 0 ? capture_texts(capture) : r;
}

static int take_all(struct capture *capture)
{
	int r = take_texts(capture);

	if (r == 0)
		r = take_rows(capture, rows, ARRAY_SIZE(rows));
	if (r == 0)
		r = for_each(capture, "/sys/bus/{dax,cxl,nd}/devices/*", NULL, take_parents);
	if (r == 0)
		r = for_each(capture, SETUP_DATA "/*/type", &plain, take_setup_data);
	if (r == 0)
		r = take_device_numbers(capture);
	return r == 0 ? take_kernel_log(capture) : r;
}

static int report(const struct capture *capture, const char *directory)
{
	char size[SIZE_TEXT];

	print("Captured %zu files, %s, in %s\n", capture->tree.files,
		size_format(capture->tree.bytes, size), directory);
	if (!capture->unreadable)
		return EXIT_DONE;
	log_print(LOG_WARNING, "%zu files could not be read%s", capture->unreadable,
		geteuid() == 0 ? "" : ": run it as root");
	return EXIT_PARTIAL;
}

static void capture_done(struct capture *capture)
{
	tree_done(&capture->tree);
	disguise_done(&capture->disguise);
}

int capture_run(const char *directory, bool anonymise)
{
	CLEANUP(capture_done)
	struct capture capture = {.tree.fd = -1, .anonymise = anonymise};
	int r = tree_create(directory, &capture.tree);
	const char *mistake = tree_mistake(r);

	if (r == 0) {
		r = take_all(&capture);
		mistake = strerror(-r);
	}
	if (r == 0)
		return report(&capture, directory);
	log_print(LOG_ERR, "capture %s: %s", directory, mistake);
	return EXIT_FAILED;
}
