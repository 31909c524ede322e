/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The checks behind doctor_examine(), and what they share.
 */
#pragma once

#include "tdxo/base/compiler.h"
#include "tdxo/base/strbuf.h"
#include "tdxo/doctor/doctor.h"
#include "tdxo/record/remedy.h"

#define UNIT	"tdx-onlined.service"
#define RESTART "systemctl restart " UNIT
#define MEMORY	"/sys/devices/system/memory"

/*
 * A remedy is one command line, to be typed as it is printed; or whole sentences, from a capital
 * letter to a full stop, in which each command stands between single quotes.
 */

/*
 * A finding under construction. Short of memory its texts lead nowhere, and nothing more is added.
 */
struct note {
	struct finding finding;
	struct strbuf message, remedy;
	bool of_lines; /* the message names a line of a file */
};

struct examination {
	const struct doctor_facts *facts;
	struct findings findings;
	int error; /* -ENOMEM, or 0 */
};

void note_begin(struct note *note, enum finding_code code, enum severity severity);
void note_source(struct note *note, const char *format, ...) PRINTF(2, 3);
void note_end(struct examination *examination, struct note *note);

/* A finding whose texts are known as a whole. */
struct plain_finding {
	enum finding_code code;
	enum severity severity;
	const char *source, *message, *remedy;
};

void note_plain(struct examination *examination, const struct plain_finding *plain);

/*
 * Append a command that puts a comment sign before lines of a file: in a copy in the directory of
 * the administrator, if it is not there. Each part can fail, and the command can be repeated.
 */
void doctor_append_comment_out(struct strbuf *text, const struct doctor_lines *lines);

/* The same as the remedy of a finding whose message names the line. */
void note_comment_out(struct note *note, const struct doctor_lines *lines);

/*
 * Take a line up to its newline, cut off at the size; a NUL in it ends what is seen of it. False:
 * none is left.
 */
bool conf_take_line(struct conf_text *conf, char *line, size_t size) MUST_CHECK;

/* Append a command that has everything decided again, and starts the service first if needed. */
void doctor_append_reload(struct strbuf *text, const struct doctor_facts *facts);

/* The same for one dax device: what has been changed by hand on others stays. */
void doctor_append_decide(
	struct strbuf *text, const struct doctor_facts *facts, const struct device *device);

/* Append what precedes a command that starts the service: it may be masked. */
void doctor_append_unmask(struct strbuf *text, const struct doctor_facts *facts);

/* TDX is, or should be, of importance to this host. */
bool doctor_concerns_tdx(const struct doctor_facts *facts) MUST_CHECK;

/* The TDX state asks for memory to be kept out. */
bool doctor_keeps_out(const struct doctor_facts *facts) MUST_CHECK;

/* The value of a parameter of the kernel command line, the last one; false: it is not there. */
bool doctor_find_parameter(const struct doctor_facts *facts, const char *name,
	struct parameter *ret_parameter) MUST_CHECK;

/* The checks, in the order of the codes. */
void doctor_check_hotplug(struct examination *examination);
void doctor_check_writable(struct examination *examination);
void doctor_check_tdx_mode(struct examination *examination);
void doctor_check_boot_map(struct examination *examination);
void doctor_check_tdx_state(struct examination *examination);
void doctor_check_cxl_windows(struct examination *examination);
void doctor_check_late_memory(struct examination *examination);
void doctor_check_kvm(struct examination *examination);
void doctor_check_guard(struct examination *examination);
void doctor_check_command_line(struct examination *examination);
void doctor_check_udev(struct examination *examination);
void doctor_check_writers(struct examination *examination);
void doctor_check_daxctl(struct examination *examination);
void doctor_check_agents(struct examination *examination);
void doctor_check_modules(struct examination *examination);
void doctor_check_stranded(struct examination *examination);
void doctor_check_rejected(struct examination *examination);
void doctor_check_movable(struct examination *examination);
void doctor_check_boot_memory(struct examination *examination);
void doctor_check_bypassed(struct examination *examination);
