/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon as a child process: start it, read its output, stop it.
 */
#include "mock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "tdx-onlined: "

static const char *program;
static char client[MOCK_PATH]; /* in the same directory */

/* Variables of the caller that change what the programs print, and where. */
static void clean_environment(void)
{
	static const char *const names[] = {
		"WATCHDOG_USEC", "WATCHDOG_PID", "DAXCTL_LOG", "CXL_LOG", "SYSTEMD_LOG_LEVEL",
		"MOCK_SPEED", "MOCK_USER",
		"TMPDIR", /* the names of the testbed's sockets are short: unix(7), sun_path */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	setenv("LC_ALL", "C.UTF-8", 1);
	umask(022);
}

bool mock_programs(int argc, char *argv[])
{
	const char *others = getenv("LD_PRELOAD");
	char preload[2 * MOCK_PATH];

	if (argc < 3 || !others || !strstr(others, "umockdev")) {
		fprintf(stderr, "usage: umockdev-wrapper %s TDX-ONLINED MOCK-KERNEL.so [TEST]\n",
			argv[0]);
		return false;
	}
	program = argv[1];
	snprintf(client, sizeof(client), "%.*s/tdx-onlinectl",
		(int)(strrchr(program, '/') - program), program);
	snprintf(preload, sizeof(preload), "%s:%s", argv[2], others);
	setenv("LD_PRELOAD", preload, 1);
	clean_environment();
	if (argc > 3)
		cmocka_set_test_filter(argv[3]);
	return true;
}

void mock_set_speed(unsigned int speed)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", speed);
	setenv("MOCK_SPEED", text, 1);
}

int64_t mock_speed(void)
{
	const char *text = getenv("MOCK_SPEED");

	return text ? strtoll(text, NULL, 10) : 1;
}

int64_t mock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool mock_wait_for(int fd, int64_t deadline)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int64_t left = deadline - mock_now_ms();
	int r;

	while ((r = poll(&poll_fd, 1, left > 0 ? (int)left : 0)) < 0 && errno == EINTR)
		left = deadline - mock_now_ms();
	return r > 0;
}

/* Append a byte of the output. */
static void take_byte(struct mock *mock, char byte)
{
	struct mock_line *line = &mock->lines[mock->n];

	if (byte != '\n') {
		assert_true(mock->partial + 1 < sizeof(line->text));
		line->text[mock->partial++] = byte;
		return;
	}
	line->text[mock->partial] = '\0';
	line->expected = false;
	mock->partial = 0;
	if (strncmp(line->text, PREFIX, strlen(PREFIX)) == 0)
		memmove(line->text, line->text + strlen(PREFIX),
			strlen(line->text + strlen(PREFIX)) + 1);
	mock->n++;
	assert_true(mock->n < MOCK_LINES);
}

/* Read what comes next. False: at the deadline, or at the end of the output. */
static bool read_more(struct mock *mock, int64_t deadline)
{
	char bytes[4096];
	ssize_t n;

	if (mock->output < 0 || !mock_wait_for(mock->output, deadline))
		return false;
	n = read(mock->output, bytes, sizeof(bytes));
	for (ssize_t i = 0; i < n; i++)
		take_byte(mock, bytes[i]);
	return n > 0;
}

void mock_take_in(struct mock *mock)
{
	while (read_more(mock, 0))
		;
}

static void print_lines(const struct mock *mock)
{
	for (size_t i = 0; i < mock->n; i++)
		print_error("%s %s\n", mock->lines[i].expected ? " " : "?", mock->lines[i].text);
}

/* A word "^text" matches at the beginning only. */
static bool has(const char *text, const char *word)
{
	return *word == '^' ? strncmp(text, word + 1, strlen(word + 1)) == 0
			    : strstr(text, word) != NULL;
}

static bool has_all(const char *text, const char *const *words)
{
	while (*words && has(text, *words))
		words++;
	return !*words;
}

/* Wait for a line with all the words in it. Each line is taken once. */
static void expect_words(struct mock *mock, const char *const *words, int64_t deadline)
{
	size_t i = 0;

	do {
		for (; i < mock->n; i++) {
			if (mock->lines[i].expected || !has_all(mock->lines[i].text, words))
				continue;
			mock->lines[i].expected = true;
			return;
		}
	} while (read_more(mock, deadline));
	print_lines(mock);
	for (; *words; words++)
		print_error("missing: \"%s\"\n", *words);
	fail_msg("no such line%s",
		mock_now_ms() >= deadline ? " in time" : ", and the daemon ended");
}

void mock_expect_line(struct mock *mock, const char *text)
{
	expect_words(mock, (const char *const[]){text, NULL}, mock_now_ms() + DEADLINE_MS);
}

void mock_expect_logged(struct mock *mock, const char *text)
{
	expect_words(mock, (const char *const[]){text, NULL}, 0);
}

void mock_expect_tdx(struct mock *mock, const char *tdx)
{
	char line[96];

	snprintf(line, sizeof(line), "^The TDX state is %s", tdx);
	mock_expect_line(mock, line);
}

void mock_expect_record(struct mock *mock, const struct mock_record *record)
{
	char range[64], verdict[64], reason[64], tdx[64];

	snprintf(range, sizeof(range), "[mem 0x%" PRIx64 "-0x%" PRIx64 "]", record->start,
		record->start + record->size - 1);
	snprintf(verdict, sizeof(verdict), " %s", record->verdict);
	snprintf(reason, sizeof(reason), "(%s)", record->reason);
	snprintf(tdx, sizeof(tdx), "is %s", record->tdx);
	expect_words(mock, (const char *const[]){range, verdict, reason, tdx, record->also, NULL},
		mock_now_ms() + DEADLINE_MS);
}

void mock_expect_order(const struct mock *mock, const char *first, const char *second)
{
	size_t i = 0, j = 0;

	while (i < mock->n && !strstr(mock->lines[i].text, first))
		i++;
	while (j < mock->n && !strstr(mock->lines[j].text, second))
		j++;
	if (i < j && j < mock->n)
		return;
	print_lines(mock);
	fail_msg("not in this order: \"%s\", \"%s\"", first, second);
}

void mock_expect_silence(struct mock *mock)
{
	assert_int_equal(mock->daemon, 0);
	for (size_t i = 0; i < mock->n; i++) {
		if (!mock->lines[i].expected) {
			print_lines(mock);
			fail_msg("unexpected: \"%s\"", mock->lines[i].text);
		}
	}
}

/* In the child. It ends with the test. Of the client, standard output is read too. */
static void exec_program(const char *path, int output, char *const options[])
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(output, STDERR_FILENO) >= 0 &&
		(path == program || dup2(output, STDOUT_FILENO) >= 0))
		execv(path, options);
	_exit(127);
}

/* systemd.exec(5), "$JOURNAL_STREAM" */
static void name_journal(int output)
{
	char text[64];
	struct stat st;

	assert_int_equal(fstat(output, &st), 0);
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
}

/* The first option is the program's name. */
static void start_path(struct mock *mock, const char *path, char *const options[])
{
	int output[2];

	assert_int_equal(mock->daemon, 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	unsetenv("JOURNAL_STREAM");
	if (mock->journal)
		name_journal(output[1]);
	mock->daemon = fork();
	if (mock->daemon == 0)
		exec_program(path, output[1], options);
	close(output[1]);
	mock->output = output[0];
	assert_true(mock->daemon > 0);
}

static void start(struct mock *mock, char *const options[])
{
	start_path(mock, program, options);
}

void mock_start(struct mock *mock)
{
	char *const options[] = {(char[]){"tdx-onlined"}, NULL};
	bool ready;

	mock_notify_open(mock);
	start(mock, options);
	ready = mock_notify_is_ready(mock);
	mock_notify_close(mock);
	if (!ready) {
		mock_kill(mock);
		print_lines(mock);
		fail_msg("not ready in time");
	}
}

/* Read the output to its end, and reap the process. Returns its wait status. */
static int finish(struct mock *mock)
{
	int64_t deadline = mock_now_ms() + DEADLINE_MS;
	int status = 0;

	while (read_more(mock, deadline))
		;
	if (mock_now_ms() >= deadline)
		kill(mock->daemon, SIGKILL);
	waitpid(mock->daemon, &status, 0);
	close(mock->output);
	mock->daemon = 0;
	mock->output = -1;
	return status;
}

void mock_stop(struct mock *mock)
{
	int status;

	assert_int_equal(kill(mock->daemon, SIGTERM), 0);
	status = finish(mock);
	if (status == 0)
		return;
	print_lines(mock);
	fail_msg("ended with wait status 0x%x", (unsigned int)status);
}

void mock_oneshot_begin(struct mock *mock, const char *fail_on)
{
	char option[256];
	char *const options[] = {
		(char[]){"tdx-onlined"}, (char[]){"--oneshot"}, fail_on ? option : NULL, NULL};

	snprintf(option, sizeof(option), "--fail-on=%s", fail_on ?: "");
	start(mock, options);
}

int mock_oneshot_end(struct mock *mock)
{
	int status = finish(mock);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int mock_oneshot(struct mock *mock, const char *fail_on)
{
	mock_oneshot_begin(mock, fail_on);
	return mock_oneshot_end(mock);
}

int mock_second(const struct mock *mock, const char *option, struct mock *ret_second)
{
	char text[64];
	char *const options[] = {(char[]){"tdx-onlined"}, option ? text : NULL, NULL};
	int status;

	*ret_second = (struct mock){.testbed = mock->testbed, .root = mock->root};
	snprintf(text, sizeof(text), "%s", option ?: "");
	start(ret_second, options);
	status = finish(ret_second);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void mock_ctl_begin(const struct mock *mock, const char *words, struct mock *ret_ctl)
{
	char text[256], *options[8] = {(char[]){"tdx-onlinectl"}};
	size_t n = 1;

	*ret_ctl = (struct mock){.testbed = mock->testbed, .root = mock->root};
	snprintf(text, sizeof(text), "%s", words);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		options[n++] = word;
	start_path(ret_ctl, client, options);
}

int mock_ctl(const struct mock *mock, const char *words, struct mock *ret_ctl)
{
	mock_ctl_begin(mock, words, ret_ctl);
	return mock_oneshot_end(ret_ctl);
}

void mock_kill(struct mock *mock)
{
	if (mock->daemon <= 0)
		return;
	kill(mock->daemon, SIGKILL);
	finish(mock);
}

bool mock_is_alive(struct mock *mock)
{
	return waitpid(mock->daemon, NULL, WNOHANG) == 0;
}

/* The CPU time used since the start. */
static int64_t cpu_time_ns(const struct mock *mock)
{
	struct timespec used;
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(mock->daemon, &clock), 0);
	assert_int_equal(clock_gettime(clock, &used), 0);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/*
 * The daemon must use no CPU time for one second. It may still be busy in the first seconds, so
 * this is tried until the deadline. No event ends this wait: it takes at least a second.
 */
void mock_expect_sleep(const struct mock *mock)
{
	int64_t before, deadline = mock_now_ms() + DEADLINE_MS;

	do {
		if (mock_now_ms() >= deadline)
			fail_msg("the daemon is not idle for a second before the deadline");
		before = cpu_time_ns(mock);
		poll(NULL, 0, 1000);
	} while (cpu_time_ns(mock) != before);
}
