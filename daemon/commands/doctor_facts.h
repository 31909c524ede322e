/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host: what there is besides memory that onlines it, or keeps it from being onlined.
 */
#pragma once

#include "daemon/log/complaints.h"
#include "daemon/settings/layers.h"
#include "tdxo/base/compiler.h"
#include "tdxo/doctor/doctor.h"

#define HOST_UNWRITABLE 3

/* A script, perhaps, and what runs it. */
struct host_script {
	char *path;
	struct doctor_lines from;
};

struct host {
	struct complaints *complaints; /* borrowed: what cannot be read is reported */
	struct layers files;	       /* the paths of what follows */
	size_t n_rules;		       /* of files: those of udev, modprobe and daxctl come first */
	struct doctor_udev *udev;
	size_t n_udev;
	struct host_script *scripts;
	size_t n_scripts;
	void *script_paths;    /* a tree of them: tsearch(3) */
	bool scripts_left_out; /* there are more */
	struct doctor_writer *writers;
	size_t n_writers;
	struct doctor_modprobe *modprobe;
	size_t n_modprobe;
	struct doctor_daxctl *daxctl;
	size_t n_daxctl;
	struct doctor_process *agents;
	size_t n_agents;
	struct doctor_unwritable unwritable[HOST_UNWRITABLE];
	size_t n_unwritable;
	bool masked;	 /* the service is */
	bool kvm_loaded; /* kvm_intel is, or is built in */
	char *cmdline;
	uint64_t daemon; /* the process of the service; 0: it does not run */
};

/*
 * Look at everything, but of a captured machine not at what can be written. 0 or -ENOMEM; what
 * cannot be read is complained about and left out.
 */
int host_examine(struct host *host, struct complaints *complaints, bool captured) MUST_CHECK;
void host_done(struct host *host);
