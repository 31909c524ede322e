/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mock kernel: plain files behave like attributes.
 *
 * Under umockdev an attribute is a plain file, and what is stored in it overwrites so many of
 * its bytes: "online" on top of "offline" would read "onlinee". This object is preloaded into
 * the daemon and takes its write() to files below the testbed's /sys:
 *
 *   any attribute       reads afterwards what was stored, a newline added
 *   memoryN/state       online in any zone reads "online"; EINVAL if it reads so already
 *   driver/bind         the device gets a driver link; of kmem also offline blocks, as far as
 *                       they fit in each of its mappings. EBUSY if it has a driver. A file `kmem`
 *                       has other states of the blocks, and for how many mappings they are made
 *   daxN.0/state        kmem gives it to a device if the file `kmem` is there (Linux 7.3).
 *                       "unplugged": the blocks go
 *   driver/unbind       link and blocks are removed, in any state
 *
 * Each store is noted in `stores`, one line "DIR/NAME VALUE" each, refused ones with "!" in front;
 * those to "uevent", whose values are never the same, in `uevents`.
 * A store that takes blocks away of which one is online is noted a second time, with "?": on a
 * real machine that block would be lost until reboot.
 * Each time that an attribute is opened for writing is noted in `opens`, as "+DIR/NAME ", and each
 * store after that as in `stores`: not all that is opened is written.
 * No uevents are sent for any of this.
 *
 * A file faults/DIR:NAME makes each store to that attribute fail, "faults/DIR:NAME VALUE" only that
 * of one value. It has a word, optionally how many times, and optionally "hang" for later. The word
 * is
 *
 *   an errno  the store fails with it
 *   short     write() returns one byte less than it was given, and nothing changes
 *   slow      the store takes SLOW_USEC of the daemon's time, and succeeds
 *   vanish    the block, dax device or attribute is removed, and the store fails with ENODEV
 *   gone      with a number N: it is removed right before it is opened for the Nth time
 *   hang      the store is noted with "~" in front, waits until the file has another word, and
 *             then has the effect of that one
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload.h"

#define BLOCK UINT64_C(0x8000000)
#define PATH  (2 * PATH_MAX)

#define HANG_USEC 10000
#define SLOW_USEC 5000000U

#define SHORT 1 /* an outcome of a store, besides 0 and a negative errno */

/* A store: paths are those of the real files, so umockdev lets them pass. */
struct store {
	char root[PATH_MAX]; /* the testbed's */
	char path[PATH_MAX]; /* the attribute's */
	const char *name;
	const char *directory; /* the last one above it, with the name: "memory16/state" */
	char value[64];
	int fd;
};

static void __attribute__((format(printf, 2, 3))) path_of(char path[PATH], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(path, PATH, format, args);
	va_end(args);
}

/* The first line of a file; empty if there is none. */
static void read_line(const char *path, char line[64])
{
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (!file)
		return;
	if (!fgets(line, 64, file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static int replace(int fd, const char *value)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "%s\n", value);

	if (ftruncate(fd, 0) < 0 || pwrite(fd, line, (size_t)n, 0) != n)
		return -errno;
	return 0;
}

static int create(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), r;

	if (fd < 0)
		return -errno;
	r = replace(fd, value);
	close(fd);
	return r;
}

static int store_block_state(const struct store *store)
{
	bool online = strncmp(store->value, "online", strlen("online")) == 0;
	char now[64];

	if (!online && strcmp(store->value, "offline") != 0)
		return -EINVAL;
	read_line(store->path, now);
	if (strcmp(now, online ? "online" : "offline") == 0)
		return -EINVAL;
	return replace(store->fd, online ? "online" : "offline");
}

/* Includes what umockdev needs to send events of the block. */
static void make_block(const char *root, uint64_t id, const char *state)
{
	char path[PATH];

	path_of(path, "%s/sys/devices/system/memory/memory%" PRIu64, root, id);
	mkdir(path, 0755);
	path_of(path, "%s/sys/devices/system/memory/memory%" PRIu64 "/uevent", root, id);
	(void)!create(path, "");
	path_of(path, "%s/sys/devices/system/memory/memory%" PRIu64 "/subsystem", root, id);
	(void)!symlink("../../../../bus/memory", path);
	path_of(path, "%s/sys/devices/system/memory/memory%" PRIu64 "/state", root, id);
	(void)!create(path, state);
}

static void remove_block(const char *root, uint64_t id)
{
	static const char *const files[] = {
		"uevent", "subsystem", "node0", "phys_index", "removable", "state"};
	char path[PATH];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_of(path, "%s/sys/devices/system/memory/memory%" PRIu64 "/%s", root, id,
			files[i]);
		unlink(path);
	}
	path_of(path, "%s/sys/devices/system/memory/memory%" PRIu64, root, id);
	rmdir(path);
}

/* The blocks that fit in a mapping of the device. False: there is no such mapping. */
static bool read_mapping(const struct store *store, const char *device, unsigned int i,
	uint64_t *ret_first, uint64_t *ret_end)
{
	char path[PATH], start[64], last[64];

	path_of(path, "%s/sys/bus/dax/devices/%s/mapping%u/start", store->root, device, i);
	read_line(path, start);
	path_of(path, "%s/sys/bus/dax/devices/%s/mapping%u/end", store->root, device, i);
	read_line(path, last);
	*ret_first = (strtoull(start, NULL, 0) + BLOCK - 1) / BLOCK;
	*ret_end = (strtoull(last, NULL, 0) + 1) / BLOCK;
	return *start && *last;
}

/* The state of the blocks that kmem makes, and of how many mappings. False: kmem before 7.3. */
static bool read_kmem(const struct store *store, char state[64], unsigned int *ret_mappings)
{
	char path[PATH], line[64];

	strcpy(state, "offline");
	*ret_mappings = UINT_MAX;
	path_of(path, "%s/kmem", store->root);
	read_line(path, line);
	return sscanf(line, "%63s %u", state, ret_mappings) == 2;
}

static void make_blocks(const struct store *store, const char *device)
{
	char state[64], path[PATH];
	unsigned int mappings;
	uint64_t first, end;
	bool has_state = read_kmem(store, state, &mappings);

	for (unsigned int i = 0; i < mappings && read_mapping(store, device, i, &first, &end); i++)
		for (uint64_t id = first; id < end; id++)
			make_block(store->root, id, state);
	path_of(path, "%s/sys/bus/dax/devices/%s/state", store->root, device);
	if (has_state)
		(void)!create(path, state);
}

static void note_in(const char *file, const struct store *store, const char *sign)
{
	char path[PATH], line[PATH];
	int fd, n;

	path_of(path, "%s/%s", store->root, file);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	n = snprintf(line, sizeof(line), "%s%s %s\n", sign, store->directory, store->value);
	(void)!pwrite(fd, line, (size_t)n, 0); /* O_APPEND: the offset is ignored */
	close(fd);
}

static void note(const struct store *store, const char *sign)
{
	note_in("stores", store, sign);
}

static void remove_blocks(const struct store *store, const char *device)
{
	char path[PATH], state[64];
	uint64_t first, end;

	for (unsigned int i = 0; read_mapping(store, device, i, &first, &end); i++) {
		for (uint64_t id = first; id < end; id++) {
			path_of(path, "%s/sys/devices/system/memory/memory%" PRIu64 "/state",
				store->root, id);
			read_line(path, state);
			if (strcmp(state, "online") == 0)
				note(store, "?");
			remove_block(store->root, id);
		}
	}
}

static int store_state(const struct store *store)
{
	char device[64];

	if (sscanf(store->directory, "%63[^/]", device) != 1)
		return -EINVAL;
	if (strncmp(device, "dax", strlen("dax")) != 0)
		return store_block_state(store);
	remove_blocks(store, device);
	return replace(store->fd, store->value);
}

static int store_driver(const struct store *store)
{
	bool bind = strcmp(store->name, "bind") == 0;
	char link[PATH], driver[PATH], state[PATH];

	path_of(link, "%s/sys/bus/dax/devices/%s/driver", store->root, store->value);
	path_of(state, "%s/sys/bus/dax/devices/%s/state", store->root, store->value);
	path_of(driver, "%.*s", (int)(store->name - store->path - 1), store->path);
	if ((bind ? symlink(driver, link) : unlink(link)) < 0)
		return errno == EEXIST ? -EBUSY : -errno;
	if (!strstr(driver, "/kmem"))
		return 0;
	if (bind) {
		make_blocks(store, store->value);
	} else {
		remove_blocks(store, store->value);
		(void)unlink(state);
	}
	return 0;
}

/* Wait until the file has another word, and return that. */
static void hang(const struct store *store, const char *path, char text[64])
{
	for (note(store, "~"); strcmp(text, "hang") == 0; read_line(path, text))
		usleep(HANG_USEC);
}

/* Remove the device with its region, as mock_remove_dax() does, and its blocks. */
static void remove_device(const struct store *store, const char *device)
{
	char link[PATH], real[PATH_MAX], gone[PATH];

	remove_blocks(store, device);
	path_of(link, "%s/sys/bus/dax/devices/%s", store->root, device);
	if (!realpath(link, real))
		return;
	*strrchr(real, '/') = '\0';
	path_of(gone, "%s/vanished", store->root);
	(void)!rename(real, gone);
	unlink(link);
}

static void vanish(const struct store *store)
{
	char device[64];
	uint64_t id;

	if (sscanf(store->directory, "memory%" SCNu64 "/state", &id) == 1)
		remove_block(store->root, id);
	else if (strncmp(store->directory, "dax", strlen("dax")) == 0 &&
		 sscanf(store->directory, "%63[^/]", device) == 1)
		remove_device(store, device);
	else if (strstr(store->path, "/drivers/") && *store->value)
		remove_device(store, store->value);
	else
		unlink(store->path);
}

/* The outcome of a store with this fault. 0: the store is carried out. */
static int apply_fault(const struct store *store, const char *what)
{
	if (strcmp(what, "short") == 0)
		return SHORT;
	if (strcmp(what, "slow") == 0) {
		usleep(SLOW_USEC / clock_speed());
		return 0;
	}
	if (strcmp(what, "vanish") != 0)
		return -atoi(what);
	vanish(store);
	return -ENODEV;
}

static int read_fault(const struct store *store, const char *path)
{
	char text[64], what[16], after[16] = "";
	unsigned int times;
	int n;

	read_line(path, text);
	if (strcmp(text, "hang") == 0)
		hang(store, path, text);
	n = sscanf(text, "%15s %u %15s", what, &times, after);
	if (n < 1 || (n > 1 && !times) || strcmp(what, "gone") == 0)
		return 0;
	if (n > 1 && times == 1 && *after)
		(void)!create(path, after);
	else if (n > 1) {
		snprintf(text, sizeof(text), "%s %u %s", what, times - 1, after);
		(void)!create(path, text);
	}
	return apply_fault(store, what);
}

static int fault_of(const struct store *store)
{
	char path[PATH];
	int r, length = (int)(store->name - store->directory - 1);

	path_of(path, "%s/faults/%.*s:%s %s", store->root, length, store->directory, store->name,
		store->value);
	r = read_fault(store, path);
	if (r != 0)
		return r;
	path_of(path, "%s/faults/%.*s:%s", store->root, length, store->directory, store->name);
	return read_fault(store, path);
}

static int store_value(const struct store *store)
{
	int r = fault_of(store);

	if (r == 0 && strcmp(store->name, "state") == 0)
		r = store_state(store);
	else if (r == 0 && (strcmp(store->name, "bind") == 0 || strcmp(store->name, "unbind") == 0))
		r = store_driver(store);
	else if (r == 0)
		r = replace(store->fd, store->value);
	note_in(strcmp(store->name, "uevent") == 0 ? "uevents" : "stores", store,
		r != 0 ? "!" : "");
	return r;
}

/* Is the path that of an attribute of the testbed? Then all but `value` and `fd` is filled in. */
static bool is_attribute(const char *path, struct store *store)
{
	const char *root = getenv("UMOCKDEV_DIR");
	size_t length;

	if (!root || !realpath(root, store->root))
		return false;
	length = strlen(store->root);
	if (strncmp(path, store->root, length) != 0 ||
		strncmp(path + length, "/sys/", strlen("/sys/")) != 0)
		return false;
	snprintf(store->path, sizeof(store->path), "%s", path);
	store->name = strrchr(store->path, '/') + 1;
	store->directory = store->name - 1;
	while (store->directory[-1] != '/')
		store->directory--;
	return true;
}

static bool is_open_attribute(int fd, struct store *store)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	store->fd = fd;
	return is_attribute(path, store);
}

void kernel_open_for_writing(const char *path)
{
	char real[PATH_MAX], fault[PATH], text[64];
	struct store store = {0};
	unsigned int times;

	path_of(fault, "%s%s", getenv("UMOCKDEV_DIR") ?: "", path);
	if (!realpath(fault, real) || !is_attribute(real, &store))
		return;
	note_in("opens", &store, "+");
	path_of(fault, "%s/faults/%.*s:%s", store.root, (int)(store.name - store.directory - 1),
		store.directory, store.name);
	read_line(fault, text);
	if (sscanf(text, "gone %u", &times) != 1 || !times)
		return;
	snprintf(text, sizeof(text), "gone %u", times - 1);
	(void)!create(fault, text);
	if (times == 1)
		vanish(&store);
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *buf, size_t count)
{
	static ssize_t (*next)(int fd, const void *buf, size_t count);
	struct store store;
	int before = errno, r;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "write");
	if (!is_open_attribute(fd, &store)) {
		errno = before;
		return next(fd, buf, count);
	}
	snprintf(store.value, sizeof(store.value), "%.*s", (int)count, (const char *)buf);
	store.value[strcspn(store.value, "\n")] = '\0';
	note_in("opens", &store, "");
	r = store_value(&store);
	errno = r < 0 ? -r : before;
	return r < 0 ? -1 : (ssize_t)count - r;
}
