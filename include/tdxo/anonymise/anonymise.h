/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disguise: texts of a machine without what identifies the machine or its owner.
 *
 * Serial numbers and UUIDs are numbered in the order in which they turn up: equal ones stay equal
 * and distinct ones distinct, in every notation and file. A text that people write is not edited:
 * what this program has read of it is written again, so nothing else can be in the result.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tdxo/base/compiler.h"

/* Files of the kernel. */
enum disguise_kind {
	DISGUISE_PLAIN,	      /* UUIDs are replaced */
	DISGUISE_SERIAL,      /* one number */
	DISGUISE_RELEASE,     /* version and patch level; not the name of a local build */
	DISGUISE_BOOT_PARAMS, /* the e820; not a monitor's EDID or the signatures of disks */
	DISGUISE_KINDS,
};

/* A growing text, not NUL-terminated. */
struct bytes {
	char *bytes;
	size_t n;
};

/* Texts start as {0}. 0 or -ENOMEM. */
int bytes_append(struct bytes *text, const char *bytes, size_t n) MUST_CHECK;
void bytes_done(struct bytes *text);

struct disguise {
	void *pseudonyms; /* the root of a tree */
	size_t n_pseudonyms;
	struct disguise_device {
		char name[64];
	} * devices;
	size_t n_devices;
};

void disguise_done(struct disguise *disguise);

/*
 * Add a name or UUID that a pattern in a rule may match, before rules are disguised. 0 or -ENOMEM.
 */
int disguise_add_device(struct disguise *disguise, const char *name) MUST_CHECK;

#define DISGUISED_RELEASE 32

/* The kernel release as of DISGUISE_RELEASE; "?": it has no version. */
const char *disguise_release(const char *release, char buf[DISGUISED_RELEASE]);

/* Disguise a file of the kernel. 0 or -ENOMEM. */
int disguise_text(struct disguise *disguise, enum disguise_kind kind, const struct bytes *text,
	struct bytes *ret_text) MUST_CHECK;

/*
 * Disguise a rule that has no mistake: its sections and keys, each in its line. A pattern becomes
 * a list of the names that it matches. 0 or -ENOMEM.
 */
int disguise_rule(struct disguise *disguise, const char *text, size_t size,
	struct bytes *ret_text) MUST_CHECK;

/* Disguise the kernel command line: parameters that the doctor looks at. 0 or -ENOMEM. */
int disguise_cmdline(const char *text, struct bytes *ret_text) MUST_CHECK;
