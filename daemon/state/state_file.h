/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state file: what reading and writing it have in common. tdx-onlined-state(5) tells the rest.
 */
#pragma once

#include "daemon/host/sysfs.h"
#include "daemon/output/json.h"
#include "daemon/state/state.h"

#define STATE_SCHEMA 2
#define STATE_NAME   "state.json"

/* The keys; those of the guard and of the configuration are named after their switches and keys. */
#define KEY_SCHEMA	  "schema"
#define KEY_BOOT_ID	  "boot_id"
#define KEY_TDX		  "tdx"
#define KEY_TDX_ACTIVE	  "tdx_active"
#define KEY_TDX_FAILURE	  "tdx_failure"
#define KEY_BOOT_MAP	  "boot_map"
#define KEY_KNOWN	  "known"
#define KEY_SOURCE	  "source"
#define KEY_GUARD	  "guard"
#define KEY_CONFIG	  "config"
#define KEY_PRESENT	  "present"
#define KEY_RANGES	  "ranges" /* of the boot map, and those that were decided */
#define KEY_TYPE	  "type"
#define KEY_DEVICE	  "device"
#define KEY_DRIVER	  "driver"
#define KEY_IDENTITY	  "identity"
#define KEY_VERDICT	  "verdict"
#define KEY_REASON	  "reason"
#define KEY_ZONE	  "zone"
#define KEY_RULE	  "rule"
#define KEY_ANSWER	  "answer"
#define KEY_RESULT	  "result"
#define KEY_BLOCKS	  "blocks"
#define KEY_BLOCKS_ONLINE "blocks_online"
#define KEY_RECONSIDER	  "reconsider"
#define KEY_CHANGED	  "changed"
#define KEY_EVENTS	  "events"
#define KEY_OVERFLOWS	  "overflows"
#define KEY_DISAGREEMENTS "disagreements"
#define KEY_LAST_LOOK	  "last_look"

/* Its path, with a suffix. Returns path->text. */
const char *state_path(struct path *path, const char *suffix);
