/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each write to the kernel that the daemon makes fails once.
 *
 * Each kind of job first runs undisturbed. This gives its list of stores and its expected end. Then
 * it runs again, on a new machine, for each store and each effect. When the daemon is idle again,
 * the invariants must hold, and one record must have the error. Then the cause is removed, and
 * after a reload the end must be that of an undisturbed job with a reload.
 *
 * All effects are tried at the first store of each kind, such as a block that goes online or a
 * driver that is bound. Elsewhere one effect represents those that the daemon handles alike: EIO
 * all permanent errors, EBUSY also ENOMEM. With INJECT=all in the environment all are tried
 * everywhere.
 *
 * The daemon's clock runs SPEED times faster than real time: see clock.c.
 */
#include "jobs.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPEED  50
#define STORES 32   /* of a job */
#define KINDS  32   /* of stores */
#define MANY   1000 /* more often than the daemon tries */
#define STORE  64   /* "DIR/NAME VALUE" */
#define TEXT   4096 /* an end, or the differences */

/* --- what can happen to a store --- */

static const struct effect {
	const char *name;
	const char *words; /* of the mock kernel; NULL: the errno */
	int error;	   /* of the daemon's write, or 0 */
	bool stays;	   /* until the daemon gives up */
	bool goes;	   /* the attribute, block or device is removed */
	bool always;	   /* it represents others */
} effects[] = {
	{.name = "EPERM", .error = EPERM, .always = true},
	{.name = "EBUSY", .error = EBUSY},
	{.name = "EINVAL", .error = EINVAL},
	{.name = "ENOMEM", .error = ENOMEM},
	{.name = "EHWPOISON", .error = EHWPOISON},
	{.name = "EIO", .error = EIO, .always = true},
	{.name = "EBUSY, for long", .error = EBUSY, .stays = true, .always = true},
	{.name = "ENOMEM, for long", .error = ENOMEM, .stays = true},
	{.name = "short", .words = "short", .error = EIO},
	{.name = "slow", .words = "slow"},
	{.name = "vanishes", .words = "vanish", .error = ENODEV, .goes = true, .always = true},
	{.name = "has gone", .words = "gone", .error = ENOENT, .goes = true},
};

#define EFFECTS (sizeof(effects) / sizeof(effects[0]))

/* Is this the first store of its kind? The number of the block does not matter. */
static bool is_new_kind(const char *store)
{
	static char kinds[KINDS][STORE];
	static size_t n;
	bool block = strncmp(store, "memory", strlen("memory")) == 0;
	char kind[STORE] = "";
	size_t length = 0;

	for (; *store; store++)
		if (!block || !isdigit((unsigned char)*store))
			kind[length++] = *store;
	for (size_t i = 0; i < n; i++)
		if (strcmp(kinds[i], kind) == 0)
			return false;
	assert_true(n < KINDS);
	strcpy(kinds[n++], kind);
	return true;
}

static bool is_dax(const struct job *job)
{
	return job->start == DAX0_START;
}

/* --- the end of a job --- */

struct end {
	char text[TEXT]; /* drivers, blocks, switches, decision */
	bool clean;	 /* the device is in the page allocator as a whole, or not at all */
};

/* The outcome of a job. */
struct run {
	char stores[STORES][STORE];
	unsigned int opens[STORES]; /* of the attribute of each store, up to that store */
	unsigned int n_stores;
	struct end end, after_retry;
	unsigned int records; /* of the device's first range */
	unsigned int errors;  /* lines with the error */
	bool left;	      /* one of them names what is left to do */
	bool struck;	      /* the fault occurred */
	bool given_back;      /* the guard was, at the stop */
	bool misused;	      /* blocks were taken away while online, or onlined although refused */
};

static bool is_over(const char *state, const void *userdata)
{
	(void)userdata;
	return !strstr(state, "\"result\":\"begun\"") && !strstr(state, "\"reconsider\":true");
}

/* A job is begun in the loop's turn that looks: after two looks it is in the state file. */
static void await_end(struct mock *mock)
{
	mock_await_look(mock);
	mock_await_look(mock);
	mock_await(mock, STATE, is_over, NULL);
	mock_await_look(mock);
	assert_true(mock_is_alive(mock));
	mock_take_in(mock);
}

/* What a file reads, without the newline; "-" if it is not there. */
static const char *value_of(const struct mock *mock, const char *path, char value[64])
{
	char real[MOCK_PATH];

	snprintf(value, 64, "-");
	if (access(mock_real_path(mock, path, real), F_OK) == 0)
		mock_read(mock, path, value, 64);
	value[strcspn(value, "\n")] = '\0';
	return value;
}

static const char *driver_of(const struct mock *mock, char driver[64])
{
	char path[MOCK_PATH], target[MOCK_PATH];
	ssize_t n = readlink(mock_real_path(mock, "/sys/bus/dax/devices/" DAX0 "/driver", path),
		target, sizeof(target) - 1);

	target[n < 0 ? 0 : n] = '\0';
	snprintf(driver, 64, "%s", n < 0 ? "none" : strrchr(target, '/') + 1);
	return driver;
}

static void __attribute__((format(printf, 2, 3))) append(char text[TEXT], const char *format, ...)
{
	size_t n = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + n, TEXT - n, format, args);
	va_end(args);
}

/* A key with its value, of the first entry that has it. "Nothing to do" is written as "done". */
static void append_key(char text[TEXT], const char *entries, const char *key)
{
	static const char nothing[] = "\"result\":\"nothing-to-do\"";
	const char *at = strstr(entries, key);

	if (at && strncmp(at, nothing, strlen(nothing)) == 0)
		at = "\"result\":\"done\"";
	if (at)
		append(text, " %.*s", (int)strcspn(at, ",}"), at);
}

static void read_end(const struct mock *mock, const struct job *job, struct end *end)
{
	static const char *const keys[] = {"\"mode\":", "\"verdict\":", "\"reason\":", "\"zone\":",
		"\"result\":", "\"total_memblocks\":", "\"online_memblocks\":"};
	static char state[65536];
	char value[64], path[MOCK_PATH];
	unsigned int online = 0, present = 0;
	const char *devices;

	end->text[0] = '\0';
	for (uint64_t id = job->start / BLOCK; id < job->start / BLOCK + job->blocks; id++) {
		mock_path(path, MEMORY "/memory%" PRIu64 "/state", id);
		value_of(mock, path, value);
		present += *value != '-';
		online += strcmp(value, "online") == 0;
		append(end->text, "%s ", value);
	}
	if (is_dax(job))
		append(end->text, "%s ", driver_of(mock, value));
	end->clean = is_dax(job) ? (strcmp(value, "kmem") == 0 ? online == job->blocks
							       : !present && *value != 'n')
				 : !online || online == present;
	append(end->text, "%s ", value_of(mock, AUTO_ONLINE, value));
	append(end->text, "%s", value_of(mock, DAX_AUTOPROBE, value));
	mock_read(mock, STATE, state, sizeof(state));
	devices = strstr(state, "\"devices\":[");
	assert_non_null(devices);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		append_key(end->text, devices, keys[i]);
}

/* --- a job --- */

/* The attribute of a store, without the value. */
static void attribute_of(const char *store, char attribute[64])
{
	snprintf(attribute, 64, "%.*s", (int)strcspn(store, " "), store);
}

/* Inject a fault and return its name. Returns how many times it is to occur. */
static unsigned int disturb(const struct mock *mock, const struct run *undisturbed, unsigned int k,
	const struct effect *effect, char ret_fault[STORE])
{
	bool gone = effect->words && strcmp(effect->words, "gone") == 0;
	unsigned int times = gone ? undisturbed->opens[k] : effect->stays ? MANY : 1;
	char words[64];

	if (gone)
		attribute_of(undisturbed->stores[k], ret_fault);
	else
		snprintf(ret_fault, STORE, "%s", undisturbed->stores[k]);
	if (effect->words)
		snprintf(words, sizeof(words), "%s %u\n", effect->words, times);
	else
		snprintf(words, sizeof(words), "%d %u\n", effect->error, times);
	mock_fault(mock, ret_fault, words);
	return times;
}

/* Remove the fault. Did it occur? */
static bool end_fault(const struct mock *mock, const char *fault, unsigned int times)
{
	unsigned int left = mock_faults_left(mock, fault);

	mock_fault(mock, fault, "0\n");
	return times == MANY ? left < times : !left;
}

/* Put a removed block, device or attribute back, and send its event. */
static void restore(struct mock *mock, const struct job *job, const char *store)
{
	char attribute[64], driver[64], path[MOCK_PATH], real[MOCK_PATH];
	uint64_t id;

	attribute_of(store, attribute);
	if (sscanf(store, "memory%" SCNu64 "/state", &id) == 1) {
		mock_path(path, MEMORY "/memory%" PRIu64, id);
		if (access(mock_real_path(mock, path, real), F_OK) < 0 &&
			(!is_dax(job) || strcmp(driver_of(mock, driver), "kmem") == 0))
			mock_add_blocks(mock, id, 1, "offline");
	} else if (strncmp(store, "memory/", strlen("memory/")) == 0) {
		mock_put(mock, AUTO_ONLINE, "online\n");
	} else if (strncmp(store, "dax/", strlen("dax/")) == 0) {
		mock_put(mock, DAX_AUTOPROBE, "1\n");
	} else {
		mock_path(path, "/sys/bus/dax/devices/" DAX0);
		if (access(mock_real_path(mock, path, real), F_OK) < 0) {
			job->place(mock);
			job_send_dax0(mock);
		}
		mock_path(path, "/sys/bus/dax/drivers/%s", attribute);
		if (strncmp(attribute, "dax", 3) != 0)
			mock_put(mock, path, "");
	}
}

/* Reload with a rule that also allows to convert what ended as devdax. */
static void retry(struct mock *mock, const struct job *job)
{
	mock_rule(mock, "90-retry.rule", "Type=*\n", "ConvertDevdax=yes\n");
	if (job->stopped) {
		mock_start(mock);
		await_end(mock);
		mock_stop(mock);
	} else {
		mock_reload(mock);
		await_end(mock);
	}
}

/*
 * The stores that succeeded, after the first `before` bytes of the file. An undisturbed job makes
 * none twice, so the text of a store is enough to inject a fault there.
 */
static void read_stores(const struct mock *mock, size_t before, bool disturbed, struct run *run)
{
	static char all[65536];

	mock_read(mock, "/stores", all, sizeof(all));
	for (char *line = strtok(all + before, "\n"); line; line = strtok(NULL, "\n")) {
		if (*line == '!')
			continue;
		assert_true(run->n_stores < STORES);
		for (unsigned int i = 0; !disturbed && i < run->n_stores; i++)
			assert_string_not_equal(run->stores[i], line);
		snprintf(run->stores[run->n_stores++], sizeof(run->stores[0]), "%s", line);
	}
}

/* The daemon also opens attributes without writing to them, to find out whether it may. */
static void count_opens(const struct mock *mock, size_t before, struct run *run)
{
	static char all[65536];

	mock_read(mock, "/opens", all, sizeof(all));
	for (unsigned int k = 0; k < run->n_stores; k++) {
		size_t length = strcspn(run->stores[k], " ") + 1;
		const char *line = all + before;

		for (; strncmp(line, run->stores[k], strlen(run->stores[k])) != 0; line++) {
			run->opens[k] +=
				*line == '+' && strncmp(line + 1, run->stores[k], length) == 0;
			line = strchr(line, '\n');
			assert_non_null(line);
		}
	}
}

static bool is_misused(const struct mock *mock, const struct job *job)
{
	static char all[65536];

	mock_read(mock, "/stores", all, sizeof(all));
	return strchr(all, '?') || (job->kept_out && strstr(all, "/state online"));
}

static void read_lines(const struct mock *mock, const struct job *job, size_t first,
	const struct effect *effect, struct run *run)
{
	char range[64];

	snprintf(range, sizeof(range), "[mem 0x%" PRIx64 "-", job->start);
	for (size_t i = first; i < mock->n; i++) {
		const char *line = mock->lines[i].text;

		if (strstr(line, "[mem ") && !strstr(line, range))
			continue; /* another range of the device has a record of its own */
		run->records += job->blocks && strstr(line, range);
		if (!effect || !effect->error || !strstr(line, strerror(effect->error)))
			continue;
		run->errors++;
		run->left |= strstr(line, "stranded") || strstr(line, "kept out of system RAM") ||
			     strstr(line, "not be made available") ||
			     strstr(line, "blocks are online") || strstr(line, "cannot be set");
	}
}

static bool is_given_back(const struct mock *mock)
{
	char autoprobe[64], auto_online[64];

	return strcmp(value_of(mock, DAX_AUTOPROBE, autoprobe), "1") == 0 &&
	       strcmp(value_of(mock, AUTO_ONLINE, auto_online), "online") == 0;
}

/* Run a job. With an undisturbed run, inject the effect at its store k. */
static void run_job(struct mock *mock, const struct job *job, const struct run *undisturbed,
	unsigned int k, const struct effect *effect, struct run *run)
{
	static char before[65536];
	char fault[STORE];
	unsigned int times = 0;
	size_t lines, n_stores, n_opens;

	*run = (struct run){0};
	mock_configure(mock, TIMEOUT);
	job->prepare(mock);
	if (mock->daemon)
		await_end(mock);
	lines = mock->n;
	mock_read(mock, "/stores", before, sizeof(before));
	n_stores = strlen(before);
	mock_read(mock, "/opens", before, sizeof(before));
	n_opens = strlen(before);
	if (undisturbed)
		times = disturb(mock, undisturbed, k, effect, fault);
	job->give(mock);
	if (!job->stopped)
		await_end(mock);
	read_end(mock, job, &run->end);
	read_lines(mock, job, lines, effect, run);
	read_stores(mock, n_stores, undisturbed, run);
	if (!undisturbed)
		count_opens(mock, n_opens, run);
	if (undisturbed) {
		run->struck = end_fault(mock, fault, times);
		restore(mock, job, undisturbed->stores[k]);
	}
	retry(mock, job);
	read_end(mock, job, &run->after_retry);
	if (!job->stopped)
		mock_stop(mock);
	run->misused = is_misused(mock, job);
	run->given_back = is_given_back(mock);
}

/* --- all of them --- */

static unsigned int n_faults[JOBS], n_writes[JOBS], n_differences[JOBS];

/* The violations in a run, one a line. */
static void describe_differences(const struct effect *effect, const struct run *undisturbed,
	const struct run *run, char ret_text[TEXT])
{
	bool recovered = strcmp(run->end.text, undisturbed->end.text) == 0;

	*ret_text = '\0';
	if (!run->struck)
		append(ret_text, "\n  there was no such store");
	if (strcmp(run->after_retry.text, undisturbed->after_retry.text) != 0)
		append(ret_text, "\n  after a retry: %s\n  undisturbed:   %s",
			run->after_retry.text, undisturbed->after_retry.text);
	if (run->misused)
		append(ret_text,
			"\n  a block was taken away while online, or onlined although refused");
	if (!run->given_back)
		append(ret_text, "\n  the guard was not given back");
	if (!recovered && !run->end.clean && !run->left && !effect->goes)
		append(ret_text, "\n  partly done, and no record has it: %s", run->end.text);
	if (!recovered && effect->error && !effect->goes && run->errors != 1)
		append(ret_text, "\n  %u lines have the error: %s", run->errors, run->end.text);
	if (recovered && run->errors > 1)
		append(ret_text, "\n  %u lines have the error", run->errors);
	if (run->records > undisturbed->records + (run->errors > 0))
		append(ret_text, "\n  %u records instead of %u", run->records,
			undisturbed->records);
}

static const struct job *job; /* under test */

static void try_effect(struct mock *mock, const struct run *undisturbed, unsigned int k,
	const struct effect *effect)
{
	static struct run run;
	static char wrong[TEXT];
	size_t j = (size_t)(job - jobs);

	mock_reset(mock);
	run_job(mock, job, undisturbed, k, effect, &run);
	n_faults[j]++;
	describe_differences(effect, undisturbed, &run, wrong);
	if (!*wrong)
		return;
	n_differences[j]++;
	print_error("%s: %s: %s%s\n", job->name, undisturbed->stores[k], effect->name, wrong);
}

static void test_job(void **state)
{
	static struct run undisturbed;
	struct mock *mock = *state;
	size_t j = (size_t)(job - jobs);

	run_job(mock, job, NULL, 0, NULL, &undisturbed);
	n_writes[j] = undisturbed.n_stores;
	for (unsigned int k = 0; k < undisturbed.n_stores; k++) {
		bool all = is_new_kind(undisturbed.stores[k]) || getenv("INJECT");

		for (size_t e = 0; e < EFFECTS; e++)
			if (all || effects[e].always)
				try_effect(mock, &undisturbed, k, &effects[e]);
	}
	assert_true(n_writes[j] > 0);
	assert_int_equal(n_differences[j], 0);
}

static int setup(void **state)
{
	job = *state;
	return mock_setup(state);
}

static void print_table(void)
{
	print_message("\n%-40s WRITES FAULTS DIFFERENCES\n", "JOB");
	for (size_t i = 0; i < JOBS; i++)
		print_message("%-40s %6u %6u %11u\n", jobs[i].name, n_writes[i], n_faults[i],
			n_differences[i]);
}

int main(int argc, char *argv[])
{
	struct CMUnitTest tests[JOBS];
	int failed;

	if (!mock_programs(argc, argv))
		return 1;
	mock_set_speed(SPEED);
	for (size_t i = 0; i < JOBS; i++)
		tests[i] = (struct CMUnitTest){.name = jobs[i].name,
			.test_func = test_job,
			.setup_func = setup,
			.teardown_func = mock_teardown,
			.initial_state = (void *)&jobs[i]};
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	print_table();
	return failed;
}
