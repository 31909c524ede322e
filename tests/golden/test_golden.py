#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs on captured machines: their output is compared with tests/expected.

    test_golden.py              compare
    test_golden.py --write      write what is printed now; read the difference before you commit it

A tree is a machine at rest: see tests/sysroots/README.md. The second half damages files in copies of
trees, and expects a message that names the file, the range left as it is, and unchanged decisions
about the others.
"""

import json
import shutil
import subprocess
import struct
import sys
import unittest

import tree

EXPECTED = tree.TESTS / "expected"

# The command lines for each tree, with the suffix of the expected file.
QUESTIONS = {
    "txt": [],
    "active.txt": ["--tdx=active"],
    "absent.txt": ["--tdx=absent"],
    "json": ["--json"],
    "tree.txt": ["--tree"],
}

BOOT_PARAMS = "sys/kernel/boot_params/data"
MEMORY = "sys/devices/system/memory"


def answers():
    for root in sorted(path for path in tree.SYSROOTS.iterdir() if path.is_dir()):
        for name, options in QUESTIONS.items():
            yield root, options, EXPECTED / f"{root.name}.{name}"


class Golden(unittest.TestCase):
    maxDiff = None

    def test_every_tree(self):
        for root, options, expected in answers():
            with self.subTest(expected.name):
                result = tree.run(root, "--dry-run", *options)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual(result.stdout, expected.read_text())

    def test_no_stale_expected_file(self):
        of_their_tests = ("explain", "doctor", "map", "status", "verify")
        others = {path for name in of_their_tests for path in EXPECTED.glob(f"*.{name}.*")}
        self.assertEqual({path for *_, path in answers()}, set(EXPECTED.iterdir()) - others)


class DamagedFiles(tree.Tree):
    """Each test damages a copy of a tree."""

    # --- boot map ---

    def test_boot_params_truncated(self):
        """boot_params is truncated: the firmware memmap is used, which has the same RAM."""
        self.tree("plain-host")
        whole = (self.root / BOOT_PARAMS).read_bytes()
        good, _ = self.decide()
        for size in (0, 0x1E8, 0x1E9, 0x2D0, 0x2D0 + 19):
            self.write(BOOT_PARAMS, whole[:size])
            report, messages = self.decide("--tdx=active")
            self.assertIn(f"/{BOOT_PARAMS}: its {size} bytes are too few for its number of entries", messages)
            self.assertEqual({r["source"] for r in report["boot_map"]["ranges"]}, {"firmware-memmap"})
            self.assertEqual([(r["start"], r["size"]) for r in report["boot_map"]["ranges"]],
                             [(r["start"], r["size"]) for r in good["boot_map"]["ranges"]])  # fmt: skip

    def test_boot_params_wrong(self):
        """More entries than the table can have, and an entry that wraps around."""
        self.tree("plain-host")
        data = bytearray((self.root / BOOT_PARAMS).read_bytes())
        data[0x1E8] = 129
        self.write(BOOT_PARAMS, bytes(data))
        self.assertIn("are too few for its number of entries", self.decide()[1])
        data[0x1E8] = 1
        data[0x2D0 : 0x2D0 + 20] = struct.pack("<QQL", 1 << 40, (1 << 64) - 1, 1)
        self.write(BOOT_PARAMS, bytes(data))
        _, messages = self.decide()
        self.assertIn(f"/{BOOT_PARAMS}: 1 entries are empty or wrap around", messages)
        self.assertIn(f"/{BOOT_PARAMS}: it lists no RAM", messages)

    def test_memmap_wrong(self):
        """A message names the invalid entry; the others are used, and the boot map is unchanged."""
        self.tree("dimm")
        entries = self.root / "sys/firmware/memmap"
        dimm = next(e for e in entries.iterdir() if (e / "start").read_text() == "0x100000000\n")
        self.write(f"sys/firmware/memmap/{dimm.name}/end", "0x0\n")
        report, messages = self.decide()
        self.assertIn(f"/sys/firmware/memmap/{dimm.name}/end: not an address", messages)
        self.assert_verdicts(report, ("unknown", "offline", "outside-boot-map"))

    def test_no_boot_map(self):
        """No source of the boot map: a DIMM stays offline, a dax device is left as it is."""
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

    # --- TDX state ---

    def test_cpuinfo_wrong(self):
        """Unreadable or without flags: the TDX state is unknown, which is handled as active."""
        self.tree("cxl-guard")
        self.write("dev/kmsg", "")
        for content in ("", "flags", "processor : 0\n", b"\0" * 20000, "x" * 20000):
            self.write("proc/cpuinfo", content)
            report, messages = self.decide()
            self.assertIn("/proc/cpuinfo: the flags of the first processor are missing", messages)
            self.assertEqual(report["tdx"]["state"], "unknown")
            self.assert_verdicts(report, ("cxl", "devdax", "outside-boot-map"))

    def test_cgroup_wrong(self):
        self.tree("plain-host")
        self.write("sys/fs/cgroup/misc.capacity", "tdx many\n")
        report, messages = self.decide()
        self.assertIn("/sys/fs/cgroup/misc.capacity: unexpected content: tdx many", messages)
        self.assertEqual(report["tdx"]["state"], "absent")

    def test_sources(self):
        """Each source alone turns the TDX state from armed into active."""
        sources = {
            "sys/module/kvm_intel/parameters/tdx": "Y\n",
            "sys/fs/cgroup/misc.capacity": "tdx 31\n",
            "sys/devices/faux/tdx_host/version": "1.5.06\n",
            "dev/kmsg": "6,1,1,-;virt/tdx: TDX-Module initialized\n",
        }
        for path, content in sources.items():
            with self.subTest(path):
                self.tree("cxl-guard")
                self.write("dev/kmsg", "")
                self.assertEqual(self.decide()[0]["tdx"]["state"], "armed")
                self.write(path, content)
                self.assertEqual(self.decide()[0]["tdx"]["state"], "active")
                shutil.rmtree(self.root)

    def test_source_state_file(self):
        """A state file of this boot with an active TDX, without any other source."""
        self.tree("cxl-guard")
        self.write("dev/kmsg", "")
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        for boot, active, state, says in (
            (boot_id, True, "active", "initialized"),
            (boot_id, False, "armed", "unknown"),
            ("another", True, "armed", "unknown"),
        ):
            self.write("run/tdx-onlined/state.json", json.dumps({
                "schema": 3, "boot_id": boot, "tdx_active": active, "config": {}, "present": [],
                "boot_map": {"known": False, "ranges": []}, "devices": []}))  # fmt: skip
            tdx = self.decide()[0]["tdx"]
            self.assertEqual(tdx["state"], state)
            self.assertIn({"source": "earlier in this boot", "says": says}, tdx["evidence"])

    def test_disagreements(self):
        """The kernel's answers in a state file of this boot are reported."""
        self.tree("cxl-guard")
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        for answer, disagreement in (("accepts", True), ("refuses", False), (None, False)):
            self.write("run/tdx-onlined/state.json", json.dumps({
                "schema": 3, "boot_id": boot_id, "config": {}, "present": [], "disagreements": 3,
                "boot_map": {"known": True, "ranges": [
                    {"start": 1 << 20, "size": 1022 << 20, "source": "boot-params"}]},
                "devices": [{
                    "type": "cxl", "chardev": "dax0.0", "size": 64 << 30,
                    "ranges": [{"start": 0x5d0000000, "size": 64 << 30}], "verdict": "devdax",
                    "identity": (self.root / self.dax()).stat().st_ino,
                    "reason": "outside-boot-map", "result": "done",
                    **({"answer": answer} if answer else {})}]}))  # fmt: skip
            report, _ = self.decide()
            self.assertEqual(report["disagreements"], 3)
            found = {key: report["ranges"][0][key] for key in ("expected", "answer", "disagreement")}
            self.assertEqual(found, {"expected": "refuses", "answer": answer, "disagreement": disagreement})
            self.assertIn("\nDisagreements with the kernel in this boot: 3\n",
                          tree.run(self.root, "--dry-run").stdout)  # fmt: skip

    def test_not_ascii(self):
        """A firmware version with bytes that are not ASCII."""
        self.tree("cxl-guard")
        memdev = next((self.root / "sys/devices").rglob("mem0")).relative_to(self.root)
        self.write(f"{memdev}/firmware_version", b"1.0 \xff\xc3\xa4\xe2\x82\n")
        report, _ = self.decide()
        self.assertEqual(report["ranges"][0]["memdevs"][0]["firmware_version"], "1.0 \\xff\\xc3\\xa4\\xe2\\x82")

    def test_output_error(self):
        """An output that cannot be written leads to a message and status 1."""
        self.tree("cxl-refused")
        for options in (["--dry-run"], ["--dry-run", "--json"], ["explain", "dax0.0"], ["config", "cat"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                result = subprocess.run([tree.program(options), f"--root={self.root}", *options], stdout=full,
                                        stderr=subprocess.PIPE, text=True, check=False,
                                        env=tree.ENVIRONMENT)  # fmt: skip
            self.assertEqual((result.returncode, result.stderr),
                             (1, f"{tree.name_of(options)}: standard output: No space left on device\n"))  # fmt: skip

    # --- ranges ---

    def dax(self):
        return next((self.root / "sys/devices").rglob("dax0.0")).relative_to(self.root)

    def test_no_target_node(self):
        self.tree("cxl-guard")
        self.write(self.dax() / "target_node", "-1\n")
        report, messages = self.decide()
        self.assertIn("/sys/bus/dax/devices/dax0.0/target_node: it names no node", messages)
        self.assert_verdicts(report, ("cxl", "ignore", "no-target-node"))
        self.assertIsNone(report["ranges"][0]["target_node"])

    def test_address_unreadable(self):
        """As an unprivileged user reads it: the range is null, and there are no steps."""
        self.tree("cxl-refused")
        self.forget(self.dax() / "mapping0/start", self.dax() / "resource", "proc/iomem")
        report, messages = self.decide()
        self.assertIn("/sys/bus/dax/devices/dax0.0/resource: cannot be read", messages)
        self.assert_verdicts(report, ("cxl", "ignore", "unreadable"))
        self.assertIsNone(report["ranges"][0]["start"])
        self.assertEqual(report["ranges"][0]["size"], 512 << 20)
        self.assertEqual(report["ranges"][0]["steps"], [])

    def test_mappings_overlap(self):
        """Overlapping mappings, whose sizes add up to that of the device. The kernel never has these."""
        self.tree("cxl-refused")
        for number, (start, end) in enumerate(((0x5D0000000, 0x5DFFFFFFF), (0x5D8000000, 0x5E7FFFFFF))):
            self.write(self.dax() / f"mapping{number}/start", f"{start:#x}\n")
            self.write(self.dax() / f"mapping{number}/end", f"{end:#x}\n")
        report, messages = self.decide()
        self.assert_verdicts(report, ("cxl", "ignore", "unreadable"))
        self.assertIn("the sizes of the mappings do not add up to the size of dax0.0", messages)

    def test_half_of_the_mappings(self):
        """One of two mappings is invalid: the other one does not decide the device."""
        self.tree("cxl-online")
        self.write(self.dax() / "size", f"{1 << 30}\n")
        self.write("etc/tdx-onlined/tdx-onlined.conf", "[Daemon]\nCapableRanges=0x5d0000000-0x5efffffff\n")
        for name, content in (("start", "perhaps\n"), ("end", "0x0\n")):
            self.write(self.dax() / "mapping1/start", "0x600000000\n")
            self.write(self.dax() / "mapping1/end", "0x61fffffff\n")
            self.write(self.dax() / f"mapping1/{name}", content)
            report, messages = self.decide("--tdx=active")
            self.assertIn(f"/dax0.0/mapping1/{name}: the sizes of the mappings do not add up", messages)
            self.assert_verdicts(report, ("cxl", "ignore", "unreadable"))

    def test_memmap_of_all_addresses(self):
        """A DIMM of all addresses in the firmware memmap: only existing blocks are onlined."""
        self.tree("dimm")
        entries = self.root / "sys/firmware/memmap"
        dimm = next(e for e in entries.iterdir() if (e / "start").read_text() == "0x100000000\n")
        self.write(f"sys/firmware/memmap/{dimm.name}/end", "0xffffffffefffffff\n")
        report, _ = self.decide("--tdx=absent")
        self.assert_verdicts(report, ("dimm", "online", "tdx-absent"))
        self.assertEqual([step["size"] for step in report["ranges"][0]["steps"]], [512 << 20])

    def test_blocks_of_an_unlisted_device(self):
        """A device that cannot be listed is left as it is, and so are blocks that may belong to it."""
        self.tree("cxl-online")
        (self.root / "dev/dax0.0").unlink()
        for state in (self.root / MEMORY).glob("memory*/state"):
            state.write_text("offline\n")
        report, messages = self.decide()
        self.assertIn("/sys/bus/dax/devices/dax0.0: ignored, because libdaxctl cannot", messages)
        self.assert_verdicts(report)

    def test_size_zero(self):
        self.tree("cxl-guard")
        self.write(self.dax() / "size", "0\n")
        self.assert_verdicts(self.decide()[0])

    def test_qos_class(self):
        """The value of the kernel's attribute; null without one."""
        self.tree("cxl-guard")
        attribute = "sys/bus/cxl/devices/decoder0.0/qos_class"
        for content, value in (("0\n", 0), ("7\n", 7), ("-1\n", None), ("\n", None), (None, None)):
            with self.subTest(content):
                if content is None:
                    self.forget(attribute)
                else:
                    self.write(attribute, content)
                self.assertEqual(self.decide()[0]["ranges"][0]["qos_class"], value)

    def test_unaligned(self):
        """64 GiB less 12 MiB: 116 MiB in the last block are lost."""
        self.tree("cxl-guard")
        self.forget("proc/zoneinfo")  # 1 GiB has no room for the page metadata of 64 GiB
        size = (64 << 30) - (12 << 20)
        self.write(self.dax() / "size", f"{size}\n")
        self.write(self.dax() / "mapping0/end", f"{0x5D0000000 + size - 1:#x}\n")
        report, _ = self.decide("--tdx=absent")
        self.assert_verdicts(report, ("cxl", "online", "tdx-absent"))
        self.assertEqual(report["ranges"][0]["unaligned"], 116 << 20)
        self.assertIsNone(self.decide()[0]["ranges"][0]["unaligned"])  # devdax has no blocks

    def test_device_node_missing(self):
        """libdaxctl does not list the device: a message reports it."""
        self.tree("cxl-guard")
        (self.root / "dev/dax0.0").unlink()
        report, messages = self.decide()
        self.assertIn("/sys/bus/dax/devices/dax0.0: ignored, because libdaxctl cannot", messages)
        self.assert_verdicts(report)

    def test_block_state_unreadable(self):
        """A DIMM with an invalid state of one block, and without another block."""
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

    # --- machine and configuration ---

    def test_no_hotplug(self):
        self.tree("plain-host")
        shutil.rmtree(self.root / MEMORY)
        self.assertIn("no memory hotplug", self.decide(status=3)[1])

    def test_block_size_wrong(self):
        self.tree("plain-host")
        for content in ("", "0\n", "300\n", "-8000000\n"):
            self.write(f"{MEMORY}/block_size_bytes", content)
            self.assertIn(f"/{MEMORY}/block_size_bytes: ", self.decide(status=3)[1])

    def test_capable_ranges(self):
        """CapableRanges= makes the region TDX memory."""
        self.tree("cxl-guard")
        self.forget("proc/zoneinfo")  # 1 GiB has no room for the page metadata of 64 GiB
        self.write("etc/tdx-onlined/tdx-onlined.conf", "[Daemon]\nCapableRanges=0x5d0000000-0x15cfffffff\n")
        report, _ = self.decide()
        self.assert_verdicts(report, ("cxl", "online", "in-boot-map"))
        self.assertEqual(report["ranges"][0]["zone"], "kernel")
        self.assertEqual(report["ranges"][0]["source"], "configuration")
        self.assertEqual([s["action"] for s in report["ranges"][0]["steps"]], ["bind-kmem", "online"])
        self.write("etc/tdx-onlined/tdx-onlined.conf", "[Daemon]\nCapableRanges=0x5d0000000-0x15cffffffe\n")
        self.assert_verdicts(self.decide()[0], ("cxl", "devdax", "straddles-boot-map"))

    def test_state_of_another_boot(self):
        """The boot map of another boot is not used, nor is an invalid state file."""
        self.tree("plain-host")
        good = self.decide()[0]
        for content in ('{"boot_id":"another"}', "{", "", "[]", '{"schema":1}'):
            self.write("run/tdx-onlined/state.json", content)
            self.assertEqual(self.decide()[0], good)


if __name__ == "__main__":
    if "--write" in sys.argv:
        EXPECTED.mkdir(exist_ok=True)
        for root, options, expected in answers():
            expected.write_text(tree.run(root, "--dry-run", *options).stdout)
        sys.exit()
    tree.main()
