#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""config check, config cat and config diff on every captured machine, with several configurations."""

import itertools
import json
import os
import re

import tree
from tree import DROP_IN, MAIN, RULE, rule

TREES = sorted(path.name for path in tree.SYSROOTS.iterdir() if path.is_dir())
RUN_MAIN = MAIN.replace("etc", "run", 1)
OTHER_RULE = "usr/lib/tdx-onlined/rules.d/20-b.rule"

# Files, the number of rules, and messages: of a warning, or of a mistake.
GOOD = (
    ({}, 0),
    ({RUN_MAIN: "[Daemon]\nTDX=active\nAct=no\n", DROP_IN: "[Daemon]\nTDX=absent\nOfflineTimeoutSec=5\n"}, 0),
    ({MAIN: "[Daemon]\nCapableRanges=0x100000000-0x1ffffffff\nPresent=act\n",
      RULE: rule("Type=dimm", "Verdict=offline"), OTHER_RULE: "# no newline\n" + rule("Type=cxl", "Verdict=ignore")[:-1]}, 2),
)  # fmt: skip
WARNED = {RULE: rule("Type=cxl", "Verdict=offline"), OTHER_RULE: rule("Type=cxl", "Verdict=ignore")}
WARNING = f"/{OTHER_RULE}:1: it has no effect, because /{RULE} matches all that it matches"
MISTAKEN = {MAIN: "[Daemon]\nAct=perhaps\n", RULE: rule("Type=cxl", "Verdict=maybe")}
MISTAKES = (f"/{MAIN}:2: Act=perhaps: not yes or no",
            f"/{RULE}:4: Verdict=maybe: not online, devdax, offline or ignore", tree.NO_USE)  # fmt: skip
NOT_RUN = "The daemon has not run in this boot: no configuration is in effect.\n"


def contents(root):
    """All files of a tree that are its own, with the times of their last change."""
    return {str(path): (os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes(),
                        path.lstat().st_mtime_ns) for path in root.rglob("*")}  # fmt: skip


class Trees(tree.Tree):
    def each(self, files):
        for name in TREES:
            with self.subTest(name, files=files):
                self.tree(name)
                self.configure(files)
                before = contents(self.root)
                yield name
                self.assertEqual(contents(self.root), before)

    def output(self, *options):
        """Of a command that succeeds without a message."""
        result = tree.run(self.root, *options)
        self.assertEqual((result.returncode, result.stderr), (0, ""), options)
        return result.stdout

    def test_check(self):
        for files, rules in GOOD:
            for _ in self.each(files):
                self.assertEqual(self.output("config", "check"), f"No mistake found, {rules} rules.\n")
        for _ in self.each(WARNED):
            self.assert_run(["config", "check"], (1, "", [WARNING]))
        for _ in self.each(MISTAKEN):
            self.assert_run(["config", "check"], (1, "", MISTAKES))

    def test_cat(self):
        """What it prints, written to the files, is the same configuration, and decides the same."""
        for name, (files, rules) in itertools.product(TREES, GOOD):
            with self.subTest(name, files=files):
                self.tree(name)
                self.configure(files)
                text, decided = self.output("config", "cat"), self.output("plan", "--json")
                daemon, *printed = re.split(r"\n\n# /(\S+\.rule)\n", text)
                self.assertEqual(len(printed), 2 * rules)
                self.configure({MAIN: daemon + "\n", **dict(zip(printed[::2], printed[1::2]))})
                self.assertEqual(self.values(self.output("config", "cat")), self.values(text))
                self.assertEqual(self.output("plan", "--json"), decided)
        for _ in self.each(MISTAKEN):
            self.assert_run(["config", "cat"], (1, "", MISTAKES))

    def values(self, text):
        """Without the places they come from."""
        return re.sub(r"^# (default|/.*)\n", "", text, flags=re.MULTILINE)

    def test_diff(self):
        """Without a daemon each range has a line, with the verdict and reason of plan."""
        for files, _ in GOOD:
            for _ in self.each(files):
                *lines, last = self.output("config", "diff").splitlines(keepends=True)
                self.assertEqual(last, NOT_RUN)
                ranges = json.loads(self.output("plan", "--json"))["ranges"]
                self.assertEqual([re.search(r": not decided yet -> ([\w-]+) \(([\w-]+)\)", line).groups() for line in lines],
                                 [(found["verdict"], found["reason"]) for found in ranges])  # fmt: skip
        for _ in self.each(WARNED):
            result = tree.run(self.root, "config", "diff")
            self.assertEqual((result.returncode, result.stderr), (1, f"tdx-onlinectl: {WARNING}\n"))
            self.assertTrue(result.stdout.endswith(NOT_RUN))
        for _ in self.each(MISTAKEN):
            self.assert_run(["config", "diff"], (1, "", MISTAKES))


if __name__ == "__main__":
    tree.main()
