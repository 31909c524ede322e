/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The doctor on foreign texts, each with a NUL at its end: the kernel command line, udev rules,
 * modprobe.d, daxctl, messages of the kernel, auto_online_blocks, the name of a process, and one
 * file of each kind that may online memory. A remedy is one line of ASCII. A message may have bytes
 * of those texts, which are made printable when it is printed.
 */
#include "tdxo/doctor/doctor.h"
#include "tdxo/policy/guard.h"
#include "tests/fuzz/fuzz.h"

#define MOST 8

struct lists {
	struct doctor_udev udev[MOST];
	struct doctor_modprobe modprobe[MOST];
	struct doctor_daxctl daxctl[MOST];
	struct doctor_writer writers[MOST];
	size_t n_udev, n_modprobe, n_daxctl, n_writers;
};

/* Take the next text, without its NUL. */
static struct conf_text take_text(const uint8_t **data, size_t *size)
{
	size_t length = *size ? strnlen((const char *)*data, *size) : 0;
	struct conf_text text = {.text = (const char *)*data, .size = length};

	length += length < *size;
	*data += length;
	*size -= length;
	return text;
}

static void read_lists(struct lists *lists, const uint8_t **data, size_t *size)
{
	struct conf_text udev = take_text(data, size), modprobe = take_text(data, size);
	struct conf_text daxctl = take_text(data, size);
	struct udev_text rules = {.text = udev.text, .size = udev.size};

	while (lists->n_udev < MOST && udev_next(&rules, &lists->udev[lists->n_udev].write))
		lists->udev[lists->n_udev++].path = "/etc/udev/rules.d/10-a.rules";
	while (lists->n_modprobe < MOST &&
		modprobe_next(&modprobe, &lists->modprobe[lists->n_modprobe].line))
		lists->modprobe[lists->n_modprobe++].path = "/etc/modprobe.d/a.conf";
	while (lists->n_daxctl < MOST &&
		daxctl_next(&daxctl, &lists->daxctl[lists->n_daxctl].section))
		lists->daxctl[lists->n_daxctl++].path = "/etc/daxctl.conf.d/a.conf";
}

static void read_writers(struct lists *lists, const uint8_t **data, size_t *size)
{
	static const struct doctor_lines script = {
		PLACE_UDEV, "/etc/udev/rules.d/10-a.rules", 1, 1};
	static const struct {
		enum place place;
		const char *path;
	} files[] = {
		[WRITER_TMPFILES] = {PLACE_TMPFILES, "/usr/lib/tmpfiles.d/a.conf"},
		[WRITER_SYSFS] = {PLACE_SYSFS, "/etc/sysfs.conf"},
		[WRITER_UNIT] = {PLACE_SYSTEMD, "/usr/lib/systemd/system/a.service.d/b.conf"},
		[WRITER_SCRIPT] = {PLACE_MAX, "/usr/local/sbin/grow"},
	};

	for (enum writer_kind kind = 0; kind < WRITER_MAX; kind++) {
		struct writer_text text = {.conf = take_text(data, size), .kind = kind};
		struct writer_line line;

		while (lists->n_writers < MOST && writer_next(&text, &line)) {
			struct doctor_writer writer = {
				kind, files[kind].path, line.first, .edit = script};

			if (kind != WRITER_SCRIPT)
				writer.edit = (struct doctor_lines){
					files[kind].place, files[kind].path, line.first, line.last};
			snprintf(writer.what, sizeof(writer.what), "%.*s", WRITER_WHAT - 1,
				line.text);
			if (line.onlines)
				lists->writers[lists->n_writers++] = writer;
		}
	}
}

static void read_kernel(struct snapshot *snapshot, struct tdx_log *log, char *text)
{
	struct tdx_facts facts = {.facts[TDX_SOURCE_CPUINFO] = FACT_YES};
	char *line;

	for (enum tdx_source source = TDX_SOURCE_CPUINFO + 1; source < TDX_SOURCE_MAX; source++)
		facts.facts[source] = FACT_ABSENT;
	while ((line = strsep(&text, "\n")))
		tdx_log_read(log, line);
	tdx_read_log(log, &facts);
	snapshot->tdx = tdx_decide(&facts, TDX_MODE_AUTO);
}

static bool is_line(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length && length < size;
}

static void check(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->items[i];

		require(finding->code < FINDING_MAX && finding->severity < SEVERITY_MAX);
		require(i == 0 || finding[-1].code <= finding->code);
		require(is_string(finding->message) && finding->message[0]);
		require(is_line(finding->remedy, sizeof(finding->remedy)));
		require(is_string(finding->source));
	}
}

/* The next text as a string on the heap. */
static char *take_string(const uint8_t **data, size_t *size)
{
	struct conf_text text = take_text(data, size);

	return text_of((const uint8_t *)text.text, text.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_text_of) char *cmdline = take_string(&data, &size), *messages = NULL;
	CLEANUP(free_text_of) char *auto_online = NULL, *name = NULL;
	CLEANUP(findings_done) struct findings findings = {0};
	static struct lists lists;
	struct snapshot snapshot = {.block_size = 1 << 27, .dax_autoprobe = DAX_AUTOPROBE_ON};
	struct doctor_process agent = {.pid = 1};
	struct tdx_log log = {0};
	struct doctor_facts facts = {.tdx = &snapshot.tdx,
		.snapshot = &snapshot,
		.guard = GUARD_ALL,
		.running = true,
		.log = &log,
		.cmdline = cmdline,
		.udev = lists.udev,
		.modprobe = lists.modprobe,
		.daxctl = lists.daxctl,
		.writers = lists.writers,
		.agents = &agent,
		.n_agents = 1};

	lists.n_udev = lists.n_modprobe = lists.n_daxctl = lists.n_writers = 0;
	read_lists(&lists, &data, &size);
	messages = take_string(&data, &size);
	auto_online = take_string(&data, &size);
	name = take_string(&data, &size);
	read_writers(&lists, &data, &size);
	read_kernel(&snapshot, &log, messages);
	snprintf(snapshot.auto_online_blocks, sizeof(snapshot.auto_online_blocks), "%s",
		auto_online);
	snprintf(agent.name, sizeof(agent.name), "%s", name);
	facts.n_udev = lists.n_udev;
	facts.n_modprobe = lists.n_modprobe;
	facts.n_daxctl = lists.n_daxctl;
	facts.n_writers = lists.n_writers;
	require(doctor_examine(&facts, &findings) == 0);
	check(&findings);
	return 0;
}
