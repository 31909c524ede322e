/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The doctor: what on this host gets in the way of hot-added memory, or of TDX.
 *
 * The edge gathers facts, plain values; here they become findings, each with a word from a fixed
 * list, a sentence with its evidence, and a remedy: an exact command or setting.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxo/base/compiler.h"
#include "tdxo/base/range.h"
#include "tdxo/doctor/foreign_conf.h"
#include "tdxo/doctor/udev_rule.h"
#include "tdxo/doctor/writer.h"
#include "tdxo/memory/snapshot.h"
#include "tdxo/record/record.h"
#include "tdxo/tdx/log.h"

enum finding_code {
	FINDING_NO_MEMORY_HOTPLUG,
	FINDING_NOT_WRITABLE,
	FINDING_TDX_OVERRIDDEN,
	FINDING_BOOT_MAP_UNKNOWN,
	FINDING_TDX_HIBERNATION,
	FINDING_TDX_FEW_KEYS,
	FINDING_TDX_MODULE_MISSING,
	FINDING_TDX_MODULE_OLD,
	FINDING_TDX_PROCESSOR,
	FINDING_TDX_INIT_FAILED,
	FINDING_TDX_NOT_STARTED,
	FINDING_TDX_UNKNOWN,
	FINDING_BOOT_MAP_IN_CXL_WINDOW,
	FINDING_LATE_MEMORY,
	FINDING_KVM_NOT_LOADED,
	FINDING_KVM_TDX_OFF,
	FINDING_KERNEL_POLICY,
	FINDING_GUARD_DOWN,
	FINDING_KERNEL_COMMAND_LINE,
	FINDING_UDEV_RULE,
	FINDING_TMPFILES_CONFIG,
	FINDING_SYSFS_CONFIG,
	FINDING_SYSTEMD_UNIT,
	FINDING_SCRIPT,
	FINDING_DAXCTL_CONFIG,
	FINDING_GUEST_AGENT,
	FINDING_MODULE_BLACKLISTED,
	FINDING_STRANDED,
	FINDING_MEMORY_REJECTED,
	FINDING_MOVABLE_ZONE,
	FINDING_BOOT_MEMORY_OFFLINE,
	FINDING_GUARD_BYPASSED,
	FINDING_MAX,
};

enum severity {
	SEVERITY_PROBLEM, /* it is in the way */
	SEVERITY_NOTICE,  /* it may be, or something is lost by it */
	SEVERITY_MAX,
};

#define FINDING_TEXT   1024
#define FINDING_REMEDY 4096 /* a command can name long paths several times */
#define FINDING_SOURCE 512

struct finding {
	enum finding_code code;
	enum severity severity;
	char message[FINDING_TEXT]; /* whole sentences */
	char remedy[FINDING_REMEDY];
	char source[FINDING_SOURCE]; /* a file, perhaps with a line, or "kernel log" */
};

struct findings {
	struct finding *items; /* in the order of the codes */
	size_t n;
};

/* --- facts --- */

/* A line of a file of another program. The path is borrowed. */
struct doctor_udev {
	const char *path;
	struct udev_write write;
};

struct doctor_modprobe {
	const char *path;
	struct modprobe_line line;
};

struct doctor_daxctl {
	const char *path;
	struct daxctl_section section;
};

/* Where lines are. A place is a directory of the administrator, and what has it read again. */
enum place {
	PLACE_UDEV,
	PLACE_MODPROBE,
	PLACE_TMPFILES,
	PLACE_SYSFS,
	PLACE_SYSTEMD,
	PLACE_MAX,
};

struct doctor_lines {
	enum place place;
	const char *path;
	unsigned int first, last;
};

struct doctor_writer {
	enum writer_kind kind;
	const char *path;
	unsigned int line;
	char what[WRITER_WHAT];	  /* the line, cut off */
	struct doctor_lines edit; /* what to comment out: itself, or of a script what runs it */
};

struct doctor_process {
	uint64_t pid;
	char name[SYSFS_NAME];
};

/* A run of blocks of one node that are online in ZONE_MOVABLE. */
struct doctor_movable {
	struct range range;
	int node; /* or NODE_UNKNOWN */
};

/* A kernel file that should be writable and is not. */
struct doctor_unwritable {
	char path[SYSFS_NAME * 2];
	int error;    /* positive */
	uint64_t pid; /* of the daemon, if it is the one that cannot; else 0 */
};

struct doctor_facts {
	const struct tdx *tdx;
	const struct snapshot *snapshot; /* NULL: the kernel has no memory hotplug */
	const struct record *records;	 /* of a dry run */
	size_t n_records;
	bool observe;	    /* Act=no */
	bool guard_never;   /* Guard=never */
	unsigned int guard; /* the switches to be held, as of guard_wanted() */
	bool running;	    /* the daemon is */
	bool masked;	    /* its service is */
	bool kvm_loaded;    /* kvm_intel is, or is built in */
	const struct tdx_log *log;
	const char *cmdline;			 /* NULL: not known */
	const struct range_set *boot_ram_in_cxl; /* without CXL caches; NULL: not known */
	const struct doctor_udev *udev;
	size_t n_udev;
	const struct doctor_writer *writers;
	size_t n_writers;
	const struct doctor_modprobe *modprobe;
	size_t n_modprobe;
	const struct doctor_daxctl *daxctl;
	size_t n_daxctl;
	const struct doctor_process *agents; /* QEMU guest agents that run */
	size_t n_agents;
	const struct device *bypassed; /* dax devices that another process bound */
	size_t n_bypassed;
	const struct doctor_movable *movable;
	size_t n_movable;
	const struct range_set *offline_boot; /* boot memory that is offline; NULL: not known */
	const struct doctor_unwritable *unwritable;
	size_t n_unwritable;
};

void findings_done(struct findings *findings);

/* 0 or -ENOMEM. */
int doctor_examine(const struct doctor_facts *facts, struct findings *ret_findings) MUST_CHECK;

const char *finding_code_to_string(enum finding_code code);
const char *severity_to_string(enum severity severity);
