#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Foreign text: names, attributes and files that others wrote can contain any bytes.

tree.run() fails for output that is not printable ASCII, and for JSON that is not as in the schema. Here
every text that the program reads gets hostile bytes, and every command that prints is run. Where the
text is part of the output, it must have its printable form.
"""

import json
import os
import re
import subprocess

import tree
from tree import DROP_IN, HOSTILE, MAIN, PRINTED, RULE, rule

LONG = b"\xff" * 3000

KMSG = "dev/kmsg"
MEMDEV = "sys/bus/cxl/devices/mem0"
REGION = "sys/bus/cxl/devices/region0"
UDEV = "etc/udev/rules.d"
WRITES = b'SUBSYSTEM=="memory", ACTION=="add", ATTR{state}="online%s"\n'
STATE = "run/tdx-onlined/state.json"

# All commands that print; the last ones print parts of rules or of the state.
COMMANDS = (
    ("--dry-run", "--output-all"),
    ("--dry-run", "--output-all", "--raw"),
    ("--dry-run", "--output-all", "--tree"),
    ("--dry-run", "--json"),
    ("--dry-run", "--fail-on=offline,devdax,stranded"),
    ("explain", "0x5d0000000"),
    ("explain", "0x5d0000000", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("--check-config",),
    ("map",),
    ("map", "--svg"),
    ("map", "--json"),
    ("config", "diff"),
    ("config", "cat"),
)
# One of these is enough to read all files of the kernel.
FEW = (("doctor", "--json"), ("--dry-run",), ("explain", "0x5d0000000"))


def kind_of(path):
    """The path without numbers, the same for memory184/state and memory185/state."""
    return re.sub(r"\d+", "N", str(path.relative_to(path.parents[1])))


class Foreign(tree.Tree):
    def outputs(self, commands=COMMANDS):
        """The standard output of each command, and its messages."""
        found = {}
        for options in commands:
            result = tree.run(self.root, *options)
            self.assertIn(result.returncode, (0, 1, 3, 4, 5), (options, result.stderr))
            found[options] = result.stdout, result.stderr
        return found

    def assert_printed(self, text, *commands):
        """The text is in the output of these commands, and no command prints it raw."""
        outputs = self.outputs()
        for options in commands:
            printed, messages = outputs[options]
            if "--json" in options:
                printed = json.dumps(json.loads(printed)).replace("\\\\", "\\")
            self.assertIn(text, printed + messages, options)

    def append(self, path, content):
        self.write(path, (self.root / path).read_bytes() + content)

    def write_name(self, directory, name, content):
        (self.root / directory).mkdir(parents=True, exist_ok=True)
        with open(os.path.join(os.fsencode(self.root / directory), name), "wb") as file:
            file.write(content)

    def rename_everywhere(self, name, hostile=True, suffix=HOSTILE):
        """Add hostile bytes to a name of the kernel, and to all links to it, or remove them."""
        old, new = name.encode(), name.encode() + suffix
        if not hostile:
            old, new = new, old
        for directory, directories, files in os.walk(os.fsencode(self.root), topdown=False):
            for entry in directories + files:
                path = os.path.join(directory, entry)
                if os.path.islink(path) and old in (parts := os.readlink(path).split(b"/")):
                    os.unlink(path)
                    os.symlink(b"/".join(new if part == old else part for part in parts), path)
                if entry == old:
                    os.rename(path, os.path.join(directory, new))


class Printed(Foreign):
    """Text that is part of the output has the same form in all kinds of output."""

    JSON = ("--dry-run", "--json")
    TABLES = COMMANDS[:3]
    EXPLAIN = (("explain", "0x5d0000000"), ("explain", "0x5d0000000", "--json"))
    DOCTOR = (("doctor",), ("doctor", "--json"))

    def test_attributes(self):
        for path, commands in (
            (f"{MEMDEV}/firmware_version", (self.JSON, *self.EXPLAIN)),
            (f"{REGION}/mode", (self.JSON, *self.EXPLAIN)),
            ("sys/devices/system/memory/auto_online_blocks", (self.JSON, *self.DOCTOR)),
        ):
            with self.subTest(path):
                self.tree("cxl-guard")
                self.write(path, HOSTILE + b"\n")
                self.assert_printed(PRINTED, *commands)

    def test_names(self):
        diff = ("config", "diff")
        for name, commands in (
            ("dax0.0", (*self.TABLES, diff, self.JSON, *self.EXPLAIN)),
            ("region0", (*self.TABLES, diff, self.JSON, *self.EXPLAIN)),
            ("mem0", (*self.TABLES, diff, self.JSON, *self.EXPLAIN)),
            ("0000:0d:00.0", (*self.TABLES, self.JSON, *self.EXPLAIN)),
            ("decoder0.0", (("--dry-run", "--output-all", "--tree"), self.JSON, *self.EXPLAIN)),
        ):
            with self.subTest(name):
                self.tree("cxl-guard")
                self.rename_everywhere(name)
                self.assert_printed(name + PRINTED, *commands)

    def test_names_still_match(self):
        """A rule is ASCII: a ? matches each of the bytes, and their printed form does not match."""
        self.tree("cxl-guard")
        self.rename_everywhere("region0")
        strange = len(HOSTILE) - len("\x1b[2J")
        for pattern, matches in ((f"region0?[[]2J{'?' * strange}", True),
                                 (f"region0?[[]2J{'?' * (strange - 1)}", False),
                                 ("region0*" + PRINTED[-4:].replace("\\", "[\\]"), False)):  # fmt: skip
            with self.subTest(pattern):
                self.configure({RULE: rule(f"Region={pattern}", "Verdict=ignore")})
                report, _ = self.decide()
                self.assertEqual(report["ranges"][0]["rule"], "10-a.rule" if matches else None)

    def test_kernel_log(self):
        self.tree("cxl-guard")
        self.write("sys/devices/system/cpu/hotplug/states", "0: offline\n")
        self.write(KMSG, b"3,1,1,-;virt/tdx: module initialization failed (-12" + HOSTILE + b")\n")
        self.assert_printed(PRINTED, self.JSON, *self.EXPLAIN, *self.DOCTOR)
        self.tree("cxl-guard")
        self.append(KMSG, b"3,1,1,-;Hotplug memory [0x900000000000-0x900010000000] exceeds maximum "
                    b"addressable range [" + HOSTILE + b"\n")  # fmt: skip
        self.assert_printed(f"addressable range [{PRINTED}", self.JSON)

    def test_terminal(self):
        """No escape sequences other than the colours of verdicts."""
        self.tree("cxl-guard")
        self.rename_everywhere("region0")
        for options in (*self.TABLES, *self.EXPLAIN):
            text = re.sub(r"\x1b\[[0-9;]*m", "", tree.on_terminal(self.root, *options, width=80))
            tree.assert_printable(options, text.encode())
            self.assertIn(PRINTED.replace("\\", "\\\\") if "--json" in options else PRINTED, text)

    def test_state(self):
        """A state file with hostile bytes."""
        self.tree("cxl-guard")
        text = "\x1b[2J\u009b\u202e\n\x7f"
        printed = r"\x1b[2J\xc2\x9b\xe2\x80\xae\x0a\x7f"
        self.write(STATE, json.dumps({
            "schema": 3, "boot_id": (self.root / "proc/sys/kernel/random/boot_id").read_text().strip(),
            "config": {"TDX": text}, "present": [], "tdx_failure": [f"virt/tdx: XSAVE {text}"],
            "boot_map": {"known": True, "ranges": []},
            "devices": [{
                "type": "cxl", "chardev": "dax0.0", "region": text, "size": 64 << 30,
                "ranges": [{"start": 0x5d0000000, "size": 64 << 30}], "verdict": "offline", "rule": text,
                "identity": (self.root / "sys/bus/dax/devices/dax0.0").stat().st_ino,
                "reason": "outside-boot-map", "result": "done"}]}))  # fmt: skip
        diff, _ = self.outputs()["config", "diff"]
        self.assertIn(f"TDX={printed} -> TDX=auto", diff)
        self.assertIn(f"rule {printed} ->", diff)
        for mistake in (f'{{"schema": 3, "{text}', f'{{"schema": "{text}"}}', text):
            self.write(STATE, mistake)
            self.outputs(FEW)

    def test_long(self):
        """Long text is truncated."""
        self.tree("cxl-guard")
        self.write(f"{MEMDEV}/firmware_version", LONG)
        self.append("proc/cmdline", LONG * 3)
        self.append(KMSG, b"3,1,1,-;virt/tdx: module initialization failed (" + LONG + b")\n")
        self.write(f"{UDEV}/50-a.rules", b'SUBSYSTEM=="memory", ATTR{state}="online' + LONG + b'"\n')
        self.write_name(UDEV, b"\xff" * 240 + b".rules", b'SUBSYSTEM=="memory", ATTR{state}="online"\n')
        self.outputs()


class Files(Foreign):
    """Names and content of files of the administrator and of other packages."""

    def test_other_packages(self):
        for directory, name, content, text in (
            (UDEV, b"50-\n" + HOSTILE + b".rules", WRITES % b"", rf"/50-\x0a{PRINTED}.rules:1 "),
            (UDEV, b"50-a.rules", WRITES % HOSTILE, f"online{PRINTED} to"),
            ("etc/modprobe.d", HOSTILE + b".conf", b"blacklist kmem\n", f"/{PRINTED}.conf"),
            ("etc/daxctl.conf.d", HOSTILE + b".conf",
             b"[reconfigure-device a" + HOSTILE + b"]\nnvdimm.uuid=" + HOSTILE + b"\nmode = system-ram\n",
             f"/{PRINTED}.conf"),
        ):  # fmt: skip
            with self.subTest(directory=directory, name=name):
                self.tree("cxl-guard")
                self.write_name(directory, name, content)
                self.assert_printed(text, ("doctor",), ("doctor", "--json"))

    def test_unreadable(self):
        """The name of a folder in place of a file is in the message."""
        for directory in (UDEV, "etc/modprobe.d", "etc/daxctl.conf.d"):
            self.tree("cxl-guard")
            suffix = b".rules" if directory == UDEV else b".conf"
            path = os.path.join(os.fsencode(self.root / directory), b"a" + HOSTILE + suffix)
            os.makedirs(path)
            self.assertIn(f"/{directory}/a{PRINTED}", tree.run(self.root, "doctor").stderr)

    def test_remedy(self):
        """A remedy quotes names as $'...', which bash reads as the bytes."""
        for name in (HOSTILE, b"a'b\\" + HOSTILE + b"f", b"\n$(id)`", b"\\x41'\x9b", b"it's \\x41", b"\\'"):
            with self.subTest(name):
                self.tree("cxl-guard")
                self.write_name("lib/udev/rules.d", name + b".rules", WRITES % b"")
                (finding,) = json.loads(tree.run(self.root, "doctor", "--json").stdout)["findings"]
                commands = finding["remedy"].partition(" && udevadm")[0]
                commands = re.sub(r"( |')/", r"\1", commands.replace("s/^/#/", "s,^,#,"))
                subprocess.run(["bash", "-c", commands], cwd=self.root, check=True)
                self.assertEqual(os.listdir(os.fsencode(self.root / UDEV)), [name + b".rules"])
                self.assertEqual(tree.run(self.root, "doctor").returncode, 0)

    def test_kernel_command_line(self):
        self.tree("cxl-guard")
        for word in (b"tdx", b"nohibernate", b"mem=4G", b"memmap=4G!4G", b"initcall_blacklist=", b"efi=",
                     b"modprobe.blacklist=kmem,", b"memory_hotplug.memmap_on_memory=", b"memhp_default_state=",
                     b"memory_hotplug.online_policy=", b"kvm_intel.tdx="):  # fmt: skip
            for text in (word + HOSTILE, HOSTILE + word, b'"' + word + HOSTILE + b' x"'):
                self.write("proc/cmdline", text + b"\n")
                self.outputs(FEW)

    def test_configuration(self):
        """Only comments may have other bytes, which config cat prints, too."""
        self.tree("cxl-guard")
        for path, content in ((MAIN, b"[Daemon]\nAct=%s\n"), (DROP_IN, b"[Daemon]\n%s=1\n"),
                              (DROP_IN, b"[%s]\n"), (RULE, b"[Match]\nType=%s\n"), (RULE, b"#%s\n")):  # fmt: skip
            self.configure({path: content % HOSTILE})
            for printed, messages in self.outputs().values():
                self.assertEqual(printed, "")
                self.assertIn(f"/{path}:", messages)
        self.configure({RULE: b"# \tby \xc2\x9b\xe2\x80\xae\n" + rule("Device=x", "Verdict=ignore").encode()})
        printed, _ = self.outputs()["config", "cat"]
        self.assertIn("# \tby \\xc2\\x9b\\xe2\\x80\\xae\n[Match]\n", printed)


class CommandLine(tree.Tree):
    def test_arguments(self):
        self.tree("plain-host")
        text = HOSTILE + b"\n"
        printed = PRINTED + r"\x0a"
        for options, message in (
            ([b"explain", text], f"explain {printed}: not an address"),
            ([b"decide", text], f"decide {printed}: not an address"),
            ([b"explain", b"memory" + text], f"explain memory{printed}: not an address"),
            ([b"--tdx=" + text], f"--tdx={printed}: not auto"),
            ([b"--dry-run", b"--output=" + text], f"--output={printed}: unknown column '{printed}'"),
            ([b"--dry-run", b"--fail-on=" + text], f"--fail-on={printed}: '{printed}' is not "),
            ([b"--dry-run", text], f"unexpected argument '{printed}'"),
            ([b"--" + text], f"'--{printed}': an unknown option"),
            ([b"--json=" + text], f"'--json={printed}': an unknown option"),
            ([b"-" + text], f"'-{printed}': an unknown option"),
        ):
            with self.subTest(options):
                result = tree.run(self.root, *map(os.fsdecode, options))
                name = tree.name_of(options)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertTrue(result.stderr.startswith(f"{name}: {message}"), result.stderr)
                self.assertTrue(result.stderr.endswith(f"\nTry '{name} --help'.\n"), result.stderr)

    def test_paths(self):
        """Paths of a root, and of a capture that cannot be made."""
        path = b"/nowhere/" + HOSTILE + b"\n"
        for command in ([tree.BINARY, b"--dry-run", b"--root=" + path], [tree.CLIENT, b"capture", path]):
            result = subprocess.run(command, capture_output=True, env=tree.ENVIRONMENT, check=False)
            tree.assert_printable((), result.stdout + result.stderr)
            self.assertEqual(result.returncode, 1)
            self.assertIn(rf"/nowhere/{PRINTED}\x0a", result.stderr.decode())


class AllFiles(Foreign):
    """All files and names of trees, printed or not."""

    TREES = ("cxl-refused", "dimm")

    def paths(self, root):
        kinds = {}
        for path in sorted(root.rglob("*")):
            kinds.setdefault(kind_of(path), []).append(path)
        self.assertGreater(len(kinds), 50)
        return kinds.values()

    def test_files(self):
        for name in self.TREES:
            self.tree(name)
            for paths in self.paths(self.root):
                files = [path for path in paths if path.is_file() and not path.is_symlink()]
                before = {path: path.read_bytes() for path in files}
                for change in (lambda text: HOSTILE, lambda text: text.replace(b"\n", HOSTILE + b"\n"),
                               lambda text: HOSTILE + b"\0" + text):  # fmt: skip
                    for path, text in before.items():
                        path.write_bytes(change(text))
                    if files:
                        self.outputs(FEW)
                for path, text in before.items():
                    path.write_bytes(text)

    def test_names(self):
        """Names of folders and links. Those of attributes are fixed in the program."""
        self.tree("cxl-refused")
        paths = [path for path in (self.root / "sys").rglob("*") if path.is_symlink() or path.is_dir()]
        for name in sorted({re.sub(r"\d+", "N", path.name): path.name for path in paths}.values()):
            self.rename_everywhere(name)
            self.outputs(FEW)
            self.rename_everywhere(name, hostile=False)


if __name__ == "__main__":
    tree.main()
