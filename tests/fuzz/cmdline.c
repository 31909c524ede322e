/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel command line, and the part of it that `capture` keeps.
 */
#include "tdxo/anonymise/anonymise.h"
#include "tdxo/base/cmdline.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_text_of) char *text = text_of(data, size);
	CLEANUP(bytes_done) struct bytes kept = {0};
	struct parameter parameter;
	const char *rest = text;

	for (const char *before = rest; parameter_next(&rest, &parameter); before = rest) {
		require(rest > before);
		require(is_string(parameter.name) && is_string(parameter.value));
		(void)parameter_lists(&parameter, "dax_hmem");
		(void)parameter_is_no(parameter.value);
	}
	require(rest <= text + strlen(text));
	require(disguise_cmdline(text, &kept) == 0);
	require(kept.n && kept.bytes[kept.n - 1] == '\n');
	return 0;
}
