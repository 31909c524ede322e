/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor: fills the snapshot.
 *
 * It looks again when it is called; it keeps nothing of the events. A look lists memory
 * blocks and devices, and costs little. What one device is decided by is read when it is its turn,
 * by sensor_complete().
 */
#pragma once

#include "daemon/host/cxl.h"
#include "daemon/host/dax.h"
#include "daemon/host/firmware.h"
#include "daemon/log/complaints.h"
#include "tdxo/base/compiler.h"
#include "tdxo/memory/facts.h"
#include "tdxo/memory/snapshot.h"
#include "tdxo/policy/config.h"

struct dimm_entry;

struct sensor {
	struct snapshot snapshot;
	const struct config *config;
	struct cxl cxl;
	struct firmware firmware;
	bool firmware_read;
	struct dimm_entry *dimms;  /* the entries that name the DIMMs of the snapshot */
	uint64_t last_entry;	   /* the highest number of an entry of the firmware memmap */
	struct range_set boot_ram; /* as firmware listed it; a DIMM's entry is outside */
	enum boot_source boot_ram_source;
	struct block_ids before;     /* the blocks of the last look that counted, or none */
	bool blind;		     /* the last look could not see all */
	const char *auto_online_was; /* as in struct earlier, but of now */
	bool was_active;	     /* the TDX state was found active at some time of this boot */
	struct tdx_log log;	     /* the kernel's messages about TDX, and those of tdx_failure */
	int log_error;		     /* 0, or why not all of the kernel log could be read */
	struct tdx_log tdx_failure;  /* its messages when a failed start was proved in this boot */
	struct complaints complaints;
};

/* What an earlier start in this boot has found out. */
struct earlier {
	const struct boot_map *boot_map; /* or NULL; its regions are copied */
	bool tdx_active;
	const struct tdx_log *tdx_failure; /* messages from when a failed start was proved */
	const struct rejections *rejected; /* copied */
	const char
		*auto_online_was; /* auto_online_blocks before the guard held it, or ""; borrowed */
};

/* Take the first look. 0; -ENODEV: no memory hotplug, only the TDX state is known; -ENOMEM. */
int sensor_init(struct sensor *sensor, const struct config *config,
	const struct earlier *earlier) MUST_CHECK;
void sensor_done(struct sensor *sensor);

/* The configuration has changed: decide the TDX state and make the boot map again. 0 or -ENOMEM. */
int sensor_reconfigure(struct sensor *sensor) MUST_CHECK;

/* Look again. 0 or -ENOMEM; what cannot be read is complained about and left out. */
int sensor_look(struct sensor *sensor) MUST_CHECK;

/*
 * Look again at the dax devices and the guard's switches only, while things are still changing: the
 * rest stays as it was seen last, and a device that libdaxctl does not list yet is no reason to
 * complain.
 */
int sensor_glance(struct sensor *sensor) MUST_CHECK;

/* All devices that are there now and were not at boot. 0 or -ENOMEM. */
int sensor_devices(const struct sensor *sensor, struct devices *ret_devices) MUST_CHECK;

/* What was seen until now has been decided: only what comes later has arrived. 0 or -ENOMEM. */
int sensor_settle(struct sensor *sensor) MUST_CHECK;

/*
 * Complete the facts of a device. 0; 1 if it is not there any more as it was seen, so that it is to
 * be looked for again; -ENOMEM. Only after 0 there is something to be freed.
 */
int sensor_complete(
	struct sensor *sensor, const struct device *device, struct facts *ret_facts) MUST_CHECK;

/* The blocks of a device as they are now. 0 or -ENOMEM. */
int sensor_read_blocks(
	struct sensor *sensor, const struct device *device, struct blocks *ret_blocks) MUST_CHECK;

/* What firmware's tables say, read once; what is wrong with them is complained about. */
const struct firmware *sensor_firmware(struct sensor *sensor);

/* List the blocks again; if that fails twice, those of the last time stay. 0 or -ENOMEM. */
int sensor_list_blocks(struct sensor *sensor) MUST_CHECK;

/* The state of one block. 0, or a negative errno: -ENOENT if there is no such block. */
int sensor_block_state(uint64_t id, enum block_state *ret_state) MUST_CHECK;

/*
 * The boot memory within a range whose blocks are offline, as whole blocks. It reads the state of
 * each block, which takes as long as the machine is large. 0 or -ENOMEM.
 */
int sensor_find_offline_boot(
	struct sensor *sensor, struct range within, struct range_set *ret_offline) MUST_CHECK;

/* The node of a block, or NODE_UNKNOWN. */
int sensor_block_node(uint64_t id) MUST_CHECK;

/* The zone of the highest block of a range that is online; empty if none is, or it is not known. */
void sensor_zone_of(const struct sensor *sensor, const struct blocks *blocks, struct range range,
	char *ret_zone, size_t size);

/* What the switch reads now that gives dax devices a driver. */
enum dax_autoprobe sensor_dax_autoprobe(void);

/* Read the sources of the TDX state again, and in the kernel log what the kernel rejected. */
void sensor_read_tdx(struct sensor *sensor);

/* Forget the rejected memory that is not there any more, or that the kernel has added since. */
void sensor_prune_rejected(struct sensor *sensor);

/* Has a device gone that the last look did not find? It saw all, and can tell blocks apart. */
static inline bool sensor_sees_all(const struct sensor *sensor)
{
	return !sensor->blind && snapshot_explains_blocks(&sensor->snapshot);
}

/*
 * Call `each` for every message of the kernel's own in /dev/kmsg, or in the journal where that
 * cannot be opened: its text, which may end in a newline. 0; -EBADMSG if there were lines that are
 * no messages; or another negative errno if neither can be read.
 */
int sensor_kernel_log(void (*each)(const char *message, void *userdata), void *userdata) MUST_CHECK;

/* The parts of sensor_init(), in sensor_boot.c and sensor_tdx.c. */
int sensor_read_boot_ram(struct sensor *sensor) MUST_CHECK;
int sensor_build_boot_map(struct sensor *sensor) MUST_CHECK;
int sensor_list_dimms(struct sensor *sensor) MUST_CHECK;

/*
 * Does the entry that named a DIMM still name it? And has an entry come since the DIMMs were listed
 * that has memory of a device? The kernel counts entries up, and never uses a number again
 * (add_sysfs_fw_map_entry(), drivers/firmware/memmap.c, 6.12): the next numbers are tried.
 */
bool sensor_has_dimm(struct sensor *sensor, const struct device *device);
bool sensor_has_new_dimm(struct sensor *sensor, const struct device *device);
