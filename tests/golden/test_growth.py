#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Growth: on a machine with four times as much of something, the program makes less than five times as
many calls that open, look for or read files. They are counted, so a busy machine changes nothing.
"""

import os
import re
import unittest

import tree

BLOCK = 128 << 20
ABOVE = 1 << 44
N, TIMES, MOST = 60, 4, 5


def late(i):
    """Every second block, so that none of them makes a run with the next."""
    return ABOVE + 2 * i * BLOCK


class Growth(tree.Tree):
    def calls(self, *options):
        environment = tree.ENVIRONMENT | {"LD_PRELOAD": os.environ["COUNT_CALLS"]}
        result = tree.subprocess.run([tree.program(options), f"--root={self.root}", *options], env=environment,
                                     capture_output=True, text=True, check=False,
                                     timeout=tree.DEADLINE)  # fmt: skip
        return int(re.search(r"^calls: (\d+)$", result.stderr, re.MULTILINE)[1]), result.stdout

    def assert_grows(self, add, options=("--dry-run",), rows=True):
        """`add` adds item i; each item makes a row, or none does."""
        few, _ = self.calls(*options)
        counts = []
        for first, end in ((0, N), (N, TIMES * N)):
            for i in range(first, end):
                add(i)
            count, output = self.calls(*options)
            counts.append(count - few)
            if rows:
                self.assertGreater(output.count("outside-boot-map"), end - 1)
        self.assertGreater(counts[0], N)
        self.assertLess(counts[1], MOST * counts[0])

    def add_memmap(self, i, kind):
        entry = f"sys/firmware/memmap/{1000 + i}"
        self.write(f"{entry}/type", kind + "\n")
        self.write(f"{entry}/start", f"{late(i):#x}\n")
        self.write(f"{entry}/end", f"{late(i) + BLOCK - 1:#x}\n")

    def test_dimms(self):
        self.tree("cxl-refused")
        self.assert_grows(lambda i: self.add_memmap(i, "System RAM"))

    def test_memmap(self):
        self.tree("cxl-refused")
        self.assert_grows(lambda i: self.add_memmap(i, "Reserved"), rows=False)

    def add_block(self, i):
        block = f"sys/devices/system/memory/memory{late(i) // BLOCK}"
        self.write(f"{block}/state", "offline\n")

    def test_blocks(self):
        for options in (("--dry-run",), ("doctor",), ("explain", "0x1000")):
            self.tree("cxl-refused")
            self.assert_grows(self.add_block, options, rows="--dry-run" in options)

    def test_both(self):
        """As many DIMMs as other blocks."""
        self.tree("cxl-refused")

        def add(i):
            self.add_memmap(2 * i, "System RAM")
            self.add_block(2 * i + 1)

        self.assert_grows(add)

    def test_rules(self):
        self.tree("cxl-refused")
        self.assert_grows(
            lambda i: self.write(f"etc/tdx-onlined/rules.d/{i:04}.rule",
                                 "[Match]\nType=dimm\n[Policy]\nVerdict=offline\n"),
            rows=False)  # fmt: skip

    def test_drop_ins(self):
        self.tree("cxl-refused")
        self.assert_grows(
            lambda i: self.write(f"etc/tdx-onlined/conf.d/{i:04}.conf", "[Daemon]\nAct=yes\n"),
            rows=False)  # fmt: skip


class Bounds(tree.Tree):
    """Lists that each new item is compared with are bounded, and a message reports it."""

    def messages(self, *options):
        return tree.run(self.root, *options).stderr.splitlines()

    def test_complaints(self):
        self.tree("cxl-refused")
        for i in range(300):
            self.write(f"sys/firmware/memmap/{1000 + i}/type", "System RAM\n")
            self.write(f"sys/firmware/memmap/{1000 + i}/start", "none\n")
        messages = self.messages("--dry-run")
        self.assertEqual(len(messages), 201)
        self.assertTrue(all(line.endswith("/start: not an address") for line in messages[:-1]))
        self.assertEqual(messages[-1], "tdx-onlined: There are more files that cannot be used: "
                                       "they are not logged")  # fmt: skip

    def test_rejected(self):
        self.tree("cxl-refused")
        self.write("dev/kmsg", "".join(
            f"6,{i},1,-;Block size [0x8000000] unaligned hotplug range: start {late(i):#x}, size 0x1000\n"
            for i in range(1100)))  # fmt: skip
        self.assertEqual(self.messages("--dry-run"), [
            "tdx-onlined: kernel log: the kernel rejected more than 1024 ranges of memory: the others "
            "are not reported"])  # fmt: skip
        report, _ = self.decide()
        self.assertEqual(len(report["rejected"]), 1024)

    def test_rules(self):
        """Some rules with thousands of words each: the first ones are compared."""
        self.tree("cxl-refused")
        for i in range(20):
            words = " ".join(f"{i}x{word}" for word in range(500))
            self.write(f"etc/tdx-onlined/rules.d/{i:02}.rule",
                       f"[Match]\nDevice={words}\n[Policy]\nVerdict=offline\n")  # fmt: skip
        [message] = self.messages("--check-config")
        self.assertEqual(message, "tdx-onlined: /etc/tdx-onlined/rules.d/09.rule:1: there are too many "
                                  "rules to compare this one and those after it with all that come "
                                  "before")  # fmt: skip

    def test_mappings(self):
        """A dax device with one mapping more than are read has no known address."""
        self.tree("cxl-refused")
        dax = "sys/bus/dax/devices/dax0.0"
        for n, reason in ((1024, "outside-boot-map"), (1025, "unreadable")):
            for i in range(n):
                self.write(f"{dax}/mapping{i}/start", f"{late(i):#x}\n")
                self.write(f"{dax}/mapping{i}/end", f"{late(i) + BLOCK - 1:#x}\n")
            self.write(f"{dax}/size", f"{n * BLOCK}\n")
            report, messages = self.decide()
            self.assertEqual({row["reason"] for row in report["ranges"] if row["chardev"]}, {reason})
        self.assertEqual(messages, f"tdx-onlined: /{dax}/mapping0: the sizes of the mappings do not add up to the size "
                                   "of dax0.0\n")  # fmt: skip

    def test_keys_of_an_unknown_section(self):
        self.tree("cxl-refused")
        self.write("etc/tdx-onlined/tdx-onlined.conf", "[Deamon]\n" + "Act=no\n" * 9000)
        self.assertEqual(len(self.messages("--check-config")), 2)


if __name__ == "__main__":
    unittest.main()
