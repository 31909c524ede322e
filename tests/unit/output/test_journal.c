/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The message id of the journal entry of a record, which is that of its entry in the catalog.
 */
#include "tests/unit/records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/log/log.h"
#include "daemon/output/journal.h"

static char message_id[33];

int sd_journal_sendv(const struct iovec *fields, int n);

/* In place of libsystemd's. */
int sd_journal_sendv(const struct iovec *fields, int n)
{
	static const char name[] = "MESSAGE_ID=";

	for (int i = 0; i < n; i++)
		if (strncmp(fields[i].iov_base, name, strlen(name)) == 0)
			snprintf(message_id, sizeof(message_id), "%s",
				(const char *)fields[i].iov_base + strlen(name));
	return 0;
}

static const struct {
	enum result result;
	enum withheld withheld;
	enum answer expected, answer;
	const char *id;
} rows[] = {
	{RESULT_DONE, 0, 0, 0, "866f10053e2f44acb0acc1031478be2c"},
	{RESULT_PARTIAL, 0, 0, 0, "b8b14b9536944312ac039820225f504b"},
	{RESULT_FAILED, 0, 0, 0, "b8b14b9536944312ac039820225f504b"},
	{RESULT_CHANGED, 0, 0, 0, "0949ecdcf2f24ee7a4e4ffd72340b862"},
	{RESULT_WITHHELD, WITHHELD_OBSERVE, 0, 0, "2c290ea2fcf342efa6eeeae5e3a617f8"},
	{RESULT_WITHHELD, WITHHELD_PRESENT, 0, 0, "e7e3c0cc62a84da1925f1aaa4430fee3"},
	/* What would have been withheld is so already. */
	{RESULT_NOTHING, WITHHELD_PRESENT, 0, 0, "866f10053e2f44acb0acc1031478be2c"},
	{RESULT_DONE, 0, ANSWER_ACCEPTS, ANSWER_ACCEPTS, "866f10053e2f44acb0acc1031478be2c"},
	{RESULT_DONE, 0, ANSWER_ACCEPTS, ANSWER_REFUSES, "709444d334474091b20734dab1da8510"},
	{RESULT_FAILED, 0, ANSWER_ACCEPTS, ANSWER_REFUSES, "709444d334474091b20734dab1da8510"},
	{RESULT_CHANGED, 0, ANSWER_REFUSES, ANSWER_ACCEPTS, "755252a65bc54f7d8021498d745c8f81"},
};

static void test_message_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct own_record own = {
			.record.range = {64 * GIB, 128 * GIB},
			.facts.device = device_of("dax0.0", TYPE_CXL),
			.decision = {.verdict = VERDICT_DEVDAX,
				.reason = REASON_OUTSIDE_BOOT_MAP,
				.withheld = rows[i].withheld,
				.expected = rows[i].expected},
			.record.outcome = {.result = rows[i].result, .answer = rows[i].answer},
		};

		journal_record(own_record_of(&own));
		assert_string_equal(message_id, rows[i].id);
	}
}

/* systemd.exec(5), "$JOURNAL_STREAM" */
static int name_journal(void **state)
{
	char text[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	log_init("test");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_id),
	};

	return cmocka_run_group_tests(tests, name_journal, NULL);
}
