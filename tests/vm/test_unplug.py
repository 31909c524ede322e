#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of kmem without memory blocks, and drivers that are bound although the guard is held.

From Linux 7.3 on a device of kmem has a dax state, and can be unplugged: its blocks are removed, and its
driver stays. A kprobe shows the daemon's writes to this state.
"""

import re

from guest import TDX_ACTIVE
from scene import BLOCK, DAX, REFUSE, STATE, UNIT, Scene, main

SIZE = 4 * BLOCK
TRACE = "/sys/kernel/tracing"


def span(start):
    """A range of a region as the configuration has it."""
    return f"{start:#x}-{start + SIZE - 1:#x}"


class Unplugged(Scene):
    """A device that an administrator unplugged is reported; a job of the daemon is completed."""

    config = ("Act=no",)
    machine = {"kernel": "debian-7.3", "memory": "4G", "cxl": ["512M"] * 3,
               "kernel_args": (*TDX_ACTIVE, "memmap=512M%4G+0xefffffff")}  # fmt: skip
    devices = {}

    def test_00_bound_to_kmem(self):
        """With Act=no, kmem is bound to three devices. An administrator unplugs two."""
        for index in range(3):
            region = self.create_region(index, "512M")
            self.devices[index] = self.wait_for_record(region=region, mode="system-ram")["TDXO_CHARDEV"]
        for index in (1, 2):
            self.sh(f"echo unplugged >{self.state_of(index)}")
            self.assertEqual(self.read(self.state_of(index)), "unplugged")
        self.sh(f"echo 'p:unplug offline_and_remove_memory_ranges' >{TRACE}/kprobe_events;"
                f" echo 1 >{TRACE}/events/kprobes/unplug/enable")  # fmt: skip

    def state_of(self, index):
        return f"{DAX}/devices/{self.devices[index]}/state"

    def test_01_reported_and_left(self):
        """The device with blocks is unplugged, unbound and becomes devdax; the others stay as they are."""
        start, _ = self.window(2)
        self.sh(f"echo \"$(cat {REFUSE}/ranges),{start:#x}-{start + SIZE:#x}\" >{REFUSE}/ranges")
        self.configure("Act=yes", f"CapableRanges={span(start)}")
        self.rule("10-movable", f"Range={span(start)}", "Zone=movable")  # it can go offline again
        self.reload()
        for fields in ({"chardev": self.devices[0]}, {"type": "hmem"}):
            record = self.wait_for_record(**fields)
            self.assert_record(record, verdict="devdax", reason="outside-boot-map", mode="devdax",
                               total_memblocks="0", stranded=None, result="done", errno=None)  # fmt: skip
        for index in (1, 2):
            record = self.wait_for_record(chardev=self.devices[index])
            self.assert_record(record, verdict="ignore", reason="unplugged", mode="system-ram",
                               total_memblocks="0", missing_memblocks="4", stranded=str(SIZE),
                               result="nothing-to-do", PRIORITY="4")  # fmt: skip
            self.assertEqual(self.read(self.state_of(index)), "unplugged")
        self.assertEqual(self.sh(f"grep -c '^ *tdx-onlined-.* unplug: ' {TRACE}/trace"), "2")

    def test_02_fail_on(self):
        """--fail-on=, the doctor and explain report them."""
        result = self.guest.run("tdx-onlined --dry-run --fail-on=stranded", check=False)
        self.assertEqual(result.status, 4)
        self.assertEqual(result.stdout.count(" unplugged "), 2)
        found = [finding["source"] for finding in self.findings("stranded")]
        self.assertEqual(found, [f"{DAX}/devices/{self.devices[index]}" for index in (1, 2)])
        self.assertIn("4 of its memory blocks are not in the kernel",
                      self.sh(f"tdx-onlinectl explain {self.devices[1]}"))  # fmt: skip

    def test_03_killed_after_unplug(self):
        """A state file as after a kill between two steps: the job is completed."""
        self.sh(f"systemctl stop {UNIT}; sed -i s/nothing-to-do/begun/g {STATE}")
        self.mark()
        self.sh(f"systemctl start {UNIT}")
        record = self.wait_for_record(chardev=self.devices[1])
        self.assert_record(record, verdict="devdax", reason="outside-boot-map", mode="devdax",
                           result="done", stranded=None, missing_memblocks=None)  # fmt: skip
        record = self.wait_for_record(chardev=self.devices[2])
        self.assert_record(record, verdict="online", reason="in-boot-map", mode="system-ram",
                           total_memblocks="4", online_memblocks="4", result="done")  # fmt: skip
        self.assertEqual(set(self.states(self.window(2)[0], SIZE)), {"online Movable"})

    def test_04_unplugged_while_it_runs(self):
        """An administrator unplugs a device with online blocks: one record of the change."""
        self.mark()
        self.sh(f"echo unplugged >{self.state_of(2)}")
        record = self.wait_for_record(chardev=self.devices[2])
        self.assert_record(record, result="changed", verdict="online", mode="system-ram",
                           total_memblocks="0", missing_memblocks="4", stranded=str(SIZE))  # fmt: skip

    def test_05_remedy(self):
        """After the doctor's remedy the device is decided again."""
        self.reload()
        self.assert_record(self.wait_for_record(chardev=self.devices[2]), reason="unplugged")
        (remedy,) = [f["remedy"] for f in self.findings("stranded") if self.devices[2] in f["source"]]
        self.mark()
        self.sh(remedy)
        self.assert_record(self.wait_for_record(chardev=self.devices[2], result="done"), verdict="online",
                           online_memblocks="4")  # fmt: skip


class Unplugged13(Unplugged):
    """The same with Debian 13, whose systemd gives a service with PrivateNetwork=yes a /sys of its own."""

    machine = {**Unplugged.machine, "root": "trixie"}


class Bypassed(Scene):
    """A write to new_id binds all devices without a driver: recorded for decided and undecided devices."""

    machine = {"memory": "2G", "cxl": ["512M"] * 3, "kernel_args": TDX_ACTIVE}
    devices = {}

    def region(self, index, **fields):
        region = self.create_region(index, "512M")
        record = self.wait_for_record(region=region, **fields)
        self.devices[index] = record["TDXO_CHARDEV"]
        self.assert_record(record, guard_bypassed=None)

    def test_00_without_driver(self):
        """One device is left without a driver, another one becomes devdax."""
        self.rule("10-left", f"Range={span(self.window(0)[0])}", "Verdict=ignore")
        self.reload()
        self.region(0, verdict="ignore", reason="rule")
        self.region(1, verdict="devdax")
        self.wait_for_driver(self.devices[1], "device_dax")

    def test_01_decided(self):
        """daxctl converts the second device to memory, which binds the first one, too."""
        self.mark()
        self.sh(f"daxctl reconfigure-device -m system-ram -N -f {self.devices[1]}")
        self.wait_for_driver(self.devices[0], "kmem")
        record = self.wait_for_record(chardev=self.devices[0])
        self.assert_record(record, result="changed", verdict="ignore", mode="system-ram",
                           guard_bypassed="yes")  # fmt: skip
        self.assertIn("; another process bound its driver before tdx-onlined acted", record["MESSAGE"])
        self.assert_guard("0", "offline")

    def test_02_doctor(self):
        """The doctor reports the device until its remedy has had it decided again."""
        (finding,) = self.findings("guard-bypassed")
        self.assertEqual(finding["source"], f"{DAX}/devices/{self.devices[0]}/driver")
        self.mark()
        self.sh(re.search("'(.*)'", finding["remedy"])[1])
        self.wait_for_record(chardev=self.devices[0])
        self.assertEqual(self.findings("guard-bypassed"), [])

    def test_03_undecided(self):
        """A device that is bound before the daemon decides it has this in its record."""
        self.sh(f"systemctl kill -s STOP {UNIT}")
        region = self.create_region(2, "512M")
        self.guest.wait_for(f"grep -qx {SIZE} {DAX}/devices/*/size")
        self.sh(f"echo {self.devices[1]} >{DAX}/drivers/kmem/new_id; systemctl kill -s CONT {UNIT}")
        record = self.wait_for_record(region=region)
        self.assert_record(record, verdict="devdax", reason="outside-boot-map", mode="devdax",
                           result="done", guard_bypassed="yes")  # fmt: skip


class Bypassed73(Bypassed):
    """The same on Linux 7.3."""

    machine = {**Bypassed.machine, "kernel": "debian-7.3"}


if __name__ == "__main__":
    main()
