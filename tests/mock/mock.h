/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mock machine with the real daemon in it.
 *
 * Each test has a machine of its own: an umockdev testbed with 1 GiB of boot RAM in blocks of
 * 128 MiB, no TDX, and the dax drivers loaded. Things are put together aside and renamed into
 * their places, as far as one look of the daemon can see them; then comes the uevent. The
 * configuration is the testbed's, too: none, until a test writes one.
 *
 * What the daemon says is read line by line. A line that a test expects is waited for, and can
 * be expected only once; mock_expect_silence() at the end finds what nobody expected. To know
 * that something does NOT lead to a record, a test lets another range arrive afterwards, waits
 * for that one's record, and stops the daemon.
 *
 * A test that does something while the daemon is busy holds the daemon in a store: mock_hang().
 * The back-off of the daemon is seconds at most, and a test can be kept waiting for longer.
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
#define STATE	      "/run/tdx-onlined/state.json"
#define JOURNAL	      "/journal" /* one field a line, if the daemon logs there */
#define RULES	      "/etc/tdx-onlined/rules.d"

#define NOTHING "nothing to do" /* it says so at the start */
#define NEW	"/new"		/* outside of /sys: where things are put together */

#define MOCK_PATH   4096
#define MOCK_LINES  256
#define DEADLINE_MS 120000 /* for what should come at once */

struct mock_line {
	char text[1024];
	bool expected;
};

struct mock {
	UMockdevTestbed *testbed;
	char *root;
	pid_t daemon;	  /* 0: none runs */
	int said;	  /* its stderr, or -1 */
	int notify;	  /* what it tells systemd, while a test listens; or -1 */
	bool journal;	  /* its stderr is the journal: it logs to JOURNAL, with fields */
	int64_t asked_ms; /* when it was to reload */
	struct mock_line lines[MOCK_LINES];
	size_t n;	/* complete lines */
	size_t partial; /* bytes of the line after them */
};

/* A record, by what the design promises of it. */
struct mock_record {
	uint64_t start, size;
	const char *verdict; /* as the sentence says it: "kept out of system RAM" */
	const char *reason;
	const char *tdx;
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
void __attribute__((format(printf, 2, 3))) mock_path(char path[MOCK_PATH], const char *format, ...);
const char *mock_real_path(const struct mock *mock, const char *path, char buf[MOCK_PATH]);
void mock_make_directory(const struct mock *mock, const char *path);
void mock_put(const struct mock *mock, const char *path, const char *text);
void mock_put_bytes(const struct mock *mock, const char *path, const void *bytes, size_t size);
void mock_link(const struct mock *mock, const char *path, const char *target);
void mock_move(const struct mock *mock, const char *from, const char *to);
void mock_remove(const struct mock *mock, const char *path); /* a file or an empty directory */
/* With the set-group-ID bit it belongs to user 1000, without to root. */
void mock_set_mode(const struct mock *mock, const char *path, mode_t mode);
void mock_expect_mode(const struct mock *mock, const char *path, mode_t mode);
void mock_read(const struct mock *mock, const char *path, char *text, size_t size);
/* Wait until the file is as it should be; or only until it has this in it. */
void mock_await(const struct mock *mock, const char *path,
	bool (*is)(const char *text, const void *userdata), const void *userdata);
void mock_await_text(const struct mock *mock, const char *path, const char *text);
void mock_expect_file(const struct mock *mock, const char *path, const char *text);

/* mock.c: the machine. */
void mock_uevent(const struct mock *mock, const char *path, const char *action);
/* A device that does nothing but send events. */
void mock_add_device(const struct mock *mock, const char *path, const char *subsystem);
void mock_set_tdx_flag(const struct mock *mock);	       /* in /proc/cpuinfo */
void mock_set_tdx_parameter(const struct mock *mock, char yn); /* of kvm_intel; no event */
void mock_boot_params(const struct mock *mock, size_t size);   /* cut off after so many bytes */
void mock_boot_memmap(const struct mock *mock);

/* Blocks first to first + n - 1, without an event. */
void mock_place_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state);
/* Each with its uevent, one after the other. False: so slowly that it may show. */
bool mock_add_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state);
/* By hand, with its uevent. */
void mock_set_block(const struct mock *mock, uint64_t id, const char *state);
void mock_expect_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state);

/* Lines of tdx-onlined.conf; of a rule ("50-some.rule"), in its two sections. */
void mock_configure(const struct mock *mock, const char *keys);
void mock_rule(const struct mock *mock, const char *name, const char *match, const char *policy);

/*
 * dax.c: a CXL dax device without a driver, "daxN.0" on regionN, or another number, as of a device
 * that a program has created, in place of 0; size 0: without a mapping. The
 * event is the caller's: mock_uevent_dax().
 */
void mock_add_dax(
	const struct mock *mock, const char *name, uint64_t start, uint64_t size, int node);
/* With several mappings: they have the same part of the size each. */
void mock_add_dax_in_parts(const struct mock *mock, const char *name, const uint64_t *starts,
	unsigned int n, uint64_t size, int node);
void mock_size_dax(const struct mock *mock, const char *name, uint64_t start, uint64_t size);
/* It and its region. The kernel gives a device that comes after it another inode number. */
void mock_remove_dax(const struct mock *mock, const char *name);
void mock_uevent_dax(const struct mock *mock, const char *name, const char *action);
/* The link alone. Without: as a device is that nobody has bound yet. */
void mock_set_driver(const struct mock *mock, const char *name, const char *driver);
void mock_reset_driver(const struct mock *mock, const char *name);
void mock_dax_path(const char *name, char path[MOCK_PATH]);
/* From now on kmem is that of Linux 7.3, and makes blocks in this state, of so many mappings. */
void mock_make_kmem(const struct mock *mock, const char *state, unsigned int mappings);
/* A device of kmem without an event: its dax state, and blocks in a state or, if that is NULL, none. */
void mock_give_to_kmem(const struct mock *mock, const char *name, uint64_t start, uint64_t size,
	const char *state);
void mock_add_drivers(const struct mock *mock);

/*
 * watch.c: from now on a store to an attribute ("memory16/state") fails, or only that of one
 * value ("memory16/state offline"); 0: no longer. Or it fails so many times, and may hang after
 * that; or it hangs at once. A store that hangs is noted with "~", and goes on when it is to do
 * something else. "system/memory": the directory cannot be listed.
 */
void mock_fail(const struct mock *mock, const char *store, int error);
void mock_fail_times(const struct mock *mock, const char *store, int error, unsigned int times);
void mock_fail_then_hang(const struct mock *mock, const char *store, int error, unsigned int times);
void mock_hang(const struct mock *mock, const char *store);
/* Whatever else kernel.c has a word for. */
void mock_fault(const struct mock *mock, const char *store, const char *words);
/* So many times more it will happen. */
unsigned int mock_faults_left(const struct mock *mock, const char *store);

/* The stores so far to what has this in its name: "DIR/NAME VALUE\n" each, failed with "!". */
void mock_expect_stores(const struct mock *mock, const char *among, const char *stores);

/* Cause a look, and wait for its end. TDX events would end the wait early. */
void mock_await_look(const struct mock *mock);
/* Wait until a dax device is decided, all steps taken, and that is saved. */
void mock_await_decided(const struct mock *mock, const char *name);
/* Wait until nothing is begun, nor to be decided anew, and that is saved. */
void mock_await_settled(const struct mock *mock);

/* child.c: the daemon. */
void mock_start(struct mock *mock); /* returns after READY=1 */
void mock_stop(struct mock *mock);  /* SIGTERM; it ends with exit status 0 */
void mock_kill(struct mock *mock);  /* SIGKILL, if it runs */
/* In its place a oneshot, with --fail-on= or, if that is NULL, without. Returns its status. */
int mock_oneshot(struct mock *mock, const char *fail_on);
/* The same in two parts: what is between them happens while it runs. */
void mock_oneshot_begin(struct mock *mock, const char *fail_on);
int mock_oneshot_end(struct mock *mock);
/* Beside it a second one, with an option or NULL. Returns its status; it has its own lines. */
int mock_second(const struct mock *mock, const char *option, struct mock *ret_second);
/*
 * The client beside it, with words ("settle --timeout=0"). Returns its status; it has its own lines,
 * which are those of its standard output too. In two parts it ends by mock_oneshot_end().
 */
int mock_ctl(const struct mock *mock, const char *words, struct mock *ret_ctl);
void mock_ctl_begin(const struct mock *mock, const char *words, struct mock *ret_ctl);
int64_t mock_now_ms(void); /* of the monotonic clock */
/* Wait until there is something to read, or the other end is closed. */
bool mock_wait_for(int fd, int64_t deadline);
bool mock_is_alive(struct mock *mock); /* has not ended by itself */
void mock_take_in(struct mock *mock);  /* the lines that are there already */
/* From now on daemons are started whose clock is so many times faster. */
void mock_hurry(unsigned int speed);
int64_t mock_speed(void);
void mock_expect_sleep(const struct mock *mock); /* within the deadline, for a second */

/* A line with this text in it, or "^": at its beginning. */
void mock_expect_line(struct mock *mock, const char *text);
void mock_expect_tdx(struct mock *mock, const char *tdx); /* that it says what it is now */
void mock_expect_record(struct mock *mock, const struct mock_record *record);
void mock_expect_silence(struct mock *mock); /* after the stop: it has said no more */
/* It has said that already; it is not waited for. */
void mock_expect_said(struct mock *mock, const char *text);
/* Of what it has said so far, one thing came before the other. */
void mock_expect_order(const struct mock *mock, const char *first, const char *second);

/* notify.c: what it tells systemd. */
void mock_notify_open(struct mock *mock);
void mock_notify_close(struct mock *mock);
bool mock_notify_is_ready(const struct mock *mock); /* is that the next that it says? */
/* Is the next that systemd is told that a reload begins, by a process of systemctl reload? */
bool mock_notify_is_announced(const struct mock *mock);
/* SIGHUP; until it says that it reloads; and until it says that it is ready again. */
void mock_reload_ask(struct mock *mock);
void mock_reload_begin(struct mock *mock);
void mock_reload_end(struct mock *mock);
void mock_reload(struct mock *mock);

/* scene.c: how most tests begin and end. With nothing there yet, or with something. */
void mock_start_absent(struct mock *mock);
void mock_make_active(const struct mock *mock);
void mock_start_active(struct mock *mock);
void mock_start_in(struct mock *mock, const char *tdx);
/* Whatever was before: another range is decided as usual. Stop; it has said no more. */
void mock_end_absent(struct mock *mock);
void mock_end_active(struct mock *mock);
