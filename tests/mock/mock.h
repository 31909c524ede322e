/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mock machine with the real daemon in it.
 *
 * Each test has a machine of its own: an umockdev testbed with 1 GiB of boot RAM in blocks of
 * 128 MiB, no TDX, and the dax drivers loaded. Things are put together aside and renamed into
 * their places, as far as one look of the daemon can see them; then comes the uevent.
 *
 * What the daemon says is read line by line. A line that a test expects is waited for, and can
 * be expected only once; mock_expect_silence() at the end finds what nobody expected. To know
 * that something does NOT lead to a record, a test lets another range arrive afterwards, waits
 * for that one's record, and stops the daemon.
 *
 * What is not modelled: lost events (a unix socket holds 10 and umockdev drops what is too
 * much), and events of the kernel's own, such as those of a bind.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>
#include <umockdev.h>

#define MIB   (UINT64_C(1) << 20)
#define GIB   (UINT64_C(1) << 30)
#define BLOCK (128 * MIB)

#define MEMORY	      "/sys/devices/system/memory"
#define AUTO_ONLINE   MEMORY "/auto_online_blocks"
#define DAX_AUTOPROBE "/sys/bus/dax/drivers_autoprobe"
#define KVM_INTEL     "/sys/module/kvm_intel"
#define BOOT_PARAMS   "/sys/kernel/boot_params/data"
#define BOOT_ID	      "/proc/sys/kernel/random/boot_id"
#define STATE	      "/run/state.json"

#define MOCK_PATH   4096
#define MOCK_LINES  256
#define DEADLINE_MS 20000

struct mock_line {
	char text[1024];
	bool expected;
};

struct mock {
	UMockdevTestbed *testbed;
	char *root;
	pid_t daemon; /* 0: none runs */
	int said;     /* its stderr, or -1 */
	struct mock_line lines[MOCK_LINES];
	size_t n;	/* complete lines */
	size_t partial; /* bytes of the line after them */
};

/* A record, by what the design promises of it. */
struct mock_record {
	uint64_t start, size;
	const char *verdict; /* as the sentence says it: "kept as devdax" */
	const char *reason;
	const char *gate;
	const char *also; /* something else in it, or NULL */
};

/* From argv: the daemon and the mock kernel. False after a message: not under umockdev. */
bool mock_programs(int argc, char *argv[]);

/* For cmocka: *state becomes a struct mock. */
int mock_setup(void **state);
int mock_teardown(void **state);

/* Another machine instead. */
void mock_reset(struct mock *mock);

/* tree.c: files of the machine, by the path that the daemon sees. */
const char *mock_real_path(const struct mock *mock, const char *path, char buf[MOCK_PATH]);
void mock_make_directory(const struct mock *mock, const char *path);
void mock_put(const struct mock *mock, const char *path, const char *text);
void mock_put_bytes(const struct mock *mock, const char *path, const void *bytes, size_t size);
void mock_link(const struct mock *mock, const char *path, const char *target);
void mock_move(const struct mock *mock, const char *from, const char *to);
void mock_remove(const struct mock *mock, const char *path); /* a file or an empty directory */
void mock_read(const struct mock *mock, const char *path, char *text, size_t size);
/* Wait until the file has this in it. */
void mock_await_text(const struct mock *mock, const char *path, const char *text);
void mock_expect_file(const struct mock *mock, const char *path, const char *text);

/* mock.c: the machine. */
void mock_uevent(const struct mock *mock, const char *path, const char *action);
void mock_set_tdx_flag(const struct mock *mock);	       /* in /proc/cpuinfo */
void mock_set_tdx_parameter(const struct mock *mock, char yn); /* of kvm_intel; no event */
void mock_boot_params(const struct mock *mock, size_t size);   /* cut off after so many bytes */
void mock_boot_memmap(const struct mock *mock);

/* Blocks first to first + n - 1, each with its uevent. False: so slowly that it may show. */
bool mock_add_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state);
void mock_expect_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state);

/*
 * A CXL dax device without a driver, "daxN.0" on regionN; size 0: without a mapping. The event
 * is the caller's: mock_uevent_dax().
 */
void mock_add_dax(
	const struct mock *mock, const char *name, uint64_t start, uint64_t size, int node);
void mock_size_dax(const struct mock *mock, const char *name, uint64_t start, uint64_t size);
void mock_uevent_dax(const struct mock *mock, const char *name, const char *action);
/* As a device is that nobody has bound yet. */
void mock_reset_driver(const struct mock *mock, const char *name);
void mock_dax_path(const char *name, char path[MOCK_PATH]);

/* From now on a store to an attribute ("memory16/state") fails; 0: no longer. */
void mock_fail(const struct mock *mock, const char *attribute, int error);

/* Wait until a dax device is decided, its steps taken, and that is saved. */
void mock_await_decided(const struct mock *mock, const char *name);

/* The stores so far to what has this in its name: "DIR/NAME VALUE\n" each, failed with "!". */
void mock_expect_stores(const struct mock *mock, const char *among, const char *stores);

/* child.c: the daemon. */
void mock_start(struct mock *mock); /* returns after READY=1 */
void mock_stop(struct mock *mock);  /* SIGTERM; it ends with exit status 0 */
void mock_kill(struct mock *mock);  /* SIGKILL, if it runs */
int64_t mock_now_ms(void);	    /* of the monotonic clock */
/* Wait until there is something to read, or the other end is closed. */
bool mock_wait_for(int fd, int64_t deadline);
bool mock_is_alive(struct mock *mock);		   /* has not ended by itself */
int64_t mock_cpu_time_ns(const struct mock *mock); /* since it started; to the nanosecond */

void mock_expect_line(struct mock *mock, const char *text); /* a line with this text in it */
void mock_expect_record(struct mock *mock, const struct mock_record *record);
void mock_expect_silence(struct mock *mock); /* after the stop: it has said no more */
