/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel log: every line that tells of trouble, in every wording, and lines that do not.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "tdxo/tdx_log.h"

#define NONE TDX_TROUBLE_MAX

static void test_every_line(void **state)
{
	static const struct {
		const char *line;
		enum tdx_trouble trouble;
	} rows[] = {
		{"virt/tdx: initialization failed: Hibernation support is enabled",
			TDX_TROUBLE_HIBERNATION},
		{"virt/tdx: initialization failed: too few private KeyIDs available.",
			TDX_TROUBLE_FEW_KEYS},
		{"virt/tdx: module not loaded", TDX_TROUBLE_NO_MODULE},
		{"virt/tdx: frame pointer (RBP) clobber bug present, upgrade TDX module",
			TDX_TROUBLE_OLD_MODULE},
		{"virt/tdx: MOVDIR64B is required for TDX", TDX_TROUBLE_PROCESSOR},
		{"virt/tdx: XSAVE is required for TDX", TDX_TROUBLE_PROCESSOR},
		{"virt/tdx: module initialization failed (-5)", TDX_TROUBLE_FAILED},
		{"virt/tdx: TDX-Module initialization failed (-28)", TDX_TROUBLE_FAILED},
		{"virt/tdx: initialization failed: register_memory_notifier() failed (-12)",
			TDX_TROUBLE_FAILED},
		{"kvm_intel: EPT is required for TDX", TDX_TROUBLE_KVM},
		{"kvm_intel: TDP MMU and MMIO caching and EPT A/D bit is required for TDX",
			TDX_TROUBLE_KVM},
		{"kvm_intel: tdx: OSXSAVE is required for TDX", TDX_TROUBLE_KVM},
		{"kvm_intel: tdx: no TDX private KeyIDs available", TDX_TROUBLE_KVM},
		{"kvm_intel: tdx: tdx requires kvm.enable_virt_at_load=1", TDX_TROUBLE_KVM},
		{"kvm_intel: Disable TDX: MAX_VCPU_PER_TD (64) smaller than number of logical"
		 " CPUs (512).",
			TDX_TROUBLE_KVM},
		{"virt/tdx: BIOS enabled: private KeyID range [64, 128)", NONE},
		{"virt/tdx: TDX not supported by the host platform", NONE},
		{"virt/tdx: module initialized", NONE},
		{"virt/tdx: TDX-Module initialized", NONE},
		{"virt/tdx: Module version: 1.5.06", NONE},
		{"virt/tdx: Disable ACPI S3. Turn off TDX in the BIOS to use ACPI S3.", NONE},
		{"virt/tdx: SEAMCALL (0x000000000000002d) failed: 0x8000000000000000", NONE},
		{"kvm_intel: VMX not supported by CPU 0", NONE},
		{"PM: Hibernation support is enabled", NONE},
		{"systemd[1]: module not loaded", NONE},
		{"", NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_log plain = {0}, kmsg = {0}, dmesg = {0};
		char line[256];

		tdx_log_read(&plain, rows[i].line);
		snprintf(line, sizeof(line), "3,400,123456,-;%s\n", rows[i].line);
		tdx_log_read(&kmsg, line);
		snprintf(line, sizeof(line), "[    1.234567] %s\n", rows[i].line);
		tdx_log_read(&dmesg, line);
		assert_memory_equal(&kmsg, &plain, sizeof(plain));
		assert_memory_equal(&dmesg, &plain, sizeof(plain));
		for (enum tdx_trouble t = 0; t < TDX_TROUBLE_MAX; t++)
			if (strcmp(plain.lines[t], t == rows[i].trouble ? rows[i].line : "") != 0)
				fail_msg("%s: trouble %d", rows[i].line, t);
	}
}

static void test_enabled(void **state)
{
	struct tdx_log log = {0};

	(void)state;
	tdx_log_read(&log, "virt/tdx: TDX not supported by the host platform");
	assert_false(log.enabled);
	tdx_log_read(&log, "virt/tdx: BIOS enabled: private KeyID range [64, 128)");
	assert_true(log.enabled);
	tdx_log_read(&log, "virt/tdx: module not loaded");
	assert_true(log.enabled);
}

/* The last of each counts; what came up after all has not failed. */
static void test_order(void **state)
{
	struct tdx_log log = {0};

	(void)state;
	assert_int_equal(tdx_log_error(&log), 0);
	tdx_log_read(&log, "virt/tdx: module initialization failed (-5)");
	assert_int_equal(tdx_log_error(&log), 5);
	tdx_log_read(&log, "virt/tdx: module initialization failed (-22)");
	assert_int_equal(tdx_log_error(&log), 22);
	assert_string_equal(
		log.lines[TDX_TROUBLE_FAILED], "virt/tdx: module initialization failed (-22)");
	tdx_log_read(&log, "virt/tdx: module initialized");
	assert_string_equal(log.lines[TDX_TROUBLE_FAILED], "");
	assert_int_equal(tdx_log_error(&log), 0);
}

static void test_long_line(void **state)
{
	struct tdx_log log = {0};
	char line[1000];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "kvm_intel: Disable TDX", strlen("kvm_intel: Disable TDX"));
	line[sizeof(line) - 1] = '\0';
	tdx_log_read(&log, line);
	assert_int_equal(strlen(log.lines[TDX_TROUBLE_KVM]), TDX_LOG_LINE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line),
		cmocka_unit_test(test_enabled),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
