/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The doctor: the list of checks, and how a finding is made.
 */
#include "tdxo/doctor/doctor.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/doctor/checks.h"
#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"

static const char *const codes[] = {
	[FINDING_NO_MEMORY_HOTPLUG] = "no-memory-hotplug",
	[FINDING_NOT_WRITABLE] = "not-writable",
	[FINDING_TDX_OVERRIDDEN] = "tdx-overridden",
	[FINDING_BOOT_MAP_UNKNOWN] = "boot-map-unknown",
	[FINDING_TDX_HIBERNATION] = "tdx-hibernation",
	[FINDING_TDX_FEW_KEYS] = "tdx-few-keys",
	[FINDING_TDX_MODULE_MISSING] = "tdx-module-missing",
	[FINDING_TDX_MODULE_OLD] = "tdx-module-old",
	[FINDING_TDX_PROCESSOR] = "tdx-processor",
	[FINDING_TDX_INIT_FAILED] = "tdx-init-failed",
	[FINDING_TDX_NOT_STARTED] = "tdx-not-started",
	[FINDING_TDX_UNKNOWN] = "tdx-state-unknown",
	[FINDING_BOOT_MAP_IN_CXL_WINDOW] = "boot-map-in-cxl-window",
	[FINDING_LATE_MEMORY] = "late-memory-before-tdx",
	[FINDING_KVM_NOT_LOADED] = "kvm-not-loaded",
	[FINDING_KVM_TDX_OFF] = "kvm-tdx-off",
	[FINDING_KERNEL_POLICY] = "kernel-policy",
	[FINDING_GUARD_DOWN] = "guard-down",
	[FINDING_KERNEL_COMMAND_LINE] = "kernel-command-line",
	[FINDING_UDEV_RULE] = "udev-rule",
	[FINDING_TMPFILES_CONFIG] = "tmpfiles-config",
	[FINDING_SYSFS_CONFIG] = "sysfs-config",
	[FINDING_SYSTEMD_UNIT] = "systemd-unit",
	[FINDING_SCRIPT] = "script",
	[FINDING_DAXCTL_CONFIG] = "daxctl-config",
	[FINDING_GUEST_AGENT] = "guest-agent",
	[FINDING_MODULE_BLACKLISTED] = "kmem-blacklisted",
	[FINDING_STRANDED] = "stranded",
	[FINDING_MEMORY_REJECTED] = "memory-rejected",
	[FINDING_MOVABLE_ZONE] = "movable-zone",
	[FINDING_BOOT_MEMORY_OFFLINE] = "boot-memory-offline",
	[FINDING_GUARD_BYPASSED] = "guard-bypassed",
};
DEFINE_TO_STRING(finding_code, enum finding_code, codes, FINDING_MAX)

static const char *const severities[] = {
	[SEVERITY_PROBLEM] = "problem",
	[SEVERITY_NOTICE] = "notice",
};
DEFINE_TO_STRING(severity, enum severity, severities, SEVERITY_MAX)

void findings_done(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings){0};
}

void note_begin(struct note *note, enum finding_code code, enum severity severity)
{
	note->finding = (struct finding){.code = code, .severity = severity};
	note->of_lines = false;
	note->message = strbuf_in(note->finding.message, sizeof(note->finding.message));
	note->remedy = strbuf_in(note->finding.remedy, sizeof(note->finding.remedy));
}

void note_source(struct note *note, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(note->finding.source, sizeof(note->finding.source), format, args);
	va_end(args);
}

void note_end(struct examination *examination, struct note *note)
{
	struct findings *findings = &examination->findings;

	/* Half a command would be worse than none. */
	if (note->remedy.n >= sizeof(note->finding.remedy) - 1)
		snprintf(note->finding.remedy, sizeof(note->finding.remedy), "%s",
			note->of_lines ? "Comment out the line that the message names."
				       : "Remove the cause that the message names.");
	if (array_append(findings->items, findings->n, note->finding) < 0)
		examination->error = -ENOMEM;
}

void note_plain(struct examination *examination, const struct plain_finding *plain)
{
	struct note note;

	note_begin(&note, plain->code, plain->severity);
	note_source(&note, "%s", plain->source);
	strbuf_append(&note.message, "%s", plain->message);
	strbuf_append(&note.remedy, "%s", plain->remedy);
	note_end(examination, &note);
}

static void append_escaped(
	struct strbuf *text, const char *path, const char *quote, const char *backslash)
{
	for (; *path; path++)
		if (*path == '\'')
			strbuf_append(text, "%s", quote);
		else if (*path == '\\')
			strbuf_append(text, "%s", backslash);
		else
			strbuf_append(text, "%c", *path);
}

/*
 * A path for a shell: in quotes, if it has anything in it that wants them. In $'...' a shell reads
 * the \xNN that is printed for a byte as that byte.
 */
static void append_path(struct strbuf *text, const char *path)
{
	if (path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			      "/._-+@")] == '\0') {
		strbuf_append(text, "%s", path);
		return;
	}
	if (is_printable_text(path)) {
		strbuf_append(text, "'");
		append_escaped(text, path, "'\\''", "\\");
	} else {
		strbuf_append(text, "$'");
		append_escaped(text, path, "\\'", "\\\\");
	}
	strbuf_append(text, "'");
}

/* From daemons and commands that read the files: what has them read again, if it is needed. */
static const struct {
	const char *directory, *then;
} places[] = {
	[PLACE_UDEV] = {"/etc/udev/rules.d", " && udevadm control --reload"},
	[PLACE_MODPROBE] = {"/etc/modprobe.d", ""},
	[PLACE_TMPFILES] = {"/etc/tmpfiles.d", ""},
	[PLACE_SYSFS] = {"/etc", ""},
	[PLACE_SYSTEMD] = {"/etc/systemd/system", " && systemctl daemon-reload"},
};
static_assert(ARRAY_SIZE(places) == PLACE_MAX, "a directory for each place");

/* The directory for a copy. The name of a directory of drop-ins (systemd.unit(5)) is kept. */
static void find_directory(const struct doctor_lines *lines, char directory[FINDING_TEXT])
{
	struct strbuf text = strbuf_in(directory, FINDING_TEXT);
	const char *end = strrchr(lines->path, '/'), *start = end;

	strbuf_append(&text, "%s", places[lines->place].directory);
	while (start > lines->path && start[-1] != '/')
		start--;
	if (lines->place == PLACE_SYSTEMD && end - start > 2 && strncmp(end - 2, ".d", 2) == 0)
		strbuf_append(&text, "/%.*s", (int)(end - start), start);
}

/* A part of a copy is never read: its name does not end as the names of those files do. */
static void append_copy(struct strbuf *text, const struct doctor_lines *lines, const char *copy)
{
	char directory[FINDING_TEXT], new[FINDING_TEXT];
	struct strbuf name = strbuf_in(new, sizeof(new));

	find_directory(lines, directory);
	strbuf_append(&name, "%s.new", copy);
	strbuf_append(text, "mkdir -p ");
	append_path(text, directory);
	strbuf_append(text, " && { test -e ");
	append_path(text, copy);
	strbuf_append(text, " || { cp ");
	append_path(text, lines->path);
	strbuf_append(text, " ");
	append_path(text, new);
	strbuf_append(text, " && mv ");
	append_path(text, new);
	strbuf_append(text, " ");
	append_path(text, copy);
	strbuf_append(text, "; }; } && ");
}

/* There may be a copy already, from another finding: it counts, and is not overwritten. */
void doctor_append_comment_out(struct strbuf *text, const struct doctor_lines *lines)
{
	const char *directory = places[lines->place].directory;
	char copy[FINDING_TEXT];
	struct strbuf name = strbuf_in(copy, sizeof(copy));
	size_t length = strlen(directory);

	if (strncmp(lines->path, directory, length) == 0 && lines->path[length] == '/') {
		strbuf_append(&name, "%s", lines->path);
	} else {
		find_directory(lines, copy);
		name.n = strlen(copy);
		strbuf_append(&name, "%s", strrchr(lines->path, '/'));
		append_copy(text, lines, copy);
	}
	strbuf_append(text, "sed -i '%u", lines->first);
	if (lines->last != lines->first)
		strbuf_append(text, ",%u", lines->last);
	strbuf_append(text, "s/^/#/' ");
	append_path(text, copy);
	strbuf_append(text, "%s", places[lines->place].then);
}

void note_comment_out(struct note *note, const struct doctor_lines *lines)
{
	note->of_lines = true;
	doctor_append_comment_out(&note->remedy, lines);
}

void doctor_append_unmask(struct strbuf *text, const struct doctor_facts *facts)
{
	if (facts->masked)
		strbuf_append(text, "systemctl unmask " UNIT " && ");
}

static void append_start(struct strbuf *text, const struct doctor_facts *facts)
{
	if (facts->running)
		return;
	doctor_append_unmask(text, facts);
	strbuf_append(text, "systemctl start " UNIT " && ");
}

void doctor_append_reload(struct strbuf *text, const struct doctor_facts *facts)
{
	append_start(text, facts);
	strbuf_append(text, "systemctl reload " UNIT);
}

void doctor_append_decide(
	struct strbuf *text, const struct doctor_facts *facts, const struct device *device)
{
	append_start(text, facts);
	strbuf_append(text, "tdx-onlinectl decide %s", device->name);
}

bool doctor_concerns_tdx(const struct doctor_facts *facts)
{
	return facts->log->enabled || tdx_refuses(facts->tdx) ||
	       facts->tdx->detected != TDX_ABSENT || facts->tdx->cause != TDX_CAUSE_NOT_ENABLED;
}

bool doctor_keeps_out(const struct doctor_facts *facts)
{
	return facts->snapshot && tdx_refuses(facts->tdx);
}

bool doctor_find_parameter(
	const struct doctor_facts *facts, const char *name, struct parameter *ret_parameter)
{
	const char *text = facts->cmdline ?: "";
	struct parameter parameter;
	bool found = false;

	while (parameter_next(&text, &parameter)) {
		if (strcmp(parameter.name, name) != 0)
			continue;
		*ret_parameter = parameter;
		found = true;
	}
	return found;
}

int doctor_examine(const struct doctor_facts *facts, struct findings *ret_findings)
{
	static void (*const checks[])(struct examination * examination) = {
		doctor_check_hotplug,
		doctor_check_writable,
		doctor_check_tdx_mode,
		doctor_check_boot_map,
		doctor_check_tdx_state,
		doctor_check_cxl_windows,
		doctor_check_late_memory,
		doctor_check_kvm,
		doctor_check_guard,
		doctor_check_command_line,
		doctor_check_udev,
		doctor_check_writers,
		doctor_check_daxctl,
		doctor_check_agents,
		doctor_check_modules,
		doctor_check_stranded,
		doctor_check_rejected,
		doctor_check_movable,
		doctor_check_boot_memory,
		doctor_check_bypassed,
	};
	struct examination examination = {.facts = facts};

	for (size_t i = 0; examination.error == 0 && i < ARRAY_SIZE(checks); i++)
		checks[i](&examination);
	if (examination.error < 0) {
		findings_done(&examination.findings);
		return examination.error;
	}
	*ret_findings = examination.findings;
	return 0;
}
