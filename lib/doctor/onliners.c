/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of the host: other onliners, and the kernel's switches and parameters.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/doctor/checks.h"
#include "tdxo/policy/guard.h"

#define AUTO_ONLINE MEMORY "/auto_online_blocks"
#define AUTOPROBE   "/sys/bus/dax/drivers_autoprobe"
#define CMDLINE	    "/proc/cmdline"

void doctor_check_hotplug(struct examination *examination)
{
	static const struct plain_finding plain = {FINDING_NO_MEMORY_HOTPLUG, SEVERITY_PROBLEM,
		MEMORY "/block_size_bytes",
		"The kernel has no memory hotplug: " MEMORY "/block_size_bytes "
		"cannot "
		"be read, or makes no sense.",
		"Boot a kernel with CONFIG_MEMORY_HOTPLUG=y."};

	if (!examination->facts->snapshot)
		note_plain(examination, &plain);
}

static void append_unwritable_remedy(
	struct strbuf *text, const struct doctor_unwritable *unwritable)
{
	if (unwritable->pid)
		strbuf_append(text, "Run 'systemctl revert " UNIT " && " RESTART
				    "'. It removes all drop-ins and changes of the administrator "
				    "to the unit.");
	else if (unwritable->error == EROFS)
		strbuf_append(text, "mount -o remount,rw /sys");
	else
		strbuf_append(text, "Run tdx-onlined as root, and outside of a container.");
}

void doctor_check_writable(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	struct note note;

	for (size_t i = 0; i < facts->n_unwritable; i++) {
		const struct doctor_unwritable *unwritable = &facts->unwritable[i];

		note_begin(&note, FINDING_NOT_WRITABLE, SEVERITY_PROBLEM);
		note_source(&note, "%s", unwritable->path);
		strbuf_append(&note.message, "%s cannot be written", unwritable->path);
		if (unwritable->pid)
			strbuf_append(&note.message, " by the daemon (process %" PRIu64 ")",
				unwritable->pid);
		strbuf_append(&note.message, ": %s.", strerror(unwritable->error));
		append_unwritable_remedy(&note.remedy, unwritable);
		note_end(examination, &note);
	}
}

/* --- the guard --- */

/* The command alone, or sentences; with a parameter for the kernel command line, or NULL. */
static void append_guard_remedy(
	struct strbuf *text, const struct doctor_facts *facts, const char *parameter)
{
	bool sentence = parameter || facts->observe || facts->guard_never;

	if (facts->observe || facts->guard_never) {
		strbuf_append(text, "Set %s in tdx-onlined.conf(5), then run '",
			facts->observe ? "Act=yes" : "Guard=auto");
		doctor_append_reload(text, facts);
	} else {
		strbuf_append(text, "%s", sentence ? "Run '" : "");
		if (!facts->running)
			doctor_append_unmask(text, facts);
		strbuf_append(
			text, "%s", facts->running ? RESTART : "systemctl enable --now " UNIT);
	}
	if (sentence)
		strbuf_append(text, "'.");
	if (parameter)
		strbuf_append(text,
			" Put %s on the kernel command line, for the time before the "
			"daemon starts.",
			parameter);
}

/* Does TDX, or a rule, need the kernel to leave this to the daemon? */
static bool is_needed(const struct doctor_facts *facts, enum guard_switch i)
{
	return doctor_keeps_out(facts) || facts->guard & GUARD_SWITCH(i);
}

void doctor_check_guard(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	struct note note;

	if (!facts->snapshot)
		return;
	if (is_needed(facts, GUARD_AUTO_ONLINE) && facts->snapshot->auto_online_blocks[0] &&
		strcmp(facts->snapshot->auto_online_blocks, "offline") != 0) {
		note_begin(&note, FINDING_KERNEL_POLICY, SEVERITY_PROBLEM);
		note_source(&note, AUTO_ONLINE);
		strbuf_append(&note.message,
			AUTO_ONLINE " is %s: the kernel onlines memory when it is added, before it "
				    "is decided.",
			facts->snapshot->auto_online_blocks);
		append_guard_remedy(&note.remedy, facts,
			doctor_keeps_out(facts) ? "memhp_default_state=offline" : NULL);
		note_end(examination, &note);
	}
	if (is_needed(facts, GUARD_DAX) && facts->snapshot->dax_autoprobe == DAX_AUTOPROBE_ON) {
		note_begin(&note, FINDING_GUARD_DOWN, SEVERITY_PROBLEM);
		note_source(&note, AUTOPROBE);
		strbuf_append(&note.message,
			AUTOPROBE " is 1: kmem takes a dax device when it appears, before it is "
				  "decided.");
		append_guard_remedy(&note.remedy, facts, NULL);
		note_end(examination, &note);
	}
}

/* --- the kernel command line --- */

static bool begins_with_online(const struct parameter *parameter)
{
	return strncmp(parameter->value, "online", strlen("online")) == 0;
}

static bool is_off(const struct parameter *parameter)
{
	return strcmp(parameter->value, "off") == 0;
}

static bool forbids_soft_reserve(const struct parameter *parameter)
{
	return parameter_lists(parameter, "nosoftreserve");
}

static bool adds_ram(const struct parameter *parameter)
{
	return strchr(parameter->value, '@') != NULL;
}

static bool is_given(const struct parameter *parameter)
{
	(void)parameter;
	return true;
}

/* What is in the way only where TDX is of importance, apart from the first. */
static const struct {
	const char *name;
	bool (*holds)(const struct parameter *parameter);
	bool last_counts; /* an earlier one of the name has no effect */
	enum severity severity;
	const char *clause, *remedy;
} parameters[] = {
	{"tdx_onlined", is_off, true, SEVERITY_PROBLEM, "tdx-onlined.service does not start",
		"Remove it from the kernel command line, then boot again."},
	{"memhp_default_state", begins_with_online, true, SEVERITY_PROBLEM,
		"the kernel onlines memory when it is added, before it is decided",
		"Put memhp_default_state=offline on the kernel command line instead, then boot "
		"again."},
	{"efi", forbids_soft_reserve, false, SEVERITY_PROBLEM,
		"memory that firmware sets apart, CXL memory above all, becomes ordinary RAM. It "
		"is "
		"not TDX memory, so TDX cannot initialize",
		"Remove nosoftreserve from efi= on the kernel command line, then boot again."},
	{"efi_fake_mem", is_given, false, SEVERITY_NOTICE,
		"memory whose attributes are changed by it may not be what firmware reported",
		"Take it off the kernel command line, then boot again."},
	{"memmap", adds_ram, false, SEVERITY_PROBLEM,
		"it makes RAM of memory that firmware did not report as RAM. If TDX cannot protect "
		"it, TDX cannot initialize",
		"Take it off the kernel command line, then boot again."},
	{"movable_node", is_given, false, SEVERITY_NOTICE,
		"boot memory that can be unplugged is in ZONE_MOVABLE, where no confidential VM "
		"can "
		"use it",
		"Remove it from the kernel command line, then boot again."},
	{"movablecore", is_given, true, SEVERITY_NOTICE,
		"boot memory is in ZONE_MOVABLE, where no confidential VM can use it",
		"Remove it from the kernel command line, then boot again."},
	{"kernelcore", is_given, true, SEVERITY_NOTICE,
		"all other boot memory is in ZONE_MOVABLE, where no confidential VM can use it",
		"Remove it from the kernel command line, then boot again."},
};

static void find_in_command_line(
	struct examination *examination, size_t i, const struct parameter *parameter)
{
	struct note note;

	note_begin(&note, FINDING_KERNEL_COMMAND_LINE, parameters[i].severity);
	note_source(&note, CMDLINE);
	strbuf_append(&note.message, "%s%s%s on the kernel command line: %s.", parameter->name,
		parameter->value[0] ? "=" : "", parameter->value, parameters[i].clause);
	strbuf_append(&note.remedy, "%s", parameters[i].remedy);
	note_end(examination, &note);
}

void doctor_check_command_line(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	struct parameter parameter, last[ARRAY_SIZE(parameters)] = {0};
	const char *text = facts->cmdline ?: "";

	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (parameters[i].last_counts)
			(void)!doctor_find_parameter(facts, parameters[i].name, &last[i]);
	while (parameter_next(&text, &parameter))
		for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
			if (strcmp(parameter.name, parameters[i].name) != 0 ||
				!parameters[i].holds(&parameter) ||
				(i && !doctor_concerns_tdx(facts)))
				continue;
			if (parameters[i].last_counts &&
				strcmp(parameter.value, last[i].value) != 0)
				continue;
			find_in_command_line(examination, i, &parameter);
		}
}

/* --- other onliners --- */

/* Without TDX they only come before the rules of the administrator. */
static enum severity onliner_severity(const struct examination *examination)
{
	return doctor_keeps_out(examination->facts) ? SEVERITY_PROBLEM : SEVERITY_NOTICE;
}

void doctor_check_udev(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	struct note note;

	for (size_t i = 0; i < facts->n_udev; i++) {
		const char *path = facts->udev[i].path;
		const struct udev_write *write = &facts->udev[i].write;

		/* Its conditions are not evaluated: it may have no effect on this machine. */
		note_begin(&note, FINDING_UDEV_RULE, SEVERITY_NOTICE);
		note_source(&note, "%s:%u", path, write->first_line);
		if (write->way == UDEV_WRITES)
			strbuf_append(&note.message,
				"%s:%u may online memory: udevd writes %s to a device that "
				"appears.",
				path, write->first_line, write->what);
		else
			strbuf_append(&note.message, "%s:%u may online memory: udevd runs %s", path,
				write->first_line, write->what);
		note_comment_out(&note, &(struct doctor_lines){PLACE_UDEV, path, write->first_line,
						write->last_line});
		note_end(examination, &note);
	}
}

void doctor_check_daxctl(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	struct note note;

	for (size_t i = 0; i < facts->n_daxctl; i++) {
		const struct daxctl_section *section = &facts->daxctl[i].section;

		if (!section->system_ram || section->stays_offline)
			continue;
		note_begin(&note, FINDING_DAXCTL_CONFIG, onliner_severity(examination));
		note_source(&note, "%s:%u", facts->daxctl[i].path, section->line);
		strbuf_append(&note.message,
			"%s:%u: daxctl makes memory of the device of section [reconfigure-device "
			"%s] "
			"when it appears, and onlines it.",
			facts->daxctl[i].path, section->line, section->name);
		strbuf_append(
			&note.remedy, "Set mode = devdax, or online = false, in that section.");
		note_end(examination, &note);
	}
}

void doctor_check_agents(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	struct note note;

	for (size_t i = 0; i < facts->n_agents; i++) {
		note_begin(&note, FINDING_GUEST_AGENT, onliner_severity(examination));
		note_source(&note, "/proc/%" PRIu64 "/comm", facts->agents[i].pid);
		strbuf_append(&note.message,
			"%s runs (process %" PRIu64
			"): it onlines memory blocks when the hypervisor "
			"sends guest-set-memory-blocks.",
			facts->agents[i].name, facts->agents[i].pid);
		/* Debian's udev rule starts a unit that is only disabled. */
		strbuf_append(&note.remedy,
			"Run 'systemctl mask --now qemu-guest-agent.service'; or set "
			"block-rpcs=guest-set-memory-blocks (before QEMU 7.2: blacklist=) in "
			"[general] of /etc/qemu/qemu-ga.conf, then restart the agent.");
		note_end(examination, &note);
	}
}

/* --- modules --- */

/* What is lost without a module. */
static const struct {
	const char *module, *loss;
} modules[] = {
	{"kmem", "no dax device can become memory"},
	{"device_dax", "memory that must stay out cannot be used as a devdax device"},
	{"dax_cxl", "CXL memory does not appear as a dax device"},
	{"dax_hmem", "soft-reserved memory does not appear as a dax device"},
};

static const char *loss_of(const char *module)
{
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		if (strcmp(modules[i].module, module) == 0)
			return modules[i].loss;
	return NULL;
}

static void find_in_modprobe(
	struct examination *examination, const struct doctor_modprobe *modprobe)
{
	const struct modprobe_line *line = &modprobe->line;
	const char *loss = loss_of(line->module);
	struct note note;

	if (!loss || line->command == MODPROBE_OPTIONS)
		return;
	/* Other commands may well load it in the end. */
	if (line->command == MODPROBE_INSTALL && !strstr(line->rest, "/false") &&
		!strstr(line->rest, "/true"))
		return;
	note_begin(&note, FINDING_MODULE_BLACKLISTED, SEVERITY_PROBLEM);
	note_source(&note, "%s:%u", modprobe->path, line->first);
	strbuf_append(&note.message, "%s:%u keeps %s from being loaded: %s.", modprobe->path,
		line->first, line->module, loss);
	note_comment_out(&note,
		&(struct doctor_lines){PLACE_MODPROBE, modprobe->path, line->first, line->last});
	strbuf_append(&note.remedy, " && modprobe %s", line->module);
	note_end(examination, &note);
}

static void find_in_blacklist(struct examination *examination, const struct parameter *parameter)
{
	struct note note;

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		if (!parameter_lists(parameter, modules[i].module))
			continue;
		note_begin(&note, FINDING_MODULE_BLACKLISTED, SEVERITY_PROBLEM);
		note_source(&note, CMDLINE);
		strbuf_append(&note.message,
			"%s= on the kernel command line keeps %s from being loaded: %s.",
			parameter->name, modules[i].module, modules[i].loss);
		strbuf_append(&note.remedy,
			"Take %s off %s= on the kernel command line, then boot again.",
			modules[i].module, parameter->name);
		note_end(examination, &note);
	}
}

void doctor_check_modules(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	const char *text = facts->cmdline ?: "";
	struct parameter parameter;

	for (size_t i = 0; i < facts->n_modprobe; i++)
		find_in_modprobe(examination, &facts->modprobe[i]);
	while (parameter_next(&text, &parameter))
		if (strcmp(parameter.name, "modprobe.blacklist") == 0 ||
			strcmp(parameter.name, "module_blacklist") == 0)
			find_in_blacklist(examination, &parameter);
}

void doctor_check_bypassed(struct examination *examination)
{
	const struct doctor_facts *facts = examination->facts;
	struct note note;

	for (size_t i = 0; i < facts->n_bypassed; i++) {
		const struct device *device = &facts->bypassed[i];

		note_begin(&note, FINDING_GUARD_BYPASSED, SEVERITY_NOTICE);
		note_source(&note, "/sys/bus/dax/devices/%s/driver", device->name);
		strbuf_append(&note.message,
			"Another process bound the driver %s to %s while the guard was up. "
			"'daxctl reconfigure-device' and 'daxctl create-device' write to new_id of "
			"a "
			"driver, and the kernel then binds that driver to each device that has "
			"none.",
			dax_driver_to_string(device->driver), device->name);
		strbuf_append(&note.remedy,
			"Nothing is needed to leave it as it is. To have it decided again, run '");
		doctor_append_decide(&note.remedy, facts, device);
		strbuf_append(&note.remedy, "'.");
		note_end(examination, &note);
	}
}
