#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A configuration that other users than root can write, on a live system and in a captured tree.

The live system is a tree as the root of a namespace, in which root is the user that runs the test.
"""

import os

import tree
from test_capture import Machine, main
from tree import DROP_IN, MAIN, RULE, rule

CHECK = "check its content, then run 'chmod go-w' on"


class Trusted(Machine, tree.Configured):
    FILES = {MAIN: "[Daemon]\n", DROP_IN: "[Daemon]\n", RULE: rule("Type=cxl", "Verdict=ignore")}

    def setUp(self):
        super().setUp()
        self.configure(self.FILES)

    def assert_live(self, *messages, rules=1, prefix=""):
        """The messages about the configuration; with any message nothing is done."""
        expected = [*messages, tree.NO_USE] if messages else []
        for options in (["--check-config"], ["config", "cat"], ["--dry-run"]):
            with self.subTest(options):
                result = self.run_in_machine(*options, prefix=prefix)
                self.assertEqual((result.returncode, result.stderr.splitlines()),
                                 (1 if messages else 0, [f"{tree.name_of(options)}: {line}" for line in expected]))  # fmt: skip
        self.assert_accepted(rules=rules)  # with --root=

    def test_good(self):
        self.assert_live()

    def test_modes(self):
        for place, mode in ((MAIN, 0o664), (DROP_IN, 0o646), (RULE, 0o666)):
            with self.subTest(place):
                (self.root / place).chmod(mode)
                self.assert_live(f"/{place}: writable by others than root (mode {mode:04o}): {CHECK} it")
                (self.root / place).chmod(0o644)

    def test_directories(self):
        """A folder with files, one above it, and one with the sticky bit."""
        directories = [f"/{layer}/tdx-onlined/{kind}" for kind in ("conf.d", "rules.d")
                       for layer in ("etc", "run", "usr/lib")]  # fmt: skip
        for place, mode in (("etc/tdx-onlined/rules.d", 0o775), ("etc/tdx-onlined/conf.d", 0o1777)):
            with self.subTest(place):
                (self.root / place).chmod(mode)
                self.assert_live(f"/{place}: writable by others than root (mode {mode:04o}): {CHECK} it")
                (self.root / place).chmod(0o755)
        for place, mode in (("etc/tdx-onlined", 0o757), ("etc", 0o777)):
            with self.subTest(place):
                (self.root / place).chmod(mode)
                leads = f"/{place}, which leads to it, is writable by others than root (mode {mode:04o}): {CHECK} /{place}"
                self.assert_live(*(f"{path}: {leads}" for path in [directories[0], directories[3], f"/{MAIN}"]))
                (self.root / place).chmod(0o755)

    def test_links(self):
        """Each folder on the path of links, and the file at their end."""
        self.write("etc/a/rules/x.rule", self.FILES[RULE])
        (self.root / RULE).unlink()
        self.link("etc/b/link", "/etc/a/../a/./rules/")
        self.link(RULE, "../../b/link/x.rule")
        self.assert_live()
        for place in ("etc/b", "etc/a", "etc/a/rules", "etc/a/rules/x.rule"):
            with self.subTest(place):
                mode = (self.root / place).stat().st_mode & 0o777
                (self.root / place).chmod(mode | 0o20)
                self.assert_live(f"/{RULE}: /{place}, which leads to it, is writable by others than root"
                                 f" (mode {mode | 0o20:04o}): {CHECK} /{place}")  # fmt: skip
                (self.root / place).chmod(mode)

    def test_linked_directory(self):
        self.write("etc/a/rules/x.rule", self.FILES[RULE])
        (self.root / RULE).unlink()
        (self.root / RULE).parent.rmdir()
        self.link("etc/tdx-onlined/rules.d", "../a/rules")
        self.assert_live()
        (self.root / "etc/a").chmod(0o775)
        self.assert_live("/etc/tdx-onlined/rules.d: /etc/a, which leads to it, is writable by others than root"
                         f" (mode 0775): {CHECK} /etc/a")  # fmt: skip

    def test_mask(self):
        """/dev/null, which all users can write, is a valid mask."""
        (self.root / RULE).unlink()
        self.link(RULE, "/dev/null")
        result = self.run_in_machine("--check-config", prefix="touch dev/null; mount --bind /dev/null dev/null")
        self.assertEqual((result.returncode, result.stdout), (0, "No mistake found, 0 rules.\n"))

    def test_fifo(self):
        (self.root / RULE).unlink()
        os.mkfifo(self.root / RULE)
        result = self.run_in_machine("--check-config")
        self.assertEqual(result.stderr, f"tdx-onlined: /{RULE}: not a file\ntdx-onlined: {tree.NO_USE}\n")

    def test_mistakes_of_two_kinds(self):
        (self.root / RULE).chmod(0o664)
        self.write(MAIN, "[Daemon]\nAct=perhaps\n")
        result = self.run_in_machine("--check-config")
        self.assertEqual(result.stderr.splitlines(), [
            f"tdx-onlined: /{MAIN}:2: Act=perhaps: not yes or no",
            f"tdx-onlined: /{RULE}: writable by others than root (mode 0664): {CHECK} it",
            f"tdx-onlined: {tree.NO_USE}"])  # fmt: skip


if __name__ == "__main__":
    main()
