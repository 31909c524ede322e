#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real binary on captured machines: what it prints is compared with tests/expected.

    test_golden.py              compare
    test_golden.py --write      write what is printed now; read the difference before you commit it

A tree is a machine at rest: see tests/sysroots/README.md. The second half spoils copies of trees,
file by file, and wants a message that names the file, the spoilt range left alone, and the rest
decided as ever.
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
SYSROOTS = TESTS / "sysroots"
EXPECTED = TESTS / "expected"
BINARY = os.environ.get("TDX_ONLINED", "build/daemon/tdx-onlined")

# What is asked of every tree, and how the expected file is named.
QUESTIONS = {
    "txt": [],
    "active.txt": ["--gate=active"],
    "absent.txt": ["--gate=absent"],
    "json": ["--json"],
}

BOOT_PARAMS = "sys/kernel/boot_params/data"
MEMORY = "sys/devices/system/memory"


def run(root, *options):
    command = [BINARY, "--dry-run", f"--root={root}", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def answers():
    for tree in sorted(path for path in SYSROOTS.iterdir() if path.is_dir()):
        for name, options in QUESTIONS.items():
            yield tree, options, EXPECTED / f"{tree.name}.{name}"


class Golden(unittest.TestCase):
    maxDiff = None

    def test_every_tree(self):
        for tree, options, expected in answers():
            with self.subTest(expected.name):
                result = run(tree, *options)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual(result.stdout, expected.read_text())

    def test_nothing_expected_in_vain(self):
        self.assertEqual({path for *_, path in answers()}, set(EXPECTED.iterdir()))


class Spoilt(unittest.TestCase):
    """Each test spoils a copy of a tree."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tdx-onlined-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def tree(self, name):
        self.root = self.directory / name
        shutil.copytree(SYSROOTS / name, self.root, symlinks=True)
        return self.root

    def write(self, path, content):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def decide(self, *options, status=0):
        """The report and the messages."""
        result = run(self.root, "--json", *options)
        self.assertEqual(result.returncode, status, result.stderr)
        return json.loads(result.stdout) if status == 0 else None, result.stderr

    def assert_verdicts(self, report, *verdicts):
        found = [(r["carrier"], r["verdict"], r["reason"]) for r in report["ranges"]]
        self.assertEqual(found, list(verdicts))

    # --- boot map ---

    def test_boot_params_truncated(self):
        """Cut off anywhere it falls back to the firmware memmap, which has the same RAM."""
        self.tree("plain-host")
        whole = (self.root / BOOT_PARAMS).read_bytes()
        good, _ = self.decide()
        for size in (0, 0x1E8, 0x1E9, 0x2D0, 0x2D0 + 19):
            self.write(BOOT_PARAMS, whole[:size])
            report, messages = self.decide("--gate=active")
            self.assertIn(f"/{BOOT_PARAMS}: {size} bytes do not hold the entries claimed", messages)
            self.assertEqual({r["source"] for r in report["boot_map"]["ranges"]}, {"firmware-memmap"})
            self.assertEqual([(r["start"], r["size"]) for r in report["boot_map"]["ranges"]],
                             [(r["start"], r["size"]) for r in good["boot_map"]["ranges"]])  # fmt: skip

    def test_boot_params_lies(self):
        """More entries than the table can have; and entries that wrap around."""
        self.tree("plain-host")
        data = bytearray((self.root / BOOT_PARAMS).read_bytes())
        data[0x1E8] = 129
        self.write(BOOT_PARAMS, bytes(data))
        self.assertIn("do not hold the entries claimed", self.decide()[1])
        data[0x1E8] = 1
        data[0x2D0 : 0x2D0 + 20] = struct.pack("<QQL", 1 << 40, (1 << 64) - 1, 1)
        self.write(BOOT_PARAMS, bytes(data))
        _, messages = self.decide()
        self.assertIn(f"/{BOOT_PARAMS}: 1 entries are empty or wrap around", messages)
        self.assertIn(f"/{BOOT_PARAMS}: no RAM in it", messages)

    def test_memmap_spoilt(self):
        """An entry that is no address is named; the others, and the boot map, are as ever."""
        self.tree("dimm")
        entries = self.root / "sys/firmware/memmap"
        dimm = next(e for e in entries.iterdir() if (e / "start").read_text() == "0x100000000\n")
        self.write(f"sys/firmware/memmap/{dimm.name}/end", "0x0\n")
        report, messages = self.decide()
        self.assertIn(f"/sys/firmware/memmap/{dimm.name}/end: no address", messages)
        self.assert_verdicts(report, ("unknown", "offline", "outside-boot-map"))

    def test_no_boot_map_at_all(self):
        """Nothing tells what was there at boot: a DIMM stays offline, a device is left alone."""
        for name, verdict in (
            ("dimm", ()),
            ("cxl-guard", (("cxl", "ignore", "boot-map-unknown"),)),
        ):
            self.tree(name)
            (self.root / BOOT_PARAMS).unlink()
            shutil.rmtree(self.root / "sys/firmware/memmap")
            report, messages = self.decide()
            self.assertIn(f"/{BOOT_PARAMS}: No such file or directory", messages)
            self.assertIn("/sys/firmware/memmap: No such file or directory", messages)
            self.assertEqual(report["boot_map"]["ranges"], [])
            self.assert_verdicts(report, *verdict)

    # --- gate ---

    def test_cpuinfo_spoilt(self):
        """Unreadable or senseless, it leaves the gate unknown, which counts as active."""
        self.tree("cxl-guard")
        self.write("dev/kmsg", "")
        for content in ("", "flags", "processor : 0\n", b"\0" * 20000, "x" * 20000):
            self.write("proc/cpuinfo", content)
            report, messages = self.decide()
            self.assertIn("/proc/cpuinfo: no flags of the first processor in it", messages)
            self.assertEqual(report["gate"]["state"], "unknown")
            self.assert_verdicts(report, ("cxl", "devdax", "outside-boot-map"))

    def test_cgroup_spoilt(self):
        self.tree("plain-host")
        self.write("sys/fs/cgroup/misc.capacity", "tdx many\n")
        report, messages = self.decide()
        self.assertIn("/sys/fs/cgroup/misc.capacity: makes no sense: tdx many", messages)
        self.assertEqual(report["gate"]["state"], "absent")

    def test_witnesses(self):
        """Each witness alone turns an armed gate into an active one."""
        witnesses = {
            "sys/module/kvm_intel/parameters/tdx": "Y\n",
            "sys/fs/cgroup/misc.capacity": "tdx 31\n",
            "sys/devices/faux/tdx_host/version": "1.5.06\n",
            "dev/kmsg": "6,1,1,-;virt/tdx: TDX-Module initialized\n",
        }
        for path, content in witnesses.items():
            with self.subTest(path):
                self.tree("cxl-guard")
                self.write("dev/kmsg", "")
                self.assertEqual(self.decide()[0]["gate"]["state"], "armed")
                self.write(path, content)
                self.assertEqual(self.decide()[0]["gate"]["state"], "active")
                shutil.rmtree(self.root)

    # --- ranges ---

    def dax(self):
        return next((self.root / "sys/devices").rglob("dax0.0")).relative_to(self.root)

    def test_no_target_node(self):
        self.tree("cxl-guard")
        self.write(self.dax() / "target_node", "-1\n")
        report, messages = self.decide()
        self.assertIn("/sys/bus/dax/devices/dax0.0/target_node: no node", messages)
        self.assert_verdicts(report, ("cxl", "ignore", "no-target-node"))
        self.assertIsNone(report["ranges"][0]["node"])

    def test_where_it_lies_is_unreadable(self):
        """What an unprivileged user sees. The range is null, and nothing is planned."""
        self.tree("cxl-refused")
        for name in ("mapping0/start", "resource"):
            (self.root / self.dax() / name).unlink()
        report, messages = self.decide()
        self.assertIn("/sys/bus/dax/devices/dax0.0/mapping0: cannot be read", messages)
        self.assert_verdicts(report, ("cxl", "ignore", "unreadable"))
        self.assertIsNone(report["ranges"][0]["start"])
        self.assertEqual(report["ranges"][0]["size"], 512 << 20)
        self.assertEqual(report["ranges"][0]["steps"], [])

    def test_half_of_the_mappings(self):
        """Of two mappings one makes no sense: what the other allows does not count."""
        self.tree("cxl-online")
        self.write(self.dax() / "size", f"{1 << 30}\n")
        self.write("etc/tdx-onlined.conf", "[Daemon]\nCapableRanges=0x5d0000000-0x5efffffff\n")
        for name, content in (("start", "perhaps\n"), ("end", "0x0\n")):
            self.write(self.dax() / "mapping1/start", "0x600000000\n")
            self.write(self.dax() / "mapping1/end", "0x61fffffff\n")
            self.write(self.dax() / f"mapping1/{name}", content)
            report, messages = self.decide("--gate=active")
            self.assertIn(f"/dax0.0/mapping1/{name}: the mappings do not make up", messages)
            self.assert_verdicts(report, ("cxl", "ignore", "unreadable"))

    def test_memmap_claims_everything(self):
        """Only blocks that are there are onlined, whatever firmware says of a DIMM."""
        self.tree("dimm")
        entries = self.root / "sys/firmware/memmap"
        dimm = next(e for e in entries.iterdir() if (e / "start").read_text() == "0x100000000\n")
        self.write(f"sys/firmware/memmap/{dimm.name}/end", "0xffffffffefffffff\n")
        report, _ = self.decide("--gate=absent")
        self.assert_verdicts(report, ("dimm", "online", "gate-absent"))
        self.assertEqual([step["size"] for step in report["ranges"][0]["steps"]], [512 << 20])

    def test_blocks_of_an_unlisted_device(self):
        """A device that cannot be listed is left alone, and so are blocks that may be its own."""
        self.tree("cxl-online")
        (self.root / "dev/dax0.0").unlink()
        for state in (self.root / MEMORY).glob("memory*/state"):
            state.write_text("offline\n")
        report, messages = self.decide()
        self.assertIn("/sys/bus/dax/devices/dax0.0: left alone", messages)
        self.assert_verdicts(report)

    def test_size_zero_is_no_range(self):
        self.tree("cxl-guard")
        self.write(self.dax() / "size", "0\n")
        self.assert_verdicts(self.decide()[0])

    def test_device_node_missing(self):
        """libdaxctl passes the device over; that is said."""
        self.tree("cxl-guard")
        (self.root / "dev/dax0.0").unlink()
        report, messages = self.decide()
        self.assertIn("/sys/bus/dax/devices/dax0.0: left alone", messages)
        self.assert_verdicts(report)

    def test_block_state_unreadable(self):
        """One block of a DIMM tells nonsense, one has vanished."""
        self.tree("dimm")
        blocks = [32, 33, 34, 35]  # 0x100000000 / 128 MiB
        self.write(f"{MEMORY}/memory{blocks[1]}/state", "perhaps\n")
        report, messages = self.decide()
        self.assertIn(f"/{MEMORY}/memory{blocks[1]}/state: ", messages)
        self.assert_verdicts(report, ("dimm", "ignore", "unreadable"))
        (self.root / f"{MEMORY}/memory{blocks[1]}/state").unlink()
        report, messages = self.decide()
        self.assertIn(f"/{MEMORY}/memory{blocks[1]}/state: No such file or directory", messages)
        self.assert_verdicts(report, ("dimm", "ignore", "unreadable"))
        self.assertEqual(report["ranges"][0]["steps"], [])

    def test_fifo(self):
        """A FIFO where a file should be does not hang it."""
        self.tree("plain-host")
        (self.root / "proc/cpuinfo").unlink()
        os.mkfifo(self.root / "proc/cpuinfo")
        self.assertEqual(self.decide()[0]["gate"]["state"], "unknown")

    # --- the machine, the configuration, the command line ---

    def test_no_hotplug(self):
        self.tree("plain-host")
        shutil.rmtree(self.root / MEMORY)
        self.assertIn("no memory hotplug", self.decide(status=3)[1])

    def test_block_size_spoilt(self):
        self.tree("plain-host")
        for content in ("", "0\n", "300\n", "-8000000\n"):
            self.write(f"{MEMORY}/block_size_bytes", content)
            self.assertIn(f"/{MEMORY}/block_size_bytes: ", self.decide(status=3)[1])

    def test_configuration_mistakes(self):
        """Every mistake is told, with file and line, and nothing is done."""
        mistakes = {
            "[Daemon]\n\nGate=ajar\n": "3: Gate=ajar: not auto, active or absent",
            "[Daemon]\nCapableRanges=0x100-0x1\n": "2: CapableRanges=0x100-0x1: not ranges",
            "[Daemon]\nCapableRanges=everything\n": "2: CapableRanges=everything: not ranges",
            "[Daemon]\nGait=auto\n": "2: unknown key Gait= in section [Daemon]",
            "[Demon]\nGate=auto\n": "2: unknown key Gate= in section [Demon]",
            "Gate=auto\n": "1: unknown key Gate= in section []",
            "[Daemon\nGate=auto\n": "1: ",
        }
        self.tree("plain-host")
        for content, message in mistakes.items():
            with self.subTest(content):
                self.write("etc/tdx-onlined.conf.d/10-a.conf", content)
                self.assertIn(f"/etc/tdx-onlined.conf.d/10-a.conf:{message}", self.decide(status=1)[1])

    def test_configuration_is_no_file(self):
        """A directory and a dangling link are mistakes."""
        self.tree("plain-host")
        for path in ("etc/tdx-onlined.conf", "etc/tdx-onlined.conf.d/10-a.conf"):
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.mkdir()
            self.assertIn(f"/{path}: not a file", self.decide(status=1)[1])
            target.rmdir()
            target.symlink_to("/nowhere")
            self.assertIn(f"/{path}: No such file or directory", self.decide(status=1)[1])
            target.unlink()

    def test_configuration_layers(self):
        """The last name wins; of one name, /etc before /run before /usr/lib."""
        self.tree("cxl-guard")
        gate = lambda: self.decide()[0]["gate"]["mode"]  # noqa: E731
        self.assertEqual(gate(), "auto")
        self.write("usr/lib/tdx-onlined.conf", "[Daemon]\nGate=active\n")
        self.assertEqual(gate(), "active")
        self.write("etc/tdx-onlined.conf", "[Daemon]\n#Gate=active\n")
        self.assertEqual(gate(), "auto")
        self.write("usr/lib/tdx-onlined.conf.d/50-x.conf", "[Daemon]\nGate=absent\n")
        self.assertEqual(gate(), "absent")
        self.write("run/tdx-onlined.conf.d/50-x.conf", "[Daemon]\nGate=active\n")
        self.assertEqual(gate(), "active")
        self.write("etc/tdx-onlined.conf.d/40-y.conf", "[Daemon]\nGate=absent\n")
        self.assertEqual(gate(), "active")
        self.write("etc/tdx-onlined.conf.d/50-x.conf", "")
        self.assertEqual(gate(), "absent")

    def test_capable_ranges(self):
        """A window that the administrator asserts makes the region TDX memory."""
        self.tree("cxl-guard")
        self.write("etc/tdx-onlined.conf", "[Daemon]\nCapableRanges=0x5d0000000-0x15cfffffff\n")
        report, _ = self.decide()
        self.assert_verdicts(report, ("cxl", "online", "in-boot-map"))
        self.assertEqual(report["ranges"][0]["zone"], "kernel")
        self.assertEqual(report["ranges"][0]["source"], "configuration")
        self.assertEqual([s["action"] for s in report["ranges"][0]["steps"]], ["bind-kmem", "online"])
        self.write("etc/tdx-onlined.conf", "[Daemon]\nCapableRanges=0x5d0000000-0x15cffffffe\n")
        self.assert_verdicts(self.decide()[0], ("cxl", "devdax", "straddles-boot-map"))

    def test_state_is_of_another_boot(self):
        """A boot map kept by an earlier boot is not used; nor is a file that is none."""
        self.tree("plain-host")
        good = self.decide()[0]
        for content in ('{"boot_id":"another"}', "{", "", "[]", '{"schema":1}'):
            self.write("run/tdx-onlined/state.json", content)
            self.assertEqual(self.decide()[0], good)

    def test_usage(self):
        for options in (["--frob"], ["extra"], ["--json"], ["--root=/"], ["--dry-run", "--oneshot"],
                        ["--gate=ajar"], ["--gate"], ["--root"]):  # fmt: skip
            result = subprocess.run([BINARY, *options], capture_output=True, text=True, check=False)
            self.assertEqual((result.returncode, result.stdout), (2, ""), options)
            self.assertIn("Try 'tdx-onlined --help'.", result.stderr)

    def test_root_missing(self):
        result = run(self.directory / "nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertIn("nowhere: No such file or directory", result.stderr)


if __name__ == "__main__":
    if "--write" in sys.argv:
        EXPECTED.mkdir(exist_ok=True)
        for tree, options, expected in answers():
            expected.write_text(run(tree, *options).stdout)
        sys.exit()
    if "Operation not permitted" in run(SYSROOTS / "plain-host").stderr:
        print("skipped: to change root needs root, or user namespaces, which are not allowed here")
        sys.exit(77)
    unittest.main(verbosity=2)
