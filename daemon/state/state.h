/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two files: state.json, which only root may read, is what the daemon reads back. status.json is
 * derived from it whenever it is saved, and is for everybody: it has no physical addresses, because
 * the kernel shows those in /proc/iomem only to a process with CAP_SYS_ADMIN (kernel/resource.c,
 * 6.12).
 *
 * What is kept in /run/tdx-onlined over restarts of the service, for this boot only: the boot
 * map, whether TDX was found active, what the switches of the guard read before, the configuration
 * in effect and the last mistake, what was begun and decided of each device, what was counted, and
 * whether the daemon is idle.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/actuator/guard.h"
#include "daemon/host/sensor.h"
#include "daemon/settings/config_file.h"
#include "daemon/settings/in_effect.h"
#include "tdxo/base/compiler.h"
#include "tdxo/memory/device.h"
#include "tdxo/memory/boot_map.h"
#include "tdxo/memory/snapshot.h"
#include "tdxo/policy/config.h"
#include "tdxo/record/history.h"

struct state {
	bool earlier; /* this is not the first start of this boot */
	bool kept;    /* an earlier one knew the boot map */
	bool public;  /* it comes from status.json: no addresses are known */
	struct boot_map boot_map;
	bool tdx_active;	    /* it was, at some time of this boot */
	struct tdx_log tdx_failure; /* the kernel's messages when a failed start was proved */
	struct rejections rejected; /* as the last start left it */
	struct guard guard;
	char *in_effect[CONFIG_KEYS]; /* values as they were written; NULL: not known */
	struct config_files files;    /* that these values and the rules come from */
	uint64_t checksum;	      /* as of settings_checksum(); 0: not known */
	char *mistake;		/* of the last configuration that could not be used; NULL: none */
	bool unusable;		/* there is no other configuration: nothing is decided */
	bool present_known;	/* what was there has been seen */
	struct devices present; /* there before the first start */
	struct history history;
	struct history placeless; /* public: of memory without a dax device; in no order */

	/* Counted in this boot, by all starts. */
	uint64_t events;	/* of the kernel's, our own writes' aside */
	uint64_t overflows;	/* how often events were lost */
	uint64_t disagreements; /* records in which the kernel did not do as expected */
	uint64_t last_look;	/* seconds since 1970; 0: never */

	/* Of the daemon that wrote the file. */
	pid_t pid;  /* 0: it has ended */
	bool idle;  /* it had nothing left to do */
	bool older; /* it is of a version that does not save whether it is idle */
};

/* For sensor_init(); borrowed from the state. */
static inline struct earlier state_earlier(const struct state *state)
{
	return (struct earlier){
		.boot_map = state->kept ? &state->boot_map : NULL,
		.tdx_active = state->tdx_active,
		.tdx_failure = &state->tdx_failure,
		.rejected = &state->rejected,
		.auto_online_was = state->guard.was[GUARD_AUTO_ONLINE],
	};
}

/*
 * What is there, if it is of this boot; else nothing. A process that may not read state.json reads
 * status.json. 0 or -ENOMEM; there is a warning of bad files, and of one that others than root can
 * write.
 */
int state_load(struct state *ret_state) MUST_CHECK;
void state_done(struct state *state);

/*
 * Where the files and the lock are. RuntimeDirectory=tdx-onlined makes the same directory.
 * $RUNTIME_DIRECTORY does not count: a client that runs in another unit has that of the unit.
 */
#define STATE_DIRECTORY	  "/run/tdx-onlined"
#define STATE_USUAL_PATH  STATE_DIRECTORY "/state.json"
#define STATUS_USUAL_PATH STATE_DIRECTORY "/status.json"
#define STATE_USUAL_PATHS STATE_DIRECTORY "/{state,status}.json"

/* The text of the file, for a captured tree; the caller frees it. 0 or a negative errno. */
int state_print(const struct state *state, char **ret_text, size_t *ret_size) MUST_CHECK;

/* Note what is in effect from now on. 0 or -ENOMEM. */
int state_set_config(struct state *state, const struct settings *settings) MUST_CHECK;

/*
 * Set the keys that are in effect, except TDX= if `keep_tdx`. The daemon saved them when they were
 * valid. 0 or -ENOMEM.
 */
int state_use_config(const struct state *state, bool keep_tdx, struct config *config) MUST_CHECK;

/* A configuration could not be used, and the one before is still in effect. 0 or -ENOMEM. */
int state_set_mistake(struct state *state, const char *mistake) MUST_CHECK;

/*
 * Mark those that were there before the first start; all, while that is not known, and each that
 * only its addresses could tell. A run of which only a part was there becomes two. 0 or -ENOMEM.
 */
int state_mark_present(const struct state *state, struct devices *devices) MUST_CHECK;

/*
 * Replace the files, each in one go; boot map and TDX state are those of the snapshot. 0; a
 * negative errno: state.json is as it was; a positive one: it is new, and there is no status.json.
 */
int state_save(const struct state *state, const struct snapshot *snapshot) MUST_CHECK;
