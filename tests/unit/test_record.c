/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record.
 *
 * Sentences are written out by hand, as an administrator is to read them. The fields have
 * unique names that the journal takes, the same ones for every record; what is absent is there
 * as null; and nothing of a decision or result can differ without a field that differs. Names
 * of the greatest length neither overflow a sentence nor break it into lines.
 */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "tdxo/record.h"

static const struct arrival cxl = {
	.range = {64 * GIB, 128 * GIB},
	.size = 64 * GIB,
	.carrier = CARRIER_CXL,
	.device = "dax0.0",
	.region = "region0",
	.node = 1,
	.driver = DAX_DRIVER_DEVICE_DAX,
	.memdevs = {{"mem0", 17}, {"mem1", 18}},
	.n_memdevs = 2,
};
static const struct arrival dimm = {
	.range = {4 * GIB, 8 * GIB},
	.size = 4 * GIB,
	.carrier = CARRIER_DIMM,
	.node = NODE_UNKNOWN,
};
static const struct arrival lost = {
	.size = 16 * GIB,
	.carrier = CARRIER_HMEM,
	.fault = FAULT_UNREADABLE,
	.device = "dax1.0",
	.node = NODE_UNKNOWN,
};

#define ACTIVE_GATE                                                                                \
	{                                                                                          \
		.state = GATE_ACTIVE, .detected = GATE_ACTIVE                                      \
	}

static const struct {
	struct record record;
	const char *sentence;
} rows[] = {
	{{.arrival = &cxl,
		 .decision = {VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP, ZONE_NONE, 0},
		 .outcome = {.result = RESULT_DONE},
		 .gate = ACTIVE_GATE},
		"64 GiB cxl [mem 0x1000000000-0x1fffffffff] (dax0.0, region0, mem0, mem1, node 1) "
		"kept as devdax: TDX refuses it, it was not there at boot (outside-boot-map); "
		"TDX gate active"},
	{{.arrival = &cxl,
		 .decision = {VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP, ZONE_NONE, 0},
		 .outcome = {.result = RESULT_PLANNED},
		 .gate = {.state = GATE_ACTIVE, .detected = GATE_ABSENT, .mode = GATE_MODE_ACTIVE}},
		"64 GiB cxl [mem 0x1000000000-0x1fffffffff] (dax0.0, region0, mem0, mem1, node 1) "
		"to be kept as devdax: TDX refuses it, it was not there at boot "
		"(outside-boot-map); TDX gate active as configured, absent as found"},
	{{.arrival = &dimm,
		 .decision = {VERDICT_ONLINE, REASON_IN_BOOT_MAP, ZONE_KERNEL, 1},
		 .outcome = {.result = RESULT_DONE, .blocks = {.present = 32, .online = 32}},
		 .gate = {.state = GATE_ARMED, .detected = GATE_ARMED}},
		"4 GiB dimm [mem 0x100000000-0x1ffffffff] online, 32 of 32 blocks: "
		"TDX accepts it, it was there at boot (in-boot-map); TDX gate armed"},
	{{.arrival = &dimm,
		 .decision = {VERDICT_ONLINE, REASON_GATE_ABSENT, ZONE_AUTO, 0},
		 .outcome = {.result = RESULT_PARTIAL,
			 .error = EBUSY,
			 .failed = ACTION_ONLINE,
			 .failed_at = 0x1f8000000,
			 .blocks = {.present = 32, .online = 31}},
		 .gate = {.state = GATE_ABSENT, .detected = GATE_ABSENT}},
		"4 GiB dimm [mem 0x100000000-0x1ffffffff] not wholly online, 31 of 32 blocks: "
		"there is no TDX here to refuse it (gate-absent); "
		"online at 0x1f8000000: Device or resource busy; TDX gate absent"},
	{{.arrival = &dimm,
		 .decision = {VERDICT_OFFLINE, REASON_KERNEL_REFUSED, ZONE_NONE, 0},
		 .outcome = {.result = RESULT_DONE,
			 .error = EPERM,
			 .failed = ACTION_ONLINE,
			 .failed_at = 0x1f8000000,
			 .blocks = {.present = 32}},
		 .gate = ACTIVE_GATE},
		"4 GiB dimm [mem 0x100000000-0x1ffffffff] left offline: the kernel refused what "
		"policy allowed (kernel-refused); online at 0x1f8000000: Operation not permitted; "
		"TDX gate active"},
	{{.arrival = &dimm,
		 .decision = {VERDICT_ONLINE, REASON_IN_BOOT_MAP, ZONE_KERNEL, 1},
		 .outcome = {.result = RESULT_PLANNED, .blocks = {.present = 32}},
		 .gate = ACTIVE_GATE},
		"4 GiB dimm [mem 0x100000000-0x1ffffffff] to be onlined: "
		"TDX accepts it, it was there at boot (in-boot-map); TDX gate active"},
	{{.arrival = &lost,
		 .decision = {VERDICT_IGNORE, REASON_UNREADABLE, ZONE_NONE, 0},
		 .gate = {.state = GATE_UNKNOWN, .detected = GATE_UNKNOWN}},
		"16 GiB hmem (dax1.0) left as it is: a part of its state cannot be read "
		"(unreadable); TDX gate unknown"},
};

static void test_sentences(void **state)
{
	char text[RECORD_SENTENCE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_ptr_equal(record_sentence(&rows[i].record, text), text);
		assert_string_equal(text, rows[i].sentence);
	}
}

/* What failed is not told as a fact: this device was not kept as devdax, kmem still has it. */
static void test_failure_is_no_success(void **state)
{
	const struct record record = {
		.arrival = &cxl,
		.decision = {VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP, ZONE_NONE, 0},
		.outcome = {.result = RESULT_FAILED, .error = EBUSY, .failed = ACTION_UNBIND},
		.gate = ACTIVE_GATE,
	};
	char text[RECORD_SENTENCE];

	(void)state;
	record_sentence(&record, text);
	assert_non_null(strstr(text, "unbind: Device or resource busy"));
	assert_null(strstr(text, ") kept as devdax"));
}

static const struct field *find(const struct field *fields, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(fields[i].name, name) != 0)
		i++;
	assert_in_range(i, 0, n - 1);
	return &fields[i];
}

static void assert_text(const struct field *fields, size_t n, const char *name, const char *text)
{
	const struct field *field = find(fields, n, name);

	assert_int_equal(field->kind, text ? FIELD_TEXT : FIELD_NULL);
	if (text)
		assert_string_equal(field->text, text);
}

static void assert_number(const struct field *fields, size_t n, const char *name,
	enum field_kind kind, uint64_t number)
{
	const struct field *field = find(fields, n, name);

	assert_int_equal(field->kind, kind);
	if (kind != FIELD_NULL)
		assert_int_equal(field->number, number);
}

static void test_fields_of_device(void **state)
{
	struct record record = rows[0].record;
	struct field f[RECORD_FIELDS];
	size_t n;

	(void)state;
	record.outcome.error = EBUSY;
	record.outcome.blocks = (struct block_count){.present = 8, .online = 3};
	n = record_fields(&record, f);
	assert_number(f, n, "start", FIELD_ADDRESS, 64 * GIB);
	assert_number(f, n, "end", FIELD_ADDRESS, 128 * GIB - 1); /* inclusive, as it is printed */
	assert_number(f, n, "size", FIELD_NUMBER, 64 * GIB);
	assert_text(f, n, "carrier", "cxl");
	assert_text(f, n, "device", "dax0.0");
	assert_text(f, n, "region", "region0");
	assert_number(f, n, "node", FIELD_NUMBER, 1);
	assert_number(f, n, "blocks", FIELD_NUMBER, 8);
	assert_number(f, n, "blocks_online", FIELD_NUMBER, 3);
	assert_text(f, n, "driver", "device_dax");
	assert_text(f, n, "verdict", "devdax");
	assert_text(f, n, "zone", NULL);
	assert_text(f, n, "reason", "outside-boot-map");
	assert_text(f, n, "source", NULL);
	assert_text(f, n, "result", "done");
	assert_number(f, n, "errno", FIELD_NUMBER, EBUSY);
	assert_text(f, n, "gate", "active");
	assert_text(f, n, "gate_detected", "active");
	assert_text(f, n, "gate_mode", "auto");
}

static void test_absent_fields(void **state)
{
	struct field f[RECORD_FIELDS];
	size_t n = record_fields(&rows[2].record, f);

	(void)state;
	assert_text(f, n, "device", NULL);
	assert_text(f, n, "region", NULL);
	assert_text(f, n, "driver", NULL);
	assert_text(f, n, "zone", "kernel");
	assert_text(f, n, "source", "boot-params");
	assert_number(f, n, "node", FIELD_NULL, 0);
	assert_number(f, n, "errno", FIELD_NULL, 0);
	n = record_fields(&rows[6].record, f);
	assert_number(f, n, "start", FIELD_NULL, 0);
	assert_number(f, n, "end", FIELD_NULL, 0);
	assert_number(f, n, "size", FIELD_NUMBER, 16 * GIB);
}

/* sd_journal_send(3): A-Z, 0-9 and the underscore, which does not come first; 64 at most. */
static void test_field_names(void **state)
{
	struct field first[RECORD_FIELDS], f[RECORD_FIELDS];
	size_t n = record_fields(&rows[0].record, first);

	(void)state;
	assert_in_range(n, 1, RECORD_FIELDS);
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
		assert_int_equal(record_fields(&rows[row].record, f), n);
		for (size_t i = 0; i < n; i++) {
			assert_string_equal(f[i].name, first[i].name);
			if (f[i].kind == FIELD_TEXT)
				assert_true(f[i].text && strcspn(f[i].text, "\n"));
		}
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = first[i].name;

		assert_true(name[0] >= 'a' && name[0] <= 'z');
		assert_int_equal(
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
		assert_in_range(strlen(name), 1, 64);
		for (size_t other = 0; other < i; other++)
			assert_string_not_equal(name, first[other].name);
	}
}

static bool fields_differ(const struct record *a, const struct record *b)
{
	struct field fa[RECORD_FIELDS], fb[RECORD_FIELDS];
	size_t n = record_fields(a, fa);

	record_fields(b, fb);
	for (size_t i = 0; i < n; i++) {
		if (fa[i].kind != fb[i].kind || fa[i].number != fb[i].number)
			return true;
		if (fa[i].kind == FIELD_TEXT && strcmp(fa[i].text, fb[i].text) != 0)
			return true;
	}
	return false;
}

/* The fields are what programs get: they tell at least what the sentence tells. */
static void test_fields_tell_all(void **state)
{
	static const char *const names[] = {"verdict", "reason", "zone", "source", "result",
		"error", "blocks", "gate", "failed", "failed_at"};
	const struct record record = rows[3].record;
	struct record others[ARRAY_SIZE(names)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = record;
	others[0].decision.verdict = VERDICT_IGNORE;
	others[1].decision.reason = REASON_TOO_SMALL;
	others[2].decision.zone = ZONE_KERNEL;
	others[3].decision.source = BOOT_SOURCE_CONFIGURATION;
	others[4].outcome.result = RESULT_FAILED;
	others[5].outcome.error = EPERM;
	others[6].outcome.blocks.online = 30;
	others[7].gate.state = GATE_ARMED;
	others[8].outcome.failed = ACTION_BIND_KMEM;
	others[9].outcome.failed_at = 0x1f0000000;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!fields_differ(&record, &others[i]))
			fail_msg("no field tells a difference in %s", names[i]);
}

static void fill(char name[SYSFS_NAME], char letter)
{
	memset(name, letter, SYSFS_NAME - 1);
	name[SYSFS_NAME - 1] = '\0';
}

static void test_longest(void **state)
{
	struct arrival arrival = {.range = {1, UINT64_MAX},
		.size = UINT64_MAX - 1,
		.carrier = CARRIER_VIRTIO_MEM,
		.node = INT32_MAX};
	struct record record = rows[3].record;
	struct {
		char text[RECORD_SENTENCE], guard[8];
	} out;

	(void)state;
	fill(arrival.device, 'd');
	fill(arrival.region, 'r');
	record.arrival = &arrival;
	for (arrival.n_memdevs = 0;; arrival.n_memdevs++) {
		memset(&out, '#', sizeof(out));
		record_sentence(&record, out.text);
		assert_memory_equal(out.guard, "########", 8);
		assert_non_null(memchr(out.text, '\0', sizeof(out.text)));
		assert_null(strchr(out.text, '\n'));
		assert_non_null(strstr(out.text, arrival.device));
		if (arrival.n_memdevs == MEMDEVS_MAX)
			break;
		fill(arrival.memdevs[arrival.n_memdevs].name, 'm');
	}
}

/* Sixteen interleaved devices under their usual names do not cost a sentence its verdict. */
static void test_sixteen_ways(void **state)
{
	struct record record = rows[0].record;
	struct arrival arrival = cxl;
	char text[RECORD_SENTENCE];

	(void)state;
	for (size_t i = 0; i < MEMDEVS_MAX; i++)
		strcpy(arrival.memdevs[i].name, "mem1000");
	arrival.n_memdevs = MEMDEVS_MAX;
	record.arrival = &arrival;
	record_sentence(&record, text);
	assert_non_null(strstr(
		text, "mem1000, mem1000, mem1000, mem1000 and 12 more, node 1) kept as devdax: "));
	assert_string_equal(text + strlen(text) - strlen("TDX gate active"), "TDX gate active");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_failure_is_no_success),
		cmocka_unit_test(test_fields_of_device),
		cmocka_unit_test(test_absent_fields),
		cmocka_unit_test(test_field_names),
		cmocka_unit_test(test_fields_tell_all),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_sixteen_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
