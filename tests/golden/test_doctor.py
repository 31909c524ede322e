#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command doctor on captured machines.

    test_doctor.py              compare with tests/expected/TREE.doctor.txt
    test_doctor.py --write      write what is printed now; read the difference before you commit it

The other tests add files to a copy of a tree that conflict with TDX or the daemon on a real host, and expect
the finding besides those of the tree; and files that are too large or endless.
"""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import unittest

import tree

FOUND = 5
NOTHING = "Nothing was found that conflicts with hot-added memory or TDX.\n"
EXPECTED = tree.TESTS / "expected"

# Rules of distributions: first for processors, then for memory.
RED_HAT = """\
SUBSYSTEM!="cpu", GOTO="processors_done"
ACTION!="add", GOTO="processors_done"
CONST{arch}=="ppc64*", GOTO="processors_done"
TEST=="online", ATTR{online}=="0", ATTR{online}="1"
LABEL="processors_done"
# Memory that is added
SUBSYSTEM!="memory", GOTO="done"
ACTION!="add", GOTO="done"
ENV{.state}="online"
CONST{virt}=="none", ENV{.state}="online_movable"
ATTR{state}=="offline", ATTR{state}="$env{.state}"
LABEL="done"
"""
CPU = 'SUBSYSTEM=="cpu", ACTION=="add", TEST=="online", ATTR{online}=="0", ATTR{online}="1"\n'
SUSE = 'SUBSYSTEM=="memory", ACTION=="add", ATTR{state}=="offline", ATTR{state}="online"\n'
SUSE += 'TAG=="tmpfs", RUN+="/usr/lib/udev/grow-tmpfs"\n'
UBUNTU = """\
ATTR{[dmi/id]sys_vendor}=="Xen", GOTO="apply"
GOTO="done"
LABEL="apply"
SUBSYSTEM=="memory", ACTION=="add", DEVPATH=="/devices/system/memory/memory[0-9]*", \
TEST=="state", ATTR{state}!="online", ATTR{state}="online"
SUBSYSTEM=="cpu", ACTION=="add", DEVPATH=="/devices/system/cpu/cpu[0-9]*", TEST=="online", \
ATTR{online}!="1", ATTR{online}="1"
LABEL="done"
"""
RULES = "lib/udev/rules.d"


def expected(root):
    return EXPECTED / f"{root.name}.doctor.txt"


def trees():
    return sorted(path for path in tree.SYSROOTS.iterdir() if path.is_dir())


class Golden(unittest.TestCase):
    maxDiff = None

    def test_every_tree(self):
        for root in trees():
            with self.subTest(root.name):
                result = tree.run(root, "doctor")
                self.assertEqual(result.stdout, expected(root).read_text())
                self.assertEqual(result.stderr, "")
                self.assertEqual(result.returncode, 0 if result.stdout.endswith(NOTHING) else FOUND)

    def test_no_stale_expected_file(self):
        self.assertEqual({expected(root) for root in trees()}, set(EXPECTED.glob("*.doctor.txt")))

    def test_json(self):
        """The same findings, in the same order."""
        for root in trees():
            with self.subTest(root.name):
                result = tree.run(root, "doctor", "--json")
                report = json.loads(result.stdout)
                self.assertEqual(set(report), {"schema", "tdx", "findings"})
                tdx = json.loads(tree.run(root, "--dry-run", "--json").stdout)["tdx"]
                self.assertEqual(report["tdx"], tdx)
                self.assertEqual(report["schema"], 2)
                text = "\n".join(f"{f['code']}: {f['message']}\n    remedy: {f['remedy']}\n"
                                 for f in report["findings"])  # fmt: skip
                self.assertEqual(text or NOTHING, expected(root).read_text().partition("\n\n")[2])
                self.assertEqual(result.returncode, FOUND if report["findings"] else 0)
                for finding in report["findings"]:
                    self.assertEqual(set(finding),
                                     {"code", "severity", "message", "remedy", "source"})  # fmt: skip
                    self.assertTrue(all(finding.values()))
                    self.assertIn(finding["severity"], ("problem", "notice"))


class Doctor(tree.Tree):
    """A tree without findings: TDX is active, the guard is held."""

    def setUp(self):
        super().setUp()
        self.tree("cxl-guard")

    def findings(self, *options, messages=()):
        result = tree.run(self.root, "doctor", "--json", *options)
        self.assertEqual(result.stderr, "".join(f"tdx-onlinectl: {line}\n" for line in messages))
        findings = json.loads(result.stdout)["findings"]
        self.assertEqual(result.returncode, FOUND if findings else 0)
        return findings

    def assert_found(self, *wanted, **how):
        """Exactly these codes, each with its source."""
        found = [(f["code"], f["source"]) for f in self.findings(**how)]
        self.assertEqual(found, list(wanted))

    def append(self, path, text):
        self.write(path, (self.root / path).read_text() + text)


class UdevRules(Doctor):
    def test_red_hat(self):
        self.write("usr/lib/udev/rules.d/40-redhat.rules", RED_HAT)
        path = "/usr/lib/udev/rules.d/40-redhat.rules"
        self.assert_found(("udev-rule", f"{path}:11"))
        finding = self.findings()[0]
        self.assertEqual(finding["message"], f"{path}:11 may online memory: udevd writes "
                         "$env{.state} to a device that appears.")  # fmt: skip
        copy = "/etc/udev/rules.d/40-redhat.rules"
        self.assertEqual(finding["remedy"], (
            f"mkdir -p /etc/udev/rules.d && {{ test -e {copy} || {{ cp {path} {copy}.new && "
            f"mv {copy}.new {copy}; }}; }} && sed -i '11s/^/#/' {copy} && udevadm control --reload"))  # fmt: skip

    def test_suse(self):
        self.write("usr/lib/udev/rules.d/80-hotplug-cpu-mem.rules", CPU + SUSE)
        self.assert_found(("udev-rule", "/usr/lib/udev/rules.d/80-hotplug-cpu-mem.rules:2"))

    def test_ubuntu(self):
        """Conditions are not evaluated: the rule is found also on machines that it does not match."""
        self.write(f"{RULES}/40-vm-hotadd.rules", UBUNTU)
        self.assert_found(("udev-rule", f"/{RULES}/40-vm-hotadd.rules:4"))

    def test_command(self):
        self.write(f"{RULES}/50-a.rules", 'SUBSYSTEM=="cxl", RUN+="/usr/bin/daxctl online-memory all"\n')
        self.assertEqual(self.findings()[0]["message"], f"/{RULES}/50-a.rules:1 may online memory: "
                         "udevd runs /usr/bin/daxctl online-memory all")  # fmt: skip

    def test_cpu(self):
        """A rule for processors alone."""
        self.write(f"{RULES}/50-a.rules", CPU)
        self.assert_found()

    def test_own_rules(self):
        rules = tree.TESTS.parent / "udev/90-tdx-onlined.rules"
        self.write(f"{RULES}/90-tdx-onlined.rules", rules.read_text())
        self.assert_found()

    def test_layers(self):
        """Of files of one name, only that in the strongest folder counts."""
        layers = ["lib", "usr/lib", "usr/local/lib", "run", "etc"]
        for i, layer in enumerate(layers):
            self.write(f"{layer}/udev/rules.d/50-a.rules", "#\n" * i + SUSE)
            self.assert_found(("udev-rule", f"/{layer}/udev/rules.d/50-a.rules:{i + 1}"))
        self.write("etc/udev/rules.d/50-a.rules", "")
        self.assert_found()

    def test_masked(self):
        self.write(f"{RULES}/50-a.rules", SUSE)
        self.link("etc/udev/rules.d/50-a.rules", "/dev/null")
        self.assert_found()

    def test_other_names(self):
        """udevd reads files that end with .rules: others are ignored, without a message."""
        for name in ("50-a.rules.rpmsave", "README", "50-a.rules~", ".50-a.rules"):
            self.write(f"{RULES}/{name}", SUSE)
        self.assert_found()

    def test_two_in_a_file(self):
        self.write(f"{RULES}/50-a.rules", SUSE + SUSE)
        self.assert_found(*(("udev-rule", f"/{RULES}/50-a.rules:{line}") for line in (1, 3)))


class OtherFiles(Doctor):
    def test_modprobe(self):
        self.write("lib/modprobe.d/a.conf", "blacklist kmem\n")
        self.write("etc/modprobe.d/b.conf", "install device-dax /bin/true\nblacklist pcspkr\n")
        self.assert_found(("kmem-blacklisted", "/lib/modprobe.d/a.conf:1"),
                          ("kmem-blacklisted", "/etc/modprobe.d/b.conf:1"))  # fmt: skip
        self.link("run/modprobe.d/a.conf", "/dev/null")
        self.assert_found(("kmem-blacklisted", "/etc/modprobe.d/b.conf:1"))

    def test_daxctl(self):
        section = "[reconfigure-device pmem]\nnvdimm.uuid = 48d8e42c\nmode = system-ram\n"
        self.write("etc/daxctl.conf.d/pmem.conf", section)
        self.assert_found(("daxctl-config", "/etc/daxctl.conf.d/pmem.conf:1"))
        self.append("etc/daxctl.conf.d/pmem.conf", "online = false\n")
        self.assert_found()

    def test_command_line(self):
        self.write("proc/cmdline", "quiet memhp_default_state=online modprobe.blacklist=kmem\n")
        self.assert_found(("kernel-command-line", "/proc/cmdline"),
                          ("kmem-blacklisted", "/proc/cmdline"))  # fmt: skip

    def test_agent(self):
        self.write("proc/812/comm", "qemu-ga\n")
        self.write("proc/813/comm", "qemu-gather\n")
        self.write("proc/sys/comm", "qemu-ga\n")
        self.assert_found(("guest-agent", "/proc/812/comm"))


ONLINE = "w /sys/devices/system/memory/auto_online_blocks - - - - online\n"
CHMEM = "#!/bin/sh\n# takes it all\nchmem -e 1g\n"


class Writers(Doctor):
    """Other programs that write to the kernel: tmpfiles.d, sysfs.conf, units and scripts."""

    def test_tmpfiles(self):
        for layer in ("usr/lib", "usr/local/lib", "run", "etc"):
            self.write(f"{layer}/tmpfiles.d/a.conf", f"# {layer}\n{ONLINE}")
            self.assert_found(("tmpfiles-config", f"/{layer}/tmpfiles.d/a.conf:2"))
        self.write("etc/tmpfiles.d/a.conf", ONLINE.replace(" online", " offline"))
        self.assert_found()

    def test_sysfs(self):
        self.write("etc/sysfs.conf", "bus/dax/drivers_autoprobe = 1\n")
        self.write("etc/sysfs.d/a.conf", "devices/system/memory/memory40/state = online\n")
        self.assert_found(("sysfs-config", "/etc/sysfs.conf:1"), ("sysfs-config", "/etc/sysfs.d/a.conf:1"))

    def test_units(self):
        """Units in each folder, and drop-ins; masked units and aliases do not count."""
        unit = "[Service]\nExecStart=/bin/true\nExecStart=/bin/chmem -e 1g\n"
        for directory in ("lib/systemd/system", "usr/lib/systemd/system", "usr/local/lib/systemd/system",
                          "run/systemd/generator", "run/systemd/system", "etc/systemd/system"):  # fmt: skip
            self.write(f"{directory}/a.service", unit)
            self.assert_found(("systemd-unit", f"/{directory}/a.service:3"))
        self.link("etc/systemd/system/alias.service", "a.service")
        self.link("etc/systemd/system/gone.service", "../nowhere")
        self.assert_found(("systemd-unit", "/etc/systemd/system/a.service:3"))
        (self.root / "etc/systemd/system/a.service").unlink()
        self.link("etc/systemd/system/a.service", "/dev/null")
        self.assert_found()
        self.write("usr/lib/systemd/system/a.socket.d/10-b.conf", "[Socket]\nExecStartPre=chmem -e 1g\n")
        self.assert_found(("systemd-unit", "/usr/lib/systemd/system/a.socket.d/10-b.conf:2"))
        self.write("run/systemd/system/a.socket.d/10-b.conf", "[Socket]\n")
        self.assert_found()

    def test_own_files(self):
        top = tree.TESTS.parent
        for path, place in (("systemd/tdx-onlined.service.in", "usr/lib/systemd/system/tdx-onlined.service"),
                            ("udev/90-tdx-onlined.rules", f"{RULES}/90-tdx-onlined.rules")):  # fmt: skip
            self.write(place, (top / path).read_text())
        self.assert_found()

    def test_scripts(self):
        """Scripts of rules, also by name alone, and of units are searched, once; those that they run are not."""
        self.write("usr/lib/udev/grow", CHMEM)
        self.write("opt/grow", CHMEM)
        self.write("opt/other", "/opt/more\n")
        self.write("opt/more", CHMEM)
        self.write(f"{RULES}/50-a.rules", 'SUBSYSTEM=="cpu", RUN+="/opt/other"\n'
                   'SUBSYSTEM=="net", RUN+="grow %k", PROGRAM="/bin/sh -c \'/opt/grow $name\'"\n')  # fmt: skip
        self.write("etc/systemd/system/a.service", "[Service]\nExecStart=-/opt/grow\n")
        self.assert_found(("script", "/usr/lib/udev/grow:3"), ("script", "/opt/grow:3"))
        self.assertIn(f"/{RULES}/50-a.rules:2 runs this script", self.findings()[1]["message"])

    def test_no_scripts(self):
        """Binaries, folders, FIFOs, large files and files of the kernel are not searched."""
        self.write("opt/elf", b"\177ELF\n" + CHMEM.encode())
        self.write("opt/large", CHMEM + "#" * (1 << 20))
        self.write("sys/kernel/script", CHMEM)
        os.mkfifo(self.root / "opt/fifo")
        for path in ("/opt/elf", "/opt/large", "/sys/kernel/script", "/opt/fifo", "/opt", "/nowhere"):
            self.write(f"etc/systemd/system/{path.replace('/', '-')}.service", f"[Service]\nExecStart={path}\n")
        self.assert_found()

    def test_many_scripts(self):
        """The first 4096 scripts are searched, and a message reports that there are more."""
        names = [f"/opt/{i}" for i in range(4094)] + ["/opt/a", "/opt/b", "/opt/c"]
        for name in ("a", "b", "c"):
            self.write(f"opt/{name}", CHMEM)
        for more, messages in ((0, ()), (1, ("scripts: Units and udev rules run more than 4096 programs: "
                                             "the others are not searched",))):  # fmt: skip
            lines = [f"ExecStart={name}\n" for name in names[: 4096 + more]]
            self.write("etc/systemd/system/a.service", "".join(lines * 2))
            self.assert_found(("script", "/opt/a:3"), ("script", "/opt/b:3"), messages=messages)

    def test_many_lines(self):
        """The first thousand lines are reported."""
        self.write("etc/tmpfiles.d/a.conf", ONLINE * 100000)
        self.assert_found(*(("tmpfiles-config", f"/etc/tmpfiles.d/a.conf:{i + 1}") for i in range(1000)))


class Remedies(Doctor):
    """Remedies that edit files, run as they are printed, with the tree as the root."""

    RELOAD = re.compile(" && (udevadm control --reload|systemctl daemon-reload|modprobe .*)$")
    FILES = {
        f"{RULES}/80-a.rules": 'SUBSYSTEM=="cpu", ATTR{online}="1"\n' + SUSE + SUSE,
        f"{RULES}/81-b.rules": 'SUBSYSTEM=="memory", \\\n# a block\n  ATTR{state}="online"\n',
        "run/udev/rules.d/it's a rule.rules": 'RUN+="/opt/grow"\n' + SUSE,
        "opt/grow": CHMEM,
        "usr/lib/modprobe.d/a.conf": "install kmem \\\n /bin/false\nblacklist device-dax\n",
        "etc/modprobe.d/b.conf": "blacklist dax_cxl\nblacklist dax_hmem\n",
        "usr/lib/tmpfiles.d/a.conf": ONLINE * 2,
        "etc/tmpfiles.d/b.conf": ONLINE,
        "etc/sysfs.conf": "bus/dax/drivers_autoprobe=1\n" * 2,
        "etc/sysfs.d/a.conf": "bus/dax/drivers_autoprobe=1\n",
        "usr/lib/systemd/system/a.service": "[Service]\nExecStart=sh -c 'chmem \\\n -e 1g'\nExecStop=chmem -e 1g\n",
        "usr/lib/systemd/system/a\\x2db.service.d/b.conf": "[Service]\nExecStop=chmem -e 1g\n" * 2,
        "etc/systemd/system/c.service.d/b.conf": "[Service]\nExecStop=chmem -e 1g\n",
    }

    def setUp(self):
        super().setUp()
        for path, text in self.FILES.items():
            self.write(path, text)

    def do(self, remedy, path=None, status=0):
        """Run a remedy without its last part, which is for running programs."""
        command = re.sub("(?<=[ '])/(?!bin)", "", self.RELOAD.sub("", remedy))
        self.assertNotEqual(command, remedy)
        result = subprocess.run(["/bin/sh", "-c", command], cwd=self.root, check=False,
                                env={"PATH": path or os.environ["PATH"]}, capture_output=True, text=True)  # fmt: skip
        self.assertEqual(result.returncode == 0, status == 0, result.stderr)

    def test_all(self):
        """Run in any order, and twice: no finding is left, and all other lines are unchanged."""
        for order in (1, -1):
            findings = self.findings()[::order]
            self.assertEqual(len(findings), 20)
            for finding in findings + findings:
                self.do(finding["remedy"])
            self.assertEqual(self.findings(), [])
            for path, text in self.FILES.items():
                if not path.startswith("etc/"):
                    self.assertEqual((self.root / path).read_text(), text)
            shutil.rmtree(self.root / "etc")
            for path, text in self.FILES.items():
                self.write(path, text)

    def test_one_of_two(self):
        """After the remedy for one line, the other line of the file is still found."""
        findings = self.findings()
        for finding in findings[::2]:
            self.do(finding["remedy"])
        lines = [f["source"].rpartition(":")[2] for f in self.findings()]
        self.assertEqual(lines, [f["source"].rpartition(":")[2] for f in findings[1::2]])

    def test_a_part_fails(self):
        """If one of the commands fails, or ends halfway, the findings are unchanged."""
        findings = self.findings()
        for name in ("mkdir", "cp", "mv", "sed"):
            path = self.directory / name
            path.mkdir()
            (path / name).write_text("#!/bin/sh\nfor last; do :; done\n"
                                     + ("echo half >\"$last\"\n" if name == "cp" else "") + "exit 1\n")  # fmt: skip
            (path / name).chmod(0o755)
            for finding in findings:
                if f"{name} " in finding["remedy"]:
                    self.do(finding["remedy"], path=f"{path}:{os.environ['PATH']}", status=1)
            self.assertEqual(self.texts(self.findings()), self.texts(findings))

    def texts(self, findings):
        """The messages without their files: a remedy that copies a file may move the finding."""
        return [re.sub("/(etc|run|lib|usr/lib)/", "", finding["message"]) for finding in findings]


class Terminal(Doctor):
    def test_commands_unbroken(self):
        """Commands are not broken into lines, so that they can be copied."""
        self.write(f"{RULES}/50-a.rules", SUSE)
        self.write("sys/devices/system/memory/auto_online_blocks", "online\n")
        text = tree.on_terminal(self.root, "doctor", width=60, status=FOUND)
        for finding in self.findings():
            remedy = finding["remedy"]
            for command in [remedy] if remedy[0].islower() else re.findall("'[^']*'", remedy):
                self.assertIn(command, text)
        self.assertIn("onlines memory when it\n", text)  # text is broken at the width of the terminal


class Tdx(Doctor):
    def test_log(self):
        """Without the CPU flag TDX is absent; the cause comes from the log."""
        self.write("proc/cpuinfo", (self.root / "proc/cpuinfo").read_text()
                   .replace("tdx_host_platform", ""))  # fmt: skip
        for line, code in (
            ("initialization failed: Hibernation support is enabled", "tdx-hibernation"),
            ("initialization failed: too few private KeyIDs available.", "tdx-few-keys"),
        ):
            self.write("dev/kmsg", f"3,400,1,-;virt/tdx: {line}\n")
            self.assert_found((code, "kernel log"))

    def test_failed(self):
        self.write("dev/kmsg", "3,400,1,-;virt/tdx: module initialization failed (-5)\n")
        self.assert_found(("tdx-init-failed", "kernel log"))

    def test_armed(self):
        """Armed: memory that is online now will become TDX memory; memory without a driver will not."""
        self.write("dev/kmsg", "")
        self.assert_found(("kvm-not-loaded", "/sys/module/kvm_intel"))
        self.tree("cxl-refused")
        self.write("dev/kmsg", "")
        self.write("sys/devices/system/memory/auto_online_blocks", "offline\n")
        self.write("sys/bus/dax/drivers_autoprobe", "0\n")
        memory = "/sys/devices/system/memory"
        self.assert_found(("late-memory-before-tdx", memory),
                          ("kvm-not-loaded", "/sys/module/kvm_intel"), ("stranded", memory))  # fmt: skip

    def test_kvm(self):
        self.write("sys/module/kvm_intel/parameters/tdx", "N\n")
        self.write("etc/modprobe.d/kvm.conf", "options kvm_intel tdx=0\n")
        self.assert_found(("kvm-tdx-off", "/sys/module/kvm_intel/parameters/tdx"))
        self.assertIn("sed -i '1s/^/#/' /etc/modprobe.d/kvm.conf && ", self.findings()[0]["remedy"])

    def test_cxl_window(self):
        """A window of the CEDT that covers boot memory."""
        path = "sys/firmware/acpi/tables/CEDT"
        table = bytearray((self.root / path).read_bytes())
        at = 36
        while table[at] != 1:  # CXL fixed memory window structure
            at += struct.unpack_from("<H", table, at + 2)[0]
        struct.pack_into("<QQ", table, at + 8, 512 << 20, 256 << 20)
        table[9] = 0
        table[9] = -sum(table) & 0xFF
        self.write(path, bytes(table))
        self.assertEqual(self.windows(), [])  # TDX is active: it has accepted the memory
        self.write("dev/kmsg", "3,400,1,-;virt/tdx: module initialization failed (-5)\n")
        findings = self.windows()
        self.assertEqual([f["source"] for f in findings], [f"/{path}"])
        self.assertIn("256 MiB of boot memory lie in a CXL window, at [mem 0x20000000-0x2fffffff]",
                      findings[0]["message"])  # fmt: skip
        # DRAM that caches CXL memory is not CXL memory, within its own range.
        region = next((self.root / "sys/devices").rglob("region0"))
        (region / "resource").write_text("0x20000000\n")
        (region / "size").write_text("0x8000000\n")
        (region / "extended_linear_cache_size").write_text("0x0\n")
        self.assertIn("256 MiB", self.windows()[0]["message"])
        (region / "extended_linear_cache_size").write_text("0x4000000\n")
        self.assertIn("128 MiB", self.windows()[0]["message"])
        (region / "size").write_text("0x10000000\n")
        self.assertEqual(self.windows(), [])

    def windows(self):
        return [f for f in self.findings() if f["code"] == "boot-map-in-cxl-window"]

    def test_tdx_overridden(self):
        self.write("etc/tdx-onlined/tdx-onlined.conf", "[Daemon]\nTDX=absent\n")
        self.assert_found(("tdx-overridden", "/etc/tdx-onlined/tdx-onlined.conf"))

    def test_movable(self):
        """Two runs of movable blocks, and one that is not movable but could be."""
        memory = self.root / "sys/devices/system/memory"
        for block in (2, 3, 5):
            (memory / f"memory{block}/valid_zones").write_text("Movable\n")
        (memory / "memory6/valid_zones").write_text("DMA32 Movable\n")
        findings = self.findings()
        self.assertEqual([f["code"] for f in findings], ["movable-zone"] * 2)
        self.assertIn("256 MiB at [mem 0x10000000-0x1fffffff] (node 0)", findings[0]["message"])
        self.assertIn("128 MiB at [mem 0x28000000-0x2fffffff] (node 0)", findings[1]["message"])

    def test_boot_memory_offline(self):
        """One finding per run of blocks, with a command of its own."""
        for block in (2, 3, 5):
            self.write(f"sys/devices/system/memory/memory{block}/state", "offline\n")
        self.write("sys/devices/system/memory/memory6/state", "going-offline\n")
        findings = self.findings()
        self.assertEqual([(f["code"], f["remedy"]) for f in findings],
                         [("boot-memory-offline", "chmem -e 0x10000000-0x1fffffff"),
                          ("boot-memory-offline", "chmem -e 0x28000000-0x2fffffff")])  # fmt: skip
        self.assertIn("256 MiB at [mem 0x10000000-0x1fffffff]", findings[0]["message"])


class Rejected(Doctor):
    """A DIMM of 192 MiB that the kernel did not add: its lines in the kernel log."""

    LOG = """\
3,400,3000000,-;Block size [0x8000000] unaligned hotplug range: start 0x100000000, size 0xc000000
3,401,3000001,-;acpi PNP0C80:00: add_memory failed
3,402,3000002,-;acpi PNP0C80:00: acpi_memory_enable_device() error
"""
    SLOT = "sys/bus/acpi/devices/PNP0C80:00"

    def setUp(self):
        super().setUp()
        self.before = (self.root / "dev/kmsg").read_text()
        self.log(self.LOG)

    def log(self, text):
        self.write("dev/kmsg", self.before + text)

    def dry_run(self):
        return tree.run(self.root, "--dry-run")

    def test_known(self):
        self.write(f"{self.SLOT}/status", "15\n")
        self.assert_found(("memory-rejected", "kernel log"))
        self.assertIn("192 MiB of memory ([mem 0x100000000-0x10bffffff], PNP0C80:00)", self.findings()[0]["message"])
        self.assertIn("192 MiB of memory (", self.dry_run().stdout)
        self.assertNotIn("nothing to do", self.dry_run().stdout)
        self.assertNotIn("rejected", tree.run(self.root, "--dry-run", "--raw").stdout)
        report = json.loads(tree.run(self.root, "--dry-run", "--json").stdout)
        self.assertEqual([(r["start"], r["size"], r["cause"], r["acpi_device"]) for r in report["rejected"]],
                         [(1 << 32, 192 << 20, "unaligned", "PNP0C80:00")])  # fmt: skip

    def test_no_range(self):
        """The kernel logs neither range nor cause: the device is named."""
        self.log(self.LOG.split("\n", 1)[1])
        self.assert_found(("memory-rejected", "kernel log"))
        (rejected,) = json.loads(tree.run(self.root, "--dry-run", "--json").stdout)["rejected"]
        self.assertEqual((rejected["start"], rejected["size"], rejected["cause"]), (None, None, "not-logged"))

    def test_unplugged(self):
        self.write(f"{self.SLOT}/status", "0\n")
        self.assert_found()

    def test_added_since(self):
        """Later the DIMM, or other memory, is at these addresses: no finding."""
        self.write(f"{self.SLOT}/physical_node/state", "online\n")
        self.assert_found()
        shutil.rmtree(self.root / self.SLOT)
        self.write("sys/devices/system/memory/memory32/state", "online\n")
        self.write("sys/devices/system/memory/memory32/valid_zones", "Normal\n")
        self.assertNotIn("rejected", self.dry_run().stdout)


class Guard(Doctor):
    def setUp(self):
        super().setUp()
        self.write("sys/bus/dax/drivers_autoprobe", "1\n")

    def assert_remedy(self, remedy):
        self.assertEqual([(f["code"], f["remedy"]) for f in self.findings()],
                         [("guard-down", remedy)])  # fmt: skip

    def test_stopped(self):
        self.assert_remedy("systemctl enable --now tdx-onlined.service")

    def test_running(self):
        self.write("sys/fs/cgroup/system.slice/tdx-onlined.service/cgroup.procs", "700\n701\n")
        self.assert_remedy("systemctl restart tdx-onlined.service")

    def test_observing(self):
        self.write("etc/tdx-onlined/tdx-onlined.conf", "[Daemon]\nAct=no\n")
        self.assert_remedy("Set Act=yes in tdx-onlined.conf(5), then run 'systemctl start tdx-onlined.service"
                           " && systemctl reload tdx-onlined.service'.")  # fmt: skip

    def test_masked(self):
        self.link("etc/systemd/system/tdx-onlined.service", "/dev/null")
        self.assert_remedy("systemctl unmask tdx-onlined.service && systemctl enable --now tdx-onlined.service")


class BadFiles(Doctor):
    """Files that cannot be read, or should not be: a message names them, and the others are read."""

    def setUp(self):
        super().setUp()
        self.write(f"{RULES}/60-good.rules", SUSE)
        self.good = ("udev-rule", f"/{RULES}/60-good.rules:1")

    def test_fifo(self):
        os.mkfifo(self.root / RULES / "50-fifo.rules")
        self.assert_found(self.good, messages=[f"/{RULES}/50-fifo.rules: not a file"])

    def test_fifo_with_a_writer(self):
        path = self.root / RULES / "50-fifo.rules"
        os.mkfifo(path)
        end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, end)
        self.assert_found(self.good, messages=[f"/{RULES}/50-fifo.rules: not a file"])

    def test_directory(self):
        (self.root / RULES / "50-directory.rules").mkdir()
        self.assert_found(self.good, messages=[f"/{RULES}/50-directory.rules: not a file"])

    def test_dangling_link(self):
        self.link(f"{RULES}/50-link.rules", "nowhere")
        self.assert_found(
            self.good, messages=[f"/{RULES}/50-link.rules: No such file or directory"])  # fmt: skip

    def test_loop(self):
        self.link(f"{RULES}/50-loop.rules", "50-loop.rules")
        self.assert_found(
            self.good, messages=[f"/{RULES}/50-loop.rules: Too many levels of symbolic links"])  # fmt: skip

    def test_huge(self):
        """A line of 100 MiB, and a sparse file of that size."""
        self.write(f"{RULES}/50-line.rules", b"#" * (100 << 20))
        self.write(f"{RULES}/51-hole.rules", "")
        os.truncate(self.root / RULES / "51-hole.rules", 1 << 40)
        self.assert_found(self.good, messages=[f"/{RULES}/50-line.rules: File too large",
                                               f"/{RULES}/51-hole.rules: File too large"])  # fmt: skip

    def test_long_lines(self):
        """A line too long for udevd, and a finding at the last byte that is read."""
        self.write(f"{RULES}/50-long.rules", SUSE.split("\n", 1)[0] + "," * 16384 + "\n" + SUSE)
        self.write(f"{RULES}/51-full.rules", SUSE.encode() + b"\n" * ((16 << 20) - len(SUSE) - 1))
        self.assert_found(("udev-rule", f"/{RULES}/50-long.rules:2"),
                          ("udev-rule", f"/{RULES}/51-full.rules:1"), self.good)  # fmt: skip

    def test_binary(self):
        self.write(f"{RULES}/50-binary.rules", bytes(range(256)) * 4096)
        self.write(f"{RULES}/51-elf.rules", b"\177ELF" + b"\0" * 100000)
        self.write("etc/daxctl.conf.d/a.conf", b"\377\0[\n" * 100000)
        self.assert_found(self.good)

    def test_escapes(self):
        """Escape sequences in a file are printed as \\xNN, and JSON is valid."""
        self.write(f"{RULES}/50-escape.rules",
                   b'SUBSYSTEM=="memory", ATTR{state}="online\033[31m\377\303"\n')  # fmt: skip
        self.assertIn("writes online\\x1b[31m\\xff\\xc3 to a device", self.findings()[0]["message"])
        result = tree.run(self.root, "doctor")
        self.assertTrue(all(c == "\n" or " " <= c <= "~" for c in result.stdout))

    def test_no_directory(self):
        self.write("etc/udev/rules.d", "")
        self.assert_found(self.good, messages=["/etc/udev/rules.d: Not a directory"])

    def test_empty_root(self):
        """An empty folder as the root."""
        self.root = self.directory / "empty"
        self.root.mkdir()
        result = tree.run(self.root, "doctor", "--json")
        self.assertEqual(result.returncode, FOUND)
        self.assertEqual([f["code"] for f in json.loads(result.stdout)["findings"]],
                         ["no-memory-hotplug", "tdx-state-unknown"])  # fmt: skip

    def test_bad_configuration(self):
        self.write("etc/tdx-onlined/tdx-onlined.conf", "[Daemon]\nAct=perhaps\n")
        result = tree.run(self.root, "doctor")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn(tree.NO_USE, result.stderr)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for directory in trees():
            expected(directory).write_text(tree.run(directory, "doctor").stdout)
        sys.exit()
    tree.main()
