#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel's own TDX code decides: real kernels, with a TDX module in software.

The kernels tdx-7.3 and tdx-6.12 have the unmodified tdx.c. The kernel parameter swtdx= sets what
firmware and the TDX module do, see tdx/swtdx.c. Linux 7.3 starts TDX at boot. Linux 6.12 does not,
so the kvm_intel.ko of these tests starts it when it is loaded, as KVM does from 6.16 on.

Answers73 and Answers612 boot a guest for each mode, add memory of every kind, compare the answer
that the program expects from the kernel with the kernel's own, and print all of them in a table.
"""

import json
import pathlib
import shutil
import sys
import tempfile
import unittest

from guest import LAB, missing_artefact
from scene import BLOCK, FOUND, GIB, MEMORY, STATE, UNIT, CheckedGuest, Scene, install, main

KVM = f"{LAB}/kvm_intel.ko"
KVM_PARAMETERS = "/sys/module/kvm_intel/parameters"
SIZE = 512 << 20
TDX = "f0f932eed9d246158611e14b0aae614d"
HMEM = "memmap=512M%5G+0xefffffff"
TYPES = ("cxl", "dimm", "hmem", "virtio-mem")

# Convertible memory ends where the RAM of a guest with 4 GiB does.
BELOW_6G = "swtdx.cmr=0-0x180000000"

# Per kernel: a name, kernel parameters, the parameters of the KVM that starts TDX or None where
# none is loaded, and the state of TDX then.
# On Linux 6.12 a failing TDH.SYS.LP.INIT is not final: tdx_cpu_enable() calls it again.
MODES = {
    "tdx-7.3": (
        ("off", (), None, "absent (not-enabled)"),
        ("one key id", ("swtdx=one-keyid",), None, "absent (few-keys)"),
        ("no VMX", ("swtdx=no-vmx",), None, "absent (not-started)"),
        ("no MOVDIR64B", ("swtdx=ok", "setcpuid=ss"), None, "absent (missing-feature)"),
        ("no module", ("swtdx=no-module",), None, "absent (no-module)"),
        ("SYS.INIT fails", ("swtdx=init:0xc000090000000000",), None, "absent (init-failed)"),
        ("SYS.INIT: #GP", ("swtdx=init:0x8000ff000000000d",), None, "absent (not-started)"),
        ("SYS.LP.INIT fails", ("swtdx=lp-init:0x8000020200000000",), None, "absent (init-failed)"),
        ("old module", ("swtdx=no-rbp-fix",), None, "absent (old-module)"),
        ("SYS.CONFIG fails", ("swtdx=config:0xc0000a0000000000",), None, "absent (init-failed)"),
        ("not convertible", ("swtdx=ok", "swtdx.cmr=0-0x100000000"), None, "absent (init-failed)"),
        ("SYS.KEY.CONFIG fails", ("swtdx=key-config:0x8000081500000000",), None, "absent (init-failed)"),
        ("ok", ("swtdx=ok", BELOW_6G), None, "active"),
    ),
    "tdx-6.12": (
        ("off", (), "", "absent (not-enabled)"),
        ("one key id", ("swtdx=one-keyid",), "", "absent (few-keys)"),
        ("not started", ("swtdx=ok", BELOW_6G), None, "armed"),
        ("no module", ("swtdx=no-module",), "", "absent (no-module)"),
        ("SYS.INIT fails", ("swtdx=init:0xc000090000000000",), "", "absent (init-failed)"),
        ("SYS.LP.INIT fails", ("swtdx=lp-init:0x8000020200000000",), "", "armed"),
        ("SYS.CONFIG fails", ("swtdx=config:0xc0000a0000000000",), "", "absent (init-failed)"),
        ("not convertible", ("swtdx=ok", "swtdx.cmr=0-0x100000000"), "", "absent (init-failed)"),
        ("ok", ("swtdx=ok", BELOW_6G), "", "active"),
        ("ok, older KVM", ("swtdx=ok", BELOW_6G), "states=N", "active"),
    ),
}


class Kernel:
    """A guest without the daemon, whose hot-added memory is offline until the test onlines it."""

    def __init__(self, guest):
        self.guest = guest

    def sh(self, command, **kwargs):
        return self.guest.run(command, **kwargs).stdout.strip()

    def add_memory(self):
        """Add memory of every kind; the soft-reserved range is present since boot."""
        self.sh("modprobe kmem")
        self.guest.create_region(0, SIZE)
        self.guest.add_dimm(SIZE)
        self.guest.resize_virtio_mem(SIZE)
        blocks = len(TYPES) * SIZE // BLOCK
        offline = f"grep -l offline {MEMORY}/memory*/state | wc -l"
        self.guest.wait_for(f"test $({offline}) = {blocks}", 60)

    def report(self):
        return json.loads(self.sh("tdx-onlined --dry-run --json"))

    def online(self, block):
        """Try to online a block; returns the kernel's answer."""
        result = self.guest.run(f"echo online >{MEMORY}/memory{block}/state", check=False)
        if not result.status:
            return "accepts"
        return "refuses" if "Operation not permitted" in result.stderr else result.stderr

    def take_boot_block_offline(self):
        """Take the highest removable block of boot memory offline, and return it."""
        return int(self.sh(f"""cd {MEMORY}
            for block in $(grep -l online memory*/state | grep -o '[0-9]*' | sort -rn); do
                echo offline >memory$block/state && break
            done 2>/dev/null
            echo $block"""))  # fmt: skip


def expected_of_boot_block(report, block):
    """The answer that the boot map and the TDX state imply: boot memory has no object in the JSON."""
    start, end = block * BLOCK, (block + 1) * BLOCK
    inside = any(r["start"] <= start and end <= r["start"] + r["size"]
                 for r in report["boot_map"]["ranges"])  # fmt: skip
    return "refuses" if report["tdx"]["detected"] == "active" and not inside else "accepts"


def state_of(report):
    """The state and its cause, as the program prints them."""
    tdx = report["tdx"]
    return f"{tdx['state']} ({tdx['cause']})" if tdx["cause"] else tdx["state"]


def answers(kernel):
    """Rows of the table: memory, the answer that the program expects, and the kernel's answer."""
    boot_block = kernel.take_boot_block_offline()
    report = kernel.report()
    rows = [("boot", state_of(report), expected_of_boot_block(report, boot_block),
             kernel.online(boot_block))]  # fmt: skip
    kernel.add_memory()
    report = kernel.report()
    for entry in sorted(report["ranges"], key=lambda entry: entry["type"]):
        rows.append((entry["type"], state_of(report), entry["expected"],
                     kernel.online(entry["start"] // BLOCK)))  # fmt: skip
    return rows


class Answers:
    """The kernel answers as the program expects, in every mode and for every kind of memory."""

    @classmethod
    def setUpClass(cls):
        cls.table = []
        cls.directory = tempfile.mkdtemp(prefix="tdx-onlined-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        install(cls.directory, enabled=False, config=(), programs=())
        masked = pathlib.Path(cls.directory) / "etc/systemd/system" / UNIT
        masked.parent.mkdir(parents=True, exist_ok=True)
        masked.symlink_to("/dev/null")

    @classmethod
    def tearDownClass(cls):
        print(f"\n{'MEMORY':11}{'KERNEL':10}{'MODE':22}{'STATE':22}{'EXPECTED':10}ANSWERED")
        for row in cls.table:
            print("{:11}{:10}{:22}{:22}{!s:10}{}".format(*row))
        wrong = sum(row[-1] != row[-2] for row in cls.table)
        print(f"{len(cls.table)} answers, {wrong} disagreements")

    def compare(self, mode, parameters, start, state):
        arguments = (*parameters, HMEM, "memhp_default_state=offline", "modprobe.blacklist=kmem")
        with CheckedGuest(kernel=self.kernel, memory="4G", cxl=[SIZE], virtio_mem="1G",
                          kernel_args=arguments, overlay=self.directory) as guest:  # fmt: skip
            self.assertEqual(guest.wait_booted(), "running")
            if start is not None:
                guest.run(f"insmod {KVM} {start}")
            rows = answers(Kernel(guest))
        for memory, *answer in rows:
            self.table.append((memory, self.kernel, mode, *answer))
        self.assertEqual([row[0] for row in rows], ["boot", *TYPES])
        for row in rows:
            self.assertEqual(row[1], state, row)
            self.assertEqual(row[2], row[3], row)
        # Hot-added memory is refused if, and only if, TDX was initialised.
        answered = {row[3] for row in rows[1:]}
        self.assertEqual(answered, {"refuses" if state == "active" else "accepts"})
        self.assertEqual(rows[0][3], "accepts")

    def test_answers(self):
        for mode in MODES[self.kernel]:
            with self.subTest(mode[0]):
                self.compare(*mode)


class Answers73(Answers, unittest.TestCase):
    kernel = "tdx-7.3"


class Answers612(Answers, unittest.TestCase):
    kernel = "tdx-6.12"


class Unguarded(Scene):
    """Linux 6.12 without the daemon: memory that is added, though offline, makes TDX fail later."""

    enabled = False
    machine = {"kernel": "tdx-6.12", "memory": "4G", "cxl": ["16G"],
               "kernel_args": ("swtdx=ok", BELOW_6G, "memhp_default_state=offline")}  # fmt: skip

    def test_00_add_region(self):
        """The memory is added, and all blocks stay offline."""
        self.sh(f"systemctl mask --runtime {UNIT}")
        self.guest.create_region(0, "16G")
        self.guest.wait_for(f"test $(grep -l offline {MEMORY}/memory*/state | wc -l) = 128", 120)
        self.assertNotIn("SEAMCALL", self.sh("dmesg"))

    def test_01_tdx_fails(self):
        """The region is not convertible, so the TDX module refuses the kernel's configuration."""
        self.sh(["insmod", KVM])
        self.assertEqual(self.read(f"{KVM_PARAMETERS}/tdx"), "N")
        self.assertEqual(self.read(f"{KVM_PARAMETERS}/error"), "-5")
        log = self.sh("dmesg")
        self.assertIn("virt/tdx: SEAMCALL (0x000000000000002d) failed: 0xc0000a02", log)
        self.assertIn("virt/tdx: module initialization failed (-5)", log)

    def test_02_until_the_next_reboot(self):
        """Without the region TDX fails as well: the kernel does not try again."""
        self.sh("echo dax0.0 >/sys/bus/dax/drivers/kmem/unbind; rmmod kvm_intel")
        self.assertNotIn("DRV_MNG", self.read("/sys/kernel/debug/memblock/memory"))
        self.sh(["insmod", KVM])
        self.assertEqual(self.read(f"{KVM_PARAMETERS}/error"), "-22")


class Guarded(Scene):
    """The same with the daemon: TDX is initialised."""

    machine = Unguarded.machine

    def test_00_region_is_kept_out(self):
        self.guest.create_region(0, "16G")
        record = self.wait_for_record(region="region0")
        self.assert_record(record, verdict="devdax", tdx_state="armed", size=str(16 * GIB),
                           total_memblocks="0", result="begun")  # fmt: skip
        self.wait_for_driver(record["TDXO_CHARDEV"], "device_dax")

    def test_01_tdx_initialised(self):
        self.sh(["insmod", KVM])
        self.assertEqual(self.read(f"{KVM_PARAMETERS}/tdx"), "Y")
        self.assertIn("virt/tdx: module initialized", self.sh("dmesg"))
        self.guest.wait_for(f"systemctl show -P StatusText {UNIT} | grep 'TDX active'", 60)

    def test_02_kernel_refuses(self):
        """The kernel refuses memory that arrives now; the daemon does not try it."""
        self.guest.add_dimm(SIZE)
        record = self.wait_for_record(type="dimm")
        self.assert_record(record, verdict="offline", tdx_state="active", expected="refuses",
                           answer=None)  # fmt: skip
        block = int(record["TDXO_START"], 0) // BLOCK
        self.assertEqual(Kernel(self.guest).online(block), "refuses")


class Failing(Scene):
    """Linux 6.12, where TDX fails while the daemon runs: from then on the kernel refuses nothing."""

    machine = {"kernel": "tdx-6.12", "memory": "4G", "cxl": ["512M", "512M"],
               "kernel_args": ("swtdx=config:0xc0000a0000000000",)}  # fmt: skip

    def test_00_armed(self):
        self.assert_guard("0", "offline")
        self.create_region(0, SIZE)
        record = self.wait_for_record(region=self.regions[0])
        self.assert_record(record, verdict="devdax", tdx_state="armed", total_memblocks="0")

    def test_01_tdx_fails(self):
        """The journal has the kernel's messages a moment after the event of KVM."""
        self.sh(["insmod", KVM])
        self.guest.wait_for(f"systemctl show -P StatusText {UNIT} | grep -F 'TDX absent (init-failed)'", 60)
        self.assert_guard("1", "online")
        [entry] = self.guest.journal(f"MESSAGE_ID={TDX}", "TDXO_TDX_CAUSE=init-failed")
        self.assertEqual(entry["TDXO_KERNEL_LOG"], "virt/tdx: module initialization failed (-5)")

    def test_02_memory_goes_online(self):
        self.create_region(1, SIZE)
        record = self.wait_for_record(region=self.regions[1])
        self.assert_record(record, verdict="online", reason="tdx-absent", total_memblocks="4",
                           online_memblocks="4")  # fmt: skip

    def test_03_lost_log_line(self):
        """A failure that the log proved is saved for this boot."""
        self.sh("journalctl --rotate; journalctl --vacuum-time=1s")
        self.assertNotIn("virt/tdx", self.sh("journalctl -k -b -q --no-pager", check=False))
        self.restart()
        self.assertEqual(self.state()["cause"], "init-failed")
        # Hide /dev/kmsg, which still has the lines.
        doctor = "mount --bind /dev/null /dev/kmsg; tdx-onlinectl doctor --json"
        report = json.loads(self.guest.run(["unshare", "-m", "sh", "-c", doctor], check=False).stdout)
        [finding] = [f for f in report["findings"] if f["code"] == "tdx-init-failed"]
        self.assertIn("SEAMCALL leaf 45 with 0xc0000a0000000000: a TDMR is invalid", finding["message"])


class Started(Scene):
    """Linux 7.3 with TDX, and the daemon from boot on."""

    machine = {"kernel": "tdx-7.3", "memory": "4G", "cxl": ["512M", "512M"],
               "kernel_args": ("swtdx=ok", BELOW_6G)}  # fmt: skip

    def test_00_region_is_kept_out(self):
        """Neither KVM nor the log is needed: the states file has the TDX state."""
        self.assert_guard("0", "offline")
        self.create_region(0, SIZE)
        record = self.wait_for_record(region=self.regions[0])
        self.assert_record(record, verdict="devdax", reason="outside-boot-map", tdx_state="active",
                           total_memblocks="0", expected="refuses", answer=None)  # fmt: skip
        self.assertIn("/sys/devices/system/cpu/hotplug/states: virt/tdx:online", record["TDXO_EVIDENCE"])
        self.wait_for_driver(record["TDXO_CHARDEV"], "device_dax")

    def test_01_injection(self):
        """Words of a user in the kernel log have no effect, with any state file."""
        for words in ("virt/tdx: TDX-Module initialization failed (-5)", "virt/tdx: module not loaded"):
            self.inject(words)
        self.sh(f"rm {STATE}")
        self.restart()
        self.assertEqual(self.state(), {"state": "active", "detected": "active", "mode": "auto"})
        self.assert_guard("0", "offline")

    def test_02_verify(self):
        """The kernel answers as expected, also for the offline memory of a DIMM."""
        self.guest.add_dimm(SIZE)
        record = self.wait_for_record(type="dimm")
        type(self).dimm = int(record["TDXO_START"], 0)
        self.settle()
        report = self.verify(0)
        self.assertEqual(self.answers(report), [("agrees", "the kernel refuses it")])
        results = {c["check"]: c["result"] for c in report["comparisons"]}
        self.assertEqual(set(results.values()), {"agrees"}, report["comparisons"])
        self.assertIsNotNone(report["module_version"])

    def test_03_wrong_capable_ranges(self):
        """CapableRanges= with memory that is not TDX memory: the first block is refused, and rolled back."""
        start, size = self.window(1)
        self.configure(f"CapableRanges={start:#x}-{start + size - 1:#x}")
        self.reload()
        before = self.blocks()
        self.create_region(1, SIZE)
        record = self.wait_for_record(region=self.regions[1])
        self.assert_record(record, verdict="devdax", reason="kernel-refused", errno="1", total_memblocks="0",
                           mode="devdax", expected="accepts", answer="refuses")  # fmt: skip
        self.assertEqual(self.blocks(), before)

    def test_04_verify_capable_ranges(self):
        self.configure(f"CapableRanges={self.dimm:#x}-{self.dimm + SIZE - 1:#x}")
        self.reload()
        self.settle()
        report = self.verify(FOUND)
        differs = [c["check"] for c in report["comparisons"] if c["result"] == "differs"]
        self.assertEqual(differs, ["recorded-answer", "capable-ranges", "memory-block"])
        self.assertEqual(self.answers(report), [("differs", "the kernel refuses it")])


class NotStarted(Scene):
    """Linux 7.3 on firmware that enables TDX without a TDX module: the kernel refuses nothing."""

    machine = {"kernel": "tdx-7.3", "memory": "6G", "cxl": ["64G"], "kernel_args": ("swtdx=no-module",)}

    def test_00_memory_goes_online(self):
        self.assert_guard("1", "online")
        self.create_region(0, "64G")
        record = self.wait_for_record(region=self.regions[0])
        self.assert_record(record, verdict="online", reason="tdx-absent", tdx_state="absent",
                           tdx_cause="no-module", kernel_log="virt/tdx: module not loaded",
                           total_memblocks="512", online_memblocks="512", expected="accepts")  # fmt: skip

    def test_01_doctor(self):
        """The doctor reports the cause, and not kvm_intel."""
        [finding] = [f for f in self.findings() if "tdx" in f["code"] or "kvm" in f["code"]]
        self.assertEqual(finding["code"], "tdx-module-missing")
        self.assertNotIn("modprobe", finding["remedy"])


if __name__ == "__main__":
    file = next(filter(None, (missing_artefact(kernel=kernel) for kernel in MODES)), None)
    if file:
        print(f"skipped: {file} does not exist: run tests/vm/prepare")
        sys.exit(77)
    main()
