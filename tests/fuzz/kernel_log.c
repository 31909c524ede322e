/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel log, line by line: messages about TDX and about rejected memory.
 */
#include <errno.h>

#include "tdxo/memory/rejected.h"
#include "tdxo/tdx/kmsg.h"
#include "tdxo/tdx/state.h"
#include "tests/fuzz/fuzz.h"

static void check_log(const struct tdx_log *log)
{
	enum tdx_trouble failure = tdx_log_failure(log);
	struct tdx_facts facts = {0};
	struct seamcall seamcall;

	require(failure <= TDX_TROUBLE_FINAL_MAX);
	require(failure == TDX_TROUBLE_FINAL_MAX || log->lines[failure][0]);
	for (enum tdx_trouble i = 0; i < TDX_TROUBLE_MAX; i++)
		require(is_string(log->lines[i]));
	require(tdx_log_error(log) >= 0);
	if (tdx_log_seamcall(log, &seamcall))
		(void)seamcall_status_explain(seamcall.status);
	tdx_read_log(log, &facts);
	require(is_string(facts.log_line));
	/*
	 * TDX is absent only with a line that is final, and only if no other source shows it
	 * active.
	 */
	require(failure < TDX_TROUBLE_FINAL_MAX ||
		tdx_decide(&facts, TDX_MODE_AUTO).state != TDX_ABSENT);
	facts.facts[TDX_SOURCE_CORE_STATE] = FACT_YES;
	require(tdx_decide(&facts, TDX_MODE_AUTO).state != TDX_ABSENT);
}

static void check_rejections(const struct rejections *rejections)
{
	char buf[REJECTION_TEXT];

	for (size_t i = 0; i < rejections->n; i++) {
		struct strbuf text = strbuf_in(buf, sizeof(buf));

		require(is_string(rejections->items[i].line) &&
			is_string(rejections->items[i].device));
		rejection_append(&text, &rejections->items[i]);
		require(rejections->items[i].cause < REJECTION_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(rejections_done) struct rejections rejections = {0};
	CLEANUP(free_text_of) char *text = text_of(data, size);
	struct rejection_reader reader = {.rejections = &rejections};
	struct tdx_log log = {0};
	char *rest = text, *line;
	const char *message;

	while ((line = strsep(&rest, "\n"))) {
		int r = kmsg_parse(line, &message);

		require(r == 0 || r == -EBADMSG);
		if (r < 0 || !message)
			continue;
		require(message >= line && message <= line + strlen(line));
		tdx_log_read(&log, message);
		rejection_read(&reader, message);
	}
	require(reader.error == 0);
	check_log(&log);
	check_rejections(&rejections);
	return 0;
}
