# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shared by the tests: a copy of a captured machine, files in it, and the programs on it.

Arguments whose first is an option are for the daemon; a word is a command of the client.
"""

import ctypes
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

import schema

TESTS = pathlib.Path(__file__).resolve().parent.parent
SYSROOTS = TESTS / "sysroots"
BINARY = os.environ.get("TDX_ONLINED", "build/daemon/tdx-onlined")
CLIENT = os.environ.get("TDX_ONLINECTL") or f"{os.path.dirname(BINARY)}/tdx-onlinectl"

# The program gets these variables of its caller and no others: COLUMNS, DAXCTL_LOG and
# their like change what it prints. The branches of a tree need UTF-8.
KEPT = ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE")
ENVIRONMENT = {key: os.environ[key] for key in KEPT if key in os.environ} | {"LC_ALL": "C.UTF-8"}
ENVIRONMENT["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"  # chroot(8)

# Seconds after which a process counts as hanging, more than any machine needs.
DEADLINE = 600

# Where the configuration is.
MAIN = "etc/tdx-onlined/tdx-onlined.conf"
DROP_IN = "etc/tdx-onlined/conf.d/10-a.conf"
RULE = "etc/tdx-onlined/rules.d/10-a.rule"
LAYERS = ("etc", "run", "usr/lib")

# Bytes that are not printed as they are, and their printed form.
PRINTED = re.search(r'#define HOSTILE "(.*)"', (TESTS / "hostile.h").read_text())[1]
HOSTILE = PRINTED.encode().decode("unicode_escape").encode("latin-1")

# A DIMM that TDX refuses in status.json, which has no addresses.
DECIDED_DIMM = {"type": "dimm", "verdict": "offline", "reason": "outside-boot-map", "result": "nothing-to-do"}

NO_USE = "The configuration cannot be used, nothing has been done"

# prctl(2), capabilities(7)
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def assert_printable(options, output):
    """All output is ASCII without control characters except newlines, also for foreign text. Exceptions:
    the branches of a tree, the map, and tabs in files."""
    own = {r"--tree|-[a-zA-Z]*T[a-zA-Z]*": "├─└│", "cat": "\t", "map": "┌┐└┘│─┊█╌▓▒░·▚"}
    allowed = [own[words] for words in own if any(re.fullmatch(words, option) for option in options)]
    strange = re.sub(rf"[ -~\n{''.join(allowed)}]", "", output.decode())
    assert not strange, f"{options}: {strange!a}"


def is_command(options):
    """Are the arguments a command of the client?"""
    return bool(options) and not os.fsdecode(options[0]).startswith("-")


def program(options):
    """The path of the program that the arguments are for."""
    return CLIENT if is_command(options) else BINARY


def name_of(options):
    return os.path.basename(program(options))


def run(root, *options, **how):
    """Run the program on a tree. Its output must be printable, and JSON valid by the schema."""
    command = [program(options), f"--root={root}", *options]
    result = subprocess.run(command, capture_output=True, env=ENVIRONMENT, check=False,
                            timeout=DEADLINE, **how)  # fmt: skip
    assert_printable(options, result.stdout + result.stderr)
    result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
    if schema.is_json(options) and result.stdout:
        schema.check(result.stdout)
    return result


def run_plain(*options, **how):
    """Run the program without a tree, for its own texts."""
    return subprocess.run([program(options), *options], capture_output=True, text=True, check=False,
                          timeout=DEADLINE, **{"env": ENVIRONMENT, **how})  # fmt: skip


def read_terminal(master):
    try:
        return os.read(master, 65536)
    except OSError:  # EIO: the other end is closed
        return b""


def on_terminal(root, *options, width=250, status=0, **environment):
    """The output of the program on a terminal of this width."""
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with subprocess.Popen([program(options), f"--root={root}", *options], stdout=terminal,
                          env={**ENVIRONMENT, "TERM": "xterm", **environment}) as process:  # fmt: skip
        os.close(terminal)
        text = b""
        while chunk := read_terminal(master):
            text += chunk
    os.close(master)
    assert process.returncode == status, process.returncode
    text = text.decode().replace("\r\n", "\n")
    if schema.is_json(options):
        schema.check(text)
    return text


def obey_modes():
    """Drop the capabilities of root that override file modes, before exec."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        if os.geteuid() == 0 and libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), "prctl")


def rule(match, policy):
    """A rule; keys of a section are separated by bars."""
    lines = ["[Match]", *match.split(" | "), "[Policy]", *policy.split(" | "), ""]
    return "\n".join(lines)


class Tree(unittest.TestCase):
    """Each test has a folder of its own for copies of trees."""

    maxDiff = None

    def setUp(self):
        os.umask(0o022)  # tests compare modes
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tdx-onlined-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def tree(self, name):
        self.root = self.directory / name
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(SYSROOTS / name, self.root, symlinks=True)
        return self.root

    def forget(self, *paths):
        for path in paths:
            (self.root / path).unlink()

    def tree_in_devdax_mode(self):
        """cxl-refused after the daemon: device_dax is bound, and no program has the device open."""
        self.tree("cxl-refused")
        driver = self.root / "sys/bus/dax/devices/dax0.0/driver"
        driver.unlink()
        driver.symlink_to("../" * 8 + "bus/dax/drivers/device_dax")
        for block in (self.root / "sys/devices/system/memory").glob("memory18[6-9]"):
            block.rename(block.with_name(f"gone-{block.name}"))

    def write(self, path, content):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def link(self, path, target):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def configure(self, files):
        """Write these configuration files, and remove all others."""
        for layer in LAYERS:
            shutil.rmtree(self.root / layer, ignore_errors=True)
        for path, content in files.items():
            self.write(path, content)

    def decide(self, *options, status=0):
        """The report and the messages."""
        result = run(self.root, "--dry-run", "--json", *options)
        self.assertEqual(result.returncode, status, result.stderr)
        return json.loads(result.stdout) if status == 0 else None, result.stderr

    def assert_verdicts(self, report, *verdicts):
        found = [(r["type"], r["verdict"], r["reason"]) for r in report["ranges"]]
        self.assertEqual(found, list(verdicts))

    def assert_run(self, options, expected, **how):
        """Status, standard output, and the messages without the program's name."""
        result = run(self.root, *options, **how)
        messages = [f"{name_of(options)}: {line}\n" for line in expected[2]]
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (expected[0], expected[1], "".join(messages)), options)  # fmt: skip


class Configured(Tree):
    """A machine without hot-added memory, so that all messages are about its configuration."""

    TABLE = (
        "TDX absent (not-enabled); boot map 1022.8 MiB in 1 range; memory blocks of 128 MiB\n"
        "No memory arrived after boot: nothing to do.\n"
    )

    def setUp(self):
        super().setUp()
        self.tree("plain-host")

    def assert_refused(self, *messages, **how):
        """Exactly these messages and no other output, with each of several commands."""
        for options in (["--check-config"], ["config", "cat"], ["--dry-run"],
                        ["--dry-run", "--json"], ["config", "diff"]):  # fmt: skip
            self.assert_run(options, (1, "", [*messages, NO_USE]), **how)

    def assert_warned(self, *messages, rules=0, always=True):
        """These warnings, which are a failure with --check-config only."""
        good = (0, f"No mistake found, {rules} rules.\n", [])
        self.assert_run(["--check-config"], (1, "", messages) if messages else good)
        self.assert_run(["--dry-run"], (0, self.TABLE, messages if always else []))

    def assert_accepted(self, rules=0):
        self.assert_warned(rules=rules)


def main():
    """Run the tests of the script if the program can change root on this machine."""
    if "Operation not permitted" in run(SYSROOTS / "plain-host", "--dry-run").stderr:
        print("skipped: changing root needs root or user namespaces, which are not allowed here")
        sys.exit(77)
    unittest.main(module="__main__", verbosity=2)
