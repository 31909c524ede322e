/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of the kernel, anonymised. The first byte chooses the kind.
 */
#include "tdxo/anonymise/anonymise.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(disguise_done) struct disguise disguise = {0};
	CLEANUP(bytes_done) struct bytes once = {0}, twice = {0};
	enum disguise_kind kind;
	struct bytes text;

	if (!size)
		return 0;
	kind = data[0] % DISGUISE_KINDS;
	text = (struct bytes){(char *)data + 1, size - 1};
	require(disguise_text(&disguise, kind, &text, &once) == 0);
	if (kind == DISGUISE_PLAIN || kind == DISGUISE_BOOT_PARAMS)
		require(once.n == text.n);
	/* The result is the same the second time. */
	require(disguise_text(&disguise, kind, &text, &twice) == 0);
	require(once.n == twice.n && (!once.n || memcmp(once.bytes, twice.bytes, once.n) == 0));
	return 0;
}
