/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture: single files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/commands/tree.h"
#include "daemon/host/sysfs.h"
#include "tdxo/anonymise/anonymise.h"
#include "tdxo/base/compiler.h"

/* How much of a file is wanted. */
enum part {
	PART_ALL,
	PART_NONE,	      /* that it is there */
	PART_FIRST_PROCESSOR, /* what comes before the first empty line, and that */
	PART_DAX_LINES,	      /* lines with "dax" in them */
	PART_IF_MEMORY,	      /* if it mentions memory or its state, else it is left empty */
	PART_IF_MODULES,      /* if it mentions modules of memory or KVM, else it is left empty */
	PART_IF_AGENT,	      /* if it is the name of QEMU's guest agent, else there is no file */
	PART_MAX,
};

struct capture {
	struct tree tree;
	bool anonymise;
	bool lib_is_link; /* /lib is /usr/lib */
	struct disguise disguise;
	size_t unreadable;  /* files */
	struct path failed; /* where it failed */
};

/*
 * Copy a file to its own place in the tree, if it is a regular one and can be read. 0, or the
 * negative errno that writing has met, or -ENOMEM.
 */
int capture_file(struct capture *capture, const char *path, enum part part,
	enum disguise_kind disguise) MUST_CHECK;

/*
 * The same for a file, or directory, of a configuration: what stands in its place counts too. A
 * link to /dev/null becomes an empty file, one to nowhere another one, and what is no file a
 * directory.
 */
int capture_config(struct capture *capture, const char *path, enum part part) MUST_CHECK;

/* Disguise the text, if that is asked for, and write it. 0 or a negative errno. */
int capture_text(struct capture *capture, const char *path, const struct bytes *text,
	enum disguise_kind disguise) MUST_CHECK;

/*
 * Write in disguise what people have written: the configuration, the state with the names of
 * rules, files that the doctor reads, and the kernel command line. 0 or a negative errno.
 */
int capture_texts(struct capture *capture) MUST_CHECK;

/* Note where writing failed. Returns the error, but 0 for -EEXIST. */
int capture_failed(struct capture *capture, const char *path, int error) MUST_CHECK;

/* A file cannot be looked at or read, because of `error`. */
void capture_note_unreadable(struct capture *capture, int error);
