#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bash and zsh complete: commands and options that the programs take, and values that exist.

Which words go together is taken from the programs themselves, so neither completion can differ from
them, nor miss a command or option of --help. They run where there is no machine, so that they do nothing.
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

PROGRAMS = {
    "tdx-onlined": os.path.abspath(os.environ.get("TDX_ONLINED", "build/daemon/tdx-onlined")),
    "tdx-onlinectl": os.path.abspath(os.environ.get("TDX_ONLINECTL", "build/daemon/tdx-onlinectl")),
}
USAGE = 2

VALUES = {"--root": "sysroots/plain-host", "--tdx": "absent", "--fail-on": "change", "--output": "SIZE",
          "--timeout": "0"}  # fmt: skip
ARGUMENTS = {"TARGET": "node0", "DIR": "/run/tree"}

# They end it at once, whatever else there is, so they are offered while there is no other option.
ALONE = {"--help", "--version"}

# No machine: without /sys nothing is decided, and without /run there is no state.
NOWHERE = ["unshare", *(["--map-root-user"] if os.geteuid() else []), "--mount", "sh", "-c",
           'mount -t tmpfs none /sys && mount -t tmpfs none /run && exec "$@"', "sh"]  # fmt: skip

MODIFIERS = [[], ["--json"], ["--root"], ["--tdx"], ["--fail-on"], ["--anonymise"], ["--svg"], ["--tree"], ["--raw"],
             ["--bytes", "--output"], ["--output-all", "--noheadings"], ["--tdx", "--root"]]  # fmt: skip
TABLE = {"--output", "--output-all", "--noheadings", "--raw", "--bytes", "--tree", "--svg"}
DAEMON_TASKS = [["--dry-run"], ["--oneshot"], ["--check-config"], ["--reload"]]

# A program with columns, of which some are the beginning or the end of another.
STUB = """#!/bin/sh
cat <<'END'
tdx-onlined [OPTION...]

Options:
      --dry-run      Decide
  -o, --output=LIST  Columns

Columns:
  RANGE            first and last address
  SIZE             size: ] and [ are not special
  ZONE             intended zone
  ZONE_NOW         zone that it is in
  NOW              what is so

Words of --fail-on:
  change           it is not as decided
END
"""


def said(word):
    return f"{word}={VALUES[word]}" if word in VALUES else word


def can_be_run():
    return subprocess.run([*NOWHERE, "true"], capture_output=True, check=False).returncode == 0


class Program:
    """What --help has of a program."""

    def __init__(self, name):
        self.name, self.path = name, PROGRAMS[name]
        self.help = subprocess.run([self.path, "--help"], capture_output=True, text=True, check=True).stdout
        lines = re.findall(r"^  (-\w, |    )(--[a-z-]+)(=)?", self.help, re.MULTILINE)
        self.options = {option for _, option, _ in lines}
        self.letters = {letter[:2]: option for letter, option, _ in lines if letter.strip()}
        self.valued = {option for _, option, value in lines if value}
        self.tasks = DAEMON_TASKS if name == "tdx-onlined" else self.commands()

    def commands(self):
        """The words of each command, with an argument."""
        lines = re.search(r"^Commands:\n((?:  .*\n)+)", self.help, re.MULTILINE)[1].splitlines()
        found = [re.match(r"  ([a-z ]*[a-z])(?: ([A-Z]+))? ", line).groups() for line in lines]
        return [name.split() + ([ARGUMENTS[argument]] if argument else []) for name, argument in found]

    def words_below(self, heading):
        """The first word of each line below that heading of the help."""
        lines = re.search(rf"^{heading}:\n((?:  .*\n)+)", self.help, re.MULTILINE)[1].splitlines()
        return {line.split()[0] for line in lines}

    def takes(self, words, within=NOWHERE):
        """Does the program take them, or call them wrong?"""
        result = subprocess.run([*within, self.path, *map(said, words)], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, cwd=shells.TESTS, timeout=shells.DEADLINE,
                                check=False)  # fmt: skip
        return result.returncode != USAGE

    def contexts(self):
        """Tasks with options that they take."""
        every = [task + given for task in self.tasks for given in MODIFIERS if set(given) <= self.options]
        return [words for words in every if self.takes(words)]


class Completion:
    """Tests of one shell, with both programs."""

    SHELL = None

    @classmethod
    def setUpClass(cls):
        cls.shell = shells.Shell(cls.SHELL, *PROGRAMS.values())
        cls.addClassCleanup(cls.shell.close)
        cls.daemon, cls.client = Program("tdx-onlined"), Program("tdx-onlinectl")

    def offered(self, line):
        return self.shell.complete(line)[0]

    def becomes(self, line):
        return self.shell.complete(line)[1]

    def options_offered(self, program, words):
        line = " ".join([program.name, *(shlex.quote(said(word)) for word in words), "--"])
        return {option for option in self.offered(line) if option.startswith("--")}

    # --- commands and options ---

    def test_commands(self):
        """One word after the other, and only of commands that take the options before them."""
        ctl = self.client
        self.assertEqual(self.offered("tdx-onlinectl "), {task[0] for task in ctl.tasks})
        pairs = {task[1] for task in ctl.tasks if task[0] == "config"}
        self.assertEqual(self.offered("tdx-onlinectl config "), pairs)
        self.assertEqual(self.offered("tdx-onlinectl --root=. config "), pairs)
        self.assertEqual(self.offered("tdx-onlinectl frob "), set())
        for line, after in (("pl", "plan "), ("config di", "config diff "), ("config check pl", "config check pl")):
            self.assertEqual(self.becomes(f"tdx-onlinectl {line}"), f"tdx-onlinectl {after}")

    @unittest.skipUnless(can_be_run(), "no mount namespaces here")
    def test_commands_after_options(self):
        for option in sorted(self.client.options - ALONE):
            expected = {task[0] for task in self.client.tasks if self.client.takes([option] + task)}
            self.assertEqual(self.offered(f"tdx-onlinectl {said(option)} "), expected, option)

    def test_every_option(self):
        """Each one that --help names, before a command too."""
        for program in (self.daemon, self.client):
            everywhere = set()
            for task in program.tasks:
                everywhere |= self.options_offered(program, task)
            tasks = {task[0] for task in program.tasks if task[0].startswith("--")}
            self.assertEqual(everywhere | tasks, program.options)
        self.assertEqual(self.options_offered(self.client, []), self.client.options)
        self.assertEqual(self.options_offered(self.daemon, []), {"--tdx"} | ALONE | {
            task[0] for task in self.daemon.tasks})  # fmt: skip

    @unittest.skipUnless(can_be_run(), "no mount namespaces here")
    def test_what_goes_together(self):
        """After what a program takes, everything else that it takes with it, and nothing more."""
        for program in (self.daemon, self.client):
            contexts = program.contexts()
            self.assertGreater(len(contexts), 15)
            for words in contexts:
                with self.subTest(words):
                    tasks = {word for task in program.tasks for word in task}
                    others = program.options - ALONE - set(words)
                    expected = {option for option in others if program.takes(words + [option])}
                    alone = ALONE if set(words) <= tasks else set()
                    self.assertEqual(self.options_offered(program, words), expected | alone)

    def test_nothing_after_help(self):
        for options in ("--help", "--version", "-h", "-V", "--dry-run -h", "-JV"):
            self.assertEqual(self.offered(f"tdx-onlined {options} --"), set())
        self.assertEqual(self.offered("tdx-onlinectl plan -h --"), set())

    def test_nothing_after_what_is_wrong(self):
        for words in ("tdx-onlined --dry-run --oneshot --", "tdx-onlinectl plan doctor --",
                      "tdx-onlinectl explain node0 node1 --"):  # fmt: skip
            self.assertEqual(self.offered(words), set())

    def test_letters(self):
        """A letter is offered where its option is."""
        for program in (self.daemon, self.client):
            for task in program.tasks:
                offered = self.offered(" ".join([program.name, *task, "-"]))
                for letter, option in program.letters.items():
                    self.assertEqual(letter in offered, option in offered, (task, letter))

    def test_letters_given(self):
        """They count like their options, alone and together, with a value in the same word or not."""
        for start in ("tdx-onlined --dry-run", "tdx-onlinectl plan"):
            for given in ("-J", "--json"):
                offered = self.offered(f"{start} --") - {"--json"} - TABLE - ALONE
                self.assertEqual(self.offered(f"{start} {given} --"), offered, given)
                self.assertNotIn("-J", self.offered(f"{start} {given} -"))
            for given in ("-nb", "-n -b", "--noheadings --bytes", "-nboVERDICT", "-nbo VERDICT", "-oVERDICT -bn"):
                offered = self.offered(f"{start} {given} --")
                self.assertEqual(offered & {"--noheadings", "--bytes", "--json"}, set(), given)
                self.assertEqual("--output" in offered, "o" not in given.split("--")[0], given)
                self.assertLessEqual({"--raw", "--tree", "--tdx"}, offered, given)

    def test_raw_and_tree(self):
        for given, other in (("-r", "--tree"), ("--raw", "--tree"), ("-T", "--raw"), ("--tree", "--raw")):
            self.assertNotIn(other, self.offered(f"tdx-onlined --dry-run {given} --"))

    def test_after_the_cursor(self):
        """What stands behind the cursor counts, too: the cursor is moved back to the options."""
        for line, behind in (("tdx-onlined --", " --oneshot"), ("tdx-onlinectl --", " plan")):
            back = "\x02" * len(behind)  # control-B, in both shells
            offered, _ = self.shell.complete(line + behind + back)
            self.assertIn("--fail-on", offered)
            self.assertEqual(offered & {"--dry-run", "--oneshot", "--anonymise"}, set())

    def test_lines(self):
        """What becomes of the line."""
        for line, after in (("tdx-onlined --che", "tdx-onlined --check-config "),
                            ("tdx-onlined --oneshot --dr", "tdx-onlined --oneshot --dr"),
                            ("tdx-onlinectl doctor --js", "tdx-onlinectl doctor --json ")):  # fmt: skip
            self.assertEqual(self.becomes(line), after)

    # --- values ---

    def test_value_in_a_word_of_its_own(self):
        """It is neither an option nor completed as one."""
        for program in (self.daemon, self.client):
            self.assertLessEqual(program.valued, set(VALUES))
            for option in program.valued:
                for task in program.tasks:
                    line = " ".join([program.name, *task, option])
                    self.assertEqual(self.offered(f"{line} {VALUES[option]} --"),
                                     self.offered(f"{line}={VALUES[option]} --"))  # fmt: skip
                line = f"{program.name} {option} --"
                self.assertEqual({word for word in self.offered(line) if word.startswith("--")}, set())

    def test_tdx(self):
        for line in ("tdx-onlined --tdx=", "tdx-onlined --tdx ", "tdx-onlined --dry-run --tdx=",
                     "tdx-onlinectl --tdx=", "tdx-onlinectl plan --tdx "):  # fmt: skip
            self.assertEqual(self.offered(line), {"auto", "active", "absent"})
        self.assertEqual(self.becomes("tdx-onlined --tdx=ab"), "tdx-onlined --tdx=absent ")
        self.assertEqual(self.becomes("tdx-onlinectl --tdx ac"), "tdx-onlinectl --tdx active ")
        for state in self.offered("tdx-onlined --tdx="):
            self.assertTrue(self.daemon.takes(["--root", "--check-config", f"--tdx={state}"], []), state)

    def test_directories(self):
        (self.shell.directory / "tree").mkdir(exist_ok=True)
        (self.shell.directory / "text").write_text("")
        for line in ("tdx-onlined --dry-run --root", "tdx-onlinectl --root", "tdx-onlinectl plan --root"):
            self.assertEqual(self.becomes(f"{line}=te"), f"{line}=te")  # not that
            self.assertEqual(self.becomes(f"{line} tr").rstrip(), f"{line} tree/")
            self.assertEqual(self.becomes(f"{line}=tr").rstrip(), f"{line}=tree/")
        for line in ("tdx-onlinectl capture", "tdx-onlinectl capture --anonymise"):
            self.assertEqual(self.becomes(f"{line} te"), f"{line} te")
            self.assertEqual(self.becomes(f"{line} tr").rstrip(), f"{line} tree/")

    def targets(self, tree, begun=""):
        return self.offered(f"tdx-onlinectl --root=sysroots/{tree} explain {begun}")

    def test_targets(self):
        refused = {"dax0.0", "region0", "mem0", "node0", "node1"}
        blocks = {f"memory{n}" for n in (*range(8), *range(186, 190))}
        self.assertEqual(self.targets("cxl-refused"), refused | {"0000:0d:00.0"})
        self.assertEqual(self.targets("cxl-refused", "m"), {"mem0"} | blocks)
        self.assertEqual(self.targets("cxl-refused", "mem"), {"mem0"} | blocks)
        self.assertEqual(self.targets("cxl-refused", "memory18"), {f"memory{n}" for n in range(186, 190)})
        self.assertEqual(self.targets("cxl-refused", "x"), set())
        self.assertEqual(self.targets("dimm"), {"node0"})
        # Not what is beside them: the kernel has more under those names.
        self.assertEqual(self.targets("cxl-refused", "d"), {"dax0.0"})
        self.assertEqual(self.offered("tdx-onlinectl explain dax0.0 node"), set())

    def test_root_of_targets(self):
        """Before or after the command, in one word or in two; and without one it is this machine."""
        root = "sysroots/hmem"
        for line in (f"--root={root} explain d", f"--root {root} explain d", f"explain --root={root} --json d"):
            self.assertEqual(self.offered(f"tdx-onlinectl {line}"), {"dax0.0"}, line)
        here = {path.name for path in pathlib.Path("/sys/devices/system/node").glob("node[0-9]*")}
        for command in ("explain", "decide"):
            self.assertEqual(self.offered(f"tdx-onlinectl {command} n"), here)

    def test_root_of_another_name(self):
        """A directory whose name has spaces, and characters that end a word in bash."""
        for name in ("a b", "it's", "x@y:z=1", "grün"):
            with self.subTest(name):
                link = self.shell.directory / name
                link.symlink_to("sysroots/hmem")
                self.addCleanup(link.unlink)
                for begun in (f"--root={shlex.quote(name)}", f"--root {shlex.quote(name)}"):
                    self.assertEqual(self.offered(f"tdx-onlinectl {begun} explain d"), {"dax0.0"})

    def test_pci_address(self):
        """There are colons in it, where bash begins a new word."""
        for begun in ("0", "0000:", "0000:0d", "0000:0d:0"):
            line = "tdx-onlinectl --root=sysroots/cxl-refused explain "
            self.assertEqual(self.becomes(line + begun), line + "0000:0d:00.0 ")

    def test_columns(self):
        columns = self.client.words_below("Columns")
        self.assertIn("VERDICT", columns)
        for line in ("tdx-onlined --dry-run -o ", "tdx-onlined --oneshot --output=", "tdx-onlinectl plan -o "):
            self.assertEqual(self.offered(line), columns)

    def test_fail_on(self):
        words = self.client.words_below("Words of --fail-on")
        self.assertIn("stranded", words)
        for line in ("tdx-onlined --dry-run --fail-on ", "tdx-onlined --dry-run --fail-on=",
                     "tdx-onlinectl plan --fail-on="):  # fmt: skip
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
        """Nothing is offered, and no message is printed."""
        for line in ("tdx-onlined --dry-run --fail-on=", "tdx-onlinectl plan --output=", "tdx-onlined --"):
            offered, after = self.shell.complete(f"nowhere/{line}")
            self.assertEqual((offered, after), (set(), f"nowhere/{line}"))
            self.assertNotIn(b"such file", self.shell.output)


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
        offered = self.offered("tdx-onlined --dry-run -nr")
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
