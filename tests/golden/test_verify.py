#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""verify on captured machines: comparisons that need no running kernel.

    test_verify.py              compare with tests/expected/TREE.verify.txt
    test_verify.py --write      write what is printed now; read the difference before you commit it
"""

import json
import sys
import unittest

import tree

FOUND = 5
EXPECTED = tree.TESTS / "expected"
NOT_TRIED = "not tried: the directory of --root= has no kernel that answers"
STATE = "run/tdx-onlined/state.json"


def expected(root):
    return EXPECTED / f"{root.name}.verify.txt"


def trees():
    return sorted(path for path in tree.SYSROOTS.iterdir() if path.is_dir())


class Golden(unittest.TestCase):
    maxDiff = None

    def test_every_tree(self):
        for root in trees():
            with self.subTest(root.name):
                result = tree.run(root, "verify")
                self.assertEqual(result.stdout, expected(root).read_text())
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_no_stale_expected_file(self):
        self.assertEqual({expected(root) for root in trees()}, set(EXPECTED.glob("*.verify.txt")))

    def test_json(self):
        """The JSON output has the same comparisons."""
        for root in trees():
            with self.subTest(root.name):
                report = json.loads(tree.run(root, "verify", "--json").stdout)
                lines = [f"{c['check']}  {c['subject']}: {c['found']}" for c in report["comparisons"]]
                text = " ".join(expected(root).read_text().split())
                for line in lines:
                    self.assertIn(" ".join(line.split()), text)


class Differs(tree.Tree):
    def verify(self, status):
        """The differences, none of which was tried on a kernel."""
        result = tree.run(self.root, "verify", "--json")
        self.assertEqual((result.returncode, result.stderr), (status, ""))
        comparisons = json.loads(result.stdout)["comparisons"]
        self.assertEqual(comparisons[-1]["found"], NOT_TRIED)
        return [(c["check"], c["subject"], c["found"]) for c in comparisons if c["result"] == "differs"]

    def test_assumed(self):
        self.tree("plain-host")
        self.write(tree.MAIN, "[Daemon]\nTDX=active\n")
        self.assertEqual(self.verify(FOUND), [
            ("tdx-state", "TDX", "active as configured, absent (not-enabled) as found")])  # fmt: skip

    def test_local_build(self):
        """The name of a local build is not printed, as in an anonymised capture."""
        self.tree("plain-host")
        self.write("proc/sys/kernel/osrelease", "7.3.4-projectx-host17\n")
        self.assertIn(", Linux 7.3\n", tree.run(self.root, "verify").stdout)
        report = json.loads(tree.run(self.root, "verify", "--json").stdout)
        self.assertEqual(report["kernel_release"], "7.3")

    def test_source(self):
        """Another source contradicts the flag."""
        self.tree("plain-host")
        self.write("sys/fs/cgroup/misc.capacity", "tdx 31\n")
        checks = [check for check, _, _ in self.verify(FOUND)]
        self.assertEqual(checks, ["tdx-state"])

    def test_boot_memory(self):
        self.tree("plain-host")
        (self.root / "sys/devices/system/memory/memory3").rename(self.root / "gone")
        self.assertEqual(self.verify(0), [])  # without a state file the map is narrowed by the existing blocks
        self.write(STATE, json.dumps({
            "schema": 3, "boot_id": (self.root / "proc/sys/kernel/random/boot_id").read_text().strip(),
            "boot_map": {"known": True, "ranges": [
                {"start": 0x100000, "size": 0x3fed0000, "source": "boot-params"}]},
            "guard": {}, "config": {}, "devices": []}))  # fmt: skip
        self.assertEqual(self.verify(FOUND), [
            ("boot-memory", "[mem 0x100000-0x3ffcffff]", "7 of 8 are there")])  # fmt: skip

    def test_online_memory(self):
        """On a kernel that initialises TDX at boot, a block outside of the boot map is online."""
        self.tree("cxl-refused")
        self.write("proc/sys/kernel/osrelease", "7.3.4\n")
        self.write("sys/devices/system/cpu/hotplug/states", "  0: offline\n199: virt/tdx:online\n238: online\n")
        [block, *_] = sorted((self.root / "sys/devices/system/memory").glob("memory186"))
        (block / "state").write_text("online\n")
        checks = [(check, subject) for check, subject, _ in self.verify(FOUND)]
        self.assertEqual(checks, [("online-memory", "outside the boot map")])


def write():
    for root in trees():
        expected(root).write_text(tree.run(root, "verify").stdout)


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        tree.main()
