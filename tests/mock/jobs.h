/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of jobs that the daemon has, one of each.
 */
#pragma once

#include "mock.h"

#define JOBS 16

#define DAX0	   "dax0.0"
#define DAX0_START (4 * GIB)

/* A line of the configuration: a busy machine does not make a block late. */
#define TIMEOUT "OfflineTimeoutSec=3600\n"

struct job {
	const char *name;
	void (*prepare)(struct mock *mock); /* up to the job */
	void (*give)(struct mock *mock);
	void (*place)(const struct mock *mock); /* its device, or NULL if it has none */
	uint64_t start;				/* of the device */
	unsigned int blocks;
	bool kept_out; /* the kernel would refuse to bring a block of it online */
	bool stopped;  /* the daemon does not run any more at the end */
};

extern const struct job jobs[JOBS];

/* That it has been placed again. */
void job_send_dax0(struct mock *mock);
