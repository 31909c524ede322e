/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The writer: one write to a kernel file that may take long, in a child process.
 *
 * To take a memory block offline the kernel moves its pages away, for as long as it takes; only
 * a signal ends that (offline_pages(), mm/memory_hotplug.c, 6.12). In a child the event loop
 * stays alive meanwhile, and there is a process to send the signal to.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "tdxo/base/compiler.h"

struct writer {
	pid_t pid; /* 0: nothing is being written */
	int fd;	   /* readable when the write has ended */
};

/* 0 or a negative errno. There must be no other write going on. */
int writer_start(struct writer *writer, const char *path, const char *text) MUST_CHECK;

static inline bool writer_is_busy(const struct writer *writer)
{
	return writer->pid != 0;
}

/* Has it ended? Then *ret_result is that of sysfs_write(): 0 or a negative errno. */
bool writer_has_ended(struct writer *writer, int *ret_result) MUST_CHECK;

/* Make it end early; its result will be -EINTR, unless it has ended already. */
void writer_interrupt(const struct writer *writer);

/* Interrupt what is going on, and do not wait for it. */
void writer_done(struct writer *writer);
