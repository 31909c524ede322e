#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Remedies: the tests cause findings, and run the remedies as they are printed.

A remedy is one command line, or sentences with commands between single quotes. Tested elsewhere:

    movable-zone, boot-memory-offline   test_memory.py
    guard-bypassed                      test_unplug.py

Not tested in a guest:

    kvm-tdx-off, kvm-not-loaded         load kvm_intel, and the emulated processor has no VMX; of
                                        kvm-not-loaded the first command, which fails here, is run
    boot-map-in-cxl-window, kernel-command-line, memory-rejected, no-memory-hotplug, boot-map-unknown,
    and all others of tdx-*             change the BIOS, the kernel, its command line or the virtual
                                        machine, or report a bug
"""

import re
import shlex

from guest import TDX_ACTIVE, TDX_ARMED
from scene import BLOCK, CONFIG, DAX, MEMORY, UNIT, Scene, main

AUTO_ONLINE = f"{MEMORY}/auto_online_blocks"
LOAD = "/etc/modules-load.d/kvm_intel.conf"
OPTIONS = "/etc/modprobe.d/kvm-tdx.conf"
DAXCTL = "/etc/daxctl.conf.d"

# Lines of other programs that may online memory, and modules that cannot be loaded. Two lines of a
# file have two findings.
RULE = 'SUBSYSTEM=="memory", ACTION=="add", ATTR{state}="online"'
WRITE = f"w {AUTO_ONLINE} - - - - online"
FILES = {
    "/usr/lib/udev/rules.d/40-hotadd.rules": (RULE, 'KERNEL=="cpu1", TAG+="x"', RULE, 'RUN+="grow %k"'),
    "/usr/lib/udev/grow": ("#!/bin/sh", "exec chmem -e 1g"),
    "/etc/udev/rules.d/41-it's.rules": (RULE,),
    "/usr/lib/tmpfiles.d/hotadd.conf": (WRITE, WRITE),
    "/etc/sysfs.d/hotadd.conf": ("bus/dax/drivers_autoprobe = 1",),
    "/usr/lib/systemd/system/grow.service": ("[Service]", "Type=oneshot", "ExecStart=/bin/true",
                                             "ExecStart=sh -c 'chmem \\", "  -e 1g'"),  # fmt: skip
    "/usr/lib/systemd/system/dbus.service.d/grow.conf": ("[Service]", "ExecStartPost=/usr/local/sbin/grow"),
    "/usr/local/sbin/grow": ("#!/bin/sh", f"echo online >{AUTO_ONLINE}"),
    "/usr/lib/modprobe.d/hotadd.conf": ("blacklist dax_hmem", "install dax_cxl /bin/false"),
}


def commands(remedy):
    """The commands of a remedy."""
    return [remedy] if remedy[0].islower() else re.findall(r"(?<=[ (])'([^']*)'", remedy)


class Remedied(Scene):
    def findings(self, *codes):
        """All findings, or those of some codes, of which there must be one."""
        findings = super().findings(*codes)
        self.assertTrue(findings or not codes, codes)
        return findings

    def apply(self, finding):
        for command in commands(finding["remedy"]):
            self.sh(command, timeout=120)

    def remedy(self, *codes):
        """Run the remedies of all findings of these codes; then there must be none."""
        for finding in self.findings(*codes):
            self.apply(finding)
        self.assert_none(*codes)

    def assert_none(self, *codes):
        self.assertEqual([f for f in self.findings() if f["code"] in codes], [])

    def decided(self):
        self.guest.wait_for(f"systemctl show -P StatusText {UNIT} | grep -q decided", 60)


class Remedies(Remedied):
    """TDX is active."""

    machine = {"memory": "2G", "cxl": ["512M"], "kernel_args": TDX_ACTIVE}

    def test_00_in_order(self):
        self.assertEqual(self.findings(), [])

    def test_01_files(self):
        """Each remedy is run twice, from the output of one run: no findings are left, and the files of the
        distribution are unchanged."""
        for path, lines in FILES.items():
            text = "\n".join((*lines, ""))
            self.guest.run(["sh", "-c", 'mkdir -p "${1%/*}"; printf %s "$2" >"$1"; chmod 755 "$1"', "-", path, text])
        self.sh("systemctl daemon-reload; udevadm control --reload")
        findings = self.findings()
        self.assertEqual([f["code"] for f in findings], [
            *["udev-rule"] * 3, *["tmpfiles-config"] * 2, "sysfs-config", "systemd-unit", "script", "script",
            "kmem-blacklisted", "kmem-blacklisted"])  # fmt: skip
        for finding in findings + findings:
            self.apply(finding)
        self.assertEqual(self.findings(), [])
        for path, lines in FILES.items():
            if path.startswith("/usr/"):
                self.assertEqual(self.guest.run(["cat", path]).stdout, "\n".join((*lines, "")))
        self.assertEqual(self.sh("systemctl show -P ExecStart grow.service").count("path="), 1)
        self.assertEqual(self.sh("systemctl show -P ExecStartPost dbus.service"), "")
        self.assertIn('TAG+="x"', self.sh("grep -v ^# /etc/udev/rules.d/40-hotadd.rules"))

    def test_02_daxctl(self):
        """A setting of daxctl's configuration, in a section about a missing device."""
        text = "[reconfigure-device hotadd]\nnvdimm.uuid = 48d8e42c\nmode = system-ram\n"
        self.sh(f"mkdir -p {DAXCTL}; printf %s {shlex.quote(text)} >{DAXCTL}/hotadd.conf")
        (finding,) = self.findings("daxctl-config")
        setting = re.search(r"Set mode = devdax, or (online = false), in that section", finding["remedy"])[1]
        self.sh(f"echo {setting} >>{DAXCTL}/hotadd.conf")
        self.assertEqual(self.findings(), [])
        self.sh(f"rm {DAXCTL}/hotadd.conf")

    def test_03_masked(self):
        self.sh(f"systemctl mask --now {UNIT}; echo online >{AUTO_ONLINE}; echo 1 >{DAX}/drivers_autoprobe")
        self.remedy("kernel-policy", "guard-down")
        self.decided()
        self.assert_guard("0", "offline")
        self.assertEqual(self.sh(f"systemctl is-enabled {UNIT}"), "enabled")

    def test_04_settings(self):
        """Remedies with a setting and a command, also while the service does not run."""
        for line in ("Act=no", "Guard=never"):
            for stop in ("true", f"systemctl stop {UNIT}"):
                self.configure(line)
                self.reload()
                self.assert_guard("1", "online")
                self.sh(stop)
                (*_, finding) = self.findings("guard-down")
                setting = re.match(r"Set (\S+) in tdx-onlined.conf\(5\)", finding["remedy"])[1]
                self.sh(f"sed -i 's/{line}/{setting}/' {CONFIG}/test.conf")
                self.apply(finding)
                self.guest.wait_for(f"grep -qx offline {AUTO_ONLINE} && grep -qx 0 {DAX}/drivers_autoprobe", 60)
                self.assert_none("guard-down", "kernel-policy")
        self.configure("TDX=absent")
        self.reload()
        (finding,) = self.findings("tdx-overridden")
        self.sh(f"sed -i s/TDX=absent/TDX=auto/ {CONFIG}/test.conf")
        self.apply(finding)
        self.guest.wait_for(f"grep -qx offline {AUTO_ONLINE}", 60)
        self.assertEqual(self.findings(), [])

    def test_05_sandbox(self):
        """A drop-in makes files of the kernel read-only for the daemon."""
        self.sh(f"mkdir -p /etc/systemd/system/{UNIT}.d; cd /etc/systemd/system/{UNIT}.d;"
                f" printf '[Service]\\nReadWritePaths=\\nReadOnlyPaths=-/sys/bus/dax {MEMORY}\\n' >ro.conf;"
                f" systemctl daemon-reload; systemctl restart {UNIT}")  # fmt: skip
        self.remedy("not-writable")
        self.decided()
        self.assert_guard("0", "offline")

    def test_06_read_only(self):
        """Without the daemon the doctor tests its own process."""
        self.sh(f"systemctl stop {UNIT}; mount -o remount,ro /sys")
        self.remedy("not-writable")
        self.remedy("kernel-policy", "guard-down")
        self.decided()

    def test_07_agent(self):
        """The guest agent is masked, so that its udev rule does not start it."""
        self.sh("cp /bin/sleep /usr/local/bin/qemu-ga; printf '[Service]\\nExecStart=/usr/local/bin/qemu-ga 1000\\n'"
                " >/usr/lib/systemd/system/qemu-guest-agent.service;"
                " systemctl daemon-reload; systemctl start qemu-guest-agent.service")  # fmt: skip
        self.remedy("guest-agent")
        self.assertNotEqual(self.guest.run("systemctl start qemu-guest-agent.service", check=False).status, 0)
        self.assertEqual(self.findings(), [])

    def test_08_stranded(self):
        """Stranded memory that kmem added becomes devdax."""
        self.configure("Act=no")
        self.reload()
        region = self.create_region(0, "512M")
        device = self.wait_for_record(region=region, mode="system-ram")["TDXO_CHARDEV"]
        self.remedy("stranded")
        self.assertEqual(self.driver(device), "device_dax")
        self.assertEqual(set(self.states(self.window(0)[0], 4 * BLOCK)), {""})
        self.configure("Act=yes")
        self.reload()
        self.assertEqual(self.findings(), [])


class Remedies13(Remedies):
    """The same with Linux 7.3 on Debian 13."""

    machine = {**Remedies.machine, "kernel": "debian-7.3", "root": "trixie"}


class RemediesArmed(Remedied):
    """TDX can still start, and memory is online before that."""

    config = ("Act=no",)
    machine = {"memory": "2G", "cxl": ["512M"], "kernel_args": TDX_ARMED}

    def test_00_late_memory(self):
        region = self.create_region(0, "512M")
        device = self.wait_for_record(region=region, mode="system-ram")["TDXO_CHARDEV"]
        self.remedy("late-memory-before-tdx")
        self.assertEqual(self.driver(device), "device_dax")

    def test_01_late_dimm(self):
        """The remedy has kvm_intel loaded at the next boot."""
        self.guest.add_dimm("128M")
        self.wait_for_record(type="dimm")
        (finding,) = self.findings("late-memory-before-tdx")
        for _ in range(2):
            self.apply(finding)
        self.assertEqual(self.read(LOAD), "kvm_intel")
        self.sh(f"rm {LOAD}")

    def test_02_no_parameter(self):
        """The KVM of Linux 6.12 has no parameter for TDX: the remedy changes nothing."""
        (finding,) = self.findings("kvm-not-loaded")
        (command,) = commands(finding["remedy"])
        self.assertNotEqual(self.guest.run(command, check=False).status, 0)
        self.sh(f"! test -e {LOAD}; ! test -e {OPTIONS}")


if __name__ == "__main__":
    main()
