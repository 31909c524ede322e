#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bash and zsh complete: options that the program would take, and values that are there.

Which options go together is asked from the program itself, so neither completion can differ from
it, nor miss an option of --help. It is asked where it finds no machine, so that it does nothing.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import shells

BINARY = os.path.abspath(os.environ.get("TDX_ONLINED", "build/daemon/tdx-onlined"))
USAGE = 2

HELP = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout
LETTERS = dict(re.findall(r"^  (-\w), (--[a-z-]+)", HELP, re.MULTILINE))
OPTIONS = set(re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", HELP, re.MULTILINE))
VALUED = set(re.findall(r"^  (?:-\w, |    )(--[a-z-]+)=", HELP, re.MULTILINE))
VALUES = {"--root": "sysroots/plain-host", "--tdx": "absent", "--fail-on": "change",
          "--explain": "node0", "--decide": "node0", "--output": "SIZE", "--capture": "/run/tree"}  # fmt: skip


# They end it at once, whatever else there is, so they are offered at first only.
ALONE = {"--help", "--version"}

# No machine: without /sys there is nothing to judge, and without /run there is no state.
NOWHERE = ["unshare", *(["--map-root-user"] if os.geteuid() else []), "--mount", "sh", "-c",
           'mount -t tmpfs none /sys && mount -t tmpfs none /run && exec "$@"', "sh"]  # fmt: skip

TASKS = [[], ["--dry-run"], ["--oneshot"], ["--explain"], ["--decide"], ["--doctor"], ["--capture"],
         ["--check-config"], ["--cat-config"], ["--reload"], ["--check-config", "--dry-run"]]  # fmt: skip
MODIFIERS = [[], ["--json"], ["--root"], ["--tdx"], ["--fail-on"], ["--anonymise"], ["--tree"], ["--raw"],
             ["--bytes", "--output"], ["--output-all", "--noheadings"], ["--tdx", "--root"]]  # fmt: skip
TABLE = {"--output", "--output-all", "--noheadings", "--raw", "--bytes", "--tree"}

# A program with columns, of which some are the beginning or the end of another.
STUB = """#!/bin/sh
cat <<'END'
tdx-onlined [OPTION...]

      --dry-run      Decide
  -o, --output=LIST  Columns

Columns:
  RANGE            first and last address
  SIZE             size: ] and [ are not special
  ZONE             zone asked for
  ZONE_NOW         zone that it is in
  NOW              what is so

Words of --fail-on:
  change           it is not as decided
END
"""


def words_below(heading):
    """The first word of each line below that heading of the help."""
    lines = re.search(rf"^{heading}:\n((?:  .*\n)+)", HELP, re.MULTILINE)[1].splitlines()
    return {line.split()[0] for line in lines}


def said(option):
    return f"{option}={VALUES[option]}" if option in VALUES else option


def is_taken(options):
    """Does the program take them, or call them wrong?"""
    result = subprocess.run([*NOWHERE, BINARY, *map(said, options)], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, cwd=shells.TESTS, timeout=shells.DEADLINE,
                            check=False)  # fmt: skip
    return result.returncode != USAGE


def is_taken_by_check(*options):
    result = subprocess.run([BINARY, said("--root"), "--check-config", *options], cwd=shells.TESTS,
                            capture_output=True, check=False)  # fmt: skip
    return result.returncode == 0


def can_be_asked():
    return subprocess.run([*NOWHERE, "true"], capture_output=True, check=False).returncode == 0


class Completion:
    """Tests of one shell."""

    SHELL = None

    @classmethod
    def setUpClass(cls):
        cls.shell = shells.Shell(cls.SHELL, BINARY)
        cls.addClassCleanup(cls.shell.close)

    def offered(self, line):
        return self.shell.complete(f"tdx-onlined {line}")[0]

    def becomes(self, line):
        return self.shell.complete(f"tdx-onlined {line}")[1].removeprefix("tdx-onlined ")

    def options_offered(self, given):
        """Long options, less those that the program does not know yet."""
        line = "".join(shlex.quote(said(option)) + " " for option in given)
        options = {option for option in self.offered(line + "--") if option.startswith("--")}
        self.assertEqual(options - OPTIONS, set())
        return options & OPTIONS

    # --- options ---

    def test_every_option(self):
        """Whatever --help names is offered somewhere."""
        everywhere = set()
        for task in TASKS:
            everywhere |= self.options_offered(task)
        self.assertEqual(everywhere, OPTIONS)

    @unittest.skipUnless(can_be_asked(), "no mount namespaces here")
    def test_what_goes_together(self):
        """After what the program takes, everything else that it takes with it, and nothing more."""
        contexts = [task + modifiers for task in TASKS for modifiers in MODIFIERS]
        contexts = [given for given in contexts if set(given) <= OPTIONS and is_taken(given)]
        self.assertGreater(len(contexts), 20)
        for given in contexts:
            with self.subTest(given):
                expected = {option for option in OPTIONS - ALONE - set(given) if is_taken(given + [option])}
                self.assertEqual(self.options_offered(given), expected if given else expected | ALONE)

    def test_nothing_after_help(self):
        for option in ("--help", "--version", "-h", "-V", "--dry-run -h", "-JV"):
            self.assertEqual(self.offered(f"{option} --"), set())

    def test_nothing_after_two_tasks(self):
        for given in (["--dry-run", "--oneshot"], ["--check-config", "--cat-config", "--dry-run"]):
            self.assertEqual(self.options_offered(given), set())

    def test_letters(self):
        """A letter is offered where its option is."""
        for task in TASKS:
            offered = self.offered(" ".join(map(said, task)) + " -")
            for letter, option in LETTERS.items():
                self.assertEqual(letter in offered, option in offered, (task, letter))

    def test_letters_given(self):
        """They count like their options, alone and together, with a value in the same word or not."""
        for given in ("-J", "--json"):
            offered = self.options_offered(["--dry-run"]) - {"--json", "--check-config"} - TABLE
            self.assertEqual(self.offered(f"--dry-run {given} --"), offered, given)
            self.assertNotIn("-J", self.offered(f"--dry-run {given} -"))
        for given in ("-nb", "-n -b", "--noheadings --bytes", "-nboVERDICT", "-nbo VERDICT", "-oVERDICT -bn"):
            offered = self.offered(f"--dry-run {given} --")
            self.assertEqual(offered & {"--noheadings", "--bytes", "--json", "--check-config"}, set(), given)
            self.assertEqual("--output" in offered, "o" not in given.split("--")[0], given)
            self.assertLessEqual({"--raw", "--tree", "--tdx"}, offered, given)

    def test_raw_and_tree(self):
        for given, other in (("-r", "--tree"), ("--raw", "--tree"), ("-T", "--raw"), ("--tree", "--raw")):
            self.assertNotIn(other, self.offered(f"--dry-run {given} --"))

    def test_after_the_cursor(self):
        """What stands behind the cursor counts, too: the cursor is moved back to the options."""
        back = "\x02" * len(" --oneshot")  # control-B, in both shells
        offered, _ = self.shell.complete("tdx-onlined -- --oneshot" + back)
        self.assertIn("--fail-on", offered)
        self.assertEqual(offered & {"--dry-run", "--root", "--oneshot"}, set())

    def test_lines(self):
        """What becomes of the line."""
        self.assertEqual(self.becomes("--cat"), "--cat-config ")
        self.assertEqual(self.becomes("--check-config --dr"), "--check-config --dry-run ")
        self.assertEqual(self.becomes("--oneshot --dr"), "--oneshot --dr")

    # --- values ---

    def test_value_in_a_word_of_its_own(self):
        """It is neither an option nor to be completed as one."""
        self.assertLessEqual(VALUED, set(VALUES))
        for option in VALUED:
            for task in [task for task in TASKS if option not in task and set(task) <= OPTIONS]:
                line = " ".join(map(said, task))
                self.assertEqual(self.offered(f"{line} {option} {VALUES[option]} --"),
                                 self.offered(f"{line} {option}={VALUES[option]} --"))  # fmt: skip
            self.assertEqual({word for word in self.offered(f"{option} --") if word.startswith("--")}, set())

    def test_tdx(self):
        for line in ("--tdx=", "--tdx ", "--dry-run --tdx=", "--oneshot --tdx "):
            self.assertEqual(self.offered(line), {"auto", "active", "absent"})
        self.assertEqual(self.becomes("--tdx=ab"), "--tdx=absent ")
        self.assertEqual(self.becomes("--tdx ac"), "--tdx active ")
        for state in self.offered("--tdx="):
            self.assertTrue(is_taken_by_check(f"--tdx={state}"), state)

    def test_directories(self):
        (self.shell.directory / "tree").mkdir(exist_ok=True)
        (self.shell.directory / "text").write_text("")
        for option in ("--dry-run --root", "--root", "--capture"):
            self.assertEqual(self.becomes(f"{option}=te"), f"{option}=te")  # not that
            self.assertEqual(self.becomes(f"{option} tr").rstrip(), f"{option} tree/")
            self.assertEqual(self.becomes(f"{option}=tr").rstrip(), f"{option}=tree/")

    def targets(self, tree, begun="", option="--explain "):
        return self.offered(f"--root=sysroots/{tree} {option}{begun}")

    def test_targets(self):
        refused = {"dax0.0", "region0", "mem0", "node0", "node1"}
        blocks = {f"memory{n}" for n in (*range(8), *range(186, 190))}
        for option in ("--explain ", "--explain="):
            self.assertEqual(self.targets("cxl-refused", option=option), refused | {"0000:0d:00.0"})
            self.assertEqual(self.targets("cxl-refused", "m", option), {"mem0"} | blocks)
            self.assertEqual(self.targets("cxl-refused", "mem", option), {"mem0"} | blocks)
            self.assertEqual(self.targets("cxl-refused", "memory18", option),
                             {f"memory{n}" for n in range(186, 190)})  # fmt: skip
            self.assertEqual(self.targets("cxl-refused", "x", option), set())
        self.assertEqual(self.targets("dimm"), {"node0"})
        # Not what is beside them: the kernel has more under those names.
        self.assertEqual(self.targets("cxl-refused", "d"), {"dax0.0"})

    def test_root_of_targets(self):
        """Given before or after, in one word or in two; and without one it is this machine."""
        root = "sysroots/hmem"
        for line in (f"--root={root} --explain d", f"--root {root} --explain d", f"--root {root} --explain=d"):
            self.assertEqual(self.offered(line), {"dax0.0"}, line)
        here = pathlib.Path("/sys/devices/system/node").glob("node[0-9]*")
        self.assertEqual(self.offered("--explain n"), {path.name for path in here})

    def test_root_of_another_name(self):
        """A directory whose name has blanks, and characters that end a word in bash."""
        for name in ("a b", "it's", "x@y:z=1", "grün"):
            with self.subTest(name):
                link = self.shell.directory / name
                link.symlink_to("sysroots/hmem")
                self.addCleanup(link.unlink)
                for begun in (f"--root={shlex.quote(name)}", f"--root {shlex.quote(name)}"):
                    self.assertEqual(self.offered(f"{begun} --explain d"), {"dax0.0"})

    def test_pci_address(self):
        """There are colons in it, where bash begins a new word."""
        root = "sysroots/cxl-refused"
        for option in ("--explain ", "--explain="):
            for begun in ("0", "0000:", "0000:0d", "0000:0d:0"):
                line = f"--root={root} {option}"
                self.assertEqual(self.becomes(line + begun), line + "0000:0d:00.0 ")

    def test_columns(self):
        columns = words_below("Columns")
        self.assertIn("VERDICT", columns)
        self.assertEqual(self.offered("--dry-run -o "), columns)
        self.assertEqual(self.offered("--oneshot --output="), columns)

    def test_fail_on(self):
        words = words_below("Words of --fail-on")
        self.assertIn("stranded", words)
        for option in ("--fail-on ", "--fail-on="):
            line = f"--dry-run {option}"
            self.assertEqual(self.offered(line), words)
            self.assertEqual(self.last(line + "change,"), words - {"change"})
            self.assertEqual(self.last(line + "change,online,"), words - {"change", "online"})
            self.assertEqual(self.last(line + "change,o"), {"online", "offline", "offline-boot"})
            self.assertEqual(self.last(line + "change,offline,o"), {"online", "offline-boot"})
            self.assertEqual(self.last(line + "online,cha,on"), set())
            self.assertEqual(self.becomes(line + "change,st").rstrip(","), line + "change,stranded")

    def last(self, line):
        """The words alone: bash offers them with what is before them."""
        return {word.rsplit(",", 1)[-1] for word in self.offered(line)}

    def test_no_program(self):
        """Options are offered without one; what would be asked from it is not, and nothing is said."""
        for line in ("--dry-run --fail-on=", "--dry-run --output="):
            offered, after = self.shell.complete(f"nowhere/tdx-onlined {line}")
            self.assertEqual((offered, after), (set(), f"nowhere/tdx-onlined {line}"))
            self.assertNotIn(b"such file", self.shell.output)
        self.assertIn("--dry-run", self.shell.complete("nowhere/tdx-onlined --")[0])


class Columns:
    """The columns of a program that has some."""

    SHELL = None
    ALL = {"RANGE", "SIZE", "ZONE", "ZONE_NOW", "NOW"}

    @classmethod
    def setUpClass(cls):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="tdx-onlined-"))
        cls.addClassCleanup(shutil.rmtree, directory)
        (directory / "stub").write_text(STUB)
        (directory / "stub").chmod(0o755)
        cls.shell = shells.Shell(cls.SHELL, directory / "stub")
        cls.addClassCleanup(cls.shell.close)

    def last(self, line):
        words = self.shell.complete(f"tdx-onlined --dry-run {line}")[0]
        return {re.split("[,+]", word)[-1] for word in words}

    def test_columns(self):
        for option in ("-o ", "--output ", "--output=", "-n -o "):
            self.assertEqual(self.last(option), self.ALL)
            self.assertEqual(self.last(option + "Z"), {"ZONE", "ZONE_NOW"})
            self.assertEqual(self.last(option + "SIZE,"), self.ALL - {"SIZE"})
            self.assertEqual(self.last(option + "SIZE,ZONE_NOW,"), {"RANGE", "ZONE", "NOW"})
            self.assertEqual(self.last(option + "ZONE_NOW,Z"), {"ZONE"})
            self.assertEqual(self.last(option + "change"), set())

    def test_plus(self):
        for option in ("-o ", "--output="):
            self.assertEqual(self.last(option + "+"), self.ALL)
            self.assertEqual(self.last(option + "+ZONE,Z"), {"ZONE_NOW"})
            line = self.shell.complete(f"tdx-onlined --dry-run {option}+SIZE,R")[1]
            self.assertEqual(line.rstrip(","), f"tdx-onlined --dry-run {option}+SIZE,RANGE")


class BashCompletion(Completion, unittest.TestCase):
    SHELL = "bash"


class ZshCompletion(Completion, unittest.TestCase):
    SHELL = "zsh"

    def test_letters_in_one_word(self):
        """Those that go with the letters that are there."""
        offered = self.offered("--dry-run -nr")
        self.assertLessEqual({"-nrb", "-nro"}, offered)
        self.assertEqual(offered & {"-nrJ", "-nrT", "-nrr", "-nrn"}, set())


class BashColumns(Columns, unittest.TestCase):
    SHELL = "bash"


class ZshColumns(Columns, unittest.TestCase):
    SHELL = "zsh"


if __name__ == "__main__":
    if not shutil.which("zsh") or not pathlib.Path(shells.BASH_COMPLETION).exists():
        print(f"skipped: zsh and {shells.BASH_COMPLETION} are needed")
        sys.exit(77)
    unittest.main(verbosity=2)
