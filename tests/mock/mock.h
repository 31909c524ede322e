/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The real daemon on a mock machine.
 *
 * Each test has a machine of its own: an umockdev testbed with 1 GiB of boot RAM in blocks of
 * 128 MiB, no TDX, and the dax drivers loaded. Directories are built in NEW and renamed into place,
 * so that the daemon never sees half of one; then the uevent is sent. There is no configuration
 * until a test writes one.
 *
 * The daemon's output is read line by line. A test waits for each line that it expects, and each
 * line counts once; mock_expect_silence() at the end fails for any line left. To show that
 * something leads to no record, a test adds another range afterwards, waits for the record of that
 * one, and stops the daemon.
 *
 * A test that needs the daemon to be busy makes a store hang: mock_hang(). The daemon's back-off
 * would not do: it takes seconds, and the test may be delayed for longer.
 *
 * Not modelled: lost events (a unix socket holds 10, and umockdev drops the rest), and events that
 * the kernel itself sends, such as those of a bind.
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
#define JOURNAL	      "/journal" /* one field a line */
#define RULES	      "/etc/tdx-onlined/rules.d"

#define NOTHING "nothing to do" /* logged at a start without memory to decide */
#define NEW	"/new"		/* outside of /sys: directories are built here */

#define MOCK_PATH   4096
#define MOCK_LINES  256
#define DEADLINE_MS 120000 /* for events that are expected at once */

struct mock_line {
	char text[1024];
	bool expected;
};

struct mock {
	UMockdevTestbed *testbed;
	char *root;
	pid_t daemon;	/* 0: none runs */
	int output;	/* its stderr, or -1 */
	int notify;	/* the socket NOTIFY_SOCKET, or -1 */
	bool journal;	/* its stderr is the journal: it logs to JOURNAL, with fields */
	int64_t hup_ms; /* when SIGHUP was sent */
	struct mock_line lines[MOCK_LINES];
	size_t n;	/* complete lines */
	size_t partial; /* bytes of the line after them */
};

/* A record that is expected. */
struct mock_record {
	uint64_t start, size;
	const char *verdict; /* as in the sentence: "kept out of system RAM" */
	const char *reason;
	const char *tdx;
	const char *also; /* other text in it, or NULL */
};

/* Take daemon and mock kernel from argv. False after a message: umockdev is not preloaded. */
bool mock_programs(int argc, char *argv[]);

/* For cmocka: *state becomes a struct mock. */
int mock_setup(void **state);
int mock_teardown(void **state);

/* Replace the machine by a new one. */
void mock_reset(struct mock *mock);

/* tree.c: files of the machine, by the path that the daemon sees. */
void __attribute__((format(printf, 2, 3))) mock_path(char path[MOCK_PATH], const char *format, ...);
const char *mock_real_path(const struct mock *mock, const char *path, char buf[MOCK_PATH]);
void mock_make_directory(const struct mock *mock, const char *path);
void mock_put(const struct mock *mock, const char *path, const char *text);
/* The state file as of a version that did not save whether it is idle. The daemon is stopped. */
void mock_make_state_older(const struct mock *mock);
void mock_put_bytes(const struct mock *mock, const char *path, const void *bytes, size_t size);
void mock_link(const struct mock *mock, const char *path, const char *target);
void mock_move(const struct mock *mock, const char *from, const char *to);
void mock_remove(const struct mock *mock, const char *path); /* a file or an empty directory */
/* The owner is user 1000 with the set-group-ID bit, else root. */
void mock_set_mode(const struct mock *mock, const char *path, mode_t mode);
void mock_expect_mode(const struct mock *mock, const char *path, mode_t mode);
void mock_read(const struct mock *mock, const char *path, char *text, size_t size);
/* Wait until the file is as `is` requires, or until it contains the text. */
void mock_await(const struct mock *mock, const char *path,
	bool (*is)(const char *text, const void *userdata), const void *userdata);
void mock_await_text(const struct mock *mock, const char *path, const char *text);
void mock_expect_file(const struct mock *mock, const char *path, const char *text);

/* mock.c: the machine. */
void mock_uevent(const struct mock *mock, const char *path, const char *action);
/* A device without attributes, for its events. */
void mock_add_device(const struct mock *mock, const char *path, const char *subsystem);
void mock_set_tdx_flag(const struct mock *mock);	       /* in /proc/cpuinfo */
void mock_set_tdx_parameter(const struct mock *mock, char yn); /* of kvm_intel; no event */
void mock_boot_params(const struct mock *mock, size_t size);   /* cut off after so many bytes */
void mock_boot_memmap(const struct mock *mock);

/* Add the blocks `first` to `first + n - 1`, without events. */
void mock_place_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state);
/* The same with a uevent of each. False: it took so long that the daemon may have split them. */
bool mock_add_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state);
/* Set the state of a block as another program would, with the uevent. */
void mock_set_block(const struct mock *mock, uint64_t id, const char *state);
void mock_expect_blocks(const struct mock *mock, uint64_t first, unsigned int n, const char *state);

/* Write lines of tdx-onlined.conf, or those of a rule file in its two sections. */
void mock_configure(const struct mock *mock, const char *keys);
void mock_rule(const struct mock *mock, const char *name, const char *match, const char *policy);

/*
 * dax.c: add a CXL dax device without a driver, "daxN.M" on regionN. Size 0: without a mapping. The
 * caller sends the event: mock_uevent_dax().
 */
void mock_add_dax(
	const struct mock *mock, const char *name, uint64_t start, uint64_t size, int node);
/* With several mappings, which share the size evenly. */
void mock_add_dax_in_parts(const struct mock *mock, const char *name, const uint64_t *starts,
	unsigned int n, uint64_t size, int node);
void mock_size_dax(const struct mock *mock, const char *name, uint64_t start, uint64_t size);
/* Remove it with its region. A device that comes later gets another inode number. */
void mock_remove_dax(const struct mock *mock, const char *name);
void mock_uevent_dax(const struct mock *mock, const char *name, const char *action);
/* Set or remove the link to the driver, and nothing else. */
void mock_set_driver(const struct mock *mock, const char *name, const char *driver);
void mock_reset_driver(const struct mock *mock, const char *name);
void mock_dax_path(const char *name, char path[MOCK_PATH]);
/* From now on kmem is that of Linux 7.3 and makes blocks in this state, of so many mappings. */
void mock_make_kmem(const struct mock *mock, const char *state, unsigned int mappings);
/* Bind kmem, without events, with blocks in this state; NULL: no blocks, dax state "unplugged". */
void mock_give_to_kmem(const struct mock *mock, const char *name, uint64_t start, uint64_t size,
	const char *state);
void mock_add_drivers(const struct mock *mock);

/*
 * watch.c: make stores to an attribute ("memory16/state"), or of one value only ("memory16/state
 * offline"), fail from now on (error 0: end that), fail some times, fail some times and then hang,
 * or hang. A store that hangs is noted with "~", and goes on when its fault is replaced.
 * "system/memory" is a directory that cannot be listed.
 */
void mock_fail(const struct mock *mock, const char *store, int error);
void mock_fail_times(const struct mock *mock, const char *store, int error, unsigned int times);
void mock_fail_then_hang(const struct mock *mock, const char *store, int error, unsigned int times);
void mock_hang(const struct mock *mock, const char *store);
/* Any other fault of kernel.c. */
void mock_fault(const struct mock *mock, const char *store, const char *words);
/* How many more times the fault will occur. */
unsigned int mock_faults_left(const struct mock *mock, const char *store);

/* All stores with `among` in their line so far: "DIR/NAME VALUE\n" each, failed ones with "!". */
void mock_expect_stores(const struct mock *mock, const char *among, const char *stores);

/* Cause a look and wait for its end. A TDX event would end the wait early. */
void mock_await_look(const struct mock *mock);
/* Wait until the state file has a decided dax device with all steps taken. */
void mock_await_decided(const struct mock *mock, const char *name);
/* Wait until the state file has no job that is begun and no device to be decided again. */
void mock_await_settled(const struct mock *mock);

/* child.c: the daemon. */
void mock_start(struct mock *mock); /* returns after READY=1 */
void mock_stop(struct mock *mock);  /* SIGTERM; it ends with exit status 0 */
void mock_kill(struct mock *mock);  /* SIGKILL, if it runs */
/* Run a oneshot, with --fail-on= unless that is NULL. Returns its exit status. */
int mock_oneshot(struct mock *mock, const char *fail_on);
/* The same in two parts, for a test that does something meanwhile. */
void mock_oneshot_begin(struct mock *mock, const char *fail_on);
int mock_oneshot_end(struct mock *mock);
/* Run a second daemon, with an option or NULL. Returns its status; its lines are separate. */
int mock_second(const struct mock *mock, const char *option, struct mock *ret_second);
/*
 * Run tdx-onlinectl with words ("settle --timeout=0"). Returns its status; its lines are separate,
 * and include its standard output. In two parts, it is ended by mock_oneshot_end().
 */
int mock_ctl(const struct mock *mock, const char *words, struct mock *ret_ctl);
void mock_ctl_begin(const struct mock *mock, const char *words, struct mock *ret_ctl);
int64_t mock_now_ms(void); /* the monotonic clock */
/* Wait until there is input or the other end is closed. */
bool mock_wait_for(int fd, int64_t deadline);
bool mock_is_alive(struct mock *mock); /* it has not ended by itself */
void mock_take_in(struct mock *mock);  /* read what is there already */
/* Daemons that are started from now on have a clock that is so many times faster. */
void mock_set_speed(unsigned int speed);
int64_t mock_speed(void);
void mock_expect_sleep(const struct mock *mock); /* it sleeps for a second */

/* A line that contains the text, or begins with it if the text has "^" in front. */
void mock_expect_line(struct mock *mock, const char *text);
void mock_expect_tdx(struct mock *mock, const char *tdx); /* the message about its state */
void mock_expect_record(struct mock *mock, const struct mock_record *record);
void mock_expect_silence(struct mock *mock); /* after the stop: no other lines */
/* Without waiting: the line must be there already. */
void mock_expect_logged(struct mock *mock, const char *text);
/* Among the lines so far, one comes before the other. */
void mock_expect_order(const struct mock *mock, const char *first, const char *second);

/* notify.c: the daemon's messages to systemd. */
void mock_notify_open(struct mock *mock);
void mock_notify_close(struct mock *mock);
bool mock_notify_is_ready(const struct mock *mock); /* is the next message READY=1? */
/* Does the next message, by a process of systemctl reload, announce a reload? */
bool mock_notify_is_announced(const struct mock *mock);
/* Send SIGHUP; wait for RELOADING=1; wait for READY=1; all three. */
void mock_reload_send(struct mock *mock);
void mock_reload_begin(struct mock *mock);
void mock_reload_end(struct mock *mock);
void mock_reload(struct mock *mock);

/* scene.c: how most tests begin and end. mock_start_in() is for machines with memory to decide. */
void mock_start_absent(struct mock *mock);
void mock_make_active(const struct mock *mock);
void mock_start_active(struct mock *mock);
void mock_start_in(struct mock *mock, const char *tdx);
/* Another range must be decided as usual; stop; there must be no other lines. */
void mock_end_absent(struct mock *mock);
void mock_end_active(struct mock *mock);
