/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor's view of TDX: the witnesses of the gate.
 */
#include "sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "sysfs.h"

#define CPUINFO	     "/proc/cpuinfo"
#define CPUINFO_HEAD 16384 /* the first processor takes 3 KiB */
#define TDX_HOST     "/sys/devices/faux/tdx_host"
#define KVM_INTEL    "/sys/module/kvm_intel/parameters/tdx"
#define CGROUP	     "/sys/fs/cgroup/misc.capacity"
#define KMSG	     "/dev/kmsg"

static enum fact read_cpuinfo(struct complaints *complaints)
{
	char text[CPUINFO_HEAD], *second;
	enum fact fact;
	int r;

	r = sysfs_read_head(CPUINFO, text, sizeof(text));
	if (r < 0) {
		complain(complaints, CPUINFO ": %s", strerror(-r));
		return FACT_UNREADABLE;
	}
	second = strstr(text, "\n\n");
	if (second)
		second[1] = '\0';
	fact = second || strlen(text) < sizeof(text) - 1 ? gate_read_cpuinfo(text)
							 : FACT_UNREADABLE;
	if (fact == FACT_UNREADABLE)
		complain(complaints, CPUINFO ": no flags of the first processor in it");
	return fact;
}

/* A small file that a function of the core understands. */
static enum fact read_file(
	struct complaints *complaints, const char *path, enum fact (*understand)(const char *text))
{
	char text[SYSFS_TEXT];
	enum fact fact;
	int r;

	r = sysfs_read(path, text, sizeof(text));
	if (r == -ENOENT)
		return FACT_ABSENT;
	if (r < 0) {
		complain(complaints, "%s: %s", path, strerror(-r));
		return FACT_UNREADABLE;
	}
	fact = understand(text);
	if (fact == FACT_UNREADABLE)
		complain(complaints, "%s: makes no sense: %.64s", path, text);
	return fact;
}

/* The last word of the log counts. */
static void read_log_line(const char *line, void *userdata)
{
	enum fact *fact = userdata, said = gate_read_log_line(line);

	if (said != FACT_ABSENT)
		*fact = said;
}

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/*
 * A read of /dev/kmsg returns one message, or EPIPE if some were overwritten meanwhile, and
 * EAGAIN after the last. Who may not read it may still read the journal.
 */
int sensor_kernel_log(void (*each)(const char *line, void *userdata), void *userdata)
{
	CLEANUP(close_file) FILE *kmsg = NULL;
	CLEANUP(free_text) char *line = NULL;
	size_t size = 0;
	int fd;

	fd = open(KMSG, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return journal_kernel_lines(each, userdata);
	kmsg = fdopen(fd, "r");
	if (!kmsg) {
		close(fd);
		return -ENOMEM;
	}
	do {
		clearerr(kmsg);
		while (getline(&line, &size, kmsg) > 0)
			each(line, userdata);
	} while (ferror(kmsg) && errno == EPIPE);
	return 0;
}

static enum fact read_kernel_log(void)
{
	enum fact fact = FACT_ABSENT;

	return sensor_kernel_log(read_log_line, &fact) < 0 ? FACT_UNREADABLE : fact;
}

void sensor_read_gate(struct sensor *sensor)
{
	struct complaints *complaints = &sensor->complaints;
	struct gate_facts facts = {
		.facts = {
			[WITNESS_CPUINFO] = read_cpuinfo(complaints),
			[WITNESS_TDX_HOST] = access(TDX_HOST, F_OK) == 0 ? FACT_YES : FACT_ABSENT,
			[WITNESS_KVM_INTEL] =
				read_file(complaints, KVM_INTEL, gate_read_kvm_parameter),
			[WITNESS_CGROUP] = read_file(complaints, CGROUP, gate_read_misc_capacity),
			[WITNESS_EARLIER] = sensor->was_active ? FACT_YES : FACT_ABSENT,
			[WITNESS_KERNEL_LOG] = FACT_ABSENT,
		}};

	/* The log is long: ask it only where firmware enabled TDX. */
	if (facts.facts[WITNESS_CPUINFO] != FACT_NO)
		facts.facts[WITNESS_KERNEL_LOG] = read_kernel_log();
	sensor->snapshot.gate = gate_judge(&facts, sensor->config->gate);
	sensor->was_active |= sensor->snapshot.gate.detected == GATE_ACTIVE;
}
