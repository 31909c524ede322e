/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host without findings, for tests of the doctor that each make one fault.
 */
#pragma once

#include <errno.h>
#include <string.h>

#include "tdxo/doctor/doctor.h"
#include "tests/unit/fixture.h"
#include "tests/unit/remedy.h"

/* A range that arrived after boot: its record, and the objects that the record refers to. */
struct late {
	struct facts facts;
	struct decision decision;
	struct record *record;
};

/* A host with TDX active, the guard up, and 1 GiB of boot memory. */
struct host {
	struct snapshot snapshot;
	struct late late[2];
	struct record records[2];
	struct tdx_log log;
	struct doctor_facts facts;
};

struct want {
	enum finding_code code;
	enum severity severity;
	const char *message; /* a part of the message */
	const char *remedy;  /* a part of the remedy */
	const char *source;
};

static inline void host_done(struct host *host)
{
	snapshot_done(&host->snapshot);
}

static inline void set_tdx(struct host *host, enum tdx_state detected, enum tdx_mode mode)
{
	struct tdx_facts facts = {.release = {6, 16}};

	for (enum tdx_source s = 0; s < TDX_SOURCE_MAX; s++)
		facts.facts[s] = FACT_ABSENT;
	facts.facts[TDX_SOURCE_CPUINFO] = detected == TDX_ABSENT ? FACT_NO : FACT_YES;
	facts.facts[TDX_SOURCE_TDX_HOST] = detected == TDX_ACTIVE ? FACT_YES : FACT_ABSENT;
	host->snapshot.tdx = tdx_decide(&facts, mode);
	assert_int_equal(host->snapshot.tdx.detected, detected);
}

/* Change the release or a source, and decide the TDX state again. */
static inline void set_release(struct host *host, unsigned int major, unsigned int minor)
{
	struct tdx_facts facts = host->snapshot.tdx.evidence;

	facts.release = (struct kernel_release){major, minor};
	host->snapshot.tdx = tdx_decide(&facts, host->snapshot.tdx.mode);
}

static inline void set_source(struct host *host, enum tdx_source source, enum fact fact)
{
	struct tdx_facts facts = host->snapshot.tdx.evidence;

	facts.facts[source] = fact;
	host->snapshot.tdx = tdx_decide(&facts, host->snapshot.tdx.mode);
}

/* Read a line of the kernel log. */
static inline void log_message(struct host *host, const char *message)
{
	struct tdx_facts facts = host->snapshot.tdx.evidence;

	tdx_log_read(&host->log, message);
	tdx_read_log(&host->log, &facts);
	host->snapshot.tdx = tdx_decide(&facts, host->snapshot.tdx.mode);
}

static inline void host_init(struct host *host)
{
	*host = (struct host){.snapshot = {.block_size = BLOCK,
				      .dax_autoprobe = DAX_AUTOPROBE_OFF,
				      .auto_online_blocks = "offline",
				      .boot_map.known = true}};
	add_region(&host->snapshot.boot_map, span(MIB, GIB), BOOT_SOURCE_BOOT_PARAMS);
	set_tdx(host, TDX_ACTIVE, TDX_MODE_AUTO);
	host->facts = (struct doctor_facts){.tdx = &host->snapshot.tdx,
		.snapshot = &host->snapshot,
		.log = &host->log,
		.records = host->records,
		.running = true,
		.kvm_loaded = true,
		.cmdline = "quiet nohibernate"};
}

/* Add a range of 4 blocks that arrived after boot, with this many in the kernel and online. */
static inline struct late *add_record(
	struct host *host, const char *device, uint64_t present, uint64_t online)
{
	struct late *late = &host->late[host->facts.n_records];
	struct record *record = &host->records[host->facts.n_records++];

	*record = (struct record){.facts = &late->facts,
		.decision = &late->decision,
		.range = span(4 * GIB, 4 * GIB + 4 * BLOCK),
		.outcome.blocks = {present, online, 0}};
	*late = (struct late){
		.facts = facts_of(device, *device ? TYPE_CXL : TYPE_DIMM, &host->snapshot.boot_map),
		.decision.verdict = *device ? VERDICT_DEVDAX : VERDICT_OFFLINE,
		.record = record};
	late->facts.tdx = host->snapshot.tdx;
	late->facts.device.node = 1;
	late->facts.device.ranges = &record->range;
	late->facts.device.n_ranges = 1;
	late->facts.device.size = range_size(record->range);
	return late;
}

static inline void assert_has(const char *what, const char *got, const char *part, const char *code)
{
	if (!strstr(got, part))
		fail_msg("%s of %s: %s\nnot: %s", what, code, got, part);
}

static inline void assert_findings_of(
	const struct doctor_facts *facts, const struct want *wants, size_t n)
{
	CLEANUP(findings_done) struct findings findings = {0};

	assert_int_equal(doctor_examine(facts, &findings), 0);
	for (size_t i = 0; i < findings.n && i < n; i++) {
		const struct finding *finding = &findings.items[i];
		const char *code = finding_code_to_string(wants[i].code);

		if (finding->code != wants[i].code)
			fail_msg("%s, not %s", finding_code_to_string(finding->code), code);
		assert_int_equal(finding->severity, wants[i].severity);
		assert_has("message", finding->message, wants[i].message, code);
		assert_has("remedy", finding->remedy, wants[i].remedy, code);
		assert_remedy(finding->remedy);
		assert_string_equal(finding->source, wants[i].source);
	}
	if (findings.n > n)
		fail_msg("also: %s", findings.items[n].message);
	if (findings.n < n)
		fail_msg("%zu findings, not %zu", findings.n, n);
}

#define assert_findings(host, ...)                                                                 \
	do {                                                                                       \
		const struct want wants_[] = {__VA_ARGS__};                                        \
		assert_findings_of(&(host)->facts, wants_, ARRAY_SIZE(wants_));                    \
	} while (0)

static inline void assert_healthy(const struct host *host)
{
	assert_findings_of(&host->facts, NULL, 0);
}

#define HOST(name)                                                                                 \
	CLEANUP(host_done) struct host name;                                                       \
	host_init(&name);                                                                          \
	assert_healthy(&name)
