/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules, followed for two events: a memory block appears, a dax device appears.
 */
#include "tdxo/udev_rule.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdxo/array.h"
#include "udev_line.h"

#define NAME_TEXT 64 /* of a label or variable; what is longer is cut off */
#define VARIABLES 32 /* of a file; what comes after those is not known */

/* The order matters: all matches of a line are as true as the least of them. */
enum truth {
	FALSE,
	MAYBE,
	TRUE,
};

/* A device that appears: what a rule can ask of it. */
struct event {
	const char *subsystem, *kernel, *devpath;
	const char *state, *online; /* attributes; NULL: not known */
};

static const struct event events[] = {
	{"memory", "memory32", "/devices/system/memory/memory32", "offline", "0"},
	{"dax", "dax0.0", "/devices/platform/dax_region0/dax0.0", NULL, NULL},
};

struct label {
	char name[NAME_TEXT];
	unsigned int line; /* its last one */
	bool reached;
};

struct variable {
	char name[NAME_TEXT];
	char value[UDEV_WHAT];
	bool certain;
};

/* A file that is being followed for an event. */
struct follower {
	const struct udev_machine *machine;
	const struct event *event;
	struct label *labels;
	size_t n_labels;
	struct variable variables[VARIABLES];
	size_t n_variables;
	struct udev_line line;
	struct udev_writes writes;
};

static void follower_free(struct follower **follower)
{
	if (!*follower)
		return;
	free((*follower)->labels);
	udev_writes_done(&(*follower)->writes);
	free(*follower);
}

void udev_writes_done(struct udev_writes *writes)
{
	free(writes->items);
	*writes = (struct udev_writes){0};
}

static bool is(const struct udev_token *token, const char *key, const char *attribute)
{
	return strcmp(token->key, key) == 0 &&
	       (!attribute || strcmp(token->attribute, attribute) == 0);
}

static const char *begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : NULL;
}

/* --- variables --- */

static struct variable *find_variable(struct follower *follower, const char *name)
{
	for (size_t i = 0; i < follower->n_variables; i++)
		if (strncmp(follower->variables[i].name, name, NAME_TEXT - 1) == 0)
			return &follower->variables[i];
	return NULL;
}

/* A value that is but a variable: $env{NAME} or %E{NAME}. Others stay as they are. */
static const char *resolve(struct follower *follower, const char *value)
{
	const char *name = begins(value, "$env{") ?: begins(value, "%E{");
	const struct variable *variable;
	char copy[NAME_TEXT];

	if (!name || strcspn(name, "}") + 1 != strlen(name))
		return value;
	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(name, "}"), name);
	variable = find_variable(follower, copy);
	return variable ? variable->value : value;
}

static void set_variable(
	struct follower *follower, const struct udev_token *token, enum truth truth)
{
	struct variable *variable = find_variable(follower, token->attribute);
	char value[UDEV_WHAT];

	if (!variable && follower->n_variables == VARIABLES)
		return;
	if (!variable)
		variable = &follower->variables[follower->n_variables++];
	/* The value may be that of the variable itself. */
	snprintf(value, sizeof(value), "%s", resolve(follower, token->value));
	memcpy(variable->value, value, sizeof(value));
	snprintf(variable->name, sizeof(variable->name), "%s", token->attribute);
	variable->certain = truth == TRUE;
}

/* --- matches --- */

/* What a key or attribute reads, or NULL. */
static const char *known_value(struct follower *follower, const struct udev_token *token)
{
	const struct event *event = follower->event;
	const struct variable *variable;
	const struct {
		const char *key, *attribute, *value;
	} known[] = {
		{"ACTION", "", "add"},
		{"SUBSYSTEM", "", event->subsystem},
		{"SUBSYSTEMS", "", event->subsystem},
		{"KERNEL", "", event->kernel},
		{"DEVPATH", "", event->devpath},
		{"CONST", "arch", "x86-64"},
		{"CONST", "virt", follower->machine->virt},
		{"ATTR", "state", event->state},
		{"ATTR", "online", event->online},
		{"ATTR", "[dmi/id]sys_vendor", follower->machine->sys_vendor},
		{"ATTR", "[dmi/id]product_name", follower->machine->product_name},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (is(token, known[i].key, known[i].attribute))
			return known[i].value;
	if (!is(token, "ENV", NULL))
		return NULL;
	variable = find_variable(follower, token->attribute);
	return variable && variable->certain ? variable->value : NULL;
}

/* Patterns as of glob(7), with bars between them. */
static bool value_matches(const struct udev_token *token, const char *value)
{
	char pattern[UDEV_LINE];

	for (const char *at = token->value;; at++) {
		size_t length = strcspn(at, "|");

		snprintf(pattern, sizeof(pattern), "%.*s", (int)length, at);
		if (fnmatch(pattern, value, token->any_case ? FNM_CASEFOLD : 0) == 0)
			return true;
		at += length;
		if (!*at)
			return false;
	}
}

static enum truth match(struct follower *follower, const struct udev_token *token)
{
	static const char *const files[] = {"state", "online", "valid_zones", "phys_index"};
	bool equal = token->op == UDEV_EQUAL;
	const char *value;

	if (is(token, "TEST", NULL) && follower->event->state) {
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			if (strcmp(token->value, files[i]) == 0)
				return equal ? TRUE : FALSE;
		return MAYBE;
	}
	value = known_value(follower, token);
	if (!value)
		return MAYBE;
	if (value_matches(token, value) == equal)
		return TRUE;
	/* Another block, or another device, may be meant. */
	if (equal && (is(token, "KERNEL", NULL) || is(token, "DEVPATH", NULL)) &&
		strstr(token->value, follower->event->subsystem))
		return MAYBE;
	return FALSE;
}

/* What a command answers is not known; udevd takes PROGRAM="..." for a match as well. */
static enum truth match_token(struct follower *follower, const struct udev_token *token)
{
	if (token->op == UDEV_EQUAL || token->op == UDEV_NOT_EQUAL)
		return match(follower, token);
	return is(token, "PROGRAM", NULL) || is(token, "IMPORT", NULL) ? MAYBE : TRUE;
}

static enum truth match_line(struct follower *follower)
{
	enum truth truth = TRUE;

	for (size_t i = 0; i < follower->line.n; i++) {
		enum truth this = match_token(follower, &follower->line.tokens[i]);

		if (this < truth)
			truth = this;
	}
	return truth;
}

/* --- what is written --- */

/* A value that only udevd knows may be anything. */
static bool is_open(const char *value)
{
	return strpbrk(value, "$%") != NULL;
}

static bool onlines_by_attribute(const char *attribute, const char *value)
{
	if (strcmp(attribute, "online") == 0)
		return strcmp(value, "1") == 0 || is_open(value);
	if (strcmp(attribute, "state") == 0 || strstr(attribute, "auto_online_blocks"))
		return begins(value, "online") || is_open(value);
	return false;
}

static bool onlines_by_command(const char *command)
{
	static const struct {
		const char *words[2];
	} signs[] = {
		{{"online", "/state"}},
		{{"echo online", "/auto_online_blocks"}},
		{{"echo 1", "/online"}},
		{{"chmem", " -e"}},
		{{"chmem", " --enable"}},
		{{"daxctl", "online-memory"}},
		{{"daxctl", "system-ram"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (strstr(command, signs[i].words[0]) && strstr(command, signs[i].words[1]))
			return true;
	return false;
}

static bool is_command(const struct udev_token *token)
{
	return (is(token, "RUN", NULL) && strcmp(token->attribute, "builtin") != 0) ||
	       is(token, "PROGRAM", NULL) || is(token, "IMPORT", "program");
}

/* One line is told once, whatever the events that it applies to. 0 or -ENOMEM. */
static int add_write(struct follower *follower, enum udev_way way, const char *what)
{
	struct udev_writes *writes = &follower->writes;
	struct udev_write *items;

	for (size_t i = 0; i < writes->n; i++)
		if (writes->items[i].first_line == follower->line.first)
			return 0;
	items = array_room(writes->items, writes->n, sizeof(*items));
	if (!items)
		return -ENOMEM;
	writes->items = items;
	items += writes->n++;
	*items = (struct udev_write){
		.first_line = follower->line.first, .last_line = follower->line.last, .way = way};
	snprintf(items->what, sizeof(items->what), "%s", what);
	return 0;
}

/* --- the file --- */

static int add_labels(struct follower *follower)
{
	for (size_t i = 0; i < follower->line.n; i++) {
		const struct udev_token *token = &follower->line.tokens[i];
		struct label *labels;

		if (!is(token, "LABEL", NULL))
			continue;
		labels = array_room(follower->labels, follower->n_labels, sizeof(*labels));
		if (!labels)
			return -ENOMEM;
		follower->labels = labels;
		labels += follower->n_labels++;
		*labels = (struct label){.line = follower->line.last};
		snprintf(labels->name, sizeof(labels->name), "%s", token->value);
	}
	return 0;
}

/* The first label of that name after this line, or NULL: then udevd ignores the jump. */
static struct label *find_label(struct follower *follower, const char *name)
{
	for (size_t i = 0; i < follower->n_labels; i++)
		if (follower->labels[i].line > follower->line.last &&
			strncmp(follower->labels[i].name, name, NAME_TEXT - 1) == 0)
			return &follower->labels[i];
	return NULL;
}

static bool reached_here(const struct follower *follower)
{
	for (size_t i = 0; i < follower->n_labels; i++)
		if (follower->labels[i].line == follower->line.last && follower->labels[i].reached)
			return true;
	return false;
}

/* Returns as apply_line(). */
static int apply(struct follower *follower, const struct udev_token *token, enum truth truth)
{
	struct label *label;
	const char *value;

	if (is_command(token) && token->op != UDEV_REMOVE && onlines_by_command(token->value))
		return add_write(follower, UDEV_RUNS, token->value);
	if (token->op != UDEV_ASSIGN)
		return 0;
	if (is(token, "ENV", NULL))
		set_variable(follower, token, truth);
	if (is(token, "ATTR", NULL)) {
		value = resolve(follower, token->value);
		if (onlines_by_attribute(token->attribute, value))
			return add_write(follower, UDEV_WRITES, value);
	}
	if (!is(token, "GOTO", NULL))
		return 0;
	label = find_label(follower, token->value);
	if (label)
		label->reached = true;
	return label && truth == TRUE;
}

/* 0; 1: what comes next is not reached from here; -ENOMEM. */
static int apply_line(struct follower *follower, enum truth truth)
{
	int leaves = 0;

	for (size_t i = 0; i < follower->line.n; i++) {
		int r = apply(follower, &follower->line.tokens[i], truth);

		if (r < 0)
			return r;
		leaves |= r;
	}
	return leaves;
}

/* 0 or -ENOMEM. */
static int follow(struct follower *follower, struct udev_lines lines)
{
	bool here = true;

	follower->n_variables = 0;
	for (size_t i = 0; i < follower->n_labels; i++)
		follower->labels[i].reached = false;
	while (udev_lines_next(&lines, &follower->line)) {
		enum truth truth;
		int r;

		here |= reached_here(follower);
		truth = here ? match_line(follower) : FALSE;
		if (truth == FALSE)
			continue;
		r = apply_line(follower, truth);
		if (r < 0)
			return r;
		here = r == 0;
	}
	return 0;
}

int udev_rules_read(const char *text, size_t size, const struct udev_machine *machine,
	struct udev_writes *ret_writes)
{
	CLEANUP(follower_free)
	struct follower *follower = reallocarray(NULL, 1, sizeof(*follower));
	const struct udev_lines start = {.text = text, .size = size};
	struct udev_lines lines = start;
	int r = 0;

	if (!follower)
		return -ENOMEM;
	*follower = (struct follower){.machine = machine};
	while (r == 0 && udev_lines_next(&lines, &follower->line))
		r = add_labels(follower);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(events); i++) {
		follower->event = &events[i];
		r = follow(follower, start);
	}
	if (r < 0)
		return r;
	*ret_writes = follower->writes;
	follower->writes = (struct udev_writes){0};
	return 0;
}
