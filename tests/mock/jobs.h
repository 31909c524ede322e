/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One job of each kind that the daemon has.
 */
#pragma once

#include "mock.h"

#define JOBS 16

#define DAX0	   "dax0.0"
#define DAX0_START (4 * GIB)

/* A line of the configuration: no block times out, however slow the machine is. */
#define TIMEOUT "OfflineTimeoutSec=3600\n"

struct job {
	const char *name;
	void (*prepare)(struct mock *mock); /* the machine and the daemon before the job */
	void (*give)(struct mock *mock);
	void (*place)(const struct mock *mock); /* puts its device in place; NULL: it has none */
	uint64_t start;				/* of the device */
	unsigned int blocks;
	bool kept_out; /* the kernel would refuse to bring a block of it online */
	bool stopped;  /* the daemon does not run any more at the end */
};

extern const struct job jobs[JOBS];

/* Send the event of a device that was put in place again. */
void job_send_dax0(struct mock *mock);
