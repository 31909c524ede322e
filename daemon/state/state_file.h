/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state files: what reading and writing them have in common. tdx-onlined-state(5) has the rest.
 */
#pragma once

#include "daemon/host/sysfs.h"
#include "daemon/output/json.h"
#include "daemon/state/state.h"

#define STATE_SCHEMA 3
#define STATE_NAME   "state.json"
#define STATUS_NAME  "status.json"

/* The keys; those of the guard and of the configuration are named after their switches and keys. */
#define KEY_SCHEMA	  "schema"
#define KEY_BOOT_ID	  "boot_id"
#define KEY_TDX		  "tdx"
#define KEY_TDX_ACTIVE	  "tdx_active"
#define KEY_TDX_FAILURE	  "tdx_failure"
#define KEY_REJECTED	  "rejected"
#define KEY_RANGE	  "range"
#define KEY_CAUSE	  "cause"
#define KEY_ACPI_DEVICE	  "acpi_device"
#define KEY_KERNEL_LOG	  "kernel_log"
#define KEY_BOOT_MAP	  "boot_map"
#define KEY_KNOWN	  "known"
#define KEY_SOURCE	  "source"
#define KEY_GUARD	  "guard"
#define KEY_CONFIG	  "config"
#define KEY_CONFIG_FILES  "config_files"
#define KEY_CONFIG_SUM	  "config_checksum"
#define KEY_MISTAKE	  "mistake"
#define KEY_UNUSABLE	  "unusable"
#define KEY_LOWERED	  "lowered"
#define KEY_PRESENT	  "present"
#define KEY_DEVICES	  "devices" /* what was decided of each */
#define KEY_RANGES	  "ranges"  /* of the boot map, and of a device */
#define KEY_TYPE	  "type"
#define KEY_CHARDEV	  "chardev"
#define KEY_REGION	  "region"
#define KEY_MODE	  "mode"
#define KEY_IDENTITY	  "identity"
#define KEY_SIZE	  "size"
#define KEY_VERDICT	  "verdict"
#define KEY_REASON	  "reason"
#define KEY_ZONE	  "zone"
#define KEY_RULE	  "rule"
#define KEY_GROUP	  "group"
#define KEY_PERMISSIONS	  "permissions"
#define KEY_ANSWER	  "answer"
#define KEY_RESULT	  "result"
#define KEY_ERRNO	  "errno"
#define KEY_FAILED	  "failed"
#define KEY_FAILED_AT	  "failed_at"
#define KEY_TOTAL	  "total_memblocks"
#define KEY_ONLINE	  "online_memblocks"
#define KEY_OWN		  "own_memblocks"
#define KEY_RECORDED	  "recorded"
#define KEY_RECONSIDER	  "reconsider"
#define KEY_CHANGED	  "changed"
#define KEY_SINCE	  "since"
#define KEY_EVENTS	  "events"
#define KEY_OVERFLOWS	  "overflows"
#define KEY_DISAGREEMENTS "disagreements"
#define KEY_LAST_LOOK	  "last_look"
#define KEY_PID		  "pid"
#define KEY_IDLE	  "idle"

/* The path of a file of that name; and that of the lock. Each returns path->text. */
const char *state_path(struct path *path, const char *name);
const char *lock_path(struct path *path);

/* Make the directory of both, if it is not there: systemd does it for the service. */
void state_make_directory(void);
