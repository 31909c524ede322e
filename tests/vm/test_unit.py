#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The unit and the udev rule on systemd 252 and 257: the conditions under which memory that arrives
starts the service, the files that its sandbox lets it write, and its readiness."""

import pathlib
import re
import shlex
import sys

from guest import TDX_ACTIVE
from scene import DAX, MEMORY, UNIT, Scene, main

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "structure"))

from exposure import EXPOSURE  # noqa: E402

DROP_INS = f"/etc/systemd/system/{UNIT}.d"
RUN = "/run/tdx-onlined"


class Units(Scene):
    """TDX is active, so that blocks that arrive stay offline; the service is installed, not enabled."""

    enabled = False
    machine = {"memory": "1G", "slots": 16, "cxl": ["512M"], "kernel_args": TDX_ACTIVE}

    def arrive(self):
        """Add a DIMM, and wait until udevd and systemd have processed its blocks."""
        before = self.blocks()
        self.mark()
        self.guest.add_dimm("128M")
        self.guest.wait_for(f"test $(ls {MEMORY} | grep -c ^memory[0-9]) = {len(before) + 1}", 60)
        [block] = self.blocks() - before
        self.assertEqual(self.read(f"{MEMORY}/memory{block}/state"), "offline")
        self.sh("udevadm settle")
        return f"{MEMORY}/memory{block}"

    def active(self):
        return self.sh(f"systemctl show -P ActiveState {UNIT}")

    def device_unit(self, path):
        return shlex.quote(self.sh(["systemd-escape", "-p", "--suffix=device", path]))

    def assert_not_started(self, *, state="inactive", tagged=False):
        """A DIMM does not start the service, and systemd logs no error. With `tagged`, udevd has passed
        the block on to systemd, which has processed it."""
        path = self.arrive()
        self.assertEqual(":systemd:" in self.sh(f"udevadm info {path}"), tagged)
        if tagged:
            self.guest.wait_for(f"systemctl is-active {self.device_unit(path)}", 30)
        self.assertEqual(self.sh("systemctl list-jobs --no-legend"), "")
        self.assertEqual((self.active(), self.messages()), (state, []))
        entries = self.guest.journal(f"--since={self.start}", "_PID=1", "PRIORITY=3", "PRIORITY=4")
        self.assertEqual([entry["MESSAGE"] for entry in entries], [])

    def assert_started(self):
        """A DIMM starts the service, which decides the DIMM."""
        self.arrive()
        self.guest.wait_for(f"systemctl is-active {UNIT}", 60)
        self.guest.wait_for(f"journalctl -q --since={self.start} TDXO_TYPE=dimm | grep -q .", 60)

    def forget(self):
        """As if the service had not been started since boot: no state, but a rule of another program."""
        self.sh(f"systemctl stop {UNIT}; rm -r {RUN}; mkdir -p {RUN}/rules.d; touch {RUN}/rules.d/10-other.rule")

    def drop_in(self, *lines):
        text = shlex.quote("\n".join(("[Service]", *lines)))
        self.sh(f"mkdir -p {DROP_INS}; echo {text} >{DROP_INS}/test.conf; systemctl daemon-reload")

    def remove_drop_in(self):
        self.sh(f"rm -r {DROP_INS}; systemctl daemon-reload")

    def refused(self):
        """The files that the daemon cannot open for writing at its start, with the error."""
        self.mark()
        self.sh(f"systemctl restart {UNIT}")
        found = (re.match(r"(\S+): cannot be opened for writing: ([^:]+): ", m) for m in self.messages())
        return {match[1]: match[2] for match in found if match}

    def test_00_installed(self):
        self.assertEqual(self.sh(f"systemctl is-enabled {UNIT} || :"), "disabled")
        self.assert_not_started(tagged=True)

    def test_01_analyze(self):
        self.assertEqual(self.sh(f"systemd-analyze verify --man=no {UNIT} 2>&1"), "")
        self.sh(f"systemd-analyze security --no-pager --threshold={EXPOSURE} {UNIT}")

    def test_02_enabled(self):
        """Enabled and not started since boot: memory starts the service, once."""
        self.sh(f"systemctl enable {UNIT}")
        self.assert_started()
        path = self.arrive()
        self.assertEqual(self.sh(f"systemctl list-units --all --no-legend {self.device_unit(path)}"), "")

    def test_03_stopped(self):
        """Stopped by the administrator: memory does not start it again."""
        self.sh(f"systemctl stop {UNIT}")
        self.assert_not_started()

    def test_04_started_by_hand(self):
        """Started by the administrator, and killed: systemd restarts it without an event of memory."""
        self.sh(f"systemctl start {UNIT}")
        pid = self.sh(f"systemctl show -P MainPID {UNIT}")
        self.sh(f"kill -KILL {pid}")
        self.guest.wait_for(f"test $(systemctl show -P NRestarts {UNIT}) = 1", 60)
        self.guest.wait_for(f"systemctl is-active {UNIT}", 60)

    def test_05_stopped_between_restarts(self):
        """Stopped by the administrator between two restarts of a daemon that always fails."""
        self.drop_in("RestartSec=1h")
        self.sh(f"systemctl kill -s KILL {UNIT}")
        self.guest.wait_for(f"systemctl show -P SubState {UNIT} | grep -x auto-restart", 60)
        self.sh(f"systemctl stop {UNIT}")
        self.assert_not_started()
        self.remove_drop_in()

    def test_06_failed(self):
        """Failed by a wrong command line: memory does not start it again."""
        self.drop_in("ExecStart=", "ExecStart=/usr/sbin/tdx-onlined --no")
        self.sh(f"systemctl start {UNIT} || :")
        self.guest.wait_for(f"systemctl is-failed {UNIT}", 60)
        self.assert_not_started(state="failed")
        self.remove_drop_in()
        self.sh(f"systemctl reset-failed {UNIT}")

    def test_07_masked(self):
        self.forget()
        self.sh(f"systemctl mask {UNIT}")
        self.assert_not_started(tagged=True)
        self.sh(f"systemctl unmask {UNIT}")

    def test_08_disabled(self):
        self.sh(f"systemctl disable {UNIT}")
        self.assert_not_started(tagged=True)

    def test_09_enabled_for_this_boot(self):
        self.sh(f"systemctl enable --runtime {UNIT}")
        self.assert_started()

    def test_10_ready(self):
        """The drivers are loaded after the service: a device waits for them, and gets one."""
        self.sh(f"systemctl stop {UNIT}; modprobe -r device_dax kmem")
        self.sh(f"echo 0 >{DAX}/drivers_autoprobe")
        self.create_region(0, "512M")
        self.sh("udevadm settle; modprobe -r device_dax kmem; systemctl stop 'modprobe@*.service'")
        self.mark()
        self.sh(f"systemctl start {UNIT}")
        region = f"TDXO_REGION={self.regions[0]}"
        self.guest.wait_for(f"journalctl -q --since={self.start} {region} TDXO_VERDICT=devdax | grep -q .", 60)
        # On a slow machine the driver is loaded after the last try, and its event causes another one.
        records = self.records(region=self.regions[0])
        self.wait_for_driver(records[0]["TDXO_CHARDEV"], "device_dax")
        self.assertEqual(self.records(region=self.regions[0])[-1]["TDXO_RESULT"], "begun")

    def test_11_sandbox(self):
        """The unmodified unit: all files can be opened for writing."""
        self.assertEqual(self.refused(), {})
        pid = self.sh(f"systemctl show -P MainPID {UNIT}")
        writable = "for d in /sys/* /sys/kernel/mm /proc/sys; do findmnt -n -o TARGET,OPTIONS -T $d; done | grep ' rw'"
        self.assertEqual(self.sh(f"nsenter -t {pid} -m sh -c {shlex.quote(writable)} || :"), "")

    def test_12_read_only(self):
        """Without each of several settings of the unit, there is a message at start."""
        block = f"{MEMORY}/memory0/state"
        erofs = "Read-only file system"
        guard = {f"{DAX}/drivers_autoprobe": erofs, f"{MEMORY}/auto_online_blocks": erofs}
        platform = "/sys/devices/platform/ACPI0017:00"
        uevent = f"{DAX}/devices/{self.sh(f'ls {DAX}/devices')}/uevent"
        for lines, refused in (
            (("ReadWritePaths=", f"ReadOnlyPaths={DAX} {MEMORY} {platform}"), {
                **guard, block: erofs, f"{DAX}/drivers": erofs, platform: erofs, uevent: erofs}),
            ((f"ReadOnlyPaths={DAX}/drivers",), {f"{DAX}/drivers": erofs}),
            ((f"ReadOnlyPaths={MEMORY}/memory0",), {block: erofs}),
            ((f"ReadOnlyPaths={DAX}/drivers/device_dax",), {f"{DAX}/drivers/device_dax/new_id": erofs}),
            ((f"ReadOnlyPaths={RUN}",), {RUN: erofs}),
        ):  # fmt: skip
            with self.subTest(lines):
                self.drop_in(*lines)
                self.assertEqual(self.refused(), refused)
        self.remove_drop_in()

    def test_12b_remedy(self):
        """With the paths of the messages in a drop-in, the files can be written again."""
        self.drop_in("ReadWritePaths=")
        self.refused()
        needed = {m.partition(" ReadWritePaths=")[2] for m in self.messages()} - {""}
        self.drop_in("ReadWritePaths=", f"ReadWritePaths={' '.join(sorted(needed))}")
        self.assertEqual(self.refused(), {})
        self.remove_drop_in()

    def test_13_mode(self):
        """Root has no capability in the unit, so that the mode of a file applies."""
        path = f"{DAX}/drivers/kmem/bind"
        self.sh(f"chmod a-w {path}")
        self.assertEqual(self.refused(), {path: "Permission denied"})
        [message] = [m for m in self.messages() if path in m]
        self.assertIn("the driver of a dax device cannot be changed. Its mode, a drop-in of", message)
        self.sh(f"chmod u+w {path}; systemctl restart {UNIT}")


class Units13(Units):
    """Debian 13: systemd 257; and Linux 7.3."""

    machine = {**Units.machine, "root": "trixie", "kernel": "debian-7.3"}

    def test_01_udev_rule(self):
        self.sh("udevadm verify /usr/lib/udev/rules.d/90-tdx-onlined.rules")


if __name__ == "__main__":
    main()
