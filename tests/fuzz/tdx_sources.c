/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files that show the TDX state, all with the same text: /proc/cpuinfo, the states of CPU
 * hotplug, kvm_intel's parameter, misc.capacity and the kernel release.
 */
#include "tdxo/tdx/state.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_text_of) char *text = text_of(data, size);
	struct tdx_facts facts = {.release = kernel_release_parse(text)};
	char buf[1024];
	struct strbuf sources = strbuf_in(buf, sizeof(buf));
	struct tdx tdx;

	facts.facts[TDX_SOURCE_CPUINFO] = tdx_read_cpuinfo(text);
	facts.facts[TDX_SOURCE_KVM_INTEL] = tdx_read_kvm_parameter(text);
	facts.facts[TDX_SOURCE_CGROUP] = tdx_read_misc_capacity(text);
	tdx_read_states(text, &facts);
	for (enum tdx_source source = 0; source < TDX_SOURCE_MAX; source++)
		require(facts.facts[source] < FACT_MAX);
	tdx = tdx_decide(&facts, TDX_MODE_AUTO);
	require(tdx.state < TDX_STATE_MAX && tdx.cause < TDX_CAUSE_MAX);
	/* TDX is absent only by a source that can be read. */
	require(tdx.state != TDX_ABSENT || facts.facts[TDX_SOURCE_CPUINFO] != FACT_UNREADABLE ||
		facts.facts[TDX_SOURCE_CORE_STATE] != FACT_UNREADABLE);
	tdx_append(&sources, &tdx);
	tdx_append_sources(&sources, &tdx);
	return 0;
}
