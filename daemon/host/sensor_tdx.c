/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sensor's view of TDX: the sources of the TDX state.
 */
#include "daemon/host/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/cleanup.h"
#include "daemon/host/kernel_log.h"
#include "daemon/host/paths.h"
#include "daemon/host/sysfs.h"
#include "tdxo/tdx/kmsg.h"

#define CPUINFO_HEAD 16384 /* the first processor takes 3 KiB */
#define KMSG_RECORD  8192  /* PRINTK_MESSAGE_MAX is 2048 (kernel/printk/internal.h, 6.12) */

static enum fact read_cpuinfo(struct complaints *complaints)
{
	char text[CPUINFO_HEAD], *second;
	enum fact fact;
	int r;

	r = sysfs_read_head(PROC_CPUINFO, text, sizeof(text));
	if (r < 0) {
		complain(complaints, PROC_CPUINFO ": %s", strerror(-r));
		return FACT_UNREADABLE;
	}
	second = strstr(text, "\n\n");
	if (second)
		second[1] = '\0';
	fact = second || strlen(text) < sizeof(text) - 1 ? tdx_read_cpuinfo(text) : FACT_UNREADABLE;
	if (fact == FACT_UNREADABLE)
		complain(complaints, PROC_CPUINFO ": the flags of the first processor are missing");
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
		complain(complaints, "%s: unexpected content: %.64s", path, text);
	return fact;
}

static struct kernel_release read_release(struct complaints *complaints)
{
	struct kernel_release release = {0};
	char text[SYSFS_TEXT];
	int r;

	r = sysfs_read(PROC_OSRELEASE, text, sizeof(text));
	if (r == 0)
		release = kernel_release_parse(text);
	/* A captured tree may lack it; a file that is there should make sense. */
	if (r < 0 && r != -ENOENT)
		complain(complaints, PROC_OSRELEASE ": %s", strerror(-r));
	else if (r == 0 && !release.major)
		complain(complaints, PROC_OSRELEASE ": not a kernel release: %.64s", text);
	return release;
}

/* A file that cannot be read, or not as a whole, is not one without the lines. */
static void read_states(struct complaints *complaints, struct tdx_facts *facts)
{
	CLEANUP(free_text) char *text = NULL;
	size_t size;
	int r;

	r = sysfs_read_text(SYS_CPU_STATES, &text, &size);
	tdx_read_states(r == 0 && strlen(text) == size ? text : "", facts);
	if (r == -ENOENT) {
		facts->facts[TDX_SOURCE_CORE_STATE] = FACT_ABSENT;
		facts->facts[TDX_SOURCE_KVM_STATE] = FACT_ABSENT;
	}
	/* Before 7.1 nothing depends on it, and a captured tree may lack it. */
	if (r < 0 && (r != -ENOENT || kernel_starts_tdx_at_boot(facts->release)))
		complain(complaints, SYS_CPU_STATES ": %s", strerror(-r));
	else if (r == 0 && facts->facts[TDX_SOURCE_CORE_STATE] == FACT_UNREADABLE)
		complain(complaints, SYS_CPU_STATES ": not a complete list of states");
}

static enum fact read_tdx_host(struct complaints *complaints)
{
	if (access(SYS_TDX_HOST, F_OK) == 0)
		return FACT_YES;
	if (errno == ENOENT)
		return FACT_ABSENT;
	complain(complaints, SYS_TDX_HOST ": %s", strerror(errno));
	return FACT_UNREADABLE;
}

/* False at the end. A line with a NUL, or longer than any of the kernel's, is empty then. */
static bool read_line(FILE *file, char line[KMSG_RECORD])
{
	bool whole = true;
	size_t n = 0;
	int c;

	while ((c = getc(file)) != EOF && c != '\n') {
		whole &= c && n < KMSG_RECORD - 1;
		if (whole)
			line[n++] = (char)c;
	}
	line[whole && c != EOF ? n : 0] = '\0';
	return c != EOF || n || !whole;
}

/*
 * A read of /dev/kmsg returns one record, EPIPE if some were overwritten meanwhile, and EAGAIN
 * after the last. -EBADMSG if there were lines that are no records; all others have been read.
 */
static int read_kmsg(FILE *kmsg, void (*each)(const char *message, void *userdata), void *userdata)
{
	char line[KMSG_RECORD];
	const char *message;
	int r = 0;

	do {
		clearerr(kmsg);
		while (read_line(kmsg, line)) {
			if (kmsg_parse(line, &message) < 0)
				r = -EBADMSG;
			else if (message)
				each(message, userdata);
		}
	} while (ferror(kmsg) && errno == EPIPE);
	return ferror(kmsg) && errno != EAGAIN ? -errno : r;
}

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

int sensor_kernel_log(void (*each)(const char *message, void *userdata), void *userdata)
{
	CLEANUP(close_file) FILE *kmsg = NULL;
	int fd;

	/* In the service's sandbox it is hidden; the journal has the same messages. */
	fd = open(DEV_KMSG, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return kernel_log_from_journal(each, userdata);
	kmsg = fdopen(fd, "r");
	if (!kmsg) {
		close(fd);
		return -ENOMEM;
	}
	return read_kmsg(kmsg, each, userdata);
}

struct log_reader {
	struct tdx_log *tdx;
	struct rejection_reader rejected;
};

static void read_log_message(const char *message, void *userdata)
{
	struct log_reader *reader = userdata;

	tdx_log_read(reader->tdx, message);
	rejection_read(&reader->rejected, message);
}

/* What has proved a failure earlier in this boot proves it when the log has rotated, too. */
static void read_kernel_log(struct sensor *sensor, struct tdx_facts *facts)
{
	struct log_reader reader = {
		.tdx = &sensor->log, .rejected.rejections = &sensor->snapshot.rejected};

	sensor->log = sensor->tdx_failure;
	sensor->log_error = sensor_kernel_log(read_log_message, &reader);
	if (sensor->log_error == 0)
		sensor->log_error = reader.rejected.error;
	if (reader.rejected.full)
		complain(&sensor->complaints,
			"kernel log: the kernel rejected more than %d ranges of memory: the "
			"others are not reported",
			REJECTIONS_MOST);
	tdx_read_log(&sensor->log, facts);
	if (sensor->log_error < 0 && facts->facts[TDX_SOURCE_KERNEL_LOG] == FACT_ABSENT)
		facts->facts[TDX_SOURCE_KERNEL_LOG] = FACT_UNREADABLE;
}

/* Without privileges the log is often hidden: that matters where it could decide. */
static void complain_of_log(struct sensor *sensor)
{
	enum tdx_state detected = sensor->snapshot.tdx.detected;

	if (sensor->log_error == -EBADMSG)
		complain(&sensor->complaints,
			DEV_KMSG ": lines that are not kernel messages are ignored");
	else if (sensor->log_error < 0 && (detected == TDX_ARMED || detected == TDX_UNKNOWN))
		complain(&sensor->complaints, "kernel log: %s", strerror(-sensor->log_error));
}

/* What holds until the next boot, although its source may change. */
static void remember(struct sensor *sensor)
{
	const struct tdx *tdx = &sensor->snapshot.tdx;

	sensor->was_active |= tdx->detected == TDX_ACTIVE;
	/* Read again, its messages prove no more than they do now. */
	if (tdx->detected == TDX_ABSENT && *tdx_evidence_line(tdx))
		sensor->tdx_failure = sensor->log;
}

void sensor_read_tdx(struct sensor *sensor)
{
	struct complaints *complaints = &sensor->complaints;
	struct tdx_facts facts = {.release = read_release(complaints)};

	facts.facts[TDX_SOURCE_CPUINFO] = read_cpuinfo(complaints);
	read_states(complaints, &facts);
	facts.facts[TDX_SOURCE_TDX_HOST] = read_tdx_host(complaints);
	facts.facts[TDX_SOURCE_KVM_INTEL] =
		read_file(complaints, SYS_KVM_TDX, tdx_read_kvm_parameter);
	facts.facts[TDX_SOURCE_CGROUP] =
		read_file(complaints, SYS_MISC_CGROUP, tdx_read_misc_capacity);
	facts.facts[TDX_SOURCE_EARLIER] = sensor->was_active ? FACT_YES : FACT_ABSENT;
	read_kernel_log(sensor, &facts);
	sensor->snapshot.tdx = tdx_decide(&facts, sensor->config->tdx);
	complain_of_log(sensor);
	remember(sensor);
}
