/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disguise: what would tell whose machine it is gives way to pseudonyms.
 *
 * Serial numbers and UUIDs are numbered as they turn up, so equal ones stay equal and distinct
 * ones distinct, in whatever notation and file. Of texts that people write only what is known to
 * matter stays. Lines are emptied, never taken away, so what is said of line 7 is still right.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tdxo/compiler.h"

#define UUID_TEXT   37 /* with its NUL */
#define REGION_TEXT 32

enum disguise_kind {
	DISGUISE_PLAIN,	      /* only UUIDs are looked for */
	DISGUISE_SERIAL,      /* one number */
	DISGUISE_SETTINGS,    /* tdx-onlined.conf(5), tdx-onlined.rule(5): no comments */
	DISGUISE_CMDLINE,     /* the kernel's command line: what is about memory and TDX */
	DISGUISE_UDEV,	      /* rules of udev(7) about memory: what they match, and the state */
	DISGUISE_MODPROBE,    /* modprobe.d(5) about modules of memory and KVM */
	DISGUISE_DAXCTL,      /* daxctl.conf: modes */
	DISGUISE_BOOT_PARAMS, /* the e820; not, for example, a monitor's EDID or disks' signatures */
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
	uint64_t *serials; /* the pseudonym of serials[i] is i + 1 */
	size_t n_serials;
	struct disguise_uuid {
		char text[UUID_TEXT];
	} * uuids; /* in lower case */
	size_t n_uuids;
	struct disguise_region {
		char name[REGION_TEXT], uuid[UUID_TEXT]; /* as they really are */
	} * regions;
	size_t n_regions;
};

void disguise_done(struct disguise *disguise);

/*
 * Tell of a CXL region, before any rule is disguised: a rule may match its UUID by a pattern,
 * and then names its pseudonym instead. One without a UUID has an empty one. 0 or -ENOMEM.
 */
int disguise_add_region(struct disguise *disguise, const char *name, const char *uuid) MUST_CHECK;

/* Disguise a text, which is spoilt by it. 0 or -ENOMEM. */
int disguise_text(struct disguise *disguise, enum disguise_kind kind, struct bytes *text,
	struct bytes *ret_text) MUST_CHECK;
