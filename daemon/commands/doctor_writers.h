/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of other programs that may online memory: which are searched, and the scripts that rules of
 * udev and units of systemd run. Functions that return int return 0 or -ENOMEM.
 */
#pragma once

#include "daemon/commands/doctor_facts.h"
#include "tdxo/base/compiler.h"

/* From strong to weak; NULL after the last. */
#define UNIT_DIRECTORIES 7
extern const char *const tmpfiles_d[], *const sysfs_d[];
extern const char *const unit_directories[UNIT_DIRECTORIES + 1];

int writers_read_tmpfiles(
	struct host *host, const char *path, const char *text, size_t size) MUST_CHECK;
int writers_read_sysfs(
	struct host *host, const char *path, const char *text, size_t size) MUST_CHECK;
int writers_read_unit(
	struct host *host, const char *path, const char *text, size_t size) MUST_CHECK;

/* The unit is masked, or a link to a unit of another name, which is read under that name. */
bool writers_is_alias(const char *path) MUST_CHECK;

/* Append the directories of drop-ins of units, such as "/etc/systemd/system/cron.service.d". */
int writers_list_drop_ins(struct layers *directories, struct host *host) MUST_CHECK;

/* Note the scripts that a command of udevd may run. */
int writers_note_rule(
	struct host *host, const char *command, const struct doctor_lines *from) MUST_CHECK;

/* Search the scripts that were noted, once each, and not what those run. */
int writers_read_scripts(struct host *host) MUST_CHECK;
