#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A capture of a guest: on the host, the output of the program is that in the guest, byte by byte."""

import json
import pathlib
import re
import subprocess

from guest import TDX_ACTIVE
from scene import BUILD, Scene, main


def name_of(options):
    """The program for these arguments: the daemon if the first is an option, else the client."""
    return "tdx-onlined" if options[0].startswith("-") else "tdx-onlinectl"


class Captured(Scene):
    """TDX is active, a region is in devdax mode, and a rule matches its serial number."""

    machine = {"memory": "2G", "cxl": ["512M", "512M"], "kernel_args": TDX_ACTIVE}

    def replay(self, name, *options):
        command = [f"{BUILD}/daemon/{name_of(options)}", f"--root={self.directory}/{name}", *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def test_00_make(self):
        self.rule("10-card", "Serial=0x43", "Verdict=ignore")
        self.reload()
        for index in (0, 1):
            self.wait_for_record(region=self.create_region(index, "512M"))
        device = self.records(region=self.regions[0])[0]["TDXO_CHARDEV"]
        self.wait_for_driver(device, "device_dax")
        self.sh("udevadm settle")

    def capture(self, name, *options):
        before = self.sh("cat /proc/sys/kernel/random/boot_id; ls -R /sys/bus/dax /sys/bus/cxl")
        summary = self.sh(f"tdx-onlinectl capture /tmp/{name} {' '.join(options)}")
        self.assertRegex(summary, f"^Captured [0-9]+ files, .* in /tmp/{name}$")
        self.assertEqual(self.sh("cat /proc/sys/kernel/random/boot_id; ls -R /sys/bus/dax /sys/bus/cxl"), before)
        self.guest.fetch(f"/tmp/{name}", pathlib.Path(self.directory) / name)

    def test_01_replay(self):
        self.capture("plain")
        for options in (["--dry-run", "--json"], ["--dry-run"], ["--dry-run", "--tdx=absent"],
                        ["config", "cat"], ["config", "diff"], ["doctor"],
                        ["doctor", "--json"], ["explain", self.regions[0]], ["explain", "mem0", "--json"],
                        ["map", "--json"], ["map", "--svg"]):  # fmt: skip
            here = self.replay("plain", *options)
            there = self.guest.run([name_of(options), *options], check=False)
            self.assertEqual((here.returncode, here.stdout, here.stderr),
                             (there.status, there.stdout, there.stderr), options)  # fmt: skip
        report = json.loads(self.replay("plain", "--dry-run", "--json").stdout)
        self.assertEqual([(r["verdict"], r["rule"]) for r in report["ranges"]],
                         [("devdax", None), ("ignore", "10-card.rule")])  # fmt: skip

    def test_01a_map(self):
        """Windows, regions and devices are nested, with the recorded verdicts; only root can print the map."""
        segments = json.loads(self.sh("tdx-onlinectl map --json"))["segments"]
        place = {segment["name"]: i for i, segment in enumerate(segments)}
        for index, region in self.regions.items():
            record = self.records(region=region)[0]
            window, found, device = segments[place[region] - 1 : place[region] + 2]
            self.assertEqual([s["kind"] for s in (window, found, device)], ["window", "region", "device"])
            self.assertEqual((window["start"], window["size"]), self.window(index))
            self.assertEqual((window["name"], found["start"]), (f"decoder0.{index}", window["start"]))
            self.assertEqual([device[key] for key in ("name", "verdict", "reason")],
                             [record[f"TDXO_{key}"] for key in ("CHARDEV", "VERDICT", "REASON")])  # fmt: skip
        self.assertIn("┌─ CXL window decoder0.", self.sh("LC_ALL=C.UTF-8 tdx-onlinectl map"))
        hidden = self.guest.run("setpriv --reuid=65534 --regid=65534 --clear-groups tdx-onlinectl map", check=False)
        self.assertEqual((hidden.status, hidden.stdout), (1, ""))
        self.assertEqual(hidden.stderr.strip(), "tdx-onlinectl: map: the kernel shows physical addresses only to "
                                                "a process with CAP_SYS_ADMIN: run it as root")  # fmt: skip

    def test_01b_doctor(self):
        """Other programs that online memory are found by file and line, in the guest and in the capture."""
        self.assertEqual(self.guest.run("tdx-onlinectl doctor", check=False).status, 0)
        self.sh("mkdir -p /etc/udev/rules.d; printf '%s\\n' '# as of old'"
                " 'SUBSYSTEM==\"memory\", ACTION==\"add\", ATTR{state}==\"offline\", ATTR{state}=\"online\"'"
                " >/etc/udev/rules.d/40-vm-hotadd.rules")  # fmt: skip
        self.sh("systemctl stop tdx-onlined.service")
        there = self.guest.run("tdx-onlinectl doctor", check=False)
        self.assertEqual(there.status, 5)
        self.assertIn("/etc/udev/rules.d/40-vm-hotadd.rules:2", there.stdout)
        findings = there.stdout.partition("\n\n")[2]  # the state of TDX comes first
        codes = [line.split(":")[0] for line in findings.splitlines() if line and line[0] != " "]
        self.assertEqual(sorted(codes), ["guard-down", "kernel-policy", "udev-rule"], there.stdout)
        self.capture("onliners")
        self.assertEqual(self.replay("onliners", "doctor").stdout, there.stdout)
        self.sh("rm /etc/udev/rules.d/40-vm-hotadd.rules; systemctl start tdx-onlined.service")
        self.assertEqual(self.guest.run("tdx-onlinectl doctor", check=False).status, 0)

    def test_02_anonymised(self):
        self.capture("anonymous", "--anonymise")
        here = self.replay("anonymous", "--dry-run", "--json").stdout
        there = self.guest.run("tdx-onlined --dry-run --json").stdout.replace("10-card.rule", "00001.rule")
        serial = re.compile(r'"serial":"0x[0-9a-f]+"')
        self.assertEqual(serial.sub("", here), serial.sub("", there))
        self.assertEqual(len(set(serial.findall(here))), 2)
        for secret in (self.sh("cat /proc/sys/kernel/random/boot_id"), self.sh("cat /etc/machine-id")):
            found = subprocess.run(["grep", "-r", secret, f"{self.directory}/anonymous"],
                                   capture_output=True, check=False)  # fmt: skip
            self.assertEqual(found.stdout, b"")


if __name__ == "__main__":
    main()
