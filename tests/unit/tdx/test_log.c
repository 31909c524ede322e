/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of the kernel about TDX: every message about a failure in each wording, other messages,
 * and messages that quote text from a program.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "tdxo/tdx/log.h"

#define NONE TDX_TROUBLE_MAX

static void test_every_message(void **state)
{
	static const struct {
		const char *message;
		enum tdx_trouble trouble;
	} rows[] = {
		{"virt/tdx: initialization failed: Hibernation support is enabled",
			TDX_TROUBLE_HIBERNATION},
		{"virt/tdx: initialization failed: too few private KeyIDs available.",
			TDX_TROUBLE_FEW_KEYS},
		{"virt/tdx: module not loaded", TDX_TROUBLE_NO_MODULE},
		{"virt/tdx: frame pointer (RBP) clobber bug present, upgrade TDX module",
			TDX_TROUBLE_OLD_MODULE},
		{"virt/tdx: MOVDIR64B is required for TDX", TDX_TROUBLE_FEATURE},
		{"virt/tdx: XSAVE is required for TDX", TDX_TROUBLE_FEATURE},
		{"virt/tdx: Self-snoop is required for TDX", TDX_TROUBLE_FEATURE},
		{"virt/tdx: module initialization failed (-5)", TDX_TROUBLE_FAILED},
		{"virt/tdx: TDX-Module initialization failed (-28)", TDX_TROUBLE_FAILED},
		{"virt/tdx: initialization failed: register_memory_notifier() failed (-12)",
			TDX_TROUBLE_NOTIFIER},
		{"virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000",
			TDX_TROUBLE_SYS_INIT},
		{"virt/tdx: SEAMCALL (0x0000000000010021) failed: 0xc000090000000000",
			TDX_TROUBLE_SYS_INIT},
		{"virt/tdx: SEAMCALL (0x0000000000000023) failed: 0x8000020000000000",
			TDX_TROUBLE_SEAMCALL},
		{"virt/tdx: SEAMCALL (0x000000000000002d) failed: 0xc0000a0200000000",
			TDX_TROUBLE_SEAMCALL},
		{"virt/tdx: SEAMCALL (0x0000000000210000) failed: 0xc0000a0200000000",
			TDX_TROUBLE_SEAMCALL},
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
		{"virt/tdx: Module version: 1.5.06", NONE},
		{"virt/tdx: Disable ACPI S3. Turn off TDX in the BIOS to use ACPI S3.", NONE},
		{"virt/tdx: initialization failed: TDMRs exhausted.", NONE},
		{"virt/tdx: TDH.SYS.DISABLE failed: 0xc000010000000000", NONE},
		{"virt/tdx: 262668 KB allocated for PAMT", NONE},
		{"virt/tdx: SEAMCALL (0x21) failed", NONE},
		{"virt/tdx: SEAMCALL (21) failed: 0xc000090000000000", NONE},
		{"virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000 ", NONE},
		{"virt/tdx: module not loaded yet", NONE},
		{"virt/tdx: module initialization failed (-5) perhaps", NONE},
		{"kvm_intel: VMX not supported by CPU 0", NONE},
		{"PM: Hibernation support is enabled", NONE},
		{"seamldr: SEAMCALL (0x8000000000000001) failed: 0x8000000000000002", NONE},
		{"systemd[1]: module not loaded", NONE},
		{"", NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_log log = {0}, line = {0};
		char text[256];

		tdx_log_read(&log, rows[i].message);
		snprintf(text, sizeof(text), "%s\n", rows[i].message);
		tdx_log_read(&line, text);
		assert_memory_equal(&line, &log, sizeof(log));
		for (enum tdx_trouble t = 0; t < TDX_TROUBLE_MAX; t++)
			if (strcmp(log.lines[t], t == rows[i].trouble ? rows[i].message : "") != 0)
				fail_msg("%s: trouble %d", rows[i].message, t);
	}
}

/* Text from a program, quoted in a message of the kernel, is not read as a message about TDX. */
static void test_quoted_words(void **state)
{
	static const char *const frames[] = {
		"tmpfs: Unknown parameter '%s'",
		"[    1.234567] %s",
		"3,400,123456,-;%s",
		" %s",
		"x\\x0a%s",
		"x\n%s",
		"process '%s' started with executable stack",
		"audit: type=1400 comm=\"%s\"",
	};
	static const char *const words[] = {
		"virt/tdx: module initialized",
		"virt/tdx: TDX-Module initialized",
		"virt/tdx: BIOS enabled: private KeyID range [64, 128)",
		"virt/tdx: module initialization failed (-5)",
		"virt/tdx: module not loaded",
		"virt/tdx: XSAVE is required for TDX",
		"virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000",
		"kvm_intel: EPT is required for TDX",
	};
	const struct tdx_log nothing = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
			const char *cut = strstr(frames[i], "%s");
			struct tdx_log log = {0};
			char message[256];

			snprintf(message, sizeof(message), "%.*s%s%s", (int)(cut - frames[i]),
				frames[i], words[j], cut + 2);
			tdx_log_read(&log, message);
			if (memcmp(&log, &nothing, sizeof(log)) != 0)
				fail_msg("%s", message);
		}
	}
}

/* "NAME[PID]: segfault at …" begins with the name of a process, of at most 15 bytes. */
static void test_process_names(void **state)
{
	static const char *const messages[] = {
		"virt/tdx: XSAVE[77]: segfault at 0 ip 0 sp 0 error 4 is required for TDX",
		"virt/tdx: XSAVE is required for TDX[77]: segfault",
		"virt/tdx: modul[77]: segfault at 0",
	};
	struct tdx_log log = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		tdx_log_read(&log, messages[i]);
	assert_int_equal(tdx_log_failure(&log), TDX_TROUBLE_FINAL_MAX);
	assert_false(log.initialized);
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

static void test_initialized(void **state)
{
	static const struct {
		const char *message;
		bool initialized;
	} rows[] = {
		{"virt/tdx: module initialized\n", true},
		{"virt/tdx: TDX-Module initialized", true},
		{"virt/tdx: TDX-Module initialized ", false},
		{"virt/tdx: module initialization failed (-5)", false},
		{"virt/tdx: the module initialized", false},
		{"virt/tdx:module initialized", false},
		{"kvm_intel: module initialized", false},
		{"module initialized", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_log log = {0};

		tdx_log_read(&log, rows[i].message);
		if (log.initialized != rows[i].initialized)
			fail_msg("%s", rows[i].message);
	}
}

/* The last message of each kind counts, and the most specific kind of all. */
static void test_failure(void **state)
{
	static const char *const invalid[] = {
		"virt/tdx: module initialization failed (-4096)",
		"virt/tdx: module initialization failed (-2147483649)",
		"virt/tdx: module initialization failed (-99999999999999999999)",
		"virt/tdx: module initialization failed (--5)",
	};
	struct tdx_log log = {0};

	(void)state;
	assert_int_equal(tdx_log_error(&log), 0);
	assert_int_equal(tdx_log_failure(&log), TDX_TROUBLE_FINAL_MAX);
	tdx_log_read(&log, "virt/tdx: SEAMCALL (0x000000000000002d) failed: 0xc0000a0200000000");
	assert_int_equal(tdx_log_failure(&log), TDX_TROUBLE_FINAL_MAX);
	tdx_log_read(&log, "virt/tdx: module initialization failed (-5)");
	assert_int_equal(tdx_log_failure(&log), TDX_TROUBLE_FAILED);
	assert_int_equal(tdx_log_error(&log), 5);
	tdx_log_read(&log, "virt/tdx: module initialization failed (-22)");
	assert_int_equal(tdx_log_error(&log), 22);
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++) {
		tdx_log_read(&log, invalid[i]);
		assert_int_equal(tdx_log_error(&log), 0);
	}
	tdx_log_read(&log, "virt/tdx: frame pointer (RBP) clobber bug present, upgrade TDX module");
	assert_int_equal(tdx_log_failure(&log), TDX_TROUBLE_OLD_MODULE);
}

static void test_seamcall(void **state)
{
	struct tdx_log log = {0};
	struct seamcall seamcall;

	(void)state;
	assert_false(tdx_log_seamcall(&log, &seamcall));
	tdx_log_read(&log, "virt/tdx: SEAMCALL (0x000000000000002d) failed: 0xc0000a0200000003");
	assert_true(tdx_log_seamcall(&log, &seamcall));
	assert_int_equal(seamcall.leaf, 45);
	assert_true(seamcall.status == 0xc0000a0200000003);
	assert_true(seamcall_status_is_memory(seamcall.status));
	assert_string_equal(seamcall_status_explain(seamcall.status),
		"memory of the kernel is not convertible to TDX memory");
	tdx_log_read(&log, "virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000");
	assert_true(tdx_log_seamcall(&log, &seamcall));
	assert_int_equal(seamcall.leaf, 33);
	assert_false(seamcall_status_is_memory(seamcall.status));
	assert_false(seamcall_status_is_passing(seamcall.status));
	assert_true(seamcall_status_is_passing(0x8000020300000000));
	assert_string_equal(seamcall_status_explain(seamcall.status),
		"a CPUID value is not what the TDX module requires");
	assert_null(seamcall_status_explain(0x1234567800000000));
	assert_null(seamcall_status_explain(0));
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
		cmocka_unit_test(test_every_message),
		cmocka_unit_test(test_quoted_words),
		cmocka_unit_test(test_process_names),
		cmocka_unit_test(test_enabled),
		cmocka_unit_test(test_initialized),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_seamcall),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
