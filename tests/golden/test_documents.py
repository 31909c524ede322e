#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command lines of README.md and the man pages: each runs, and prints the output shown below it.

They run in a shell on a copy of a captured machine: the programs are wrappers that add --root=, and files
in /etc, /run and /tmp are those of the copy. Those of man pages print to a terminal that is as wide as a
line of an example. Configuration files that are shown are accepted.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import struct
import subprocess
import termios

import tree

TOP = tree.TESTS.parent
DOCUMENTS = [TOP / "README.md", *sorted((TOP / "man").glob("*.scd"))]

# Beginnings of commands that are not run here, with the test that runs them or the reason.
NOT_RUN = {
    "sh tools/": "the commands that run the tests",
    "meson ": "run by tools/run, and by tests/vm/scene.py for each guest",
    "qemu-system-x86_64 ": "needs KVM and a devdax device",
    "systemctl ": "needs a manager: the scenes in tests/vm enable, reload and mask the service",
    "daxctl disable-device ": "needs a kernel: tests/vm/test_policy.py",
    "journalctl --update-catalog": "tests/golden/test_catalog.py",
    "tdx-onlined --oneshot ": "writes to the kernel: tests/mock/test_oneshot.c, tests/vm/test_policy.py",
    "tdx-onlinectl verify": "writes to the kernel: tests/vm/test_tdx.py",
    "tdx-onlinectl capture ": "captures the machine that it runs on: tests/golden/test_capture.py",
}

# A status other than 0 that a command may have: a finding, a word of --fail-on=.
STATUS = {"tdx-onlinectl doctor": 5, "tdx-onlinectl plan --fail-on=": 4, "tdx-onlined --dry-run --fail-on=": 4}

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
COMMAND = re.compile(r"(?:tdx-onlined|tdx-onlinectl|journalctl|systemctl|daxctl|printf|rm|ln|jq|sh|meson|qemu-\S+) ")

# Where a command runs, if not on cxl-guard.
MACHINES = {"tdx-onlinectl config diff": "dimm", "tdx-onlinectl config diff | fmt -s -w 68": "dimm",
            "tdx-onlinectl doctor": "cxl-refused"}  # fmt: skip

# Columns of an example in a man page: of 80, the indentation leaves 69.
COLUMNS = 68

NOW = 1795808400  # 2026-11-27T19:40:00Z


def blocks():
    """(document, language, text) of each block of code; comments of scdoc are skipped."""
    for path in DOCUMENTS:
        text = path.read_text().replace("\\\\\n", "\\\n")
        yield from ((path.name, *match.groups()) for match in BLOCK.finditer(text))


def commands(text):
    """(command, lines that it prints) of a block. A prompt is optional if nothing is printed."""
    prompt = re.match(r"[#$] (?=\S)", text) if COMMAND.match(text[2:]) else None
    found = []
    for line in re.sub(r" *\\\n\s*", " ", text).splitlines():
        if prompt and line.startswith(prompt[0]):
            found.append((line[2:], []))
        elif not prompt and COMMAND.match(line):
            found.append((line, []))
        elif prompt:
            found[-1][1].append(line)
    return found


def every_command():
    return [(name, *found) for name, _, text in blocks() for found in commands(text)]


def reason_not_to_run(command):
    return next((begin for begin in NOT_RUN if command.startswith(begin)), None)


class Commands(tree.Tree):
    def setUp(self):
        super().setUp()
        self.tree("cxl-guard")

    def wrap(self):
        """Programs on the tree, which come first in the path."""
        directory = self.directory / "bin"
        directory.mkdir(exist_ok=True)
        for name, program in (("tdx-onlined", tree.BINARY), ("tdx-onlinectl", tree.CLIENT)):
            script = directory / name
            script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(pathlib.Path(program).resolve()))} '
                              f'--root={self.root} "$@"\n')  # fmt: skip
            script.chmod(0o755)
        return f"{directory}:{tree.ENVIRONMENT['PATH']}"

    def sh(self, command, **how):
        for layer in ("etc/tdx-onlined/conf.d", "etc/tdx-onlined/rules.d", "run/tdx-onlined"):
            (self.root / layer).mkdir(parents=True, exist_ok=True)
        command = re.sub(r"(?<=[>=\s'])/(?=(?:etc|run|tmp|dev/null)\b)", f"{self.root}/", command)
        command = command.replace(f"{self.root}/dev/null", "/dev/null")
        environment = {**tree.ENVIRONMENT, "PATH": self.wrap(), "TERM": "dumb"}
        return subprocess.run(["sh", "-c", command], text=True, check=False, cwd=self.directory, env=environment,
                              timeout=tree.DEADLINE, stderr=subprocess.PIPE, **{"stdout": subprocess.PIPE, **how})  # fmt: skip

    def sh_on_terminal(self, command):
        """Run it on a terminal, which buffers 640 KiB (TTYB_DEFAULT_MEM_LIMIT)."""
        master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        result = self.sh(command, stdout=terminal)
        os.close(terminal)
        text = b""
        while chunk := tree.read_terminal(master):
            text += chunk
        os.close(master)
        result.stdout = text.decode().replace("\r\n", "\n")
        return result

    def assert_runs(self, command, printed, terminal=False):
        result = self.sh_on_terminal(command) if terminal else self.sh(command)
        allowed = {0, *(status for begin, status in STATUS.items() if command.startswith(begin))}
        self.assertIn(result.returncode, allowed, result.stderr)
        self.assertIn("\n".join(printed).rstrip(), result.stdout)

    def prepare(self, command):
        """The machine that the examples assume."""
        if MACHINES.get(command) == "dimm":
            self.save_state("", start=0x100000000, size=512 << 20, type="dimm", verdict="offline",
                            result="nothing-to-do", total_memblocks=4)  # fmt: skip
            self.write(tree.DROP_IN, "[Daemon]\nTDX=absent\n")
        self.write("run/tdx-onlined/status.json", json.dumps({"devices": [
            {"chardev": "dax0.0", "verdict": "devdax", "reason": "outside-boot-map"}]}))  # fmt: skip
        if not (self.root / "tmp").exists():
            self.machine_with_decision()

    def machine_with_decision(self):
        """cxl-guard after the daemon has bound device_dax, captured into /tmp/machine."""
        machine = self.root / "tmp/machine"
        shutil.copytree(tree.SYSROOTS / "cxl-guard", machine, symlinks=True)
        dax = next((machine / "sys/devices").rglob("dax0.0"))
        above = "../" * len(dax.relative_to(machine / "sys").parts)
        (dax / "driver").symlink_to(f"{above}bus/dax/drivers/device_dax")
        self.save_state("tmp/machine/", start=0x5D0000000, size=64 << 30, type="cxl", chardev="dax0.0",
                        mode="devdax", region="region0", verdict="devdax", result="done",
                        total_memblocks=0, since=NOW)  # fmt: skip

    def save_state(self, place, start, size, **device):
        boot_id = (self.root / place / "proc/sys/kernel/random/boot_id").read_text().strip()
        (self.root / place / "run/tdx-onlined").mkdir(parents=True, exist_ok=True)
        self.write(f"{place}run/tdx-onlined/state.json", json.dumps({
            "schema": 3, "boot_id": boot_id, "tdx_active": True, "guard": {}, "present": [], "last_look": NOW,
            "boot_map": {"known": True, "ranges": [{"start": 1 << 20, "size": 1072549888,
                                                    "source": "boot-params"}]},
            "config": {"Act": "yes", "TDX": "auto", "Guard": "auto", "CapableRanges": "", "Present": "safe",
                       "MaxMovableRatio": "kernel", "OfflineTimeoutSec": "60"},
            "devices": [{"size": size, "ranges": [{"start": start, "size": size}], "identity": 0,
                         "reason": "outside-boot-map", "online_memblocks": 0, "recorded": True,
                         "reconsider": False, "changed": False, **device}]}))  # fmt: skip

    def test_every_command(self):
        """In the order of a document, on one machine: a command may need the files of an earlier one."""
        machine, ran = None, 0
        for name, command, printed in every_command():
            if machine != (name, MACHINES.get(command)):
                machine = (name, MACHINES.get(command))
                self.tree(machine[1] or "cxl-guard")
            if command.startswith("journalctl ") or reason_not_to_run(command):
                continue
            with self.subTest(name, command=command):
                self.prepare(command)
                self.assert_runs(command, printed, terminal=name.endswith(".scd") and bool(printed))
                ran += 1
        self.assertGreater(ran, 25)

    def test_reasons(self):
        """Each command that is not run is in the list, and each entry of the list is used."""
        every = [command for _, command, _ in every_command()]
        self.assertEqual({reason_not_to_run(command) for command in every} - {None}, set(NOT_RUN))
        for command in every:
            self.assertTrue(COMMAND.match(command), command)

    def test_journal(self):
        """The fields and values in commands with journalctl are those of the program."""
        manual = (TOP / "man/tdx-onlined-journal.7.scd").read_text()
        matches = {match for _, command, _ in every_command() if command.startswith("journalctl ")
                   for match in re.findall(r"\b([A-Z_]+)=(\S+)", command)}  # fmt: skip
        self.assertGreater(len(matches), 5)
        for field, value in matches:
            self.assertRegex(manual, rf"(?m)^(\|  {field}$|.*\b{field}\b)")
            self.assertRegex(manual, rf"(?m)\b{value}\b")

    def test_roll_out(self):
        """README.md: with the rules of the second step, one card becomes devdax, and other memory is ignored."""
        text = next(text for name, _, text in blocks() if "99-others.rule" in text)
        self.write("etc/tdx-onlined/conf.d/50-observe.conf", "[Daemon]\nAct=no\n")
        for command, _ in commands(text):
            if not reason_not_to_run(command):
                self.assert_runs(command, [])
        report, _ = self.decide()
        self.assertEqual([(r["verdict"], r["rule"]) for r in report["ranges"]], [("devdax", "10-card.rule")])
        rules = {str(path.relative_to(self.root)): path.read_text()
                 for path in (self.root / "etc/tdx-onlined/rules.d").iterdir()}  # fmt: skip
        self.tree("dimm")
        self.configure(rules)
        report, _ = self.decide()
        self.assertEqual([(r["verdict"], r["rule"]) for r in report["ranges"]], [("ignore", "99-others.rule")])


class Names(tree.unittest.TestCase):
    """Commands and options that documents, messages, remedies and explanations name."""

    FILES = ("*.md", "man/*.scd", "systemd/*.in", "lib/*/*.c", "daemon/*/*.c", "tests/sysroots/*.md")

    def assert_named(self, pattern, known):
        found = set()
        for path in (path for files in self.FILES for path in TOP.glob(files)):
            for name in re.findall(pattern, path.read_text()):
                self.assertIn(name, known, path)
                found.add(name)
        self.assertGreater(len(found), 3)

    def test_commands(self):
        text = subprocess.run([tree.CLIENT, "--help"], capture_output=True, text=True, check=True).stdout
        known = {line.split()[0] for line in text.split("Commands:\n")[1].split("\n\n")[0].splitlines()}
        self.assert_named(r"[`'*]tdx-onlinectl ([a-z]+)", known)

    def test_options(self):
        known = set(re.findall(r"--[a-z-]+", tree.run_plain("--help").stdout))
        self.assert_named(r"\btdx-onlined\*? \*?(--[a-z-]+)", known)


class Files(tree.Configured):
    """Configuration files and messages about them that the documents show."""

    def test_files(self):
        count = 0
        for name, _, text in blocks():
            if not re.search(r"(?m)^\[(Daemon|Match)\]$", text) or COMMAND.match(text.lstrip("#$ ")):
                continue
            rule = "[Match]" in text
            with self.subTest(name, text=text):
                self.configure({tree.RULE if rule else tree.MAIN: text})
                self.assert_run(["config", "check"], (0, f"No mistake found, {int(rule)} rules.\n", []))
                count += 1
        self.assertGreater(count, 8)

    def test_mistake(self):
        """tdx-onlined.conf(5) shows the message about an unknown key."""
        path = "etc/tdx-onlined/conf.d/50-site.conf"
        self.configure({path: "[Daemon]\n\nActs=no\n"})
        message = f"/{path}:3: unknown key Acts= in section [Daemon]"
        self.assert_refused(message)
        self.assertIn(message, (TOP / "man/tdx-onlined.conf.5.scd").read_text())


if __name__ == "__main__":
    tree.main()
