#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command capture on captured machines: a tree is the root of namespaces of its own.

The decisions with --root on the capture must be those on the tree that was captured.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import sys
import unittest

import tree
from tree import DROP_IN, HOSTILE, MAIN, RULE, rule

PROGRAMS = [pathlib.Path(path).resolve() for path in (tree.BINARY, tree.CLIENT)]
STATE = "run/tdx-onlined/state.json"
STATUS = "run/tdx-onlined/status.json"
MERGED = ("bin", "lib", "lib64")
# Folders that a tree may have. /usr has the program's libraries and nothing else.
PARTS = ("sys", "proc", "dev", "run", "etc")
TREES = sorted(path.name for path in tree.SYSROOTS.iterdir() if path.is_dir())
# What prints the same on a capture as on the tree that was captured.
READ = ("plan", "plan --json", "plan --tdx=active", "status", "status --json", "explain node0", "explain node1",
        "doctor", "map", "verify", "config check", "config cat", "config diff", "config diff --tdx=active")  # fmt: skip
NO_RIGHTS = "setpriv --bounding-set -dac_override,-dac_read_search "

BOOT_ID = "1c9f3a77-2d52-4b0e-8f3c-5a1f00c0ffee"
REGION_UUID = "6f2c8d6a-93a4-4d5e-9b1a-0123456789ab"
OTHER_UUID = "deadbeef-0000-4000-8000-0123456789ab"
SERIAL = 0x1CED00C0FFEE
OTHER_SERIAL = 0x5EC2E75E21A1
# Secrets of the machine or its owner. They are put into all files and names that are not the kernel's.
WORD = "hunter2"
SECRETS = (WORD, BOOT_ID, REGION_UUID, OTHER_UUID, "6f2c", "c0ffee", "5ec2e75e21a1", "deadbeef",
           str(SERIAL), str(OTHER_SERIAL))  # fmt: skip


def script(root, out, prefix=""):
    """Shell commands that put a machine together and capture it."""
    lines = ["set -e"]
    for part in PARTS:
        if (root / part).exists():
            lines.append(f"mount --bind {shlex.quote(str(root / part))} {part}")
    return "\n".join([*lines, prefix, f'exec {out}chroot . "$@"'])


def libraries():
    """The files that the programs are linked with, the dynamic linker among them."""
    listing = subprocess.run(["ldd", *PROGRAMS], capture_output=True, text=True, check=True).stdout
    return [pathlib.Path(path) for path in re.findall(r"(/\S+) \(0x", listing)]


class Machine(tree.Tree):
    def setUp(self):
        super().setUp()
        self.machine = self.directory / "machine"
        for part in (*PARTS, "usr", "taken"):
            (self.machine / part).mkdir(parents=True)
        for name in MERGED:
            if os.path.islink(f"/{name}"):
                (self.machine / name).symlink_to(f"usr/{name}")
        for program in PROGRAMS:
            shutil.copy(program, self.machine)
        for library in libraries():
            place = self.machine / str(library.parent.resolve())[1:]
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)

    def run_in_machine(self, *options, drop="", prefix=""):
        """Run the program with self.root as the running system."""
        command = ["unshare", "-rm", "sh", "-c", script(self.root, drop, prefix), "sh",
                   f"/{tree.name_of(options)}", *options]  # fmt: skip
        return subprocess.run(command, cwd=self.machine, capture_output=True, text=True, check=False,
                              env=tree.ENVIRONMENT, timeout=tree.DEADLINE)  # fmt: skip

    def capture(self, *options, status=0, target="out", **how):
        """Capture self.root. Returns the capture and the program's result."""
        result = self.run_in_machine("capture", f"/taken/{target}", *options, **how)
        self.assertEqual(result.returncode, status, result.stderr)
        return self.machine / "taken" / target, result

    def run_on(self, root, *options):
        result = tree.run(root, *options)
        return result.returncode, result.stdout, result.stderr

    def assert_same(self, captured, *options):
        """Same status, output and messages."""
        self.assertEqual(self.run_on(captured, *options), self.run_on(self.root, *options))

    def decisions(self, root, *options):
        """The report; numbers take the place of serial numbers."""
        status, text, _ = self.run_on(root, "--dry-run", "--json", *options)
        self.assertEqual(status, 0)
        serials = list(dict.fromkeys(re.findall(r'"serial":"(0x[0-9a-f]+)"', text)))
        return re.sub(r'"serial":"(0x[0-9a-f]+)"', lambda match: f'"serial":{serials.index(match[1])}', text)

    def contents(self, captured):
        """Each file and directory with its mode, and what is in it or where it leads."""
        return {str(path.relative_to(captured)): (path.lstat().st_mode, os.readlink(path) if path.is_symlink()
                                                  else path.is_file() and path.read_bytes())
                for path in captured.rglob("*")}  # fmt: skip

    def files(self, captured):
        return [path for path in captured.rglob("*") if path.is_file() and not path.is_symlink()]

    def replace(self, place, content):
        """Write a file at the end of its links."""
        path = pathlib.Path(os.path.realpath((self.root / place).parent)) / (self.root / place).name
        self.write(path.relative_to(self.root), content)


class Replay(Machine):
    def test_every_tree(self):
        for name in TREES:
            self.root = tree.SYSROOTS / name
            with self.subTest(name):
                captured, result = self.capture(target=name)
                self.assertEqual(result.stderr, "")
                for options in READ:
                    self.assert_same(captured, *options.split())

    def test_again(self):
        """A capture of a capture has the same files in it, with the same modes, also an anonymous one."""
        for name in TREES:
            for options in ((), ("--anonymise",)):
                with self.subTest(name, options=options):
                    self.root = tree.SYSROOTS / name
                    first, _ = self.capture(*options, target=f"{name}{len(options)}")
                    self.root = first
                    second, _ = self.capture(*options, target=f"{name}{len(options)}again")
                    self.assertEqual(self.contents(second), self.contents(first))

    def test_foreign_text(self):
        """Files are copied as they are, with any bytes."""
        self.tree("cxl-guard")
        memdev = "sys/bus/cxl/devices/mem0/firmware_version"
        rules = "etc/udev/rules.d/50-a.rules"
        self.replace(memdev, HOSTILE + b"\n")
        self.write(rules, b'SUBSYSTEM=="memory", ATTR{state}="online' + HOSTILE + b'"\n')
        self.write(RULE, b"# \xc2\x9b\n" + rule("Device=x", "Verdict=ignore").encode())
        captured, _ = self.capture()
        for path in (memdev, rules, RULE):
            self.assertEqual((captured / path).read_bytes(), (self.root / path).read_bytes())
        for options in (["--dry-run", "--json"], ["doctor"], ["config", "cat"]):
            self.assert_same(captured, *options)

    def test_can_be_moved(self):
        """No link leads out of the capture, and none is dangling."""
        self.tree("cxl-refused")
        captured, _ = self.capture()
        for path in captured.rglob("*"):
            if path.is_symlink():
                self.assertFalse(os.readlink(path).startswith("/"), path)
                self.assertTrue(path.resolve().is_relative_to(captured), path)
                self.assertTrue(path.exists() or path.name == "module", path)

    def test_state(self):
        """The present devices of a state file are found by name: inode numbers differ in the capture."""
        self.tree("cxl-refused")
        device = (self.root / "sys/bus/dax/devices/dax0.0").resolve()
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        for name in ("dax0.0", "dax1.0"):
            self.write(STATE, json.dumps({
                "schema": 3, "boot_id": boot_id, "tdx_active": True, "config": {}, "devices": [],
                "boot_map": {"known": False, "ranges": []}, "present": [
                    {"type": "cxl", "chardev": name, "mode": "system-ram", "size": 512 << 20,
                     "ranges": [{"start": 0x5D0000000, "size": 512 << 20}], "identity": device.stat().st_ino}]}))  # fmt: skip
            for options in ((), ("--anonymise",)):
                with self.subTest(name, options=options):
                    self.assertEqual(self.decide()[0]["ranges"][0]["present"], name == "dax0.0")
                    captured, _ = self.capture(*options, target=f"{name}{len(options)}")
                    self.assertEqual(self.decisions(captured), self.decisions(self.root))
                    self.assert_same(captured, "config", "diff")

    def test_status(self):
        """An unprivileged user captures status.json, which has the names of present dax devices."""
        for name in ("dax0.0", "dax1.0"):
            self.tree("cxl-refused")
            boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
            self.write(STATUS, json.dumps({
                "schema": 3, "boot_id": boot_id, "tdx_active": True, "config": {}, "devices": [tree.DECIDED_DIMM],
                "boot_map": {"known": True}, "present": [
                    {"type": "dimm", "size": 512 << 20},
                    {"type": "cxl", "chardev": name, "mode": "system-ram", "size": 512 << 20}]}))  # fmt: skip
            self.write(STATE, "")
            (self.root / STATE).chmod(0)
            for path in (self.root / "sys/bus/dax/devices/dax0.0/mapping0").iterdir():
                path.chmod(0o200)
            self.root, _ = self.capture(drop=NO_RIGHTS, status=64, target=name)
            self.assertFalse((self.root / STATE).exists())
            report, messages = self.decide()
            self.assertNotIn("state file", messages)
            self.assertEqual(report["ranges"][0]["present"], name == "dax0.0")

    def test_status_of_memory_without_a_device(self):
        """status.json has no addresses: the memory counts as present, and the boot map is read again."""
        self.tree("dimm")
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        self.write(STATUS, json.dumps({"schema": 3, "boot_id": boot_id, "config": {}, "devices": [tree.DECIDED_DIMM],
                                       "boot_map": {"known": True}, "present": []}))  # fmt: skip
        report, messages = self.decide()
        self.assertEqual((messages, {item["present"] for item in report["ranges"]}), ("", {True}))
        self.assertEqual(len(report["boot_map"]["ranges"]), 1)

    def test_bad_state(self):
        self.tree("plain-host")
        self.write(STATE, "{ no JSON")
        captured, _ = self.capture()
        self.assert_same(captured, "--dry-run")

    def test_configuration(self):
        """Layers, masks and mistakes have the same effect in the capture."""
        self.tree("cxl-refused")
        ignore, offline = rule("Type=cxl", "Verdict=ignore"), rule("Type=cxl", "Verdict=devdax")
        cases = {
            "rule": {RULE: ignore},
            "of two layers": {RULE: ignore, RULE.replace("etc", "run", 1): offline},
            "masked by an empty file": {RULE: "", RULE.replace("etc", "run", 1): offline},
            "main file": {MAIN: "[Daemon]\nTDX=absent\n"},
            "mistake": {RULE: ignore + "Frob=yes\n"},
            "too long": {MAIN: "#" * 70000},
            "by its name": {"etc/tdx-onlined/rules.d/10-a.rules": ignore},
        }
        for name, files in cases.items():
            self.configure(files)
            self.assert_captured(name)

    def assert_captured(self, name):
        with self.subTest(name):
            captured, _ = self.capture(target=name.replace(" ", "-"))
            for options in (["--dry-run", "--json"], ["--check-config"], ["config", "cat"]):
                self.assert_same(captured, *options)

    def test_configuration_not_a_regular_file(self):
        self.tree("cxl-refused")
        below = RULE.replace("etc", "run", 1)
        ignore = rule("Type=cxl", "Verdict=ignore")
        for name, make in (("directory", lambda: (self.root / RULE).mkdir()),
                           ("dangling", lambda: self.link(RULE, "/nowhere")),
                           ("rules", lambda: self.write("etc/tdx-onlined/rules.d", ""))):  # fmt: skip
            self.configure({below: ignore})
            if name != "rules":
                (self.root / RULE).parent.mkdir(parents=True)
            make()
            self.assert_captured(name)

    def test_link_to_dev_null(self):
        """A link to /dev/null masks in a tree without that device, too."""
        self.tree("cxl-refused")
        self.configure({RULE.replace("etc", "run", 1): rule("Type=cxl", "Verdict=ignore")})
        self.link(RULE, "/dev/null")
        captured, _ = self.capture(prefix="mkdir n; mount -t tmpfs n dev; touch dev/null dev/kmsg;"
                                          " mount --bind /dev/null dev/null")  # fmt: skip
        self.assertEqual((captured / RULE).read_text(), "")
        self.assertFalse((captured / RULE).is_symlink())
        self.assertIn("0 rules", self.run_on(captured, "--check-config")[1])


class LiveSystem(Machine):
    """The output without --root is that with it."""

    def test_same(self):
        for name in ("cxl-refused", "dimm", "plain-host"):
            self.tree(name)
            for options in ("doctor", "doctor --json", "--dry-run", "explain node0", "--check-config"):
                with self.subTest(name, options=options):
                    result = self.run_in_machine(*options.split())
                    found = result.returncode, result.stdout, result.stderr
                    self.assertEqual(found, self.run_on(self.root, *options.split()))


class Files(Machine):
    def setUp(self):
        super().setUp()
        self.tree("cxl-refused")

    def test_summary(self):
        """The size in KiB: tenths are truncated, and zero tenths are not printed."""
        self.write("proc/zoneinfo", "")
        captured, _ = self.capture(target="empty")
        size = self.size(captured)
        whole = size // 1024 + 1
        for over, tenths in ((0, ""), (102, ""), (103, ".1"), (512, ".5"), (1023, ".9")):
            with self.subTest(over):
                self.write("proc/zoneinfo", "x" * (whole * 1024 + over - size))
                captured, result = self.capture(target=str(over))
                self.assertEqual(self.size(captured), whole * 1024 + over)
                number = len(self.files(captured))
                self.assertEqual(result.stdout, f"Captured {number} files, {whole}{tenths} KiB, in /taken/{over}\n")

    def size(self, captured):
        return sum(path.stat().st_size for path in self.files(captured))

    def test_modes(self):
        """Files that only root can read, by their mode or that of a folder above, get mode 0600, others 0644."""
        rules = {f"etc/tdx-onlined/rules.d/{name}.rule": rule("Type=cxl", "Verdict=ignore") for name in "ab"}
        self.configure({MAIN: "[Daemon]\nAct=yes\n", DROP_IN: "[Daemon]\nTDX=auto\n", **rules})
        self.write("sys/kernel/debug/memblock/memory", "")
        self.write("proc/cmdline", "")
        self.write(STATE, "{}")
        private = {STATE, "etc/tdx-onlined/rules.d/a.rule", "proc/zoneinfo", "sys/kernel/debug/memblock/memory"}
        for place in private - {"sys/kernel/debug/memblock/memory"}:
            (self.root / place).chmod(0o600)
        (self.root / "sys/kernel/debug").chmod(0o700)
        private |= {"dev/kmsg", "proc/iomem"}
        captured, _ = self.capture(prefix="umask 022")
        self.assertEqual(stat.S_IMODE(captured.stat().st_mode), 0o700)
        self.assert_modes(captured, private)
        (self.root / MAIN).chmod(0o600)
        captured, _ = self.capture("--anonymise", target="hidden", prefix="umask 022")
        private ^= {STATE, "etc/tdx-onlined/rules.d/a.rule", "etc/tdx-onlined/rules.d/00001.rule", MAIN}
        self.assert_modes(captured, private)

    def assert_modes(self, captured, private):
        """Exactly these files are private, and all others are readable by all users."""
        modes = {str(path.relative_to(captured)): stat.S_IMODE(path.lstat().st_mode)
                 for path in captured.rglob("*") if not path.is_symlink()}  # fmt: skip
        self.assertEqual({path for path, mode in modes.items() if mode == 0o600}, private)
        self.assertEqual(set(modes.values()), {0o600, 0o644, 0o755})

    def test_umask(self):
        captured, _ = self.capture(prefix="umask 077")
        self.assertEqual({stat.S_IMODE(path.stat().st_mode) for path in self.files(captured)}, {0o600})

    def test_directory(self):
        """An empty folder of the user is used; nothing is overwritten."""
        work = self.machine / "taken"
        (work / "empty").mkdir(parents=True, mode=0o755)
        captured, _ = self.capture(target="empty")
        self.assertEqual(stat.S_IMODE(captured.stat().st_mode), 0o755)
        (work / "full").mkdir()
        (work / "full/x").write_text("")
        (work / "file").write_text("")
        (work / "elsewhere").mkdir()
        (work / "link").symlink_to("elsewhere")
        for name, mode in (("group", 0o770), ("others", 0o1777)):
            (work / name).mkdir()
            (work / name).chmod(mode)
        link, open_to_others = "it is a symbolic link: name the directory itself", (
            "another user owns it or can write to it: name one that does not exist")  # fmt: skip
        for target, message in (("full", "it is not empty"), ("file", "Not a directory"),
                                ("link", link), ("link//", link), ("group", open_to_others),
                                ("others", open_to_others), ("no/where", "No such file or directory")):  # fmt: skip
            _, result = self.capture(target=target, status=1)
            self.assertEqual((result.stdout, result.stderr),
                             ("", f"tdx-onlinectl: capture /taken/{target}: {message}\n"))  # fmt: skip
        self.assertEqual(os.listdir(work / "full"), ["x"])
        self.assertEqual(os.listdir(work / "elsewhere"), [])

    def test_no_space(self):
        _, result = self.capture(status=1, prefix="mkdir taken/out; mount -t tmpfs -o nr_inodes=40,mode=755 t taken/out")
        self.assertRegex(result.stderr, "^tdx-onlinectl: capture /taken/out: No space left on device\n$")
        self.assertEqual(result.stdout, "")
        (self.root / "proc/zoneinfo").write_text("x" * (1 << 20))
        _, result = self.capture(status=1, prefix="mount -t tmpfs -o size=512k,mode=755 t taken/out")
        self.assertIn("/taken/out: No space left on device\n", result.stderr)

    def test_unreadable(self):
        """One message reports the files that cannot be read, and all others are captured."""
        for place in ("sys/bus/dax/devices/dax0.0/mapping0/start", "proc/zoneinfo"):
            self.replace(place, "x")
            (self.root / place).chmod(0o200 | 0o004)
        captured, result = self.capture(status=64, drop=NO_RIGHTS)
        self.assertEqual(result.stderr, "tdx-onlinectl: 2 files could not be read\n")
        self.assertFalse((captured / "proc/zoneinfo").exists())
        self.assertTrue((captured / "sys/bus/dax/devices/dax0.0/mapping0/end").exists())

    def test_unreadable_configuration(self):
        """An unreadable rule is counted, also with --anonymise."""
        self.configure({RULE: rule("Type=cxl", "Verdict=ignore")})
        (self.root / RULE).chmod(0)
        for options in ((), ("--anonymise",)):
            with self.subTest(options):
                _, result = self.capture(*options, status=64, drop=NO_RIGHTS, target=f"{len(options)}")
                self.assertIn("tdx-onlinectl: 1 files could not be read\n", result.stderr)

    def test_configuration_of_root(self):
        """Root can read a rule with mode 0."""
        self.configure({RULE: rule("Type=cxl", "Verdict=ignore")})
        (self.root / RULE).chmod(0)
        captured, _ = self.capture()
        self.assertEqual((captured / RULE).read_text(), (self.root / RULE).read_text())

    def test_skipped_files(self):
        """Write-only attributes, folders, FIFOs, and attributes with a reported effect when read."""
        device = pathlib.Path(os.path.realpath(self.root / "sys/bus/cxl/devices/mem0"))
        for name in ("clear", "trigger_poison_list", "CDAT"):
            (device / name).write_text("x")
        (device / "clear").chmod(0o200)
        os.mkfifo(device / "fifo")
        (device / "kept").write_text("x")
        (self.root / "proc/zoneinfo").unlink()
        os.mkfifo(self.root / "proc/zoneinfo")
        captured, _ = self.capture()
        there = {path.name for path in captured.rglob("*")}
        self.assertIn("kept", there)
        self.assertFalse(there & {"clear", "trigger_poison_list", "CDAT", "fifo", "zoneinfo"})

    def test_filtered_files(self):
        """Of the kernel log the lines about TDX, of the setup data the e820 extension, of processes the agent."""
        self.write("dev/kmsg", "6,1,1,-;virt/tdx: TDX-Module initialized\n6,2,2,-;usb: a mouse\n")
        for number, kind in ((0, 1), (1, 9)):
            self.write(f"sys/kernel/boot_params/setup_data/{number}/type", f"0x{kind:x}\n")
            self.write(f"sys/kernel/boot_params/setup_data/{number}/data", b"\1" * 20)
        for pid, name in ((7, "qemu-ga"), (8, "sshd"), (9, "qemu-gate")):
            self.write(f"proc/{pid}/comm", f"{name}\n")
        self.write("etc/ndctl/keys/nvdimm.blob", "hunter2\n")
        captured, _ = self.capture()
        self.assertEqual((captured / "dev/kmsg").read_text(), "6,0,0,-;virt/tdx: TDX-Module initialized\n")
        data = captured / "sys/kernel/boot_params/setup_data"
        self.assertEqual({str(p.relative_to(data)) for p in self.files(data)}, {"0/type", "0/data", "1/type"})
        self.assertEqual([p.parent.name for p in (captured / "proc").glob("[0-9]*/comm")], ["7"])
        self.assertFalse((captured / "proc/8").exists())
        self.assertFalse((captured / "etc/ndctl").exists())

    def test_doctor_same_findings(self):
        """udev rules of different form, the kernel log and the unit: the doctor's output is the same."""
        self.write("etc/udev/rules.d/1.rules", 'SUBSYSTEM=="dax", ACTION=="add",'
                   ' RUN+="/usr/bin/daxctl reconfigure-device -m system-ram %k"\n')  # fmt: skip
        self.write("etc/udev/rules.d/2.rules", 'KERNEL=="mem*", ACTION=="add", ATTR{online}="1"\n')
        self.write("etc/udev/rules.d/3.rules", 'SUBSYSTEM=="memory", ACTION=="add",'
                   ' RUN+="/bin/sh -c \'echo online_movable > /sys$devpath/state; mail me\'"\n')  # fmt: skip
        self.write("dev/kmsg", "3,1,1,-;kvm_intel: TDX not supported by the host platform\n")
        self.write("sys/fs/cgroup/system.slice/tdx-onlined.service/cgroup.procs", "240\n")
        captured, _ = self.capture()
        self.assert_same(captured, "doctor")

    def test_other_writers(self):
        """Files of other programs are captured only if they may online memory."""
        self.write("etc/tmpfiles.d/a.conf", "w /sys/devices/system/memory/auto_online_blocks - - - - online\n")
        self.write("etc/tmpfiles.d/b.conf", "d /run/b\n")
        self.write("etc/sysfs.conf", "devices/system/memory/auto_online_blocks = online\n")
        self.write("etc/grow", "#!/bin/sh\nchmem -e 1g\n")
        self.write("etc/shrink", "#!/bin/sh\nchmem -d 1g\n")
        self.write("etc/udev/rules.d/1.rules", 'RUN+="/etc/grow"\n')
        self.write("run/systemd/system/a.service", "[Service]\nExecStart=/etc/shrink\n")
        self.link("etc/systemd/system/b.service", "../../../run/systemd/system/a.service")
        self.write("run/systemd/system/a.service.d/x.conf", "[Service]\nExecStop=/bin/chmem -e 1g\n")
        self.write("etc/systemd/system/tdx-onlined.service", "")
        captured, _ = self.capture()
        self.assert_same(captured, "doctor")
        codes = [f["code"] for f in json.loads(self.run_on(captured, "doctor", "--json")[1])["findings"]]
        for code in ("tmpfiles-config", "sysfs-config", "systemd-unit", "script"):
            self.assertEqual(codes.count(code), 1, codes)
        self.assertIn("unmask", self.run_on(captured, "doctor")[1])
        for path in ("etc/tmpfiles.d/b.conf", "etc/shrink", "etc/systemd/system/b.service",
                     "run/systemd/system/a.service"):  # fmt: skip
            self.assertFalse((captured / path).exists(), path)

    def test_directories_of_rules(self):
        """The folders that the doctor reads, /lib as a folder; of files of one name, the strongest."""
        if (self.machine / "lib").is_symlink():
            (self.machine / "lib").unlink()
        for root in (self.root, self.machine):
            for place in ("lib/udev/rules.d/1.rules", "lib/modprobe.d/1.conf"):
                (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / "lib/udev/rules.d/1.rules").write_text('SUBSYSTEM=="memory", ATTR{state}="online"\n')
            (root / "lib/modprobe.d/1.conf").write_text("options memory_hotplug memhp_default_state=online\n")
        self.write("etc/udev/rules.d/2.rules", "")
        self.write("run/udev/rules.d/2.rules", 'SUBSYSTEM=="memory", ATTR{state}="online"\n')
        captured, _ = self.capture()
        for place in ("lib/udev/rules.d/1.rules", "lib/modprobe.d/1.conf", "etc/udev/rules.d/2.rules"):
            self.assertEqual((captured / place).read_text(), (self.root / place).read_text())
        self.assertFalse((captured / "run/udev/rules.d/2.rules").exists())
        self.assert_same(captured, "doctor")

    def test_parent_directory(self):
        """Paths with ".." lead to the same files in the capture, and not out of it."""
        self.write("etc/real/d/x", "")
        self.link("etc/x", "real/d")
        self.write("etc/real/online.sh", "#!/bin/sh\nchmem -e 1g\n")
        self.write("etc/other.sh", "#!/bin/sh\nchmem -e 2g\n")
        self.write("etc/systemd/system/a.service", "[Service]\nExecStart=/etc/x/../online.sh\n"
                   "ExecStart=/./../etc/./../../etc/other.sh\n")  # fmt: skip
        captured, result = self.capture()
        self.assertEqual(result.stderr, "")
        self.assert_same(captured, "doctor")
        self.assertEqual(self.run_on(captured, "doctor")[1].count("chmem -e"), 2)
        for place in ("etc/x/../online.sh", "etc/other.sh"):
            self.assertEqual((captured / place).read_text(), (self.root / place).read_text())

    def test_many_blocks(self):
        """Ten thousand more blocks: the time must not grow with their square."""
        memory = self.root / "sys/devices/system/memory"
        for number in range(1000, 11000):
            block = memory / f"memory{number}"
            block.mkdir()
            (block / "state").write_text("offline\n")
            (block / "node0").symlink_to("../../node/node0")
        captured, result = self.capture()
        self.assertEqual(len(list(captured.glob("sys/devices/system/memory/memory*/state"))), 10012)
        self.assert_same(captured, "--dry-run", "--json")


class Anonymous(Machine):
    """--anonymise on a machine with secrets: none is in the capture, and the decisions are the same."""

    RULES = {
        "serial": [f"Serial={SERIAL:#x}"],
        "serial, decimal": [f"Serial={SERIAL}"],
        "serials, quoted": [f'Serial="{OTHER_SERIAL}  {SERIAL:#X} 66"'],
        "no such serial": [f"Serial={OTHER_SERIAL:#x} 1 2"],
        "region": ["Region=region0"],
        "region, pattern": ["Region=REGION? x"],
        "UUID": [f"Region={REGION_UUID}"],
        "UUID, upper case": [f"Region={REGION_UUID.upper()}"],
        "UUID, pattern": [f"Region={WORD}* 6f2c*-*"],
        "any region": ["Region=*"],
        "no such region": [f"Region={OTHER_UUID} {WORD}* *[0-9]-4000-*"],
        "device": ["Device=dax0.0"],
        "device, pattern": [f"Device={WORD} dax?.*"],
        "no such device": [f"Device={WORD}*"],
        "address": ["PciAddress=0000:*"],
        "no such address": [f"PciAddress={WORD}"],
        "all": ["Type=*"],
        "two keys": ["Device=dax*", f"Serial={SERIAL} 66"],
        "order": [f"Region={WORD}", "Serial=66", "Type=cxl dimm"],
    }

    def conceal(self, name):
        """Put secrets into a copy of a tree, in all places that can have some."""
        self.tree(name)
        for place in ("bus/cxl/devices/mem0/serial", "bus/cxl/devices/region0/uuid"):
            if (self.root / "sys" / place).exists():
                self.replace(f"sys/{place}", f"{SERIAL:#x}\n" if "mem0" in place else f"{REGION_UUID}\n")
        self.replace("proc/sys/kernel/random/boot_id", f"{BOOT_ID}\n")
        self.append("proc/sys/kernel/osrelease", f"-{WORD}")
        self.write("proc/cmdline", f'root=UUID={OTHER_UUID} memmaps={WORD} memmap={WORD}@1,1G@4G'
                   f' efi={WORD},nosoftreserve kvm_intel.tdx_{WORD}=1 numa={WORD} kvm_intel.tdx=1'
                   f' dyndbg="file {WORD} +p" tdx_onlined=off,{WORD} -- {WORD}\n')  # fmt: skip
        for attribute in ("sys_vendor", "product_name", "product_serial"):
            self.write(f"sys/devices/virtual/dmi/id/{attribute}", f"{WORD}\n")
        self.link("sys/class/dmi/id", "../../devices/virtual/dmi/id")
        self.append("dev/kmsg", f"6,1,1,-;kvm_intel: unknown parameter '{WORD}' ignored\n"
                    f"6,2,2,-;virt/tdx: {WORD}\n14,3,3,-;agent: virt/tdx: {WORD}\n"
                    f"6,4,4,-;usb: {WORD}\n")  # fmt: skip
        if (self.root / "sys/kernel/boot_params/data").exists():
            data = bytearray((self.root / "sys/kernel/boot_params/data").read_bytes())
            data[0x140 : 0x140 + len(WORD)] = WORD.encode()  # the serial number of a monitor
            self.replace("sys/kernel/boot_params/data", bytes(data))
        self.conceal_in_files_of_others()

    def append(self, place, text):
        old = (self.root / place).read_text().rstrip("\n") if (self.root / place).exists() else ""
        self.write(place, old + ("\n" if old and place == "dev/kmsg" else "") + text)

    def conceal_in_files_of_others(self):
        self.write(f"etc/udev/rules.d/40-{WORD}.rules",
                   f'# {WORD}\nKERNELS=="{WORD}", SUBSYSTEM=="memory", ENV{{{WORD}}}="{OTHER_UUID}",'
                   f' RUN+="/bin/tell {WORD} memory", ATTR{{state}}="online"\n'
                   f'SUBSYSTEM=="net", ATTR{{address}}=="{WORD}", NAME="memory-{WORD}"\n'
                   f'SUBSYSTEM=="memory", RUN+="/bin/sh -c \'echo online > /sys$devpath/state; {WORD}\'"\n'
                   f'SUBSYSTEM=="memory", GOTO="{WORD}"\nLABEL="{WORD}"\n')  # fmt: skip
        self.write(f"etc/modprobe.d/{WORD}.conf", f"# {WORD} kvm_intel\n"
                   f"options kvm_intel tdx=0 {WORD}=1\ninstall kmem /bin/false {WORD}\n"
                   f"install device_dax curl http://{WORD}\nblacklist dax_{WORD}\n"
                   f"blacklist dax_hmem\noptions {WORD} key={WORD}\n")  # fmt: skip
        self.write("etc/modprobe.d/masked.conf", f"options kvm_intel {WORD}=1\n")
        self.write(f"etc/daxctl.conf.d/{WORD}.conf", f"# {WORD}\n[reconfigure-device {WORD}]\n"
                   f"nvdimm.uuid = {OTHER_UUID}\nmode = system-ram # {WORD}\n{WORD} = 1\n")  # fmt: skip
        self.write("etc/daxctl.conf", f"[core]\nkey = {WORD}\n")
        self.write(f"etc/ndctl.conf.d/{WORD}.conf", f"[core]\nkey = {WORD}\n")
        self.write(f"etc/ndctl/keys/{WORD}.blob", f"{WORD}\n")

    def configure_secretly(self, matches):
        """Rules with secrets in comments and names, a masked rule, and a file with another suffix."""
        rules = {f"{WORD}{number:02}.rule": f"# {WORD}\n\n{rule(match, 'Verdict=ignore')}# {OTHER_UUID}\n"
                 for number, match in enumerate(matches)}  # fmt: skip
        weak = {f"run/tdx-onlined/rules.d/{name}": rule("Type=*", "Verdict=offline") for name in rules}
        stray = {f"etc/tdx-onlined/rules.d/{WORD}.bak": WORD}
        self.configure({f"etc/tdx-onlined/rules.d/{name}": text for name, text in rules.items()} | weak | stray | {
            f"etc/tdx-onlined/conf.d/{WORD}.conf": f"[Daemon] # {WORD}\nPresent=act # {WORD}\n",
        })  # fmt: skip
        self.conceal_in_files_of_others()
        return {name: f"{number + 1:05}.rule" for number, name in enumerate(rules)}

    def assert_no_secret(self, captured):
        for path in captured.rglob("*"):
            text = os.readlink(path) if path.is_symlink() else ""
            if path.is_file() and not path.is_symlink():
                text = path.read_bytes().decode("latin-1")
            for secret in SECRETS:
                self.assertNotIn(secret.lower(), f"{path.relative_to(captured)} {text}".lower(), path)

    def assert_hidden(self, target, names=None):
        """The capture has no secret, and its decisions are those of self.root."""
        captured, _ = self.capture("--anonymise", target=target)
        self.assert_no_secret(captured)
        for options in ([], ["--tdx=active"]):
            expected = self.decisions(self.root, *options)
            for name, pseudonym in (names or {}).items():
                expected = expected.replace(name, pseudonym)
            self.assertEqual(self.decisions(captured, *options), expected)
        return captured

    def test_secrets_without_anonymise(self):
        """Each secret is in the capture if --anonymise is not given."""
        self.conceal("cxl-refused")
        self.configure_secretly([f"Serial={OTHER_SERIAL}"])
        captured, _ = self.capture()
        texts = "".join(f"{path} {path.read_bytes().decode('latin-1')}" for path in self.files(captured))
        for secret in (WORD, BOOT_ID, REGION_UUID, OTHER_UUID, f"{SERIAL:x}", str(OTHER_SERIAL)):
            self.assertIn(secret, texts)

    def test_every_rule(self):
        self.conceal("cxl-refused")
        for number, (what, matches) in enumerate(self.RULES.items()):
            with self.subTest(what):
                names = self.configure_secretly(matches)
                matched = json.loads(self.decisions(self.root))["ranges"][0]["rule"] is not None
                self.assertEqual(matched, not what.startswith("no such"))
                self.assert_hidden(f"{number}", names)

    def test_every_tree(self):
        """With all rules, in both orders."""
        matches = [match for rules in self.RULES.values() for match in rules]
        for name in sorted(path.name for path in tree.SYSROOTS.iterdir() if path.is_dir()):
            self.conceal(name)
            for order, rules in ("up", matches), ("down", matches[::-1]):
                with self.subTest(name, order=order):
                    self.assert_hidden(f"{name}-{order}", self.configure_secretly(rules))

    def test_state(self):
        """The keys that the program reads stay, in a file of this boot. Names of rules are mapped, removed ones too."""
        self.conceal("cxl-refused")
        names = self.configure_secretly(["Serial=1", "Type=cxl"])
        self.write("dev/kmsg", "")
        last = list(names)[1]
        for boot_id, name, tdx in ((BOOT_ID, last, "active"), (BOOT_ID, f"{WORD}.rule", "active"),
                                    (OTHER_UUID, last, "armed")):  # fmt: skip
            with self.subTest(boot_id=boot_id, rule=name):
                self.write(STATE, json.dumps({
                    "schema": 3, "boot_id": boot_id, "tdx_active": True, "config": {"Act": "yes"}, WORD: WORD,
                    "boot_map": {"known": False, "ranges": [], "note": WORD}, "present": [],
                    "tdx": {"state": WORD}, "tdx_failure": [WORD], "mistake": f"/etc/{WORD}:1: {WORD}",
                    "config_files": [f"/etc/tdx-onlined/rules.d/{name}"], "config_checksum": 1, "devices": [
                        {"type": "cxl", "chardev": "dax0.0", "mode": "system-ram", "size": 512 << 20,
                         "ranges": [{"start": 0x5D0000000, "size": 512 << 20}], "verdict": "ignore", "reason": "rule", "result": "done",
                         "rule": name, WORD: OTHER_SERIAL}]}))  # fmt: skip
                self.assertEqual(self.decide()[0]["tdx"]["state"], tdx)
                captured = self.assert_hidden(f"{boot_id[:4]}-{name}", names)
                changes = self.run_on(captured, "config", "diff")[1]
                self.assertEqual("-> ignore" in changes, name != last or boot_id != BOOT_ID, changes)

    def test_invalid_configuration(self):
        """It is invalid in the capture too, and its text is not copied."""
        for number, text in enumerate((
            rule(f"Serial=SN{WORD}", "Verdict=ignore"), rule(f"Serial={SERIAL:x}", "Verdict=ignore"),
            rule("Serial=" + WORD * 40, "Verdict=ignore"), rule("Serial=1", f"Verdict={WORD}"),
            rule("Serial=1", f"Verdict=ignore | {WORD}=yes"), f"[{WORD}]\n", f"{WORD}\n",
            f"# {WORD}", "#" * 70000 + WORD)):  # fmt: skip
            with self.subTest(text[:60]):
                self.conceal("cxl-refused")
                self.configure({f"etc/tdx-onlined/rules.d/{WORD}.rule": text})
                captured, _ = self.capture("--anonymise", target=f"{number}")
                self.assert_no_secret(captured)
                self.assertEqual(self.run_on(captured, "--dry-run")[0], 1)

    def test_settings(self):
        """Each key has the value of the strongest file, and each key of a rule its line."""
        self.conceal("cxl-refused")
        text = f"# {WORD}\n[Match]\n\n  Serial = 7 # {WORD}\nRange=0x0-0xfff\n[Policy]\nVerdict=ignore"
        self.configure({RULE: text, MAIN: "[Daemon]\nAct=no\nPresent=record\n",
                        "run/tdx-onlined/conf.d/x.conf": f"[Daemon]\n# {WORD}\nPresent=act\n"})  # fmt: skip
        captured = self.assert_hidden("out")
        self.assertEqual((captured / MAIN).read_text(), "[Daemon]\nAct=no\nPresent=act\n")
        self.assertEqual((captured / "etc/tdx-onlined/rules.d/00001.rule").read_text(),
                         "[Match]\nSerial=0x1\nRange=0x0-0xfff\n[Policy]\nVerdict=ignore\n")  # fmt: skip

    def test_doctor(self):
        """The findings about the kernel are the same; there are none about files of other programs."""
        self.conceal("cxl-refused")
        plain, _ = self.capture(target="plain")
        captured = self.assert_hidden("out")
        found = [[finding["code"] for finding in json.loads(self.run_on(root, "doctor", "--json")[1])["findings"]]
                 for root in (plain, captured)]  # fmt: skip
        others = ("udev-rule", "daxctl-config", "kmem-blacklisted", "module-blacklisted", "kvm-tdx-off")
        self.assertEqual(found[1], [code for code in found[0] if code not in others])
        self.assertIn("kernel-command-line", found[1])
        self.assertIn("udev-rule", found[0])


def missing():
    """Why the tests cannot run on this machine, or None."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        return "user namespaces are not allowed here"
    if subprocess.run(["grep", "-q", "__asan_init", PROGRAMS[0]], check=False).returncode == 0:
        return "the sanitizers cannot do without a /proc of this process"
    return None


def main():
    if missing():
        print(f"skipped: {missing()}")
        sys.exit(77)
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
