#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The TDX state on captured machines: its sources, its reports, and damaged sources.

Each test changes the sources of the state in a copy of a tree: the kernel release, the states of
CPU hotplug, the parameter of kvm_intel, the kernel log.
"""

import json

import tree

STATES = "sys/devices/system/cpu/hotplug/states"
KVM = "sys/module/kvm_intel/parameters/tdx"
RELEASE = "proc/sys/kernel/osrelease"
CORE_LINE = "201: virt/tdx:online\n"
KVM_LINE = "202: kvm/cpu/tdx:online\n"
SYS_INIT = "virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000"
ENABLED = "virt/tdx: BIOS enabled: private KeyID range [32, 64)"

# Lines after which this kernel cannot start TDX any more, and the cause that is reported.
FINAL = {
    "virt/tdx: module not loaded": "no-module",
    "virt/tdx: XSAVE is required for TDX": "missing-feature",
    "virt/tdx: MOVDIR64B is required for TDX": "missing-feature",
    "virt/tdx: Self-snoop is required for TDX": "missing-feature",
    "virt/tdx: frame pointer (RBP) clobber bug present, upgrade TDX module": "old-module",
    "virt/tdx: module initialization failed (-5)": "init-failed",
    "virt/tdx: TDX-Module initialization failed (-28)": "init-failed",
    SYS_INIT: "init-failed",
}


def states(lines=""):
    return f"  0: offline\n  1: threads:prepare\n{lines}238: online\n"


class State(tree.Tree):
    def setUp(self):
        super().setUp()
        self.prepare("cxl-guard")

    def prepare(self, name):
        self.tree(name)
        self.write(KVM, "N\n")
        self.write("sys/fs/cgroup/misc.capacity", "")
        self.write("proc/cmdline", "ro kvm_intel.tdx=1 nohibernate\n")
        self.log(ENABLED)

    def log(self, *messages):
        self.write("dev/kmsg", "".join(f"3,{400 + i},3000000,-;{m}\n" for i, m in enumerate(messages)))

    def save_state(self, **state):
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        self.write("run/tdx-onlined/state.json", json.dumps({
            "schema": 3, "boot_id": boot_id, "config": {}, "present": [], "devices": [],
            "boot_map": {"known": False, "ranges": []}, **state}))  # fmt: skip

    def tdx(self):
        return self.decide()[0]["tdx"]

    def assert_state(self, state, cause=None):
        tdx = self.tdx()
        self.assertEqual((tdx["state"], tdx["cause"]), (state, cause))
        return tdx

    def codes(self):
        report = json.loads(tree.run(self.root, "doctor", "--json").stdout)
        self.assertEqual(report["tdx"], self.tdx())
        return {finding["code"]: finding for finding in report["findings"]}


class Decided(State):
    def test_final_failures(self):
        """Before Linux 7.1 the log proves a failure; from 7.1 on only the states file does."""
        for line, cause in FINAL.items():
            with self.subTest(line):
                self.log(ENABLED, line)
                self.write(RELEASE, "6.12.95+deb12-amd64\n")
                self.assertEqual(self.assert_state("absent", cause)["kernel_log"], line)
                self.write(RELEASE, "7.3.4+deb13-amd64\n")
                self.assertIsNone(self.assert_state("unknown", "unreadable")["kernel_log"])
                self.assertNotIn(line, self.codes()["tdx-state-unknown"]["message"])
                self.write(STATES, states())
                self.assertEqual(self.assert_state("absent", cause)["kernel_log"], line)
                self.write(STATES, states(CORE_LINE))
                self.assert_state("active")
                self.forget(STATES)

    def test_no_proof(self):
        """Failures of KVM, and a request that the kernel repeats, are no proof before 7.1."""
        seamcall = "virt/tdx: SEAMCALL (0x0000000000000023) failed: 0x8000020000000000"
        for line in ("kvm_intel: Self-snoop is required for TDX", seamcall,
                     "virt/tdx: TDX not supported by the host platform"):  # fmt: skip
            with self.subTest(line):
                self.log(ENABLED, line)
                self.assert_state("armed")
        self.write(RELEASE, "7.1.0\n")
        self.write(STATES, states())
        self.assert_state("absent", "not-started")
        self.log(ENABLED, seamcall)
        self.assertEqual(self.assert_state("absent", "init-failed")["kernel_log"], seamcall)

    def test_states(self):
        for release, lines, state, cause in (
            ("6.8.0-1020-intel", "", "armed", None),
            ("7.0.13", "", "armed", None),
            ("7.0.13", KVM_LINE, "active", None),
            ("7.1.0-rc1", "", "absent", "not-started"),
            ("7.1.0-rc1", CORE_LINE, "active", None),
            ("7.3.4", KVM_LINE, "unknown", "conflict"),
            ("custom", "", "armed", None),
            ("custom", CORE_LINE, "active", None),
        ):
            with self.subTest(f"{release} {lines}"):
                self.write(RELEASE, f"{release}\n")
                self.write(STATES, states(lines))
                self.assert_state(state, cause)

    def test_hidden_flag(self):
        """clearcpuid= hides the flag, but the kernel still refuses memory."""
        self.write("proc/cpuinfo", (self.root / "proc/cpuinfo").read_text()
                   .replace("tdx_host_platform", ""))  # fmt: skip
        self.assert_state("absent", "not-enabled")
        self.write(STATES, states(CORE_LINE))
        self.assert_state("unknown", "conflict")
        finding = self.codes()["tdx-state-unknown"]
        self.assertIn("/proc/cpuinfo: no tdx_host_platform; /sys/devices/system/cpu/hotplug/states:"
                      " virt/tdx:online", finding["message"])  # fmt: skip

    def test_log_after_active(self):
        """After TDX was active, no line of the log makes it absent."""
        line = "virt/tdx: module initialization failed (-5)"
        self.log(ENABLED, line)
        self.assert_state("absent", "init-failed")
        self.save_state(tdx_active=True)
        self.assert_state("active")
        self.save_state()
        for path, content in ((KVM, "Y\n"), ("sys/fs/cgroup/misc.capacity", "tdx 31\n"),
                              ("sys/devices/faux/tdx_host/version", "1.5.06\n"),
                              (STATES, states(CORE_LINE)), (STATES, states(KVM_LINE))):  # fmt: skip
            with self.subTest(path):
                self.prepare("cxl-guard")
                self.log(ENABLED, line)
                self.write(path, content)
                self.assert_state("active")

    def test_lost_log_line(self):
        """A failure that the state file has is proved without its line in the log."""
        self.log("usb: a mouse")
        self.assert_state("armed")
        self.save_state(tdx_failure=["virt/tdx: module not loaded"])
        self.assertEqual(self.assert_state("absent", "no-module")["kernel_log"],
                         "virt/tdx: module not loaded")  # fmt: skip
        for damaged in (["tmpfs: virt/tdx: module not loaded"], [1, None], "virt/tdx: module not loaded"):
            self.save_state(tdx_failure=damaged)
            self.assert_state("armed")
        # The cause in the state file stays, also if the states file is the proof.
        self.write(RELEASE, "7.3.4\n")
        self.write(STATES, states())
        self.save_state(tdx_failure=["virt/tdx: SEAMCALL (0x0000000000000023) failed: 0x8000020200000000"])
        self.assert_state("absent", "init-failed")
        self.write(RELEASE, "6.12.1\n")
        self.assert_state("armed")
        # The doctor uses the state file, too.
        self.save_state(tdx_failure=[SYS_INIT])
        self.assertIn("a CPUID value", self.codes()["tdx-init-failed"]["message"])

    def test_failed_update(self):
        """A failure after the initialisation is that of a module update: TDX stays active."""
        self.log("virt/tdx: TDX-Module initialized", "virt/tdx: module not loaded", SYS_INIT)
        self.assert_state("active")


class Written(State):
    """Lines of the log that programs write, or cause the kernel to write, are ignored."""

    def test_quoted(self):
        for line in (*FINAL, "virt/tdx: module initialized"):
            with self.subTest(line):
                self.log(f"tmpfs: Unknown parameter '{line}'", f" {line}", f"x\\x0a{line}",
                         f"3,1,1,-;{line}", f"[    1.234567] {line}")  # fmt: skip
                self.assert_state("armed")
                self.assertEqual(set(self.codes()) - {"kvm-tdx-off"}, set())

    def test_not_of_the_kernel(self):
        for line in FINAL:
            for record in (f"12,400,1,-;{line}\n", f"30,400,1,-;{line}\n", f"3,400,1,c;{line}\n",
                           f"3,400,1,-;usb: a mouse\n {line}\n SUBSYSTEM={line}\n"):  # fmt: skip
                with self.subTest(record):
                    self.write("dev/kmsg", record)
                    self.assert_state("armed")


class Reported(State):
    """State, cause, evidence and remedy in each output."""

    def setUp(self):
        super().setUp()
        self.prepare("cxl-refused")  # the host has room for its 512 MiB

    def assert_reported(self, cause, code, line, meaning):
        report, _ = self.decide()
        self.assertEqual(report["tdx"]["state"], "absent")
        self.assertEqual(report["tdx"]["detected"], "absent")
        self.assertEqual(report["tdx"]["cause"], cause)
        self.assertEqual(report["tdx"]["kernel_log"], line)
        self.assert_verdicts(report, ("cxl", "online", "tdx-absent"))
        table = tree.run(self.root, "--dry-run").stdout
        self.assertEqual(table.partition(";")[0], f"TDX absent ({cause})")
        explained = json.loads(tree.run(self.root, "explain", "dax0.0", "--json").stdout)
        self.assertIn(f"{meaning}: {line}. ", explained["explanations"][0]["topics"]["tdx"])
        doctor = tree.run(self.root, "doctor").stdout
        self.assertTrue(doctor.startswith("This host does not use TDX, "), doctor)
        self.assertIn(f"the kernel accepts all memory. {meaning}. Sources: ", " ".join(doctor.split()))
        self.assertIn("; kernel log: initialization failed.", doctor.partition("\n\n")[0].replace("\n", " "))
        findings = self.codes()
        self.assertEqual([c for c in findings if "tdx" in c or "kvm" in c], [code])
        self.assertIn(line, findings[code]["message"])
        self.assertEqual(findings[code]["source"], "kernel log")
        self.assertNotIn("modprobe", findings[code]["remedy"])
        return findings[code]

    def test_no_module(self):
        """A server without the TDX module in its firmware."""
        self.log(ENABLED, "virt/tdx: module not loaded")
        self.assert_reported("no-module", "tdx-module-missing", "virt/tdx: module not loaded",
                             "Firmware has loaded no TDX module")  # fmt: skip

    def test_sys_init(self):
        """An old BIOS: the only trace is the error of TDH.SYS.INIT."""
        self.log(ENABLED, SYS_INIT)
        finding = self.assert_reported("init-failed", "tdx-init-failed", SYS_INIT,
                                       "The TDX module failed to initialize")  # fmt: skip
        self.assertIn("SEAMCALL leaf 33 with 0xc000090000000000: a CPUID value is not what the TDX"
                      " module requires.", finding["message"])  # fmt: skip
        self.assertEqual(finding["remedy"], "Update the BIOS and the TDX module, and check the BIOS"
                         " settings for TDX. Then boot again.")  # fmt: skip


class DamagedSources(State):
    """A damaged source is named in a message, and the other sources decide."""

    CONTENTS = {
        "empty": "",
        "cut off": "  0: offline\n201: virt/tdx:onl",
        "cut off at a line": f"  0: offline\n{CORE_LINE}",
        "another file": "tdx 31\n",
        "binary": b"\0\377\376" * 1000,
        "NUL": f"  0: offline\n238: online\n\0{CORE_LINE}",
    }

    def test_states(self):
        for name, content in self.CONTENTS.items():
            with self.subTest(name):
                self.write(STATES, content)
                self.write(RELEASE, "6.12.1\n")
                report, messages = self.decide()
                self.assertIn(f"/{STATES}: not a complete list of states", messages)
                self.assertEqual(report["tdx"]["state"], "armed")
                self.write(RELEASE, "7.3.4\n")
                self.assert_state("unknown", "unreadable")
                finding = self.codes()["tdx-state-unknown"]
                self.assertRegex(finding["message"], f"unreadable: (.*, )?/{STATES}")

    def test_states_huge(self):
        self.write(STATES, "  0: offline\n" * (2 << 20))
        self.assertIn(f"/{STATES}: File too large", self.decide()[1])
        self.assert_state("armed")

    def test_states_directory(self):
        (self.root / STATES).mkdir(parents=True)
        self.write(RELEASE, "7.3.4\n")
        self.assertIn(f"/{STATES}: Is a directory", self.decide()[1])
        self.assert_state("unknown", "unreadable")

    def test_release(self):
        for content in ("", "seven\n", "7\n", b"\0\0\0", "7.1" + "0" * 5000):
            self.write(RELEASE, content)
            self.write(STATES, states())
            report, messages = self.decide()
            self.assertIn(f"/{RELEASE}: ", messages)
            self.assertEqual(report["tdx"]["state"], "armed")

    def test_log(self):
        """Lines that are not records are ignored, and the others are used."""
        failed = "3,400,1,-;virt/tdx: module not loaded\n"
        for name, damaged in {
            "of dmesg": "[    1.234567] virt/tdx: module initialized\n",
            "a long line": "6,1,1,-;" + "x" * 100000 + ";virt/tdx: module initialized\n",
            "binary": b"\0\1\2\377" * 5000 + b"\n",
        }.items():
            with self.subTest(name):
                damaged = damaged if isinstance(damaged, bytes) else damaged.encode()
                self.write("dev/kmsg", damaged + failed.encode() + damaged)
                report, messages = self.decide()
                self.assertIn("/dev/kmsg: lines that are not kernel messages", messages)
                self.assertEqual(report["tdx"]["cause"], "no-module")

    def test_log_cut_off(self):
        self.write("dev/kmsg", "3,400,1,-;virt/tdx: module not loaded")
        report, messages = self.decide()
        self.assertIn("/dev/kmsg: lines that are not kernel messages", messages)
        self.assertEqual(report["tdx"]["state"], "armed")
        self.assertIn({"source": "kernel log", "says": "unreadable"}, report["tdx"]["evidence"])

    def test_states_missing(self):
        """A missing states file leads to a message from Linux 7.1 on."""
        self.assertNotIn(STATES, self.decide()[1])
        self.write(RELEASE, "7.3.4\n")
        self.assertIn(f"/{STATES}: No such file or directory", self.decide()[1])
        finding = self.codes()["tdx-state-unknown"]
        self.assertIn(f"/{STATES}: missing", finding["message"])

    def test_log_unreadable(self):
        """An unreadable log is named if it could decide the state."""
        self.forget("dev/kmsg")
        (self.root / "dev/kmsg").mkdir()
        report, messages = self.decide()
        self.assertIn("kernel log: Is a directory", messages)
        self.assertEqual(report["tdx"]["state"], "armed")
        self.write(KVM, "Y\n")
        self.assertNotIn("kernel log", self.decide()[1])
        self.assertIn("kernel log: Is a directory", tree.run(self.root, "doctor").stderr)

    def test_cpuinfo(self):
        """Without /proc/cpuinfo the other sources decide, if they can."""
        self.write("proc/cpuinfo", "processor : 0\nflags\t\t:\n\n")
        self.assert_state("unknown", "unreadable")
        self.write("proc/cpuinfo", "")
        self.assert_state("unknown", "unreadable")
        self.log(ENABLED, "virt/tdx: module not loaded")
        self.assert_state("absent", "no-module")
        self.write(STATES, states(CORE_LINE))
        self.assert_state("active")


if __name__ == "__main__":
    tree.main()
